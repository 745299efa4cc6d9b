#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A sale is prepared from files: what a file would change is shown, what takes something away is
# asked about, and the same file again changes nothing. What was applied and taken off survives a
# restart, and an export describes it, here and to an engine that knows nothing.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
readonly ctl=$build/flashgatectl

# refuses STATUS PATTERN TEXT ARGUMENTS...: of sale apply.
refuses() {
    refused "$1" "$2" "$3" "$ctl" --socket "$dir/control.sock" sale apply "${@:4}" < /dev/null
}
revision() { ctl --json status | field revision; }

check 'the template needs no engine' cmp <("$ctl" sale template) conf/sale.yaml

write_keys
write_config "net_vhost0,iface=$dir/vhost.sock,queues=1" 1
sed -i 's/orders: 4096/orders: 30000/' "$dir/engine.yaml"
start_engine
cp conf/sale.yaml "$dir/sale.yaml"
says '\+ item 1002: name "Concert ticket, floor", stock 4000 units' 'a dry run shows the sample' \
    ctl sale apply --dry-run "$dir/sale.yaml"
says 'no sale yet' 'and changes nothing' ctl sale list
before=$(revision)
refuses 5 "revision is $before, not 99" 'another revision is refused' --if-revision 99 "$dir/sale.yaml"
says 'in force in every worker' 'the sample is applied at the revision that was seen' \
    ctl sale apply --if-revision "$before" "$dir/sale.yaml"
opens() { ctl --json sale show spring-drop | field opens; }
opens=$(opens)
says 'unchanged' 'the same file again changes nothing' ctl sale apply "$dir/sale.yaml"
check 'a time from now has not moved' test "$(opens)" = "$opens"
check 'the sale is opened' ctl sale open spring-drop

sed -i 's/^    stock: 5000/    stock: 4990/; s/^limit: 6/limit: 5/' "$dir/sale.yaml"
refuses 13 'is open, and this takes away: limit 6 units -> 5 units; item 1001: stock 5000 units -> 4990' \
    'what an open sale loses is asked about' "$dir/sale.yaml"
says '^item 1001: 10 units taken off' 'with --yes it is done' ctl sale apply --yes "$dir/sale.yaml"
says 'unchanged' 'and done once' ctl sale apply "$dir/sale.yaml"
sed -i 's/^    stock: 4000/    stock: 400000/' "$dir/sale.yaml"
refuses 5 'limits.orders is 30000; raise it to 60[0-9]+ or more' \
    'what does not fit names the number to raise' "$dir/sale.yaml"

ctl sale export spring-drop > "$dir/export.yaml"
stop engine KILL 137
start_engine
says 'unchanged' 'after a crash, an export from before it changes nothing' \
    ctl sale apply "$dir/export.yaml"
check 'and is exported the same' cmp <(grep -v '^#' "$dir/export.yaml") \
    <(ctl sale export spring-drop | grep -v '^#')
stop engine TERM 0
mv "$dir/log" "$dir/log1"
mkdir "$dir/log"
start_engine
says 'in force' 'an engine that knows nothing takes the export' ctl sale apply "$dir/export.yaml"
check 'and exports the same' cmp <(grep -v '^#' "$dir/export.yaml") \
    <(ctl sale export spring-drop | grep -v '^#')
stop engine TERM 0
exit $((failures > 0))
