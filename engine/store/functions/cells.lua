-- Looks at the stock: pages for a view, single cells, and the cut of an audit. None writes.

-- stockade_scan_free: one page of what is free, for a process that fills its view.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 cursor, 4 fields wanted (about).
-- Returns {next cursor, newest event id, cells and levels as MessagePack [cell, level, ...]}. O(fields).
local function scan_free(keys, args)
  if stale(keys[META], args[1]) then return redis.error_reply(STALE) end
  local page = redis.call('HSCAN', keys[FREE], args[3], 'COUNT', args[4])
  local levels = {}
  for i = 1, #page[2], 2 do
    if page[2][i] ~= '' then
      levels[#levels + 1] = page[2][i]
      levels[#levels + 1] = page[2][i + 1]
    end
  end
  return { page[1], newest_event(keys[EVENTS]), cmsgpack.pack(levels) }
end

-- stockade_read_cells: cells as they stand. KEYS the partition's. ARGV 1 epoch, 2 writer, 3 cells as MessagePack.
-- Returns {newest event id, free, on_hand, safety, quarantined, inbound}: MessagePack columns; on_hand is -1 where there is
--      no such cell, inbound a string that is MessagePack itself, or ''. Of a pool all but free are its cell's. O(cells).
local function read_cells(keys, args)
  if stale(keys[META], args[1]) then return redis.error_reply(STALE) end
  local cells, shared = cmsgpack.unpack(args[3]), {}
  for c = 1, #cells do shared[c] = name_of(tonumber(cells[c]) % CHANNEL) end
  local on_hand, inbound = read_fields(keys[ON_HAND], shared), read_fields(keys[INBOUND], shared)
  for c = 1, #cells do
    on_hand[c] = tonumber(on_hand[c]) or -1
    inbound[c] = inbound[c] or ''
  end
  return {
    newest_event(keys[EVENTS]), cmsgpack.pack(read_numbers(keys[FREE], cells)), cmsgpack.pack(on_hand),
    cmsgpack.pack(read_numbers(keys[SAFETY], shared)), cmsgpack.pack(read_numbers(keys[QUARANTINED], shared)),
    cmsgpack.pack(inbound),
  }
end

-- Names with their values, flat and packed; false where absent.
local function pack_column(names, values)
  local flat = {}
  for i = 1, #names do
    flat[2 * i - 1], flat[2 * i] = names[i], values[i] or false
  end
  return cmsgpack.pack(flat)
end

local function read_scores(key, members)
  local scores = {}
  for from = 1, #members, CHUNK do
    local part = redis.call('ZMSCORE', key, unpack(members, from, math.min(from + CHUNK - 1, #members)))
    for i = 1, #part do scores[from + i - 1] = part[i] end
  end
  return scores
end

-- Where the books stand: {sequence, free_total, on_hand_total, repairs, events in the stream, number of the first of them
-- and of the last (0: none), now in ms}. O(1).
local function standing(keys)
  local meta = redis.call('HMGET', keys[META], 'sequence', 'free_total', 'on_hand_total', 'repairs')
  local totals = {}
  for i = 1, 4 do totals[i] = tonumber(meta[i]) or 0 end
  totals[5] = redis.call('XLEN', keys[EVENTS])
  for place, read in ipairs({ 'XRANGE', 'XREVRANGE' }) do
    local ends = place == 1 and { '-', '+' } or { '+', '-' }
    local entry = redis.call(read, keys[EVENTS], ends[1], ends[2], 'COUNT', 1)[1]
    totals[5 + place] = 0
    for i = 1, entry and #entry[2] or 0, 2 do
      if entry[2][i] == 'n' then totals[5 + place] = tonumber(entry[2][i + 1]) or 0 end
    end
  end
  totals[8] = now_ms()
  return totals
end

-- stockade_touched: what changed since an event, as it stands now: for an audit that takes its cut on a live store.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 event id (excluded), 4 events at most.
-- Returns {newest event id, more (1: call again from that id), where the books stand as MessagePack (`standing`),
--      column, [name, value or false, ...] as MessagePack, ...}. O(events * orders each).
local function touched(keys, args)
  if stale(keys[META], args[1]) then return redis.error_reply(STALE) end
  local entries = redis.call('XRANGE', keys[EVENTS], '(' .. args[3], '+', 'COUNT', args[4])
  local newest = args[3]
  local found = { i = {}, c = {}, p = {}, a = {}, q = {} }
  local seen = { i = {}, c = {}, p = {}, a = {}, q = {} }
  local function see(of, name)
    if not seen[of][name] then
      seen[of][name] = true
      found[of][#found[of] + 1] = name
    end
  end
  local function see_counters(counters)
    for _, counter in ipairs(counters) do see('q', counter[1]) end
  end
  for _, entry in ipairs(entries) do
    newest = entry[1]
    for i = 1, #entry[2], 2 do
      local of = entry[2][i]
      if found[of] then
        for _, name in ipairs(cmsgpack.unpack(entry[2][i + 1])) do see(of, name) end
      end
    end
  end
  local records = read_fields(keys[ORDERS], found.i)
  for _, record in pairs(records) do
    local body = record and read_body(record)
    if body then see_counters(body[3]) end
  end
  local parts, attempts = read_fields(keys[PARTS], found.p), read_fields(keys[TENTATIVE], found.a)
  for _, kept in pairs({ parts, attempts }) do
    for _, packed in pairs(kept) do
      local readable, fields = pcall(cmsgpack.unpack, packed or '')
      if readable and type(fields) == 'table' and type(fields[4]) == 'table' then pcall(see_counters, fields[4]) end
    end
  end
  local shared, seen_shared = {}, {}
  for _, cell in ipairs(found.c) do
    local name = name_of(tonumber(cell) % CHANNEL)
    if not seen_shared[name] then
      seen_shared[name] = true
      shared[#shared + 1] = name
    end
  end
  return {
    newest, #entries == tonumber(args[4]) and 1 or 0, cmsgpack.pack(standing(keys)),
    'free', pack_column(found.c, read_fields(keys[FREE], found.c)),
    'on_hand', pack_column(shared, read_fields(keys[ON_HAND], shared)),
    'safety', pack_column(shared, read_fields(keys[SAFETY], shared)),
    'quarantined', pack_column(shared, read_fields(keys[QUARANTINED], shared)),
    'inbound', pack_column(shared, read_fields(keys[INBOUND], shared)),
    'orders', pack_column(found.i, records),
    'holds', pack_column(found.i, read_scores(keys[HOLDS], found.i)),
    'counters', pack_column(found.q, read_fields(keys[COUNTERS], found.q)),
    'parts', pack_column(found.p, parts),
    'tentative', pack_column(found.a, attempts),
    'leases', pack_column(found.a, read_scores(keys[LEASES], found.a)),
  }
end

-- stockade_event_numbers: the numbers that events carry, to find one that is missing.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 event id (excluded), 4 events at most.
-- Returns {last event id looked at, numbers as MessagePack (0: carries none)}. O(events).
local function event_numbers(keys, args)
  if stale(keys[META], args[1]) then return redis.error_reply(STALE) end
  local last, numbers = args[3], {}
  for place, entry in ipairs(redis.call('XRANGE', keys[EVENTS], '(' .. args[3], '+', 'COUNT', args[4])) do
    last, numbers[place] = entry[1], 0
    for i = 1, #entry[2], 2 do
      if entry[2][i] == 'n' then numbers[place] = tonumber(entry[2][i + 1]) or 0 end
    end
  end
  return { last, cmsgpack.pack(numbers) }
end

redis.register_function { function_name = 'stockade_event_numbers', callback = event_numbers, flags = { 'no-writes' } }
redis.register_function { function_name = 'stockade_scan_free', callback = scan_free, flags = { 'no-writes' } }
redis.register_function { function_name = 'stockade_read_cells', callback = read_cells, flags = { 'no-writes' } }
redis.register_function { function_name = 'stockade_touched', callback = touched, flags = { 'no-writes' } }
