-- Orders that hold stock of several partitions. The home decides; the others hold parts, which follow its record.
--
--   prepare   another partition takes the units for an attempt, for a lease: `tentative` [order id, home, [cell, units, ...],
--             [[counter, units], ...]]
--   commit    the home takes its own units and keeps the record, which names the attempt: the one decision
--   seal      the attempt's units become the order's part: `parts` [version, [cell, units held, ...], [cell, units
--             shipped, ...], [[counter, units], ...]]
--   follow    a part is brought to what a later record says, whose attempts it thereby settles; whatever is told twice or
--             late changes nothing. What was split off from an order goes with it in one call: else its units would be free
--             for a moment
--   refuse    a lease ran out: the home says what it decided, and if nothing, that attempt can never be decided for
--
-- A part is a copy, a record is the truth. Units are taken before the decision and given back after it, so nothing is sold
-- twice, whoever dies in between.

-- Tombstones of refused attempts: a decision that is older than this cannot arrive any more.
local REFUSED_KEPT_MS = 86400000

-- stockade_prepare: takes the units of a batch of attempts for a lease.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 ticket before, 4 ticket, 5 to 10 as weighed (8 attempts, 9 [attempt,
--      what `tentative` keeps of it, ...]), 11 lease in ms, 12 '1' to have the levels back.
-- Returns {now in ms, event id, outcomes, levels, {}}: outcomes A, S or L each, '' when all are A.
-- O(cells + counters + attempts + lines).
local function prepare(keys, args)
  local change = begin(keys, args)
  if not change then return redis.error_reply(STALE) end
  local fenced = use_ticket(keys, args)
  if fenced then return fenced end
  local attempts, kept, now, writes = cmsgpack.unpack(args[8]), cmsgpack.unpack(args[9]), now_ms(), {}
  local function keep(o)
    writes[#writes + 1] = attempts[o]
    writes[#writes + 1] = kept[2 * o]
  end
  local batch = weigh(keys, args, attempts, kept, nil, keep)
  if batch.covered then writes = kept end
  local event = nil
  if #writes > 0 then
    event = write_batch(change, args, batch, 'prepare', 'a', args[12] == '1')
    write_fields(keys[TENTATIVE], writes)
    for i = 1, #writes, 2 do redis.call('ZADD', keys[LEASES], now + tonumber(args[11]), writes[i]) end
  end
  local levels
  event, levels = levels_of(keys, args, batch, event)
  return { now, event, batch.outcomes, levels, {} }
end

-- Forgets an attempt; returns what was kept of it, or nil.
local function end_attempt(keys, attempt)
  local kept = redis.call('HGET', keys[TENTATIVE], attempt)
  if not kept then return nil end
  redis.call('HDEL', keys[TENTATIVE], attempt)
  redis.call('ZREM', keys[LEASES], attempt)
  return cmsgpack.unpack(kept)
end

-- Gives back what is held for an attempt; returns what was kept of it, or nil.
local function drop_attempt(change, attempt)
  local kept = end_attempt(change.keys, attempt)
  if not kept then return nil end
  for i = 1, #kept[3], 2 do take(change, kept[3][i], -kept[3][i + 1]) end
  for _, counter in ipairs(kept[4]) do count(change, counter[1], -counter[2]) end
  return kept
end

-- stockade_seal: attempts that their home decided for become parts. KEYS the partition's. ARGV 1 epoch, 2 writer,
--      3 attempts. Returns how many it found. O(attempts).
local function seal(keys, args)
  local change = begin(keys, args)
  if not change then return redis.error_reply(STALE) end
  local ids = {}
  for _, attempt in ipairs(cmsgpack.unpack(args[3])) do
    local kept = end_attempt(keys, attempt)
    if kept then
      -- A part that is there already is of an order that its home has lost: this one takes its place.
      local stored = redis.call('HGET', keys[PARTS], kept[1])
      local former = stored and cmsgpack.unpack(stored) or { 0, {}, {}, {} }
      for i = 1, #former[2], 2 do take(change, former[2][i], -former[2][i + 1]) end
      for _, counter in ipairs(former[4]) do count(change, counter[1], -counter[2]) end
      redis.call('HSET', keys[PARTS], kept[1], cmsgpack.pack({ 1, kept[3], {}, kept[4] }))
      ids[#ids + 1] = kept[1]
    end
  end
  if #ids > 0 then finish(change, 'seal', { 'p', cmsgpack.pack(ids), 'a', args[3] }) end
  return #ids
end

-- The pairs of a flat list that are of this partition, as a table.
local function own_pairs(change, flat)
  local own = {}
  for i = 1, #flat, 2 do
    if owns(change, flat[i]) then own[flat[i]] = (own[flat[i]] or 0) + flat[i + 1] end
  end
  return own
end

local function flatten(pairs_of)
  local flat = {}
  for name, units in pairs(pairs_of) do
    if units ~= 0 then
      flat[#flat + 1] = name
      flat[#flat + 1] = units
    end
  end
  return flat
end

-- Whether a body names cells or counters of this partition.
local function names_own(change, body)
  for _, shipment in ipairs(body[1]) do
    for i = 1, #shipment[4], 2 do
      if owns(change, shipment[4][i]) then return true end
    end
  end
  for _, counter in ipairs(body[3]) do
    if owns_counter(change, counter[1]) then return true end
  end
  return false
end

-- Brings the part of one order to what its record says, in the place of the attempts that the record decided for, which it
-- adds to `attempts`: a seal of them that comes late finds nothing to do. Returns whether it was behind. `reached`: whether
-- another attempt of the order has just ended here.
local function bring(change, id, record, attempts, reached)
  local keys = change.keys
  local body = read_body(record)
  if not body then return false end
  local _, status, version = struct.unpack(HEAD, record)
  local stored = redis.call('HGET', keys[PARTS], id)
  local part = stored and cmsgpack.unpack(stored) or { 0, {}, {}, {} }
  local settled = false
  for place, kept in ipairs(read_fields(keys[TENTATIVE], body[8])) do
    if kept and cmsgpack.unpack(kept)[1] == id then
      drop_attempt(change, body[8][place])
      attempts[#attempts + 1], settled = body[8][place], true
    end
  end
  if part[1] >= version then return settled end
  local held, shipped, counters = {}, own_pairs(change, body[7]), {}
  if holds_stock(status) then
    for cell, units in pairs(held_of(body)) do
      if units > 0 and owns(change, cell) then held[cell] = units end
    end
  end
  if status ~= RELEASED and status ~= EXPIRED then
    for _, counter in ipairs(body[3]) do
      if owns_counter(change, counter[1]) then counters[#counters + 1] = counter end
    end
  end
  -- Most orders have nothing here, and leave no part. One that has, or had, leaves it even when it holds nothing any more:
  -- an earlier record may yet arrive, and must find that it is late.
  if not (stored or settled or reached or names_own(change, body)) then return false end
  for cell, units in pairs(held) do take(change, cell, units) end
  for i = 1, #part[2], 2 do take(change, part[2][i], -part[2][i + 1]) end
  -- What was shipped left on_hand, and was given back above as if it had become free.
  local before = own_pairs(change, part[3])
  for cell, units in pairs(shipped) do
    local more = units - (before[cell] or 0)
    if more ~= 0 then take(change, cell, more, -more) end
  end
  for _, counter in ipairs(counters) do count(change, counter[1], counter[2]) end
  for _, counter in ipairs(part[4]) do count(change, counter[1], -counter[2]) end
  redis.call('HSET', keys[PARTS], id, cmsgpack.pack({ version, flatten(held), flatten(shipped), counters }))
  return true
end

-- stockade_follow: gives back the units of attempts, and brings parts to what their records say.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 attempts that were not decided for, or whose order's record follows,
--      4 [order id, record, ...]. Returns how many parts were behind. O(attempts + orders * lines).
local function follow(keys, args)
  local change = begin(keys, args)
  if not change then return redis.error_reply(STALE) end
  local attempts, rows, ids, behind = cmsgpack.unpack(args[3]), cmsgpack.unpack(args[4]), {}, 0
  local reached = {}
  for _, attempt in ipairs(attempts) do
    local kept = drop_attempt(change, attempt)
    if kept then
      ids[#ids + 1] = kept[1]
      reached[kept[1]] = true
    end
  end
  for i = 1, #rows, 2 do
    if bring(change, rows[i], rows[i + 1], attempts, reached[rows[i]]) then
      ids[#ids + 1] = rows[i]
      behind = behind + 1
    end
  end
  if #ids > 0 then finish(change, 'follow', { 'p', cmsgpack.pack(ids), 'a', cmsgpack.pack(attempts) }) end
  return behind
end

-- stockade_refuse: what the home decided of attempts whose lease ran out; those that it did not decide for are refused for
-- ever. KEYS the home's. ARGV 1 epoch, 2 writer, 3 [order id, attempt, ...]. Returns a record each, '' where refused.
-- O(attempts).
local function refuse(keys, args)
  if stale(keys[META], args[1]) then return redis.error_reply(STALE) end
  local rows, answers, now = cmsgpack.unpack(args[3]), {}, now_ms()
  for i = 1, #rows, 2 do
    local order = read_order(keys, rows[i])
    if order and done_before(order, rows[i + 1]) then
      answers[#answers + 1] = order.record
    else
      redis.call('ZADD', keys[REFUSED], now, rows[i + 1])
      answers[#answers + 1] = ''
    end
  end
  redis.call('ZREMRANGEBYSCORE', keys[REFUSED], '-inf', now - REFUSED_KEPT_MS)
  return answers
end

-- stockade_due: what other partitions wait for. KEYS the partition's. ARGV 1 epoch, 2 writer, 3 rows at most of each.
-- Returns {leases that ran out [attempt, what is kept, ...], ids of orders whose parts must follow}. O(rows).
local function due(keys, args)
  if stale(keys[META], args[1]) then return redis.error_reply(STALE) end
  local now, leases = now_ms(), {}
  for _, attempt in ipairs(redis.call('ZRANGEBYSCORE', keys[LEASES], '-inf', now, 'LIMIT', 0, args[3])) do
    leases[#leases + 1] = attempt
    leases[#leases + 1] = redis.call('HGET', keys[TENTATIVE], attempt) or ''
  end
  return { leases, redis.call('ZRANGEBYSCORE', keys[OUTBOX], '-inf', now, 'LIMIT', 0, args[3]) }
end

-- stockade_family: orders as their home has them, each with all that was split off from it since.
-- KEYS the home's. ARGV 1 epoch, 2 writer, 3 order ids. Returns [order id, record ('': none), ...]. O(orders).
local function family(keys, args)
  if stale(keys[META], args[1]) then return redis.error_reply(STALE) end
  local ids, flat, seen, at = cmsgpack.unpack(args[3]), {}, {}, 1
  while at <= #ids do
    local id = ids[at]
    at = at + 1
    if not seen[id] then
      seen[id] = true
      local record = redis.call('HGET', keys[ORDERS], id) or ''
      flat[#flat + 1] = id
      flat[#flat + 1] = record
      local body = record ~= '' and read_body(record)
      for _, transition in ipairs(body and body[8] or {}) do
        if string.sub(transition, 1, #INTO) == INTO then ids[#ids + 1] = string.sub(transition, #INTO + 1) end
      end
    end
  end
  return flat
end

-- stockade_followed: other partitions have followed these orders; those that changed meanwhile stay on the list.
-- KEYS the home's. ARGV 1 epoch, 2 writer, 3 [order id, version, ...]. Returns how many left the list. O(orders).
local function followed(keys, args)
  if stale(keys[META], args[1]) then return redis.error_reply(STALE) end
  local rows, left = cmsgpack.unpack(args[3]), 0
  for i = 1, #rows, 2 do
    local record = redis.call('HGET', keys[ORDERS], rows[i])
    local _, _, version = struct.unpack(HEAD, record or struct.pack(HEAD, FORMAT, 0, rows[i + 1], 0, 0))
    if version == rows[i + 1] then left = left + redis.call('ZREM', keys[OUTBOX], rows[i]) end
  end
  return left
end

redis.register_function('stockade_prepare', prepare)
redis.register_function('stockade_seal', seal)
redis.register_function('stockade_follow', follow)
redis.register_function('stockade_refuse', refuse)
redis.register_function { function_name = 'stockade_due', callback = due, flags = { 'no-writes' } }
redis.register_function { function_name = 'stockade_family', callback = family, flags = { 'no-writes' } }
redis.register_function('stockade_followed', followed)
