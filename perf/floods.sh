#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What floods do to honest buyers. Measures the engine's one-order rate on this machine, sets the honest
# load to 5 % of it, and floods the wire at ten times that with each kind of hostile traffic, in slices
# that take turns with slices without (flashgate-load --hostile-slice); then offers more and more until it
# is several times what the engine can take, and tells what is lost and where. Worker on core 1; generator,
# journal and control thread on core 0. Buyers' rate and key's rate on, orders held and durable before they
# are told.
# By hand, on a machine that does nothing else: needs two cores and some six minutes.
#
# perf/floods.sh [--pairs N] [--out FILE]   the page, Markdown (default build/floods.md)
# perf/floods.sh --only TEXT ...            of the rows of the first table those whose name has TEXT, and no other
# perf/floods.sh --toy [--out FILE]         seconds, for tests: every kind once, all together and few of
#                                           each; goodput is shown and not judged; Redis and the books too
# The rows of its tables lie beside FILE as JSON.
# Exit status 1 if honest goodput fell by more than 5 %, a forger was answered, a datagram is in no counter
# or in a wrong one, or an honest request was lost. A row in which the generator was late by its own fault for
# more than 5 % of the time shows nothing of the engine: it is measured again, twice at most.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

toy=false pairs=16 out=build/floods.md only=''
options toy 'pairs out only' "$@"
if ! [[ $pairs =~ ^[0-9]+$ ]] || [ "$pairs" -lt 4 ] || [ "$pairs" -gt 100 ]; then
    die "--pairs is \"$pairs\", wanted 4 to 100"
fi
# What a run of seconds asks, and a real one. slice_ms; flat_s: seconds flat out, to find the rate, with
# `pool` datagrams signed ahead (of as many buyers, so that none asks too often).
if $toy; then
    rows=('all kinds=all')
    factors=(2) pairs=4 slice_ms=150 flat_s=1 flat_runs=1 pool=20000 overload_s=1 idle=yield
else
    rows=('malformed payloads=random,form,version,reply,cut'
        'malformed frames=other-mac,group-mac,source-mac,vlan,not-ip,not-for-us,ip-checksum,ip-options,'\
'fragment,runt,short,ip-header,not-udp,udp-length,udp-checksum,other-port'
        'spoofed sources=no-host,multicast,broadcast,mirror,low-port'
        'unsigned, unknown key=unsigned,unknown-key'
        'forged=forged' 'stale=stale' 'replayed, own source=replay'
        'replayed, other port=replay-port' 'replayed, other address=replay-address'
        'one buyer, signed=one-buyer' 'many buyers, signed=many-buyers' 'all kinds=all')
    factors=(0.5 1 1.5 2 3 4) slice_ms=500 flat_s=4 flat_runs=3 pool=1000000 overload_s=4 idle=poll
    [ "$(nproc)" -ge 2 ] || die 'two cores are wanted'
fi
if [ -n "$only" ]; then
    mapfile -t rows < <(printf '%s\n' "${rows[@]}" | grep -F -- "$only")
    [ "${#rows[@]}" -gt 0 ] || die "no row's name has \"$only\""
    factors=()
fi
readonly toy pairs out rows factors slice_ms flat_s flat_runs pool overload_s idle

# A thousand units that are held and always come back: orders are admitted all the time. Of those who
# ask, nearly all find nothing.
cat > "$dir/sale.yaml" << END
name: drop
rate: 5
burst: 10
items:
  - {id: 1, name: thing, stock: 1000, limit: 2, max_per_order: 1, hold: 3s}
END

# keys RATE: one key, from the honest address alone.
keys() {
    (umask 077 && cat > "$dir/keys.yaml") << END
keys:
  - {id: 7, secret: 000102030405060708090a0b0c0d0e0f, ops: all, sales: all, sources: [$client_ip],
     rate: $1, burst: $1}
END
}

