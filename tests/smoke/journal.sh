#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The commands on logs: on one that an engine is writing, on one that a crash left, on damaged ones.
# And a copy, made while orders come in: another engine that is started from it knows every order
# that was acknowledged before.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
in_own_network "$@"

readonly live=$dir/log copy=$dir/copy
journal() { ctl journal "$@"; }

make_veth
write_keys
write_config net_af_packet0,iface=fg0 2
sed -i 's/orders: 4096/orders: 262144/' "$dir/engine.yaml"
start_engine
cat > "$dir/drop.yaml" << END
name: drop
items:
  - {id: 1, name: plain, stock: 20000}
  - {id: 2, name: held, stock: 20000, hold: 1h}
END
check 'a sale is applied' ctl sale apply "$dir/drop.yaml"
check 'a sale is opened' ctl sale open drop

SMOKE_DIR=$dir SMOKE_CTL=$build/flashgatectl start load python3 tests/smoke/takeover.py load
acknowledged() { [ "$(wc -l < "$dir/acknowledged")" -ge "$1" ]; }
wait_for 30 'some orders' acknowledged 60
says 'end        being written: .*process '"${pids[engine]}"'\b' 'a live log is sound, and being written' \
    journal verify "$live"
for round in 1 2 3; do
    check "live, it is sound again ($round)" journal verify "$live"
    check "and copied ($round)" journal copy "$live" "$dir/copy$round"
    check "the copy is sound ($round)" journal verify "$dir/copy$round"
done
refused 6 'has the directory' 'a copy into a live log' "$build/flashgatectl" journal copy \
    "$dir/copy1" "$live"
before=$(date +%s.%N)
says 'is a copy of' 'a last copy' journal copy "$live" "$copy"
alive load || not_ok 'orders came in meanwhile'
touch "$dir/enough"
wait_for 20 'the load to end' ended load
stop engine KILL 137
says 'end        (closed|not closed|torn): ' 'what a crash leaves is sound' journal verify "$live"
says 'ADMIT +[0-9]{2,}' 'stat counts kinds' journal stat "$live"

# One line a record, in both forms; filters.
journal dump "$live" > "$dir/dump"
ctl --json journal dump "$live" > "$dir/dump.json"
records=$(ctl --json journal verify "$live" | field log.records)
check 'dump has a line for each record' test \
    "$(wc -l < "$dir/dump") $(wc -l < "$dir/dump.json")" = "$records $records"
check 'all are JSON, with rising LSNs' python3 - "$dir/dump.json" << 'END'
import json, sys
records = [json.loads(line) for line in open(sys.argv[1])]
assert [int(r['lsn']) for r in records] == list(range(1, len(records) + 1))
seqs = [int(r['id'].split('-')[1]) for r in records if 'id' in r]
assert seqs == list(range(1, len(seqs) + 1))
END
lines() { test "$(journal dump "$live" "${@:2}" | wc -l)" = "$1"; }
check 'dump by LSN' lines 3 --from 4 --to 6
states=$(grep -c ' event=SALE_STATE ' "$dir/dump")
check 'dump by kind' lines "$((states > 0 ? states : -1))" --kind sale_state
check 'dump by sale name' lines "$records" --sale drop
check 'dump by sale number' lines "$records" --sale 1
check 'dump of no sale' lines 0 --sale other
order=$(sed -n '5{s/.* order=\([0-9]*\) .*/\1/p}' "$dir/dump")
who=$(sed -n '5{s/.* buyer=\([0-9a-f]*\) .*/\1/p}' "$dir/dump")
check 'dump by order' lines 1 --order "$order"
check 'dump by buyer' lines 1 --buyer "$who"

# Damage: a byte within the log, one at its end (in the last segment: a fast disk's load fills more
# than one).
damage() { printf 'X' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
last=$(ctl --json journal stat "$live" | field segments.-1.segment)
used=$(ctl --json journal stat "$live" | field segments.-1.used)
cp -r "$live" "$dir/hurt"
damage "$dir/hurt/segment-00000001.fgl" $((8192 + 20))
refused 9 'segment-00000001.fgl: frame [0-9]+ at offset 8192 ' 'a damaged frame' \
    "$build/flashgatectl" journal verify "$dir/hurt"
refused 9 'at offset 8192 ' 'nor is it copied' "$build/flashgatectl" journal copy "$dir/hurt" "$dir/no"
check 'and nothing is left of the copy' test ! -e "$dir/no"
damage "$(printf '%s/segment-%08d.fgl' "$live" "$last")" $((used + 5))
says "tail       frame [0-9]+ in segment $last at offset $used .*: 4096 bytes" \
    'a torn tail is told and no damage' journal verify "$live"

refused 1 'is not empty \(segment-' 'a copy over a log' "$build/flashgatectl" journal copy "$live" \
    "$copy"
refused 1 'nowhere' 'no log there' "$build/flashgatectl" journal verify "$dir/nowhere"
mkdir "$dir/empty"
refused 1 'there is no log' 'an empty directory' "$build/flashgatectl" journal verify "$dir/empty"
refused 2 'is after --to 4' 'a range the wrong way round' "$build/flashgatectl" journal dump "$live" \
    --from 10 --to 4
refused 2 'none of ADMIT' 'a kind that is none' "$build/flashgatectl" journal dump "$live" --kind X
refused 2 'is no number' 'an LSN that is none' "$build/flashgatectl" journal dump "$live" --to 1x
refused 2 '32 hex digits' 'a buyer that is none' "$build/flashgatectl" journal dump "$live" --buyer 12
refused 2 'has no option --from' 'an option of another command' "$build/flashgatectl" \
    journal verify "$live" --from 3

# The engine that is started from the copy.
epoch=$(ctl --json journal verify "$copy" | field log.last_epoch)
sed -i "s|directory: .*|directory: $copy|" "$dir/engine.yaml"
start_engine
check 'its epoch has risen' test "$(ctl --json status | field epoch)" = $((epoch + 1))
scenario takeover.py retry "$before"
scenario takeover.py fresh
stop engine TERM 0
says 'end        closed' 'a stop closes the log' journal verify "$copy"
says 'epochs     1 to 2' 'its epochs' journal verify "$copy"
