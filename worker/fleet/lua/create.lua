-- Begin a run. ARGV: run, deadline in seconds or '', then names and values of its header.
-- Gives 1, or 0 where there is one of that name.
local run = ARGV[1]
if redis.call('EXISTS', run_key(run)) == 1 then return 0 end
local now = now_ms()
redis.call('HSET', run_key(run), 'run_id', run, 'kind', 'run', 'created_at', text(now),
           'session_at', text(now), 'session', 1, 'added', 0, unpack(ARGV, 3))
if ARGV[2] ~= '' then
    redis.call('HSET', run_key(run), 'deadline_s', ARGV[2],
               'deadline_at', text(now + 1000 * tonumber(ARGV[2])))
end
redis.call('ZADD', tag .. 'runs', text(now), run)
return 1
