/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A frame is looked at from the outside in; the first thing wrong drops it under its own name. All
 * that a sender can write is checked against the bytes that are really there before it is used:
 * some drivers pass on frames cut short without a word.
 */
#include <stdbool.h>

#include "dataplane/net/frame.h"

#define SOURCE_PORT_MIN 1024 /* below are services that would answer an answer */
#define ECHO_BYTES_MAX  1500 /* IP bytes of an echo that is answered: one usual MTU */

static void drop(struct fg_parsed *parsed, enum fg_counter why)
{
    parsed->kind = FG_FRAME_DROPPED;
    parsed->dropped = (uint8_t)why;
}

/* Nothing may ever be sent to such an address. */
static bool source_unfit(const struct fg_frame_address *us, uint32_t source)
{
    uint32_t host = source & ~us->mask;
    bool local = (source & us->mask) == (us->address & us->mask);

    /* In a subnet of two addresses or one, no address is a broadcast. */
    if (local && ~us->mask > 1 && (host == 0 || host == ~us->mask))
        return true;
    return source == us->address || source >> 24 == 0 || source >> 24 == 127 || source >> 28 >= 14;
}

static void parse_arp(const uint8_t *frame, size_t length, const struct fg_frame_address *us,
                      struct fg_parsed *parsed)
{
    struct rte_arp_hdr arp;

    if (length < parsed->l3 + sizeof(arp))
        return drop(parsed, FG_COUNTER_DROP_RUNT);
    memcpy(&arp, frame + parsed->l3, sizeof(arp));
    if (arp.arp_hardware != RTE_BE16(RTE_ARP_HRD_ETHER) ||
        arp.arp_protocol != RTE_BE16(RTE_ETHER_TYPE_IPV4) || arp.arp_hlen != RTE_ETHER_ADDR_LEN ||
        arp.arp_plen != sizeof(uint32_t))
        return drop(parsed, FG_COUNTER_DROP_NOT_IP);
    if (arp.arp_opcode != RTE_BE16(RTE_ARP_OP_REQUEST) ||
        arp.arp_data.arp_tip != rte_cpu_to_be_32(us->address))
        return drop(parsed, FG_COUNTER_DROP_NOT_FOR_US);
    uint32_t source = rte_be_to_cpu_32(arp.arp_data.arp_sip);
    /* Address zero is a probe: whoever sends it is about to take the engine's address. */
    if (!rte_is_valid_assigned_ether_addr(&arp.arp_data.arp_sha) ||
        (source != 0 && source_unfit(us, source)))
        return drop(parsed, FG_COUNTER_DROP_SOURCE);
    parsed->kind = FG_FRAME_ARP;
}

static void parse_echo(const uint8_t *frame, size_t l3_bytes, struct fg_parsed *parsed)
{
    const uint8_t *icmp = frame + parsed->l3 + sizeof(struct rte_ipv4_hdr);
    size_t length = l3_bytes - sizeof(struct rte_ipv4_hdr);

    if (length < sizeof(struct rte_icmp_hdr))
        return drop(parsed, FG_COUNTER_DROP_RUNT);
    if (icmp[0] != RTE_IP_ICMP_ECHO_REQUEST || icmp[1] != 0 || l3_bytes > ECHO_BYTES_MAX ||
        rte_raw_cksum(icmp, length) != 0xffff)
        return drop(parsed, FG_COUNTER_DROP_NOT_UDP);
    parsed->kind = FG_FRAME_ECHO;
}

static void parse_udp(const uint8_t *frame, size_t l3_bytes, const struct fg_frame_address *us,
                      enum fg_checksum checksum, struct fg_parsed *parsed)
{
    const struct rte_ipv4_hdr *ip = (const void *)(frame + parsed->l3);
    struct rte_udp_hdr udp;

    if (l3_bytes < FG_UDP_HEADERS)
        return drop(parsed, FG_COUNTER_DROP_RUNT);
    memcpy(&udp, frame + parsed->l3 + sizeof(*ip), sizeof(udp));
    size_t length = rte_be_to_cpu_16(udp.dgram_len);
    uint32_t port = rte_be_to_cpu_16(udp.dst_port);

