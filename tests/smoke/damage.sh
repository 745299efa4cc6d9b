#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Whatever is found in the log's directory, the engine starts right or refuses with a reason and a
# status of its own: it never crashes, and it never takes another log's orders for its own. Also the
# exit statuses that no other smoke reaches.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
readonly engine=$build/flashgated

write_keys
write_config "net_vhost0,iface=$dir/wire.sock,queues=1" 1
# A log of two starts and a sale.
start_engine
cat > "$dir/drop.yaml" << END
name: drop
items:
  - {id: 1, name: plain, stock: 5, max_per_order: 2}
  - {id: 2, name: other, stock: 5}
END
check 'a sale is applied' ctl sale apply "$dir/drop.yaml"
stop engine TERM 0
mv "$dir/log" "$dir/sound"
readonly first=segment-00000001.fgl second=segment-00000002.fgl third=segment-00000003.fgl
# A whole log is some segments of 16 MiB, mostly holes once copied.
afresh() {
    rm -rf "$dir/log"
    cp -r --sparse=always "$dir/sound" "$dir/log"
}
# bad STATUS PATTERN TEXT: the engine refuses what is in the directory now.
bad() {
    refused "$1" "$2" "$3" "$engine" --config "$dir/engine.yaml"
}
# good TEXT: it starts, and knows the sale.
good() {
    start_engine
    check "$1" ctl sale show drop
    stop engine TERM 0
}
random() { head -c "$1" /dev/urandom; }

afresh
good 'a sound log'
afresh
mkdir "$dir/log/lost+found"
touch "$dir/log/notes.txt" "$dir/log/segment-1.fgl.old"
good 'other files in the directory'
afresh
random 1000000 > "$dir/log/preparing.fgl"
good 'a segment that was being prepared'
afresh
rm "$dir/log/$third"
good 'a log without its last prepared segment'

afresh
random 16777216 > "$dir/log/$first"
bad 9 "$first" 'random bytes for the first segment'
afresh
random 4096 | dd of="$dir/log/$first" bs=4096 seek=1 conv=notrunc status=none
bad 9 "$first.*offset 4096" 'a frame overwritten in the middle'
afresh
printf '\377' | dd of="$dir/log/$first" bs=1 seek=4116 conv=notrunc status=none
bad 9 "$first" 'one byte changed'
afresh
: > "$dir/log/$first"
bad 9 'is 0 bytes long' 'an empty file for the first segment'
afresh
truncate -s 5000 "$dir/log/$first"
bad 9 'is 5000 bytes long' 'a truncated first segment'
afresh
rm "$dir/log/$first"
bad 9 . 'a missing first segment'
afresh
rm "$dir/log/$first"
mkdir "$dir/log/$first"
bad 9 'something else' 'a directory in place of a segment'
afresh
rm "$dir/log/$first"
ln -s /nowhere "$dir/log/$first"
bad 8 . 'a link to nowhere in place of a segment'

# Two logs mixed: another log's first segment as our second one.
rm -rf "$dir/log"
mkdir "$dir/log"
start_engine
stop engine TERM 0
mv "$dir/log" "$dir/other"
afresh
cp "$dir/other/$first" "$dir/log/$second"
bad 9 . 'two logs mixed'

# What only another user is refused; root may do all.
if [ "$(id -u)" = 0 ] && setpriv --reuid 65534 --regid 65534 --clear-groups true 2> /dev/null; then
    as_nobody() {
        chmod 755 "$dir"
        chown -R 65534 "$dir/keys.yaml" "$dir/engine.yaml"
        setpriv --reuid 65534 --regid 65534 --clear-groups "$engine" "$@"
    }
    afresh
    chmod 700 "$dir/log"
    refused_nobody() { # STATUS PATTERN TEXT
        local status=0
        (as_nobody --config "$dir/engine.yaml") > "$dir/nobody" 2>&1 || status=$?
        check "$3: $(tail -n 1 "$dir/nobody" | sed "s|$dir/||g")" \
            test "$status $(tail -n 1 "$dir/nobody" | grep -c "$2")" = "$1 1"
    }
    refused_nobody 3 'Permission denied' 'a directory of another owner'
    chown 65534 "$dir/log"
    chmod 600 "$dir/log/$first"
    refused_nobody 3 'segment-.*Permission denied' 'a segment of another owner'
    chown -R 0 "$dir/keys.yaml" "$dir/engine.yaml"
fi

# --- Statuses that are not the log's ---
afresh
refused 3 'is no directory' 'a log directory that is not there' "$engine" --config \
    "$(altered nowhere "s|$dir/log|$dir/nowhere|")"
refused 3 'limits.items is 1; raise it to 2' 'a limit too low for the log' "$engine" --config \
    "$(altered limit 's/^limits:/&\n  items: 1/')"
refused 7 'could not start' 'a network device that is not there' "$engine" --config \
    "$(altered device 's/net_vhost0,iface/no-such-pmd0,iface/')"
refused 12 'limits.orders' 'limits beyond the memory' "$engine" --config \
    "$(altered memory 's/^  orders: .*/  orders: 1000000000/')"
refused 3 'cores.journal names core 1000' 'a core that is not there' "$engine" --config \
    "$(altered core 's/^workers:/cores: {journal: 1000}\n&/')"
