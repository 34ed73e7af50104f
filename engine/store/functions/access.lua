-- Who may call: API keys by id, and signatures that may be used once. KEYS are of the catalogue: meta, then their own.
-- Keys are definitions in JSON of which the store knows nothing; the field `access` of meta counts their changes.

-- stockade_access: whether anything about keys changed. KEYS meta. Returns {epoch, changes of keys, store's clock in ms}. O(1).
local function access(keys)
  local meta = redis.call('HMGET', keys[1], 'epoch', 'access')
  return { meta[1] or '', tonumber(meta[2] or 0), now_ms() }
end

-- stockade_put_key: adds a key or replaces it, if it still is what the caller saw. KEYS meta, access.
-- ARGV 1 epoch, 2 id, 3 what the caller saw ('': no such key), 4 definition, 5 keys at most.
-- Returns 'A' done (also when it was done before), 'C' it is another by now, 'F' there are too many. O(1).
local function put_key(keys, args)
  if stale(keys[1], args[1]) then return redis.error_reply(STALE) end
  local found = redis.call('HGET', keys[2], args[2]) or ''
  if found == args[4] then return 'A' end
  if found ~= args[3] then return 'C' end
  if found == '' and redis.call('HLEN', keys[2]) > tonumber(args[5]) then return 'F' end
  redis.call('HSET', keys[2], '', 0, args[2], args[4])
  redis.call('HINCRBY', keys[1], 'access', 1)
  return 'A'
end

-- stockade_spend_signature: lets a signature be used once. KEYS meta, signatures.
-- ARGV 1 epoch, 2 signature, 3 ms for which it is remembered, 4 signatures at most.
-- Returns 'A' used now, 'U' used before, 'F' too many are remembered. O(log signatures), and those that it forgets.
local function spend_signature(keys, args)
  if stale(keys[1], args[1]) then return redis.error_reply(STALE) end
  local now = now_ms()
  redis.call('ZREMRANGEBYSCORE', keys[2], '-inf', now)
  if redis.call('ZSCORE', keys[2], args[2]) then return 'U' end
  if redis.call('ZCARD', keys[2]) > tonumber(args[4]) then return 'F' end
  redis.call('ZADD', keys[2], '+inf', '', now + tonumber(args[3]), args[2])
  return 'A'
end

redis.register_function('stockade_access', access)
redis.register_function('stockade_put_key', put_key)
redis.register_function('stockade_spend_signature', spend_signature)