    if (length < sizeof(udp) || length + sizeof(*ip) > l3_bytes)
        return drop(parsed, FG_COUNTER_DROP_RUNT);
    if (rte_be_to_cpu_16(udp.src_port) < SOURCE_PORT_MIN)
        return drop(parsed, FG_COUNTER_DROP_SOURCE);
    if (port < us->first_port || port > us->last_port)
        return drop(parsed, FG_COUNTER_DROP_PORT);
    if (udp.dgram_cksum != 0) {
        if (checksum == FG_CHECKSUM_UNKNOWN) {
            /* The pseudo header is of the datagram, which may be shorter than the packet. */
            uint32_t sum = rte_raw_cksum(&ip->src_addr, 2 * sizeof(uint32_t)) +
                           RTE_BE16(IPPROTO_UDP) + (uint32_t)udp.dgram_len;
            sum = __rte_raw_cksum(frame + parsed->l3 + sizeof(*ip), length, sum);
            checksum =
                __rte_raw_cksum_reduce(sum) == 0xffff ? FG_CHECKSUM_RIGHT : FG_CHECKSUM_WRONG;
        }
        if (checksum == FG_CHECKSUM_WRONG)
            return drop(parsed, FG_COUNTER_DROP_UDP_CHECKSUM);
    }
    parsed->length = (uint16_t)(length - sizeof(udp));
    parsed->kind = FG_FRAME_REQUEST;
}

static void parse_ipv4(const uint8_t *frame, size_t length, const struct fg_frame_address *us,
                       enum fg_checksum checksum, struct fg_parsed *parsed)
{
    struct rte_ipv4_hdr ip;

    if (length < parsed->l3 + sizeof(ip))
        return drop(parsed, FG_COUNTER_DROP_RUNT);
    memcpy(&ip, frame + parsed->l3, sizeof(ip));
    size_t l3_bytes = rte_be_to_cpu_16(ip.total_length);

    if (ip.version_ihl != RTE_IPV4_VHL_DEF)
        return drop(parsed, FG_COUNTER_DROP_IP_HEADER);
    if (l3_bytes < sizeof(ip) || parsed->l3 + l3_bytes > length)
        return drop(parsed, FG_COUNTER_DROP_RUNT);
    if (rte_raw_cksum(&ip, sizeof(ip)) != 0xffff)
        return drop(parsed, FG_COUNTER_DROP_IP_HEADER);
    if (ip.dst_addr != rte_cpu_to_be_32(us->address))
        return drop(parsed, FG_COUNTER_DROP_NOT_FOR_US);
    if (ip.fragment_offset & RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK))
        return drop(parsed, FG_COUNTER_DROP_FRAGMENT);
    uint32_t source = rte_be_to_cpu_32(ip.src_addr);
    parsed->source = fg_ip_of_v4(source);
    if (source_unfit(us, source))
        return drop(parsed, FG_COUNTER_DROP_SOURCE);
    if (ip.next_proto_id == IPPROTO_UDP)
        return parse_udp(frame, l3_bytes, us, checksum, parsed);
    if (ip.next_proto_id == IPPROTO_ICMP)
        return parse_echo(frame, l3_bytes, parsed);
    drop(parsed, FG_COUNTER_DROP_NOT_UDP);
}

void fg_frame_parse(const uint8_t *frame, size_t length, const struct fg_frame_address *address,
                    enum fg_checksum checksum, struct fg_parsed *parsed)
{
    const struct rte_ether_hdr *ethernet = (const void *)frame;

    if (length < sizeof(*ethernet) + sizeof(struct rte_vlan_hdr))
        return drop(parsed, FG_COUNTER_DROP_RUNT);
    rte_be16_t type = ethernet->ether_type;
    parsed->l3 = sizeof(*ethernet);
    if (type == RTE_BE16(RTE_ETHER_TYPE_VLAN)) {
        memcpy(&type, frame + sizeof(*ethernet) + offsetof(struct rte_vlan_hdr, eth_proto),
               sizeof(type));
        parsed->l3 += sizeof(struct rte_vlan_hdr);
    }
    bool ours = rte_is_same_ether_addr(&ethernet->dst_addr, &address->mac);

    if (!ours &&
        !(type == RTE_BE16(RTE_ETHER_TYPE_ARP) && rte_is_broadcast_ether_addr(&ethernet->dst_addr)))
        return drop(parsed, FG_COUNTER_DROP_NOT_FOR_US);
    if (!rte_is_valid_assigned_ether_addr(&ethernet->src_addr))
        return drop(parsed, FG_COUNTER_DROP_SOURCE);
    if (type == RTE_BE16(RTE_ETHER_TYPE_IPV4))
        return parse_ipv4(frame, length, address, checksum, parsed);
    if (type == RTE_BE16(RTE_ETHER_TYPE_ARP))
        return parse_arp(frame, length, address, parsed);
    drop(parsed, FG_COUNTER_DROP_NOT_IP);
}