# begin KEY_RATE: an engine that knows of nothing before, and the sale.
begin() {
    keys "$1"
    begin_drop "s/^worker_cores: .*/worker_cores: [$(($(nproc) > 1))]/; s/^idle: .*/idle: $idle/
        s/orders: 4096/orders: 4000000/; s/parked: 1024/parked: 8192/; s/^mbufs: .*/mbufs: 32768/
        s/budget: 64MiB/budget: 8GiB/" "$redis_part"
}
redis_part=''

generate 1 "$dir/sale.yaml"
generate+=(--buyers 1000000)
! $toy || generate+=(--sleep)
people=(--confirm 0 --cancel 50 --leave 50 --think 100)
flat=(--stateless --pool "$pool")
runs=0
# load NAME ARGUMENT...: a run of the generator, with buyers of its own, between two looks at the engine:
# NAME.json, NAME.before, NAME.after.
load() {
    local name=$1
    runs=$((runs + 1))
    ctl --json status > "$dir/$name.before"
    if ! "${generate[@]}" --seed "$runs" --report "$dir/$name.json" "${@:2}" > "$dir/$name.log" 2>&1; then
        not_ok "$name: the generator lost answers, or failed"
        return 1
    fi
    ctl --json status > "$dir/$name.after"
}
sums() { timeout 200 python3 perf/floods.py "$@"; }

begin 20000000
for ((run = 1; run <= flat_runs; run++)); do
    load "flat$run" "${flat[@]}" --rate 0 --duration "$flat_s" || exit 1
done
sums rate "$dir" || die 'there is no rate to go by'
read -r one_order honest flood < "$dir/rate"
if $toy; then
    honest=2000 flood=20000 one_order=20000 # however fast the machine is
fi
stop engine TERM 0
if $toy; then
    start_redis
    redis_part="redis:
  socket: $dir/redis.sock"
fi
begin "$one_order"

# row NUMBER LAST: status 2 if it is to be measured again.
row() {
    load "row$1" "${people[@]}" --rate "$honest" --requests $((honest * pairs * 2 * slice_ms / 1000)) \
        --hostile "${rows[$1]#*=}" --hostile-rate "$flood" --hostile-slice "$slice_ms" \
        --history "$dir/row$1.history" || return 1
    sums slices "$dir" "row$1" "${rows[$1]%%=*}" "$slice_ms" "$toy" "$2"
}
histories=()
for ((number = 0; number < ${#rows[@]}; number++)); do
    for last in false false true; do
        status=0
        row "$number" "$last" || status=$?
        [ "$status" -eq 2 ] || break
    done
    [ "$status" -eq 0 ] || failures=$((failures + 1))
    histories+=(--history "$dir/row$number.history")
    $toy || rm -f "$dir/row$number.history"
done

for kind in many-buyers forged; do
    for factor in "${factors[@]}"; do
        more=$(awk "BEGIN { print int($factor * $one_order) - $honest }")
        load "over-$kind-$factor" "${people[@]}" --rate "$honest" --duration "$overload_s" --hostile "$kind" \
            --hostile-rate "$more" --history "$dir/over-$kind.history" &&
            sums point "$dir" "over-$kind-$factor" "$kind" "$factor" "$overload_s" ||
            failures=$((failures + 1))
    done
    histories+=(--history "$dir/over-$kind.history")
done

delivered() { [ "$(ctl --json status | field delivery.lag)" = 0 ]; }
if $toy; then
    wait_for 20 'the deliveries to Redis' delivered
    check 'the books are right, with bots and replays' "$build/flashgate-check" "${histories[@]}" \
        --redis "$dir/redis.sock" --sale drop
fi
stop engine TERM 0
mkdir -p "$(dirname "$out")"
sums page "$dir" > "$out" || failures=$((failures + 1))
cp "$dir/rows.json" "${out%.md}.json"
echo "$out has the page"
[ "$failures" = 0 ]
