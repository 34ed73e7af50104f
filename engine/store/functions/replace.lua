-- Orders that get another content: amended, split, moved.

-- stockade_replace: puts other shipments in the place of those that orders have, all of them or none: to amend an order,
-- to split one in two, to move many elsewhere.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 transition id, 4 type of the event, 5 reason,
--      6 rows [[id, version that it must have (0: a new order, made from the row before it), fingerprint and body, of one
--      that is backordered what it becomes: a hold of so many milliseconds, -1 confirmed, 0 backordered still; -2: one that
--      was filled waits again], ...],
--      7 limits [counter, limit, ...], 8 attempt or '', 9 leg that must be there and go on, or '': see reallocate.lua.
-- Returns {letter, place, found, records, now in ms}: A done, R done before; else nothing was done, for the row at `place`
--      (from 0): N no such order, D the id was used for another content, V it has another version, F its state forbids it
--      (with its record in found), C the new id is taken; or, with the cell or counter in found, S a cell or a warehouse's day falls short, L a
--      counter does; X the attempt was refused, or too many others are not settled yet; H the leg does not go on.
-- O(orders * lines).
local WAITS_AGAIN = -2

-- Whether a leg is there and was not stopped.
local function goes_on(keys, leg)
  local packed = redis.call('HGET', keys[PLANS], leg)
  return packed and cmsgpack.unpack(packed)[4] ~= 1
end

local function replace(keys, args)
  local change = begin(keys, args)
  if not change then return redis.error_reply(STALE) end
  local now, rows, limits, orders, records = now_ms(), cmsgpack.unpack(args[6]), {}, {}, {}
  local flat = cmsgpack.unpack(args[7])
  for i = 1, #flat, 2 do limits[flat[i]] = flat[i + 1] end
  for place, row in ipairs(rows) do
    local order = read_order(keys, row[1])
    local before = place == 1 and order and done_before(order, args[3])
    if before == 'D' then return { 'D', 0, order.record, {}, now } end
    if before then
      for i = 1, #rows do records[i] = redis.call('HGET', keys[ORDERS], rows[i][1]) or '' end
      return { 'R', 0, '', records, now }
    end
    if (args[9] or '') ~= '' and not goes_on(keys, args[9]) then return { 'H', 0, '', {}, now } end
    if row[2] == 0 then
      if redis.call('HEXISTS', keys[ORDERS], row[1]) == 1 then return { 'C', place - 1, '', {}, now } end
      local parent = orders[place - 1]
      order = {
        id = row[1], record = parent.record, version = 0, reserved_ms = parent.reserved_ms, expires_ms = parent.expires_ms,
        -- Of what it takes over nothing has left.
        status = parent.status == PARTIALLY_SHIPPED and CONFIRMED or parent.status,
      }
      note(parent, INTO .. order.id)
    else
      if not order then return { 'N', place - 1, '', {}, now } end
      if order.version ~= row[2] then return { 'V', place - 1, order.record, {}, now } end
      local waits = order.status == BACKORDERED and row[4]
      if not (waits or holds_stock(order.status)) or (order.status == RESERVED and order.expires_ms <= now) then
        return { 'F', place - 1, order.record, {}, now }
      end
      if row[4] == WAITS_AGAIN then order.status, order.expires_ms = BACKORDERED, 0 end
      if waits and waits > 0 then
        order.status, order.expires_ms = RESERVED, now + waits
      elseif waits and waits < 0 then
        order.status = CONFIRMED
      end
      hold(change, order.body, -1, true)
      order.reached = reaches_out(change, order.body)
    end
    local noted = order.body and order.body[8]
    order.body = cmsgpack.unpack(string.sub(row[3], FINGERPRINT_BYTES + 1))
    -- What was done to an order stays noted, whatever its content comes from.
    order.body[8] = noted or order.body[8]
    hold(change, order.body, 1, true)
    orders[place] = order
  end
  if args[8] ~= '' then
    if redis.call('ZSCORE', keys[REFUSED], args[8]) then return { 'X', 0, '', {}, now } end
    for place, order in ipairs(orders) do
      if not room_for_attempt(change, order) then return { 'X', place - 1, '', {}, now } end
    end
  end
  local short = short_of(change)
  if short then return { 'S', 0, name_of(short), {}, now } end
  for name, units in pairs(change.counters) do
    if units > 0 and limits[name] then
      local taken = tonumber(redis.call('HGET', keys[COUNTERS], name)) or 0
      -- A warehouse's day may be planned around; a purchase limit is final.
      local letter = string.byte(name) == 64 and 'S' or 'L'
      if taken + units > limits[name] then return { letter, 0, name, {}, now } end
    end
  end
  local ids = {}
  for place, order in ipairs(orders) do
    -- A new order begins with ids of its own.
    if rows[place][2] ~= 0 then note(order, args[3]) end
    if args[8] ~= '' then note(order, args[8]) end
    order.version = order.version + 1
    write_order(change, order, string.sub(rows[place][3], 1, FINGERPRINT_BYTES) .. cmsgpack.pack(order.body))
    ids[place], records[place] = order.id, order.record
  end
  finish(change, args[4], { 'i', cmsgpack.pack(ids), 'x', args[3], 'r', args[5] })
  return { 'A', 0, '', records, now }
end

redis.register_function('stockade_replace', replace)
