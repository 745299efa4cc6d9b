/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stateless generator on a port. On IPv4 the headers are written once: all payloads have one
 * length, so only the UDP port changes, and the UDP checksum is left out (zero), as the protocol
 * allows. Replies that are not measured are looked at no further than what they are.
 */
#ifndef LOAD_STATELESS_PORT_H
#define LOAD_STATELESS_PORT_H

#include "perf/load/port.h"
#include "perf/load/stateless.h"

#define LOAD_STATELESS_BURST 32

struct load_stateless_port {
    struct load_port *port;
    struct load_stateless *load;
    uint8_t headers[LOAD_WIRE_HEADERS_BYTES];
    /* IPv6 has no datagram without a checksum: payloads are written here first. */
    uint8_t payloads[LOAD_STATELESS_BURST][FG_REQUEST_BYTES(FG_ENTRIES_MAX)];
};

/* The wire's MAC must be known. */
void load_stateless_port_init(struct load_stateless_port *ours, struct load_port *port,
                              struct load_stateless *load);

/* Sends what is due at now_ns, a burst at most, unless the wire still has no room for the last one;
 * how many datagrams. */
unsigned load_stateless_port_send(struct load_stateless_port *ours, uint64_t now_ns);

/* Takes what came in; how many frames. */
unsigned load_stateless_port_receive(struct load_stateless_port *ours);

#endif
