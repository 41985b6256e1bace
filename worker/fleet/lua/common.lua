-- Prepended to every script of a queue. All keys carry the queue's name as their hash tag, so that a
-- cluster keeps them in one place; the ones named by a run can't be known before the script runs.
local stream = KEYS[1]
local tag = '{' .. stream .. '}:'
local GROUP = 'workers'

local function run_key(run, part)
    local key = tag .. 'run:' .. run
    if part then return key .. ':' .. part end
    return key
end

local function now_ms()
    local time = redis.call('TIME')
    return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function text(number) -- Lua's own form loses digits beyond the fourteenth
    return string.format('%.0f', number)
end

local function entry_of(mid) -- of the pending messages: {id, consumer, idle ms, deliveries}
    return redis.call('XPENDING', stream, GROUP, mid, mid, 1)[1]
end

-- A lease is one delivery of a message: one that was lost meanwhile is another's even if the same worker has it
-- again, for others may have sent a PUT between.
local function holds(consumer, mid, deliveries)
    local entry = entry_of(mid)
    return entry and entry[2] == consumer and (not deliveries or entry[4] == tonumber(deliveries))
end

local function drop(mid)
    redis.call('XACK', stream, GROUP, mid)
    redis.call('XDEL', stream, mid)
end

-- Which message led to the result of a batch: 'ours' this very delivery of it, 'same' another delivery,
-- 'other' another message; nil where there is no result.
local function result_by(run, batch, mid, deliveries, part)
    local known = redis.call('HGET', run_key(run, part or 'done'), batch)
    if not known then return nil end
    local by = string.match(known, ' (%S+)$')
    if deliveries and by == mid .. '#' .. deliveries then return 'ours' end
    return string.sub(by, 1, #mid + 1) == mid .. '#' and 'same' or 'other'
end

local function drop_settled(run, mid, by) -- a message whose batch has its result; another message is a duplicate
    if by == 'other' then
        redis.call('HINCRBY', run_key(run), 'lines', 1)
        redis.call('HINCRBY', run_key(run), 'duplicates', 1)
    end
    drop(mid)
end

local function stop_run(run, kind, by, ids) -- the first reason stands
    if redis.call('HSETNX', run_key(run), 'stop_kind', kind) == 1 then
        redis.call('HSET', run_key(run), 'stop_by', by, 'stop_ids', ids, 'stop_at', text(now_ms()))
        redis.call('PUBLISH', tag .. 'stops', run)
    end
end

local function stop_of(run) -- kind and reason, empty while it runs; the deadline counts on this clock
    local known = redis.call('HMGET', run_key(run), 'stop_kind', 'stop_by', 'deadline_at', 'deadline_s')
    if known[1] then return known[1], known[2] end
    if known[3] and now_ms() >= tonumber(known[3]) then
        local by = 'deadline=' .. known[4]
        stop_run(run, 'deadline', by, '')
        return 'deadline', by
    end
    return '', ''
end

local function keep_for(run, seconds) -- a run that is done is forgotten some day
    for _, part in ipairs({'', ':done', ':prov', ':out', ':intents', ':counts',
                           ':last:failed', ':last:not_found', ':last:same'}) do
        if seconds then
            redis.call('EXPIRE', tag .. 'run:' .. run .. part, seconds)
        else
            redis.call('PERSIST', tag .. 'run:' .. run .. part)
        end
    end
end

local function ensure_standing(run, base_url, settings)
    if redis.call('EXISTS', run_key(run)) == 1 then return end
    local now = text(now_ms())
    redis.call('HSET', run_key(run), 'run_id', run, 'kind', 'standing', 'base_url', base_url,
               'settings', settings, 'created_at', now, 'session_at', now, 'session', 1, 'who', 'producers',
               'lines', 0, 'ids', 0, 'duplicates', 0, 'invalid', 0, 'added', 0, 'entries', 0)
    redis.call('ZADD', tag .. 'runs', now, run)
end

local function dead_letter(mid, run, batch, reason, message)
    redis.call('XADD', tag .. 'dead', 'MAXLEN', '~', 100000, '*', 'message_id', mid, 'run_id', run,
               'batch_id', batch, 'reason', reason, 'text', message)
end

-- How many messages led to a PUT for a batch, lately: whoever looks at it after learning of that number may
-- send one as long as it holds. -1 while another's PUT has no result yet: that look would come too early.
local function touches_of(batch, mid)
    local other = redis.call('HGET', tag .. 'busy', batch)
    if other and other ~= mid and entry_of(other) then return -1 end
    return tonumber(redis.call('GET', tag .. 'touch:' .. batch)) or 0
end

local function left_of(run)
    local ids = tonumber(redis.call('HGET', run_key(run), 'ids')) or 0
    local counts = redis.call('HMGET', run_key(run, 'counts'), 'final', 'prov')
    return ids - (tonumber(counts[1]) or 0) - (tonumber(counts[2]) or 0)
end
