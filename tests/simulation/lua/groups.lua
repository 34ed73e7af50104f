-- Consumer groups as marks in a stream, and what is told of a stream. Nothing is delivered here and nothing pending:
-- who reads on behalf of a group says so by XGROUP SETID.

local server = ...
local define, read, write, raise, unsupported = server.define, server.read, server.write, server.raise, server.unsupported
local streams = server.streams

local NO_KEY = 'ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM '
  .. 'option to create an empty stream automatically.'

local function place_of(text, stream)
  if text ~= '$' then return streams.id_text(streams.parse_id(text, 0)) end
  return streams.id_text(stream and stream.last_ms or 0, stream and stream.last_seq or 0)
end

define('XGROUP CREATE', -5, true, function(words, count)
  local key, name = words[3], words[4]
  local makes = count == 6 and words[6]:upper() == 'MKSTREAM'
  if count > 5 and not makes then unsupported(words, 6) end
  local known = read(key, 'stream')
  if not known and not makes then raise(NO_KEY) end
  local place = place_of(words[5], known)
  local stream = write(key, 'stream', streams.new)
  if stream.groups[name] then raise('BUSYGROUP Consumer Group name already exists') end
  stream.groups[name] = place
  return { ok = 'OK' }
end)

define('XGROUP SETID', -5, true, function(words, count)
  if count > 5 then unsupported(words, 6) end
  local key, name = words[3], words[4]
  local known = read(key, 'stream') or raise(NO_KEY)
  if not known.groups[name] then
    raise(("NOGROUP No such consumer group '%s' for key name '%s'"):format(name, key))
  end
  local place = place_of(words[5], known)
  write(key, 'stream').groups[name] = place
  return { ok = 'OK' }
end)

define('XGROUP DESTROY', 4, true, function(words)
  local known = read(words[3], 'stream') or raise(NO_KEY)
  if not known.groups[words[4]] then return 0 end
  write(words[3], 'stream').groups[words[4]] = nil
  return 1
end)

-- Both less what tells of a real server's memory and its guesses.
define('XINFO STREAM', -3, false, function(words, count)
  if count > 3 then unsupported(words, 4) end
  local stream = read(words[3], 'stream') or raise('ERR no such key')
  local oldest, newest = stream.entries[stream.first], stream.entries[stream.last]
  return {
    'length', stream.last - stream.first + 1,
    'last-generated-id', streams.id_text(stream.last_ms, stream.last_seq),
    'max-deleted-entry-id', streams.id_text(stream.deleted_ms, stream.deleted_seq),
    'entries-added', stream.added,
    'recorded-first-entry-id', oldest and oldest[1] or '0-0',
    'groups', #server.ordered_keys(stream.groups),
    'first-entry', oldest and streams.reply_of(oldest) or false,
    'last-entry', newest and streams.reply_of(newest) or false,
  }
end)

define('XINFO GROUPS', 3, false, function(words)
  local stream, rows = read(words[3], 'stream') or raise('ERR no such key'), {}
  for i, name in ipairs(server.ordered_keys(stream.groups)) do
    rows[i] = { 'name', name, 'consumers', 0, 'pending', 0, 'last-delivered-id', stream.groups[name] }
  end
  return rows
end)
