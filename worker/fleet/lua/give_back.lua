-- Leave a message to others at once. ARGV: consumer, message id. It counts as if it had not been delivered.
local consumer, mid = ARGV[1], ARGV[2]
local entry = entry_of(mid)
if not entry or entry[2] ~= consumer then return 0 end
redis.call('XCLAIM', stream, GROUP, 'given-back', 0, mid, 'IDLE', 1000000000,
           'RETRYCOUNT', math.max(entry[4] - 1, 0), 'JUSTID')
return 1
