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

# tshark's words for a file: FIELD... of frames that fit FILTER.
shark() { # FILE FILTER FIELD...
    local file=$1 filter=$2
    shift 2
    tshark -n -X lua_script:conf/flashgate.lua -r "$dir/$file" -Y "$filter" -T fields "${@/#/-e}" \
        2> >(grep -v '^Running as user "root"' >> "$dir/tshark.stderr")
}
count() { shark "$1" "$2" frame.number | wc -l; }
holds() { # FILE FILTER COUNT
    local found
    found=$(count "$1" "$2")
    [ "$found" = "$3" ] || { echo "$found frames, not $3"; return 1; }
}
some() { [ "$(count "$1" "$2")" -gt 0 ]; }
in_order() { shark "$1" frame frame.time_epoch | sort -c; }

# --- during a load ---
generate 2 "$dir/sale.yaml"
start load "${generate[@]}" --source 10.98.0.2/24 --target 10.98.0.1 --duration 100 --rate 2000 \
    --buyers 2000 --report "$dir/load.json"
busy() { [ "$(ctl --json status | field totals.counters.requests)" -gt 100 ]; }
wait_for 20 'the load to begin' busy
says '^1,000 frames captured: ' 'a thousand frames are captured' ctl capture \
    --source 10.98.0.0/24 "$dir/a.pcapng"
check 'the load was under way all the time' alive load
check 'the file is its owner'"'"'s alone' test "$(stat -c %a "$dir/a.pcapng")" = 600
refused 1 'overwrites nothing' 'a file that is there' "$build/flashgatectl" \
    --socket "$dir/control.sock" capture "$dir/a.pcapng"
check 'it has a thousand frames' holds a.pcapng frame 1000
check 'requests that came in' some a.pcapng 'frame.packet_flags_direction == 1 && flashgate.type == "request"'
check 'replies that went out' some a.pcapng 'frame.packet_flags_direction == 2 && flashgate.type == "reply"'
check 'all of one port' holds a.pcapng 'frame.interface_name == "net_vhost0"' 1000
check 'in the order of time' in_order a.pcapng
check 'each reply with its request, but for the first ones' some a.pcapng 'flashgate.response_time > 0'
check 'none is malformed' holds a.pcapng flashgate.malformed 0
check 'with right checksums' holds a.pcapng 'ip.checksum.status == "Bad" || udp.checksum.status == "Bad"' 0
stop load TERM 0
answered() { python3 -c '
import json, sys
report = json.load(open(sys.argv[1]))
assert report["requests"] == report["answered"] > 500 and report["lost"] == 0, report
assert report["admitted"] > 0, report' "$dir/load.json"; }
check 'and every one of its orders was answered' answered

# --- what is dropped ---
scenario capture.py
check 'dropped frames only' holds c.pcapng '!frame.comment' 0
check 'each under its counter' holds c.pcapng 'frame.comment contains "drop_mac: wrong mac"' 3
check '... and another' holds c.pcapng 'frame.comment contains "drop_malformed: " && flashgate.malformed' 2
check 'by the other port' holds c.pcapng 'frame.interface_id == 1' 5
check 'all of a source: both ways' holds d.pcapng 'ip.addr == 10.99.0.2' 2
check 'and nothing of others' holds d.pcapng '!ip.addr == 10.99.0.2 && ip' 0
check 'tshark has nothing to say against any' test ! -s "$dir/tshark.stderr"

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
check '... and is a file' holds g.pcapng 'frame.interface_id > 1' 0
check 'to standard output' eval 'ctl capture --count 1 --seconds 1 - 2> "$dir/h.log" > "$dir/h.pcapng"'
check '... it is the same' holds h.pcapng 'frame.interface_id > 1' 0

start reader "$build/flashgatectl" --socket "$dir/control.sock" capture --seconds 60 "$dir/i.pcapng"
wait_for 10 'a capture' second
stop engine TERM 0
wait_for 10 'its reader to end' ended reader
wait "${pids[reader]}"
check 'an engine that stops meanwhile ends it' test $? = 4
unset 'pids[reader]'
