/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IPv6 packets: no extension header is read through, for whoever may write one may write a chain of
 * them. What is not to our own address can only be a solicitation of it. A hop limit of zero is no
 * reason to drop what has arrived (RFC 8200 3).
 */
#include "dataplane/net/parse.h"

#define ICMP6_ECHO_REQUEST          128
#define ICMP6_NEIGHBOR_SOLICITATION 135
#define ICMP6_HEADER                4 /* type, code, checksum */
#define ICMP6_ECHO_HEADER           8

bool parse_source6(const struct fg_frame_address *us, struct fg_ip source, struct fg_parsed *parsed)
{
    if (fg_ip_same(source, us->address6)) {
        parse_drop(parsed, FG_COUNTER_DROP_SOURCE_OWN);
        return false;
    }
    if (source.high >> 56 == 0xff) {
        parse_drop(parsed, FG_COUNTER_DROP_SOURCE_GROUP);
        return false;
    }
    /* ::/96 has the unspecified and the loopback address in it. */
    if (source.high == 0 && (source.low >> 32 == 0 || source.low >> 32 == 0xffff)) {
        parse_drop(parsed, FG_COUNTER_DROP_SOURCE);
        return false;
    }
    return true;
}

/* ff02::1:ffXX:XXXX, of the last 24 bits of ours (RFC 4291 2.7.1). */
static bool solicited_group(struct fg_ip to, struct fg_ip us)
{
    return to.high == UINT64_C(0xff02) << 48 &&
           to.low == (UINT64_C(0x1ff000000) | (us.low & 0xffffff));
}

static enum fg_counter other_header(uint8_t next)
{
    switch (next) {
    case IPPROTO_FRAGMENT:
        return FG_COUNTER_DROP_FRAGMENT;
    case IPPROTO_HOPOPTS:
    case IPPROTO_ROUTING:
    case IPPROTO_DSTOPTS:
    case IPPROTO_ESP:
    case IPPROTO_AH:
    case 135: /* mobility, RFC 6275 */
    case 139: /* host identity, RFC 7401 */
    case 140: /* shim6, RFC 5533 */
        return FG_COUNTER_DROP_IP_EXTENSION;
    default:
        return FG_COUNTER_DROP_NOT_UDP;
    }
}

static void parse_icmp6(const struct parse *parse, const struct parse_part *part, bool to_group,
                        struct fg_parsed *parsed)
{
    const uint8_t *ip = parse->frame + parsed->l3;

    if (part->length < ICMP6_HEADER)
        return parse_drop(parsed, FG_COUNTER_DROP_RUNT);
    bool solicits = part->at[0] == ICMP6_NEIGHBOR_SOLICITATION;
    if (to_group && !solicits)
        return parse_drop(parsed, FG_COUNTER_DROP_GROUP);
    if (!solicits && (part->at[0] != ICMP6_ECHO_REQUEST || part->at[1] != 0 ||
                      part->length > PARSE_ECHO_MAX - sizeof(struct rte_ipv6_hdr)))
        return parse_drop(parsed, FG_COUNTER_DROP_ICMP);
    if (!solicits && part->length < ICMP6_ECHO_HEADER)
        return parse_drop(parsed, FG_COUNTER_DROP_RUNT);
    if (parse_sum(ip + offsetof(struct rte_ipv6_hdr, src_addr), 32, IPPROTO_ICMPV6, part) != 0xffff)
        return parse_drop(parsed, FG_COUNTER_DROP_ICMP_CHECKSUM);
    if (solicits)
        return parse_neighbour(parse, part, parsed);
    if (parse_source6(parse->us, parsed->source, parsed))
        parsed->kind = FG_FRAME_ECHO;
}

void parse_ipv6(const struct parse *parse, struct fg_parsed *parsed)
{
    const uint8_t *at = parse->frame + parsed->l3;
    size_t bytes = parse->length - parsed->l3;
    struct fg_ip us = parse->us->address6;
    struct rte_ipv6_hdr ip;

    if (bytes < sizeof(ip))
        return parse_drop(parsed, FG_COUNTER_DROP_RUNT);
    memcpy(&ip, at, sizeof(ip));
    struct parse_part part = {at + sizeof(ip), rte_be_to_cpu_16(ip.payload_len)};
    if (at[0] >> 4 != 6)
        return parse_drop(parsed, FG_COUNTER_DROP_IP_HEADER);
    if (part.length > bytes - sizeof(ip))
        return parse_drop(parsed, FG_COUNTER_DROP_CUT);
    struct fg_ip to = fg_ip_of_v6(ip.dst_addr);
    bool to_group = parse->group || !fg_ip_same(to, us);
    if (fg_ip_is_zero(us) || (!fg_ip_same(to, us) && !solicited_group(to, us)))
        return parse_drop(parsed, FG_COUNTER_DROP_NOT_FOR_US);
    parsed->source = fg_ip_of_v6(ip.src_addr);
    if (ip.proto == IPPROTO_ICMPV6)
        return parse_icmp6(parse, &part, to_group, parsed);
    if (to_group)
        return parse_drop(parsed, FG_COUNTER_DROP_GROUP);
    if (ip.proto != IPPROTO_UDP)
        return parse_drop(parsed, other_header(ip.proto));
    if (!parse_source6(parse->us, parsed->source, parsed))
        return;
    parse_udp(parse, &part, at + offsetof(struct rte_ipv6_hdr, src_addr), sizeof(ip.src_addr) * 2,
              parsed);
}
