-- An attempt is about to be sent. ARGV: consumer, message id, run, batch id, attempts, first instant.
-- Gives {go}, {lost}, {busy} (another run's PUT for the batch has no result yet) or {stopped, kind, by}.
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
local other = redis.call('HGET', tag .. 'busy', batch)
if other and other ~= mid and entry_of(other) then return {'busy'} end
redis.call('HSET', tag .. 'busy', batch, mid)
redis.call('HSET', run_key(run, 'intents'), batch, ARGV[5] .. ' ' .. ARGV[6])
return {'go', redis.call('HINCRBY', tag .. 'meta', 'tick', 1)}
