-- What must hold in a partition at every moment, reckoned from everything it keeps. Runs behind the library's own text, so it
-- shares its names; it is part of no release.

local LIMITS = { ['3'] = 3 } -- units of a SKU with a purchase limit, as world.py has it

-- What a record or a part says, once for every text: most are seen many times over.
local parsed, parsed_count = {}, 0
local function once(text, parse)
  local found = parsed[text]
  if not found then
    if parsed_count > 2000 then parsed, parsed_count = {}, 0 end
    found = parse(text)
    parsed[text], parsed_count = found, parsed_count + 1
  end
  return found
end

local function parse_record(record)
  local body = read_body(record)
  if not body then return { broken = true } end
  local _, status, version = struct.unpack(HEAD, record)
  local held, counters = {}, {}
  if holds_stock(status) then
    for cell, units in pairs(held_of(body)) do
      held[#held + 1] = cell
      held[#held + 1] = units
    end
  end
  if status ~= RELEASED and status ~= EXPIRED then
    for _, counter in ipairs(body[3]) do
      counters[#counters + 1] = counter[1]
      counters[#counters + 1] = counter[2]
    end
  end
  return { held = held, counters = counters, notes = body[8] }
end

local function flat_counters(rows)
  local flat = {}
  for _, counter in ipairs(rows) do
    flat[#flat + 1] = counter[1]
    flat[#flat + 1] = counter[2]
  end
  return flat
end

local function parse_part(packed)
  local part = cmsgpack.unpack(packed)
  return { held = part[2], counters = flat_counters(part[4]) }
end

local function parse_tentative(packed)
  local kept = cmsgpack.unpack(packed)
  return { held = kept[3], counters = flat_counters(kept[4]) }
end

local function check(keys, args)
  local meta = redis.call('HMGET', keys[META], 'sequence', 'free_total', 'on_hand_total', 'partitions', 'partition')
  local place = { partitions = tonumber(meta[4]), partition = tonumber(meta[5]) }
  local reserved, counted = {}, {}
  local function add(what)
    for i = 1, #what.held, 2 do
      local cell = what.held[i]
      if owns(place, cell) then
        if what.held[i + 1] < 0 then return 'negative units' end
        cell = name_of(cell)
        reserved[cell] = (reserved[cell] or 0) + what.held[i + 1]
      end
    end
    for i = 1, #what.counters, 2 do
      local name = what.counters[i]
      if owns_counter(place, name) then counted[name] = (counted[name] or 0) + what.counters[i + 1] end
    end
  end
  local refused = redis.call('ZCARD', keys[REFUSED]) > 1
  for kind, parse in pairs({ [ORDERS] = parse_record, [PARTS] = parse_part, [TENTATIVE] = parse_tentative }) do
    local all = redis.call('HGETALL', keys[kind])
    for i = 1, #all, 2 do
      if all[i] ~= '' then
        local what = once(all[i + 1], parse)
        if what.broken then return 'the record of ' .. all[i] .. ' cannot be read' end
        if add(what) then return all[i] .. ' holds less than nothing' end
        if refused and what.notes then
          for _, noted in ipairs(what.notes) do
            if redis.call('ZSCORE', keys[REFUSED], noted) then return noted .. ' was refused, and decided for' end
          end
        end
      end
    end
  end
  local free_total, on_hand_total, all, on_hand = 0, 0, redis.call('HGETALL', keys[FREE]), {}
  local counts = redis.call('HGETALL', keys[ON_HAND])
  for i = 1, #counts, 2 do
    if counts[i] ~= '' then
      on_hand[counts[i]] = tonumber(counts[i + 1])
      on_hand_total = on_hand_total + counts[i + 1]
    end
  end
  for i = 1, #all, 2 do
    local cell, free = all[i], tonumber(all[i + 1])
    if cell ~= '' then
      if free < 0 then return 'cell ' .. cell .. ' has ' .. free .. ' free' end
      local safety = tonumber(redis.call('HGET', keys[SAFETY], cell)) or 0
      if on_hand[cell] ~= free + safety + (reserved[cell] or 0) then
        return string.format('cell %s: %d on hand, but %d free, %d safety, %d held', cell, on_hand[cell], free, safety,
          reserved[cell] or 0)
      end
      reserved[cell] = nil
      free_total = free_total + free
    end
  end
  local cell, units = next(reserved)
  if cell then return 'cell ' .. cell .. ' is not counted, but ' .. units .. ' of it are held' end
  local counters = redis.call('HGETALL', keys[COUNTERS])
  for i = 1, #counters, 2 do
    local name, taken = counters[i], tonumber(counters[i + 1])
    if name ~= '' then
      if taken ~= (counted[name] or 0) then
        return string.format('counter %s says %d, orders %d', name, taken, counted[name] or 0)
      end
      if taken > LIMITS[string.match(name, '^%d+')] then return 'counter ' .. name .. ' is beyond its limit: ' .. taken end
      counted[name] = nil
    end
  end
  for name, taken in pairs(counted) do
    if taken ~= 0 then return string.format('counter %s says nothing, orders %d', name, taken) end
  end
  if tonumber(meta[2]) ~= free_total or tonumber(meta[3]) ~= on_hand_total then return 'the totals are wrong' end
  if tonumber(meta[1]) ~= redis.call('XLEN', keys[EVENTS]) then return 'the sequence is not that of the events' end
  return ''
end

-- The same from the other side: all events, from the first on, lead to these levels; their numbers have no gap.
local function check_events(keys, args)
  local free, on_hand, number = {}, {}, 0
  for _, entry in ipairs(redis.call('XRANGE', keys[EVENTS], '-', '+')) do
    local fields = {}
    for i = 1, #entry[2], 2 do fields[entry[2][i]] = entry[2][i + 1] end
    number = number + 1
    if tonumber(fields.n) ~= number then return 'event ' .. number .. ' has number ' .. fields.n end
    local taken = cmsgpack.unpack(fields.d)
    local counted = fields.h and cmsgpack.unpack(fields.h) or {}
    for c, cell in ipairs(cmsgpack.unpack(fields.c)) do
      free[cell] = (free[cell] or 0) - taken[c]
      on_hand[cell] = (on_hand[cell] or 0) + (counted[c] or 0)
    end
  end
  for kind, replayed in pairs({ [FREE] = free, [ON_HAND] = on_hand }) do
    local all = redis.call('HGETALL', keys[kind])
    for i = 1, #all, 2 do
      if all[i] ~= '' and tonumber(all[i + 1]) ~= (replayed[all[i]] or 0) then
        return string.format('cell %s: the events lead to %d, it has %s', all[i], replayed[all[i]] or 0, all[i + 1])
      end
    end
  end
  return ''
end

-- What a record has behind its head, with shipments of other cells: [cell, units, ...].
local function rest_of(keys, args)
  local body, by_warehouse, flat = read_body(args[1]), {}, cmsgpack.unpack(args[2])
  body[1] = {}
  for i = 1, #flat, 2 do
    local warehouse = flat[i] % WAREHOUSES_MAX
    local cells = by_warehouse[warehouse]
    if not cells then
      cells = {}
      by_warehouse[warehouse] = cells
      body[1][#body[1] + 1] = { warehouse, 0, 0, cells }
    end
    cells[#cells + 1], cells[#cells + 2] = flat[i], flat[i + 1]
  end
  return fingerprint_of(args[1]) .. cmsgpack.pack(body)
end

redis.register_function { function_name = 'simulation_rest', callback = rest_of, flags = { 'no-writes' } }
redis.register_function { function_name = 'simulation_check', callback = check, flags = { 'no-writes' } }
redis.register_function { function_name = 'simulation_check_events', callback = check_events, flags = { 'no-writes' } }
