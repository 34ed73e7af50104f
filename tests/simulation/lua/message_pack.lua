-- `cmsgpack` as the servers have it: 32-bit floats where they lose nothing, no binary and no extension types,
-- several values in one text read as several results. A map is packed in one order of keys, where the servers take any.

local server = ...
local byte, char, sub = string.byte, string.char, string.sub
local floor, frexp, huge, ldexp = math.floor, math.frexp, math.huge, math.ldexp
local concat, error, next, select, tostring, type, unpack =
  table.concat, error, next, select, tostring, type, unpack

local u16, u32, u64 = server.u16, server.u32, server.u64
local need, read_unsigned, read_signed, MISSING = server.need, server.read_unsigned, server.read_signed, server.MISSING

local NESTING_MAX = 16
local BAD = 'Bad data format in input.'

local SINGLE = {}
for n = 0, 255 do SINGLE[n] = char(n) end

-- Packing. The pieces of the text under way; nothing that runs in between packs another one.
local parts, count = {}, 0

-- A float of `mantissa` bits and a bias as bytes; nil where it would lose something.
local function ieee(number, sign, bias, mantissa)
  local fraction, exponent = frexp(number)
  local biased, scaled = exponent + bias - 1, fraction * 2 ^ (mantissa + 1)
  if biased <= 0 then
    biased, scaled = 0, ldexp(scaled, biased - 1)
  else
    scaled = scaled - 2 ^ mantissa
  end
  if biased > 2 * bias or scaled ~= floor(scaled) then return nil end
  local high = (sign * (2 * bias + 2) + biased) -- what stands before the mantissa
  if mantissa == 23 then return '\202' .. u32(high * 2 ^ 23 + scaled) end
  return '\203' .. u32(high * 2 ^ 20 + floor(scaled / 2 ^ 32)) .. u32(scaled % 2 ^ 32)
end

local function float_text(n)
  if n ~= n then return '\203\255\248\0\0\0\0\0\0' end
  if n == huge then return '\202\127\128\0\0' elseif n == -huge then return '\202\255\128\0\0' end
  local sign, size = n < 0 and 1 or 0, n < 0 and -n or n
  return ieee(size, sign, 127, 23) or ieee(size, sign, 1023, 52)
end

local function number_text(n)
  if n ~= floor(n) or n >= 2 ^ 63 or n < -2 ^ 63 then return float_text(n) end
  if n >= 0 then
    if n < 128 then return SINGLE[n] end
    if n < 0x100 then return '\204' .. SINGLE[n] end
    if n < 0x10000 then return '\205' .. u16(n) end
    if n < 0x100000000 then return '\206' .. u32(n) end
    return '\207' .. u64(n)
  end
  if n >= -32 then return SINGLE[n + 256] end
  if n >= -0x80 then return '\208' .. SINGLE[n + 0x100] end
  if n >= -0x8000 then return '\209' .. u16(n) end
  if n >= -0x80000000 then return '\210' .. u32(n) end
  return '\211' .. u64(n)
end

local function text_head(size)
  if size < 32 then return SINGLE[0xa0 + size] end
  if size < 0x100 then return '\217' .. SINGLE[size] end
  if size < 0x10000 then return '\218' .. u16(size) end
  return '\219' .. u32(size)
end

local function table_head(short, long, size)
  if size < 16 then return SINGLE[short + size] end
  if size < 0x10000 then return SINGLE[long] .. u16(size) end
  return SINGLE[long + 1] .. u32(size)
end

-- How many elements an array has; nil for what is no array, and how many keys that has.
local function array_size(map)
  local size, top, plain = 0, 0, true
  for key in next, map do
    size = size + 1
    if type(key) ~= 'number' or key <= 0 or key ~= floor(key) then plain = false elseif key > top then top = key end
  end
  return plain and top == size, size
end

