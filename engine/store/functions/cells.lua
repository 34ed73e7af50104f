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

-- stockade_touched: what changed since an event, as it stands now: for an audit that takes its cut on a live store.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 event id (excluded), 4 events at most.
-- Returns {newest event id, more (1: call again from that id), ids, records, cells, free, on_hand, safety, counter names,
--      counters, part ids, parts, attempts, tentatives, totals}: ids, cells and names MessagePack, records, parts and
--      tentatives lists (false: gone), totals {sequence, free_total, on_hand_total, entries in the stream}, the rest
--      MessagePack columns.
-- O(events * orders each).
local function touched(keys, args)
  if stale(keys[META], args[1]) then return redis.error_reply(STALE) end
  local entries = redis.call('XRANGE', keys[EVENTS], '(' .. args[3], '+', 'COUNT', args[4])
  local newest = args[3]
  local found = { i = {}, c = {}, p = {}, a = {} }
  local seen = { i = {}, c = {}, p = {}, a = {} }
  for _, entry in ipairs(entries) do
    newest = entry[1]
    for i = 1, #entry[2], 2 do
      local of = entry[2][i]
      if found[of] then
        for _, value in ipairs(cmsgpack.unpack(entry[2][i + 1])) do
          if not seen[of][value] then
            seen[of][value] = true
            found[of][#found[of] + 1] = value
          end
        end
      end
    end
  end
  local ids, cells = found.i, found.c
  local shared = {}
  for c = 1, #cells do shared[c] = name_of(tonumber(cells[c]) % CHANNEL) end
  local records, names, seen_names = read_fields(keys[ORDERS], ids), {}, {}
  for _, record in ipairs(records) do
    local body = record and read_body(record)
    if body then
      for _, counter in ipairs(body[3]) do
        if not seen_names[counter[1]] then
          seen_names[counter[1]] = true
          names[#names + 1] = counter[1]
        end
      end
    end
  end
  local meta = redis.call('HMGET', keys[META], 'sequence', 'free_total', 'on_hand_total')
  local totals = { tonumber(meta[1]) or 0, tonumber(meta[2]) or 0, tonumber(meta[3]) or 0 }
  totals[4] = redis.call('XLEN', keys[EVENTS])
  return {
    newest, #entries == tonumber(args[4]) and 1 or 0, cmsgpack.pack(ids), records, cmsgpack.pack(cells),
    cmsgpack.pack(read_numbers(keys[FREE], cells)), cmsgpack.pack(read_numbers(keys[ON_HAND], shared)),
    cmsgpack.pack(read_numbers(keys[SAFETY], shared)), cmsgpack.pack(names),
    cmsgpack.pack(read_numbers(keys[COUNTERS], names)), cmsgpack.pack(found.p), read_fields(keys[PARTS], found.p),
    cmsgpack.pack(found.a), read_fields(keys[TENTATIVE], found.a), cmsgpack.pack(totals),
  }
end

redis.register_function { function_name = 'stockade_scan_free', callback = scan_free, flags = { 'no-writes' } }
redis.register_function { function_name = 'stockade_read_cells', callback = read_cells, flags = { 'no-writes' } }
redis.register_function { function_name = 'stockade_touched', callback = touched, flags = { 'no-writes' } }
