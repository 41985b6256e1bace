-- Claim what nobody works on of a stopped run. ARGV: consumer, run, first id, how many, lease ms.
-- Gives the id to go on after ('' at the end), how many are under way, and of each {id, deliveries, name,
-- value, ...}.
local consumer, run, lease_ms = ARGV[1], ARGV[2], tonumber(ARGV[5])
local page = redis.call('XRANGE', stream, ARGV[3], '+', 'COUNT', ARGV[4])
local claimed, busy = {}, 0
for _, message in ipairs(page) do
    local fields, of_run = message[2], false
    for index = 1, #fields, 2 do
        if fields[index] == 'run_id' and fields[index + 1] == run then of_run = true end
    end
    if of_run then
        local entry = entry_of(message[1])
        if entry and entry[3] < lease_ms then
            busy = busy + 1
        else
            redis.call('XCLAIM', stream, GROUP, consumer, 0, message[1], 'FORCE', 'JUSTID')
            table.insert(claimed, {message[1], entry_of(message[1])[4], unpack(fields)})
        end
    end
end
local last = ''
if #page == tonumber(ARGV[4]) then last = page[#page][1] end
return {last, busy, claimed}
