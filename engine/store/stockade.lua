#!lua name=stockade

-- Stockade's function library: every change of stock, reservations and catalogue, each one atomic.
-- Runs on Redis >= 7.0 and Valkey; only redis.call, cmsgpack and struct are used, which a
-- library sees only while a function runs.
--
-- Cells. A cell is the stock of one SKU at one warehouse, numbered sku * 4096 + warehouse. Three hashes hold it:
--   free      on_hand - reserved - safety, the only one that the sale itself reads and writes
--   on_hand   units counted
--   safety    units kept back (absent: 0)
-- so reserved = on_hand - safety - free, and selling costs one field, not three.
--
-- Records. A reservation is one string, in network byte order:
--   format u8 | status u8 | version u32 | reserved_ms u64 | expires_ms u64 | fingerprint 16 bytes | body (MessagePack)
-- The function writes the head (its clock is the only one), the caller packs the rest:
--   body = [shipments [[warehouse, cost, metres, [cell, quantity, ...]], ...], unfilled [sku, quantity, ...],
--           counters [[name, quantity], ...], currency, policy, order as canonical MessagePack]
--
-- Counters. A purchase limit is a field of `counters`: units taken so far, bounded by a limit that the caller sends.
--
-- Events. One stream entry a call: t type, w writer, c cells, d units taken from each (negative: given back;
-- what stands behind the last cell counts for counters).

local VERSION = 1
local DIGEST = '@DIGEST@' -- put in by the loader: tells two texts of one version apart

local HEAD = '>BBI4I8I8'
local HEAD_BYTES = 22
local FINGERPRINT_BYTES = 16
local FORMAT = 1
local RESERVED, CONFIRMED, EXPIRED = 1, 2, 6

-- Arguments of one variadic command: Lua's C stack ends at 8,000.
local CHUNK = 4000


-- Reads fields of a hash, in order; false where absent. O(fields).
local function read_fields(key, fields)
  local count = #fields
  if count == 0 then return {} end
  if count <= CHUNK then return redis.call('HMGET', key, unpack(fields)) end
  local values = {}
  for from = 1, count, CHUNK do
    local to = math.min(from + CHUNK - 1, count)
    local part = redis.call('HMGET', key, unpack(fields, from, to))
    for i = 1, to - from + 1 do values[from + i - 1] = part[i] end
  end
  return values
end

-- Writes a flat list of field, value, ... to a hash. O(fields).
local function write_fields(key, flat)
  local count = #flat
  for from = 1, count, CHUNK do
    redis.call('HSET', key, unpack(flat, from, math.min(from + CHUNK - 1, count)))
  end
end

local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- The id of the newest event, so that levels read now can be placed among the events. O(1).
local function newest_event(events)
  local newest = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)
  if newest[1] then return newest[1][1] end
  return '0-0'
end

-- The body of a record; nil where it cannot be read: an audit names such a record, and nothing else may trip over it.
local function read_body(record)
  local readable, body = pcall(cmsgpack.unpack, string.sub(record, HEAD_BYTES + FINGERPRINT_BYTES + 1))
  if readable and type(body) == 'table' and type(body[1]) == 'table' and type(body[3]) == 'table' then return body end
  return nil
end

local function stale(meta, epoch)
  return redis.call('HGET', meta, 'epoch') ~= epoch
end

local STALE = 'STALEEPOCH the store was emptied or exchanged since it was loaded'

-- stockade_version: KEYS none. Returns {version, digest}. O(1).
local function version()
  return { VERSION, DIGEST }
end

-- stockade_open: makes a partition's or the catalogue's epoch if it has none.
-- KEYS meta. ARGV candidate epoch. Returns the epoch in force. O(1).
local function open(keys, args)
  redis.call('HSETNX', keys[1], 'epoch', args[1])
  return redis.call('HGET', keys[1], 'epoch')
end

