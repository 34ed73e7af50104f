-- Strings, hashes and sets.

local server = ...
local define, read, write, raise = server.define, server.read, server.write, server.raise
local need_whole, whole, number_text, ordered_keys =
  server.need_whole, server.whole, server.number_text, server.ordered_keys
local next = next

local function new_map(kind)
  return function() return { kind = kind, size = 0, map = {} } end
end
local new_hash, new_set = new_map('hash'), new_map('set')

-- Strings and keys.

define('GET', 2, false, function(words)
  local value = read(words[2], 'string')
  return value and value.text or false
end)

define('SET', -3, true, function(words, count)
  local key = words[2]
  local known = server.keys[key] ~= nil
  for i = 4, count do
    local option = words[i]:upper()
    if option ~= 'NX' and option ~= 'XX' then server.unsupported(words, i) end
    if (option == 'NX') == known then return false end
  end
  server.keys[key] = { kind = 'string', text = words[3] }
  return { ok = 'OK' }
end)

define('EXISTS', -2, false, function(words, count)
  local found = 0
  for i = 2, count do
    if server.keys[words[i]] then found = found + 1 end
  end
  return found
end)

define('DEL', -2, true, function(words, count)
  local gone = 0
  for i = 2, count do
    if server.keys[words[i]] then gone = gone + 1 end
    server.keys[words[i]] = nil
  end
  return gone
end)

-- Hashes.

define('HGET', 3, false, function(words)
  local hash = read(words[2], 'hash')
  return hash and hash.map[words[3]] or false
end)

define('HMGET', -3, false, function(words, count)
  local hash = read(words[2], 'hash')
  local map, values = hash and hash.map or {}, {}
  for i = 3, count do values[i - 2] = map[words[i]] or false end
  return values
end)

define('HSET', -4, true, function(words, count)
  if count % 2 == 1 then raise("ERR wrong number of arguments for 'hset' command") end
  local hash = write(words[2], 'hash', new_hash)
  local map, added = hash.map, 0
  for i = 3, count, 2 do
    local field = words[i]
    if not map[field] then added = added + 1 end
    map[field] = words[i + 1]
  end
  hash.size = hash.size + added
  return added
end)

define('HSETNX', 4, true, function(words)
  local hash = write(words[2], 'hash', new_hash)
  if hash.map[words[3]] then return 0 end
  hash.map[words[3]], hash.size = words[4], hash.size + 1
  return 1
end)

define('HINCRBY', 4, true, function(words)
  local step = need_whole(words[4])
  local hash = write(words[2], 'hash', new_hash)
  local old = hash.map[words[3]]
  if not old then hash.size = hash.size + 1 end
  local number = whole(old or '0') or raise('ERR hash value is not an integer')
  hash.map[words[3]] = number_text(number + step)
  return number + step
end)

define('HEXISTS', 3, false, function(words)
  local hash = read(words[2], 'hash')
  return hash and hash.map[words[3]] and 1 or 0
end)

define('HGETALL', 2, false, function(words)
  local hash = read(words[2], 'hash')
  local flat, count = {}, 0
  if hash then
    for _, field in ipairs(ordered_keys(hash.map)) do
      flat[count + 1], flat[count + 2] = field, hash.map[field]
      count = count + 2
    end
  end
  return flat
end)

-- Everything in one page: a real server may do that, too, and always does for a small hash.
define('HSCAN', -3, false, function(words, count)
  if not whole(words[3]) then raise('ERR invalid cursor') end
  if read(words[2], 'hash') and count > 3 then
    if words[4]:upper() ~= 'COUNT' then server.unsupported(words, 4) end
    if count ~= 5 or need_whole(words[5]) < 1 then raise('ERR syntax error') end
  end
  return { '0', server.commands.HGETALL.run(words) }
end)

-- Hashes and sets alike: members leave, and the key leaves with the last one.
local function leaving(kind)
  return function(words, count)
    local value, gone = write(words[2], kind), 0
    if not value then return 0 end
    for i = 3, count do
      if value.map[words[i]] then
        gone = gone + 1
        value.map[words[i]] = nil
      end
    end
    value.size = value.size - gone
    if value.size == 0 then server.keys[words[2]] = nil end
    return gone
  end
end

local function sized(kind)
  return function(words)
    local value = read(words[2], kind)
    return value and value.size or 0
  end
end

define('HDEL', -3, true, leaving('hash'))
define('HLEN', 2, false, sized('hash'))

-- Sets.

define('SADD', -3, true, function(words, count)
  local set, added = write(words[2], 'set', new_set), 0
  for i = 3, count do
    if not set.map[words[i]] then
      added = added + 1
      set.map[words[i]] = true
    end
  end
  set.size = set.size + added
  return added
end)

define('SREM', -3, true, leaving('set'))
define('SCARD', 2, false, sized('set'))

define('SISMEMBER', 3, false, function(words)
  local set = read(words[2], 'set')
  return set and set.map[words[3]] and 1 or 0
end)

define('SMEMBERS', 2, false, function(words)
  local set = read(words[2], 'set')
  return set and ordered_keys(set.map) or {}
end)
