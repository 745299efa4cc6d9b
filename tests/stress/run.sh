#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Threads on the real stock, lanes, rings and journal under the thread sanitizer; and a planted fault
# that it must report, so that a run without a report means something.
#
# tests/stress/run.sh [MS [ITEMS]]   how long the stock is traded, and items handed over by a worker
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

ms=${1:-1000} items=${2:-5000} failed=0
make -s -j2 TSAN=1 stress || exit 1
work=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)")
trap 'rm -rf "$work"' EXIT
export TSAN_OPTIONS='exitcode=66 halt_on_error=1'

for workers in 2 3 4 8; do
    timeout 60 build/tsan/stress/stress_stock "$workers" "$ms" 2>&1 || failed=1
    mkdir "$work/log"
    timeout 60 build/tsan/stress/stress_rings "$workers" "$items" "$work/log" 2>&1 || failed=1
    rm -r "$work/log"
done
timeout 60 build/tsan/stress/stress_stock_planted 4 "$ms" > "$work/planted" 2>&1
if [ $? = 66 ] && grep -q 'data race .* in settle' "$work/planted"; then
    echo 'ok - a mark published without its release is reported'
else
    echo 'not ok - a mark published without its release is not reported'
    tail -n 20 "$work/planted"
    failed=1
fi
exit $failed
