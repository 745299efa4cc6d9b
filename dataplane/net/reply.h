/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Turns a request's frame round, in place: the answer goes back the way the question came, tag
 * included, and is never longer than it, but for one that stays on the link (see
 * fg_reply_neighbour). Pure functions over bytes that fg_frame_parse accepted.
 */
#ifndef FG_NET_REPLY_H
#define FG_NET_REPLY_H

#include "dataplane/net/frame.h"

/* A finished reply payload of `payload` bytes stands in place of the request's; writes the headers
 * around it. `l3` is the parsed frame's. Returns the bytes of the frame. */
uint32_t fg_reply_udp(uint8_t *frame, unsigned l3, uint32_t payload);

/* Answers who-has with the port's MAC. The frame keeps its length. */
void fg_reply_arp(uint8_t *frame, unsigned l3, const struct fg_frame_address *address);

/* The most bytes of an answer to a neighbour solicitation: the frame's buffer needs so many. */
static inline unsigned fg_reply_neighbour_bytes(unsigned l3)
{
    return l3 + (unsigned)sizeof(struct rte_ipv6_hdr) + 32;
}

/*
 * Answers a neighbour solicitation with the port's MAC (RFC 4861 7.2.4): to whoever asks, or to
 * all nodes of the link when it is one that has no address yet and wants ours. Returns the bytes
 * of the frame, which may be 8 more than the question's: the MAC's option must be in the answer to
 * a question to the group, and one without an address may not tell its own. Such a question cannot
 * come from beyond the link.
 */
uint32_t fg_reply_neighbour(uint8_t *frame, unsigned l3, const struct fg_frame_address *address);

/* Answers an echo request. The frame keeps its length. */
void fg_reply_echo(uint8_t *frame, unsigned l3);

#endif
