-- Sorted sets: scores by member, and the members in order of score and name.

local server = ...
local define, read, write, raise = server.define, server.read, server.write, server.raise
local need_whole, number_text = server.need_whole, server.number_text
local floor, huge, insert, remove, tonumber = math.floor, math.huge, table.insert, table.remove, tonumber

local INFINITE = { ['inf'] = huge, ['+inf'] = huge, ['-inf'] = -huge, ['infinity'] = huge, ['-infinity'] = -huge }

local function to_score(text)
  return INFINITE[text:lower()] or (not text:find('^%s') and not text:find('%s$') and tonumber(text)) or nil
end

local function score_text(score)
  if score == huge then return 'inf' elseif score == -huge then return '-inf' end
  return number_text(score)
end

local function new_sorted_set() return { kind = 'zset', scores = {}, members = {} } end

-- The place of the first member that does not come before (score, member). O(log members).
local function place(set, score, member)
  local low, high = 1, #set.members + 1
  while low < high do
    local middle = floor((low + high) / 2)
    local other = set.members[middle]
    local other_score = set.scores[other]
    if other_score < score or (other_score == score and other < member) then low = middle + 1 else high = middle end
  end
  return low
end

local function take_out(set, member)
  remove(set.members, place(set, set.scores[member], member))
  set.scores[member] = nil
end

local function drop_if_empty(key, set)
  if #set.members == 0 then server.keys[key] = nil end
end

define('ZADD', -4, true, function(words, count)
  local at, options = 3, {}
  while true do
    local option = words[at]:upper()
    if option == 'INCR' then server.unsupported(words, at) end
    if option ~= 'NX' and option ~= 'XX' and option ~= 'GT' and option ~= 'LT' and option ~= 'CH' then break end
    options[option], at = true, at + 1
    if at > count then raise('ERR syntax error') end
  end
  if (count - at) % 2 == 0 then raise('ERR syntax error') end
  if options.NX and options.XX then raise('ERR XX and NX options at the same time are not compatible') end
  if (options.GT and (options.NX or options.LT)) or (options.LT and options.NX) then
    raise('ERR GT, LT, and/or NX options at the same time are not compatible')
  end
  local scores = {}
  for i = at, count, 2 do scores[i] = to_score(words[i]) or raise('ERR value is not a valid float') end
  local set, added, changed = write(words[2], 'zset', new_sorted_set), 0, 0
  for i = at, count, 2 do
    local score, member = scores[i], words[i + 1]
    local old = set.scores[member]
    if not old then
      if not options.XX then
        insert(set.members, place(set, score, member), member)
        set.scores[member], added = score, added + 1
      end
    elseif old ~= score and not options.NX and not (options.GT and score < old) and not (options.LT and score > old) then
      take_out(set, member)
      insert(set.members, place(set, score, member), member)
      set.scores[member], changed = score, changed + 1
    end
  end
  drop_if_empty(words[2], set)
  return options.CH and added + changed or added
end)

define('ZREM', -3, true, function(words, count)
  local set, gone = write(words[2], 'zset'), 0
  if not set then return 0 end
  for i = 3, count do
    if set.scores[words[i]] then
      take_out(set, words[i])
      gone = gone + 1
    end
  end
  drop_if_empty(words[2], set)
  return gone
end)

define('ZCARD', 2, false, function(words)
  local set = read(words[2], 'zset')
  return set and #set.members or 0
end)

define('ZSCORE', 3, false, function(words)
  local set = read(words[2], 'zset')
  local score = set and set.scores[words[3]]
  return score and score_text(score) or false
end)

local function rows(set, first, last, step, with_scores)
  local flat, count = {}, 0
  for i = first, last, step do
    local member = set.members[i]
    count = count + 1
    flat[count] = member
    if with_scores then
      count = count + 1
      flat[count] = score_text(set.scores[member])
    end
  end
  return flat
end

define('ZRANGE', -4, false, function(words, count)
  local with_scores, reversed = false, false
  for i = 5, count do
    local option = words[i]:upper()
    if option == 'WITHSCORES' then with_scores = true elseif option == 'REV' then reversed = true
    else server.unsupported(words, i) end
  end
  local first, last, set = need_whole(words[3]), need_whole(words[4]), read(words[2], 'zset')
  if not set then return {} end
  local size = #set.members
  if first < 0 then first = math.max(0, first + size) end
  if last < 0 then last = last + size end
  last = math.min(last, size - 1)
  if reversed then return rows(set, size - first, size - last, -1, with_scores) end
  return rows(set, first + 1, last + 1, 1, with_scores)
end)

local function to_bound(text)
  local exclusive = text:sub(1, 1) == '('
  if exclusive then text = text:sub(2) end
  local score = text == '' and 0 or to_score(text) or raise('ERR min or max is not a float')
  return score, exclusive
end

-- The interval of scores that words[3] and words[4] name, as a function of a set: its first place, and whether a score
-- is still in it.
local function to_interval(words)
  local low, above = to_bound(words[3])
  local high, below = to_bound(words[4])
  local function first_of(set)
    local first = place(set, low, '')
    while above and set.members[first] and set.scores[set.members[first]] == low do first = first + 1 end
    return first
  end
  return first_of, function(score) return score < high or (score == high and not below) end
end

define('ZRANGEBYSCORE', -4, false, function(words, count)
  local at, with_scores, offset, limit = 5, false, 0, -1
  while at <= count do
    local option = words[at]:upper()
    if option == 'WITHSCORES' then
      with_scores, at = true, at + 1
    elseif option == 'LIMIT' and count >= at + 2 then
      offset, limit, at = need_whole(words[at + 1]), need_whole(words[at + 2]), at + 3
    else
      raise('ERR syntax error')
    end
  end
  local first_of, within = to_interval(words)
  local set = read(words[2], 'zset')
  if not set or offset < 0 then return {} end
  local first = first_of(set) + offset
  local last = first - 1
  while set.members[last + 1] and last - first + 1 ~= limit and within(set.scores[set.members[last + 1]]) do
    last = last + 1
  end
  return rows(set, first, last, 1, with_scores)
end)

define('ZREMRANGEBYSCORE', 4, true, function(words)
  local first_of, within = to_interval(words)
  local set, gone = write(words[2], 'zset'), 0
  if not set then return 0 end
  local first = first_of(set)
  while set.members[first] and within(set.scores[set.members[first]]) do
    set.scores[remove(set.members, first)] = nil
    gone = gone + 1
  end
  drop_if_empty(words[2], set)
  return gone
end)
