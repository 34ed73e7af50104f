-- Stock that comes, goes and is counted. Each movement has an id and one effect.

-- stockade_set_stock: sets counts; every row or none.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 cells, 4 on_hand per cell, 5 safety per cell (-1: as it is), MessagePack.
-- Returns {event id, levels, refused}: levels is MessagePack, what is free in each cell now; refused is '' or MessagePack
--      [row, reserved, ...] (rows from 0) where a count is lower than what is reserved; then nothing was written.
--      Each cell may be named once.
-- O(cells).
local function set_stock(keys, args)
  local change = begin(keys, args)
  if not change then return redis.error_reply(STALE) end
  local cells, on_hand, safety = cmsgpack.unpack(args[3]), cmsgpack.unpack(args[4]), cmsgpack.unpack(args[5])
  local free, counted = read_numbers(keys[FREE], cells), read_numbers(keys[ON_HAND], cells)
  local kept = read_numbers(keys[SAFETY], cells)
  local refused, levels, safety_writes = {}, {}, {}
  for c = 1, #cells do
    local reserved = counted[c] - kept[c] - free[c]
    local keeps = safety[c] >= 0 and safety[c] or kept[c]
    if on_hand[c] < reserved then
      refused[#refused + 1] = c - 1
      refused[#refused + 1] = reserved
    end
    levels[c] = on_hand[c] - keeps - reserved
    take(change, tonumber(cells[c]), free[c] - levels[c], on_hand[c] - counted[c])
    if safety[c] >= 0 then
      safety_writes[#safety_writes + 1] = cells[c]
      safety_writes[#safety_writes + 1] = keeps
    end
  end
  if #refused > 0 then return { '', '', cmsgpack.pack(refused) } end
  write_fields(keys[SAFETY], safety_writes)
  -- A cell that was counted exists, even with nothing in it.
  for c = 1, #cells do
    if on_hand[c] == 0 then redis.call('HSETNX', keys[ON_HAND], cells[c], 0) end
  end
  return { finish(change, 'count', {}), cmsgpack.pack(levels), '' }
end

redis.register_function('stockade_set_stock', set_stock)
