#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Block and allow lists of a running engine: many buyers and prefixes are loaded under load, wrong
# files change nothing, one command blocks one suspect, a crash and a clean stop keep all.
#
# By hand with as many as there may be: LISTED_BUYERS=1000000 tests/smoke/lists.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
in_own_network "$@"
export LISTED_BUYERS=${LISTED_BUYERS:-100000} LISTED_PREFIXES=${LISTED_PREFIXES:-20000}
readonly ctl=("$build/flashgatectl" --socket "$dir/control.sock")

make_veth
ip address add 10.99.0.3/24 dev fg1
ip address add 10.99.0.4/24 dev fg1
for list in block-buyers allow-buyers block-sources allow-sources; do : > "$dir/$list.txt"; done
write_keys
write_config "net_af_packet0,iface=fg0" 1 "lists:
  block_buyers: $dir/block-buyers.txt
  allow_buyers: $dir/allow-buyers.txt
  block_sources: $dir/block-sources.txt
  allow_sources: $dir/allow-sources.txt"
cat > "$dir/drop.yaml" << END
name: drop
items:
  - {id: 1, name: plain, stock: 3000, limit: 0, max_per_order: 4}
  - {id: 2, name: held, stock: 100, hold: 60s}
END
cat > "$dir/storm.yaml" << END
name: storm
rate: 1
items:
  - {id: 3, name: rare, stock: 100}
END
start_engine
check 'a sale is applied' ctl sale apply "$dir/drop.yaml"
check '... and opened' ctl sale open drop
check 'and one with a rate' ctl sale apply "$dir/storm.yaml"
check '... and opened' ctl sale open storm

scenario lists.py load
[ "$failures" = 0 ] || exit 1
says 'Lists +[0-9,]+00[0-9] buyers and [0-9,]+00[0-9] sources blocked' 'status shows them' ctl status
says 'lists.reload.*block_buyers' 'and it is on record' ctl events
sha256sum "$dir/block-sources.txt" > "$dir/before.sha256"
says 'block-sources.txt has it already, and is left as it is; block_sources has [0-9,]+ entries now' \
    'what is there already is not added again' ctl lists add block-sources 10.99.0.3
check '... and the file is as it was' sha256sum --check --quiet "$dir/before.sha256"

echo nobody >> "$dir/allow-buyers.txt"
refused 5 'allow-buyers.txt:[0-9]+:1: "nobody" is no buyer' 'a wrong file' "${ctl[@]}" lists reload
refused 5 'added to .*not in force' 'what is added beside it is not in force, and that is told' \
    "${ctl[@]}" lists add block-sources 10.99.0.200
scenario lists.py kept
stop engine KILL 137
refused 3 'allow-buyers.txt:[0-9]+:1: "nobody" is no buyer' 'a start with it' \
    "$build/flashgated" --config "$dir/engine.yaml"
sed -i '/nobody/d' "$dir/allow-buyers.txt"
start_engine
scenario lists.py kept
refused 2 'is no buyer' 'what is no entry' "${ctl[@]}" lists add block-buyers 10.0.0.1
refused 2 'there is no list' 'what is no list' "${ctl[@]}" lists add buyers 10.0.0.1
stop engine TERM 0
start_engine
scenario lists.py kept
stop engine TERM 0
