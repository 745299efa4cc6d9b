#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Checks the models of this folder with spin, at the bounds that the table `bounds` gives, two
# searches side by side. A search that is not complete (depth, memory, time) fails like one that
# finds something; a planted fault that is not found fails too.
#
# tests/models/run.sh [test|long [PATTERN]]   rows of that kind whose MODEL/NAME has PATTERN in it
#
# MEGABYTES is the memory of one search, DEPTH its greatest depth, and JOBS how many run at once: by
# default 900, 200000 and 2, and for long ones 8000, 5000000 and 1.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1

case ${1:-test} in
long) : "${MEGABYTES:=8000}" "${JOBS:=1}" "${DEPTH:=5000000}" ;;
test) : "${MEGABYTES:=900}" "${JOBS:=2}" "${DEPTH:=200000}" ;;
esac
export MEGABYTES DEPTH # each row is a process of its own

# found EXPECT LOG: is what pan says what was expected?
found() {
    local expect=$1 log=$2
    case $expect in
    holds | every | no-cycle)
        grep -q 'errors: 0$' "$log" && grep -q 'states, stored' "$log" &&
            ! grep -qiE 'not completed|search depth too small|out of memory|exceeded|violated' "$log" &&
            { [ "$expect" != every ] || ! grep -q 'state [0-9]*, "assert' "$log"; }
        ;;
    cycle) grep -q 'non-progress cycle (at depth' "$log" ;;
    stuck) grep -q 'invalid end state (at depth' "$log" ;;
    *) grep -qE "assertion violated .*\b$expect\b" "$log" ;;
    esac
}

# number PATTERN LOG: the first number that stands for \([0-9.]*\) in the pattern.
number() { sed -n "s/.*$1.*/\1/p" "$2" | head -n 1; }

# row FOLDER MODEL NAME EXPECT OPTIONS...: one search, one line about it.
row() {
    local folder=$1/$2-$3 model=$2 name=$3 expect=$4 began=$EPOCHREALTIME verdict=ok log
    local mode=-DSAFETY arguments=() optimize=-O1
    shift 4
    log=$folder/log
    mkdir "$folder" && cp "$model.pml" "$folder" || return 1
    case $expect in no-cycle | cycle) mode=-DNP arguments=(-l) ;; esac
    case $expect in holds | every | no-cycle) ;; *) optimize=-O0 ;; esac # found at once, if at all
    (
        cd "$folder" && spin -a "$@" "$model.pml" &&
            gcc $optimize -w $mode -DNOCLAIM -DCOLLAPSE -DMEMLIM="$MEGABYTES" -o pan pan.c &&
            ulimit -v $((MEGABYTES * 1024 + 262144)) && ./pan -m"$DEPTH" -w22 "${arguments[@]}"
    ) > "$log" 2>&1
    found "$expect" "$log" || verdict='not ok'
    printf '%s - %-36s %-13s %9s states, depth %7s, %6.1f s, %5.0f MB\n' "$verdict" \
        "$model/$name" "$expect" "$(number ' \([0-9]*\) states, stored' "$log")" \
        "$(number 'depth reached \([0-9]*\)' "$log")" \
        "$(awk "BEGIN { print $EPOCHREALTIME - $began }")" \
        "$(number ' \([0-9.]*\)\ttotal actual memory usage' "$log")"
    [ "$verdict" = ok ] || grep -v '^Depth=' "$log" | head -n 20
    rm -r "$folder"
    [ "$verdict" = ok ]
}

if [ "${1:-}" = row ]; then
    row "${@:2}"
    exit
fi

command -v spin > /dev/null || { echo 'not ok - spin is not installed; run make deps'; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
python3 correspondence.py || failed=1
grep -E "^${1:-test} " bounds | while read -r _ model name rest; do
    [[ $model/$name != *"${2:-}"* ]] || printf '%s %s %s %s\n' "$work" "$model" "$name" "$rest"
done | xargs -r -P "$JOBS" -L 1 ./run.sh row || failed=1
exit $failed
