-- Orders on their way: confirmed, extended, shipped, released, expired. Each transition has an id and one effect.

-- An order read for a change: {id, record, status, version, reserved_ms, expires_ms, body}; nil where there is none or it
-- cannot be read.
local function order_of(id, record)
  local body = record and read_body(record)
  if not body then return nil end
  local _, status, order_version, reserved_ms, expires_ms = struct.unpack(HEAD, record)
  return {
    id = id, record = record, body = body, status = status, version = order_version,
    reserved_ms = reserved_ms, expires_ms = expires_ms,
  }
end

local function read_order(keys, id)
  return order_of(id, redis.call('HGET', keys[ORDERS], id))
end

local function holds_stock(status)
  return status == RESERVED or status == CONFIRMED or status == PARTIALLY_SHIPPED
end

-- Units that a body holds by cell: of its shipments, less what was shipped.
local function held_of(body)
  local held = {}
  for _, shipment in ipairs(body[1]) do
    local pairs_of = shipment[4]
    for i = 1, #pairs_of, 2 do held[pairs_of[i]] = (held[pairs_of[i]] or 0) + pairs_of[i + 1] end
  end
  for i = 1, #body[7], 2 do held[body[7][i]] = (held[body[7][i]] or 0) - body[7][i + 1] end
  return held
end

-- Whether an order holds, or held, stock of other partitions, which have to follow it.
local function reaches_out(change, body)
  if change.partitions == 1 then return false end
  for _, shipment in ipairs(body[1]) do
    for i = 1, #shipment[4], 2 do
      if not owns(change, shipment[4][i]) then return true end
    end
  end
  for _, counter in ipairs(body[3]) do
    if not owns_counter(change, counter[1]) then return true end
  end
  return false
end

-- Takes what a body holds here from the cells and counters, or gives it back (factor -1).
local function hold(change, body, factor, counters_too)
  for cell, units in pairs(held_of(body)) do
    if units ~= 0 and owns(change, cell) then take(change, cell, factor * units) end
  end
  if counters_too then
    for _, counter in ipairs(body[3]) do
      if owns_counter(change, counter[1]) then count(change, counter[1], factor * counter[2]) end
    end
  end
end

-- Writes an order's record as it is now; `rest` is fingerprint and body, packed. Partitions that hold stock for it, or held
-- some for what it was before (`reached`), are put on the list of those to follow.
local function write_order(change, order, rest)
  local keys = change.keys
  local record = struct.pack(HEAD, FORMAT, order.status, order.version, order.reserved_ms, order.expires_ms) .. rest
  redis.call('HSET', keys[ORDERS], order.id, record)
  if order.status == RESERVED then
    redis.call('ZADD', keys[HOLDS], order.expires_ms, order.id)
  else
    redis.call('ZREM', keys[HOLDS], order.id)
  end
  if order.reached or reaches_out(change, order.body) then redis.call('ZADD', keys[OUTBOX], now_ms(), order.id) end
  order.record = record
end

local function pack_rest(order)
  return fingerprint_of(order.record) .. cmsgpack.pack(order.body)
end

-- Gives back all that an order holds, and lets it end.
local function give_back(change, order, status)
  hold(change, order.body, -1, true)
  order.status, order.version = status, order.version + 1
  -- Only the head changes: the body need not be packed again.
  write_order(change, order, string.sub(order.record, HEAD_BYTES + 1))
end

-- Ids of transitions are `what:id=digest`: one id names one content. A record keeps those of the last ones; the names of
-- attempts that it decided for (`@...`) until all partitions have followed it, as whoever asks for one must be told; and, for
-- good, the orders that were split off from it (`into ...`).
-- Of the many, those that extended a hold are forgotten first: done again, they do no harm.
local TRANSITIONS_MAX = 64
local TRANSITIONS_KEPT_MAX = 1000
local ATTEMPTS_MAX = 64
local ATTEMPT = '@'
local INTO = 'into '
local function name_part(transition)
  return string.match(transition, '^(.*)=')
end

-- Whether a transition was done before: R, D when its id was used for another content, or nil.
local function done_before(order, transition)
  local name = name_part(transition)
  for _, done in ipairs(order.body[8]) do
    if done == transition then return 'R' end
    if name and name_part(done) == name then return 'D' end
  end
  return nil
end

