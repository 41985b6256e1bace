-- Leave a message to others at once. ARGV: consumer, message id, deliveries. It counts as if it had not been
-- delivered.
local consumer, mid, deliveries = ARGV[1], ARGV[2], ARGV[3]
if not holds(consumer, mid, deliveries) then return 0 end
redis.call('XCLAIM', stream, GROUP, 'given-back', 0, mid, 'IDLE', 1000000000,
           'RETRYCOUNT', math.max(tonumber(deliveries) - 1, 0), 'JUSTID')
return 1
