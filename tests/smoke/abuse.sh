#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The control socket under abuse while the generator buys: thousands of connections, half messages,
# endless lines, garbage, readers that do not read, callers that are killed, no descriptor left. No
# answer is lost, calls are answered meanwhile and after it, the control thread's ticks come in time,
# and its memory and its processor are its own again.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cat > "$dir/sale.yaml" << END
name: drop
items:
  - {id: 1, name: thing, stock: 2000, limit: 4}
  - {id: 2, name: held, stock: 300, limit: 4, hold: 200ms}
END

write_keys
write_config "net_vhost0,iface=$dir/wire.sock,queues=1" 1
start_engine
check 'the sale is applied' ctl sale apply "$dir/sale.yaml"
check 'the sale is opened' ctl sale open drop
# A wave of 40,000 requests in 4 s.
generate 1 "$dir/sale.yaml"
start load "${generate[@]}" --items 1:2,2:1 --requests 40000 --rate 10000 --buyers 5000 \
    --confirm 60 --cancel 20 --leave 20 --think 10 --report "$dir/load.json"
SMOKE_ENGINE=${pids[engine]} scenario abuse.py
wait_for 60 'the generator to end' ended load
wait "${pids[load]}"
status=$?
unset "pids[load]"
check 'every request of the generator is answered' test "$status" = 0
stop engine TERM 0
