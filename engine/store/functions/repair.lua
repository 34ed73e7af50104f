-- Mends what an audit found, each step only where it still finds what the audit saw, and never without an event. Nothing
-- here touches what is on hand, and no record of an order is changed.

-- Events since the audit that are taken into account; a cell that more of them changed is left for the next look.
local SINCE_MAX = 50

-- What events since one took from each cell's free units; nil where they are too many. O(events * cells each).
local function taken_since(keys, event)
  local entries = redis.call('XRANGE', keys[EVENTS], '(' .. event, '+', 'COUNT', SINCE_MAX)
  if #entries == SINCE_MAX then return nil end
  local taken = {}
  for _, entry in ipairs(entries) do
    local fields = {}
    for i = 1, #entry[2], 2 do fields[entry[2][i]] = entry[2][i + 1] end
    if not fields.c or not fields.d then return nil end
    local units = cmsgpack.unpack(fields.d)
    for c, cell in ipairs(cmsgpack.unpack(fields.c)) do taken[cell] = (taken[cell] or 0) + units[c] end
  end
  return taken
end

-- stockade_repair: sets values that an audit derived.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 repairs so far, as the audit saw them, 4 the event as of which it saw the
--      books, 5 rows as MessagePack [[what, name, seen, set], ...]:
--        free     a cell, by its number     units seen, units to set: both less what events took since
--        counter  a counter                 the same
--        hold     an order                  as its record says by now, whatever was seen
--        lease    an attempt                the same: ends now where something is held for it, else it is removed
--        part     an order                  bytes seen ('' for none), bytes to set; takes and gives nothing
--        total    free_total, on_hand_total what events lead to, less what all cells say: added, as the sale goes on
-- Returns one letter a row: A set, S it is another by now, or right already; '' where somebody repaired meanwhile, and then
-- nothing was done. O(rows).
local function repair(keys, args)
  local change = begin(keys, args)
  if not change then return redis.error_reply(STALE) end
  local repairs = tonumber(redis.call('HGET', keys[META], 'repairs')) or 0
  if repairs ~= tonumber(args[3]) then return '' end
  local letters, ids, parts, attempts, set = {}, {}, {}, {}, {}
  local taken = taken_since(keys, args[4])
  local steps = {}
  function steps.free(name, seen, to)
    local found = redis.call('HGET', keys[FREE], name)
    if not taken or (found or '0') ~= name_of(seen - (taken[name] or 0)) then return false end
    take(change, tonumber(name), seen - to)
    return true
  end
  function steps.counter(name, seen, to)
    local found = redis.call('HGET', keys[COUNTERS], name)
    if (found or '0') ~= name_of(seen) then return false end
    count(change, name, to - seen)
    return true
  end
  function steps.hold(id)
    local order, score = read_order(keys, id), redis.call('ZSCORE', keys[HOLDS], id)
    local waits = order and order.status == RESERVED and order.expires_ms or nil
    local unreadable = not order and redis.call('HEXISTS', keys[ORDERS], id) == 1
    if unreadable or (score and tonumber(score) or nil) == waits then return false end
    if waits then
      redis.call('ZADD', keys[HOLDS], waits, id)
    else
      redis.call('ZREM', keys[HOLDS], id)
    end
    ids[#ids + 1] = id
    return true
  end
  function steps.lease(attempt)
    local held, leased = redis.call('HEXISTS', keys[TENTATIVE], attempt) == 1, redis.call('ZSCORE', keys[LEASES], attempt)
    if held == (leased and true or false) then return false end
    if held then
      redis.call('ZADD', keys[LEASES], now_ms(), attempt)
    else
      redis.call('ZREM', keys[LEASES], attempt)
    end
    attempts[#attempts + 1] = attempt
    return true
  end
  function steps.part(id, seen, to)
    if (redis.call('HGET', keys[PARTS], id) or '') ~= seen then return false end
    redis.call('HSET', keys[PARTS], id, to)
    parts[#parts + 1] = id
    return true
  end
  function steps.total(name, seen, to)
    change[name] = change[name] + to - seen
    return true
  end
  for i, row in ipairs(cmsgpack.unpack(args[5])) do
    local done = steps[row[1]](row[2], row[3], row[4])
    letters[i] = done and 'A' or 'S'
    if done then set[#set + 1] = row[1] == 'part' and { row[1], row[2] } or row end
  end
  if #set > 0 then
    redis.call('HSET', keys[META], 'repairs', repairs + 1)
    finish(change, 'repair', {
      'i', cmsgpack.pack(ids), 'p', cmsgpack.pack(parts), 'a', cmsgpack.pack(attempts), 'r', 'repair',
      'f', cmsgpack.pack(set),
    })
  end
  return table.concat(letters)
end

redis.register_function('stockade_repair', repair)
