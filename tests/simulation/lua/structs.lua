-- `struct` as the servers have it: whole numbers of 1 to 8 bytes, bytes, zero-ended strings; no floats, no alignment.

local server = ...
local char, find, floor, ceil, match, rep, reverse, sub =
  string.char, string.find, math.floor, math.ceil, string.match, string.rep, string.reverse, string.sub
local error, tonumber, tostring, type, unpack = error, tonumber, tostring, type, unpack

local u32, u64, read_unsigned, read_signed = server.u32, server.u64, server.read_unsigned, server.read_signed

local SIZES = { b = 1, h = 2, l = 8, i = 4 }

local function bad_argument(number, why) error(("bad argument #%d to '?' (%s)"):format(number, why), 0) end

-- A format as a list of {option, size, little, signed}, read once.
local formats = {}

local function parse(text)
  local options, at, little = {}, 1, true
  while at <= #text do
    local letter = sub(text, at, at)
    at = at + 1
    local digits = ''
    if letter == 'i' or letter == 'I' or letter == 'c' then
      digits = match(text, '^%d*', at)
      at = at + #digits
    end
    local size = tonumber(digits)
    if letter == '<' or letter == '>' then
      little = letter == '<'
    elseif SIZES[letter:lower()] then
      size = size or SIZES[letter:lower()]
      if size < 1 or size > 8 then error('the simulated server packs whole numbers of 1 to 8 bytes', 0) end
      options[#options + 1] = { 'integer', size, little, letter == letter:lower() }
    elseif letter == 'c' or letter == 's' or letter == 'x' then
      options[#options + 1] = { letter, size or (letter == 's' and 0 or 1) }
    elseif letter ~= ' ' then
      options[#options + 1] = { 'unknown', 0, letter }
    end
  end
  formats[text] = options
  return options
end

local function refuse(option) bad_argument(1, ("invalid format option '%s'"):format(option[3])) end

local function need_number(value, argument)
  local number = tonumber(value)
  if not number then
    bad_argument(argument, 'number expected, got ' .. (value == nil and 'nil' or type(value)))
  end
  return number >= 0 and floor(number) or ceil(number)
end

local function need_text(value, argument)
  if type(value) == 'number' then return tostring(value) end
  if type(value) ~= 'string' then
    bad_argument(argument, 'string expected, got ' .. (value == nil and 'nil' or type(value)))
  end
  return value
end

local function pack(format, ...)
  local values, argument, parts = { ... }, 1, {}
  local options = formats[format] or parse(format)
  for o = 1, #options do
    local option = options[o]
    local kind, size, text = option[1], option[2], '\0'
    if kind == 'unknown' then refuse(option) end
    if kind == 'integer' then
      local number = need_number(values[argument], argument + 1)
      argument = argument + 1
      text = size == 8 and u64(number) or size == 4 and u32(number) or size == 1 and char(number % 256)
        or sub(u64(number), 9 - size)
      if option[3] then text = reverse(text) end
    elseif kind ~= 'x' then
      text = need_text(values[argument], argument + 1)
      argument = argument + 1
      if size > #text then bad_argument(argument + 1, 'string too short') end
      if size > 0 then text = sub(text, 1, size) end
      if kind == 's' then text = text .. '\0' end
    end
    parts[o] = text
  end
  return table.concat(parts)
end

local function read_integer(option, text, at)
  local size = option[2]
  if option[3] then text, at = reverse(sub(text, at, at + size - 1)), 1 end
  return (option[4] and read_signed or read_unsigned)(text, at, size)
end

local function unpack_struct(format, text, from)
  local values, count, at = {}, 0, from or 1
  local options = formats[format] or parse(format)
  for o = 1, #options do
    local option = options[o]
    local kind, size = option[1], option[2]
    if kind == 'unknown' then refuse(option) end
    if kind == 'c' and size == 0 then
      size = type(values[count]) == 'number' and values[count] or error("format 'c0' needs a previous size", 0)
      count = count - 1
    end
    if size < 0 or at + size - 1 > #text then bad_argument(2, 'data string too short') end
    if kind == 'integer' then
      count = count + 1
      values[count] = read_integer(option, text, at)
    elseif kind == 'c' then
      count = count + 1
      values[count] = sub(text, at, at + size - 1)
    elseif kind == 's' then
      local stop = find(text, '\0', at, true) or error('unfinished string in data', 0)
      count = count + 1
      values[count] = sub(text, at, stop - 1)
      size = stop - at + 1
    end
    at = at + size
  end
  values[count + 1] = at
  return unpack(values, 1, count + 1)
end

server.struct = { pack = pack, unpack = unpack_struct }
