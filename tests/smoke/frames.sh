#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Every kind of frame on a veth, one of each: what is a request is answered, over IPv4, IPv6 and under
# a tag; what is not moves its own counter by one and is met with silence. The kernel is the peer for
# ARP, neighbour discovery and echo. In the end a second engine stands at the other end of the wire.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
in_own_network "$@"
readonly engine_ip6=2001:db8:99::10:1 client_ip6=2001:db8:99::2

make_veth
# Of the engine's end the kernel knows nothing, and of its own chatter little is left.
echo 1 > /proc/sys/net/ipv6/conf/fg0/disable_ipv6
echo 0 > /proc/sys/net/ipv6/conf/fg1/router_solicitations
ip link set fg0 mtu 9000 || die 'ip link set mtu'
ip link set fg1 mtu 9000 || die 'ip link set mtu'
ip -6 address add "$client_ip6/64" dev fg1 nodad || die 'ip -6 address add'

# engine_at NAME IFACE IPV4 IPV6: NAME.yaml, of an engine of its own.
engine_at() {
    mkdir -p "$dir/$1/log"
    sed -e "s|$dir/control.sock|$dir/$1/control.sock|; s|$dir/log|$dir/$1/log|" \
        -e "s|^\(file_prefix: .*\)|\1-$1|; s|iface=fg0|iface=$2|" \
        -e "s|^\(    address: \).*|\1$3/24\n    address6: \"$4/64\"|" "$dir/engine.yaml" \
        > "$dir/$1/engine.yaml"
}
serves() { grep -q '^flashgated: serving' "$dir/$1.log" || ended "$1"; }

write_keys
write_config net_af_packet0,iface=fg0 1
engine_at one fg0 "$engine_ip" "$engine_ip6"
engine_at two fg1 10.99.0.3 2001:db8:99::10:3
for name in one two; do start "$name" "$build/flashgated" --config "$dir/$name/engine.yaml"; done
for name in one two; do
    wait_for 60 "engine $name to serve" serves "$name"
    alive "$name" || die "engine $name ended at start"
done
says 'port net_af_packet0: 10.99.0.1/24, 2001:db8:99::10:1/64, UDP' 'both addresses are told at start' \
    cat "$dir/one.log"

ENGINE_MAC=$(mac_of fg0) scenario frames.py
stop one TERM 0
stop two TERM 0
