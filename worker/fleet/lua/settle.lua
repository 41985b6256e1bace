-- A result: recorded, counted and acknowledged in one step, and only once. ARGV: consumer, message id,
-- deliveries, run, batch id, 1 if final, result line, outcome, its place in the input or '', and a JSON object:
--   counted (held ones are not), kinds (of abort rules), row ('' for a fine one), dead (reason or ''),
--   text (for the dead letter), more (counts to be added), slowest (us), rate (asked for, per second),
--   remembered (ids of a kind), keep_s (seconds to keep a run)
-- Gives {ok, settled, failed, not_found, in a row, stop, by}, or {done}, {lost}, {gone}.
local consumer, mid, deliveries = ARGV[1], ARGV[2], ARGV[3]
local run, batch, final, line = ARGV[4], ARGV[5], ARGV[6] == '1', ARGV[7]
local outcome, seq, told = ARGV[8], ARGV[9], cjson.decode(ARGV[10])
local header, counts = run_key(run), run_key(run, 'counts')

local function answer()
    local numbers = redis.call('HMGET', counts, 'settled', 'failed', 'not_found', 'in_a_row')
    local kind, by = stop_of(run)
    return {'ok', numbers[1] or '0', numbers[2] or '0', numbers[3] or '0', numbers[4] or '0', kind, by}
end

if redis.call('EXISTS', header) == 0 then return {'gone'} end
local by = result_by(run, batch, mid, deliveries)
local is_told = not final and result_by(run, batch, mid, deliveries, 'prov') == 'ours'
if by == 'ours' or is_told then return answer() end -- this very call, once more
if by then
    drop_settled(run, mid, by)
    return {'done'}
end
-- A worker that lost its lease may still know for sure that its PUT closed the batch.
if not holds(consumer, mid, deliveries) and not (final and outcome == 'closed') then return {'lost'} end

local fields = {'line', line, 'batch', batch, 'seq', seq}
if final then table.insert(fields, 'final'); table.insert(fields, 1) end
local out = redis.call('XADD', run_key(run, 'out'), '*', unpack(fields))
if seq == '' and redis.call('HEXISTS', run_key(run, 'prov'), batch) == 0 then
    redis.call('HINCRBY', header, 'lines', 1)
    redis.call('HINCRBY', header, 'ids', 1)
end
if final then
    redis.call('HSET', run_key(run, 'done'), batch, out .. ' ' .. mid .. '#' .. deliveries)
    redis.call('HINCRBY', counts, 'final', 1)
    redis.call('HDEL', run_key(run, 'intents'), batch)
    if redis.call('HDEL', run_key(run, 'prov'), batch) == 1 then redis.call('HINCRBY', counts, 'prov', -1) end
elseif redis.call('HSET', run_key(run, 'prov'), batch, out .. ' ' .. mid .. '#' .. deliveries) == 1 then
    redis.call('HINCRBY', counts, 'prov', 1)
end
if redis.call('HGET', tag .. 'busy', batch) == mid then redis.call('HDEL', tag .. 'busy', batch) end
if told.dead ~= '' then dead_letter(mid, run, batch, told.dead, told.text) end
drop(mid)

if type(told.rate) == 'number' then redis.call('HSET', counts, 'rate', tostring(told.rate)) end
for name, number in pairs(told.more) do redis.call('HINCRBY', counts, name, text(number)) end
if told.slowest > (tonumber(redis.call('HGET', counts, 'slowest')) or 0) then
    redis.call('HSET', counts, 'slowest', text(told.slowest))
end
if final and told.counted then
    redis.call('HINCRBY', counts, 'settled', 1)
    local kinds = told.kinds
    for _, kind in ipairs(kinds) do redis.call('HINCRBY', counts, kind, 1) end
    local same = run_key(run, 'last:same')
    if told.row == '' then
        redis.call('HSET', counts, 'row', '', 'in_a_row', 0)
        redis.call('DEL', same)
    else
        if redis.call('HGET', counts, 'row') ~= told.row then
            redis.call('HSET', counts, 'row', told.row, 'in_a_row', 0)
            redis.call('DEL', same)
        end
        redis.call('HINCRBY', counts, 'in_a_row', 1)
        table.insert(kinds, 'same')
    end
    for _, kind in ipairs(kinds) do
        local last = run_key(run, 'last:' .. kind)
        redis.call('RPUSH', last, batch)
        redis.call('LTRIM', last, -told.remembered, -1)
    end
end
redis.call('HINCRBY', tag .. 'meta', 'tick', 1)
if redis.call('HGET', header, 'kind') == 'standing' then
    keep_for(run, told.keep_s)
elseif left_of(run) <= 0 and redis.call('HGET', header, 'added') == redis.call('HGET', header, 'entries') then
    redis.call('HSET', header, 'finished_at', text(now_ms()))
    keep_for(run, told.keep_s)
end
return answer()
