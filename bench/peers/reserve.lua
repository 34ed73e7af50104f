-- One order: KEYS stock and orders; ARGV its id, the order packed as { customer, SKUs, units }, and warehouses, the best
-- first. Replies the warehouse that has all of it, and whether it was taken now; or nothing. Keeps the warehouse's name,
-- a blank, and the order as it was packed.
local known = redis.call('HGET', KEYS[2], ARGV[1])
if known then return { string.match(known, '^[^ ]+'), 0 } end
local order = cmsgpack.unpack(ARGV[2])
local skus, units = order[2], order[3]
for place = 3, #ARGV do
    local fields = {}
    for line = 1, #skus do
        fields[line] = skus[line] .. '/' .. ARGV[place]
    end
    local free, writes, enough = redis.call('HMGET', KEYS[1], unpack(fields)), {}, true
    for line = 1, #skus do
        local left = (tonumber(free[line]) or 0) - units[line]
        if left < 0 then enough = false break end
        writes[2 * line - 1] = fields[line]
        writes[2 * line] = left
    end
    if enough then
        redis.call('HSET', KEYS[1], unpack(writes))
        redis.call('HSET', KEYS[2], ARGV[1], ARGV[place] .. ' ' .. ARGV[2])
        return { ARGV[place], 1 }
    end
end
return false