local function is_transition(noted)
  return string.sub(noted, 1, #INTO) ~= INTO and string.sub(noted, 1, 1) ~= ATTEMPT
end
local function note(order, transition)
  local done, oldest, ids = order.body[8], nil, 0
  done[#done + 1] = transition
  local extended = nil
  for place = #done, 1, -1 do
    if is_transition(done[place]) then
      oldest, ids = place, ids + 1
      if string.sub(done[place], 1, 7) == 'extend:' then extended = place end
    end
  end
  if ids > TRANSITIONS_MAX and extended then
    table.remove(done, extended)
  elseif ids > TRANSITIONS_KEPT_MAX then
    table.remove(done, oldest)
  end
end

-- Makes room for another attempt: those of a record that all partitions have followed are settled. Whether there is any.
local function room_for_attempt(change, order)
  local others, left = {}, 0
  for _, done in ipairs(order.body[8]) do
    if string.sub(done, 1, 1) == ATTEMPT then left = left + 1 else others[#others + 1] = done end
  end
  if redis.call('ZSCORE', change.keys[OUTBOX], order.id) then return left < ATTEMPTS_MAX end
  order.body[8] = others
  return true
end

-- Ships units: [cell, units, ...], or all that is held where it is empty. Returns the letter of a refusal, or nil.
local function ship(change, order, wanted)
  if order.status ~= CONFIRMED and order.status ~= PARTIALLY_SHIPPED then return 'F' end
  local held, leaves = held_of(order.body), {}
  if #wanted == 0 then
    for cell, units in pairs(held) do leaves[cell] = units end
  else
    for i = 1, #wanted, 2 do
      if wanted[i + 1] < 1 then return 'Q' end
      leaves[wanted[i]] = (leaves[wanted[i]] or 0) + wanted[i + 1]
    end
  end
  for cell, units in pairs(leaves) do
    if units > (held[cell] or 0) then return 'Q' end
  end
  local shipped = {}
  for i = 1, #order.body[7], 2 do shipped[order.body[7][i]] = order.body[7][i + 1] end
  for cell, units in pairs(leaves) do
    held[cell] = held[cell] - units
    shipped[cell] = (shipped[cell] or 0) + units
    -- What leaves was reserved: nothing more is taken from what is free.
    if units ~= 0 and owns(change, cell) then take(change, cell, 0, -units) end
  end
  order.body[7] = {}
  for cell, units in pairs(shipped) do
    if units > 0 then
      order.body[7][#order.body[7] + 1] = cell
      order.body[7][#order.body[7] + 1] = units
    end
  end
  order.status = SHIPPED
  for _, units in pairs(held) do
    if units > 0 then order.status = PARTIALLY_SHIPPED end
  end
  return nil
end

-- stockade_transition: one step of one order's life.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 what: confirm, cancel, extend or ship, 4 order id, 5 transition id with what
--      and digest ('': none, the state alone says whether it was done),
--      6 version that it must have, or '', 7 for extend milliseconds from now, for ship [cell, units, ...] as MessagePack
--      (empty: all that is left).
-- Returns {letter, record, now in ms}: A done, R done before or already so, N no such order (no record, or one that cannot
--      be read), D the id was used for another content, V it has another version, F its state forbids it, Q more than it
--      holds. An unpaid hold whose time is up has expired, whoever comes first; an order that waits for stock holds nothing
--      that could be confirmed, extended or shipped. O(lines).
local function transition(keys, args)
  local change = begin(keys, args)
  if not change then return redis.error_reply(STALE) end
  local what, now = args[3], now_ms()
  local order = read_order(keys, args[4])
  if not order then return { 'N', redis.call('HGET', keys[ORDERS], args[4]) or '', now } end
  if order.status == RESERVED and order.expires_ms <= now then
    give_back(change, order, EXPIRED)
    finish(change, 'expire', { 'i', cmsgpack.pack({ order.id }) })
  end
  local before = done_before(order, args[5])
  if before then return { before, order.record, now } end
  if what == 'confirm' and (order.status == CONFIRMED or order.status == PARTIALLY_SHIPPED or order.status == SHIPPED) then
    return { 'R', order.record, now }
  end
  if what == 'cancel' and order.status == RELEASED then return { 'R', order.record, now } end
  if args[6] ~= '' and tonumber(args[6]) ~= order.version then return { 'V', order.record, now } end
  if what == 'cancel' then
    if order.status ~= RESERVED and order.status ~= CONFIRMED and order.status ~= BACKORDERED then
      return { 'F', order.record, now }
    end
    give_back(change, order, RELEASED)
  else
    if what == 'confirm' then
      if order.status ~= RESERVED then return { 'F', order.record, now } end
      order.status, order.expires_ms = CONFIRMED, 0
    elseif what == 'extend' then
      if order.status ~= RESERVED then return { 'F', order.record, now } end
      order.expires_ms = now + tonumber(args[7])
    else
      local refused = ship(change, order, cmsgpack.unpack(args[7]))
      if refused then return { refused, order.record, now } end
    end
    if args[5] ~= '' then note(order, args[5]) end
    order.version = order.version + 1
    write_order(change, order, pack_rest(order))
  end
  finish(change, what, { 'i', cmsgpack.pack({ order.id }), 'x', args[5] })
  return { 'A', order.record, now }
end

-- stockade_expire: releases pending orders whose hold ran out by the store's clock, oldest first.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 orders at most. Returns how many holds ended. O(orders * lines).
local function expire(keys, args)
  local change = begin(keys, args)
  if not change then return redis.error_reply(STALE) end
  local due = redis.call('ZRANGEBYSCORE', keys[HOLDS], '-inf', now_ms(), 'LIMIT', 0, args[3])
  local ended = {}
  for _, id in ipairs(due) do
    local order = read_order(keys, id)
    if order and order.status == RESERVED then
      give_back(change, order, EXPIRED)
      ended[#ended + 1] = id
    else
      redis.call('ZREM', keys[HOLDS], id)
    end
  end
  if #ended > 0 then finish(change, 'expire', { 'i', cmsgpack.pack(ended) }) end
  return #ended
end

redis.register_function('stockade_transition', transition)
redis.register_function('stockade_expire', expire)
