#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Keys stay where they belong: in an engine that has used them they are in pages that no core has, and
# nowhere else; nothing that the engine writes or tells has them; and a crash leaves no core.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
if [ "$(id -u)" != 0 ] || [ "$build" = build/asan ]; then
    echo 'skip - secrets: only root reads the memory of an engine, and a sanitizer needs it, too'
    exit 0
fi
in_own_network "$@"
readonly user=nobody
ulimit -c unlimited # the engine must forbid it to itself

# secret: 32 hex digits. Not those of write_keys, whose bytes stand in many a table.
secret() { od -An -tx1 -N16 /dev/urandom | tr -d ' \n'; }
seven=$(secret) ten=$(secret)
readonly seven ten
make_veth
write_keys
sed -i "s/000102030405060708090a0b0c0d0e0f/$seven/; s/303132333435363738393a3b3c3d3e3f/$ten/" \
    "$dir/keys.yaml"
start_redis
write_config net_af_packet0,iface=fg0 2 "metrics:
  listen: unix:$dir/metrics.sock
redis:
  socket: $dir/redis.sock"
sed -i "s/^user: .*/user: $user/" "$dir/engine.yaml"
chmod 755 "$dir"
chown "$user" "$dir" "$dir/log" "$dir/keys.yaml"
chmod 777 "$dir/redis.sock"
cat > "$dir/sale.yaml" << END
name: small
items:
  - {id: 1, name: plain, stock: 100, limit: 1}
END
# In a folder where a core could be written.
start_engine() {
    start engine env -C "$dir" "$PWD/$build/flashgated" --config "$dir/engine.yaml"
    wait_for 60 'the engine to answer' answers_or_ended
    alive engine || die 'the engine ended at start'
}
cores() { find "$dir" -maxdepth 1 -name 'core*' -type f; }
start_engine
check 'a sale is applied' ctl sale apply "$dir/sale.yaml"
check 'and opened' ctl sale open small
SMOKE_KEY=$seven scenario privilege.py buy
delivered() { [ "$(redis xlen 'flashgate:{small}:orders')" = 1 ]; }
wait_for 10 'delivery' delivered

# --- Who looks into the process ---
readonly pid=${pids[engine]}
as_user() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
not() { ! "$@"; }
check 'the process is for root alone to look into' test "$(stat -c %U "/proc/$pid/mem")" = root
check 'its own user may not' not as_user head -c 1 "/proc/$pid/environ"
check 'no core may be written' grep -qE 'Max core file size +0 +0 ' "/proc/$pid/limits"
scenario secrets.py memory "$pid" "$seven" "$ten"

# --- What it tells and writes ---
for words in status 'sale show small' 'delivery status' events 'sale list' 'engine status'; do
    # shellcheck disable=SC2086 # words
    ctl --json $words > "$dir/said.${words// /-}.json" 2>&1
done
"$build/flashgatectl" doctor --config "$dir/engine.yaml" > "$dir/said.doctor" 2>&1
curl -s --unix-socket "$dir/metrics.sock" http://localhost/metrics > "$dir/said.metrics"
redis save > /dev/null

# --- A crash ---
kill -SEGV "$pid"
ends engine 139 'a crash ends it by its signal'
check 'without a core' test -z "$(cores)"
scenario secrets.py files "$dir" "$seven" "$ten"

# --- Cores, where they are wanted ---
printf 'security:\n  core_dumps: true\n  seccomp: log\n' >> "$dir/engine.yaml"
start_engine
check 'status warns of what is allowed' test \
    "$(ctl status | grep -cE 'WARNING *(CORE DUMPS|UNGUARDED)')" = 2
check 'and shows it' grep -q 'system calls: log; core dumps: on$' <(ctl status)
check 'and it is its user'\''s' test "$(stat -c %U "/proc/${pids[engine]}/mem")" = "$user"
check 'metrics tell it' test "$(curl -s --unix-socket "$dir/metrics.sock" http://localhost/metrics |
    grep -cE '^flashgate_(seccomp\{mode="log"\}|core_dumps) 1')" = 2
SMOKE_KEY=$seven scenario privilege.py again
kill -SEGV "${pids[engine]}"
ends engine 139 'a crash ends it'
case $(cat /proc/sys/kernel/core_pattern) in
'|'* | /*) echo 'skip - this machine takes cores elsewhere' ;;
*) check 'and leaves a core' test -n "$(cores)" ;;
esac
