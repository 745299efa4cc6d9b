/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A frame is looked at from the outside in; the first thing wrong drops it under its own name. All
 * that a sender can write is checked against the bytes that are really there before it is used:
 * some drivers pass on frames cut short without a word.
 */
#include "dataplane/net/parse.h"

/* Does the frame go to our MAC, or with a question to a group that has ours among its own? Else it
 * is dropped. */
static bool for_us(struct parse *parse, rte_be16_t type, struct fg_parsed *parsed)
{
    const struct fg_frame_address *us = parse->us;
    const struct rte_ether_addr *to = &((const struct rte_ether_hdr *)parse->frame)->dst_addr;

    if (rte_is_same_ether_addr(to, &us->mac))
        return true;
    if (rte_is_unicast_ether_addr(to)) {
        parse_drop(parsed, FG_COUNTER_DROP_OTHER_MAC);
        return false;
    }
    parse->group = true;
    if (type == RTE_BE16(RTE_ETHER_TYPE_ARP) && rte_is_broadcast_ether_addr(to))
        return true;
    struct rte_ether_addr solicited = fg_frame_solicited_mac(us->address6);
    if (type == RTE_BE16(RTE_ETHER_TYPE_IPV6) && !fg_ip_is_zero(us->address6) &&
        rte_is_same_ether_addr(to, &solicited))
        return true;
    parse_drop(parsed, FG_COUNTER_DROP_GROUP);
    return false;
}

/* Can a frame go back there? */
static bool station(const struct fg_frame_address *us, const struct rte_ether_addr *mac)
{
    return rte_is_valid_assigned_ether_addr(mac) && !rte_is_same_ether_addr(mac, &us->mac);
}

static void parse_arp(const struct parse *parse, struct fg_parsed *parsed)
{
    const struct fg_frame_address *us = parse->us;
    struct rte_arp_hdr arp;

    if (parse->length < parsed->l3 + sizeof(arp))
        return parse_drop(parsed, FG_COUNTER_DROP_RUNT);
    memcpy(&arp, parse->frame + parsed->l3, sizeof(arp));
    if (arp.arp_hardware != RTE_BE16(RTE_ARP_HRD_ETHER) ||
        arp.arp_protocol != RTE_BE16(RTE_ETHER_TYPE_IPV4) || arp.arp_hlen != RTE_ETHER_ADDR_LEN ||
        arp.arp_plen != sizeof(uint32_t) || arp.arp_opcode != RTE_BE16(RTE_ARP_OP_REQUEST))
        return parse_drop(parsed, FG_COUNTER_DROP_ARP);
    if (us->address == 0 || arp.arp_data.arp_tip != rte_cpu_to_be_32(us->address))
        return parse_drop(parsed, FG_COUNTER_DROP_NOT_FOR_US);
    if (!station(us, &arp.arp_data.arp_sha))
        return parse_drop(parsed, FG_COUNTER_DROP_SOURCE_MAC);
    uint32_t source = rte_be_to_cpu_32(arp.arp_data.arp_sip);
    /* Address zero is a probe: whoever sends it is about to take the engine's address. */
    if (source != 0 && !parse_source4(us, source, parsed))
        return;
    parsed->kind = FG_FRAME_ARP;
}

/* 802.1ad, and what was in use before it. */
static bool another_tag(rte_be16_t type)
{
    return type == RTE_BE16(RTE_ETHER_TYPE_VLAN) || type == RTE_BE16(RTE_ETHER_TYPE_QINQ) ||
           type == RTE_BE16(RTE_ETHER_TYPE_QINQ1);
}

void fg_frame_parse(const uint8_t *frame, size_t length, const struct fg_frame_address *address,
                    enum fg_checksum checksum, struct fg_parsed *parsed)
{
    struct parse parse = {.frame = frame, .length = length, .us = address, .checksum = checksum};
    const struct rte_ether_hdr *ethernet = (const void *)frame;

    if (length < sizeof(*ethernet) + sizeof(struct rte_vlan_hdr))
        return parse_drop(parsed, FG_COUNTER_DROP_RUNT);
    rte_be16_t type = ethernet->ether_type;
    parsed->l3 = sizeof(*ethernet);
    if (type == RTE_BE16(RTE_ETHER_TYPE_VLAN)) {
        memcpy(&type, frame + sizeof(*ethernet) + offsetof(struct rte_vlan_hdr, eth_proto),
               sizeof(type));
        parsed->l3 += sizeof(struct rte_vlan_hdr);
    }
    if (!for_us(&parse, type, parsed))
        return;
    if (!station(address, &ethernet->src_addr))
        return parse_drop(parsed, FG_COUNTER_DROP_SOURCE_MAC);
    if (type == RTE_BE16(RTE_ETHER_TYPE_IPV4))
        return parse_ipv4(&parse, parsed);
    if (type == RTE_BE16(RTE_ETHER_TYPE_IPV6))
        return parse_ipv6(&parse, parsed);
    if (type == RTE_BE16(RTE_ETHER_TYPE_ARP))
        return parse_arp(&parse, parsed);
    parse_drop(parsed, another_tag(type) ? FG_COUNTER_DROP_VLAN : FG_COUNTER_DROP_NOT_IP);
}
