# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# What the smoke tests share: processes by name and pid, a private folder for all they write, waiting
# for events, and cases that print `ok` or `not ok`. Source it first; everything that was started
# ends and everything that was written goes when the script ends, however it ends. The logs of a
# failed test are shown.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# FLASHGATE_BUILD=build/asan runs a test on the sanitized build.
readonly build=${FLASHGATE_BUILD:-build/release}
readonly engine_ip=10.99.0.1 client_ip=10.99.0.2 base_port=20480 partitions=64
dir=$(mktemp -d "${TMPDIR:-/tmp}/flashgate-smoke.XXXXXX")
readonly dir
# The python3 of packages.txt: another on the path may be a wrapper that takes ten times as long
# to start.
PATH=/usr/bin:$PATH
# A sanitizer's report is a failure even where the process goes on.
export ASAN_OPTIONS=${ASAN_OPTIONS:-abort_on_error=0:exitcode=99} UBSAN_OPTIONS=print_stacktrace=1
export PYTHONDONTWRITEBYTECODE=1
# Where DPDK keeps a process's files: with all else that goes at the end.
export RUNTIME_DIRECTORY=$dir
declare -A pids
failures=0

ok() { echo "ok - $*"; }
not_ok() {
    echo "not ok - $*"
    failures=$((failures + 1))
}
# check TEXT COMMAND...: a case that holds when the command succeeds.
check() {
    local text=$1 output
    shift
    if output=$("$@" 2>&1); then ok "$text"; else
        not_ok "$text"
        printf '    %s\n    %s\n' "$*" "$output"
    fi
}
# says PATTERN TEXT COMMAND...: a case: it succeeds and prints something like it.
says() {
    local pattern=$1 text=$2 output status=0
    shift 2
    output=$("$@" 2>&1) || status=$?
    if [ "$status" = 0 ] && grep -qE -- "$pattern" <<< "$output"; then ok "$text"; else
        not_ok "$text: status $status, nothing like /$pattern/"
        printf '    %s\n' "$output"
    fi
}
# field PATH: a value of the JSON on standard input: field items.0.stock; texts as they are.
field() {
    python3 -c '
import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1].split("."):
    value = value[int(key) if isinstance(value, list) else key]
print(value if isinstance(value, str) else json.dumps(value))' "$1"
}
# Gives up: nothing after this could be judged.
die() {
    not_ok "$*"
    exit 1
}

# start NAME COMMAND...: in the background, its output in NAME.log.
start() {
    local name=$1
    shift
    "$@" >> "$dir/$name.log" 2>&1 &
    pids[$name]=$!
}

alive() { kill -0 "${pids[$1]}" 2>/dev/null && [ "$(state_of "${pids[$1]}")" != Z ]; }
state_of() { sed 's/.*) \(.\).*/\1/' "/proc/$1/stat" 2>/dev/null; }
ended() { ! alive "$1"; }

# wait_for SECONDS WHAT COMMAND...: until the command succeeds. The limit is for what never comes.
wait_for() {
    local limit=$1 what=$2 deadline=$((SECONDS + $1))
    shift 2
    until "$@" > /dev/null 2>&1; do
        [ "$SECONDS" -le "$deadline" ] || die "waited $limit s in vain for $what"
        sleep 0.02
    done
}

# stop NAME SIGNAL STATUS: the process must end with that exit status (137 after KILL).
stop() {
    local name=$1 signal=$2 wanted=$3 status=0
    kill -"$signal" "${pids[$name]}" 2>/dev/null
    wait_for 20 "$name to end after SIG$signal" ended "$name"
    wait "${pids[$name]}" 2> /dev/null
    status=$?
    unset "pids[$name]"
    if [ "$status" = "$wanted" ]; then ok "$name ends on SIG$signal with status $wanted"; else
        not_ok "$name ended on SIG$signal with status $status, not $wanted"
    fi
}

# ends NAME STATUS TEXT: a case: the process ends by itself, with that exit status.
ends() {
    local name=$1 wanted=$2 text=$3 status=0
    wait_for 20 "$name to end by itself" ended "$name"
    wait "${pids[$name]}" || status=$?
    unset "pids[$name]"
    check "$text" test "$status" = "$wanted"
}

# refused STATUS PATTERN TEXT COMMAND...: must fail with that status and one sentence that fits,
# begun by the program's name.
refused() {
    local wanted=$1 pattern=$2 text=$3 output status
    shift 3
    output=$(timeout 20 "$@" 2>&1 > "$dir/refused.stdout")
    status=$?
    if [ "$status" != "$wanted" ]; then
        not_ok "$text: status $status, not $wanted: $output"
    elif ! grep -qE -- "$pattern" <<< "$output"; then
        not_ok "$text: says \"$output\", nothing like /$pattern/"
    elif [ "$(grep -c "$(basename "$1"): " <<< "$output")" != 1 ]; then
        not_ok "$text: wanted one sentence: $output"
    else
        ok "$text: $(grep "$(basename "$1"): " <<< "$output" | sed "s|$dir/||g")"
    fi
}

