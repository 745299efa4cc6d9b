#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A whole flash sale on this machine, and its books: a private Redis, the engine on a shared-memory
# wire, a sale applied and opened by the control CLI, buyers played by the traffic generator, and the
# checker that compares what they were told with what is in Redis. Needs no root and no network.
#
# perf/demo.sh [--small] [--ipv6] [--seed N]
#   --small  a sale of a few seconds, for tests: the same steps and checks
#   --ipv6   over IPv6
#   --seed   which buyers ask for what (default 1)
#
# BUILD names the folder of the binaries (default build/release). The report is left in
# build/demo/report.json (--small: in demo-small beside the binaries, with --ipv6 in demo-small6); logs and history stay there
# until the next demo. Exit status 0 if the books balance, 11 if they do not, another if a part failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

readonly build=${BUILD:-build/release}
readonly base_port=20480
readonly EXIT_FAILED=1 EXIT_USAGE=2 EXIT_BOOKS=11 # include/flashgate/exit_status.h
readonly sale=demo-drop

seed=1 small=false ipv6=false
while [ $# -gt 0 ]; do
    case $1 in
    --small) small=true ;;
    --ipv6) ipv6=true ;;
    --seed)
        seed=${2:-}
        shift
        ;;
    --help | -h)
        sed -n '3,15s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    *)
        echo "perf/demo.sh: $1 is not an option; --help lists them" >&2
        exit "$EXIT_USAGE"
        ;;
    esac
    shift
done
if ! [[ $seed =~ ^[0-9]{1,18}$ ]]; then
    echo "perf/demo.sh: --seed wants a number" >&2
    exit "$EXIT_USAGE"
fi

# Units must be sold again when they come back, so demand has to outlive the last return. A held
# order is confirmed (4 of 5) or cancelled after `think`, or left to expire after `hold` (1 in 20).
# For a unit still to be under way near the end, its orders would have to be left again and again:
# with ten holds in the time of the sale that is 0.05^10 for each unit, once in 10^13 units.
if $small; then
    out=$build/demo-small requests=200000 rate=100000 buyers=40000 stock=(300 150 50)
    hold=200 think=20
else
    out=build/demo requests=5000000 rate=1000000 buyers=1000000 stock=(6000 3000 1000)
    hold=500 think=100
fi
if $ipv6; then
    option=address6 engine_ip=2001:db8:98::1 source_ip=2001:db8:98::2 bits=64
    ! $small || out+=6
else
    option=address engine_ip=10.98.0.1 source_ip=10.98.0.2 bits=24
fi
readonly option engine_ip source_ip bits
# A busy machine takes its time; the books have to balance there too.
timeout=180
readonly seed out requests rate buyers stock hold think timeout

dir='' # for what must have a short path (sockets) or must not stay (keys, the order log)
declare -A pids=()

say() { printf '%s\n' "$*"; }

# fail STATUS SENTENCE [LOG...]: ends the demo with the reason and the tails of the logs that tell.
fail() {
    local status=$1 log
    printf '\nThe demo failed: %s.\n' "$2" >&2
    shift 2
    for log in "$@"; do
        [ -s "$out/$log.log" ] || continue
        printf -- '--- the end of %s/%s.log\n' "$out" "$log" >&2
        tail -n 20 "$out/$log.log" >&2
    done
    exit "$status"
}

alive() { [ -n "${pids[$1]:-}" ] && kill -0 "${pids[$1]}" 2> /dev/null; }

# stop NAME: ends a process that this script started, by force if it does not hear; its exit status.
stop() {
    local name=$1 status _
    alive "$name" && kill -TERM "${pids[$name]}" 2> /dev/null
    for _ in $(seq 200); do
        alive "$name" || break
        sleep 0.05
    done
    alive "$name" && kill -KILL "${pids[$name]}" 2> /dev/null
    wait "${pids[$name]}" 2> /dev/null
    status=$?
    unset "pids[$name]"
    return "$status"
}

