#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A running sale is changed under load: units added and removed, item, sale and engine paused and
# resumed, the kill switch, single figures. What is in force when flashgatectl returns is seen at the
# workers, all of it is there after a kill, and the audit finds nothing that differs.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly ctl=("$build/flashgatectl" --socket "$dir/control.sock")

# figure COMMAND...: the last word is the path of a figure of the command's JSON.
figure() { ctl --json "${@:1:$#-1}" | field "${@: -1}"; }
# is TEXT WANTED COMMAND...: a figure is what is wanted.
is() {
    local found
    found=$(figure "${@:3}")
    if [ "$found" = "$2" ]; then ok "$1"; else not_ok "$1: $found, not $2"; fi
}
verdicts() { figure status "totals.verdicts.$1"; }
above() { [ "$(verdicts "$1")" -gt "$2" ]; }

# still TEXT VERDICT: orders come in and are answered so, and no unit is sold.
still() {
    local before after told
    told=$(verdicts "$2") before=$(figure sale show drop items.0.available)
    wait_for 10 "answers $2" above "$2" "$((told + 40))"
    after=$(figure sale show drop items.0.available)
    if [ "$before" = "$after" ]; then ok "$1: $2, and $after units are left"; else
        not_ok "$1: available went from $before to $after"
    fi
}

write_keys
write_config "net_vhost0,iface=$dir/wire.sock,queues=2" 2
sed -i 's/orders: 4096/orders: 32768/' "$dir/engine.yaml"
cat > "$dir/drop.yaml" << END
name: drop
items:
  - {id: 1, name: plain, stock: 15000, limit: 40, max_per_order: 2}
  - {id: 2, name: held, stock: 500, limit: 2, max_per_order: 2, hold: 300ms}
END
start_engine
check 'a sale is applied' ctl sale apply "$dir/drop.yaml"
check '... paused before it ever opened' ctl sale pause drop
is 'resumed it waits for its opening' scheduled sale resume drop state
check '... and is opened' ctl sale open drop
generate 2 "$dir/drop.yaml"
start load "${generate[@]}" --duration 60 --rate 400 --items 1:9,2:1 --buyers 4000 \
    --quantity 1:7,2:3 --double-click 10 --repeat 10 --confirm 70 --cancel 20 --leave 10 --think 50 \
    --seed 1 --sleep --history "$dir/load.history"
wait_for 20 'the first orders' above ADMITTED 100

stock=15000
for units in 50 30 1 700; do
    is "$units units are added while orders come in" $((stock += units)) stock add 1 $units stock
    is "... and $((units / 2 + 1)) removed" $((stock -= units / 2 + 1)) \
        stock remove 1 $((units / 2 + 1)) stock
done
refused 5 'limits.orders is 32768; raise it to' 'more than the engine holds' \
    "${ctl[@]}" stock add 1 20000
check 'the sale pauses' ctl sale pause drop
still 'while the sale is paused' PAUSED
is 'to pause it again changes nothing' false sale pause drop changed
is 'it resumes open' open sale resume drop state
check 'one item pauses' ctl item pause 1
still 'while the item is paused' PAUSED
check 'and resumes' ctl item resume 1
check 'the engine pauses' ctl engine pause
still 'while the engine is paused' PAUSED
check 'and resumes' ctl engine resume
check 'a limit is lowered' ctl item set 1 limit 30 --yes
refused 13 'kill switch' 'the kill switch asks' "${ctl[@]}" engine kill
check 'everything is switched off' ctl engine kill --yes
still 'while the switch is off' BUSY
check 'an item is paused meanwhile' ctl item pause 2
is 'more units go than there are' "$(($(figure sale show drop items.1.available)))" \
    stock remove 2 400000 removed
held=$(figure sale show drop items.1.stock)
revision=$(figure status revision)

stop engine KILL 137
start_engine
is 'after the kill: the revision' "$revision" status revision
is '... the stock' "$stock" sale show drop items.0.stock
is '... what is left of the other item' "$held" sale show drop items.1.stock
is '... the limit' 30 sale show drop items.0.limit
is '... and the switch is still off' false engine kill changed
is 'the engine is brought back' running engine resume mode
check 'the item too' ctl item resume 2
wait_for 10 'orders after it' above ADMITTED 20
stop load TERM 0
is 'what is unsold is removed to the last unit' \
    "$((stock - $(figure sale show drop items.0.given)))" stock remove 1 2000000 removed
is 'there is nothing left to remove' false stock remove 1 1 changed
check 'the item is closed for good' ctl item close 1 --yes
audit() {
    "$build/flashgatectl" audit "$dir/log" --history "$dir/load.history" \
        --socket "$dir/control.sock" > "$dir/audit.out" 2>&1 && grep -q '^nothing differs$' "$dir/audit.out"
}
if audit; then ok 'nothing differs'; else not_ok "audit: $(cat "$dir/audit.out")"; fi
stop engine TERM 0
