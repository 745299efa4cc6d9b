#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# README.md's "A sale by hand", typed as it stands there, in a tree of its own; but for the builds, and
# for fewer requests.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly tree=$dir/tree
mkdir -p "$tree/build"
ln -s "$PWD/$build" "$tree/build/release"
ln -s "$PWD/conf" "$tree/conf"
cd "$tree" || exit 1
# block N: the section's Nth block; $(...) of it stays for the shell that reads it.
block() {
    sed -n '/^## A sale by hand$/,/^## On a server$/p' "$OLDPWD/README.md" |
        awk -v n="$1" '/^```/ { fence++; next } fence == 2 * n - 1'
}
# What goes to the background there is this test's own, to be ended by it.
block 1 | sed -E 's/^redis-server (.*) &$/start redis redis-server \1/; s/ > build\/hand\/redis.log//
    s/^build\/release\/flashgated/start engine &/; s/"-m", "512"/"-m", "128"/' > "$dir/first"
block 2 | sed -E 's/--requests 1000/--requests 200/; s/--eal=256/--eal=128/; /BUYER REQUEST/d' \
    > "$dir/second"
check 'README.md has both blocks' test -s "$dir/first" -a -s "$dir/second"
# shellcheck disable=SC1091
source "$dir/first"
wait_for 60 'the engine to serve' grep -q '^flashgated: serving' "$dir/engine.log"

bash -e "$dir/second" > "$dir/said" 2>&1
check 'every command of the second terminal succeeds' test $? = 0
check 'requests are answered' grep -q ' 0 lost' "$dir/said"
check 'orders are in the stream' grep -qx buyer "$dir/said"
check 'the sale is shown' grep -q 'Concert ticket, front row' "$dir/said"
read -r buyer request < <(awk '/^buyer$/ { getline buyer } /^request$/ { getline request }
    END { print buyer, request }' "$dir/said")
check 'and one of its orders' build/release/flashgatectl --socket build/hand/control.sock \
    order show "$buyer" "$request"
stop engine TERM 0
[ "$failures" = 0 ] || cat "$dir/said"
