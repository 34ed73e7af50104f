-- Streams. '~' trims exactly: the most that a real server, which may keep more, ever takes.

local server = ...
local define, read, write, raise = server.define, server.read, server.write, server.raise
local need_whole, number_text, unsupported = server.need_whole, server.number_text, server.unsupported
local floor, huge, match, max, tonumber = math.floor, math.huge, string.match, math.max, tonumber

local BAD_ID = 'ERR Invalid stream ID specified as stream command argument'

-- Entries stand at first..last of `entries`, each {id, {name, value, ...}, ms, seq}, never changed once written.
local function new_stream()
  return { kind = 'stream', entries = {}, first = 1, last = 0, last_ms = 0, last_seq = 0,
    deleted_ms = 0, deleted_seq = 0, added = 0, groups = {} }
end

local function id_text(ms, seq) return number_text(ms) .. '-' .. number_text(seq) end

local function parse_id(text, missing_seq)
  local ms, seq = match(text, '^(%d+)%-(%d+)$')
  if ms then return tonumber(ms), tonumber(seq) end
  if match(text, '^%d+$') then return tonumber(text), missing_seq end
  return raise(BAD_ID)
end

local function later(ms, seq, other_ms, other_seq)
  return ms > other_ms or (ms == other_ms and seq > other_seq)
end

-- The place of the first entry that is not before an id; `beyond`: that is after it. O(log entries).
local function place(stream, ms, seq, beyond)
  local low, high = stream.first, stream.last + 1
  while low < high do
    local middle = floor((low + high) / 2)
    local entry = stream.entries[middle]
    local right = later(entry[3], entry[4], ms, seq) or (not beyond and entry[3] == ms and entry[4] == seq)
    if right then high = middle else low = middle + 1 end
  end
  return low
end

-- Reads MAXLEN|MINID [=|~] threshold at words[at]; returns a function that trims, and the place behind.
local function read_trim(words, at, count)
  local by_length = words[at]:upper() == 'MAXLEN'
  at = at + 1
  if at < count and (words[at] == '=' or words[at] == '~') then at = at + 1 end
  if at > count then raise('ERR syntax error') end
  local keep, ms, seq
  if by_length then
    keep = need_whole(words[at])
    if keep < 0 then raise('ERR The MAXLEN argument must be >= 0.') end
  else
    ms, seq = parse_id(words[at], 0)
  end
  return function(stream)
    local old = stream.first
    local first = by_length and max(old, stream.last - keep + 1) or place(stream, ms, seq)
    for i = old, first - 1 do stream.entries[i] = nil end
    stream.first = first
    return first - old
  end, at + 1
end

local function new_id(stream, text)
  if text == '*' then
    if server.now_ms > stream.last_ms then return server.now_ms, 0 end
    return stream.last_ms, stream.last_seq + 1
  end
  local ms, seq
  local open_ms = match(text, '^(%d+)%-%*$')
  if open_ms then
    ms = tonumber(open_ms)
    seq = ms == stream.last_ms and stream.last_seq + 1 or 0
    if ms == 0 and seq == 0 then seq = 1 end
  else
    ms, seq = parse_id(text, 0)
  end
  if not later(ms, seq, stream.last_ms, stream.last_seq) then
    raise('ERR The ID specified in XADD is equal or smaller than the target stream top item')
  end
  return ms, seq
end

