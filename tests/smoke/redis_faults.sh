#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What Redis can do to an engine while sales go on: it loses streams, gets foreign entries, refuses,
# stands still, dies. After each fault every stream is the log again, entry by entry, and one
# stream's trouble is not the other's. Then two engines on copies of one log: the older one ends.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/redis_lib.bash"
in_own_network "$@"

readonly stream='flashgate:{drop}:orders'

# ask COMMAND...: Redis does it, or the test ends.
ask() { redis -e "$@" > "$dir/redis-said" || die "redis-cli $*: $(cat "$dir/redis-said")"; }

lags() { grep -qE '"lag": *[1-9]' <(ctl --json status); }
length_is() { [ "$(redis xlen "$stream")" = "$1" ]; }

# second_engine: engine.yaml becomes that of another engine, on a copy of the log as it is now.
second_engine() {
    cp -r "$dir/log" "$dir/$1"
    write_config "net_vhost0,iface=$dir/wire.sock,queues=1" 1 "redis:
  socket: $dir/redis.sock
  timeout: 500ms"
    sed -i "s|$dir/log|$dir/$1|; s|$dir/control.sock|$dir/$1.sock|; s|^file_prefix: |&$1-|" \
        "$dir/engine.yaml"
}

make_veth
write_keys
start_redis
write_config net_af_packet0,iface=fg0 1 "redis:
  socket: $dir/redis.sock
  timeout: 500ms"
start_engine
apply_sales
orders 1 20
orders 2 20
whole 'to begin with,'
cp -r "$dir/log" "$dir/old-log"

ask xadd "$stream" '*' junk 1
wait_for 20 'the junk to be seen' stream_is drop foreign
orders 1 5
orders 2 5
wait_for 20 "the other stream to go on" equal_to_log other
ok 'a foreign entry stops its own stream alone'
check 'the engine says what to do' grep -q rebuild <(ctl status)
check 'the stream is rebuilt' ctl delivery rebuild drop
whole 'with the foreign stream out of the way,'
check 'the junk is kept aside' [ "$(redis keys "$stream:aside:*" | wc -l)" = 1 ]

ask set "$stream" text
wait_for 20 'the key of another type to be seen' stream_is drop bad-key
ask del "$stream"
whole 'after a key of another type,'

ask del "$stream"
orders 1 5
whole 'after DEL,'
ask flushall
whole 'after FLUSHALL,'
ask function flush
orders 2 5
whole 'after FUNCTION FLUSH,'

ask config set maxmemory 1
orders 1 5
wait_for 20 'the lag to show' lags
ask config set maxmemory 0
whole 'after OOM,'
ask replicaof 127.0.0.1 1
orders 1 5
wait_for 20 'the lag to show' lags
ask replicaof no one
whole 'after some time as a replica,'

kill -STOP "${pids[redis]}"
orders 1 5
wait_for 20 'the lag to show' lags
kill -CONT "${pids[redis]}"
whole 'after standing still,'
stop redis KILL 137
orders 2 5
start_redis
whole 'after kill -9,'

refused 5 'fewer than 46' 'more than there is cannot be consumed' \
    "$build/flashgatectl" --socket "$dir/control.sock" consumed drop 46
check 'the consumer is done with a part' ctl consumed drop 20
wait_for 20 'what is consumed to be trimmed' length_is 25
ask set 'flashgate:{drop}:consumed' 30
wait_for 20 'what its key tells to be trimmed' length_is 15
check 'what is kept begins just after it' \
    grep -q -- '-31$' <(redis xrange "$stream" - + count 1 | head -1)
ask del 'flashgate:{drop}:consumed'

second_engine new-log
start second "$build/flashgated" --config "$dir/engine.yaml"
ends engine 10 'when a second engine runs on a copy of the log, the first one ends'
check 'and says so' grep -q 'taken over the streams' "$dir/engine.log"
mv "$dir/log" "$dir/first-log"
wait_for 20 'the second engine to rule' alive second
ask del "$stream"
whole 'under the second engine' "$dir/new-log"
stop second TERM 0

# A log that is older than the streams: fenced off until its epoch is above theirs, then foreign.
mv "$dir/old-log" "$dir/log"
second_engine stale-log
start stale "$build/flashgated" --config "$dir/engine.yaml"
ends stale 10 'an engine on an older copy of the log ends'
start stale "$build/flashgated" --config "$dir/engine.yaml"
stale_is() {
    grep -qE "\"stream\": *\"$2\"" \
        <("$build/flashgatectl" --socket "$dir/stale-log.sock" --json sale show "$1")
}
before=$(redis xlen "$stream")
for sale in drop other; do
    wait_for 20 "the stream of $sale to be foreign" stale_is "$sale" foreign
done
ok 'streams that are ahead of the log are foreign'
check 'and left alone' length_is "$before"
stop stale TERM 0
