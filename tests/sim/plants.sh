#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Does the simulator bite? Each plant of dataplane/faults.h breaks one rule of the product; the
# simulator must find it within the seeds below, all of which pass without a plant (sim/seeds).
#
# tests/sim/plants.sh [PLANT...]    JOBS at a time, 2 if not said
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

readonly sim=build/simulated/sim/flashgate-sim budget=3000 limit_s=600

# hunt PLANT: the first seed that finds it.
hunt() {
    local log began=$EPOCHREALTIME
    log=$(FLASHGATE_PLANT=$1 timeout "$limit_s" "$sim" --seed 1 --runs "$budget" 2>&1)
    if [[ $log == *'not ok seed '* ]]; then
        printf 'ok %-22s %5.1f s  %s\n' "$1" \
            "$(awk "BEGIN { print $EPOCHREALTIME - $began }")" \
            "$(grep -o -m 1 'seed .*' <<< "$log" | cut -c 1-110)"
    else
        echo "not ok $1: not found within $budget seeds or $limit_s s"
    fi
}
export -f hunt
export sim budget limit_s

plants=("$@")
[ $# -gt 0 ] ||
    mapfile -t plants < <(sed -n '/^#define FG_PLANTS/,/^$/s/^ *X(\([A-Z_]*\),.*/\1/p' \
        dataplane/faults.h)
out=$(printf '%s\n' "${plants[@]}" | xargs -P "${JOBS:-2}" -I{} bash -c 'hunt {}')
echo "$out"
[[ $out != *'not ok'* ]]
