#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Callers that are killed in the midst of a change: it happens or it does not, is on record with who
# made it, and nothing of them is left behind, over a restart too. KILLED=10000 by hand takes minutes.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cat > "$dir/sale.yaml" << END
name: drop
items:
  - {id: 1, name: thing, stock: 100, limit: 4}
END
stock() { ctl --json sale show drop | python3 -c 'import json, sys; print(json.load(sys.stdin)["items"][0]["stock"])'; }
write_keys
write_config "net_vhost0,iface=$dir/wire.sock,queues=1" 1
sed -i 's/orders: 4096/orders: 40000/' "$dir/engine.yaml"
start_engine
check 'the sale is applied' ctl sale apply "$dir/sale.yaml"
SMOKE_ENGINE=${pids[engine]} SMOKE_DIR=$dir SMOKE_CTL=$build/flashgatectl \
    python3 tests/smoke/killed.py "${KILLED:-200}" || failures=$((failures + 1))
before=$(stock)
stop engine KILL 137
start_engine
check "after a crash there are as many units ($before)" test "$(stock)" = "$before"
stop engine TERM 0
