#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What `make install` puts where, the unit that comes with it, and the engine as a service: told to a
# manager, watched by it.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# --- Installing and taking away ---
readonly root=$dir/root
sanitize=$([ "$(basename "$build")" = asan ] && echo 1)
in_root() { make -s SANITIZE="$sanitize" DESTDIR="$root" "$@"; }
files() { (cd "$root" && find . -type f -printf '%m %p\n' | sort -k 2); }

check 'make install' in_root PREFIX=/usr install
files > "$dir/installed"
for wanted in '755 ./usr/bin/flashgatectl' '755 ./usr/bin/flashgate-load' \
    '755 ./usr/bin/flashgate-check' '755 ./usr/sbin/flashgated' \
    '644 ./usr/lib/systemd/system/flashgated.service' '644 ./usr/lib/sysusers.d/flashgate.conf' \
    '644 ./usr/lib/tmpfiles.d/flashgate.conf' '644 ./usr/share/flashgate/conf/flashgate.yaml' \
    '644 ./usr/share/doc/flashgate/operations.md'; do
    check "installed: $wanted" grep -qxF "$wanted" "$dir/installed"
done
check 'the installed CLI runs' "$root/usr/bin/flashgatectl" --version
check 'the installed engine accepts the installed sample' "$root/usr/sbin/flashgated" --check \
    --config "$root/usr/share/flashgate/conf/flashgate.yaml"
check 'users' systemd-sysusers --root="$root" --dry-run
check 'make uninstall' in_root PREFIX=/usr uninstall
check 'nothing stays' test -z "$(files)"

# --- The unit ---
check 'make install under /usr/local' in_root install
readonly unit=$root/usr/local/lib/systemd/system/flashgated.service
check 'the unit starts the engine of that prefix' grep -q '^ExecStart=/usr/local/sbin/flashgated ' \
    "$unit"
# What systemd does not know it only tells, with status 0. Its programs are looked for in this root.
unit_complaints() { # FILE
    sed "s|^ExecStart=[^ ]*|ExecStart=$(realpath "$build")/flashgated|" "$1" > "$dir/flashgated.service"
    systemd-analyze verify --man=no "$dir/flashgated.service" 2>&1 || echo "status $?"
}
check 'systemd takes every line of the unit' test -z "$(unit_complaints "$unit")"
check 'and would tell of one that it does not know' grep -q "Unknown key" \
    <(unit_complaints <(sed 's/^WatchdogSec/WatchdocSec/' "$unit"))
check 'and refuses no call that the engine makes' tests/smoke/unit_calls.py "$unit"
refused 1 'refuses what the engine needs: seccomp' 'nor would that stay unseen' \
    tests/smoke/unit_calls.py <(sed 's/^SystemCallFilter=chown seccomp/SystemCallFilter=chown/' "$unit")
check 'the unit is exposed 2.0 at most' systemd-analyze security --offline=true --threshold=20 \
    "$unit"
check 'a unit without its user is exposed more' \
    bash -c "sed '/^User=/d; /^CapabilityBoundingSet=/d' '$unit' > '$dir/open.service' &&
        ! systemd-analyze security --offline=true --threshold=20 '$dir/open.service'"

# --- The engine as a service ---
write_keys
write_config "net_vhost0,iface=$dir/vhost.sock,queues=1" 1
"$build/flashgatectl" --json doctor --config "$dir/engine.yaml" > "$dir/doctor.json" 2> /dev/null
check 'doctor looks at everything' test "$(grep -o '"check": "[a-z]*"' "$dir/doctor.json" |
    sort -u | wc -l)" = 15
check 'doctor leaves nothing in the log directory' test -z "$(ls -A "$dir/log")"
sed "s|$dir/log|$dir/no-such|" "$dir/engine.yaml" > "$dir/nowhere.yaml"
refused 1 'not fit' 'doctor, where the log cannot be written' "$build/flashgatectl" doctor --config \
    "$dir/nowhere.yaml"
start manager python3 "$(dirname "$0")/notify.py" "$dir/manager.sock"
wait_for 10 'the manager to listen' grep -q listening "$dir/manager.log"
export NOTIFY_SOCKET=$dir/manager.sock WATCHDOG_USEC=200000
start_engine
unset NOTIFY_SOCKET WATCHDOG_USEC
heard() { grep -c "$1" "$dir/manager.log"; }
heard_times() { [ "$(heard "$1")" -ge "$2" ]; }
if [ "$(id -u)" = 0 ]; then
    check 'an engine that stays root sounds an alarm' grep -q 'WARNING *ROOT' <(ctl status)
    check 'and shows its rights' grep -q 'user root (0), capabilities: all' <(ctl status)
fi
wait_for 10 'READY=1' heard_times '^READY=1' 1
wait_for 10 'pings of the watchdog' heard_times '^WATCHDOG=1' 5
check 'steps of the start were told' test "$(heard '^STATUS=starting: ')" -ge 5
check 'the first ping came after it was ready' test \
    "$(grep -m 1 -E '^(READY|WATCHDOG)=' "$dir/manager.log")" = READY=1
stop engine TERM 0
check 'STOPPING=1 was told' grep -q '^STOPPING=1' "$dir/manager.log"
