/* SPDX-License-Identifier: BSD-3-Clause */
/* UDP, over IPv4 and IPv6: a datagram fills its packet. */
#include "dataplane/net/parse.h"

#define SOURCE_PORT_MIN 1024 /* below are services that would answer an answer */

void parse_udp(const struct parse *parse, const struct parse_part *part, const uint8_t *addresses,
               size_t bytes, struct fg_parsed *parsed)
{
    const struct fg_frame_address *us = parse->us;
    bool ipv6 = bytes > 2 * sizeof(uint32_t);
    enum fg_checksum checksum = parse->checksum;
    struct rte_udp_hdr udp;

    if (part->length < sizeof(udp))
        return parse_drop(parsed, FG_COUNTER_DROP_RUNT);
    memcpy(&udp, part->at, sizeof(udp));
    uint32_t port = rte_be_to_cpu_16(udp.dst_port);
    if (rte_be_to_cpu_16(udp.dgram_len) != part->length)
        return parse_drop(parsed, FG_COUNTER_DROP_UDP_LENGTH);
    if (rte_be_to_cpu_16(udp.src_port) < SOURCE_PORT_MIN)
        return parse_drop(parsed, FG_COUNTER_DROP_SOURCE_PORT);
    if (port < us->first_port || port > us->last_port)
        return parse_drop(parsed, FG_COUNTER_DROP_PORT);
    if (udp.dgram_cksum == 0 && ipv6)
        return parse_drop(parsed, FG_COUNTER_DROP_NO_CHECKSUM);
    if (udp.dgram_cksum == 0)
        checksum = FG_CHECKSUM_RIGHT; /* over IPv4 it says that there is none */
    if (checksum == FG_CHECKSUM_WRONG || (checksum == FG_CHECKSUM_UNKNOWN &&
                                          parse_sum(addresses, bytes, IPPROTO_UDP, part) != 0xffff))
        return parse_drop(parsed, FG_COUNTER_DROP_UDP_CHECKSUM);
    parsed->payload = (uint8_t)fg_frame_payload(parsed->l3, ipv6);
    parsed->length = (uint16_t)(part->length - sizeof(udp));
    parsed->kind = FG_FRAME_REQUEST;
}
