#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The story of docs/operations.md on a small engine: the blocks of that page that are marked `sh run
# NAME` are run as they stand there, command by command. Paths of the system lead into a folder of
# this test's, what would touch the machine itself (sudo, systemctl ...) has a stand-in below, and
# numbers of the sample that are too great for a test are smaller. Another machine is another folder.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly page=$PWD/docs/operations.md repo=$PWD
sanitize=$([ "$(basename "$build")" = asan ] && echo 1)
readonly machine_a=$dir/a machine_b=$dir/b
declare -A done_blocks

# here TEXT: its paths of the system, on this machine.
here() { sed -E "s#(^|[] '\"=|>])/(etc|var|run|usr/local|srv|mnt)/#\1$machine/\2/#g"; }
at_machine() {
    machine=$1
    export FLASHGATE_SOCKET=$machine/run/flashgate/control.sock
    export PATH=$machine/usr/local/bin:$machine/usr/local/sbin:$path
}
readonly path=$PATH
mkdir -p "$machine_a" "$machine_b" "$dir/work"
at_machine "$machine_a"
cd "$dir/work" || exit 1

# --- stand-ins ---

sudo() {
    [ "$1" != -u ] || shift 2
    "$@"
}
make() { command make -s -C "$repo" SANITIZE="$sanitize" DESTDIR="$machine" "$@"; }
systemd-sysusers() { command systemd-sysusers --root="$machine" --dry-run; }
# "d PATH MODE USER GROUP -"
systemd-tmpfiles() {
    local name=$machine/usr/local/lib/tmpfiles.d/$2 folder mode
    while read -r _ folder mode _; do
        mkdir -p "$machine$folder" && chmod "$mode" "$machine$folder" || return 1
    done < <(grep '^d ' "$name")
}
install() {
    local arguments=()
    while [ $# -gt 0 ]; do
        if [ "$1" = -o ] || [ "$1" = -g ]; then shift 2; else arguments+=("$1") && shift; fi
    done
    command install "${arguments[@]}"
}
redis-cli() { command redis-cli -s "$dir/redis.sock" "$@" | tee "$dir/redis.said" &&
    ! grep -qE '^(\(error\)|ERR|NOPERM|WRONG)' "$dir/redis.said"; }
engine_answers() { flashgatectl status || ended engine; }
engine_starts() {
    local command units=("$machine/usr/local/lib/systemd/system/flashgated.service")
    units+=("$machine"/run/systemd/system/flashgated.service.d/*.conf)
    command=$(cat "${units[@]}" 2> /dev/null | sed -n 's/^ExecStart=\(..*\)/\1/p' | tail -1 | here)
    # shellcheck disable=SC2086
    start engine $command
    wait_for 60 'the engine to answer' engine_answers
    alive engine
}
engine_stops() {
    stop engine TERM 0 > "$dir/stopped"
    cat "$dir/stopped"
    ! grep -q '^not ok' "$dir/stopped"
}
systemctl() {
    case $* in
    daemon-reload) ;;
    'start flashgated' | 'enable --now flashgated') engine_starts ;;
    'stop flashgated' | 'disable --now flashgated') engine_stops ;;
    'restart flashgated') engine_stops && engine_starts ;;
    *) return 1 ;;
    esac
}

# --- the page's commands ---

block() { sed -n "/^\`\`\`sh run $1\$/,/^\`\`\`\$/p" "$page" | sed '1d;$d' | here; }
# Fewer requests, of memory that every machine has; the configuration that is not at its usual place.
small() {
    sed -E -e 's/--requests [0-9]+/--requests 1500/; s/--rate [0-9]+/--rate 5000/
        s/--buyers [0-9]+/--buyers 400/; s/--eal=--in-memory/--eal=--no-huge --eal=-m --eal=128 --sleep/' \
        -e "s#flashgatectl doctor\$#& --config $machine/etc/flashgate/flashgate.yaml#"
}
# run NAME: each command of the block is a case; what they say is in $dir/said.
run() {
    local command status
    done_blocks[$1]=1
    : > "$dir/said"
    mapfile -t commands < <(block "$1" | small)
    [ "${#commands[@]}" -gt 0 ] || not_ok "$1: the page has no such block"
    for command in "${commands[@]}"; do
        eval "$command" > "$dir/output" 2>&1 < /dev/null
        status=$?
        tee -a "$dir/said" < "$dir/output" > "$dir/night.log"
        # Whether the machine is fit is the machine's business.
        [[ $command != *' doctor '* || $status != 1 ]] || status=0
        if [ "$status" = 0 ]; then ok "$1: ${command//"$dir"\//}"; else
            not_ok "$1: ${command//"$dir"\//} ends with status $status"
            sed 's/^/    /' "$dir/output"
        fi
    done
}
# told PATTERN TEXT: something of the last block said so.
told() { check "$2" grep -E -- "$1" "$dir/said"; }

run install
run configure
cat > "$dir/redis.conf" << END
port 0
unixsocket $dir/redis.sock
dir $dir
save ""
END
start redis redis-server "$dir/redis.conf"
wait_for 20 'Redis to answer' redis-cli ping
run redis
# What a person adapts, and what makes it small.
sed -i -E -e "s#(: |:|=)/(etc|var|run)/flashgate#\1$machine/\2/flashgate#" \
    -e "s#(: |:|=)/var/lib/#\1$machine/var/lib/#; s#/run/redis/redis-server.sock#$dir/redis.sock#" \
    -e 's/^#eal: .*/eal: ["--no-huge", "--no-pci", "-m", "128"]/' \
    -e 's/^(mbufs|limits|  budget|  segment|idle|  orders|  parked): .*/#&/' \
    -e 's/^  #(user|password_file): /  \1: /; s/^#worker_cores: .*/worker_cores: [0]/' \
    -e "s#^  listen: .*#  listen: unix:$machine/run/flashgate/metrics.sock#" \
    -e "s/^user: .*/user: $(id -un)/; s/^file_prefix: .*/file_prefix: night/" \
    -e 's/^#(mbufs): .*/\1: 4096/; s/^#(idle): .*/\1: sleep/; s/^#(  budget): .*/\1: 64MiB/' \
    -e 's/^#(  segment): .*/\1: 16MiB/; s/^#(  orders): .*/\1: 32768/; s/^#(  parked): .*/\1: 1024/' \
    "$machine/etc/flashgate/flashgate.yaml"
run fit
told '^(ok|warning|WRONG) +redis +' 'doctor looks at Redis'
run start
told '^Delivery +running' 'delivery runs, by the rights that the page gives to its user'
run rehearsal
run traffic
told '0 lost' 'no request is lost'
run books
told 'nothing differs' 'the rehearsal'"'"'s books balance'

# --- the night ---

sed -i 's/^opens: .*/opens: +1s/' spring-drop.yaml
run before
told '^Sale spring-drop: would change so, nothing was changed' 'the dry run tells'
told '^Sale spring-drop: unchanged' 'applied, the file changes nothing'
told '^Delivery +running.* lag 0' 'delivery runs, and lags by nothing'
opened() { flashgatectl sale show spring-drop | grep '^spring-drop  open '; }
wait_for 20 'the sale to open' opened
run opened
told ' engine +SALE_STATE +spring-drop +open' 'it opened by itself'
eval "$(block traffic | small | sed 's/rehearsal/night-1/g; 1!d')" > "$dir/output" 2>&1
check 'the night sells' grep -E 'ADMITTED +[1-9]' "$dir/output"
run during
told '500 units added' 'units are added'
told '200 units removed' 'units are removed'
run kill

# A buyer complains of an order that is final: an item without holds.
redis-cli XRANGE 'flashgate:{spring-drop}:orders' - + > "$dir/entries"
read -r BUYER REQUEST < <(awk '/^buyer$/ { getline buyer } /^request$/ { getline request }
    /^item$/ { getline item; if (item == 1001) { print buyer, request; exit } }' "$dir/entries")
export BUYER REQUEST
run service
told '^Order .* is cancelled: [12] of item 1001 are back on sale' 'the order is cancelled'
run drain
told '^Drained: .*Redis has everything' 'the engine drains'
run backup
told ': sound' 'the backup is sound'
run upgrade
told 'DRAINING' 'a drain outlives the restart'
told 'Engine: running' 'and is ended'

# --- another machine ---

run leave
at_machine "$machine_b"
mkdir -p "$machine_b/usr" "$machine_b/mnt/a"
ln -s "$machine_a/usr/local" "$machine_b/usr/local"
systemd-tmpfiles --create flashgate.conf
cp -p "$machine_a/etc/flashgate"/* "$machine_b/etc/flashgate"
sed -i "s#$machine_a/#$machine_b/#" "$machine_b/etc/flashgate/flashgate.yaml"
cp -a "$machine_a/var/lib/flashgate/log" "$machine_b/mnt/a/log"
run move
told '^epoch ' 'the takeover tells its steps'
told 'epoch 5' 'the engine has the epoch after the fence'
eval "$(block traffic | small | sed 's/rehearsal/night-2/g; 1!d')" > "$dir/output" 2>&1
check 'retries of all orders are answered by the new machine' grep -E ' 0 lost' "$dir/output"

# --- the day after ---

run after
told 'nothing differs' 'log, streams and figures agree'
SEQ=$(redis-cli XREVRANGE 'flashgate:{spring-drop}:orders' + - COUNT 1 | sed -n '1s/.*-//p')
export SEQ
check 'every order that was told is in the log of the new machine' \
    flashgatectl audit "$machine_b/var/lib/flashgate/log" --drained \
    --config "$machine_b/etc/flashgate/flashgate.yaml" --history night-1.history,night-2.history
run archive
told 'spring-drop: archived' 'the sale is archived'
trimmed() { [ "$(redis-cli XLEN 'flashgate:{spring-drop}:orders')" -le 1 ]; }
wait_for 10 'what is consumed to be trimmed' trimmed
engine_stops > /dev/null

while read -r name; do
    [ -n "${done_blocks[$name]:-}" ] || not_ok "the block $name of the page was not run"
done < <(sed -n 's/^```sh run //p' "$page")
