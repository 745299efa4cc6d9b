/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a frame is: Ethernet (with at most one 802.1Q tag), ARP, IPv4 and IPv6, neighbour
 * solicitation, ICMP echo, UDP. Pure functions over bytes; nothing is read beyond the length told.
 * Every way to be refused has the name of its counter.
 */
#ifndef FG_NET_FRAME_H
#define FG_NET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_arp.h>
#include <rte_ether.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "dataplane/counters.h"
#include "dataplane/ip.h"

/* Bytes from the IP header to a datagram's payload: neither options nor extension headers are
 * taken. */
#define FG_UDP_HEADERS  (sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr))
#define FG_UDP6_HEADERS (sizeof(struct rte_ipv6_hdr) + sizeof(struct rte_udp_hdr))

/* Who the engine is on a port. */
struct fg_frame_address {
    struct rte_ether_addr mac;
    uint32_t address;      /* IPv4, host order; 0: none */
    uint32_t mask;         /* of its subnet, host order */
    struct fg_ip address6; /* zero: none */
    uint32_t first_port;   /* UDP ports first_port .. last_port are the engine's */
    uint32_t last_port;
};

/* What is already known of a frame's UDP checksum. */
enum fg_checksum {
    FG_CHECKSUM_UNKNOWN, /* to be computed */
    FG_CHECKSUM_RIGHT,   /* the port says so */
    FG_CHECKSUM_WRONG,
};

enum fg_frame_kind {
    FG_FRAME_DROPPED,   /* `dropped` says why */
    FG_FRAME_REQUEST,   /* UDP to one of the engine's ports */
    FG_FRAME_ARP,       /* who has the engine's IPv4 address */
    FG_FRAME_NEIGHBOUR, /* the same of its IPv6 address: a neighbour solicitation */
    FG_FRAME_ECHO,      /* ICMP echo request to the engine, of IPv4 or IPv6 */
};

struct fg_parsed {
    uint8_t kind;        /* enum fg_frame_kind */
    uint8_t dropped;     /* enum fg_counter */
    uint8_t l3;          /* offset of the IP or ARP header */
    uint8_t payload;     /* REQUEST: offset of the UDP payload */
    uint16_t length;     /* REQUEST: bytes of the UDP payload */
    struct fg_ip source; /* REQUEST, ECHO */
};
static_assert(FG_COUNTER_COUNT <= UINT8_MAX, "a counter fits fg_parsed.dropped");

/* The offset of a request's payload. */
static inline unsigned fg_frame_payload(unsigned l3, bool ipv6)
{
    return l3 + (unsigned)(ipv6 ? FG_UDP6_HEADERS : FG_UDP_HEADERS);
}

/* The group's MAC that solicitations of an IPv6 address go to (RFC 4291 2.7.1, RFC 2464 7). */
static inline struct rte_ether_addr fg_frame_solicited_mac(struct fg_ip address6)
{
    return (struct rte_ether_addr){{0x33, 0x33, 0xff, (uint8_t)(address6.low >> 16),
                                    (uint8_t)(address6.low >> 8), (uint8_t)address6.low}};
}

/* `frame` is 2-byte aligned. Any thread. */
void fg_frame_parse(const uint8_t *frame, size_t length, const struct fg_frame_address *address,
                    enum fg_checksum checksum, struct fg_parsed *parsed);

#endif
