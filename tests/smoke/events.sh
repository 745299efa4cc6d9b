#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The audit trail as operators follow it: what is done is shown while it happens, over an engine's
# death and return and over a new log; a follower that nobody reads holds nobody up, and one whose
# reader has gone ends. More events than fit one page come whole, and are the same after a restart.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Signals as a terminal's shell gives them: a background job of a script ignores Ctrl-C.
follower() { start "$1" env --default-signal=INT,PIPE "$build/flashgatectl" --socket "$dir/control.sock" "${@:2}"; }
shows() { grep -qE -- "$2" "$dir/$1.log"; }
events() { ctl --json events | python3 -c 'import json, sys
for event in json.load(sys.stdin)["events"]: print(json.dumps(event))'; }
# Cases that come to pass.
shown() {
    wait_for 10 "$1 to show /$2/" shows "$1" "$2"
    ok "$3"
}
connections() { ctl --json status | python3 -c 'import json, sys; print(json.load(sys.stdin)["control"]["connections"])'; }

cat > "$dir/sale.yaml" << END
name: drop
items:
  - {id: 1, name: thing, stock: 100, limit: 4}
END
write_keys
write_config "net_vhost0,iface=$dir/wire.sock,queues=1" 1
start_engine
follower follow events --follow
follower lines --json events --follow
shown follow '^ *LSN  AT +WHO' 'a follower begins before anything was done'
check 'a sale is applied' ctl sale apply "$dir/sale.yaml"
shown follow "$(id -un)\[[0-9]+\] +SALE +drop +defined with 1 item, 100 units" 'it shows a change and who made it'
check 'the sale is opened' ctl sale open drop
shown follow 'SALE_STATE +drop +open$' '... and the next'
shown lines '"kind":"SALE_STATE","sale":"drop","what":"open"' 'with --json, too'
check '... one object a line' python3 -c 'import json, sys
assert [json.loads(line)["kind"] for line in open(sys.argv[1])] == ["SALE", "SALE_STATE"]' "$dir/lines.log"

# A pipe that is full, and nobody takes anything out of it.
mkfifo "$dir/pipe"
exec 8<> "$dir/pipe"
head -c 65536 /dev/zero >&8
start stuck bash -c "exec '$build/flashgatectl' --socket '$dir/control.sock' events --follow > '$dir/pipe' 8>&-"
check 'beside a follower that nobody reads calls are answered' ctl stock add 1 5
shown follow '5 units added to item 1' '... and other followers go on'
check '... and it holds no connection' test "$(connections)" = 1
head -c 65536 <&8 > /dev/null
while read -r -t 10 line <&8 && [[ $line != *'5 units added'* ]]; do :; done
check 'once it is read it goes on' grep -q '5 units added' <<< "$line"
exec 8>&-
wait_for 10 'the follower of a closed pipe to end' ended stuck
wait "${pids[stuck]}"
status=$?
unset "pids[stuck]"
check "whose reader has gone ends ($status), though nothing happens" test "$status" = 1

stop engine KILL 137
shown follow 'control.sock: .*; asking again' 'an engine that is killed is told'
start_engine
shown follow 'the engine answers again' '... and that it is back'
check 'the sale is closed' ctl sale close --yes drop
shown follow 'SALE_STATE +drop +closed$' '... and what comes then'
check 'nothing was shown twice' test "$(grep -cE '5 units added|drop +open$' "$dir/follow.log")" = 2
stop engine TERM 0
mv "$dir/log" "$dir/log.before"
mkdir "$dir/log"
start_engine
shown follow 'the engine has another log now' 'a new log is told'
sed -i 's/drop/next/; s/id: 1/id: 2/' "$dir/sale.yaml"
check 'a sale is applied there' ctl sale apply "$dir/sale.yaml"
shown follow 'SALE +next +defined' '... and shown'
stop lines INT 130
stop follow TERM 143

# 300 times two events, in calls that are sent at once.
python3 - "$dir/control.sock" << 'END' || die 'the calls were not answered'
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(60)
s.connect(sys.argv[1])
calls = [{'jsonrpc': '2.0', 'id': n, 'method': ('item.pause', 'item.resume')[n % 2], 'params': {'item': '2'}}
         for n in range(600)]
s.sendall(''.join(json.dumps(call) + '\n' for call in calls).encode())
answers = s.makefile()
for n in range(600):
    answer = json.loads(answers.readline())
    assert answer['id'] == n and answer['result']['changed'], answer
END
events > "$dir/before"
check 'all events are listed, over two pages' test "$(wc -l < "$dir/before")" = 601
stop engine KILL 137
start_engine
events > "$dir/after"
check 'and the same ones after a crash' cmp "$dir/before" "$dir/after"
check 'from an LSN on they are what came after it' test \
    "$(ctl events --since "$(sed -n 598p "$dir/after" | grep -oE '[0-9]+' | head -n 1)" | grep -c ITEM_STATE)" = 3
stop engine TERM 0
