#!lua name=agreement

-- What the comparison of the real and the simulated server runs on both.

-- A value as text, alike whatever order the keys of its tables come in.
local function canonical(value)
  if value ~= value then return 'not a number' end
  if type(value) == 'number' then return string.format('%.17g', value) end
  if type(value) ~= 'table' then return type(value) .. ' ' .. tostring(value) end
  local rows = {}
  for key, inner in pairs(value) do rows[#rows + 1] = canonical(key) .. ' = ' .. canonical(inner) end
  table.sort(rows)
  return '{' .. table.concat(rows, ', ') .. '}'
end

-- All that a call returns or raises.
local function outcome(...)
  local texts = {}
  for i = 1, select('#', ...) do texts[i] = canonical((select(i, ...))) end
  return texts
end

-- Replies whose order is the server's own affair, or that tell of its memory, as a table to compare.
local function as_map(flat)
  local map = {}
  for i = 1, #flat, 2 do map[flat[i]] = flat[i + 1] end
  return map
end

local NOT_TOLD = { 'radix-tree-keys', 'radix-tree-nodes', 'entries-read', 'lag' }

local as_told
function as_told(reply)
  if type(reply[1]) == 'table' then
    for i = 1, #reply do reply[i] = as_told(reply[i]) end
    return reply
  end
  local map = as_map(reply)
  for _, name in ipairs(NOT_TOLD) do map[name] = nil end
  return map
end

local function as_set(list)
  table.sort(list)
  return list
end

local SETTLED = { HGETALL = as_map, XINFO = as_told, SMEMBERS = as_set }
function SETTLED.HSCAN(page) return { page[1], as_map(page[2]) } end

-- ARGV 1: commands, each an array of words. Returns each reply as bytes, an error as its text.
local function run(keys, args)
  local replies = {}
  for i, words in ipairs(cmsgpack.unpack(args[1])) do
    local reply = redis.pcall(unpack(words))
    if type(reply) == 'table' and reply.err then
      replies[i] = 'error: ' .. reply.err
    else
      local settle = SETTLED[words[1]]
      replies[i] = settle and canonical(settle(reply)) or cmsgpack.pack(reply)
    end
  end
  return replies
end

redis.register_function('agreement_run', run)

-- No tail call: where that is one, the line is lost.
local function one(keys, args)
  local reply = redis.call(unpack(cmsgpack.unpack(args[1])))
  return reply
end

redis.register_function('agreement_call', one)
redis.register_function { function_name = 'agreement_look', callback = one, flags = { 'no-writes' } }
redis.register_function('agreement_echo', function(keys, args) return cmsgpack.unpack(args[1]) end)
redis.register_function('agreement_error', function(keys, args) return redis.error_reply(args[1]) end)
redis.register_function('agreement_stumble', function(keys, args) return nil .. args[1] end)
redis.register_function('agreement_pack', function(keys, args) return cmsgpack.pack(cmsgpack.unpack(args[1])) end)
redis.register_function('agreement_unpack', function(keys, args) return outcome(pcall(cmsgpack.unpack, args[1])) end)
redis.register_function('agreement_deep', function(keys, args)
  local nested = {}
  for _ = 1, tonumber(args[1]) do nested = { nested } end
  return cmsgpack.pack(nested)
end)
redis.register_function('agreement_struct_pack', function(keys, args)
  return outcome(pcall(struct.pack, args[1], cmsgpack.unpack(args[2])))
end)
redis.register_function('agreement_struct_unpack', function(keys, args)
  return outcome(pcall(struct.unpack, args[1], args[2]))
end)
