-- The event stream as others follow it: who reads, and what may be dropped.
--
-- A follower is a consumer group of the stream. It stands for itself until it is removed: no event is dropped that it has
-- not acknowledged, however long that takes. Numbers of events have no gaps, so they tell what is missing.

-- Events dropped in one call, as each may have some 20 KB.
local TRIM_STEP = 100
local FOLLOWERS_MAX = 32
local CONSUMERS_MAX = 256
-- Events read at once, until a page has the bytes that were asked for: one may have a hundred bytes, or 20,000.
local READ_STEP = 4
-- How long the store knows a consumer that has nothing to acknowledge and does not read any more.
local CONSUMER_KEPT_MS = 86400000

local function parts_of(id)
  local ms, place = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(place)
end

local function is_before(id, other)
  local ms, place = parts_of(id)
  local other_ms, other_place = parts_of(other)
  return ms < other_ms or (ms == other_ms and place < other_place)
end

-- The number of an event; `append` writes it first.
local function number_of(entry)
  return tonumber(entry[2][2]) or 0
end

-- Fills a page from `read(events wanted)`, until it has `most` events or `bytes_max` bytes.
local function fill_page(most, bytes_max, read)
  local page, bytes = {}, 0
  while #page < most and bytes < bytes_max do
    local wanted = math.min(READ_STEP, most - #page)
    local rows = read(wanted)
    for _, row in ipairs(rows) do
      page[#page + 1] = row
      for _, value in ipairs(row[2] or {}) do bytes = bytes + #value end
    end
    if #rows < wanted then break end
  end
  return page
end

-- A row of XINFO by name.
local function row_of(flat)
  local row = {}
  for i = 1, #flat, 2 do row[flat[i]] = flat[i + 1] end
  return row
end

local function groups_of(events)
  local groups = {}
  for place, flat in ipairs(redis.call('XINFO', 'GROUPS', events)) do groups[place] = row_of(flat) end
  return groups
end

local function has_group(events, name)
  for _, group in ipairs(groups_of(events)) do
    if group.name == name then return true end
  end
  return false
end

-- From where on a follower has not acknowledged all: an id, of an event that may be yet to come. O(consumers).
local function unread_from(events, group)
  if group.pending > 0 then return redis.call('XPENDING', events, group.name)[2] end
  local ms, place = parts_of(group['last-delivered-id'])
  return string.format('%.0f-%.0f', ms, place + 1)
end

-- The first event that some follower has not acknowledged, and which follower; nil where there is none.
local function held_from(events)
  local from, holder = nil, ''
  for _, group in ipairs(groups_of(events)) do
    local first = unread_from(events, group)
    if not from or is_before(first, from) then from, holder = first, group.name end
  end
  return from, holder
end

-- stockade_trim: drops events that are too many or too old, the oldest first, but none that a registered follower has not
-- acknowledged, and never the last one: the stream's key would not live without.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 events kept at most, 4 milliseconds kept at most (0: whatever their age),
--      5 bytes kept at most, by the server's own estimate from a sample of the stream.
-- Returns {events dropped, events left, events that only wait for a follower, which one or '', now in ms, number of the
--      newest event, bytes before}; as many dropped as one call may: call again. O(events dropped + followers * their consumers).
local function trim(keys, args)
  if stale(keys[META], args[1]) then return redis.error_reply(STALE) end
  local events, kept_max, now = keys[EVENTS], tonumber(args[3]), now_ms()
  local cutoff = tonumber(args[4]) > 0 and now - tonumber(args[4]) or 0
  local sequence = tonumber(redis.call('HGET', keys[META], 'sequence')) or 0
  local length = redis.call('XLEN', events)
  local bytes, bytes_max = redis.call('MEMORY', 'USAGE', events) or 0, tonumber(args[5])
  if bytes > bytes_max then kept_max = math.min(kept_max, math.max(1, math.floor(length * bytes_max / bytes))) end
  local function due(entry, dropped)
    return length - dropped > kept_max or (parts_of(entry[1])) < cutoff
  end
  local oldest = redis.call('XRANGE', events, '-', '+', 'COUNT', 1)
  if length < 2 or not due(oldest[1], 0) then return { 0, length, 0, '', now, sequence, bytes } end
  local from, holder = held_from(events)
  oldest = redis.call('XRANGE', events, '-', '+', 'COUNT', TRIM_STEP + 1)
  local dropped = 0
  while dropped + 1 < #oldest and due(oldest[dropped + 1], dropped)
    and (not from or is_before(oldest[dropped + 1][1], from)) do
    dropped = dropped + 1
  end
  local first = oldest[dropped + 1]
  if dropped > 0 then redis.call('XTRIM', events, 'MINID', first[1]) end
  local left, waiting = length - dropped, 0
  if from and left > 1 and due(first, dropped) and not is_before(first[1], from) then
    waiting = math.max(left - kept_max, 0)
    if cutoff > 0 then
      local young = redis.call('XRANGE', events, name_of(cutoff), '+', 'COUNT', 1)
      waiting = math.max(waiting, (young[1] and number_of(young[1]) or sequence) - number_of(first))
    end
  end
  return { dropped, left, waiting, waiting > 0 and holder or '', now, sequence, bytes }
end

-- stockade_events: a page of events, and where the stream begins and ends at that moment.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 event id (excluded), 4 events at most, 5 bytes about.
-- Returns {events, number of the oldest event kept, newest event id, its number}: without any, the number that the next will
--      have, 0-0, and the number of the last that was. O(events).
local function read_events(keys, args)
  if stale(keys[META], args[1]) then return redis.error_reply(STALE) end
  local events, after = keys[EVENTS], args[3]
  local page = fill_page(tonumber(args[4]), tonumber(args[5]), function(wanted)
    local rows = redis.call('XRANGE', events, '(' .. after, '+', 'COUNT', wanted)
    if #rows > 0 then after = rows[#rows][1] end
    return rows
  end)
  local oldest = redis.call('XRANGE', events, '-', '+', 'COUNT', 1)[1]
  local newest = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
  if not oldest then
    local sequence = tonumber(redis.call('HGET', keys[META], 'sequence')) or 0
    return { page, sequence + 1, '0-0', sequence }
  end
  return { page, number_of(oldest), newest[1], number_of(newest) }
end

-- stockade_set_follower: registers a follower, or removes it and with it what it has not acknowledged.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 name, 4 '0' to begin with the oldest event, '$' with the next, '' to remove.
-- Returns 1 when done, 0 when it was so already, -1 when there are too many. O(followers).
local function set_follower(keys, args)
  if stale(keys[META], args[1]) then return redis.error_reply(STALE) end
  local events, name = keys[EVENTS], args[3]
  if args[4] == '' then return redis.call('XGROUP', 'DESTROY', events, name) end
  if has_group(events, name) then return 0 end
  if #groups_of(events) >= FOLLOWERS_MAX then return -1 end
  redis.call('XGROUP', 'CREATE', events, name, args[4])
  return 1
end

-- stockade_followers: who follows, and how far each is. KEYS the partition's. ARGV 1 epoch, 2 writer.
-- Returns {now in ms, rows}: {name, consumers, events delivered and not acknowledged, events not delivered yet, ms of the
--      oldest that is not acknowledged or 0}. O(followers * their consumers).
local function followers(keys, args)
  if stale(keys[META], args[1]) then return redis.error_reply(STALE) end
  local events, rows = keys[EVENTS], {}
  local sequence = tonumber(redis.call('HGET', keys[META], 'sequence')) or 0
  for place, group in ipairs(groups_of(events)) do
    local next_one = redis.call('XRANGE', events, '(' .. group['last-delivered-id'], '+', 'COUNT', 1)[1]
    local oldest = redis.call('XRANGE', events, unread_from(events, group), '+', 'COUNT', 1)[1]
    rows[place] = {
      group.name, group.consumers, group.pending, next_one and sequence - number_of(next_one) + 1 or 0,
      oldest and (parts_of(oldest[1])) or 0,
    }
  end
  return { now_ms(), rows }
end

-- Makes a consumer known, for which one is forgotten that went long ago; false when there are too many.
local function admit(events, follower, consumer)
  if redis.call('XGROUP', 'CREATECONSUMER', events, follower, consumer) == 0 then return true end
  local count = 0
  for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', events, follower)) do
    local row = row_of(flat)
    if row.name ~= consumer and row.pending == 0 and row.idle > CONSUMER_KEPT_MS then
      redis.call('XGROUP', 'DELCONSUMER', events, follower, row.name)
    else
      count = count + 1
    end
  end
  if count <= CONSUMERS_MAX then return true end
  redis.call('XGROUP', 'DELCONSUMER', events, follower, consumer)
  return false
end

-- stockade_read_as: the next events for a consumer of a follower. First what it was given and has not acknowledged, then what
-- another was given that many milliseconds ago and has not, then what nobody was given yet.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 follower, 4 consumer, 5 events at most, 6 milliseconds,
--      7 bytes about.
-- Returns {letter, events}: A new ones or none, R given before, N no such follower, F the follower has too many consumers.
-- An event that was dropped all the same has no fields. O(events + followers).
local function read_as(keys, args)
  if stale(keys[META], args[1]) then return redis.error_reply(STALE) end
  local events, follower, consumer, most = keys[EVENTS], args[3], args[4], args[5]
  if not has_group(events, follower) then return { 'N', {} } end
  if not admit(events, follower, consumer) then return { 'F', {} } end
  local own = redis.call('XREADGROUP', 'GROUP', follower, consumer, 'COUNT', most, 'STREAMS', events, '0')
  if own and own[1] and #own[1][2] > 0 then return { 'R', own[1][2] } end
  local claimed = redis.call('XAUTOCLAIM', events, follower, consumer, args[6], '0-0', 'COUNT', READ_STEP)[2]
  if #claimed > 0 then return { 'R', claimed } end
  return { 'A', fill_page(tonumber(most), tonumber(args[7]), function(wanted)
    local fresh = redis.call('XREADGROUP', 'GROUP', follower, consumer, 'COUNT', wanted, 'STREAMS', events, '>')
    return fresh and fresh[1] and fresh[1][2] or {}
  end) }
end

redis.register_function('stockade_trim', trim)
redis.register_function { function_name = 'stockade_events', callback = read_events, flags = { 'no-writes' } }
redis.register_function('stockade_set_follower', set_follower)
redis.register_function { function_name = 'stockade_followers', callback = followers, flags = { 'no-writes' } }
redis.register_function('stockade_read_as', read_as)
