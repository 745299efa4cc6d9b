#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Keys are rotated while gateways order: every request is answered, at once; what was removed is
# silence from the answer on; a bad key file changes nothing; and no secret is told anywhere.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
in_own_network "$@"

make_veth
write_keys
write_config net_af_packet0,iface=fg0 2 "metrics:
  listen: unix:$dir/metrics.sock"
cat > "$dir/drop.yaml" << END
name: drop
items:
  - {id: 1, name: plain, stock: 1000, max_per_order: 1}
END
start_engine
check 'a sale is applied' ctl sale apply "$dir/drop.yaml"
check '... and opened' ctl sale open drop
scenario keys.py

# Whatever there is to read of it, the text of a secret and its bytes are not in it.
tell() {
    ctl status
    ctl --json status
    ctl --json keys list
    ctl --json events
    ctl --json methods
    curl -s --unix-socket "$dir/metrics.sock" http://localhost/metrics
    "$build/flashgatectl" doctor --config "$dir/engine.yaml"
    "$build/flashgatectl" journal dump "$dir/log"
}
tell > "$dir/told.log" 2>&1
check 'the page tells keys' grep -q 'flashgate_key_datagrams_total{key="23"}' "$dir/told.log"
stop engine TERM 0
check 'no secret is in log, status, metrics, events, doctor or journal' \
    python3 tests/smoke/keys_secrets.py "$dir/told.log" "$dir/engine.log" "$dir"/log/*
