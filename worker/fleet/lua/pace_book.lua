-- Book the next slots. KEYS: the pace of a host and key. ARGV: rate per second, burst, how many, and of
-- rules/pace.py: growth per second, slots between two steps up.
-- Gives the share of the rate in force, microseconds that the pause lasts, and of each slot the wait.
local rate, burst, many = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local known = redis.call('HMGET', KEYS[1], 'next', 'share', 'changed', 'until')
local next_at, share = tonumber(known[1]) or 0, tonumber(known[2]) or 1
local changed, paused = tonumber(known[3]) or 0, tonumber(known[4]) or 0
local quiet_s = (now - changed) / 1000000
if share < 1 and quiet_s >= math.max(1, tonumber(ARGV[5]) / (rate * share)) then
    share, changed = math.min(share + tonumber(ARGV[4]) * quiet_s, 1), now
end
local apart = 1000000 / (rate * share)
local booked = {tostring(share), string.format('%.0f', math.max(paused - now, 0))}
for _ = 1, many do
    local at = math.max(next_at, now, paused)
    -- A burst may go at once after a quiet time, but never before the pause is over.
    local due = math.max(at - (burst - 1) * apart, now, paused)
    table.insert(booked, string.format('%.0f', due - now))
    next_at = at + apart
end
redis.call('HSET', KEYS[1], 'next', string.format('%.2f', next_at), 'share', tostring(share),
           'changed', string.format('%.0f', changed), 'until', string.format('%.0f', paused))
redis.call('EXPIRE', KEYS[1], 86400)
return booked
