-- A request was throttled: pause and slow everyone. KEYS: the pace of a host and key. ARGV: us since it
-- was sent, us to pause, and of rules/pace.py: decrease, lowest share; then the channel.
-- All who booked book anew. Gives the share in force, and us until the pause ends.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local known = redis.call('HMGET', KEYS[1], 'next', 'share', 'changed', 'until')
local share, changed = tonumber(known[2]) or 1, tonumber(known[3]) or 0
local paused, before = tonumber(known[4]) or 0, share
if now - tonumber(ARGV[1]) >= changed or share >= 1 then -- one lowering for all sent before the last one
    share, changed = math.max(share * tonumber(ARGV[3]), tonumber(ARGV[4])), now
end
local ends = now + tonumber(ARGV[2])
if ends > paused or share ~= before then
    paused = math.max(ends, paused)
    redis.call('HSET', KEYS[1], 'next', string.format('%.0f', paused), 'share', tostring(share),
               'changed', string.format('%.0f', changed), 'until', string.format('%.0f', paused))
    redis.call('EXPIRE', KEYS[1], 172800)
    redis.call('PUBLISH', ARGV[5], string.format('%s %.0f', tostring(share), paused - now))
end
return {tostring(share), string.format('%.0f', math.max(paused - now, 0))}
