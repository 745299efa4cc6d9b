/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Turns a request's frame round, in place: the answer goes back the way the question came, tag
 * included, and is never longer than it. Pure functions over bytes that fg_frame_parse accepted.
 */
#ifndef FG_NET_REPLY_H
#define FG_NET_REPLY_H

#include "dataplane/net/frame.h"

/* A finished reply payload of `payload` bytes stands in place of the request's; writes the headers
 * around it. `l3` is the parsed frame's. Returns the bytes of the frame. */
uint32_t fg_reply_udp(uint8_t *frame, unsigned l3, uint32_t payload);

/* Answers who-has with the port's MAC. The frame keeps its length. */
void fg_reply_arp(uint8_t *frame, unsigned l3, const struct fg_frame_address *address);

/* Answers an echo request. The frame keeps its length. */
void fg_reply_echo(uint8_t *frame, unsigned l3);

#endif
