-- Stock that is counted: what is on hand, and what is kept back for safety.

-- Units in the pools of a cell. O(channels).
local function pooled_in(keys, cell)
  local names, sum = {}, 0
  for channel = 1, tonumber(redis.call('HGET', keys[META], 'pools')) or 0 do
    names[channel] = name_of(channel * CHANNEL + cell)
  end
  for _, units in ipairs(read_numbers(keys[FREE], names)) do sum = sum + units end
  return sum
end

-- Weighs counts (safety -1: as it is), each cell named once; returns their effects, what is refused, and what the cells
-- have on hand and free. O(cells).
local function weigh_counts(keys, cells, on_hand, safety)
  local free, counted = read_numbers(keys[FREE], cells), read_fields(keys[ON_HAND], cells)
  -- Most networks keep nothing back, and have only the field without a name there.
  local kept = redis.call('HLEN', keys[SAFETY]) > 1 and read_numbers(keys[SAFETY], cells) or {}
  local refused, taken, added, safer = {}, {}, {}, nil
  for c = 1, #cells do
    local had, keeps = counted[c], 0
    local more = had and on_hand[c] - had or on_hand[c]
    if safety[c] >= 0 and safety[c] ~= (kept[c] or 0) then
      keeps = safety[c] - (kept[c] or 0)
      if not safer then
        safer = {}
        for before = 1, c - 1 do safer[before] = 0 end
      end
    end
    if safer then safer[c] = keeps end
    taken[c], added[c] = keeps - more, more
    if free[c] < taken[c] then
      local pooled = pooled_in(keys, tonumber(cells[c]))
      local reserved = (tonumber(had) or 0) - (kept[c] or 0) - free[c] - pooled
      local i = #refused
      if on_hand[c] < reserved then
        refused[i + 1], refused[i + 2], refused[i + 3] = c - 1, 'B', reserved
      elseif pooled > 0 and taken[c] > 0 then
        refused[i + 1], refused[i + 2], refused[i + 3] = c - 1, 'L', pooled
      end
    end
  end
  return { cells, taken, added, safer or {}, {}, {} }, refused, counted, free
end

-- stockade_set_stock: sets counts; every row or none.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 cells, 4 on_hand per cell, 5 safety per cell (-1: as it is), MessagePack.
-- Returns {event id, levels, refused, pooled, pending}: levels is MessagePack, what is free in each cell now. Nothing was
--      written where one of the others is not '': refused is MessagePack [row, reserved, ...] (rows from 0) where a count is
--      lower than what is reserved; pooled [row, units, ...] where nothing but what is in pools could be taken; pending an
--      attempt that is changing one of the cells. Each cell may be named once.
-- O(cells).
local function set_stock(keys, args)
  local change = begin(keys, args)
  if not change then return redis.error_reply(STALE) end
  local cells = cmsgpack.unpack(args[3])
  local pending = undecided(change, cells)
  if pending then return { '', '', '', '', pending } end
  local effects, refused, counted, free = weigh_counts(keys, cells, cmsgpack.unpack(args[4]), cmsgpack.unpack(args[5]))
  if #refused > 0 then
    local rows = { B = {}, L = {} }
    for i = 1, #refused, 3 do
      local of = rows[refused[i + 1]]
      of[#of + 1] = refused[i]
      of[#of + 1] = refused[i + 2]
    end
    return { '', '', #rows.B > 0 and cmsgpack.pack(rows.B) or '', #rows.L > 0 and cmsgpack.pack(rows.L) or '', '' }
  end
  -- A cell that was counted exists, even with nothing in it.
  local made = {}
  for c = 1, #cells do
    if not counted[c] and effects[3][c] == 0 then
      made[#made + 1] = cells[c]
      made[#made + 1] = 0
    end
  end
  write_fields(keys[ON_HAND], made)
  add_fields(keys[SAFETY], cells, effects[4])
  take_all(change, cells, effects[2], effects[3], counted)
  change.levels = free
  return { finish(change, 'count', {}), pack_levels(change), '', '', '' }
end

redis.register_function('stockade_set_stock', set_stock)