# The generator first, its wire's other end next, and Redis when nobody delivers any more.
clean_up() {
    local status=$? name
    trap - EXIT INT TERM HUP
    for name in load engine redis; do
        [ -z "${pids[$name]:-}" ] || stop "$name"
    done
    [ -z "$dir" ] || rm -rf "$dir"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# start NAME COMMAND...: in the background, with its output in NAME.log.
start() {
    local name=$1
    shift
    : > "$out/$name.log"
    "$@" >> "$out/$name.log" 2>&1 &
    pids[$name]=$!
}

# wait_for SECONDS NAME EVENT COMMAND...: until the command succeeds, while process NAME lives.
wait_for() {
    local limit=$1 name=$2 event=$3 deadline=$((SECONDS + $1))
    shift 3
    until "$@" > /dev/null 2>&1; do
        alive "$name" || fail "$EXIT_FAILED" "$name ended while the demo waited for $event" "$name"
        [ "$SECONDS" -le "$deadline" ] ||
            fail "$EXIT_FAILED" "waited $limit s in vain for $event" "$name"
        sleep 0.02
    done
}

ctl() { "$build/flashgatectl" --socket "$dir/control.sock" "$@"; }

# json FILE PATH...: a value in a JSON text; empty if it is not there.
json() {
    python3 -c '
import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1:]:
    value = value[key]
print(value)' "$@" 2> /dev/null
}

redis_answers() { grep -q PONG <(redis-cli -s "$dir/redis.sock" ping); }
delivered() { [ "$(ctl --json status | json delivery lag)" = 0 ]; }

# The cores that this process may use, as a list.
allowed_cores() {
    local range
    for range in $(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status | tr , ' '); do
        seq "${range%-*}" "${range#*-}"
    done
}

# The worker gets a core of its own; so does the generator where there is a third. The helper threads
# share what is left: on two cores that is the generator's.
choose_cores() {
    mapfile -t cores < <(allowed_cores)
    helper_core=${cores[0]} worker_core=${cores[1]:-${cores[0]}}
    load_core=${cores[2]:-${cores[0]}}
    idle=yield
    [ "$worker_core" = "$helper_core" ] || idle=poll
}

# Both processes share packets, so both take the same kind of memory. Hugepages are taken without
# files of their own, as memory that goes with its process: nothing is left behind.
choose_memory() {
    local free=/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages
    if [ "$(cat "$free" 2> /dev/null || echo 0)" -ge 512 ]; then
        memory='2 MiB hugepages'
        eal=(--in-memory --single-file-segments)
    else
        memory='ordinary pages (fewer than 512 free hugepages of 2 MiB)'
        eal=(--no-huge -m 512)
    fi
    # Lets the wire's fast, vectorized path be chosen.
    eal+=(--force-max-simd-bitwidth=512)
}

write_files() {
    local secret argument quoted=''
    secret=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    for argument in "${eal[@]}"; do quoted+="${quoted:+, }\"$argument\""; done
    (umask 077 && printf 'keys:\n  - {id: 1, secret: %s, ops: all, sales: all}\n' "$secret" \
        > "$dir/keys.yaml") || fail "$EXIT_FAILED" "the key file cannot be written"
    cat > "$out/engine.yaml" << END
eal: [$quoted]
user: $(id -un)
file_prefix: engine
ports:
  - device: "net_vhost0,iface=$dir/wire.sock,queues=1"
    $option: "$engine_ip/$bits"
workers: 1
worker_cores: [$worker_core]
idle: $idle
cores: {control: $helper_core, journal: $helper_core, storage: $helper_core, delivery: $helper_core}
base_port: $base_port
key_file: $dir/keys.yaml
log:
  directory: $dir/log
  budget: 256MiB
  segment: 16MiB
limits:
  orders: 262144
  items: 1024
redis:
  socket: $dir/redis.sock
control:
  socket: $dir/control.sock
END
    cat > "$out/sale.yaml" << END
name: $sale
items:
  - {id: 1001, name: Poster, stock: ${stock[0]}, limit: 2, max_per_order: 2}
  - {id: 1002, name: Concert ticket, stock: ${stock[1]}, limit: 2, max_per_order: 2, hold: ${hold}ms}
  - {id: 1003, name: Signed record, stock: ${stock[2]}, limit: 2, max_per_order: 2}
END
}

