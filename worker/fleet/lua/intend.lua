-- An attempt is about to be sent. ARGV: consumer, message id, run, batch id, attempts, first instant, and
-- the touches known when the batch was last looked at.
-- Gives {go, tick, touches}, {lost}, {stopped, kind, by}, or {busy, touches}: another message led to a PUT
-- for the batch that has no result yet, or since the last look.
local consumer, mid, run, batch = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if not holds(consumer, mid) then return {'lost'} end
if redis.call('HEXISTS', run_key(run, 'done'), batch) == 1 then
    redis.call('HINCRBY', run_key(run), 'lines', 1)
    redis.call('HINCRBY', run_key(run), 'duplicates', 1)
    drop(mid)
    return {'lost'}
end
if redis.call('EXISTS', run_key(run)) == 0 then return {'lost'} end
local kind, by = stop_of(run)
if kind ~= '' then return {'stopped', kind, by} end
local touches = touches_of(batch, mid)
if redis.call('HGET', tag .. 'busy', batch) ~= mid then
    if touches < 0 or touches ~= tonumber(ARGV[7]) then return {'busy', text(touches)} end
    redis.call('HSET', tag .. 'busy', batch, mid)
    touches = touches + 1
    redis.call('SET', tag .. 'touch:' .. batch, text(touches), 'EX', 86400)
end
redis.call('HSET', run_key(run, 'intents'), batch, ARGV[5] .. ' ' .. ARGV[6])
return {'go', redis.call('HINCRBY', tag .. 'meta', 'tick', 1), text(touches)}
