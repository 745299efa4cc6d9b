#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The log's own commands on a live log, on one that a crash left, and on damaged ones; and an engine
# that is started from a copy of a live log.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
in_own_network "$@"

make_veth
write_keys
write_config net_af_packet0,iface=fg0 2
start_engine
cat > "$dir/drop.yaml" << END
name: drop
items:
  - {id: 1, name: plain, stock: 5, limit: 2, max_per_order: 2}
  - {id: 2, name: held, stock: 3, max_per_order: 3, hold: 1h}
END
check 'a sale is applied' ctl sale apply "$dir/drop.yaml"
check 'a sale is opened' ctl sale open drop
scenario restart.py before

readonly live=$dir/log
# says PATTERN TEXT COMMAND...: a case: it succeeds and prints something like it.
says() {
    local pattern=$1 text=$2 output status=0
    shift 2
    output=$("$@" 2>&1) || status=$?
    if [ "$status" = 0 ] && grep -qE -- "$pattern" <<< "$output"; then ok "$text"; else
        not_ok "$text: status $status, nothing like /$pattern/"
        printf '    %s\n' "$output"
    fi
}
says "being written: an engine has it locked" 'a live log is sound and being written' \
    ctl journal verify "$live"
ctl journal stat "$live"
ctl journal dump "$live"
ctl --json journal dump "$live"
ctl --json journal stat "$live"
ctl --json journal verify "$live"
