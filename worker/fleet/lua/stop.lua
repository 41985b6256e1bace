-- Stop a run; the first reason stands. ARGV: run, kind, reason, kind of abort rule or ''.
-- Gives the kind, the reason and the last batches that led to it.
local run, ids = ARGV[1], ''
if redis.call('EXISTS', run_key(run)) == 0 then return {'', '', ''} end
if ARGV[4] ~= '' then ids = table.concat(redis.call('LRANGE', run_key(run, 'last:' .. ARGV[4]), 0, -1), ' ') end
stop_run(run, ARGV[2], ARGV[3], ids)
return redis.call('HMGET', run_key(run), 'stop_kind', 'stop_by', 'stop_ids')
