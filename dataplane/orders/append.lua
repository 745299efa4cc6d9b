#!lua name=flashgate
-- SPDX-License-Identifier: BSD-3-Clause
--
-- Compare-and-append: the only way in which an engine adds to a sale's stream, or moves it away.
--
--   FCALL append 2 STREAM FENCE HOLDER EXPECTED COUNT NAME... {ID VALUE...}...
--   FCALL append 3 STREAM FENCE CONSUMED HOLDER EXPECTED
--   FCALL set_aside 3 STREAM FENCE ASIDE HOLDER
--
-- HOLDER is "epoch:instance" of the calling engine. The fence key keeps the holder that may write.
-- EXPECTED is the id of the sale's previous record in the log, "0-0" if there is none. COUNT (8) field
-- names come once, then each entry as its id "epoch-sale_seq" and COUNT values. Without entries
-- append only claims the fence and reads: the last id, and what the consumer's key CONSUMED holds.
-- set_aside renames the stream, whatever it is, to ASIDE.
--
-- append answers { OK, last id [, value of CONSUMED, "" if there is none] } | { GAP, last id } |
-- { FENCED, the newer engine's holder or id }; set_aside { OK, ASIDE or "" } | { FENCED, ... }.
--
-- A function is not rolled back: all that could fail is checked before the first XADD. Ids are
-- compared as text where they must be equal (numbers are exact up to 2^53 only, and a foreign id
-- may be greater) and as numbers where they must be in order.

-- Greatest epoch an engine can have. A greater one in a stream is some other writer's id, such as
-- the milliseconds of XADD *, and says nothing about a takeover.
local EPOCH_MAX = 65535

local function parse(text, separator)
    local left, right = string.match(text, '^(%d+)' .. separator .. '(%d+)$')
    return tonumber(left), tonumber(right)
end

local function check_type(key, wanted)
    local kind = redis.call('TYPE', key).ok
    if kind ~= 'none' and kind ~= wanted then
        return redis.error_reply('WRONGTYPE ' .. key .. ' is a ' .. kind .. ', not a ' .. wanted)
    end
end

local function read_last(stream)
    if redis.call('EXISTS', stream) == 0 then
        return '0-0'
    end
    local info = redis.call('XINFO', 'STREAM', stream)
    for i = 1, #info, 2 do
        if info[i] == 'last-generated-id' then
            return info[i + 1]
        end
    end
end

-- Fields of an entry: append_entries spells them out.
local FIELDS = 8

-- The last three digits of any number, as text; filled at the first call.
local ENDS = {}

local function fill_ends()
    for i = 999, 0, -1 do -- 0 is the last: it says that all are there
        ENDS[i] = string.format('%03d', i)
    end
end

-- What is wrong with the entries' ids, or nil. Within a thousand of one epoch, ids differ in their
-- last three digits alone: then the id that must come next is put together and compared, at a
-- fourth of what taking the one that came apart costs.
local function check_ids(args, epoch, seq, my_epoch)
    local head -- of the id before, without those digits; nil: take the next one apart
    if not ENDS[0] then
        fill_ends()
    end
    for i = 4 + FIELDS, #args, FIELDS + 1 do
        local id, low = args[i], (seq + 1) % 1000
        if low == 0 or not head or id ~= head .. ENDS[low] then
            local next_epoch, next_seq = parse(id, '-')
            if not next_epoch or next_epoch < epoch or next_epoch > my_epoch or
                    next_seq ~= seq + 1 then
                return 'entry ' .. id .. ' does not follow ' .. epoch .. '-' .. seq
            end
            epoch = next_epoch
            head = next_seq >= 1000 and string.sub(id, 1, -4) or nil
        end
        seq = seq + 1
    end
end

-- What is wrong with the arguments, or nil.
local function check_arguments(args, my_epoch)
    local epoch, seq = parse(args[2] or '', '-')
    if not my_epoch or not epoch then
        return 'HOLDER or EXPECTED is malformed'
    end
    if #args == 2 then
        return nil
    end
    if tonumber(args[3]) ~= FIELDS or #args < 4 + FIELDS * 2 or
            (#args - 3 - FIELDS) % (FIELDS + 1) ~= 0 then
        return 'the number of arguments is wrong'
    end
    return check_ids(args, epoch, seq, my_epoch)
end

-- No table is filled and unpacked for an entry: that alone takes a sixth of what XADD takes.
local function append_entries(stream, args)
    local call = redis.call
    local a, b, c, d, e, f, g, h = unpack(args, 4, 3 + FIELDS)
    for i = 4 + FIELDS, #args, FIELDS + 1 do
        call('XADD', stream, args[i], a, args[i + 1], b, args[i + 2], c, args[i + 3],
            d, args[i + 4], e, args[i + 5], f, args[i + 6], g, args[i + 7], h, args[i + 8])
    end
    return args[#args - FIELDS]
end

-- Raises the fence to the holder `mine`. Returns nil, or what to answer instead of going on.
local function claim(fence, mine, my_epoch)
    local fault = check_type(fence, 'string')
    if fault then
        return fault
    end
    local holder = redis.call('GET', fence)
    if holder == mine then
        return nil
    end
    local epoch = 0
    if holder then
        epoch = parse(holder, ':')
        if not epoch then
            return redis.error_reply('WRONGTYPE ' .. fence .. ' does not hold epoch:instance')
        end
    end
    if holder and epoch >= my_epoch then -- [fence.1]
        return { 'FENCED', holder }
    end
    redis.call('SET', fence, mine) -- [fence.2]
end

-- What the consumer's key holds. The engine judges it: it may be anything.
local function read_consumed(key)
    local kind = redis.call('TYPE', key).ok
    if kind == 'none' then
        return ''
    elseif kind ~= 'string' then
        return 'a ' .. kind
    end
    return redis.call('GETRANGE', key, 0, 63)
end

local function append(keys, args)
    local stream, fence, consumed = keys[1], keys[2], keys[3]
    local mine, expected = args[1] or '', args[2]
    local my_epoch = parse(mine, ':')
    local fault = check_arguments(args, my_epoch)
    if fault then
        return redis.error_reply('BADCALL ' .. fault)
    end

    -- A stream that cannot be read says nothing about takeovers; the fence still does.
    local bad_stream = check_type(stream, 'stream')
    local last = bad_stream and '0-0' or read_last(stream)
    local last_epoch = parse(last, '-')
    if last_epoch > my_epoch and last_epoch <= EPOCH_MAX then -- [fcall.1]
        return { 'FENCED', last }
    end
    local answer = claim(fence, mine, my_epoch) or bad_stream -- [fcall.2]
    if answer then
        return answer
    end

    if #args == 2 then
        return { 'OK', last, consumed and read_consumed(consumed) } -- [fcall.3]
    end
    if last ~= expected then -- [fcall.4]
        return { 'GAP', last }
    end
    return { 'OK', append_entries(stream, args) } -- [fcall.5]
end

-- Asked again after an answer that was lost, with the same ASIDE, it moves nothing a second time.
local function set_aside(keys, args)
    local stream, fence, aside = keys[1], keys[2], keys[3]
    local mine = args[1] or ''
    local my_epoch = parse(mine, ':')
    if not my_epoch or not aside then
        return redis.error_reply('BADCALL HOLDER or ASIDE is malformed')
    end
    local answer = claim(fence, mine, my_epoch)
    if answer then
        return answer
    end
    if redis.call('EXISTS', aside) == 1 then
        return { 'OK', aside }
    elseif redis.call('EXISTS', stream) == 0 then
        return { 'OK', '' }
    end
    redis.call('RENAME', stream, aside)
    return { 'OK', aside }
end

redis.register_function('append', append)
redis.register_function('set_aside', set_aside)
