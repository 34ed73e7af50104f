#!lua name=stockade

-- Stockade's function library: every change of stock, reservations and catalogue, each one atomic.
-- Runs on Redis >= 7.0 and Valkey. `redis.call`, cmsgpack and struct are only used while a function runs: a library that
-- loads does not see them. The files of this folder are joined into one text, in the order that library.py names.
--
-- Keys. Every function of a partition takes all its keys, in one order (keys.py spells them):
local META, FREE, ON_HAND, SAFETY, QUARANTINED, INBOUND = 1, 2, 3, 4, 5, 6
local COUNTERS, ORDERS, HOLDS, MOVEMENTS = 7, 8, 9, 10
local PARTS, TENTATIVE, LEASES, OUTBOX, REFUSED = 11, 12, 13, 14, 15
local WRITERS, EVENTS, PLANS = 16, 17, 18
--
-- Cells. A cell is the stock of one SKU at one warehouse, numbered sku * 4096 + warehouse. A channel's pool is a cell of
-- its own: channel * 2^36 + that number, where channel 0 is the rest that all share. Hashes by cell number:
--   free         what may be sold: of the shared rest on_hand - reserved - safety - all pools, of a pool what is in it;
--                the only one that the sale itself reads and writes
--   on_hand      units counted and sellable   (by the cell without channel, as the next two)
--   safety       units kept back              (absent: 0)
--   quarantined  units set apart              (absent: 0)
--   inbound      MessagePack [[reference, units, arrives_ms], ...]: promised to come (absent: none)
-- so reserved = on_hand - safety - free of the rest and all pools, and selling costs one field.
--
-- Records. An order is one string in the hash `orders`, in network byte order:
--   format u8 | status u8 | version u32 | reserved_ms u64 | expires_ms u64 | fingerprint 16 bytes | body (MessagePack)
-- The caller packs it, the functions change it; the end of a hold is always by their clock.
--   body = [1 shipments [[warehouse, cost, metres, [cell, units, ...], and maybe carrier, day promised], ...],
--           2 unfilled [sku, units, ...], 3 counters [[name, units], ...], 4 currency, 5 policy,
--           6 order as canonical MessagePack, 7 shipped [cell, units, ...],
--           8 transitions ['what:id=digest', an attempt, or 'into ' and an order split off, ...],
--           9 [substitutions [sku, by, units, ...], bundles [[sku, units, [component, units of it in one, ...]], ...], day by
--           which stock is expected or 0] (absent: none of them)]
-- One that is backordered waits for stock: it has no shipments, no counters and no hold, and can be amended or cancelled.
-- Any other holds the units of its shipments less those shipped, while its status is one that holds stock.
--
-- Counters. A bound on something that orders use up is a field of `counters`, with a limit that the caller sends:
--   sku:customer      units that a customer took of a SKU with a purchase limit
--   @warehouse:day    orders that a warehouse serves on a day (days since 1970, UTC)
--
-- Movements. `movements` keeps, by '=' and the movement's id, its fingerprint (16 bytes) and the attempt that was decided
-- for ('': it was done in one call), and by '@' and a cell's number the attempt that is to change it and is not decided yet.
-- The field `pools` of `meta` is the highest number of a channel that has, or had, a pool here.
--
-- Partitions. Cells and counters belong to the partition of their SKU (or, for @, their warehouse): number modulo
-- partitions. An order belongs to the partition of its id, its home, which alone decides; partitions.lua tells how it
-- holds stock of others.
--
-- Events. One stream entry for each change, and none without: n its number in this partition (no gaps), t type, w writer,
-- c cells, d units taken from `free` of each (negative: given), h units added to on_hand of each (absent: none), and where
-- they apply: q counters changed (a commit and a prepare leave them to their orders), i orders, o their outcomes as weighed,
-- x a transition, p orders whose parts changed, a attempts, m a movement, k its type, r a reason, f what a repair set.
-- `meta` keeps the number of the last one, and the sums of `free` and `on_hand` that all of them lead to; and, as
-- `counted:` and a warehouse's number, when (in ms since 1970) any of its stock in this partition was last counted.

