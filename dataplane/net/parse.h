/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of the parser give each other, from the outside in:
 *
 *   frame.c       Ethernet, VLAN tag, ARP
 *   ipv4.c        IPv4, ICMP echo
 *   ipv6.c        IPv6, ICMPv6 echo
 *   neighbour.c   neighbour solicitation
 *   udp.c         UDP over either
 *
 * The first thing wrong drops a frame under its own name.
 */
#ifndef FG_NET_PARSE_H
#define FG_NET_PARSE_H

#include "dataplane/net/checksum.h"
#include "dataplane/net/frame.h"

#define PARSE_ECHO_MAX 1500 /* IP bytes of an echo that is answered: one usual MTU */

/* A frame under way; parsed->l3 is where the IP or ARP header begins. */
struct parse {
    const uint8_t *frame;
    size_t length;
    const struct fg_frame_address *us;
    enum fg_checksum checksum;
    bool group; /* its MAC is that of everybody, or of the group that our solicitations go to */
};

/* What an IP header says lies behind it, all of it there. */
struct parse_part {
    const uint8_t *at;
    size_t length;
};

static inline void parse_drop(struct fg_parsed *parsed, enum fg_counter why)
{
    parsed->kind = FG_FRAME_DROPPED;
    parsed->dropped = (uint8_t)why;
}

/* The ones' complement sum over a pseudo header with these addresses and a part of `protocol`:
 * 0xffff if its checksum is right. The length has 32 bits over IPv6, but none here is so long. */
static inline uint16_t parse_sum(const uint8_t *addresses, size_t bytes, uint8_t protocol,
                                 const struct parse_part *part)
{
    uint64_t sum = fg_checksum_add(addresses, bytes, rte_cpu_to_be_16(protocol));

    sum += rte_cpu_to_be_16((uint16_t)part->length);
    return fg_checksum_fold(fg_checksum_add(part->at, part->length, sum));
}

/* Can an answer go to this address? If not, the frame is dropped. */
bool parse_source4(const struct fg_frame_address *us, uint32_t source, struct fg_parsed *parsed);
bool parse_source6(const struct fg_frame_address *us, struct fg_ip source,
                   struct fg_parsed *parsed);

void parse_ipv4(const struct parse *parse, struct fg_parsed *parsed);
void parse_ipv6(const struct parse *parse, struct fg_parsed *parsed);

/* The solicitation in `part`, whose checksum is right, of the IPv6 packet at parsed->l3. */
void parse_neighbour(const struct parse *parse, const struct parse_part *part,
                     struct fg_parsed *parsed);

/* `addresses`: both of the packet, of `bytes`. */
void parse_udp(const struct parse *parse, const struct parse_part *part, const uint8_t *addresses,
               size_t bytes, struct fg_parsed *parsed);

#endif
