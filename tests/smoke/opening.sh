#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A sale opens by its schedule, watched by a client: NOT_OPEN tells the time that is left, and the first
# ADMITTED comes when it should. How exactly it opened, and how right the clock is, is shown. Then the
# engine is drained for maintenance, and sells again. At last every example of docs/control.md is called.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
in_own_network "$@"

make_veth
write_keys
start_redis
write_config net_af_packet0,iface=fg0 2 "redis:
  socket: $dir/redis.sock"
# Each section of the page has a sale of its own.
sed -i 's/orders: 4096/orders: 16384/' "$dir/engine.yaml"
start_engine

cat > "$dir/drop.yaml" << END
name: drop
opens: +2s
items:
  - {id: 1, name: plain, stock: 1000, max_per_order: 1}
  - {id: 2, name: held, stock: 10, max_per_order: 1, hold: 60s}
END
scenario opening.py opening
ctl sale show drop | grep '^Opened' || not_ok 'sale show tells how exactly it opened'
check 'status tells how right the clock is' grep -E '^Clock .* off by [0-9.]+ us at most' <(ctl status)

refused 13 'sale drop is open.*--yes' 'draining an open sale is asked about' \
    "$build/flashgatectl" --socket "$dir/control.sock" drain
check 'the engine drains' grep -c '^Drained: .*Redis has everything' <(ctl drain --yes --timeout 30s)
check 'held orders are told' grep -c '^Holds  *1 ' <(ctl drain)
check 'Redis has what was sold' python3 -c '
import sys
assert int(sys.argv[1]) >= 2, sys.argv' "$(redis xlen 'flashgate:{drop}:orders')"
scenario opening.py drained
kill -STOP "${pids[redis]}"
scenario opening.py confirm
refused 1 'not drained in time: .* [0-9]* order events for Redis' \
    'a drain that takes too long says what is missing' \
    "$build/flashgatectl" --socket "$dir/control.sock" drain --timeout 1s
kill -CONT "${pids[redis]}"
check 'draining goes on when Redis is back' grep -c '^Drained' <(ctl drain --timeout 30s)
stop engine TERM 0
start_engine
scenario opening.py drained
check 'the engine is resumed' ctl engine resume
scenario opening.py resumed
scenario examples.py
stop engine TERM 0
