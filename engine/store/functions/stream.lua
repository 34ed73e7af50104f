-- Orders that come by a stream: what became of them goes to another stream, in the same instant in which they are done.

do
  local CONSUMER_GONE_MS = 86400000

  -- stockade_open_stream: makes the group of those who read orders, and both other streams, so that all three exist for
  -- ever; forgets consumers that have nothing in hand and were not heard of for a day.
  -- KEYS orders, results, dead. ARGV 1 group. O(consumers).
  local function open_stream(keys, args)
    for _, key in ipairs(keys) do
      if redis.call('EXISTS', key) == 0 then
        redis.call('XDEL', key, redis.call('XADD', key, '*', '', ''))
      end
    end
    for _, group in ipairs(redis.call('XINFO', 'GROUPS', keys[1])) do
      if group[2] == args[1] then
        -- name, pending, idle, each behind its word
        for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', keys[1], args[1])) do
          if consumer[4] == 0 and consumer[6] > CONSUMER_GONE_MS then
            redis.call('XGROUP', 'DELCONSUMER', keys[1], args[1], consumer[2])
          end
        end
        return 0
      end
    end
    redis.call('XGROUP', 'CREATE', keys[1], args[1], '0')
    return 1
  end

  -- stockade_claim_stream: takes over messages that were given out so long ago and are not finished.
  -- KEYS orders. ARGV 1 group, 2 consumer, 3 milliseconds, 4 messages at most.
  -- Returns rows of message, how often it was given out before, its fields. O(messages).
  local function claim_stream(keys, args)
    local rows = {}
    for _, row in ipairs(redis.call('XPENDING', keys[1], args[1], 'IDLE', args[3], '-', '+', args[4])) do
      local claimed = redis.call('XCLAIM', keys[1], args[1], args[2], args[3], row[1])[1]
      -- One that is gone from the stream is nobody's any more.
      if claimed and claimed[2] then rows[#rows + 1] = { row[1], row[4], claimed[2] } end
    end
    return rows
  end

  -- stockade_finish_stream: writes results of messages that are still open, and lets the messages go. What another
  -- consumer has finished meanwhile is passed over, so that each message has one result.
  -- KEYS orders, results, dead. ARGV 1 group, 2 results kept, 3 dead letters kept, 4 [message, order id, outcome, result,
  -- ...], 5 [message, reason, order, ...] of those that are dead letters, too, as MessagePack.
  -- Returns how many were open. O(messages).
  local function finish_stream(keys, args)
    local rows, letters, open, done = cmsgpack.unpack(args[4]), cmsgpack.unpack(args[5]), {}, 0
    for i = 1, #rows, 4 do
      local message = rows[i]
      if redis.call('XACK', keys[1], args[1], message) == 1 then
        done = done + 1
        open[message] = true
        redis.call('XADD', keys[2], 'MAXLEN', '~', args[2], '*', 'message', message, 'order_id', rows[i + 1],
          'outcome', rows[i + 2], 'result', rows[i + 3])
        redis.call('XDEL', keys[1], message)
      end
    end
    for i = 1, #letters, 3 do
      if open[letters[i]] then
        redis.call('XADD', keys[3], 'MAXLEN', '~', args[3], '*', 'message', letters[i], 'reason', letters[i + 1],
          'order', letters[i + 2])
      end
    end
    return done
  end

  redis.register_function('stockade_open_stream', open_stream)
  redis.register_function('stockade_claim_stream', claim_stream)
  redis.register_function('stockade_finish_stream', finish_stream)
end
