-- What a function library meets inside the server: `redis`, `cmsgpack`, `struct`, plain Lua; and the calls from outside.
-- Only the server's own commands and clock are imitated here; the library that runs on them is the real text.

local server = ...
local commands, raise, number_text = server.commands, server.raise, server.number_text
local ceil, floor, error, pcall, select, type, unpack, xpcall =
  math.ceil, math.floor, error, pcall, select, type, unpack, xpcall

-- Compiled code is dearer here than none: our calls are many short paths, and new traces would be made for ever.
if jit then jit.off() end
-- The keyspace is small and most of what a call makes is gone after it, so look for it seldom.
collectgarbage('setpause', 1000)

-- Values that one return may carry; longer replies cross in a table.
local RETURNED_MAX = 4000

local functions = {}
local read_only = false

server.define('TIME', 1, false, function()
  return { ('%.0f'):format(floor(server.now_ms / 1000)), ('%.0f'):format(server.now_ms % 1000 * 1000) }
end)

local function run(words, count)
  local command = commands[words[1]] or commands[words[1]:upper()]
  if command and command.parts and count > 1 then command = command.parts[words[2]:upper()] end
  if not command then raise('ERR Unknown Redis command called from script') end
  if count < command.least or (command.exact and count > command.least) then
    raise('ERR Wrong number of args calling Redis command from script')
  end
  if read_only and command.writes then raise('ERR Write commands are not allowed from read-only scripts.') end
  return command.run(words, count)
end

local function call(...)
  local words, count = { ... }, select('#', ...)
  if count == 0 then raise('ERR Please specify at least one argument for this redis lib call') end
  for i = 1, count do
    local word = words[i]
    if type(word) ~= 'string' then
      if type(word) ~= 'number' then raise('ERR Lua redis lib command arguments must be strings or integers') end
      words[i] = number_text(word)
    end
  end
  return run(words, count)
end

-- The error code is the first word; the text of one word has none.
local function error_reply(text)
  if type(text) ~= 'string' then return { err = 'ERR wrong number or type of arguments' } end
  text = text:gsub('^%-', '')
  return { err = text:find(' ', 1, true) and text or 'ERR ' .. text }
end

local function register_function(first, callback)
  local given = type(first) == 'table' and first or { function_name = first, callback = callback }
  local no_writes = false
  for _, flag in ipairs(given.flags or {}) do
    if flag == 'no-writes' then no_writes = true end
  end
  if functions[given.function_name] then raise('ERR Function already exists in the library') end
  functions[given.function_name] = { callback = given.callback, no_writes = no_writes }
end

-- No clock, no chance, no files, and one order of `pairs`: a run must come out the same wherever it is repeated.
local environment = {
  redis = {
    call = call,
    pcall = function(...)
      local done, reply = pcall(call, ...)
      return reply
    end,
    error_reply = error_reply,
    status_reply = function(text) return { ok = text } end,
    register_function = register_function,
    log = function() end,
    LOG_DEBUG = 0, LOG_VERBOSE = 1, LOG_NOTICE = 2, LOG_WARNING = 3,
  },
  cmsgpack = server.cmsgpack, struct = server.struct, math = {}, string = string, table = table,
  assert = assert, error = error, getmetatable = getmetatable, ipairs = ipairs, next = next, pcall = pcall,
  rawequal = rawequal, rawget = rawget, rawset = rawset, select = select, setmetatable = setmetatable,
  tonumber = tonumber, tostring = tostring, type = type, unpack = unpack, xpcall = xpcall,
  pairs = function(map)
    local first = next(map)
    if first == nil or next(map, first) == nil then return next, map end
    local keys, at = server.ordered_keys(map), 0
    return function()
      local value
      repeat
        at = at + 1
        if keys[at] ~= nil then value = map[keys[at]] end
      until value ~= nil or keys[at] == nil
      return keys[at], value
    end
  end,
}
environment._G = environment
for name, value in next, math do
  if name ~= 'random' and name ~= 'randomseed' then environment.math[name] = value end
end

-- Runs the text of a library, whose first line names it for the server.
function server.load(text)
  local chunk, why = loadstring(text:gsub('^#![^\n]*', '', 1), '@user_function')
  if not chunk then error(why, 0) end
  setfenv(chunk, environment)
  local done, failure = pcall(chunk)
  if not done then error(type(failure) == 'table' and failure.err or failure, 0) end
end

-- Replies leave as a flat row: an array as true, its length and its values; an error as nil and its text; nil as false.
local row, width

local function flatten(value)
  local kind = type(value)
  width = width + 1
  if kind == 'string' then
    row[width] = value
  elseif kind == 'number' then
    row[width] = value >= 0 and floor(value) or ceil(value)
  elseif kind == 'boolean' then
    row[width] = value and 1 or false
  elseif kind ~= 'table' then
    row[width] = false
  elseif type(value.err) == 'string' then
    row[width], row[width + 1], width = nil, value.err, width + 1
  elseif type(value.ok) == 'string' then
    row[width] = value.ok
  else
    row[width], width = true, width + 1
    local at, size = width, 0
    while value[size + 1] ~= nil do
      size = size + 1
      flatten(value[size])
    end
    row[at] = size
  end
end

local function leave(reply)
  row, width = {}, 0
  flatten(reply)
  if width > RETURNED_MAX then return row, width end
  return unpack(row, 1, width)
end

local function begin(database, now_ms)
  server.keys, server.now_ms = database.keys, now_ms
end

-- Adds the place in the library's text, as the server does; a tail call leaves none.
local function located(failure)
  local text = type(failure) == 'table' and failure.err or 'ERR ' .. tostring(failure)
  for level = 2, 30 do
    local info = debug.getinfo(level, 'Sl')
    if not info then break end
    if info.source == '@user_function' then return { err = text, line = info.currentline } end
  end
  return { err = text }
end

local callback, keys, args

local function run_function() return callback(keys, args) end

-- `key_names` may be used for many calls: a function gets a copy.
function server.fcall(database, now_ms, name, key_names, ...)
  local found = functions[name]
  if not found then return nil, 'ERR Function not found' end
  begin(database, now_ms)
  callback, keys, args = found.callback, { unpack(key_names) }, { ... }
  read_only = found.no_writes
  local done, reply = xpcall(run_function, located)
  read_only = false
  if done then return leave(reply) end
  local place = reply.line and (', on @user_function:%d'):format(reply.line) or ''
  return nil, ('%s script: %s%s.'):format(reply.err, name, place)
end

-- One command from outside.
function server.command(database, now_ms, ...)
  begin(database, now_ms)
  local done, reply = pcall(run, { ... }, select('#', ...))
  if done or type(reply) == 'table' then return leave(reply) end
  return error(reply, 0)
end

function server.key_table(...) return { ... } end

function server.new_database() return { keys = {} } end

function server.key_names(database) return leave(server.ordered_keys(database.keys)) end

function server.snapshot(database) return server.shared(database.keys) end

function server.restore(database, snapshot) database.keys = server.shared(snapshot) end
