/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stateless generator on a port. On IPv4 the headers are written once: all payloads have one
 * length, so only the UDP port changes, and the UDP checksum is left out (zero), as the protocol
 * allows. Replies that are not measured are looked at no further than what they are.
 *
 * What costs most is to wait for lines that the other core had last. So a burst of replies is asked
 * for and comes into the cache while the next datagrams are written, which is done in this core's
 * own memory; then they are copied into frames whose lines have been asked for one turn before.
 */
#ifndef LOAD_STATELESS_PORT_H
#define LOAD_STATELESS_PORT_H

#include "perf/load/port.h"
#include "perf/load/stateless.h"

#define LOAD_STATELESS_BURST LOAD_BIN

struct load_stateless_port {
    struct load_port *port;
    struct load_stateless *load;
    uint8_t headers[LOAD_WIRE_HEADERS_BYTES];
    struct load_place places[LOAD_STATELESS_BURST];
    /* Payloads are written here first, one behind the other. */
    uint8_t payloads[LOAD_STATELESS_BURST * FG_REQUEST_BYTES(FG_ENTRIES_MAX)];
};

/* What a turn did. */
struct load_stateless_turn {
    unsigned received, sent; /* frames; datagrams */
};

/* The wire's MAC must be known. */
void load_stateless_port_init(struct load_stateless_port *ours, struct load_port *port,
                              struct load_stateless *load);

/* Takes what came in; and, if it is `sending`, sends what is due at now_ns, a burst at most, unless
 * the wire still has no room for the last one. */
struct load_stateless_turn load_stateless_port_turn(struct load_stateless_port *ours,
                                                    uint64_t now_ns, bool sending);

#endif
