-- Orders in: a batch of them, weighed against what is free, each whole or not at all.

-- Stands for the record of an order whose attempt was refused.
local BARRED = {}

-- Weighs a batch. ARGV, MessagePack arrays:
--   5 cells, 6 units per cell over the whole batch (0: only read it), 7 counters [names, limits, units] or '', 8 ids,
--   10 per order: count, then count pairs of (index, units), where an index counts the cells first and then the counters,
--      from 1.
-- `known` has the records that are kept already by place, `records` those to be kept, as [id, record, ...]; `keep(place)` is
-- told of every order that is taken one by one, and returns its record. When all are taken at once, nobody is told.
-- Returns outcomes ('' when every order was taken, else a letter each: A taken, R known and the same, C known and another,
-- S a cell or a warehouse's day falls short, L another counter does), records (of those R), left (of each cell, then of each
-- counter), units (taken).
-- O(cells + counters + orders + lines).
local function weigh(keys, args, ids, records, known, keep)
  local cells, units = cmsgpack.unpack(args[5]), cmsgpack.unpack(args[6])
  local cell_count, order_count = #cells, #ids
  local batch = { cells = cells, units = units, outcomes = '', records = {} }
  local had, left, writes, written = read_fields(keys[FREE], cells), {}, {}, 0
  local covered, taken_total = true, 0
  -- One pass, for it is most of what the function itself costs: arithmetic reads the text that the hash holds.
  for c = 1, cell_count do
    local wanted = units[c]
    local value = (had[c] or 0) - wanted
    if value < 0 and wanted > 0 then covered = false break end
    left[c] = value
    if wanted ~= 0 then
      writes[written + 1], writes[written + 2] = cells[c], value
      written = written + 2
      taken_total = taken_total + wanted
    end
  end
  if args[7] ~= '' then
    local counters = cmsgpack.unpack(args[7])
    local names, limits = counters[1], counters[2]
    batch.names, batch.limits = names, limits
    local used = read_fields(keys[COUNTERS], names)
    for i = 1, #names do
      local value = limits[i] - (used[i] or 0)
      had[cell_count + i] = value
      units[cell_count + i] = counters[3][i]
      left[cell_count + i] = value - counters[3][i]
      if counters[3][i] > value and counters[3][i] > 0 then covered = false end
    end
  end
  if known and covered then
    local new_ids = {}
    for o = 1, order_count do
      local id = ids[o]
      if known[o] or new_ids[id] then covered = false break end
      new_ids[id] = true
    end
  end
  batch.covered, batch.left = covered, left
  if covered then
    batch.writes, batch.taken_total = writes, taken_total
    return batch
  end
  -- Some order cannot be taken: decide one by one, in the order they came.
  local letters, flat, at = {}, cmsgpack.unpack(args[10]), 1
  local accepted, final = {}, {}
  for i, name in ipairs(batch.names or {}) do final[cell_count + i] = string.byte(name) ~= 64 end -- '@'
  for i = 1, #units do
    had[i] = (had[i] or 0) + 0
    left[i] = had[i]
  end
  for o = 1, order_count do
    local pairs_count = flat[at]
    local first, last = at + 1, at + 2 * pairs_count
    at = last + 1
    local record = known and (known[o] or accepted[ids[o]])
    if record == BARRED then
      letters[o] = 'X'
    elseif record then
      local same = fingerprint_of(record) == fingerprint_of(records[2 * o])
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
  writes, taken_total = {}, 0
  for i = 1, #left do
    units[i] = had[i] - left[i]
    if i <= cell_count and units[i] ~= 0 then
      writes[#writes + 1], writes[#writes + 2] = cells[i], left[i]
      taken_total = taken_total + units[i]
    end
  end
  batch.writes, batch.taken_total = writes, taken_total
  return batch
end

-- Writes what a weighed batch took, with its event. `wanted`: the arguments name cells only to be read, so that the event
-- is packed anew; else it has them as they came, as packing them again would cost more than the commit. `ids` is the name
-- that what the batch is made of has in the event.
local function write_batch(change, args, batch, kind, ids, wanted)
  local keys, cells, units, left = change.keys, batch.cells, batch.units, batch.left
  local cell_count = #cells
  write_fields(keys[FREE], batch.writes)
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
  return append(change, kind, batch.taken_total, 0,
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
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 ticket before, 4 ticket, 5 to 10 as weighed (9 with the time of each by
--      the caller's reckoning of this clock), 11 holds [order index, milliseconds, ...] or '' (their ends are put in here),
--      12 '1' to have the levels back, 13 attempts [order index, attempt, ...] or '': orders that hold stock of other
--      partitions too.
-- Returns {now in ms, event id, outcomes, levels, records}: outcomes as weighed, and X when the order's attempt was
--      refused before it came.
-- O(cells + counters + orders + lines).
local function commit(keys, args)
  local change = begin(keys, args)
  if not change then return redis.error_reply(STALE) end
  local fenced = use_ticket(keys, args)
  if fenced then return fenced end
  local ids, records = {}, cmsgpack.unpack(args[9])
  for o = 1, #records / 2 do ids[o] = records[2 * o - 1] end
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
  local holds = {}
  if args[11] ~= '' then
    holds = cmsgpack.unpack(args[11])
    for i = 1, #holds, 2 do
      local place = 2 * holds[i]
      holds[i + 1] = now + holds[i + 1]
      records[place] = struct.pack(HEAD, FORMAT, RESERVED, 1, now, holds[i + 1]) .. string.sub(records[place], HEAD_BYTES + 1)
    end
  end
  local writes, taken = {}, {}
  local function keep(o)
    writes[#writes + 1] = ids[o]
    writes[#writes + 1] = records[2 * o]
    taken[o] = true
    return records[2 * o]
  end
  local batch = weigh(keys, args, ids, records, known, keep)
  if batch.covered then writes = records end
  local event = nil
  if #writes > 0 then
    event = write_batch(change, args, batch, 'commit', 'i', args[12] == '1')
    write_fields(keys[ORDERS], writes)
    for i = 1, #holds, 2 do
      if batch.covered or taken[holds[i]] then redis.call('ZADD', keys[HOLDS], holds[i + 1], ids[holds[i]]) end
    end
    if attempts then
      for i = 1, #attempts, 2 do
        if batch.covered or taken[attempts[i]] then
          redis.call('ZADD', keys[OUTBOX], now + FOLLOW_MS, ids[attempts[i]])
        end
      end
    end
  end
  local levels
  event, levels = levels_of(keys, args, batch, event)
  return { now, event, batch.outcomes, levels, batch.records }
end

redis.register_function('stockade_commit', commit)
