-- Re-allocation: many orders moved by a plan that is kept here, chunk by chunk.
--
-- Plans. `plans` keeps what callers write there, by names of theirs, and of each leg, which is a way through chunks:
--   LEG              [chunks, chunks done, orders moved, 1 where it is stopped, [why, orders, ...] of those that were skipped]
--   LEG:number       a chunk to be done: [[[id, version, fingerprint and body, becomes], ...], [counter, limit, ...]], of what
--                    customers may buy; what warehouses may serve in a day is told with each call
--   LEG:number:left  what of it was skipped: [id, why, ...]
-- `becomes` as `stockade_replace` has it; -2: an order that was filled waits for stock again; absent: it stays as it is.

-- In a block of its own: Lua allows 200 locals in one.
do

local CHUNKS, DONE, MOVED, STOPPED, LEFT = 1, 2, 3, 4, 5

-- stockade_keep_plan: writes to `plans` where a field is as its caller saw it.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 field, 4 its value as seen ('': none), 5 fields to write [field, value, ...],
--      6 fields to delete, MessagePack.
-- Returns 1, or 0 when the field has another value and nothing was done. O(fields).
local function keep_plan(keys, args)
  if not begin(keys, args) then return redis.error_reply(STALE) end
  if args[3] ~= '' and (redis.call('HGET', keys[PLANS], args[3]) or '') ~= args[4] then return 0 end
  write_fields(keys[PLANS], cmsgpack.unpack(args[5]))
  for _, field in ipairs(cmsgpack.unpack(args[6])) do redis.call('HDEL', keys[PLANS], field) end
  return 1
end

-- Every row of a chunk is of an order that holds, and is to hold, stock and counters of this partition alone.

