-- Keys of requests (Idempotency-Key) that have another id besides. KEYS the key: a string, the digest of its content and
-- how many requests with it are under way or were done. They only notice a client that mixes up its keys.

local REQUEST_DIGEST_LENGTH = 32

local function request_count(found)
  return tonumber(string.sub(found, REQUEST_DIGEST_LENGTH + 1)) or 1
end

-- stockade_bind_request: lets a key be that of a content, and counts the request. ARGV 1 digest, 2 seconds it is kept for.
-- Returns 'N' it is this content's from now on, 'B' it was before, 'O' it is another's. O(1).
local function bind_request(keys, args)
  local found = redis.call('GET', keys[1])
  if not found then
    redis.call('SET', keys[1], args[1] .. '1', 'EX', args[2])
    return 'N'
  end
  if string.sub(found, 1, REQUEST_DIGEST_LENGTH) ~= args[1] then return 'O' end
  redis.call('SET', keys[1], string.format('%s%d', args[1], request_count(found) + 1), 'KEEPTTL')
  return 'B'
end

-- stockade_release_request: a request with a key was refused; with the last one the key is free. ARGV 1 digest.
-- Those that were done are never taken off, so that a key that did something stays its content's. O(1).
local function release_request(keys, args)
  local found = redis.call('GET', keys[1])
  if not found or string.sub(found, 1, REQUEST_DIGEST_LENGTH) ~= args[1] then return 0 end
  local left = request_count(found) - 1
  if left <= 0 then
    redis.call('DEL', keys[1])
  else
    redis.call('SET', keys[1], string.format('%s%d', args[1], left), 'KEEPTTL')
  end
  return left
end

redis.register_function('stockade_bind_request', bind_request)
redis.register_function('stockade_release_request', release_request)
