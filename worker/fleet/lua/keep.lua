-- Prolong leases. ARGV: consumer, then of each lease message id and deliveries. Gives the epoch, then the
-- places (from 0) of those that are lost.
local consumer, ours, lost = ARGV[1], {}, {redis.call('HGET', tag .. 'meta', 'epoch') or ''}
for index = 2, #ARGV, 2 do
    if holds(consumer, ARGV[index], ARGV[index + 1]) then
        table.insert(ours, ARGV[index])
    else
        table.insert(lost, (index - 2) / 2)
    end
end
if #ours > 0 then
    table.insert(ours, 'JUSTID')
    redis.call('XCLAIM', stream, GROUP, consumer, 0, unpack(ours))
end
return lost