local VERSION = 6
local DIGEST = '@DIGEST@' -- put in by the loader: tells two texts of one version apart

local HEAD = '>BBI4I8I8'
local HEAD_BYTES = 22
local FINGERPRINT_BYTES = 16
local FORMAT = 2
local RESERVED, CONFIRMED, PARTIALLY_SHIPPED, SHIPPED, RELEASED, EXPIRED, BACKORDERED = 1, 2, 3, 4, 5, 6, 7

local WAREHOUSES_MAX = 4096
local CHANNEL = 68719476736 -- 2^36

-- Arguments of one variadic command: Lua's C stack ends at 8,000, and the processor's cache before (4,000: 15% slower).
local CHUNK = 1000

-- How long the process that decided an order has to tell the other partitions itself, before any other does.
local FOLLOW_MS = 1000

local STALE = 'STALEEPOCH the store was emptied or exchanged, or its functions were, since it was loaded'

-- Begins every epoch. Callers send theirs with each call, so that those of another version, which mean other things by
-- their arguments, are refused from the very call on that meets this text.
local MARK = VERSION .. '.'

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

-- As numbers, 0 where absent. O(fields).
local function read_numbers(key, fields)
  local values = read_fields(key, fields)
  for i = 1, #fields do values[i] = tonumber(values[i]) or 0 end
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

-- A number as a field name.
local function name_of(number)
  return string.format('%.0f', number)
end

-- The id of the newest event, so that levels read now can be placed among the events. O(1).
local function newest_event(events)
  local newest = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)
  if newest[1] then return newest[1][1] end
  return '0-0'
end

-- Whether a value is a flat list of pairs of numbers.
local function are_pairs(flat)
  if type(flat) ~= 'table' or #flat % 2 == 1 then return false end
  for i = 1, #flat do
    if type(flat[i]) ~= 'number' then return false end
  end
  return true
end

-- The body of a record; nil where it cannot be read: an audit names such a record, and nothing else may trip over it.
local function read_body(record)
  local readable, body = pcall(cmsgpack.unpack, string.sub(record, HEAD_BYTES + FINGERPRINT_BYTES + 1))
  if not readable or type(body) ~= 'table' then return nil end
  for _, part in ipairs({ 1, 2, 3, 7, 8 }) do
    if type(body[part]) ~= 'table' then return nil end
  end
  -- All that a function reckons with: one that stopped at a strange record half way would leave what came before it.
  for _, shipment in ipairs(body[1]) do
    if type(shipment) ~= 'table' or not are_pairs(shipment[4]) then return nil end
  end
  for _, counter in ipairs(body[3]) do
    if type(counter) ~= 'table' or type(counter[1]) ~= 'string' or type(counter[2]) ~= 'number' then return nil end
  end
  return are_pairs(body[7]) and body or nil
end

-- The part of a record that a change of status leaves as it is.
local function fingerprint_of(record)
  return string.sub(record, HEAD_BYTES + 1, HEAD_BYTES + FINGERPRINT_BYTES)
end

