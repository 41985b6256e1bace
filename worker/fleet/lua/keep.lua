-- Prolong leases. ARGV: consumer, message ids. Gives the epoch, then the ids that another has now.
local consumer, ours, lost = ARGV[1], {}, {redis.call('HGET', tag .. 'meta', 'epoch') or ''}
for index = 2, #ARGV do
    table.insert(holds(consumer, ARGV[index]) and ours or lost, ARGV[index])
end
if #ours > 0 then
    table.insert(ours, 'JUSTID')
    redis.call('XCLAIM', stream, GROUP, consumer, 0, unpack(ours))
end
return lost
