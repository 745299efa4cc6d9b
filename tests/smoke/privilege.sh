#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# An engine that root starts becomes its user: no thread has a right of root's, and all that is made
# is the user's. It sells, turns to a new segment, serves a vhost peer, and starts again on its log.
# What the user could not use refuses the start, with the command that mends it.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
if [ "$(id -u)" != 0 ]; then
    echo 'skip - privilege: no right to become another user (run as root)'
    exit 0
fi
in_own_network "$@"
readonly user=nobody

make_veth
write_keys
write_config net_af_packet0,iface=fg0 1 "metrics:
  listen: unix:$dir/metrics.sock"
# A second port, for a vhost peer.
sed -i "s/^user: .*/user: $user/; s/^  orders: .*/  orders: 600000/; s/^  budget: .*/  budget: 256MiB/
    s|^mbufs:|  - device: \"net_vhost0,iface=$dir/vhost.sock,queues=1\"\n    address: 10.99.1.1/24\n&|" \
    "$dir/engine.yaml"
readonly engine=$build/flashgated
# Nothing of root's stays behind in the test's own folder.
roots() { find "$dir" -newer "$dir/began" -uid 0 \( -type s -o -name '*.fgl' -o -path '*dpdk*' -o \
    -name '*lock*' \); }

# --- What is wrong is said before anything is made ---
refused 3 'no user "no.such.user" on this machine.*useradd' 'a user that is not there' "$engine" \
    --config "$(altered unknown 's/^user: .*/user: no.such.user/')"
refused 3 "closed to $user.*chmod o\+x" 'a way that the user may not go' "$engine" --config \
    "$dir/engine.yaml"
chmod 755 "$dir"
refused 3 "may not write $dir/log.*root's, mode 0755.*chown -R $user: $dir/log" \
    "a log directory of root's" "$engine" --config "$dir/engine.yaml"
chown "$user" "$dir/log"
install -m 600 /dev/null "$dir/log/segment-00000001.fgl"
refused 3 "may not write $dir/log/segment-00000001.fgl.*chown" "a segment of root's" "$engine" \
    --config "$dir/engine.yaml"
rm "$dir/log/segment-00000001.fgl"
refused 3 "control.socket: user $user may not write $dir.*chown" "a socket's directory of root's" \
    "$engine" --config "$dir/engine.yaml"
chown "$user" "$dir"
refused 3 "key_file: user $user may not read $dir/keys.yaml.*chown" "keys of root's" "$engine" \
    --config "$dir/engine.yaml"
check 'doctor says it, too' grep -q "wrong *user *key_file: user $user may not read" \
    <("$build/flashgatectl" doctor --config "$dir/engine.yaml" 2> /dev/null)
chown "$user" "$dir/keys.yaml"
chmod o+w "$dir"
refused 3 "$dir can be changed by anyone, mode 0757.*chmod o-w" "a sockets' directory that anyone may write" \
    "$engine" --config "$dir/engine.yaml"
chmod o-w "$dir"
mkdir "$dir/dpdk"
refused 3 "$dir/dpdk is of another user \(0\)" "DPDK's directory, made by another" "$engine" --config \
    "$dir/engine.yaml"
chown "$user" "$dir/dpdk"
chmod 750 "$dir/dpdk"
refused 3 "$dir/dpdk is open to others, mode 0750" "DPDK's directory, open to others" "$engine" --config \
    "$dir/engine.yaml"
rmdir "$dir/dpdk"
ln -s /tmp "$dir/dpdk"
refused 3 "$dir/dpdk is no directory" "DPDK's directory, led elsewhere" "$engine" --config \
    "$dir/engine.yaml"
rm "$dir/dpdk"
check 'nothing was made' test -z "$(ls -A "$dir/log")"

# --- It serves with the user's rights ---
cat > "$dir/big.yaml" << END
name: big
items:
  - {id: 1, name: plain, stock: 350000, limit: 1}
END
figure() { grep -oE "\"$1\": *[0-9]+" <(ctl --json status) | grep -oE '[0-9]+$'; }
touch "$dir/began"
start_engine
check 'status says whom it runs as' grep -qE "user $user \(65534\), capabilities: (none|CAP_SYS_NICE); system calls: filtered; core dumps: off$" \
    <(ctl status)
check 'and sounds no alarm' bash -c "! grep -q 'WARNING *ROOT' <<< '$(ctl status)'"
scenario privilege.py rights "${pids[engine]}" "$user"
check 'a sale is applied' ctl sale apply "$dir/big.yaml"
check 'and opened' ctl sale open big
scenario privilege.py buy
check 'metrics are read' grep -q '^flashgate_' <(curl -s --unix-socket "$dir/metrics.sock" \
    http://localhost/metrics)
check 'a vhost peer buys more than a segment holds' "$build/flashgate-load" \
    --port "net_virtio_user0,path=$dir/vhost.sock,queues=1,packed_vq=1" --eal=--lcores=0@0 \
    --eal=--file-prefix="load-$(basename "$dir")" --eal=--no-huge --eal=--no-pci --eal=-m --eal=64 \
    --source 10.99.1.2/24 --target 10.99.1.1 --base-port "$base_port" --key-file "$dir/keys.yaml" \
    --key 7 --sale "$dir/big.yaml" --items 1:1 --requests 320000 --rate 250000 --buyers 10000000 \
    --timeout 20 --batch 16 --report "$dir/load.json"
check 'the log turned to another segment' test "$(figure segment)" -gt 1
check 'and a further one is made' test "$(find "$dir/log" -name '*.fgl' | wc -l)" -ge 4
check "what was made is $user's" test -z "$(roots)"

# --- Who may get at it ---
cp "$build/flashgatectl" "$dir/ctl"
as() { setpriv --reuid="$1" --regid="$2" --clear-groups "${@:3}"; }
runtime=$dir/dpdk/$(basename "$dir")
check "DPDK's telemetry is $user's alone" test "$(stat -c '%a %U' "$runtime")" = "700 $user"
check "$user gets at it" as 65534 65534 test -S "$runtime/dpdk_telemetry.v2"
check 'another does not' bash -c "! setpriv --reuid=1 --regid=1 --clear-groups test -e '$runtime/.'"
check "the engine's own user is owner where no roles are given" as 65534 65534 "$dir/ctl" \
    --socket "$dir/control.sock" engine pause
check 'and so is root' ctl engine resume

# --- Again, on the same log ---
stop engine KILL 137
printf 'control:\n  socket: %s\n  roles: [{role: owner, users: [root]}]\n' "$dir/control.sock" \
    > "$dir/roles"
sed -i -e "/^control:/,/^  socket:/d" -e "\$r $dir/roles" "$dir/engine.yaml"
start_engine
check "the engine's own user has no role but a given one" grep -q 'needs the role observer' \
    <(as 65534 65534 "$dir/ctl" --socket "$dir/control.sock" status 2>&1)
scenario privilege.py rights "${pids[engine]}" "$user"
scenario privilege.py again
stop engine TERM 0
check 'its sockets are gone' test -z "$(find "$dir" -type s)"
