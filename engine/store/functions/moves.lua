-- Movements and counts whose rows are of several partitions, or not of their home: every row or none.
--
--   prepare   every partition that has rows weighs them, takes what they take from what is free, and keeps the rest for a
--             lease: `tentative` [movement id, home, [cell, units taken, ...], {}, effects, kind, reason]. Until this is
--             settled no other movement may change these cells ('@' cell in `movements`), so whatever was weighed stays
--             true; only orders take from them, and what they take or ship is a difference that does not mind
--   decide    the home keeps the movement's fingerprint and this attempt: the one decision
--   apply     every partition does the rest
--   drop      or, where it was not decided, gives back what it took
--   refuse    a lease ran out: the home says whether it decided, and if not, that attempt can never be decided for
--
-- The length of what is kept tells a movement's attempt from an order's, which partitions.lua settles.

-- What is kept of an attempt at a movement, which is forgotten with the marks of its cells; nil where there is none.
local function end_move(keys, attempt)
  local kept = end_attempt(keys, attempt)
  if not kept then return nil end
  local cells = kept[5][1]
  for from = 1, #cells, CHUNK do
    local names = {}
    for c = from, math.min(from + CHUNK - 1, #cells) do names[#names + 1] = '@' .. cells[c] end
    redis.call('HDEL', keys[MOVEMENTS], unpack(names))
  end
  return kept
end

-- stockade_prepare_move: weighs this partition's rows of a movement, and takes what they take for a lease.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 movement id, 4 home, 5 attempt, 6 kind (or `count`), 7 reason, 8 rows, or
--      of a count [cells, on_hand, safety], 9 units that a cell may hold, 10 arrivals that may be open, 11 lease in ms.
-- Returns {letter, refusal}: A prepared, N refused, P a cell is being changed by another movement. O(rows).
local function prepare_move(keys, args)
  local change = begin(keys, args)
  if not change then return redis.error_reply(STALE) end
  local attempt, rows = args[5], cmsgpack.unpack(args[8])
  local effects, refused
  if args[6] == 'count' then
    effects, refused = weigh_counts(keys, rows[1], rows[2], rows[3])
  else
    effects, refused = weigh_move(change, args[6], rows, args[9], args[10])
  end
  if undecided(change, effects[1]) then return { 'P', '' } end
  if #refused > 0 then return { 'N', cmsgpack.pack(refused) } end
  local marks, held = {}, {}
  for c, cell in ipairs(effects[1]) do
    marks[2 * c - 1], marks[2 * c] = '@' .. cell, attempt
    if effects[2][c] > 0 then
      held[#held + 1] = tonumber(cell)
      held[#held + 1] = effects[2][c]
      take(change, tonumber(cell), effects[2][c])
    end
  end
  write_fields(keys[MOVEMENTS], marks)
  redis.call('HSET', keys[TENTATIVE], attempt,
    cmsgpack.pack({ args[3], tonumber(args[4]), held, {}, effects, args[6], args[7] }))
  redis.call('ZADD', keys[LEASES], now_ms() + tonumber(args[11]), attempt)
  finish(change, 'prepare_move', { 'm', args[3], 'a', cmsgpack.pack({ attempt }) })
  return { 'A', '' }
end

-- stockade_known_move: what the home knows of a movement. KEYS the home's. ARGV 1 epoch, 2 writer, 3 movement id,
--      4 fingerprint. Returns R it was done, C another has its id, or ''. O(1).
local function known_move(keys, args)
  if stale(keys[META], args[1]) then return redis.error_reply(STALE) end
  return known_as(keys, args[3], args[4], '') or ''
end

-- stockade_decide_move: the one decision. KEYS the home's. ARGV 1 epoch, 2 writer, 3 movement id, 4 fingerprint, 5 attempt.
-- Returns A decided for this attempt, R for another, C another movement has its id, X the attempt was refused. O(1).
local function decide_move(keys, args)
  if stale(keys[META], args[1]) then return redis.error_reply(STALE) end
  local known = known_as(keys, args[3], args[4], args[5])
  if known then return known end
  if redis.call('ZSCORE', keys[REFUSED], args[5]) then return 'X' end
  redis.call('HSET', keys[MOVEMENTS], '=' .. args[3], args[4] .. args[5])
  return 'A'
end

-- stockade_apply_move: does the rest of an attempt that its home decided for.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 attempt, 4 a movement to forget here, which all partitions have done and
--      nobody can ask for again, or ''.
-- Returns {event id, cells, levels} as `move` does, '' where there is nothing to be done. O(cells).
local function apply_move(keys, args)
  local change = begin(keys, args)
  if not change then return redis.error_reply(STALE) end
  if args[4] ~= '' then redis.call('HDEL', keys[MOVEMENTS], '=' .. args[4]) end
  local kept = end_move(keys, args[3])
  if not kept then return { '', '', '' } end
  local effects, kind = kept[5], kept[6]
  local fields = { 'm', kept[1], 'k', kind, 'r', kept[7], 'a', cmsgpack.pack({ args[3] }) }
  local event = do_effects(change, effects, true, kind == 'count' and 'count' or 'move', fields)
  return { event, cmsgpack.pack(effects[1]), pack_levels(change) }
end

-- stockade_drop_move: gives back what an attempt took that its home did not decide for. KEYS the partition's. ARGV 1 epoch,
--      2 writer, 3 attempt. Returns {event id, cells, levels} as above. O(cells).
local function drop_move(keys, args)
  local change = begin(keys, args)
  if not change then return redis.error_reply(STALE) end
  local kept = end_move(keys, args[3])
  if not kept then return { '', '', '' } end
  for i = 1, #kept[3], 2 do take(change, kept[3][i], -kept[3][i + 1]) end
  local event = finish(change, 'drop_move', { 'm', kept[1], 'a', cmsgpack.pack({ args[3] }) })
  return { event, cmsgpack.pack(change.cells), pack_levels(change) }
end

-- stockade_refuse_moves: what the home decided of attempts whose lease ran out; those that it did not decide for are refused
-- for ever. KEYS the home's. ARGV 1 epoch, 2 writer, 3 [movement id, attempt, ...]. Returns 1 where decided, else 0, for
-- each. O(attempts).
local function refuse_moves(keys, args)
  if stale(keys[META], args[1]) then return redis.error_reply(STALE) end
  local rows, answers, now = cmsgpack.unpack(args[3]), {}, now_ms()
  for i = 1, #rows, 2 do
    local kept = redis.call('HGET', keys[MOVEMENTS], '=' .. rows[i])
    if kept and string.sub(kept, FINGERPRINT_BYTES + 1) == rows[i + 1] then
      answers[#answers + 1] = 1
    else
      redis.call('ZADD', keys[REFUSED], now, rows[i + 1])
      answers[#answers + 1] = 0
    end
  end
  redis.call('ZREMRANGEBYSCORE', keys[REFUSED], '-inf', now - REFUSED_KEPT_MS)
  return answers
end

redis.register_function('stockade_prepare_move', prepare_move)
redis.register_function { function_name = 'stockade_known_move', callback = known_move, flags = { 'no-writes' } }
redis.register_function('stockade_decide_move', decide_move)
redis.register_function('stockade_apply_move', apply_move)
redis.register_function('stockade_drop_move', drop_move)
redis.register_function('stockade_refuse_moves', refuse_moves)
