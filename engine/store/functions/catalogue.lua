-- The network: names and their numbers, definitions, the tariff. KEYS of the catalogue are meta, definitions, events.

-- How many catalogue events are kept: who missed more loads anew.
local CATALOGUE_EVENTS = 10000

-- How many versions of policies are remembered, so that none comes to mean two things. An older one counts as new.
local POLICY_VERSIONS = 1000

-- stockade_open_catalogue: makes the catalogue if there is none. KEYS meta. ARGV 1 candidate epoch, 2 partitions wanted.
-- Returns {epoch, partitions in force}. O(1).
local function open_catalogue(keys, args)
  mark_epoch(keys[1], args[1])
  redis.call('HSETNX', keys[1], 'partitions', args[2])
  local meta = redis.call('HMGET', keys[1], 'epoch', 'partitions')
  return { meta[1], tonumber(meta[2]) }
end

-- stockade_put_definitions: adds or replaces SKUs or warehouses; a new name gets the next number, for ever.
-- KEYS meta, definitions, events. ARGV 1 epoch, 2 kind, 3 numbers at most, 4 [name, definition, ...] as MessagePack.
-- Returns MessagePack numbers, or an error CATALOGUEFULL with nothing written. O(names).
local function put_definitions(keys, args)
  if stale(keys[1], args[1]) then return redis.error_reply(STALE) end
  local rows, numbers, fresh, writes = cmsgpack.unpack(args[4]), {}, {}, {}
  local field = 'next_' .. args[2]
  local next_number = tonumber(redis.call('HGET', keys[1], field) or 0)
  for i = 1, #rows, 2 do
    local name = rows[i]
    local old = redis.call('HGET', keys[2], name)
    local number = old and tonumber(string.match(old, '^(%d+):')) or fresh[name]
    if not number then
      number = next_number
      next_number = next_number + 1
      fresh[name] = number
    end
    numbers[#numbers + 1] = number
    writes[#writes + 1] = name
    writes[#writes + 1] = string.format('%d:', number) .. rows[i + 1]
  end
  if next_number > tonumber(args[3]) then
    return redis.error_reply('CATALOGUEFULL no number is left for another ' .. args[2])
  end
  redis.call('HSET', keys[1], field, next_number)
  write_fields(keys[2], writes)
  redis.call('XADD', keys[3], 'MAXLEN', '~', CATALOGUE_EVENTS, '*', 't', args[2], 'v', cmsgpack.pack(writes))
  return cmsgpack.pack(numbers)
end

-- stockade_put_tariff: replaces the tariff. KEYS meta, events. ARGV 1 epoch, 2 definition. O(1).
local function put_tariff(keys, args)
  if stale(keys[1], args[1]) then return redis.error_reply(STALE) end
  redis.call('HSET', keys[1], 'tariff', args[2])
  return redis.call('XADD', keys[2], 'MAXLEN', '~', CATALOGUE_EVENTS, '*', 't', 'tariff', 'v', args[2])
end

-- stockade_put_matrix: replaces the user's own distances or costs. Its event names it only: it may be large, and whoever
-- follows reads it. KEYS meta, events. ARGV 1 epoch, 2 kind, 3 definition, empty for none. O(1).
local function put_matrix(keys, args)
  if stale(keys[1], args[1]) then return redis.error_reply(STALE) end
  redis.call('HSET', keys[1], 'matrix_' .. args[2], args[3])
  return redis.call('XADD', keys[2], 'MAXLEN', '~', CATALOGUE_EVENTS, '*', 't', 'matrix', 'v', args[2])
end

-- stockade_put_policies: puts a book of policies in force, or with nothing for its content none. One version is one
-- content: what was in force under a version is remembered by its fingerprint. KEYS meta, events. ARGV 1 epoch, 2 version,
-- 3 fingerprint, 4 content, 5 '1': also a version that was in force before another. Returns 'put', 'same' (it is in force
-- already), 'before' (it was, and nothing was done) or 'other ' and the fingerprint of that version. O(versions kept).
local function put_policies(keys, args)
  if stale(keys[1], args[1]) then return redis.error_reply(STALE) end
  local version, print, content = args[2], args[3], args[4]
  local known = redis.call('HMGET', keys[1], 'policy_version', 'policy_versions')
  local versions = known[2] and cmsgpack.unpack(known[2]) or {}
  if content ~= '' then
    local had
    for i = 1, #versions, 2 do
      if versions[i] == version then had = versions[i + 1] end
    end
    if had and had ~= print then return 'other ' .. had end
    if had and known[1] == version then return 'same' end
    if had and args[5] ~= '1' then return 'before' end
    if not had then
      versions[#versions + 1] = version
      versions[#versions + 1] = print
      while #versions > 2 * POLICY_VERSIONS do
        table.remove(versions, 1)
        table.remove(versions, 1)
      end
    end
  elseif not known[1] or known[1] == '' then
    return 'same'
  end
  redis.call('HSET', keys[1], 'policies', content, 'policy_version', version, 'policy_versions', cmsgpack.pack(versions))
  redis.call('XADD', keys[2], 'MAXLEN', '~', CATALOGUE_EVENTS, '*', 't', 'policies', 'v', version)
  return 'put'
end

redis.register_function('stockade_put_policies', put_policies)
redis.register_function('stockade_put_matrix', put_matrix)
redis.register_function('stockade_open_catalogue', open_catalogue)
redis.register_function('stockade_put_definitions', put_definitions)
redis.register_function('stockade_put_tariff', put_tariff)
