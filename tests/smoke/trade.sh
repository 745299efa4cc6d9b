#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A sale over af_packet on a veth, bought by a plain kernel-socket client: every op, verdict by
# verdict, silence for what must be met with it, ARP and ICMP echo, and a clean stop. Two workers
# share one client's queue, so datagrams are handed over.
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
  - {id: 2, name: held, stock: 3, max_per_order: 3, hold: 60s}
  - {id: 3, name: short, stock: 1, max_per_order: 1, hold: 1s}
  - {id: 4, name: pair, stock: 3, max_per_order: 2}
END
cat > "$dir/later.yaml" << END
name: later
items:
  - {id: 11, name: early, stock: 1, max_per_order: 1}
END
check 'a sale is applied' ctl sale apply "$dir/drop.yaml"
check 'another is applied' ctl sale apply "$dir/later.yaml"
check 'a sale is opened' ctl sale open drop

scenario trade.py
scenario silence.py
check 'ARP told the MAC of the engine'"'"'s port' test \
    "$(ip neigh show "$engine_ip" | sed -n 's/.*lladdr \([0-9a-f:]*\).*/\1/p')" = "$(mac_of fg0)"
stop engine TERM 0
check 'the control socket is gone' test ! -e "$dir/control.sock"
