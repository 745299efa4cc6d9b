#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# flashgatectl audit on a real engine: during a sale, at rest and after a restart everything agrees;
# then, by hand, a stream loses an entry, gets another and has one that differs, a copy of the log
# lacks an order, and a history has an acknowledgement that nobody gave. Each is found and told.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly stream='flashgate:{drop}:orders'

# audit FILE WORDS...: an audit's report in FILE; its status.
audit() {
    local file=$dir/$1
    shift
    "$build/flashgatectl" audit "$@" > "$file" 2>&1
}
figure() { field "$2" < "$dir/$1"; } # FILE PATH: a number of a report in JSON
# clean TEXT WORDS...: nothing may differ.
clean() {
    local status
    audit report "${@:2}"
    status=$?
    if [ "$status" = 0 ] && grep -q '^nothing differs$' "$dir/report"; then ok "$1"; else
        not_ok "$1: status $status: $(cat "$dir/report")"
    fi
}
# finds PATTERN TEXT WORDS...: something differs, and is told so.
finds() {
    local status
    audit report "${@:3}"
    status=$?
    if [ "$status" = 11 ] && grep -qE -- "$1" "$dir/report"; then
        ok "$2: $(grep -m1 -E -- "$1" "$dir/report" | cut -c1-150)"
    else
        not_ok "$2: status $status, wanted /$1/: $(head -c 2000 "$dir/report")"
    fi
}

load() { # NAME SEED: some seconds of orders, in the background
    generate 1 "$dir/drop.yaml"
    start "$1" "${generate[@]}" --requests 6000 --rate 3000 --buyers 2000 --quantity 1:7,2:3 \
        --double-click 10 --repeat 10 --confirm 70 --cancel 20 --leave 10 --think 50 --seed "$2" \
        --history "$dir/$1.history"
}
delivered() { [ "$(ctl --json status | field delivery.lag)" = 0 ]; }

start_redis
write_keys
write_config "net_vhost0,iface=$dir/wire.sock,queues=1" 1 "redis: {socket: $dir/redis.sock}"
sed -i 's/orders: 4096/orders: 16384/' "$dir/engine.yaml"
cat > "$dir/drop.yaml" << END
name: drop
items:
  - {id: 1, name: plain, stock: 400, limit: 2, max_per_order: 2}
  - {id: 2, name: held, stock: 300, limit: 2, max_per_order: 2, hold: 300ms}
  - {id: 3, name: large, stock: 5000, max_per_order: 2}
END
start_engine
check 'a sale is applied' ctl sale apply "$dir/drop.yaml"
check 'and opened' ctl sale open drop
load first 1
rounds=0 fewest='' most=0
while ! ended first; do
    rounds=$((rounds + 1))
    clean "nothing differs while orders come in ($rounds)" "$dir/log" --redis "$dir/redis.sock"
    most=$(sed -n 's/^  orders .* in \([0-9]*\) events.*/\1/p' "$dir/report")
    fewest=${fewest:-$most}
done
check "the log grew from one audit to the next, $fewest to $most events" test "$most" -gt "$fewest"
sed -i 's/stock: 400/stock: 500/' "$dir/drop.yaml"
check 'stock is raised' ctl sale apply "$dir/drop.yaml"
stop engine TERM 0
start_engine
load second 2
wait_for 60 'the second client to end' ended second
wait_for 30 'every order to be delivered' delivered
printf 'name: tiny\nitems: [{id: 9, name: mug, stock: 1}]\n' > "$dir/tiny.yaml"
check 'a sale that nobody wants is opened' ctl sale apply "$dir/tiny.yaml"
check '... closed' ctl sale close --yes tiny
check '... and archived' ctl sale archive --yes tiny
everything=("$dir/log" --redis "$dir/redis.sock" --history "$dir/first.history,$dir/second.history"
    --drained)
clean 'nothing differs at rest, after a restart and a change of stock' \
    "${everything[@]}" --socket "$dir/control.sock"
check 'the engine was compared' grep -q '3 items compared at a quiet moment' "$dir/report"
check 'the archived sale is known' grep -q '^  sales     2 (1 archived), 4 items' "$dir/report"
check 'it was a sale' test "$(sed -n 's/^  orders *\([0-9]*\) in.*/\1/p' "$dir/report")" -gt 2000
stop engine TERM 0
clean 'nothing differs when the engine has stopped' "${everything[@]}" --config "$dir/engine.yaml"
check 'as JSON' audit json "${everything[@]}" --json
check 'JSON has no difference' test "$(figure json differences_total)" = 0