cleanup() {
    local status=$? name log
    for name in "${!pids[@]}"; do kill "${pids[$name]}" 2>/dev/null; done
    for name in "${!pids[@]}"; do
        for _ in $(seq 100); do alive "$name" || break; sleep 0.05; done
        alive "$name" && kill -KILL "${pids[$name]}" 2>/dev/null
        wait "${pids[$name]}" 2>/dev/null
    done
    if [ "$status" != 0 ] || [ "$failures" != 0 ]; then
        for log in "$dir"/*.log; do
            [ -f "$log" ] || continue
            printf -- '--- %s\n' "$(basename "$log")"
            tail -n 40 "$log"
        done
        [ "$status" != 0 ] || status=1
    fi
    rm -rf "$dir"
    exit "$status"
}
trap cleanup EXIT

# --- Flashgate's own processes ---

ctl() { "$build/flashgatectl" --socket "$dir/control.sock" "$@"; }
answers() { ctl status; }
redis() { redis-cli -s "$dir/redis.sock" "$@"; }

start_redis() {
    start redis redis-server --port 0 --unixsocket "$dir/redis.sock" --dir "$dir" --save '' \
        --appendonly no --daemonize no
    wait_for 20 'Redis to answer' redis ping
}

# write_keys: 7 may do everything; 8 only asks; 9 is for another source; 10 has a rate.
write_keys() {
    (umask 077 && cat > "$dir/keys.yaml") << END
keys:
  - id: 7
    secret: 000102030405060708090a0b0c0d0e0f
    ops: all
    sales: all
  - id: 8
    secret: 101112131415161718191a1b1c1d1e1f
    ops: [QUERY, STOCK, PING]
    sales: all
  - id: 9
    secret: 202122232425262728292a2b2c2d2e2f
    ops: all
    sales: all
    sources: [192.0.2.0/24]
  - id: 10
    secret: 303132333435363738393a3b3c3d3e3f
    ops: all
    rate: 10
    burst: 4
END
}

# write_config DEVICE WORKERS [MORE]: engine.yaml; MORE are lines at its end.
write_config() {
    local cores='0' w
    for ((w = 1; w < $2; w++)); do cores+=", $((w % $(nproc)))"; done
    cat > "$dir/engine.yaml" << END
user: $(id -un)
eal: ["--no-huge", "--no-pci", "-m", "256"]
file_prefix: $(basename "$dir")
ports:
  - device: "$1"
    address: $engine_ip/24
mbufs: 8192
workers: $2
worker_cores: [$cores]
idle: sleep
base_port: $base_port
partitions: $partitions
key_file: $dir/keys.yaml
log:
  directory: $dir/log
  budget: 64MiB
  segment: 16MiB
limits:
  orders: 4096
  parked: 1024
control:
  socket: $dir/control.sock
${3:-}
END
    mkdir -p "$dir/log"
}

# altered NAME SED-SCRIPT: engine.yaml, changed, as NAME.yaml; tells its path.
altered() {
    sed "$2" "$dir/engine.yaml" > "$dir/$1.yaml"
    echo "$dir/$1.yaml"
}

# generate QUEUES SALE: the words of a generator of orders for a sale file, over the wire of a
# net_vhost0 at wire.sock, in the array `generate`.
# shellcheck disable=SC2034 # the caller reads it
generate() {
    generate=("$build/flashgate-load"
        --port "net_virtio_user0,path=$dir/wire.sock,queues=$1,packed_vq=1,queue_size=1024"
        --eal=--lcores=0@0 --eal=--file-prefix="$(basename "$dir")-load" --eal=--no-huge
        --eal=--no-pci --eal=-m --eal=256
        --source "$client_ip/24" --target "$engine_ip" --base-port "$base_port"
        --key-file "$dir/keys.yaml" --key 7 --sale "$2" --timeout 60)
}

start_engine() { start_engine_by env; }
# start_engine_by COMMAND...: which becomes the engine.
start_engine_by() {
    start engine "$@" "$build/flashgated" --config "$dir/engine.yaml"
    wait_for 60 'the engine to answer' answers_or_ended
    alive engine || die 'the engine ended at start'
}
answers_or_ended() { answers || ended engine; }

# A veth pair in a network namespace of this test's own: the engine has fg0, which has no address in
# the kernel, and clients have fg1. The script starts again inside it; call this before all else.
# Without the right to make one the test is skipped.
in_own_network() {
    [ -z "${SMOKE_NETWORK:-}" ] || return 0
    local enter=(unshare --net)
    [ "$(id -u)" = 0 ] || enter=(unshare --user --map-root-user --net)
    if ! "${enter[@]}" true 2>/dev/null; then
        echo "skip - $(basename "$0" .sh): no right to make a network namespace (run as root)"
        exit 0
    fi
    trap - EXIT
    rm -rf "$dir"
    SMOKE_NETWORK=1 exec "${enter[@]}" bash "$0" "$@"
}

make_veth() {
    ip link set lo up
    # Engines on both ends: the driver's group has the number pid ^ interface, which must differ.
    ip link add fg0 index 2 type veth peer name fg1 index 32770 || die 'ip link add veth'
    ip address add "$client_ip/24" dev fg1
    # What veth leaves to the hardware never gets done: the engine would see wrong checksums.
    ethtool -K fg1 tx off > /dev/null 2>&1 || die 'ethtool -K fg1 tx off'
    ip link set fg0 up
    ip link set fg1 up
}

mac_of() { ip -o link show "$1" | sed -n 's/.*ether \([0-9a-f:]*\).*/\1/p'; }

# scenario FILE ARGUMENTS...: a Python client's run; its cases are ours.
scenario() {
    SMOKE_DIR=$dir SMOKE_CTL=$build/flashgatectl timeout 100 \
        python3 "tests/smoke/$1" "${@:2}" || failures=$((failures + 1))
}
