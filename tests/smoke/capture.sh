#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Frames captured while a sale runs: as many as were asked for, both ways, in order, with the counter
# of those that are dropped, in a file that tshark has nothing to say against; and the sale's clients
# notice nothing. Then who may, how often, and what is left when a reader goes.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
in_own_network "$@"

make_veth
write_keys
write_config "net_vhost0,iface=$dir/wire.sock,queues=2" 2
# Another port, where a client of this test's own sends what is dropped.
sed -i "s|^mbufs:|  - device: net_af_packet0,iface=fg0\n    address: $engine_ip/24\n&|
        0,/address: /s|address: .*|address: 10.98.0.1/24|" "$dir/engine.yaml"
start_engine
cat > "$dir/sale.yaml" << END
name: drop
items: [{id: 1, name: plain, stock: 4000}]
END
check 'a sale is applied' ctl sale apply "$dir/sale.yaml"
check 'and opened' ctl sale open drop

# facts FILE: FILE.pcapng as a table of what tshark makes of each frame.
facts() {
    local fields=(frame.packet_flags_direction frame.interface_name frame.interface_id frame.time_epoch
        frame.comment ip.src ip.dst ip.checksum.status udp.checksum.status flashgate.type
        flashgate.response_time flashgate.malformed)
    tshark -n -X lua_script:conf/flashgate.lua -r "$dir/$1.pcapng" -o ip.check_checksum:true \
        -o udp.check_checksum:true -T fields -E header=y "${fields[@]/#/-e}" > "$dir/$1.tsv" \
        2> >(grep -v '^Running as user "root"' >> "$dir/tshark.stderr")
}
# holds FILE COUNT CONDITION: so many of its frames fit; COUNT may be a condition on n.
holds() {
    python3 - "$dir/$1.tsv" "$2" "$3" << 'END'
import csv, sys
path, count, condition = sys.argv[1:]
n = 0
for row in csv.DictReader(open(path), delimiter='\t', quoting=csv.QUOTE_NONE):
    way, port, comment = int(row['frame.packet_flags_direction'], 0), row['frame.interface_name'], row['frame.comment']
    kind = row['flashgate.type']
    n += bool(eval(condition))
fits = eval(count) if 'n' in count else n == int(count)
sys.exit(0 if fits else f'{n} frames, not {count}')
END
}
in_order() { cut -f4 "$dir/$1.tsv" | tail -n +2 | sort -c -n; }

# --- during a load ---
generate 2 "$dir/sale.yaml"
start load "${generate[@]}" --source 10.98.0.2/24 --target 10.98.0.1 --duration 100 --rate 2000 \
    --buyers 2000 --report "$dir/load.json"
busy() { [ "$(ctl --json status | field totals.counters.requests)" -gt 100 ]; }
wait_for 20 'the load to begin' busy
says '^1,000 frames captured: ' 'a thousand frames are captured' ctl capture \
    --source 10.98.0.0/24 "$dir/a.pcapng"
check 'the load was under way all the time' alive load
stop load TERM 0
answered() { python3 -c '
import json, sys
report = json.load(open(sys.argv[1]))
assert report["requests"] == report["answered"] > 500 and report["lost"] == 0, report
assert report["admitted"] > 0, report' "$dir/load.json"; }
check 'and every one of its orders was answered' answered
check 'the file is its owner'"'"'s alone' test "$(stat -c %a "$dir/a.pcapng")" = 600
refused 1 'overwrites nothing' 'a file that is there' "$build/flashgatectl" \
    --socket "$dir/control.sock" capture "$dir/a.pcapng"
check 'tshark reads it' facts a
check 'it has a thousand frames' holds a 1000 True
check 'requests that came in' holds a 'n > 0' 'way == 1 and kind == "1"'
check 'replies that went out' holds a 'n > 0' 'way == 2 and kind == "2"'
check 'nothing that is both' holds a 0 '(way, kind) in ((1, "2"), (2, "1"))'
check 'all of one port' holds a 1000 'port == "net_vhost0"'
check 'in the order of time' in_order a
check 'replies with their requests' holds a 'n > 100' 'float(row["flashgate.response_time"] or 0) > 0'
check 'none is malformed' holds a 0 'row["flashgate.malformed"]'
check 'with right checksums' holds a 0 '"0" in (row["ip.checksum.status"], row["udp.checksum.status"])'

# --- what is dropped ---
scenario capture.py
check 'tshark reads what is dropped' facts c
check 'dropped frames only' holds c 0 'not comment'
check 'each under its counter' holds c 3 'comment == "drop_mac: wrong mac"'
check '... and another, whose form is wrong' holds c 2 'comment.startswith("drop_malformed: ") and row["flashgate.malformed"]'
check 'by the other port' holds c 5 'row["frame.interface_id"] == "1"'
check 'tshark reads those of a source' facts d
check 'both ways' holds d 2 '"10.99.0.2" == row["ip.src" if way == 1 else "ip.dst"]'
check 'and nothing of others' holds d 2 True

# --- one at a time; a reader that goes ---
kept() { ctl --json events | python3 -c '
import json, sys
what = [event["what"] for event in json.load(sys.stdin)["events"] if event["kind"] == "ACT"]
sys.exit(0 if any(sys.argv[1] in one for one in what) else 1)' "$1"; }
check 'who captured how much is on record' kept 'capture.start, count 5, seconds 20, dropped true'
check 'and how it ended' kept 'capture.read, frames 5, end full'
start reader "$build/flashgatectl" --socket "$dir/control.sock" capture --seconds 60 "$dir/e.pcapng"
wait_for 10 'its beginning' kept 'seconds 60'
second() { ! ctl capture "$dir/f.pcapng" > "$dir/second.stdout" 2>&1 && grep -q 'is under way' "$dir/second.stdout"; }
wait_for 10 'a second one to be refused' second
check 'and it leaves no file' test ! -e "$dir/f.pcapng"
refused 2 'count "0" is not a number' 'a count that is none' "$build/flashgatectl" \
    --socket "$dir/control.sock" capture --count 0 "$dir/f.pcapng"
check 'nor does that' test ! -e "$dir/f.pcapng"
kill -KILL "${pids[reader]}"
wait "${pids[reader]}" 2> /dev/null
unset 'pids[reader]'
over() { kept 'end left'; }
wait_for 20 'the engine to give up on a reader that was killed' over
start reader "$build/flashgatectl" --socket "$dir/control.sock" capture --seconds 60 "$dir/g.pcapng"
wait_for 10 'another to be taken' kept 'count 1000, seconds 60, dropped false'
wait_for 10 'its beginning' second
stop reader INT 0
check 'what Ctrl-C ends is written' grep -q 'frames captured: it was stopped' "$dir/reader.log"
check '... and is a file' facts g
to_stdout() { ctl capture --count 1 --seconds 1 - 2> "$dir/h.log" > "$dir/h.pcapng"; }
check 'to standard output' to_stdout
check '... it is the same' facts h
check 'tshark has nothing to say against any' test ! -s "$dir/tshark.stderr"

start reader "$build/flashgatectl" --socket "$dir/control.sock" capture --seconds 59 "$dir/i.pcapng"
wait_for 10 'a capture' kept 'seconds 59'
stop engine TERM 0
wait_for 10 'its reader to end' ended reader
wait "${pids[reader]}"
check 'an engine that stops meanwhile ends it' test $? = 4
unset 'pids[reader]'
