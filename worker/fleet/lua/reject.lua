-- A message that asks for nothing that can be done. ARGV: consumer, message id, run, 1 if it is a standing
-- one, base URL, settings of a standing run, result line, reason, text, seconds to keep a standing run.
local consumer, mid, run = ARGV[1], ARGV[2], ARGV[3]
if not holds(consumer, mid) then return 'lost' end
if ARGV[4] == '1' then ensure_standing(run, ARGV[5], ARGV[6]) end
redis.call('XADD', run_key(run, 'out'), '*', 'line', ARGV[7], 'final', 1)
redis.call('HINCRBY', run_key(run), 'lines', 1)
redis.call('HINCRBY', run_key(run), 'invalid', 1)
dead_letter(mid, run, '', ARGV[8], ARGV[9])
drop(mid)
if ARGV[4] == '1' then keep_for(run, ARGV[10]) end
return 'ok'
