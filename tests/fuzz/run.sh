#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Runs the fuzz targets, two at a time; docs/fuzzing.md tells what each holds to.
#
# run.sh short                 every corpus once, then about 17 s of fuzzing in all, then two canaries
# run.sh long SECONDS          so many seconds of fuzzing in all, shared by the targets
# run.sh canaries [TARGET...]  each target with its planted fault (tests/fuzz/canaries), which it finds
# run.sh merge [TARGET...]     adds to the corpora what the finds of earlier runs have more
#
# Finds stay under build/fuzz/finds/TARGET, what fails under build/fuzz/failed/TARGET-*.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

readonly build=build/fuzz most_files=150 most_bytes=1500
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1

mapfile -t all < <(for file in tests/fuzz/fuzz_*.c; do basename "${file#*/fuzz_}" .c; done)

mkdir -p "$build/failed" "$build/logs"

# Those named, or all.
targets() { printf '%s\n' "${@:-${all[@]}}"; }

fuzzer() { # TARGET OPTION...
    local target=$1
    shift
    mkdir -p "$build/finds/$target"
    "$build/fuzzers/$target" -timeout=25 -rss_limit_mb=2500 -max_len=4096 \
        -artifact_prefix="$build/failed/$target-" -print_final_stats=1 "$@"
}

# What went wrong, in few lines; the whole is in the log.
tell() {
    grep -E 'does not hold|ERROR|SUMMARY|runtime error|Test unit written' "$1" | sed 's/^/    /' |
        head -n 8
    echo "    $1"
}

replay() {
    local log=$build/logs/$1-corpus
    if fuzzer "$1" -runs=0 "tests/fuzz/corpus/$1" > "$log" 2>&1; then
        echo "ok $1: $(find "tests/fuzz/corpus/$1" -type f | wc -l) inputs of the corpus"
    else
        echo "not ok $1: its corpus"
        tell "$log"
    fi
}

fuzz() { # TARGET SECONDS
    local log=$build/logs/$1
    if fuzzer "$1" -max_total_time="$2" "$build/finds/$1" "tests/fuzz/corpus/$1" > "$log" 2>&1; then
        echo "ok $1: $(awk '/number_of_executed_units/ { print $2 }' "$log") inputs in $2 s," \
            "$(grep -oE 'cov: [0-9]+' "$log" | tail -n 1)"
    else
        echo "not ok $1: fuzzed for $2 s"
        tell "$log"
    fi
}

# Two at a time: each by the side of another.
each() { # FUNCTION ARGUMENTS... -- TARGET...
    local call=() target
    while [ "$1" != -- ]; do
        call+=("$1")
        shift
    done
    shift
    for target in "$@"; do
        [ "$(jobs -rp | wc -l)" -lt 2 ] || wait -n
        "${call[0]}" "$target" "${call[@]:1}" &
    done
    wait
}

# The file with the planted fault, under build/fuzz/canaries. False: there is no such place in it.
plant() {
    local target file from to text
    IFS='|' read -r target file from to < <(grep "^$1|" tests/fuzz/canaries)
    [ -n "$target" ] || return 1
    text=$(cat "$file")
    [[ $text == *"$from"* ]] || return 1
    mkdir -p "$build/canaries"
    printf '%s\n' "${text//"$from"/"$to"}" > "$build/canaries/$target.c"
}

canary() { # TARGET
    local log=$build/logs/$1-canary began=$EPOCHREALTIME
    if ! plant "$1" || ! make -s FUZZ=1 "$build/canaries/$1" > "$log" 2>&1; then
        echo "not ok canary of $1: it could not be planted and built"
        return
    fi
    began=$EPOCHREALTIME
    mkdir -p "$build/canaries/found" "$build/canaries/finds/$1"
    "$build/canaries/$1" -max_total_time=60 -max_len=4096 -timeout=25 \
        -artifact_prefix="$build/canaries/found/$1-" "$build/canaries/finds/$1" \
        "tests/fuzz/corpus/$1" > "$log" 2>&1
    if grep -qE 'AddressSanitizer: .*overflow' "$log" && grep -q '^READ of size' "$log"; then
        echo "ok canary of $1: found in $(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $began }") s"
    else
        echo "not ok canary of $1: $(grep '^[^#]' tests/fuzz/canaries | grep "^$1|" | cut -d'|' -f2)"
        tell "$log"
    fi
}

# The corpus and what was found, to the smallest set that reaches as much. Seeds stay as they are.
merge() {
    local folder=tests/fuzz/corpus/$1 new=$build/merged/$1 file seeds kept
    rm -rf "$new"
    mkdir -p "$new"
    find "$folder" -name 'seed-*' -exec cp -t "$new" {} +
    seeds=$(find "$new" -type f | wc -l)
    fuzzer "$1" -set_cover_merge=1 -max_len="$most_bytes" "$new" "$folder" "$build/finds/$1" \
        > "$build/logs/$1-merge" 2>&1 || { tell "$build/logs/$1-merge"; return; }
    find "$folder" -type f ! -name 'seed-*' -delete
    # Of too many, the largest give way.
    find "$new" -type f ! -name 'seed-*' -size "-$((most_bytes + 1))c" -printf '%s %p\n' | sort -n |
        head -n $((most_files - seeds)) | while read -r kept file; do cp "$file" "$folder"; done
    kept=$(find "$folder" -type f | wc -l)
    echo "$1: $kept files, $(du -sb "$folder" | cut -f1) bytes"
}

fuzzers() { make -s -j2 FUZZ=1 fuzzers > "$build.log" 2>&1 || { cat "$build.log"; exit 1; }; }

mkdir -p "$build"
mode=${1:-}
shift
case $mode in
short)
    fuzzers
    each replay -- "${all[@]}"
    each fuzz 3 -- "${all[@]}"
    each canary -- frame redis
    ;;
long)
    fuzzers
    seconds=$((2 * ${1:?seconds} / ${#all[@]}))
    each fuzz $((seconds > 0 ? seconds : 1)) -- "${all[@]}"
    ;;
canaries)
    fuzzers
    mapfile -t wanted < <(targets "$@")
    each canary -- "${wanted[@]}"
    ;;
merge)
    fuzzers
    mapfile -t wanted < <(targets "$@")
    each merge -- "${wanted[@]}"
    ;;
*)
    sed -n '3,11p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac | tee "$build.result"
! grep -q '^not ok' "$build.result"
