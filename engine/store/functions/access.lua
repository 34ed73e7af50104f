-- Who may call: API keys by id, and signatures that may be used once. KEYS are of the catalogue: meta, then their own.
-- Keys are definitions in JSON of which the store knows nothing; the field `access` of meta counts their changes.

-- stockade_access: whether anything about keys changed. KEYS meta. Returns {epoch, changes of keys, store's clock in ms}. O(1).
local function access(keys)
  local meta = redis.call('HMGET', keys[1], 'epoch', 'access')
  return { meta[1] or '', tonumber(meta[2] or 0), now_ms() }
end

-- stockade_put_key: adds a key or replaces it, if it still is what the caller saw. KEYS meta, access.
-- ARGV 1 epoch, 2 id, 3 what the caller saw ('': no such key), 4 definition ('': forget the key), 5 keys at most.
-- Returns 'A' done (also when it was done before), 'C' it is another by now, 'F' there are too many. O(1).
local function put_key(keys, args)
  if stale(keys[1], args[1]) then return redis.error_reply(STALE) end
  local found = redis.call('HGET', keys[2], args[2]) or ''
  if found == args[4] then return 'A' end
  if found ~= args[3] then return 'C' end
  if found == '' and redis.call('HLEN', keys[2]) > tonumber(args[5]) then return 'F' end
  if args[4] == '' then
    redis.call('HDEL', keys[2], args[2])
  else
    redis.call('HSET', keys[2], '', 0, args[2], args[4])
  end
  redis.call('HINCRBY', keys[1], 'access', 1)
  return 'A'
end

-- stockade_note_uses: keys were used. KEYS meta, access, uses: minutes since 1970 by id. ARGV 1 epoch, then id, minute, ...
-- Of two minutes the later stays. Those of forgotten keys go once there would be more of them than keys. Returns 'A'. O(keys).
local function note_uses(keys, args)
  if stale(keys[1], args[1]) then return redis.error_reply(STALE) end
  for i = 2, #args, 2 do
    local id, minute = args[i], args[i + 1]
    local known = redis.call('HEXISTS', keys[2], id) == 1
    if known and tonumber(minute) > tonumber(redis.call('HGET', keys[3], id) or 0) then
      redis.call('HSET', keys[3], '', 0, id, minute)
    end
  end
  if redis.call('HLEN', keys[3]) > redis.call('HLEN', keys[2]) then
    for _, id in ipairs(redis.call('HKEYS', keys[3])) do
      if redis.call('HEXISTS', keys[2], id) == 0 then redis.call('HDEL', keys[3], id) end
    end
  end
  return 'A'
end

-- How many signatures that ended one call forgets: more than it adds, and few enough to be no wait.
local FORGOTTEN_MAX = 100

-- stockade_spend_signature: lets a signature be used once. KEYS meta, signatures, signers: how many each key has there.
-- ARGV 1 epoch, 2 id of the key, 3 signature, 4 when it is too old anyhow (ms since 1970), 5 signatures at most.
-- Returns 'A' used now, 'U' used before, 'F' too many of this key are remembered. O(log signatures).
-- A key may have as many as are left, so that none can take the room of the others.
local function spend_signature(keys, args)
  if stale(keys[1], args[1]) then return redis.error_reply(STALE) end
  local ended = redis.call('ZRANGEBYSCORE', keys[2], '-inf', now_ms(), 'LIMIT', 0, FORGOTTEN_MAX)
  for _, each in ipairs(ended) do
    redis.call('ZREM', keys[2], each)
    local signer = string.match(each, '^(.-):')
    if signer and redis.call('HINCRBY', keys[3], signer, -1) <= 0 then redis.call('HDEL', keys[3], signer) end
  end
  local spent = args[2] .. ':' .. args[3]
  if redis.call('ZSCORE', keys[2], spent) then return 'U' end
  local own = tonumber(redis.call('HGET', keys[3], args[2]) or 0)
  -- One of them is the nameless one.
  if own > tonumber(args[5]) - redis.call('ZCARD', keys[2]) then return 'F' end
  redis.call('ZADD', keys[2], '+inf', '', args[4], spent)
  redis.call('HSET', keys[3], '', 0)
  redis.call('HINCRBY', keys[3], args[2], 1)
  return 'A'
end

redis.register_function('stockade_access', access)
redis.register_function('stockade_put_key', put_key)
redis.register_function('stockade_note_uses', note_uses)
redis.register_function('stockade_spend_signature', spend_signature)
