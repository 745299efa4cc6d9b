#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# An engine is killed in the middle of a sale and started again, twice: what it acknowledged is still
# so, units and holds are as they were, and Redis has each event once. At the second start Redis has
# lost everything.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
in_own_network "$@"

make_veth
write_keys
start_redis
write_config net_af_packet0,iface=fg0 2 "redis:
  socket: $dir/redis.sock"
start_engine

cat > "$dir/drop.yaml" << END
name: drop
items:
  - {id: 1, name: plain, stock: 5, limit: 2, max_per_order: 2}
  - {id: 2, name: held, stock: 3, max_per_order: 3, hold: 1h}
END
check 'a sale is applied' ctl sale apply "$dir/drop.yaml"
check 'a sale is opened' ctl sale open drop

readonly stream='flashgate:{drop}:orders'
events() { redis xlen "$stream"; }
has_events() { [ "$(events)" = "$1" ]; }

scenario restart.py before
wait_for 20 'three events in Redis' has_events 3
stop engine KILL 137
start_engine
scenario restart.py after
wait_for 20 'five events in Redis' has_events 5
redis xrange "$stream" - + > "$dir/stream-before"
stop engine KILL 137
redis flushall > "$dir/flushall"
start_engine
wait_for 20 'all events in an emptied Redis' has_events 5
redis xrange "$stream" - + > "$dir/stream-after"
check 'the stream is as it was, entry by entry' cmp "$dir/stream-before" "$dir/stream-after"
scenario restart.py end
stop engine TERM 0
