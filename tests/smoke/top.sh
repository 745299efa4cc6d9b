#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# flashgatectl top and --watch on a real engine: what they draw, keys, resizes, signals, an engine that
# is silent, ends and starts again; and the terminal is left as it was.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_keys
write_config "net_vhost0,iface=$dir/wire.sock,queues=1" 1
cat > "$dir/spring.yaml" << END
name: spring
items:
  - {id: 7, name: Shoe, stock: 1000, limit: 2}
END
cat > "$dir/winter.yaml" << END
name: winter
items:
  - {id: 8, name: Ski, stock: 10, limit: 2}
END
start_engine
check 'a sale is applied' ctl sale apply "$dir/spring.yaml"
check 'a second one is applied' ctl sale apply "$dir/winter.yaml"
check 'the first one is opened' ctl sale open spring

SMOKE_ENGINE=${pids[engine]} scenario top.py

readonly flashgatectl=("$build/flashgatectl" --socket "$dir/control.sock")
on_terminal() { script -qec "$build/flashgatectl --socket $dir/none.sock top" /dev/null < /dev/null; }
refused 2 'wants a terminal' 'top into a pipe' "${flashgatectl[@]}" top
refused 2 'status --watch --json' 'top as JSON' "${flashgatectl[@]}" --json top
refused 2 'wanted 100ms to' 'an interval that is too short' "${flashgatectl[@]}" top --interval 5
refused 2 'goes with --watch' 'an interval without --watch' \
    "${flashgatectl[@]}" status --interval 1s
refused 4 'no engine answers' '--watch without an engine' \
    "$build/flashgatectl" --socket "$dir/none.sock" status --watch
check 'top without an engine says so at once' \
    grep -q 'no engine answers on this control socket' <(on_terminal)

"${flashgatectl[@]}" status --watch -i 100ms > "$dir/watched" 2> "$dir/watch.err" &
pids['watch']=$!
start top env SMOKE_DIR="$dir" SMOKE_CTL="$build/flashgatectl" python3 tests/smoke/top_away.py
wait_for 20 'top to draw' test -e "$dir/watching"
stop engine TERM 0
touch "$dir/stopped"
wait_for 20 'top to tell it' test -e "$dir/told"
start_engine
touch "$dir/started"
wait_for 20 'top to end' ended top
check 'top tells of an engine that goes away, and shows the next one' grep '^ok' "$dir/top.log"
watched_both() { grep -q 'epoch 1' "$dir/watched" && grep -q 'epoch 2' "$dir/watched"; }
wait_for 20 '--watch to go on with the next engine' watched_both
check '--watch told of the engine that was away, once' \
    test "$(grep -c 'asking again' "$dir/watch.err")" = 1
stop watch TERM 143
stop engine TERM 0
