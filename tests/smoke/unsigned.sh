#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Unsigned datagrams where the configuration allows them (where not they are silence, as smoke/trade
# has it): told loudly, by the log, status and doctor. What settles an order is FORBIDDEN to them
# unless it is named, too.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
in_own_network "$@"

make_veth
write_keys
write_config net_af_packet0,iface=fg0 1 'unsigned_allowed: true'
cat > "$dir/drop.yaml" << END
name: drop
items:
  - {id: 1, name: held, stock: 10, hold: 60s}
END
doctor() { "$build/flashgatectl" doctor --config "$dir/engine.yaml" | grep -A1 unsigned; }

refused 3 'key_file: is missing.*set unsigned_allowed: true' 'neither keys nor leave to go without' \
    "$build/flashgated" --check --config "$(altered none '/^key_file\|^unsigned/d')"
refused 3 'unsigned_ops: says nothing without unsigned_allowed' 'ops of unsigned ones, and none taken' \
    "$build/flashgated" --check \
    --config "$(altered ops 's/^unsigned_allowed.*/unsigned_ops: [CONFIRM]/')"

start_engine_by env --default-signal=HUP
says 'WARNING +UNSIGNED: .* anyone who reaches the port can buy$' 'status says so' ctl status
says 'UNSIGNED: .* are taken: ORDER QUERY STOCK PING;' 'the log says so, and which' \
    cat "$dir/engine.log"
says 'unsigned datagrams are taken: anyone can order$' 'doctor says so' doctor
check 'a sale is applied' ctl sale apply "$dir/drop.yaml"
check '... and opened' ctl sale open drop
scenario unsigned.py as_a_rule
stop engine HUP 0 # as TERM does

echo 'unsigned_ops: [ORDER, CONFIRM, CANCEL, PING]' >> "$dir/engine.yaml"
start_engine_by env --ignore-signal=HUP
kill -HUP "${pids[engine]}" # as nohup has it, that is nothing
says "WARNING +UNSIGNED: .* can buy, and settle anybody's orders" 'that they are named is told, too' \
    ctl status
says "anyone can order, and settle anybody's orders" '... by doctor as well' doctor
scenario unsigned.py named
stop engine TERM 0
