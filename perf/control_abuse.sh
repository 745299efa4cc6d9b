#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Do workers notice that the control socket is abused? Slices of the same load, in turns: one while the
# socket is abused (tests/smoke/abuse.py), one while the same processor is burned by loops that do
# nothing with the engine. Worker on core 1; generator, control thread, abuse and loops on core 0.
# Prints every slice's p99 and the ratio of the medians; exit status 1 above 1.3, or if an answer was
# lost. By hand, on a machine that does nothing else: needs two cores, takes 2 * PAIRS * (SECONDS + 3)
# seconds.
#
# perf/control_abuse.sh [PAIRS] [SECONDS] [RATE]   (default 5 pairs of 5 s at 20000 requests a second)
source "$(dirname "${BASH_SOURCE[0]}")/../tests/smoke/lib.sh"

readonly pairs=${1:-5} seconds=${2:-5} rate=${3:-20000} most=1.3

cat > "$dir/sale.yaml" << END
name: drop
items:
  - {id: 1, name: thing, stock: 2000, limit: 4}
END

# slice KIND NUMBER: one run of the generator; its p99 in us.
slice() {
    local burner=() pid
    if [ "$1" = abuse ]; then
        SMOKE_DIR=$dir SMOKE_CTL=$build/flashgatectl taskset -c 0 \
            python3 tests/smoke/abuse.py $((seconds + 2)) > "$dir/abuse.log" 2>&1 &
        burner+=($!)
    else
        # One for the abuser, one for the control thread that it keeps busy.
        for _ in 1 2; do
            taskset -c 0 timeout $((seconds + 2)) sh -c 'while :; do :; done' &
            burner+=($!)
        done
    fi
    "$build/flashgate-load" \
        --port "net_virtio_user0,path=$dir/wire.sock,queues=1,packed_vq=1,queue_size=1024" \
        --eal=--lcores=0@0 --eal=--file-prefix="load-$(basename "$dir")" --eal=--no-huge \
        --eal=--no-pci --eal=-m --eal=256 \
        --source "$client_ip/24" --target "$engine_ip" --base-port "$base_port" \
        --key-file "$dir/keys.yaml" --key 7 --items 1 --requests $((rate * seconds)) \
        --rate "$rate" --buyers 100000 --seed "$2" --timeout 60 --report "$dir/load.json" \
        > "$dir/load.log" 2>&1 || die "the generator failed, or lost an answer"
    for pid in "${burner[@]}"; do wait "$pid"; done
    python3 -c 'import json, sys
def find(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "p99_us":
                return inner
            if (found := find(inner)) is not None:
                return found
print(find(json.load(open(sys.argv[1]))))' "$dir/load.json"
}

write_keys
write_config "net_vhost0,iface=$dir/wire.sock,queues=1" 1 'cores: {control: 0, journal: 0, storage: 0}'
sed -i 's/^worker_cores: .*/worker_cores: [1]/; s/^idle: .*/idle: poll/; s/orders: 4096/orders: 20000/' \
    "$dir/engine.yaml"
start_engine
ctl sale apply "$dir/sale.yaml" > "$dir/apply.log" || die 'the sale is not applied'
ctl sale open drop > "$dir/apply.log" || die 'the sale is not opened'
slice burn 1 > "$dir/warm.log" || exit 1

abused=() burned=()
for ((pair = 1; pair <= pairs; pair++)); do
    abused+=("$(slice abuse $((2 * pair)))") || exit 1
    burned+=("$(slice burn $((2 * pair + 1)))") || exit 1
    printf 'pair %d: p99 %s us abused, %s us burned\n' "$pair" "${abused[-1]}" "${burned[-1]}"
done
python3 - "$most" "${abused[*]}" "${burned[*]}" << 'END' || failures=1
import statistics
import sys
most = float(sys.argv[1])
abused, burned = (statistics.median(map(float, text.split())) for text in sys.argv[2:])
print(f'medians: p99 {abused:.1f} us abused, {burned:.1f} us burned; ratio {abused / burned:.2f}, '
      f'wanted {most} or less')
sys.exit(abused > most * burned)
END
ctl --json status | python3 -c 'import json, sys; print(json.load(sys.stdin)["control"])'
stop engine TERM 0
