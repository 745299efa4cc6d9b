#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The same sale with 1, 2, 4 and 8 workers, more of them than cores: an item of one unit, one bought in
# twos, one with holds. The generator has a single queue, so all but one worker get every datagram
# handed over. The books must balance, and nothing may be left.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cat > "$dir/sale.yaml" << END
name: drop
items:
  - {id: 1, name: single, stock: 1, limit: 1}
  - {id: 2, name: pairs, stock: 301, limit: 4, max_per_order: 2}
  - {id: 3, name: held, stock: 200, limit: 4, max_per_order: 2, hold: 100ms}
END

load() { # BATCH
    "${generate[@]}" --items 1:1,2:3,3:2 --requests 20000 --rate 20000 --buyers 3000 --batch "$1" \
        --quantity 1:1,2:1 --double-click 50 --repeat 50 --confirm 80 --cancel 15 --leave 5 \
        --think 10 --seed "$1" --history "$dir/history" --report "$dir/load.json"
}

handed_over() {
    ctl --json status | python3 -c '
import json, sys
status = json.load(sys.stdin)
total = status["totals"]["counters"]["handed_over"]
print(total)
sys.exit(0 if (total > 0) == (int(sys.argv[1]) > 1) else 1)' "$1"
}
delivered() { grep -qE '"lag": ?0[,}]' <(ctl --json status); }

write_keys
generate 1 "$dir/sale.yaml"
for workers in 1 2 4 8; do
    start_redis
    write_config "net_vhost0,iface=$dir/wire.sock,queues=$workers" "$workers" "redis:
  socket: $dir/redis.sock"
    sed -i 's/^mbufs: .*/mbufs: 3072/' "$dir/engine.yaml" # of each worker: eight fit the memory
    start_engine
    check "$workers workers: the sale is applied" ctl sale apply "$dir/sale.yaml"
    check "$workers workers: the sale is opened" ctl sale open drop
    check "$workers workers: every request is answered" load $((workers == 4 ? 8 : 1))
    check "$workers workers: datagrams are handed over where there are several" \
        handed_over "$workers"
    told="sender's queue \\+ hand-over \\(net_vhost: no flow rules\\)"
    [ "$workers" != 1 ] || told='one queue \(net_vhost\)'
    says " $workers workers?; $told\$" "$workers workers: status tells what steers, and why" ctl status
    wait_for 20 'every order to be in Redis' delivered
    check "$workers workers: the books balance" "$build/flashgate-check" \
        --history "$dir/history" --redis "$dir/redis.sock" --sale drop \
        --load-report "$dir/load.json" --json "$dir/report.json" --sell-out
    stop engine TERM 0
    stop redis TERM 0
    rm -rf "$dir/log"
done
