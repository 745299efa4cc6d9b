#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A log of small segments fills up with a sale (its definition is long) that is then over: archived, delivered and reported as
# consumed, its segments go, and new orders are taken again. The other sale lives on, over restarts
# and a Redis that forgets everything.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
in_own_network "$@"

make_veth
write_keys
start_redis
write_config net_af_packet0,iface=fg0 1 "redis:
  socket: $dir/redis.sock"
sed -i 's/^  orders: 4096/  orders: 130000/; s/^  segment: 16MiB/&\n  keep: 1h/' "$dir/engine.yaml"
start_engine
cat > "$dir/small.yaml" << END
name: small
items:
  - {id: 2, name: plain, stock: 1000, limit: 1}
END
scenario retention.py begin
check 'the small sale is applied' ctl sale apply "$dir/small.yaml"
check 'and opened' ctl sale open small

# figure PATH: of status, as "journal.segment".
figure() { ctl --json status | field "$1"; }
is() { [ "$(figure "$1")" = "$2" ]; }
oldest_is() { is journal.oldest_segment "$1"; }
alarmed() { ctl --json status | grep "\"$1" > "$dir/alarmed"; } # -q would break the pipe
quiet() { ! alarmed "$1"; }
consumed_of_big() { ctl --json delivery status | python3 -c '
import json, sys
print(next(s["logged"] for s in json.load(sys.stdin)["sales"] if s["sale"] == "big"))'; }
readonly stream='flashgate:{small}:orders'
small_has() { [ "$(redis xlen "$stream")" = "$1" ]; }

for ((stock = 101; stock < 401; stock += 30)); do
    alarmed 'LOG NEARLY FULL' || scenario retention.py fill "$stock"
done
check 'the log fills up' alarmed 'LOG NEARLY FULL'
[ "$failures" = 0 ] || die 'the log is not as this test needs it'
scenario retention.py busy
wait_for 20 'every order to be in Redis' is delivery.lag 0
refused 5 'sale big is open; close it first' 'an open sale is not archived' \
    "$build/flashgatectl" --socket "$dir/control.sock" sale archive big
check 'the big sale is closed' ctl sale close --yes big
check 'and archived' ctl sale archive --yes big
check 'archived twice, it is so already' grep -q 'already archived' <(ctl sale archive --yes big)
wait_for 20 'its orders to be forgotten' is totals.gauges.orders 3
check 'what is not consumed is kept' oldest_is 1
scenario retention.py busy
check 'the consumer reports' ctl consumed big "$(consumed_of_big)"
wait_for 20 'the segments to go' oldest_is 3
check 'nothing older is left on disk' test ! -e "$dir/log/segment-00000002.fgl"
scenario retention.py free
check 'the alarm is over' quiet 'LOG NEARLY FULL'
wait_for 20 'four events in Redis' small_has 4
redis xrange "$stream" - + > "$dir/before"

stop engine KILL 137
start_engine
scenario retention.py retry
redis flushall > "$dir/flushall"
wait_for 20 'the stream of the open sale to be whole again' small_has 4
redis xrange "$stream" - + > "$dir/after"
check 'it is as it was, entry by entry' cmp "$dir/before" "$dir/after"
check 'the archived sale is no alarm' quiet STREAM
refused 5 'sale big is archived' 'its name is not used again' \
    "$build/flashgatectl" --socket "$dir/control.sock" sale apply "$dir/big.yaml"
sed 's/^name: big/name: again/' "$dir/big.yaml" > "$dir/again.yaml"
refused 5 'item 1 was sold in an archived sale' 'nor are its items' \
    "$build/flashgatectl" --socket "$dir/control.sock" sale apply "$dir/again.yaml"
stop engine TERM 0
redis flushall > "$dir/flushall"
start_engine
wait_for 20 'the stream to be whole after a restart, too' small_has 4
redis xrange "$stream" - + > "$dir/after"
check 'and again entry by entry' cmp "$dir/before" "$dir/after"
scenario retention.py retry
stop engine TERM 0
