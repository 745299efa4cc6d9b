#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# flashgate-check against a real Redis: a history and a stream made by hand, of more than one page,
# balance; what is then done to the stream must be found, or refused with one sentence.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly orders=2500 # three pages

# Every order is of 1 unit, of a buyer of its own; the last request is told SOLD_OUT.
write_history() {
    python3 - "$dir/history" "$orders" << 'END'
import struct, sys
orders = int(sys.argv[2])
def record(number, order, verdict):
    return struct.pack('<QQ16sQQIHBBBBHI', 1000 + 10 * number, 1005 + 10 * number,
                       number.to_bytes(16, 'big'), number, order, 5, 1, 1, verdict, 0, 0, 0, 0)
with open(sys.argv[1], 'wb') as out:
    out.write(struct.pack('<8sQQQI28x', b'FGHIST01', orders + 1, 1, 1000, 1))
    out.write(struct.pack('<IIII', 5, orders, 1, 0))
    for number in range(1, orders + 1):
        out.write(record(number, 100000 + number, 1))
    out.write(record(orders + 1, 0, 16))
END
}

fill_stream() {
    redis del 'flashgate:{drop}:orders' > /dev/null
    seq "$orders" | awk '{
        printf "XADD flashgate:{drop}:orders 1-%d event ADMIT order %d buyer %032x request %d " \
               "item 5 quantity 1 at 1 hold_ms 0\n", $1, 100000 + $1, $1, $1 }' |
        redis --pipe > /dev/null
}

add() { redis xadd 'flashgate:{drop}:orders' "$@" > /dev/null; }
entry() { # NUMBER KIND ORDER REQUEST: one more of item 5
    add "1-$1" event "$2" order "$3" buyer "$(printf %032x "$4")" request "$4" item 5 quantity 1 \
        at 1 hold_ms 0
}
judge=("$build/flashgate-check" --history "$dir/history" --redis "$dir/redis.sock" --sale drop)
figure() { field "$1" < "$dir/report.json"; }

# broken CHECK TEXT [OPTION]: the books must not balance, and the reason must be told.
broken() {
    local output status
    output=$("${judge[@]}" "${@:3}" 2>&1)
    status=$?
    if [ "$status" = 11 ] && grep -q " $1: " <<< "$output"; then ok "$2"; else
        not_ok "$2: status $status: $(head -c 400 <<< "$output")"
    fi
}

start_redis
write_history
fill_stream
check 'a right run balances' "${judge[@]}" --sell-out --json "$dir/report.json"
for pair in requests=$((orders + 1)) answered=$((orders + 1)) lost=0 admitted="$orders" \
    redis_orders="$orders" stock="$orders" oversold=0 unsold=0 duplicate_orders=0; do
    check "the report says $pair" [ "$(figure "${pair%=*}")" = "${pair#*=}" ]
done

redis xdel 'flashgate:{drop}:orders' 1-1500 > /dev/null
broken ORDER_LOST 'an order missing from Redis is found'
broken SEQUENCE_BROKEN 'and the gap that it left'
fill_stream
entry $((orders + 1)) ADMIT 999999 999999
broken OVERSOLD 'a unit too many is found'
fill_stream
entry $((orders + 1)) CANCEL 100001 1
check 'a cancelled unit leaves one unsold, which may be' "${judge[@]}"
broken UNSOLD 'unless a sell-out was expected' --sell-out
fill_stream
redis del 'flashgate:{drop}:orders' > /dev/null
broken ORDER_LOST 'a stream that is not there at all is found'

fill_stream
add "1-$((orders + 1))" event ADMIT order 1
refused 1 'not an order event' 'an entry of other fields' "${judge[@]}"
fill_stream
redis set 'flashgate:{drop}:orders' 1 > /dev/null
refused 1 'WRONGTYPE' 'a key of another type' "${judge[@]}"
redis del 'flashgate:{drop}:orders' > /dev/null
fill_stream
check 'several histories are one' "${judge[@]}" --history "$dir/history" --json "$dir/report.json"
check 'of twice the sends' [ "$(figure sent)" = $((2 * orders + 2)) ]
check 'and the same orders' [ "$(figure admitted)" = "$orders" ]
check '--version' grep -qE '^flashgate-check [0-9]' <("$build/flashgate-check" --version)
refused 1 'cannot reach Redis' 'a Redis that is not there' \
    "$build/flashgate-check" --history "$dir/history" --redis "$dir/none.sock" --sale drop
refused 1 'No such file' 'a history that is not there' \
    "$build/flashgate-check" --history "$dir/none" --redis "$dir/redis.sock" --sale drop
refused 2 'needed' 'a command line without a sale' \
    "$build/flashgate-check" --history "$dir/history" --redis "$dir/redis.sock"
refused 2 '--colour is not an option' 'an option that does not exist' "$build/flashgate-check" --colour
