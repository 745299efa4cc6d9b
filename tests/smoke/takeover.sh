#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Another machine takes over: engine A sells and is frozen in the midst of it; its log is taken over
# and engine B serves from it. B knows every order that A had acknowledged. Then A wakes up: it finds
# itself fenced off, ends with a status of its own, and nothing of what it does after the takeover
# gets into the stream, which is B's log, entry by entry.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
in_own_network "$@"

readonly stream='flashgate:{drop}:orders'
b_ctl() { "$build/flashgatectl" --socket "$dir/b.sock" "$@"; }
b_answers() { b_ctl status; }
takeover() { "$build/flashgatectl" takeover --config "$dir/b.yaml" "$dir/log" "$@"; }
acknowledged() { [ "$(wc -l < "$dir/acknowledged")" -ge "$1" ]; }
events() { redis xlen "$stream"; }

make_veth
ip link add fg2 type veth peer name fg3 || die 'ip link add veth'
ip address add 10.98.0.2/24 dev fg3
ethtool -K fg3 tx off > /dev/null 2>&1 || die 'ethtool -K fg3 tx off'
ip link set fg2 up
ip link set fg3 up
write_keys
start_redis
readonly redis_lines="redis:
  socket: $dir/redis.sock"
write_config net_af_packet0,iface=fg2 2 "$redis_lines"
sed -e "s|$engine_ip/24|10.98.0.1/24|; s|$dir/log|$dir/log-b|; s|$dir/control.sock|$dir/b.sock|" \
    -e "s|^file_prefix: .*|&-b|; s|orders: 4096|orders: 65536|" "$dir/engine.yaml" > "$dir/b.yaml"
write_config net_af_packet0,iface=fg0 2 "$redis_lines"
sed -i 's/orders: 4096/orders: 65536/' "$dir/engine.yaml"
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
wait_for 30 'some orders' acknowledged 60

# Refusals change nothing: neither the fence nor the directory.
fence_before=$(redis get 'flashgate:{drop}:fence')
sed 's|redis.sock|no-redis.sock|' "$dir/b.yaml" > "$dir/no-redis.yaml"
refused 1 'cannot be fenced .*--without-fence' 'Redis out of reach' "$build/flashgatectl" takeover \
    --config "$dir/no-redis.yaml" "$dir/log"
refused 3 'own log.directory' 'its own log' "$build/flashgatectl" takeover --config "$dir/b.yaml" \
    "$dir/log-b/../log-b"
refused 1 'no log' 'from nothing' "$build/flashgatectl" takeover --config "$dir/b.yaml" "$dir"
refused 2 'wants --config' 'without a configuration' "$build/flashgatectl" takeover "$dir/log"
touch "$dir/log-b/mine"
refused 1 'not empty \(mine\)' 'into a directory with something in it' "$build/flashgatectl" \
    takeover --config "$dir/b.yaml" "$dir/log"
rm "$dir/log-b/mine"
check 'A still holds its fence' test "$(redis get 'flashgate:{drop}:fence')" = "$fence_before"

kill -STOP "${pids[engine]}"
frozen=$(date +%s.%N)
told_by_a=$(wc -l < "$dir/acknowledged")
output=$(takeover 2>&1) || not_ok "takeover: $output"
check 'the steps are told' grep -qzE 'read .*fence +drop: .*copy .*epoch +2 is used up' <<< "$output"
check 'the fence is of the next epoch' grep -q '^2:' <(redis get 'flashgate:{drop}:fence')
output=$(takeover --json 2>&1) || not_ok "takeover again: $output"
check 'it can be run again' grep -q '"taken_over": true' <<< "$output"
sed "s|$dir/log-b|$dir/log-u|" "$dir/no-redis.yaml" > "$dir/unfenced.yaml"
check 'without a fence, if that is what is wanted' "$build/flashgatectl" takeover --without-fence \
    --config "$dir/unfenced.yaml" "$dir/log"
check 'of which the copy is sound' ctl journal verify "$dir/log-u"

start b "$build/flashgated" --config "$dir/b.yaml"
b_up() { b_answers || ended b; }
wait_for 60 'B to answer' b_up
alive b || die 'B ended at start'
ok "A had acknowledged $told_by_a orders when it was frozen"
SMOKE_ENGINE=10.98.0.1 scenario takeover.py retry "$frozen"
SMOKE_ENGINE=10.98.0.1 scenario takeover.py fresh

# A wakes up. Its load goes on until it has ended.
kill -CONT "${pids[engine]}"
wait_for 20 'A to see the fence' ended engine
status=0
wait "${pids[engine]}" || status=$?
unset 'pids[engine]'
check 'A ends by itself, fenced' test "$status" = 10
check 'and says so' grep -q 'taken over' "$dir/engine.log"
ended_with=$(wc -l < "$dir/acknowledged")
echo "# A acknowledged $((ended_with - told_by_a)) orders after it woke up, until it saw the fence"
touch "$dir/enough"
wait_for 20 'the load to end' ended load
check 'nothing is acknowledged after it' test "$(wc -l < "$dir/acknowledged")" = "$ended_with"
sed "s|$dir/log-b|$dir/log-c|" "$dir/b.yaml" > "$dir/c.yaml"
refused 10 'taken over: its mark is 3' 'to take the old log over again' "$build/flashgatectl" takeover \
    --config "$dir/c.yaml" "$dir/log"
# A's log may hold orders that are nowhere else, also to a takeover in the other direction.
refused 1 'not empty \(segment-' 'to take B over onto what A wrote' "$build/flashgatectl" takeover \
    --config "$dir/engine.yaml" "$dir/log-b"

# The stream is B's log.
in_log=$(b_ctl --json journal dump "$dir/log-b" | grep -c '"id":"')
all_delivered() { [ "$(events)" = "$in_log" ]; }
wait_for 20 'all of B'"'"'s events in Redis' all_delivered
redis --json xrange "$stream" - + > "$dir/stream.json"
b_ctl --json journal dump "$dir/log-b" > "$dir/dump.json"
check "the stream is B's log, entry by entry" python3 - "$dir" << 'END'
import json, sys
log = [json.loads(line) for line in open(sys.argv[1] + '/dump.json')]
log = [record for record in log if 'id' in record]
stream = json.load(open(sys.argv[1] + '/stream.json'))
assert len(stream) == len(log) and len(log) > 60, (len(stream), len(log))
for (id, fields), record in zip(stream, log):
    assert id == record['id'], (id, record)
    for name, value in zip(fields[::2], fields[1::2]):
        assert record[name] == value, (name, value, record)
END
check 'of which the last are of epoch 3' test "$(tail -1 "$dir/dump.json" | grep -c '"epoch":3')" = 1
stop b TERM 0
check 'and it is sound' b_ctl journal verify "$dir/log-b"
