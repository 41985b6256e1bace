-- Put the next entries of a run's input in, each once. ARGV: run, entries added before, and JSON: of each
-- entry {batch, seq, fields} or {line, seq} for one that is no batch id.
-- Gives how many are added now; another number than expected means that somebody else was faster.
local run, entries = ARGV[1], cjson.decode(ARGV[3])
local header = redis.call('HMGET', run_key(run), 'added', 'again')
local added = tonumber(header[1])
if added ~= tonumber(ARGV[2]) then return added end
for _, entry in ipairs(entries) do
    if entry.line then
        if not header[2] then
            redis.call('XADD', run_key(run, 'out'), '*', 'line', entry.line, 'seq', entry.seq, 'final', 1)
        end
    elseif redis.call('HEXISTS', run_key(run, 'done'), entry.batch) == 0 then
        if redis.call('HDEL', run_key(run, 'prov'), entry.batch) == 1 then
            redis.call('HINCRBY', run_key(run, 'counts'), 'prov', -1)
        end
        redis.call('XADD', stream, '*', 'batch_id', entry.batch, 'run_id', run, 'seq', entry.seq,
                   unpack(entry.fields))
    end
end
redis.call('HSET', run_key(run), 'added', added + #entries)
return added + #entries
