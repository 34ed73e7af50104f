-- The least that a batch commit must do: know ids, have the units, take them, keep the ids, leave one event.
-- KEYS free, ids, events. ARGV 1 cells, 2 units, 3 ids, MessagePack. Units may go below zero here: it is a yardstick, no store.
local cells, units, ids = cmsgpack.unpack(ARGV[1]), cmsgpack.unpack(ARGV[2]), cmsgpack.unpack(ARGV[3])
local known = redis.call('SMISMEMBER', KEYS[2], unpack(ids))
for o = 1, #ids do
  if known[o] ~= 0 then return redis.error_reply('known') end
end
local free, writes = redis.call('HMGET', KEYS[1], unpack(cells)), {}
for c = 1, #cells do
  writes[2 * c - 1], writes[2 * c] = cells[c], (tonumber(free[c]) or 1e9) - units[c]
end
redis.call('HSET', KEYS[1], unpack(writes))
redis.call('SADD', KEYS[2], unpack(ids))
redis.call('XADD', KEYS[3], '*', 'c', ARGV[1], 'd', ARGV[2], 'i', ARGV[3])
return 'OK'
