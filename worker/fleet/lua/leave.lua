-- A worker goes, and those go that are long dead. ARGV: consumer, idle ms. None with leases is forgotten.
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', stream, GROUP)) do
    local known = {}
    for index = 1, #consumer, 2 do known[consumer[index]] = consumer[index + 1] end
    local gone = known['name'] == ARGV[1] or known['idle'] > tonumber(ARGV[2])
    if gone and known['pending'] == 0 then
        redis.call('XGROUP', 'DELCONSUMER', stream, GROUP, known['name'])
    end
end
return 1
