#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Who interrupts tests/run leaves nothing behind: in a small tree of its own, whose builds, units and smokes
# stay until they are ended.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly tree=$dir/tree
mkdir -p "$tree"/tests/{unit,smoke,sim,models} "$tree/build/release/unit"
cp tests/run "$tree/tests/run"

# stays FILE: a script that notes its own number and that of a child there, and stays.
stays() {
    cat > "$1" << 'END'
#!/usr/bin/env bash
trap 'echo $0 >> tidied' EXIT
sleep 1000 &
echo $$ $! >> began
wait
END
    chmod +x "$1"
}
stays "$tree/stay"
touch "$tree/tests/unit/test_one.c" "$tree/tests/unit/test_two.c"
for name in one two; do stays "$tree/build/release/unit/test_$name"; done
for name in smoke/one smoke/two smoke/three sim/run models/run; do stays "$tree/tests/$name.sh"; done
# STAYS: which build does, by its SANITIZE.
cat > "$tree/Makefile" << 'END'
units build/faults/flashgated:
all:
	@[ "$(STAYS)" != "is $(SANITIZE)" ] || ./stay
END

began() { [ "$(wc -l < "$tree/began")" = "$1" ]; }
gone() {
    local pid
    for pid in $(< "$tree/began"); do [[ "$(state_of "$pid")" =~ ^Z?$ ]] || return 1; done
}

# interrupted SIGNAL STATUS STAYS PATTERN PARTS: of a run so many parts stay, and the signal ends them.
interrupted() {
    rm -f "$tree/tidied"
    : > "$tree/began"
    STAYS=$3 start run env --default-signal=INT,TERM,HUP "$tree/tests/run" "$4"
    wait_for 20 "$5 parts of a run to begin" began "$5"
    stop run "$1" "$2"
    check "... and so has all that it started: $5 parts" gone
    check '... each of which could tidy up' test "$(wc -l < "$tree/tidied")" = "$5"
    check '... and is told of' test "$(grep -c '^ends: ' "$dir/run.log")" = "$5"
    check '... while nothing more began' began "$5"
    gone || xargs kill -KILL < "$tree/began"
    rm "$dir/run.log"
}
interrupted INT 130 'is ' none 1    # while it builds
interrupted TERM 143 'is 1' unit/ 3 # units, by the side of another build
interrupted HUP 129 nothing m 3     # two of three smokes at once, and the first of what only computes