define('XADD', -5, true, function(words, count)
  local at, trim, known_only = 3, nil, false
  while at <= count and words[at] ~= '*' do
    local option = words[at]:upper()
    if option == 'NOMKSTREAM' then
      known_only, at = true, at + 1
    elseif option == 'MAXLEN' or option == 'MINID' then
      trim, at = read_trim(words, at, count)
    elseif option == 'LIMIT' then
      unsupported(words, at)
    else
      break
    end
  end
  local id = words[at] or ''
  local least_ms, least_seq = 1, 0
  if id ~= '*' and not match(id, '^%d+%-%*$') then least_ms, least_seq = parse_id(id, 0) end
  if count - at < 2 or (count - at) % 2 == 1 then raise("ERR wrong number of arguments for 'xadd' command") end
  if least_ms == 0 and least_seq == 0 then raise('ERR The ID specified in XADD must be greater than 0-0') end
  local known = read(words[2], 'stream')
  if known_only and not known then return false end
  local ms, seq = new_id(known or new_stream(), id)
  local stream = write(words[2], 'stream', new_stream)
  local fields = {}
  for i = at + 1, count do fields[i - at] = words[i] end
  local entry = { id_text(ms, seq), fields, ms, seq }
  stream.last = stream.last + 1
  stream.entries[stream.last] = entry
  stream.last_ms, stream.last_seq, stream.added = ms, seq, stream.added + 1
  if trim then trim(stream) end
  return entry[1]
end)

define('XTRIM', -4, true, function(words, count)
  local kind = words[3]:upper()
  if kind ~= 'MAXLEN' and kind ~= 'MINID' then raise('ERR syntax error') end
  local trim, behind = read_trim(words, 3, count)
  if behind <= count then unsupported(words, behind) end
  local stream = write(words[2], 'stream')
  return stream and trim(stream) or 0
end)

define('XDEL', -3, true, function(words, count)
  if not read(words[2], 'stream') then return 0 end
  local wanted, gone = {}, 0
  for i = 3, count do wanted[i] = { parse_id(words[i], 0) } end
  local stream = write(words[2], 'stream')
  for i = 3, count do
    local ms, seq = wanted[i][1], wanted[i][2]
    local at = place(stream, ms, seq)
    local entry = stream.entries[at]
    if at <= stream.last and entry[3] == ms and entry[4] == seq then
      for j = at, stream.last do stream.entries[j] = stream.entries[j + 1] end
      stream.last, gone = stream.last - 1, gone + 1
      if later(ms, seq, stream.deleted_ms, stream.deleted_seq) then stream.deleted_ms, stream.deleted_seq = ms, seq end
    end
  end
  return gone
end)

define('XLEN', 2, false, function(words)
  local stream = read(words[2], 'stream')
  return stream and stream.last - stream.first + 1 or 0
end)

local function reply_of(entry)
  local fields = {}
  for i = 1, #entry[2] do fields[i] = entry[2][i] end
  return { entry[1], fields }
end

-- One end of an interval: ms, seq, excluded.
local function bound(text, missing_seq)
  if text == '-' then return 0, 0, false elseif text == '+' then return huge, huge, false end
  local excluded = #text > 1 and text:sub(1, 1) == '('
  local ms, seq = parse_id(excluded and text:sub(2) or text, missing_seq)
  return ms, seq, excluded
end

local function ranged(from, to, reversed)
  return function(words, count)
    local low_ms, low_seq, above = bound(words[from], 0)
    local high_ms, high_seq, below = bound(words[to], huge)
    local limit = huge
    if count > 4 then
      if count ~= 6 or words[5]:upper() ~= 'COUNT' then raise('ERR syntax error') end
      limit = need_whole(words[6])
    end
    local stream = read(words[2], 'stream')
    if not stream then return {} end
    if limit <= 0 then return false end
    local first, last = place(stream, low_ms, low_seq, above), place(stream, high_ms, high_seq, not below) - 1
    local step = 1
    if reversed then first, last, step = last, first, -1 end
    local replies, number = {}, 0
    for i = first, last, step do
      if number >= limit then break end
      number = number + 1
      replies[number] = reply_of(stream.entries[i])
    end
    return replies
  end
end

define('XRANGE', -4, false, ranged(3, 4, false))
define('XREVRANGE', -4, false, ranged(4, 3, true))

server.streams = { new = new_stream, parse_id = parse_id, id_text = id_text, reply_of = reply_of }
