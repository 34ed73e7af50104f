-- Stock that comes and goes. Each movement has an id and one effect: every row of it, or none.
--
-- Rows are MessagePack [[cell, units, other cell or -1, arrives_ms, reference, expected on_hand or -1], ...], all of one
-- kind. What they do here, their effects, are columns by cell:
--   [1 cells, 2 units taken from free, 3 added to on_hand, 4 to safety, 5 to quarantined ([]: none),
--    6 [cell, [[reference, units, arrives_ms], ...], ...] inbound as it is then]
-- A refusal is flat: [row (from 0), letter, what was found, ...]: S not as much is free, E on_hand is another, Q not as
-- much is quarantined, I not as much is announced, T as many arrivals are open as may be, M more than a cell may hold,
-- B a count below what is reserved, L a count for which pools hold too much.

-- Adds to fields; those to which nothing is added are left. O(fields).
local function add_fields(key, names, units)
  local changed, more, flat = {}, {}, {}
  for i = 1, #units do
    if units[i] ~= 0 then
      changed[#changed + 1] = names[i]
      more[#more + 1] = units[i]
    end
  end
  local values = read_numbers(key, changed)
  for i = 1, #changed do
    flat[2 * i - 1], flat[2 * i] = changed[i], values[i] + more[i]
  end
  write_fields(key, flat)
end

-- The attempt that is to change one of the cells and is not decided yet; nil when there is none. O(cells).
local function undecided(change, cells)
  if change.partitions == 1 then return nil end
  local names = {}
  for c = 1, #cells do names[c] = '@' .. cells[c] end
  local found = read_fields(change.keys[MOVEMENTS], names)
  for c = 1, #cells do
    if found[c] then return found[c] end
  end
  return nil
end

-- What is known of a movement: nil nothing, C another has its id, A this attempt was decided for, R it was done.
local function known_as(keys, id, fingerprint, attempt)
  local kept = redis.call('HGET', keys[MOVEMENTS], '=' .. id)
  if not kept then return nil end
  if string.sub(kept, 1, FINGERPRINT_BYTES) ~= fingerprint then return 'C' end
  if attempt ~= '' and string.sub(kept, FINGERPRINT_BYTES + 1) == attempt then return 'A' end
  return 'R'
end


-- The steps of a row work on columns of what the cells have, and return the letter of a refusal and what was found, or nil.

local function put(at, c, units)
  if units < 0 and -units > at.free[c] then return 'S', at.free[c] end
  if at.on_hand[c] + units > at.units_max then return 'M', at.on_hand[c] end
  at.free[c], at.on_hand[c] = at.free[c] + units, at.on_hand[c] + units
  return nil
end

local function set_apart(at, c, units)
  if at.quarantined[c] + units < 0 then return 'Q', at.quarantined[c] end
  if at.quarantined[c] + units > at.units_max then return 'M', at.quarantined[c] end
  at.quarantined[c] = at.quarantined[c] + units
  return nil
end

local function announce(at, c, reference, units, arrives_ms)
  local list = at.inbound[c]
  at.announced[c] = true
  for _, arrival in ipairs(list) do
    if arrival[1] == reference then
      arrival[2], arrival[3] = arrival[2] + units, math.max(arrival[3], arrives_ms)
      return nil
    end
  end
  if #list >= at.arrivals_max then return 'T', #list end
  list[#list + 1] = { reference, units, arrives_ms }
  return nil
end

-- Uses up what was announced: so many units of it, or what is left of it (0).
local function use_up(at, c, reference, units)
  for i, arrival in ipairs(at.inbound[c]) do
    if arrival[1] == reference then
      if units > arrival[2] then return 'I', arrival[2] end
      at.announced[c] = true
      arrival[2] = units == 0 and 0 or arrival[2] - units
      if arrival[2] == 0 then table.remove(at.inbound[c], i) end
      return nil
    end
  end
  return 'I', 0
end

-- Takes from one cell what another gets; both are of the same on_hand.
local function shift(at, from, to, units)
  if units > at.free[from] then return 'S', at.free[from] end
  at.free[from], at.free[to] = at.free[from] - units, at.free[to] + units
  return nil
end

-- By kind; r is the row, c and other are the places of its cells.
local STEPS = {
  receive = function(at, c, _, r)
    if r[5] ~= '' then
      local letter, found = use_up(at, c, r[5], r[2])
      if letter then return letter, found end
    end
    return put(at, c, r[2])
  end,
  adjust = function(at, c, _, r) return put(at, c, r[2]) end,
  ['return'] = function(at, c, _, r) return put(at, c, r[2]) end,
  quarantine = function(at, c, _, r)
    local letter, found = put(at, c, -r[2])
    if letter then return letter, found end
    return set_apart(at, c, r[2])
  end,
  release_quarantine = function(at, c, _, r)
    local letter, found = set_apart(at, c, -r[2])
    if letter then return letter, found end
    return put(at, c, r[2])
  end,
  scrap = function(at, c, _, r) return set_apart(at, c, -r[2]) end,
  transfer = function(at, c, other, r)
    local letter, found = put(at, c, -r[2])
    if letter then return letter, found end
    return announce(at, other, r[5], r[2], r[4])
  end,
  inbound = function(at, c, _, r) return announce(at, c, r[5], r[2], r[4]) end,
  cancel_inbound = function(at, c, _, r) return use_up(at, c, r[5], r[2]) end,
  allot = function(at, c, other, r)
    if r[2] < 0 then return shift(at, other, c, -r[2]) end
    return shift(at, c, other, r[2])
  end,
}

-- Whether a kind of movement touches quarantined units, or what is inbound.
local SETS_APART = { quarantine = true, release_quarantine = true, scrap = true }
local ANNOUNCES = { receive = true, transfer = true, inbound = true, cancel_inbound = true }

local function read_inbound(keys, names)
  local lists = read_fields(keys[INBOUND], names)
  for c = 1, #names do lists[c] = lists[c] and cmsgpack.unpack(lists[c]) or {} end
  return lists
end

-- Weighs the rows of a movement; returns their effects and what is refused. O(rows + arrivals of their cells).
local function weigh_move(change, kind, rows, units_max, arrivals_max)
  local keys, names, place = change.keys, {}, {}
  for _, row in ipairs(rows) do
    for i = 1, 3, 2 do
      if row[i] >= 0 and not place[row[i]] then
        names[#names + 1] = name_of(row[i])
        place[row[i]] = #names
      end
    end
  end
  local free, on_hand = read_numbers(keys[FREE], names), read_numbers(keys[ON_HAND], names)
  local at = { free = {}, on_hand = {}, announced = {}, units_max = tonumber(units_max), arrivals_max = tonumber(arrivals_max) }
  for c = 1, #names do at.free[c], at.on_hand[c] = free[c], on_hand[c] end
  local quarantined = SETS_APART[kind] and read_numbers(keys[QUARANTINED], names) or {}
  at.quarantined = {}
  for c = 1, #quarantined do at.quarantined[c] = quarantined[c] end
  if ANNOUNCES[kind] then at.inbound = read_inbound(keys, names) end
  local refused, step = {}, STEPS[kind]
  for r, row in ipairs(rows) do
    local c, letter, found = place[row[1]], nil, nil
    if row[6] >= 0 and on_hand[c] ~= row[6] then
      letter, found = 'E', on_hand[c]
    else
      letter, found = step(at, c, place[row[3]], row)
    end
    if letter then
      local i = #refused
      refused[i + 1], refused[i + 2], refused[i + 3] = r - 1, letter, found
    end
  end
  local effects = { names, {}, {}, {}, {}, {} }
  for c = 1, #names do
    effects[2][c], effects[3][c] = free[c] - at.free[c], at.on_hand[c] - on_hand[c]
    if quarantined[c] then effects[5][c] = at.quarantined[c] - quarantined[c] end
    if at.announced[c] then
      effects[6][#effects[6] + 1] = names[c]
      effects[6][#effects[6] + 1] = at.inbound[c]
    end
  end
  return effects, refused
end

-- Does what effects say, with its event; returns the event's id. `prepared`: what they take was taken before. O(cells).
local function do_effects(change, effects, prepared, kind, fields)
  local keys, cells, taken = change.keys, effects[1], effects[2]
  local on_hand, made, pools = read_fields(keys[ON_HAND], cells), {}, 0
  for c = 1, #cells do
    if prepared and taken[c] > 0 then taken[c] = 0 end
    if not on_hand[c] then
      -- Whatever was moved in exists, even with nothing in it; a pool is no cell of its own in anything but what is free.
      local number = tonumber(cells[c])
      pools = math.max(pools, math.floor(number / CHANNEL))
      if number < CHANNEL and effects[3][c] == 0 then
        made[#made + 1] = cells[c]
        made[#made + 1] = 0
      end
    end
  end
  if pools > (tonumber(redis.call('HGET', keys[META], 'pools')) or 0) then redis.call('HSET', keys[META], 'pools', pools) end
  write_fields(keys[ON_HAND], made)
  add_fields(keys[SAFETY], cells, effects[4])
  add_fields(keys[QUARANTINED], cells, effects[5])
  for i = 1, #effects[6], 2 do
    if #effects[6][i + 1] == 0 then
      redis.call('HDEL', keys[INBOUND], effects[6][i])
    else
      redis.call('HSET', keys[INBOUND], effects[6][i], cmsgpack.pack(effects[6][i + 1]))
    end
  end
  take_all(change, cells, taken, effects[3], on_hand)
  return finish(change, kind, fields)
end

-- stockade_move: a movement whose rows are all of the partition that is its home.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 movement id, 4 fingerprint, 5 kind, 6 reason, 7 rows, 8 units that a
--      cell may hold, 9 arrivals that may be open in one.
-- Returns {letter, event id, cells, levels, refusal}: A done, with what is free in the cells now; else nothing was changed:
--      R done before, C another has its id, N refused, P a cell is being changed by another movement; MessagePack columns.
-- O(rows + arrivals of their cells).
local function move(keys, args)
  local change = begin(keys, args)
  if not change then return redis.error_reply(STALE) end
  local known = known_as(keys, args[3], args[4], '')
  if known then return { known, '', '', '', '' } end
  local effects, refused = weigh_move(change, args[5], cmsgpack.unpack(args[7]), args[8], args[9])
  if undecided(change, effects[1]) then return { 'P', '', '', '', '' } end
  if #refused > 0 then return { 'N', '', '', '', cmsgpack.pack(refused) } end
  redis.call('HSET', keys[MOVEMENTS], '=' .. args[3], args[4])
  local event = do_effects(change, effects, false, 'move', { 'm', args[3], 'k', args[5], 'r', args[6] })
  return { 'A', event, cmsgpack.pack(effects[1]), pack_levels(change), '' }
end

redis.register_function('stockade_move', move)
