-- SPDX-License-Identifier: BSD-3-Clause
-- A flash sale of one item in Redis, as it is done without an admission engine: the peer of the
-- benchmark. One call takes any number of orders; what does not change within it is read once.
--
-- KEYS: units left; hash of requests decided (buyer:request -> units); hash of units by buyer
-- ARGV: the buyer's limit; then buyer, request and quantity of each order
-- Answers each order's verdict, as the order protocol numbers them.
local left, limit = tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[1])
local verdicts = {}
for at = 2, #ARGV, 3 do
    local buyer, quantity = ARGV[at], tonumber(ARGV[at + 2])
    local name = buyer .. ':' .. ARGV[at + 1]
    local verdict = 1
    if redis.call('HEXISTS', KEYS[2], name) == 0 then
        local bought = 0
        if left >= quantity and limit > 0 then
            bought = tonumber(redis.call('HGET', KEYS[3], buyer) or '0')
        end
        if bought + quantity > limit and limit > 0 and left >= quantity then
            verdict = 18
        elseif left < quantity then
            verdict = 16
        else
            left = redis.call('DECRBY', KEYS[1], quantity)
            redis.call('HINCRBY', KEYS[3], buyer, quantity)
            redis.call('HSET', KEYS[2], name, quantity)
        end
    end
    verdicts[#verdicts + 1] = verdict
end
return verdicts