local function is_marked(epoch)
  return string.sub(epoch, 1, #MARK) == MARK
end

local function stale(meta, epoch)
  return redis.call('HGET', meta, 'epoch') ~= epoch or not is_marked(epoch)
end

-- Makes an epoch where there is none, and marks one that another version made.
local function mark_epoch(meta, candidate)
  local epoch = redis.call('HGET', meta, 'epoch') or candidate
  if not is_marked(epoch) then epoch = MARK .. string.gsub(epoch, '^%d+%.', '') end
  redis.call('HSET', meta, 'epoch', epoch)
  return epoch
end


-- A change under way. Cells are gathered while it is decided; `finish` writes them with their event, or nothing at all.

-- Begins a change; nil when the epoch is another. ARGV of each function begin with 1 epoch, 2 writer.
local function begin(keys, args)
  local meta = redis.call('HMGET', keys[META], 'epoch', 'sequence', 'free_total', 'on_hand_total', 'partitions', 'partition')
  if meta[1] ~= args[1] or not is_marked(args[1]) then return nil end
  return {
    keys = keys, writer = args[2],
    sequence = tonumber(meta[2]) or 0, free_total = tonumber(meta[3]) or 0, on_hand_total = tonumber(meta[4]) or 0,
    partitions = tonumber(meta[5]) or 1, partition = tonumber(meta[6]) or 0,
    cells = {}, taken = {}, counted = {}, place = {}, counters = {},
  }
end

-- Whether a cell is of this partition.
local function owns(change, cell)
  return change.partitions == 1 or math.floor(cell % CHANNEL / WAREHOUSES_MAX) % change.partitions == change.partition
end

-- Whether a counter is of this partition.
local function owns_counter(change, name)
  return change.partitions == 1 or tonumber(string.match(name, '%d+')) % change.partitions == change.partition
end

-- Takes units from what is free in a cell (negative: gives them), and adds some to what is on hand.
local function take(change, cell, units, on_hand)
  local place = change.place[cell]
  if not place then
    place = #change.cells + 1
    change.place[cell] = place
    change.cells[place] = name_of(cell)
    change.taken[place], change.counted[place] = 0, 0
  end
  change.taken[place] = change.taken[place] + units
  change.counted[place] = change.counted[place] + (on_hand or 0)
end

-- As `take` for many cells at once, each named once and none before. `on_hand` is what each had, where that was read.
local function take_all(change, cells, taken, counted, on_hand)
  change.cells, change.taken, change.counted, change.on_hand = cells, taken, counted, on_hand
end

-- Adds to a counter.
local function count(change, name, units)
  change.counters[name] = (change.counters[name] or 0) + units
end

-- The first cell of which more is taken than it has, as a number; nil when there is none. What is only given, or was short
-- before, is no hindrance. Reads the levels that `finish` writes. O(cells).
local function short_of(change)
  change.levels = read_numbers(change.keys[FREE], change.cells)
  for c = 1, #change.cells do
    if change.taken[c] > 0 and change.taken[c] > change.levels[c] then return tonumber(change.cells[c]) end
  end
  return nil
end

-- Puts an event behind all others and counts it. `fields` is its own part: name, value, ... O(1).
local function append(change, kind, taken_total, counted_total, fields)
  local sequence = change.sequence + 1
  redis.call('HSET', change.keys[META], 'sequence', sequence,
    'free_total', change.free_total - taken_total, 'on_hand_total', change.on_hand_total + counted_total)
  change.sequence, change.free_total = sequence, change.free_total - taken_total
  change.on_hand_total = change.on_hand_total + counted_total
  return redis.call('XADD', change.keys[EVENTS], '*', 'n', sequence, 't', kind, 'w', change.writer, unpack(fields))
end

-- Notes when stock of warehouses was counted. O(cells).
local function note_count(keys, cells)
  local now, noted, writes = now_ms(), {}, {}
  for c = 1, #cells do
    local warehouse = tonumber(cells[c]) % WAREHOUSES_MAX
    if not noted[warehouse] then
      noted[warehouse] = true
      writes[#writes + 1] = 'counted:' .. name_of(warehouse)
      writes[#writes + 1] = now
    end
  end
  write_fields(keys[META], writes)
end

-- Writes what was gathered, with its event; returns the event's id. O(cells + counters).
local function finish(change, kind, fields)
  local keys, cells = change.keys, change.cells
  local levels = change.levels or read_numbers(keys[FREE], cells)
  local taken, counted, on_hand = change.taken, change.counted, change.on_hand
  local free_writes, on_hand_writes, writes, taken_total, counted_total = {}, {}, 0, 0, 0
  change.levels = levels
  for c = 1, #cells do
    local less, more = taken[c], counted[c]
    free_writes[2 * c - 1], free_writes[2 * c] = cells[c], levels[c] - less
    taken_total, counted_total = taken_total + less, counted_total + more
    if more ~= 0 and on_hand then
      on_hand_writes[writes + 1], on_hand_writes[writes + 2] = cells[c], (on_hand[c] or 0) + more
      writes = writes + 2
    elseif more ~= 0 then
      redis.call('HINCRBY', keys[ON_HAND], name_of(tonumber(cells[c]) % CHANNEL), more)
    end
  end
  write_fields(keys[FREE], free_writes)
  write_fields(keys[ON_HAND], on_hand_writes)
  if kind == 'count' then note_count(keys, cells) end
  local counters = {}
  for name, units in pairs(change.counters) do
    if units ~= 0 then
      redis.call('HINCRBY', keys[COUNTERS], name, units)
      counters[#counters + 1] = name
    end
  end
  local event = { 'c', cmsgpack.pack(cells), 'd', cmsgpack.pack(taken) }
  for c = 1, #cells do
    if counted[c] ~= 0 then
      event[5], event[6] = 'h', cmsgpack.pack(counted)
      break
    end
  end
  if #counters > 0 then
    event[#event + 1], event[#event + 2] = 'q', cmsgpack.pack(counters)
  end
  for i = 1, #fields do event[#event + 1] = fields[i] end
  return append(change, kind, taken_total, counted_total, event)
end

-- What `finish` left free in each cell, as MessagePack. O(cells).
local function pack_levels(change)
  local levels, before, taken = {}, change.levels, change.taken
  for c = 1, #before do levels[c] = before[c] - taken[c] end
  return cmsgpack.pack(levels)
end


-- stockade_version: KEYS none. Returns {version, digest}. O(1).
local function version()
  return { VERSION, DIGEST }
end

-- stockade_open: makes a partition if there is none, and gives its caller a generation of its own, in which alone its
-- commits count from here on. One that was sent before and comes later is refused.
-- KEYS the partition's. ARGV 1 candidate epoch, 2 writer, 3 partitions, 4 this one's number.
-- Returns {epoch, partitions, generation, ticket of the generation before or '' (none, or too old to be kept), the newest
--      generation of all before}. O(writers).
local WRITER_KEPT_MS = 604800000
local HASHES = { META, FREE, ON_HAND, SAFETY, QUARANTINED, INBOUND, COUNTERS, ORDERS, MOVEMENTS, PARTS, TENTATIVE, WRITERS, PLANS }
local SORTED_SETS = { HOLDS, LEASES, OUTBOX, REFUSED }
local function open(keys, args)
  -- Every key exists from here on, by a field or member without a name: while a slot moves, a cluster refuses calls of which
  -- some keys are absent, and stops a function half way that sees one vanish.
  for _, key in ipairs(HASHES) do redis.call('HSETNX', keys[key], '', 0) end
  for _, key in ipairs(SORTED_SETS) do redis.call('ZADD', keys[key], '+inf', '') end
  if redis.call('EXISTS', keys[EVENTS]) == 0 then
    redis.call('XGROUP', 'CREATE', keys[EVENTS], 'open', '$', 'MKSTREAM')
    redis.call('XGROUP', 'DESTROY', keys[EVENTS], 'open')
  end
  mark_epoch(keys[META], args[1])
  redis.call('HSETNX', keys[META], 'partitions', args[3])
  redis.call('HSETNX', keys[META], 'partition', args[4])
  local now = now_ms()
  local newest = tonumber(redis.call('HGET', keys[META], 'generation')) or 0
  local generation = math.max(now, newest + 1)
  redis.call('HSET', keys[META], 'generation', generation)
  local former = redis.call('HGET', keys[WRITERS], args[2])
  local all = redis.call('HGETALL', keys[WRITERS])
  for i = 1, #all, 2 do
    local born = tonumber(string.match(all[i + 1], '^%d+'))
    if all[i] ~= '' and born < now - WRITER_KEPT_MS then redis.call('HDEL', keys[WRITERS], all[i]) end
  end
  redis.call('HSET', keys[WRITERS], args[2], name_of(generation) .. ':0')
  local meta = redis.call('HMGET', keys[META], 'epoch', 'partitions')
  return { meta[1], tonumber(meta[2]), name_of(generation), former or '', name_of(newest) }
end

redis.register_function { function_name = 'stockade_version', callback = version, flags = { 'no-writes' } }
redis.register_function('stockade_open', open)