local function put(value, level)
  local kind = type(value)
  count = count + 1
  if kind == 'number' then
    parts[count] = number_text(value)
  elseif kind == 'string' then
    parts[count] = text_head(#value)
    count = count + 1
    parts[count] = value
  elseif kind == 'boolean' then
    parts[count] = value and '\195' or '\194'
  elseif kind == 'table' and level < NESTING_MAX then
    local is_array, size = array_size(value)
    if is_array then
      parts[count] = table_head(0x90, 0xdc, size)
      for i = 1, size do put(value[i], level + 1) end
    else
      parts[count] = table_head(0x80, 0xde, size)
      for _, key in ipairs(server.ordered_keys(value)) do
        put(key, level + 1)
        put(value[key], level + 1)
      end
    end
  else
    parts[count] = '\192'
  end
end

local function pack(...)
  count = 0
  local given = select('#', ...)
  if given == 0 then error("bad argument #0 to '?' (MessagePack pack needs input.)", 0) end
  for i = 1, given do put((select(i, ...)), 0) end
  return concat(parts, '', 1, count)
end

-- Unpacking. Each reader takes the text and a place in it, and gives the value and the place behind.
local function read_float(text, at, size, bias, mantissa)
  need(text, at + size - 1)
  local high = byte(text, at) * 256 + byte(text, at + 1)
  local tail_bits = mantissa - (size - 2) * 8
  local rest = high % 2 ^ tail_bits
  for i = at + 2, at + size - 1 do rest = rest * 256 + byte(text, i) end
  local sign, biased = high >= 0x8000 and -1 or 1, floor(high % 0x8000 / 2 ^ tail_bits)
  if biased == 2 * bias + 1 then return rest == 0 and sign * huge or huge - huge end
  if biased == 0 then return sign * ldexp(rest, 1 - bias - mantissa) end
  return sign * ldexp(rest + 2 ^ mantissa, biased - bias - mantissa)
end

local function read_text(text, at, size)
  need(text, at + size - 1)
  return sub(text, at, at + size - 1), at + size
end

local read

local function read_array(text, at, size)
  local list, length = {}, #text
  for i = 1, size do
    local tag = byte(text, at)
    if tag and tag < 0x80 then
      list[i], at = tag, at + 1
    elseif tag and tag >= 0xa0 and tag < 0xc0 then
      local last = at + tag - 0xa0
      if last > length then error(MISSING, 0) end
      list[i], at = sub(text, at + 1, last), last + 1
    else
      list[i], at = read(text, at)
    end
  end
  return list, at
end

local function read_map(text, at, size)
  local map = {}
  for _ = 1, size do
    local key, value
    key, at = read(text, at)
    value, at = read(text, at)
    if key == nil then error('table index is nil', 0) elseif key ~= key then error('table index is NaN', 0) end
    map[key] = value
  end
  return map, at
end

local SIZED = { -- tag -> {reader, bytes of the size}
  [0xd9] = { read_text, 1 }, [0xda] = { read_text, 2 }, [0xdb] = { read_text, 4 },
  [0xdc] = { read_array, 2 }, [0xdd] = { read_array, 4 }, [0xde] = { read_map, 2 }, [0xdf] = { read_map, 4 },
}

function read(text, at)
  local tag = byte(text, at)
  if not tag then error(MISSING, 0) end
  at = at + 1
  if tag < 0x80 then return tag, at end
  if tag >= 0xe0 then return tag - 256, at end
  if tag >= 0xa0 and tag < 0xc0 then return read_text(text, at, tag - 0xa0) end
  if tag < 0x90 then return read_map(text, at, tag - 0x80) end
  if tag < 0xa0 then return read_array(text, at, tag - 0x90) end
  if tag >= 0xcc and tag <= 0xcf then
    local size = 2 ^ (tag - 0xcc)
    -- The servers read 64 bits as signed, whichever they are.
    return (size == 8 and read_signed or read_unsigned)(text, at, size), at + size
  end
  if tag >= 0xd0 and tag <= 0xd3 then
    local size = 2 ^ (tag - 0xd0)
    return read_signed(text, at, size), at + size
  end
  local sized = SIZED[tag]
  if sized then return sized[1](text, at + sized[2], read_unsigned(text, at, sized[2])) end
  if tag == 0xc0 then return nil, at elseif tag == 0xc2 then return false, at elseif tag == 0xc3 then return true, at end
  if tag == 0xca then return read_float(text, at, 4, 127, 23), at + 4 end
  if tag == 0xcb then return read_float(text, at, 8, 1023, 52), at + 8 end
  return error(BAD, 0)
end

local function unpack_all(text)
  if type(text) == 'number' then text = tostring(text) end
  if type(text) ~= 'string' then error("bad argument #1 to '?' (string expected, got " .. type(text) .. ')', 0) end
  local values, at, number = {}, 1, 0
  while at <= #text do
    number = number + 1
    values[number], at = read(text, at)
  end
  if number == 1 then return values[1] end
  return unpack(values, 1, number)
end

server.cmsgpack = { pack = pack, unpack = unpack_all }
