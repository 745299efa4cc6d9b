#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Do workers notice that the control socket is abused? One run of the generator, in slices of a second that
# take turns: the socket is abused (tests/smoke/abuse.py), or loops that have nothing to do with the engine
# burn the same processor. Worker on core 1; generator (first in line there), control thread, abuse and
# loops on core 0. Prints each pair's p99s, that of all slices of either side with their ratio, and how many
# answers were lost. Exit status 1 above 1.3, or if an answer was lost.
# By hand, on a machine that does nothing else, as root (SCHED_FIFO): needs two cores, takes 2 * PAIRS + 15
# seconds and up to two minutes for the sums, at most 45 pairs.
#
# perf/control_abuse.sh [PAIRS] [RATE]   (default 20 pairs at 20000 requests a second)
source "$(dirname "${BASH_SOURCE[0]}")/../tests/smoke/lib.sh"

readonly pairs=${1:-20} rate=${2:-20000}
if [ "$pairs" -lt 2 ] || [ "$pairs" -gt 45 ]; then die "PAIRS is $pairs, wanted 2 to 45"; fi
[ "$(nproc)" -ge 2 ] || die 'two cores are wanted'
readonly seconds=$((2 * pairs + 10))

cat > "$dir/sale.yaml" << END
name: drop
items:
  - {id: 1, name: thing, stock: 2000, limit: 4}
END

# group NAME COMMAND...: processes of a group of their own on core 0, standing still.
group() {
    start "$1" setsid taskset -c 0 "${@:2}"
    wait_for 5 "$1 to be a group" leads "${pids[$1]}"
    kill -STOP -- "-${pids[$1]}"
}
leads() { [ "$(ps -o pgid= -p "$1" | tr -d ' ')" = "$1" ]; }
end_group() {
    kill -KILL -- "-${pids[$1]}"
    wait "${pids[$1]}" 2> /dev/null
    unset "pids[$1]"
}
# A test that ends early must not leave a group behind.
end_all() {
    local status=$? name
    for name in abuse burn; do [ -z "${pids[$name]:-}" ] || end_group "$name"; done
    (exit "$status")
    cleanup
}
trap end_all EXIT

write_keys
write_config "net_vhost0,iface=$dir/wire.sock,queues=1" 1 'cores: {control: 0, journal: 0, storage: 0}'
sed -i 's/^worker_cores: .*/worker_cores: [1]/; s/^idle: .*/idle: poll/; s/orders: 4096/orders: 20000/' \
    "$dir/engine.yaml"
start_engine
ctl sale apply "$dir/sale.yaml" > "$dir/apply.log" || die 'the sale is not applied'
ctl sale open drop > "$dir/apply.log" || die 'the sale is not opened'

# --sleep, or it would take the core from everybody; SCHED_FIFO, or p99 would be its own waiting.
start load chrt -f 10 "$build/flashgate-load" \
    --port "net_virtio_user0,path=$dir/wire.sock,queues=1,packed_vq=1,queue_size=1024" \
    --eal=--lcores=0@0 --eal=--file-prefix="load-$(basename "$dir")" --eal=--no-huge \
    --eal=--no-pci --eal=-m --eal=256 --source "$client_ip/24" --target "$engine_ip" \
    --base-port "$base_port" --key-file "$dir/keys.yaml" --key 7 --sale "$dir/sale.yaml" --sleep \
    --duration "$seconds" --rate "$rate" --buyers 100000 --timeout 20 --history "$dir/history"
sold_out() { [ "$(ctl --json sale show drop | python3 -c 'import json, sys; print(json.load(sys.stdin)["available"])')" = 0 ]; }
wait_for 20 'the sale to be sold out' sold_out
export SMOKE_DIR=$dir SMOKE_CTL=$build/flashgatectl
group abuse python3 tests/smoke/abuse.py 300
# One for the abuser, one for the control thread that it keeps busy.
group burn sh -c 'while :; do :; done & while :; do :; done'

timeout 200 python3 perf/control_abuse.py "$pairs" "$dir/history" "${pids[load]}" "${pids[abuse]}" \
    "${pids[burn]}" || failures=1
wait "${pids[load]}"
status=$?
unset "pids[load]"
if [ "$status" = 0 ]; then echo 'answers lost: 0'; else not_ok 'the generator lost answers, or failed'; fi
tail -n 3 "$dir/load.log"
end_group abuse
end_group burn
ctl --json status | python3 -c 'import json, sys; print(json.load(sys.stdin)["control"])'
stop engine TERM 0
