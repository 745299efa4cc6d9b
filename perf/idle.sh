#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What each `idle` policy of a worker costs and gains: latency of refusals from their scheduled send time
# (p50, p99, p99.9), and how much of its core the worker burns; without load, under a sparse one and at half
# of the rate that a polling worker reaches. Policies take turns, and each figure is the median of the
# rounds, with the least and the greatest. One worker alone on core 1; the generator, which polls, and the
# engine's other threads on core 0.
# By hand, on a machine that does nothing else: needs two cores and less than two minutes.
#
# perf/idle.sh [--rounds N] [--rate N] [--sparse N] [--out FILE]
#   --rounds N   of all policies (default 3)
#   --rate N     half of this is the half rate, and it is not looked for
#   --sparse N   requests a second of the sparse load (default 2000)
#   --out FILE   the table, Markdown (default build/idle.md)
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rounds=3 rate='' sparse=2000 out=build/idle.md
options '' 'rounds rate sparse out' "$@"
[[ $rounds =~ ^[1-4]$ ]] || die "--rounds is \"$rounds\", wanted 1 to 4"
[[ $rate =~ ^([1-9][0-9]+)?$ ]] || die "--rate is \"$rate\", wanted requests a second"
[[ $sparse =~ ^[1-9][0-9]{2,6}$ ]] || die "--sparse is \"$sparse\", wanted 100 to 9999999"
[ "$(nproc)" -ge 2 ] || die 'two cores are wanted'
how='half of what was given'
readonly policies=(poll yield sleep) load_s=2 none_s=1
mkdir -p "$(dirname "$out")" || exit 1

# One unit, which is gone at once: all but one are refused.
cat > "$dir/sale.yaml" << END
name: drop
items:
  - {id: 1, name: thing, stock: 1, limit: 1, max_per_order: 1}
END
write_keys
generate 1 "$dir/sale.yaml"
generate+=(--stateless --buyers 1000000)

# begin POLICY: an engine that knows of nothing before.
begin() { begin_drop "s/^worker_cores: .*/worker_cores: [1]/; s/^idle: .*/idle: $1/"; }

# The worker's time on a core so far, and the time now: ns.
burned() {
    local task
    for task in /proc/"${pids[engine]}"/task/*; do
        [[ $(< "$task/comm") != rte-worker-* ]] || echo "$(cut -d' ' -f1 "$task/schedstat") $(date +%s%N)"
    done
}

# load RATE ARGUMENT...: a run of the generator, in load.json; RATE 0: flat out.
load() {
    timeout 30 "${generate[@]}" --rate "$1" --sample $(($1 > 0 && $1 <= sparse ? 1 : 16)) "${@:2}" \
        --report "$dir/load.json" > "$dir/load.log" 2>&1 || die "the generator failed at a rate of $1"
}

# row ROUND POLICY LOAD BEFORE AFTER: of the time outside the load the worker burns what it burns without.
row() { echo "$* $([ ! -f "$dir/load.json" ] || tr -d '\n ' < "$dir/load.json")" >> "$dir/rows"; }

if [ -z "$rate" ]; then
    how='half of a polling worker flat out'
    begin poll
    load 0 --duration "$load_s"
    rate=$(python3 -c 'import json, sys; print(int(json.load(open(sys.argv[1]))["decisions_per_s"]))' \
        "$dir/load.json")
    stop engine TERM 0 > /dev/null
fi
[ "$rate" -ge 1000 ] || die "a rate of $rate is nothing to go by"

for ((round = 0; round < rounds; round++)); do
    for ((turn = 0; turn < ${#policies[@]}; turn++)); do
        policy=${policies[(round + turn) % ${#policies[@]}]}
        begin "$policy"
        load "$sparse" --requests 200 # the first answers are not as the later ones
        rm -f "$dir/load.json"
        before=$(burned)
        sleep "$none_s"
        row "$round" "$policy" none "$before" "$(burned)"
        for kind in sparse half; do
            before=$(burned)
            load "$([ "$kind" = sparse ] && echo "$sparse" || echo $((rate / 2)))" --duration "$load_s"
            row "$round" "$policy" "$kind" "$before" "$(burned)"
        done
        stop engine TERM 0 > /dev/null
    done
done

python3 - "$dir/rows" "$rate" "$sparse" "$rounds" "$how" << 'END' | tee "$out"
import json, statistics, sys

rows, rate, sparse, rounds, how = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5]
found, idle = {}, {}
for line in open(rows):
    turn, policy, load, *spent, report = line.rstrip('\n').split(' ', 7)
    burned, passed = (int(after) - int(before) for before, after in zip(spent[:2], spent[2:]))
    run = json.loads(report) if report else None
    if not run:
        idle[turn, policy] = burned / passed
        one = {'core': burned / passed}
    else:
        outside = idle[turn, policy] * max(passed - run['duration_s'] * 1e9, 0)
        one = {'core': min(max(burned - outside, 0) / (run['duration_s'] * 1e9), 1), 'lost': run['lost'],
               **{name: run[f'{name}_us'] for name in ('p50', 'p99', 'p999')}}
    for name, value in one.items():
        found.setdefault((policy, load), {}).setdefault(name, []).append(value)

def told(values, form, times=1):
    if not values:
        return ''
    low, middle, high = (format(times * f(values), form) for f in (min, statistics.median, max))
    return middle if len(values) == 1 else f'{middle} ({low} to {high})'

print(f'Sparse: {sparse:,}/s; half: {rate // 2:,}/s, {how}. '
      f'Median of {rounds} rounds (least to greatest).\n')
print('| load | idle | p50 us | p99 us | p99.9 us | of its core | lost |')
print('|---|---|---|---|---|---|---|')
for load in 'none', 'sparse', 'half':
    for policy in 'poll', 'yield', 'sleep':
        one = found[policy, load]
        print(f'| {load} | {policy} | {told(one.get("p50"), ".1f")} | {told(one.get("p99"), ".1f")} | '
              f'{told(one.get("p999"), ".1f")} | {told(one["core"], ".1f", 100)} % | '
              f'{sum(one.get("lost", []))} |')
END