-- stockade_commit: reserves the stock of a batch of orders; each order whole or not at all, each id once.
-- KEYS meta, free, counters, orders, holds, events.
-- ARGV 1 epoch, 2 writer, 3 events kept, 4 cells, 5 units per cell over the whole batch (0: only read it),
--      6 counters [names, limits, units] or '', 7 order ids, 8 fingerprint + body per order,
--      9 per order: count, then count pairs of (index, units), where an index counts the cells first and then
--        the counters, from 1; 10 holds [order index, milliseconds, ...] or '', 11 '1' to have the levels back.
--      4 to 10 are MessagePack arrays.
-- Returns {now in ms, event id, outcomes, levels, records}: outcomes is '' when every order was taken, else a letter
--      each: A taken, R known with the same fingerprint (its record follows in records), C known with another,
--      S a cell falls short, L a counter does; levels is MessagePack: what is left of each cell, then of each counter,
--      sent when asked for or when some order was not taken.
-- O(cells + counters + orders + lines).
local function commit(keys, args)
  if stale(keys[1], args[1]) then return redis.error_reply(STALE) end
  local free_key, counters_key, orders_key, holds_key, events_key = keys[2], keys[3], keys[4], keys[5], keys[6]
  local cells, units, ids, bodies = cmsgpack.unpack(args[4]), cmsgpack.unpack(args[5]), cmsgpack.unpack(args[7]), cmsgpack.unpack(args[8])
  local cell_count, order_count = #cells, #ids

  local left = read_fields(free_key, cells)
  local covered = true
  for c = 1, cell_count do
    local value = (tonumber(left[c]) or 0)
    left[c] = value
    if units[c] > value and units[c] > 0 then covered = false end
  end

  local names, limits = nil, nil
  if args[6] ~= '' then
    local counters = cmsgpack.unpack(args[6])
    names, limits = counters[1], counters[2]
    local taken = read_fields(counters_key, names)
    for i = 1, #names do
      local value = limits[i] - (tonumber(taken[i]) or 0)
      left[cell_count + i] = value
      units[cell_count + i] = counters[3][i]
      if counters[3][i] > value then covered = false end
    end
  end

  local known = read_fields(orders_key, ids)
  local new_ids = {}
  for o = 1, order_count do
    local id = ids[o]
    if known[o] or new_ids[id] then covered = false break end
    new_ids[id] = true
  end

  local now = now_ms()
  local head = struct.pack(HEAD, FORMAT, CONFIRMED, 1, now, 0)
  local held = nil
  if args[10] ~= '' then
    held = {}
    local holds = cmsgpack.unpack(args[10])
    for i = 1, #holds, 2 do held[holds[i]] = now + holds[i + 1] end
  end

  local writes, hold_writes, written = {}, {}, 0
  local function keep(o)
    local own_head = head
    if held and held[o] then
      own_head = struct.pack(HEAD, FORMAT, RESERVED, 1, now, held[o])
      hold_writes[#hold_writes + 1] = held[o]
      hold_writes[#hold_writes + 1] = ids[o]
    end
    local record = own_head .. bodies[o]
    writes[written + 1] = ids[o]
    writes[written + 2] = record
    written = written + 2
    return record
  end

  local outcomes, records = '', {}
  if covered then
    for o = 1, order_count do keep(o) end
    for i = 1, #left do left[i] = left[i] - units[i] end
  else
    -- Some order cannot be taken: decide one by one, in the order they came.
    local letters, flat, at = {}, cmsgpack.unpack(args[9]), 1
    local started = {}
    for i = 1, #left do started[i] = left[i] end
    local accepted = {}
    for o = 1, order_count do
      local pairs_count = flat[at]
      local first, last = at + 1, at + 2 * pairs_count
      at = last + 1
      local record = known[o] or accepted[ids[o]]
      if record then
        local same = string.sub(record, HEAD_BYTES + 1, HEAD_BYTES + FINGERPRINT_BYTES)
          == string.sub(bodies[o], 1, FINGERPRINT_BYTES)
        letters[o] = same and 'R' or 'C'
        if same then records[#records + 1] = record end
      else
        local letter = 'A'
        for i = first, last, 2 do
          local index, quantity = flat[i], flat[i + 1]
          left[index] = left[index] - quantity
          if left[index] < 0 then
            -- A broken limit is final, a short cell may be planned anew: the limit is the answer to give.
            if index > cell_count then letter = 'L' elseif letter == 'A' then letter = 'S' end
          end
        end
        if letter == 'A' then
          accepted[ids[o]] = keep(o)
        else
          for i = first, last, 2 do left[flat[i]] = left[flat[i]] + flat[i + 1] end
        end
        letters[o] = letter
      end
    end
    outcomes = table.concat(letters)
    for i = 1, #left do units[i] = started[i] - left[i] end
  end

  local event = ''
  if written > 0 then
    local levels, counts = {}, {}
    for c = 1, cell_count do
      if units[c] ~= 0 then
        levels[#levels + 1] = cells[c]
        levels[#levels + 1] = left[c]
      end
    end
    write_fields(free_key, levels)
    if names then
      for i = 1, #names do
        if units[cell_count + i] ~= 0 then
          counts[#counts + 1] = names[i]
          counts[#counts + 1] = limits[i] - left[cell_count + i]
        end
      end
      write_fields(counters_key, counts)
    end
    write_fields(orders_key, writes)
    for i = 1, #hold_writes, 2 do redis.call('ZADD', holds_key, hold_writes[i], hold_writes[i + 1]) end
    -- The arguments go into the event as they came, for packing them again would cost more than the commit; but not
    -- where many cells are in them only to be read.
    local event_cells, event_units = args[4], outcomes == '' and args[5] or nil
    if args[11] == '1' then
      local changed, taken = {}, {}
      for c = 1, cell_count do
        if units[c] ~= 0 then
          changed[#changed + 1] = cells[c]
          taken[#taken + 1] = units[c]
        end
      end
      event_cells, event_units = cmsgpack.pack(changed), cmsgpack.pack(taken)
    end
    event = redis.call('XADD', events_key, 'MAXLEN', '~', args[3], '*', 't', 'commit', 'w', args[2], 'c', event_cells,
      'd', event_units or cmsgpack.pack(units), 'i', args[7], 'o', outcomes)
  end

  local levels = ''
  if outcomes ~= '' or args[11] == '1' then
    if event == '' then event = newest_event(events_key) end
    levels = cmsgpack.pack(left)
  end
  return { now, event, outcomes, levels, records }
end

-- stockade_set_stock: sets counts; every row or none.
-- KEYS meta, free, on_hand, safety, events.
-- ARGV 1 epoch, 2 writer, 3 events kept, 4 cells, 5 on_hand per cell, 6 safety per cell (-1: as it is), MessagePack.
-- Returns {event id, levels, refused}: levels is MessagePack, what is free in each cell now; refused is '' or MessagePack
--      [row, reserved, ...] (rows from 0) where a count is lower than what is reserved; then nothing was written.
--      Each cell may be named once.
-- O(cells).
local function set_stock(keys, args)
  if stale(keys[1], args[1]) then return redis.error_reply(STALE) end
  local cells, on_hand, safety = cmsgpack.unpack(args[4]), cmsgpack.unpack(args[5]), cmsgpack.unpack(args[6])
  local old_free, old_on_hand, old_safety =
    read_fields(keys[2], cells), read_fields(keys[3], cells), read_fields(keys[4], cells)
  local refused, taken, levels = {}, {}, {}
  local free_writes, on_hand_writes, safety_writes = {}, {}, {}
  for c = 1, #cells do
    local free, counted, kept = tonumber(old_free[c]) or 0, tonumber(old_on_hand[c]) or 0, tonumber(old_safety[c]) or 0
    local reserved = counted - kept - free
    if safety[c] >= 0 then kept = safety[c] end
    if on_hand[c] < reserved then
      refused[#refused + 1] = c - 1
      refused[#refused + 1] = reserved
    end
    local new_free = on_hand[c] - kept - reserved
    taken[c], levels[c] = free - new_free, new_free
    free_writes[2 * c - 1], free_writes[2 * c] = cells[c], new_free
    on_hand_writes[2 * c - 1], on_hand_writes[2 * c] = cells[c], on_hand[c]
    if safety[c] >= 0 then
      safety_writes[#safety_writes + 1] = cells[c]
      safety_writes[#safety_writes + 1] = kept
    end
  end
  if #refused > 0 then return { '', '', cmsgpack.pack(refused) } end
  write_fields(keys[2], free_writes)
  write_fields(keys[3], on_hand_writes)
  write_fields(keys[4], safety_writes)
  local event = redis.call('XADD', keys[5], 'MAXLEN', '~', args[3], '*',
    't', 'count', 'w', args[2], 'c', args[4], 'd', cmsgpack.pack(taken))
  return { event, cmsgpack.pack(levels), '' }
end

-- stockade_expire: releases pending orders whose hold ran out by the store's clock, oldest first.
-- KEYS meta, free, counters, orders, holds, events. ARGV 1 epoch, 2 writer, 3 events kept, 4 orders at most.
-- Returns how many holds ended. O(orders * lines).
local function expire(keys, args)
  if stale(keys[1], args[1]) then return redis.error_reply(STALE) end
  local free_key, counters_key, orders_key, holds_key, events_key = keys[2], keys[3], keys[4], keys[5], keys[6]
  local due = redis.call('ZRANGEBYSCORE', holds_key, '-inf', now_ms(), 'LIMIT', 0, args[4])
  if #due == 0 then return 0 end
  local ended, cells, taken, at = {}, {}, {}, {}
  for _, id in ipairs(due) do
    local record = redis.call('HGET', orders_key, id)
    local body = record and read_body(record)
    if body then
      local format, status, record_version, reserved_ms, expires_ms = struct.unpack(HEAD, record)
      if status == RESERVED then
        for _, shipment in ipairs(body[1]) do
          for i = 1, #shipment[4], 2 do
            local cell, quantity = string.format('%d', shipment[4][i]), shipment[4][i + 1]
            redis.call('HINCRBY', free_key, cell, quantity)
            if not at[cell] then
              at[cell] = #cells + 1
              cells[at[cell]], taken[at[cell]] = cell, 0
            end
            taken[at[cell]] = taken[at[cell]] - quantity
          end
        end
        for _, counter in ipairs(body[3]) do redis.call('HINCRBY', counters_key, counter[1], -counter[2]) end
        local head = struct.pack(HEAD, format, EXPIRED, record_version + 1, reserved_ms, expires_ms)
        redis.call('HSET', orders_key, id, head .. string.sub(record, HEAD_BYTES + 1))
        ended[#ended + 1] = id
      end
    end
    redis.call('ZREM', holds_key, id)
  end
  if #ended > 0 then
    redis.call('XADD', events_key, 'MAXLEN', '~', args[3], '*',
      't', 'expire', 'w', args[2], 'c', cmsgpack.pack(cells), 'd', cmsgpack.pack(taken), 'i', cmsgpack.pack(ended), 'o', '')
  end
  return #ended
end

-- stockade_scan_free: one page of what is free, for a process that fills its view.
-- KEYS meta, free, events. ARGV 1 epoch, 2 cursor, 3 fields wanted (about).
-- Returns {next cursor, newest event id, cells and levels as MessagePack [cell, level, ...]}. O(fields).
local function scan_free(keys, args)
  if stale(keys[1], args[1]) then return redis.error_reply(STALE) end
  local page = redis.call('HSCAN', keys[2], args[2], 'COUNT', args[3])
  return { page[1], newest_event(keys[3]), cmsgpack.pack(page[2]) }
end

-- stockade_read_cells: cells as they stand. KEYS free, on_hand, safety, events. ARGV 1 cells as MessagePack.
-- Returns {newest event id, free, on_hand, safety}, MessagePack each; on_hand is -1 where there is no such cell. O(cells).
local function read_cells(keys, args)
  local cells = cmsgpack.unpack(args[1])
  local columns = { newest_event(keys[4]) }
  for k = 1, 3 do
    local values = read_fields(keys[k], cells)
    for c = 1, #cells do values[c] = tonumber(values[c]) or (k == 2 and -1 or 0) end
    columns[k + 1] = cmsgpack.pack(values)
  end
  return columns
end

-- stockade_touched: what changed since an event, as it stands now: for an audit that takes its cut on a live store.
-- KEYS free, on_hand, safety, counters, orders, events. ARGV 1 event id (excluded), 2 events at most.
-- Returns {newest event id, more (1: call again from that id), ids, records, cells, free, on_hand, safety, counter names,
--      counters}: ids, cells and names MessagePack, records a list (false: gone), the rest MessagePack columns.
-- O(events * orders each).
local function touched(keys, args)
  local entries = redis.call('XRANGE', keys[6], '(' .. args[1], '+', 'COUNT', args[2])
  local newest, ids, cells, seen_ids, seen_cells = args[1], {}, {}, {}, {}
  for _, entry in ipairs(entries) do
    newest = entry[1]
    for i = 1, #entry[2], 2 do
      local name = entry[2][i]
      if name == 'i' or name == 'c' then
        local into, seen = ids, seen_ids
        if name == 'c' then into, seen = cells, seen_cells end
        for _, value in ipairs(cmsgpack.unpack(entry[2][i + 1])) do
          if not seen[value] then
            seen[value] = true
            into[#into + 1] = value
          end
        end
      end
    end
  end
  local columns = {}
  for k = 1, 3 do
    local values = read_fields(keys[k], cells)
    for c = 1, #cells do values[c] = tonumber(values[c]) or 0 end
    columns[k] = cmsgpack.pack(values)
  end
  local records, names, seen_names = read_fields(keys[5], ids), {}, {}
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
  local counters = read_fields(keys[4], names)
  for i = 1, #names do counters[i] = tonumber(counters[i]) or 0 end
  return {
    newest, #entries == tonumber(args[2]) and 1 or 0, cmsgpack.pack(ids), records, cmsgpack.pack(cells),
    columns[1], columns[2], columns[3], cmsgpack.pack(names), cmsgpack.pack(counters),
  }
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
  redis.call('XADD', keys[3], 'MAXLEN', '~', 10000, '*', 't', args[2], 'v', cmsgpack.pack(writes))
  return cmsgpack.pack(numbers)
end

-- stockade_put_tariff: replaces the tariff. KEYS meta, events. ARGV 1 epoch, 2 definition. O(1).
local function put_tariff(keys, args)
  if stale(keys[1], args[1]) then return redis.error_reply(STALE) end
  redis.call('HSET', keys[1], 'tariff', args[2])
  return redis.call('XADD', keys[2], 'MAXLEN', '~', 10000, '*', 't', 'tariff', 'v', args[2])
end

redis.register_function { function_name = 'stockade_version', callback = version, flags = { 'no-writes' } }
redis.register_function('stockade_open', open)
redis.register_function('stockade_commit', commit)
redis.register_function('stockade_set_stock', set_stock)
redis.register_function('stockade_expire', expire)
redis.register_function { function_name = 'stockade_scan_free', callback = scan_free, flags = { 'no-writes' } }
redis.register_function { function_name = 'stockade_read_cells', callback = read_cells, flags = { 'no-writes' } }
redis.register_function { function_name = 'stockade_touched', callback = touched, flags = { 'no-writes' } }
redis.register_function('stockade_put_definitions', put_definitions)
redis.register_function('stockade_put_tariff', put_tariff)
