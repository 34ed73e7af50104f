-- Orders in: a batch of them, weighed against what is free, each whole or not at all.

-- Stands for the record of an order whose attempt was refused.
local BARRED = {}

-- Weighs a batch. ARGV, MessagePack arrays:
--   5 cells, 6 units per cell over the whole batch (0: only read it), 7 counters [names, limits, units] or '',
--   8 ids, 9 what is kept of each (its first 16 bytes tell two of one id apart),
--   10 per order: count, then count pairs of (index, units), where an index counts the cells first and then the
--      counters, from 1.
-- `known` has what is kept already by place, `keep(place)` is told of every order that is taken, and returns what is kept.
-- Returns outcomes ('' when every order was taken, else a letter each: A taken, R known and the same, C known and another,
-- S a cell or a warehouse's day falls short, L another counter does), records (of those R), left (of each cell, then of each counter), units (taken).
-- O(cells + counters + orders + lines).
local function weigh(keys, args, ids, bodies, known, keep)
  local cells, units = cmsgpack.unpack(args[5]), cmsgpack.unpack(args[6])
  local cell_count, order_count = #cells, #ids
  local batch = { cells = cells, units = units, outcomes = '', records = {} }
  local left = read_fields(keys[FREE], cells)
  batch.left = left
  local covered = true
  for c = 1, cell_count do
    local value = tonumber(left[c]) or 0
    left[c] = value
    if units[c] > value and units[c] > 0 then covered = false end
  end
  if args[7] ~= '' then
    local counters = cmsgpack.unpack(args[7])
    local names, limits = counters[1], counters[2]
    batch.names, batch.limits = names, limits
    local taken = read_fields(keys[COUNTERS], names)
    for i = 1, #names do
      local value = limits[i] - (tonumber(taken[i]) or 0)
      left[cell_count + i] = value
      units[cell_count + i] = counters[3][i]
      if counters[3][i] > value and counters[3][i] > 0 then covered = false end
    end
  end
  if known then
    local new_ids = {}
    for o = 1, order_count do
      local id = ids[o]
      if known[o] or new_ids[id] then covered = false break end
      new_ids[id] = true
    end
  end
  if covered then
    for o = 1, order_count do keep(o) end
    for i = 1, #left do left[i] = left[i] - units[i] end
    return batch
  end
  -- Some order cannot be taken: decide one by one, in the order they came.
  local letters, flat, at = {}, cmsgpack.unpack(args[10]), 1
  local started, accepted, final = {}, {}, {}
  for i, name in ipairs(batch.names or {}) do final[cell_count + i] = string.byte(name) ~= 64 end -- '@'
  for i = 1, #left do started[i] = left[i] end
  for o = 1, order_count do
    local pairs_count = flat[at]
    local first, last = at + 1, at + 2 * pairs_count
    at = last + 1
    local record = known and (known[o] or accepted[ids[o]])
    if record == BARRED then
      letters[o] = 'X'
    elseif record then
      local same = fingerprint_of(record) == string.sub(bodies[o], 1, FINGERPRINT_BYTES)
      letters[o] = same and 'R' or 'C'
      if same then batch.records[#batch.records + 1] = record end
    else
      local letter = 'A'
      for i = first, last, 2 do
        local index, quantity = flat[i], flat[i + 1]
        left[index] = left[index] - quantity
        if left[index] < 0 then
          -- A broken limit is final, what else falls short may be planned anew: the limit is the answer to give.
          if final[index] then letter = 'L' elseif letter == 'A' then letter = 'S' end
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
  batch.outcomes = table.concat(letters)
  for i = 1, #left do units[i] = started[i] - left[i] end
  return batch
end

-- Writes what a weighed batch took, with its event. `wanted`: the arguments name cells only to be read, so that the event
-- is packed anew; else it has them as they came, as packing them again would cost more than the commit. `ids` is the name
-- that what the batch is made of has in the event.
local function write_batch(change, args, batch, kind, ids, wanted)
  local keys, cells, units, left = change.keys, batch.cells, batch.units, batch.left
  local cell_count, levels, taken_total = #cells, {}, 0
  for c = 1, cell_count do
    local taken = units[c]
    if taken ~= 0 then
      levels[#levels + 1] = cells[c]
      levels[#levels + 1] = left[c]
      taken_total = taken_total + taken
    end
  end
  write_fields(keys[FREE], levels)
  local names = batch.names
  if names then
    local counts = {}
    for i = 1, #names do
      if units[cell_count + i] ~= 0 then
        counts[#counts + 1] = names[i]
        counts[#counts + 1] = batch.limits[i] - left[cell_count + i]
      end
    end
    write_fields(keys[COUNTERS], counts)
  end
  local event_cells, event_units = args[5], batch.outcomes == '' and args[6] or nil
  if wanted then
    local changed, taken = {}, {}
    for c = 1, cell_count do
      if units[c] ~= 0 then
        changed[#changed + 1] = cells[c]
        taken[#taken + 1] = units[c]
      end
    end
    event_cells, event_units = cmsgpack.pack(changed), cmsgpack.pack(taken)
  end
  -- Behind the units of cells may stand those of counters: who reads an event takes as many as it names cells.
  return append(change, kind, taken_total, 0,
    { 'c', event_cells, 'd', event_units or cmsgpack.pack(units), ids, args[8], 'o', batch.outcomes })
end

-- What the caller's view may learn: MessagePack, what is left of each cell and counter, when asked or when in doubt.
local function levels_of(keys, args, batch, event)
  if batch.outcomes == '' and args[12] ~= '1' then return event or '', '' end
  return event or newest_event(keys[EVENTS]), cmsgpack.pack(batch.left)
end

-- Lets a ticket be used once: 3 the one before it, 4 itself. Nil, or the error that says why not.
local function use_ticket(keys, args)
  local former = redis.call('HGET', keys[WRITERS], args[2])
  if former ~= args[3] then
    return redis.error_reply('FENCED ' .. tostring(former or 'none'))
  end
  redis.call('HSET', keys[WRITERS], args[2], args[4])
  return nil
end

-- stockade_commit: reserves the stock of a batch of orders of this partition; each whole or not at all, each id once.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 ticket before, 4 ticket, 5 to 10 as weighed, 11 holds [order index,
--      milliseconds, ...] or '', 12 '1' to have the levels back, 13 attempts [order index, attempt, ...] or '': orders that
--      hold stock of other partitions too.
-- Returns {now in ms, event id, outcomes, levels, records}: outcomes as weighed, and X when the order's attempt was
--      refused before it came.
-- O(cells + counters + orders + lines).
local function commit(keys, args)
  local change = begin(keys, args)
  if not change then return redis.error_reply(STALE) end
  local fenced = use_ticket(keys, args)
  if fenced then return fenced end
  local ids, bodies = cmsgpack.unpack(args[8]), cmsgpack.unpack(args[9])
  local known = read_fields(keys[ORDERS], ids)
  local now = now_ms()
  local attempts = nil
  if args[13] ~= '' then
    attempts = cmsgpack.unpack(args[13])
    for i = 1, #attempts, 2 do
      if redis.call('ZSCORE', keys[REFUSED], attempts[i + 1]) then
        known[attempts[i]] = known[attempts[i]] or BARRED
      end
    end
  end
  local head = struct.pack(HEAD, FORMAT, CONFIRMED, 1, now, 0)
  local held = nil
  if args[11] ~= '' then
    held = {}
    local holds = cmsgpack.unpack(args[11])
    for i = 1, #holds, 2 do held[holds[i]] = now + holds[i + 1] end
  end
  local writes, hold_writes, written, taken_orders = {}, {}, 0, {}
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
    taken_orders[o] = true
    return record
  end
  local batch = weigh(keys, args, ids, bodies, known, keep)
  local event = nil
  if written > 0 then
    event = write_batch(change, args, batch, 'commit', 'i', args[12] == '1')
    write_fields(keys[ORDERS], writes)
    for i = 1, #hold_writes, 2 do redis.call('ZADD', keys[HOLDS], hold_writes[i], hold_writes[i + 1]) end
    if attempts then
      for i = 1, #attempts, 2 do
        if taken_orders[attempts[i]] then redis.call('ZADD', keys[OUTBOX], now + FOLLOW_MS, ids[attempts[i]]) end
      end
    end
  end
  local levels
  event, levels = levels_of(keys, args, batch, event)
  return { now, event, batch.outcomes, levels, batch.records }
end

redis.register_function('stockade_commit', commit)
