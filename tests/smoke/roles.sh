#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Who may do what, by the groups that the kernel tells of a caller: the first one and the others, a role
# that is changed in the configuration, and an engine that an owner has stopped.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if [ "$(id -u)" != 0 ]; then
    echo 'skip - roles: only root can be somebody else'
    exit 0
fi
readonly everyone=40001 operators=40002 observers=40003 nobody=40009
chmod 711 "$dir"
cp "$build/flashgatectl" "$dir/flashgatectl" # where others can get at it
# as GROUP OTHER,... COMMAND...: by user 50001, in these groups.
as() { setpriv --reuid 50001 --regid "$1" --groups "$2" "$dir/flashgatectl" --socket "$dir/control.sock" "${@:3}"; }
# forbidden GROUPS... PATTERN TEXT COMMAND...
forbidden() {
    local output status=0
    output=$(as "$1" "$2" "${@:5}" 2>&1) || status=$?
    if [ "$status" = 5 ] && grep -qE -- "$3" <<< "$output"; then ok "$4: $output"; else
        not_ok "$4: status $status, $output"
    fi
}

cat > "$dir/sale.yaml" << END
name: drop
items:
  - {id: 1, name: thing, stock: 100, limit: 4}
END
chmod 644 "$dir/sale.yaml"
write_keys
write_config "net_vhost0,iface=$dir/wire.sock,queues=1" 1 "  group: \"$everyone\"
  roles:
    - {role: owner, users: [root]}
    - {role: operator, groups: [\"$operators\"]}
    - {role: observer, groups: [\"$observers\"]}"
start_engine
check 'an operator by the first group applies a sale' as "$operators" "$everyone" sale apply \
    "$dir/sale.yaml"
check 'an operator by another group opens it' as "$nobody" "$everyone,41000,$operators" sale open drop
check 'an observer looks' as "$observers" "$everyone" status
check '... whichever group makes one' as "$nobody" "$observers,$everyone" sale list
forbidden "$observers" "$everyone" 'sale.close needs the role operator; uid 50001 has observer' \
    'an observer changes nothing' sale close --yes drop
forbidden "$nobody" "$everyone" 'status needs the role observer; uid 50001 has no role' \
    'who is in no group sees nothing' status
output=$(as "$operators" "$nobody" status 2>&1)
check 'who is not in the socket'\''s group does not reach it' grep -q 'Permission denied' <<< "$output"
check 'it is on record by the user' test "$(ctl --json events | python3 -c 'import json, sys
print([(e["who"]["uid"], e["who"]["gid"]) for e in json.load(sys.stdin)["events"]])')" = \
    "[(50001, $operators), (50001, $nobody)]"

check 'an operator pauses the engine' as "$operators" "$everyone" engine pause
check '... and ends that' as "$operators" "$everyone" engine resume
check 'an owner kills it' ctl engine kill --yes
forbidden "$operators" "$everyone" 'bring back an engine that is killed needs the role owner' \
    'an operator does not bring it back' engine resume
check 'the owner does' ctl engine resume

sed -i "s/operator, groups: .*/operator, groups: [\"$operators\", \"$observers\"]}/" "$dir/engine.yaml"
forbidden "$observers" "$everyone" 'sale.pause needs the role operator' \
    'a role that is changed in the file' sale pause drop
stop engine TERM 0
start_engine
check '... counts from the next start on' as "$observers" "$everyone" sale pause drop
stop engine TERM 0
