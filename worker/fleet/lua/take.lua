-- Take messages: those first that others left. ARGV: consumer, most, lease ms, cursor, largest bytes, and 0
-- where nothing is to be claimed of others.
-- Gives: the next cursor, the epoch, and of each message {id, deliveries, bytes, name, value, ...}.
local consumer, most, largest = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[5])
local taken = {}

local function add(message)
    local mid, fields, size = message[1], message[2], 0
    for _, part in ipairs(fields) do size = size + #part end
    local told = {mid, entry_of(mid)[4], size}
    for index = 1, #fields, 2 do
        if size <= largest then
            table.insert(told, fields[index])
            table.insert(told, fields[index + 1])
        elseif #told < 23 then
            table.insert(told, string.sub(fields[index], 1, 100))
            table.insert(told, string.sub(fields[index + 1], 1, 100))
        end
    end
    table.insert(taken, told)
end

local claimed = {ARGV[4], {}}
if ARGV[6] == '1' then
    claimed = redis.call('XAUTOCLAIM', stream, GROUP, consumer, ARGV[3], ARGV[4], 'COUNT', most)
end
for _, message in ipairs(claimed[2]) do add(message) end
if #taken < most then
    local read = redis.call('XREADGROUP', 'GROUP', GROUP, consumer, 'COUNT', most - #taken,
                            'STREAMS', stream, '>')
    if read then
        for _, message in ipairs(read[1][2]) do add(message) end
    end
end
return {claimed[1], redis.call('HGET', tag .. 'meta', 'epoch') or '', taken}