# --- the stream ---

redis copy "$stream" backup > /dev/null
restore() { redis copy backup "$stream" replace > /dev/null; }
count=$(redis xlen "$stream")
entry_id() { # NUMBER: the id of an entry, from 1
    redis --raw xrange "$stream" - + count "$1" | grep -E '^[0-9]+-[0-9]+$' | tail -1
}
redis xtrim "$stream" minid "$(entry_id 101)" > /dev/null
clean 'a trimmed stream is no difference' "${everything[@]}"
check 'what was trimmed is counted' grep -q ' 100 trimmed, lag 0' "$dir/report"
redis xdel "$stream" "$(entry_id 50)" > /dev/null
finds '^I3 STREAM_MISSING: sale drop, entry .* of order [0-9]+ of buyer' 'a lost entry' \
    "${everything[@]}"
restore
redis xadd "$stream" '9-999999' rubbish yes > /dev/null
finds '^I3 STREAM_UNKNOWN: sale drop, entry 9-999999: not an order event' 'an entry that is none' \
    "${everything[@]}"
restore
redis eval 'local entries = redis.call("XRANGE", "backup", "-", "+")
redis.call("DEL", KEYS[1])
for i, entry in ipairs(entries) do
    if i == 77 then entry[2][12] = tostring(entry[2][12] + 1) end
    if i == #entries then break end
    redis.call("XADD", KEYS[1], entry[1], unpack(entry[2]))
end' 1 "$stream" > /dev/null
finds '^I3 STREAM_DIFFERS: .*quantity is [12] in the log, [23] in the stream' \
    'an entry with another quantity' "${everything[@]}"
check 'and it is the only one that differs' grep -q "$((count - 2)) equal to the log" "$dir/report"
finds '^I3 STREAM_BEHIND: sale drop: the stream lacks the log.s last 1 events' \
    'a stream that is not drained' "${everything[@]}"
restore
redis del "$stream" > /dev/null
clean 'what is not delivered is lag without --drained' "$dir/log" --redis "$dir/redis.sock"
check 'which is told' grep -q "lag $count" "$dir/report"
redis set "$stream" rubbish > /dev/null
finds '^I3 STREAM_BAD_KEY: ' 'a key that is no stream' "${everything[@]}"
redis del "$stream" > /dev/null
restore

# --- the log and the histories ---

tamper() { python3 tests/smoke/tamper.py "$@"; }
cp -r "$dir/log" "$dir/copy"
check 'a copy of the log loses an order' tamper lose "$dir/copy" 500
finds '^I3 SEQUENCE_BROKEN: sale drop, event ' 'the gap' "$dir/copy"
finds '^I3 STREAM_UNKNOWN: ' 'the stream knows it' "$dir/copy" --redis "$dir/redis.sock"
finds '^I2 ORDER_LOST: buyer [0-9a-f]{32} was told ' 'and so do the clients' "$dir/copy" \
    --history "$dir/first.history,$dir/second.history"
check 'a history gets an acknowledgement' tamper boast "$dir/first.history" "$dir/boast.history"
finds '^I2 ORDER_LOST: buyer .* order 424242 ' 'an acknowledgement that nobody gave' "$dir/log" \
    --history "$dir/boast.history"
check 'a copy of the log is damaged' tamper damage "$dir/copy" 3
refused 9 'the frame at offset' 'a damaged log' "$build/flashgatectl" audit "$dir/copy"

refused 1 'No such file' 'a log that is not there' "$build/flashgatectl" audit "$dir/none"
refused 1 'no log in it' 'a folder without one' "$build/flashgatectl" audit "$dir"
refused 1 'cannot reach Redis' 'a Redis that is not there' "$build/flashgatectl" audit \
    "$dir/log" --redis "$dir/none.sock"
refused 1 'not a history' 'a file that is no history' "$build/flashgatectl" audit "$dir/log" \
    --history "$dir/drop.yaml"
refused 4 'control.sock' 'an engine that is not there' "$build/flashgatectl" audit "$dir/log" \
    --socket "$dir/control.sock"
