-- What is known of the batches that messages ask for. ARGV: base URL, settings of a standing run, then
-- of each message: run, message id, batch id, 1 if the run is a standing one.
-- Gives of each: {unknown}, {done} (the message is dropped as a duplicate), or {ok, session, touches, stop, by, intent}.
local found = {}
for index = 3, #ARGV, 4 do
    local run, mid, batch, standing = ARGV[index], ARGV[index + 1], ARGV[index + 2], ARGV[index + 3]
    if standing == '1' then ensure_standing(run, ARGV[1], ARGV[2]) end
    if redis.call('EXISTS', run_key(run)) == 0 then
        table.insert(found, {'unknown'})
    elseif result_by(run, batch, mid) then
        drop_settled(run, mid, result_by(run, batch, mid))
        table.insert(found, {'done'})
    else
        local kind, by = stop_of(run)
        local intent = redis.call('HGET', run_key(run, 'intents'), batch) or ''
        local session = redis.call('HGET', run_key(run), 'session')
        table.insert(found, {'ok', session, text(touches_of(batch, mid)), kind, by, intent})
    end
end
return found
