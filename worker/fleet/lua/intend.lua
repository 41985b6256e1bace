-- An attempt is about to be sent. ARGV: consumer, message id, deliveries, run, batch id, attempts, first instant,
-- and the touches known when the batch was last looked at.
-- Gives {go, tick, touches}, {lost}, {stopped, kind, by}, or {busy, touches}: another message led to a PUT
-- for the batch that has no result yet, or since the last look.
local consumer, mid, run, batch = ARGV[1], ARGV[2], ARGV[4], ARGV[5]
if not holds(consumer, mid, ARGV[3]) then return {'lost'} end
local by = result_by(run, batch, mid)
if by then
    drop_settled(run, mid, by)
    return {'lost'}
end
if redis.call('EXISTS', run_key(run)) == 0 then return {'lost'} end
local kind, why = stop_of(run)
if kind ~= '' then return {'stopped', kind, why} end
local touches = touches_of(batch, mid)
if redis.call('HGET', tag .. 'busy', batch) ~= mid then
    if touches < 0 or touches ~= tonumber(ARGV[8]) then return {'busy', text(touches)} end
    redis.call('HSET', tag .. 'busy', batch, mid)
    touches = touches + 1
    redis.call('SET', tag .. 'touch:' .. batch, text(touches), 'EX', 86400)
end
redis.call('XCLAIM', stream, GROUP, consumer, 0, mid, 'JUSTID') -- whoever sends a PUT has all of a lease for it
redis.call('HSET', run_key(run, 'intents'), batch, ARGV[6] .. ' ' .. ARGV[7])
return {'go', redis.call('HINCRBY', tag .. 'meta', 'tick', 1), text(touches)}
