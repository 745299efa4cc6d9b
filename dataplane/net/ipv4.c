/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 packets: without options, whole, and to our address. A time to live of zero is no reason to
 * drop what has arrived (RFC 1122 3.2.1.7). */
#include "dataplane/net/checksum.h"
#include "dataplane/net/parse.h"

bool parse_source4(const struct fg_frame_address *us, uint32_t source, struct fg_parsed *parsed)
{
    uint32_t host = source & ~us->mask;
    bool local = (source & us->mask) == (us->address & us->mask);

    if (source == us->address) {
        parse_drop(parsed, FG_COUNTER_DROP_SOURCE_OWN);
        return false;
    }
    /* In a subnet of two addresses or one, no address is a broadcast. */
    if (source >> 28 == 14 || source == UINT32_MAX ||
        (local && ~us->mask > 1 && (host == 0 || host == ~us->mask))) {
        parse_drop(parsed, FG_COUNTER_DROP_SOURCE_GROUP);
        return false;
    }
    if (source >> 24 == 0 || source >> 24 == 127 || source >> 28 == 15) {
        parse_drop(parsed, FG_COUNTER_DROP_SOURCE);
        return false;
    }
    return true;
}

static void parse_echo(const struct parse_part *part, struct fg_parsed *parsed)
{
    if (part->length < sizeof(struct rte_icmp_hdr))
        return parse_drop(parsed, FG_COUNTER_DROP_RUNT);
    if (part->at[0] != RTE_IP_ICMP_ECHO_REQUEST || part->at[1] != 0 ||
        part->length > PARSE_ECHO_MAX - sizeof(struct rte_ipv4_hdr))
        return parse_drop(parsed, FG_COUNTER_DROP_ICMP);
    if (rte_raw_cksum(part->at, part->length) != 0xffff)
        return parse_drop(parsed, FG_COUNTER_DROP_ICMP_CHECKSUM);
    parsed->kind = FG_FRAME_ECHO;
}

/* Is the header of the plain form, and the packet all there? Else it is dropped. */
static bool header_right(const struct rte_ipv4_hdr *ip, size_t bytes, struct fg_parsed *parsed)
{
    size_t packet = rte_be_to_cpu_16(ip->total_length);
    bool right = false;

    if (ip->version_ihl >> 4 != IPVERSION || ip->version_ihl < RTE_IPV4_VHL_DEF ||
        packet < sizeof(*ip))
        parse_drop(parsed, FG_COUNTER_DROP_IP_HEADER);
    else if (ip->version_ihl != RTE_IPV4_VHL_DEF)
        parse_drop(parsed, FG_COUNTER_DROP_IP_OPTIONS);
    else if (packet > bytes)
        parse_drop(parsed, FG_COUNTER_DROP_CUT);
    else if (fg_checksum_fold(fg_checksum_add(ip, sizeof(*ip), 0)) != 0xffff)
        parse_drop(parsed, FG_COUNTER_DROP_IP_CHECKSUM);
    else
        right = true;
    return right;
}

void parse_ipv4(const struct parse *parse, struct fg_parsed *parsed)
{
    const uint8_t *at = parse->frame + parsed->l3;
    size_t bytes = parse->length - parsed->l3;
    const struct fg_frame_address *us = parse->us;
    struct rte_ipv4_hdr ip;

    if (bytes < sizeof(ip))
        return parse_drop(parsed, FG_COUNTER_DROP_RUNT);
    memcpy(&ip, at, sizeof(ip));
    if (!header_right(&ip, bytes, parsed))
        return;
    if (us->address == 0 || ip.dst_addr != rte_cpu_to_be_32(us->address))
        return parse_drop(parsed, FG_COUNTER_DROP_NOT_FOR_US);
    if (ip.fragment_offset & RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK))
        return parse_drop(parsed, FG_COUNTER_DROP_FRAGMENT);
    uint32_t source = rte_be_to_cpu_32(ip.src_addr);
    parsed->source = fg_ip_of_v4(source);
    if (!parse_source4(us, source, parsed))
        return;
    struct parse_part part = {at + sizeof(ip), rte_be_to_cpu_16(ip.total_length) - sizeof(ip)};
    if (ip.next_proto_id == IPPROTO_UDP)
        return parse_udp(parse, &part, at + offsetof(struct rte_ipv4_hdr, src_addr),
                         2 * sizeof(uint32_t), parsed);
    if (ip.next_proto_id == IPPROTO_ICMP)
        return parse_echo(&part, parsed);
    parse_drop(parsed, FG_COUNTER_DROP_NOT_UDP);
}
