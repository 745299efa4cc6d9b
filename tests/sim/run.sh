#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The simulator as a part of make test, two processes side by side: on one a fixed list of seeds, in
# which every fault must have occurred, the same seed twice, and the plants; on the other fresh
# seeds from the clock.
#
# tests/sim/run.sh [SECONDS]    of fresh seeds, 80 if not said
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

readonly sim=build/simulated/sim/flashgate-sim seconds=${1:-80}
# Each run is a process of its own with some 30 MiB, most of whose time went into page faults: memory by
# the 2 MiB, and kept, is a third less.
export GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.top_pad=16777216
GLIBC_TUNABLES+=:glibc.malloc.trim_threshold=1073741824:glibc.malloc.mmap_threshold=1073741824
# Of fresh ones that make test came upon (docs/simulator.md, What it has found).
readonly found=(1795410171129 5001325)
make --no-print-directory -s -j2 SIMULATED=1 simulator || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"$sim" --seed now --seconds "$seconds" > "$dir/fresh" 2>&1 &
fresh=$!

echo '== the fixed list'
"$sim" --seed 1 --runs 800 --coverage || failed=1
echo '== seeds that once failed'
for seed in "${found[@]}"; do
    "$sim" --seed "$seed" --runs 1 | grep '^\(not \)\?ok' || failed=1
done
echo '== the same seed twice'
"$sim" --seed 1 --runs 40 --twice | tail -n 1 || failed=1
echo '== plants'
JOBS=1 tests/sim/plants.sh || failed=1

echo "== fresh seeds"
wait "$fresh" || failed=1
cat "$dir/fresh"
[ -z "${failed:-}" ]