start_parts() {
    # Where DPDK keeps a process's files: with all else that goes at the end.
    export RUNTIME_DIRECTORY=$dir
    # In a real sale Redis has a machine of its own: here it must not take the core from the generator,
    # whose clock measures the answers.
    start redis nice -n 19 redis-server --port 0 --unixsocket "$dir/redis.sock" --unixsocketperm 700 \
        --dir "$dir" --save '' --appendonly no --daemonize no
    wait_for 10 redis 'Redis to answer' redis_answers
    start engine "$build/flashgated" --config "$out/engine.yaml"
    wait_for 20 engine 'the wire to be there' test -S "$dir/wire.sock"
    wait_for 20 engine 'the engine to answer' ctl status
}

open_sale() {
    if ! ctl sale apply "$out/sale.yaml" > "$out/ctl.log" 2>&1 ||
        ! ctl sale open "$sale" >> "$out/ctl.log" 2>&1; then
        fail "$EXIT_FAILED" 'the sale was refused' ctl engine
    fi
}

# The generator's lines of progress as they come, until it ends.
show_progress() {
    local log line running=true
    exec {log}< "$out/load.log"
    while $running; do
        alive load || running=false
        # The generator would wait for another engine.
        alive engine || fail "$EXIT_FAILED" 'the engine ended during the sale' engine load
        while IFS= read -r line <&"$log"; do
            [[ $line =~ ^\ *[0-9]+\ s\  ]] && say "  $line"
        done
        ! $running || sleep 0.2
    done
    exec {log}<&-
}

run_load() {
    local status
    start load "$build/flashgate-load" \
        --port "net_virtio_user0,path=$dir/wire.sock,queues=1,queue_size=1024,packed_vq=1,\
in_order=1,mrg_rxbuf=0,vectorized=1" \
        --eal="--lcores=0@$load_core" --eal=--file-prefix=load \
        "${eal[@]/#/--eal=}" \
        --source "$source_ip/$bits" --target "$engine_ip" --base-port "$base_port" \
        --key-file "$dir/keys.yaml" --key 1 --sale "$out/sale.yaml" \
        --requests "$requests" --rate "$rate" --buyers "$buyers" --quantity 1:7,2:3 \
        --double-click 10 --repeat 10 --confirm 80 --cancel 15 --leave 5 --think "$think" \
        --seed "$seed" --timeout "$timeout" --progress \
        --history "$out/history" --report "$out/load.json"
    show_progress
    wait "${pids[load]}"
    status=$?
    unset 'pids[load]'
    alive engine || fail "$EXIT_FAILED" 'the engine ended during the sale' engine load
    [ "$status" = 0 ] || fail "$EXIT_FAILED" "the traffic generator ended with status $status" \
        load engine
}

judge() {
    local status=0
    "$build/flashgate-check" --history "$out/history" --redis "$dir/redis.sock" --sale "$sale" \
        --load-report "$out/load.json" --json "$out/report.json" --sell-out || status=$?
    case $status in
    0) ;;
    "$EXIT_BOOKS") fail "$EXIT_BOOKS" 'the books do not balance' engine ;;
    *) fail "$EXIT_FAILED" "the checker ended with status $status" ;;
    esac
}

rm -rf "$out"
if ! mkdir -p "$out" || ! dir=$(mktemp -d /tmp/flashgate-demo.XXXXXX) || ! mkdir "$dir/log"; then
    fail "$EXIT_FAILED" 'no folder to work in'
fi
for program in "$build"/flashgate{d,ctl,-load,-check} redis-server redis-cli python3; do
    command -v "$program" > /dev/null ||
        fail "$EXIT_FAILED" "$program is missing; \`make deps\` and \`make\` bring it"
done

began=$SECONDS
choose_cores
choose_memory
write_files
say "Flashgate: a flash sale of $((stock[0] + stock[1] + stock[2])) units for $buyers buyers"
say "  cores: worker $worker_core, generator $load_core, journal and the rest $helper_core; $memory"
start_parts
open_sale
say "  sale $sale is open: $requests requests at $rate a second"
run_load
say '  waiting until every order is in Redis'
wait_for 30 engine 'the deliveries to Redis' delivered
say '  checking every answer against Redis'
judge
stop engine || fail "$EXIT_FAILED" "the engine stopped with status $?" engine
say "  $out/report.json has it all; $((SECONDS - began)) s"
