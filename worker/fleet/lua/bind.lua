-- Make the queue if it isn't there, for one API alone. ARGV: base URL, a new epoch.
-- Gives: whether the group was made now, the base URL it is for, its epoch, the environment or ''.
local made = redis.pcall('XGROUP', 'CREATE', stream, GROUP, '0', 'MKSTREAM')
if made['err'] and not string.find(made['err'], 'BUSYGROUP') then return made end
redis.call('HSETNX', tag .. 'meta', 'base_url', ARGV[1])
-- A queue without its group has lost its stream: whoever knew it is to notice.
if not made['err'] then redis.call('HDEL', tag .. 'meta', 'epoch') end
redis.call('HSETNX', tag .. 'meta', 'epoch', ARGV[2])
local meta = redis.call('HMGET', tag .. 'meta', 'base_url', 'epoch', 'environment')
return {made['err'] and 0 or 1, meta[1], meta[2], meta[3] or ''}
