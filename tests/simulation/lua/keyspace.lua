-- The keyspace: which keys hold what, who may change them, and the words that commands share.
--
-- A value is a table {kind, ...} whose parts are plain: strings, numbers, or flat tables of these. A snapshot shares
-- its values with the live keyspace; `write` copies a shared one before it is changed, so that a snapshot costs one
-- step a key, and a key pays for its copy only when it is written again.

local server = ...
local floor, format, match, tostring, tonumber, type, pairs, next =
  math.floor, string.format, string.match, tostring, tonumber, type, pairs, next

server.commands = {}
server.keys = {} -- the database of the call under way: key -> value
server.now_ms = 0

local WRONG_KIND = 'WRONGTYPE Operation against a key holding the wrong kind of value'

function server.raise(message)
  error({ err = message }, 0)
end

-- Adds a command, of one word or two. As in Redis, arity counts these, and a negative one is the least number of words.
function server.define(name, arity, writes, run)
  local commands, first, second = server.commands, match(name, '^(%u+) (%u+)$')
  if first then
    commands[first] = commands[first] or { least = 2, parts = {} }
    commands, name = commands[first].parts, second
  end
  commands[name] = { run = run, least = math.abs(arity), exact = arity > 0, writes = writes }
end

-- Loud, where a real server would know more than this one does: nobody may take it for an answer.
function server.unsupported(words, at)
  server.raise('ERR the simulated server knows no ' .. words[at] .. ' in ' .. words[1])
end

-- A number as an argument or a score, as Redis 7.0 writes it (later servers write the shortest digits, and 0 for -0).
function server.number_text(number)
  if number > -1e14 and number < 1e14 and floor(number) == number then return tostring(number) end
  return format('%.17g', number)
end

-- A whole number as the servers read it: no spaces, no plus, no leading zeros; nil when it is none.
local function whole(text)
  local number = match(text, '^%-?[1-9]%d*$') and tonumber(text) or (text == '0' and 0) or nil
  if number and (number > 2 ^ 53 or number < -2 ^ 53) then
    server.raise('ERR the simulated server counts to 2^53 only, not to ' .. text)
  end
  return number
end
server.whole = whole

function server.need_whole(text)
  return whole(text) or server.raise('ERR value is not an integer or out of range')
end

function server.read(key, kind)
  local value = server.keys[key]
  if value and value.kind ~= kind then server.raise(WRONG_KIND) end
  return value
end
local read = server.read

local function copy(value)
  local new = {}
  for name, part in pairs(value) do
    if type(part) == 'table' then
      local inner = {}
      for k, v in pairs(part) do inner[k] = v end
      part = inner
    end
    new[name] = part
  end
  new.shared = false
  return new
end

-- The value to change; `make` gives a new one where there is none, and nil is returned where there is no `make`.
function server.write(key, kind, make)
  local value = read(key, kind)
  if not value then
    if not make then return nil end
    value = make()
    server.keys[key] = value
  elseif value.shared then
    value = copy(value)
    server.keys[key] = value
  end
  return value
end

-- The same keys and values in another table; values are shared from now on. O(keys).
function server.shared(keys)
  local twin = {}
  for key, value in next, keys do
    value.shared = true
    twin[key] = value
  end
  return twin
end

local function before(a, b)
  if type(a) == type(b) and type(a) ~= 'boolean' and type(a) ~= 'table' then return a < b end
  return tostring(a) < tostring(b)
end

-- The keys of a table in one order, whatever the process: what a server leaves open must not differ between two runs.
function server.ordered_keys(map)
  local keys, count = {}, 0
  for key in next, map do
    count = count + 1
    keys[count] = key
  end
  table.sort(keys, before)
  return keys
end