-- Units by cell, and by counter, that an order takes more (below zero: less) with another body; keys in a list, too.
local function differences(before, after)
  local keys_of, units = {}, {}
  local function put(key, more)
    if not units[key] then
      units[key] = 0
      keys_of[#keys_of + 1] = key
    end
    units[key] = units[key] + more
  end
  for cell, held in pairs(held_of(after)) do put(cell, held) end
  for cell, held in pairs(held_of(before)) do put(cell, -held) end
  for _, counter in ipairs(after[3]) do put(counter[1], counter[2]) end
  for _, counter in ipairs(before[3]) do put(counter[1], -counter[2]) end
  return keys_of, units
end

-- Whether this partition has every cell and counter that changes: what an order gives back may be counted elsewhere.
local function owns_all(change, all, units)
  for _, key in ipairs(all) do
    local own = type(key) == 'number' and owns(change, key) or type(key) == 'string' and owns_counter(change, key)
    if units[key] ~= 0 and not own then return false end
  end
  return true
end

-- What stands between an order and its move, or nil; 'done' where this very move was made before.
local function hindrance(order, row, transition, now)
  if not order then return 'gone' end
  if done_before(order, transition) == 'R' then return 'done' end
  if order.version ~= row[2] then return 'version' end
  if order.status == BACKORDERED then return (not row[4] or row[4] == 0 or row[4] == WAITS_AGAIN) and 'state' or nil end
  if order.status ~= RESERVED and order.status ~= CONFIRMED then return 'state' end
  if order.status == RESERVED and order.expires_ms <= now then return 'state' end
  return nil
end

-- Whether a counter is of a warehouse's day, rather than of what a customer bought, which begins with a number.
local function is_day(counter)
  return string.byte(counter) == 64
end

-- What bounds a counter, or nil: a warehouse's day by what the warehouse may serve now, whatever was planned with.
local function limit_of(counter, limits, days)
  if is_day(counter) then return days[tonumber(string.match(counter, '^@(%d+):'))] end
  return limits[counter]
end

-- What each cell has free, and each counter left, by key.
local function room(keys, all, limits, days)
  local cells, counters, left = {}, {}, {}
  for _, key in ipairs(all) do
    local list = type(key) == 'number' and cells or counters
    list[#list + 1] = key
  end
  local names = {}
  for i, cell in ipairs(cells) do names[i] = name_of(cell) end
  for i, units in ipairs(read_numbers(keys[FREE], names)) do left[cells[i]] = units end
  for i, units in ipairs(read_numbers(keys[COUNTERS], counters)) do
    local limit = limit_of(counters[i], limits, days)
    left[counters[i]] = limit and limit - units or math.huge
  end
  return left
end

-- Leaves out moves, later ones first, until what the rest takes is there: what some give others may take.
local function leave_out_short(keys, moves, limits, days)
  local all, net, takers = {}, {}, {}
  for _, move in ipairs(moves) do
    for _, key in ipairs(move.keys) do
      if not net[key] then
        net[key], takers[key] = 0, {}
        all[#all + 1] = key
      end
      net[key] = net[key] + move.units[key]
      if move.units[key] > 0 then takers[key][#takers[key] + 1] = move end
    end
  end
  local left = room(keys, all, limits, days)
  local at = 0
  while at < #all do
    at = at + 1
    local key = all[at]
    while net[key] > 0 and net[key] > left[key] do
      local move = table.remove(takers[key])
      if not move.why then
        move.why = type(key) == 'number' and 'stock' or is_day(key) and 'capacity' or 'purchase_limit'
        for _, other in ipairs(move.keys) do
          net[other] = net[other] - move.units[other]
          -- What it would have given others may lack now: they are looked at again, behind all others.
          if move.units[other] < 0 then all[#all + 1] = other end
        end
      end
    end
  end
end

-- Puts a move's body in the place of the one that its order has, and its record among `writes`; returns the row that
-- undoes it.
local function put_move(change, move, transition, writes)
  local order, becomes, was = move.order, move.row[4], move.order.status
  local undo = { order.id, order.version + 1, string.sub(order.record, HEAD_BYTES + 1) }
  for _, key in ipairs(move.keys) do
    if type(key) == 'string' then
      count(change, key, move.units[key])
    elseif move.units[key] ~= 0 then
      take(change, key, move.units[key])
    end
  end
  order.reached = reaches_out(change, order.body)
  if becomes == WAITS_AGAIN then
    order.status, order.expires_ms = BACKORDERED, 0
  elseif becomes and order.status == BACKORDERED then
    order.status, order.expires_ms = CONFIRMED, 0
    if becomes > 0 then order.status, order.expires_ms = RESERVED, now_ms() + becomes end
    undo[4] = WAITS_AGAIN
  end
  local noted = order.body[8]
  order.body = move.body
  order.body[8] = noted
  note(order, transition)
  order.version = order.version + 1
  -- As `write_order` does, but of many orders at once, and nothing to those that had no hold and need none.
  writes[#writes + 1] = order.id
  writes[#writes + 1] = struct.pack(HEAD, FORMAT, order.status, order.version, order.reserved_ms, order.expires_ms)
    .. string.sub(move.row[3], 1, FINGERPRINT_BYTES) .. cmsgpack.pack(order.body)
  if order.status == RESERVED then
    redis.call('ZADD', change.keys[HOLDS], order.expires_ms, order.id)
  elseif was == RESERVED then
    redis.call('ZREM', change.keys[HOLDS], order.id)
  end
  if order.reached then redis.call('ZADD', change.keys[OUTBOX], now_ms(), order.id) end
  return undo
end

-- stockade_reallocate: does the next chunk of a leg: its moves that still fit, all at once, each order's once.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 leg, 4 chunks that are done of it, 5 number of the chunk, 6 leg on which what
--      undoes it is kept under the same number ('': not at all), 7 transition, 8 reason of the event, 9 orders that warehouses
--      may serve in a day [number, orders, ...], of those that have a bound.
-- Returns {letter, how the leg stands}: A done; else nothing was done: N no such leg, X it is stopped, R another number of
--      chunks is done. O(orders * lines).
local function reallocate(keys, args)
  local change = begin(keys, args)
  if not change then return redis.error_reply(STALE) end
  local leg, transition, now = args[3], args[7], now_ms()
  local packed = redis.call('HGET', keys[PLANS], leg)
  if not packed then return { 'N', '' } end
  local state = cmsgpack.unpack(packed)
  if state[STOPPED] == 1 then return { 'X', packed } end
  if state[DONE] ~= tonumber(args[4]) or state[DONE] >= state[CHUNKS] then return { 'R', packed } end
  local field = leg .. ':' .. args[5]
  local chunk = cmsgpack.unpack(redis.call('HGET', keys[PLANS], field) or '\146\144\144')
  local ids, limits, days, moves, rows = {}, {}, {}, {}, chunk[1]
  for i = 1, #chunk[2], 2 do limits[chunk[2][i]] = chunk[2][i + 1] end
  local bounded = cmsgpack.unpack(args[9])
  for i = 1, #bounded, 2 do days[bounded[i]] = bounded[i + 1] end
  for i, row in ipairs(rows) do ids[i] = row[1] end
  local done, skipped = 0, {}
  local function skip(id, why)
    skipped[#skipped + 1], skipped[#skipped + 2] = id, why
    local tally = state[LEFT]
    for i = 1, #tally, 2 do
      if tally[i] == why then
        tally[i + 1] = tally[i + 1] + 1
        return
      end
    end
    tally[#tally + 1], tally[#tally + 2] = why, 1
  end
  for i, record in ipairs(read_fields(keys[ORDERS], ids)) do
    local order = record and order_of(ids[i], record)
    local why = hindrance(order, rows[i], transition, now)
    if why == 'done' then
      done = done + 1
    elseif why then
      skip(ids[i], why)
    else
      local body = cmsgpack.unpack(string.sub(rows[i][3], FINGERPRINT_BYTES + 1))
      -- What waits holds nothing, and its body says so.
      local all, units = differences(order.body, body)
      if owns_all(change, all, units) then
        moves[#moves + 1] = { order = order, row = rows[i], body = body, keys = all, units = units }
      else
        skip(ids[i], 'spans_partitions')
      end
    end
  end
  leave_out_short(keys, moves, limits, days)
  local moved, undo, writes = {}, {}, {}
  for _, move in ipairs(moves) do
    if move.why then
      skip(move.order.id, move.why)
    else
      undo[#undo + 1] = put_move(change, move, transition, writes)
      moved[#moved + 1] = move.order.id
    end
  end
  if #moved > 0 then
    write_fields(keys[ORDERS], writes)
    finish(change, 'amend', { 'i', cmsgpack.pack(moved), 'x', transition, 'r', args[8] })
    if args[6] ~= '' then
      redis.call('HSET', keys[PLANS], args[6] .. ':' .. args[5], cmsgpack.pack({ undo, {} }))
    end
  end
  if #skipped > 0 then redis.call('HSET', keys[PLANS], field .. ':left', cmsgpack.pack(skipped)) end
  state[DONE], state[MOVED] = state[DONE] + 1, state[MOVED] + done + #moved
  packed = cmsgpack.pack(state)
  redis.call('HSET', keys[PLANS], leg, packed)
  redis.call('HDEL', keys[PLANS], field)
  return { 'A', packed }
end

redis.register_function('stockade_keep_plan', keep_plan)
redis.register_function('stockade_reallocate', reallocate)

end
