-- Whole numbers as bytes in network order, and back: what MessagePack and structs are made of.

local server = ...
local byte, char, floor, error = string.byte, string.char, math.floor, error

local MISSING = 'Missing bytes in input.'

-- Writing. `char` drops what is behind the point. Negative numbers stand as their complement.
local function u16(n) return char(n / 0x100 % 256, n % 256) end

local function u32(n) return char(n / 0x1000000 % 256, n / 0x10000 % 256, n / 0x100 % 256, n % 256) end

local function u64(n)
  local high = floor(n / 0x100000000)
  return char(high / 0x1000000 % 256, high / 0x10000 % 256, high / 0x100 % 256, high % 256,
    n / 0x1000000 % 256, n / 0x10000 % 256, n / 0x100 % 256, n % 256)
end

-- Reading size bytes at a place.
local function need(text, last)
  if last > #text then error(MISSING, 0) end
end

local read_unsigned, read_signed

function read_unsigned(text, at, size)
  need(text, at + size - 1)
  if size == 1 then return byte(text, at) end
  if size == 4 then
    local a, b, c, d = byte(text, at, at + 3)
    return ((a * 256 + b) * 256 + c) * 256 + d
  end
  if size == 8 then
    -- In two halves: only their sum is rounded, and only once.
    local a, b, c, d, e, f, g, h = byte(text, at, at + 7)
    return (((a * 256 + b) * 256 + c) * 256 + d) * 0x100000000 + (((e * 256 + f) * 256 + g) * 256 + h)
  end
  local number = 0
  for i = at, at + size - 1 do number = number * 256 + byte(text, i) end
  return number
end

function read_signed(text, at, size)
  if size > 4 then return read_signed(text, at, size - 4) * 0x100000000 + read_unsigned(text, at + size - 4, 4) end
  local number = read_unsigned(text, at, size)
  return number < 2 ^ (8 * size - 1) and number or number - 2 ^ (8 * size)
end

server.u16, server.u32, server.u64 = u16, u32, u64
server.need, server.read_unsigned, server.read_signed, server.MISSING = need, read_unsigned, read_signed, MISSING
