-- Take up again what a stopped run left. ARGV: run, deadline in seconds or '', settings.
-- Gives 0 where some of its batches are still under way, else 1.
local run = ARGV[1]
if left_of(run) > 0 then return 0 end
local now = now_ms()
local spent = redis.call('HMGET', run_key(run), 'session_at', 'finished_at')
redis.call('HINCRBY', run_key(run), 'spent_ms', text((tonumber(spent[2]) or now) - tonumber(spent[1])))
redis.call('HDEL', run_key(run), 'stop_kind', 'stop_by', 'stop_ids', 'stop_at', 'deadline_s', 'deadline_at',
           'finished_at')
redis.call('HSET', run_key(run), 'added', 0, 'again', 1, 'settings', ARGV[3], 'session_at', text(now))
redis.call('HINCRBY', run_key(run), 'session', 1)
redis.call('HDEL', run_key(run, 'counts'), 'settled', 'failed', 'not_found', 'row', 'in_a_row')
redis.call('DEL', run_key(run, 'last:failed'), run_key(run, 'last:not_found'), run_key(run, 'last:same'))
if ARGV[2] ~= '' then
    redis.call('HSET', run_key(run), 'deadline_s', ARGV[2],
               'deadline_at', text(now + 1000 * tonumber(ARGV[2])))
end
keep_for(run, nil)
return 1
