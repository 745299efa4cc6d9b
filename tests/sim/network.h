/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The network between the clients' gateway and the engine: loses, doubles, delays and reorders
 * datagrams, both ways. A datagram for an engine that does not serve is lost.
 */
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

#include <stdbool.h>

#include "flashgate/protocol.h"

#define NET_PACKETS     1024
#define NET_ENTRIES_MAX 4

#define SIM_KEY 7 /* the one key: may do everything */
extern const uint8_t sim_secret[FG_SECRET_BYTES];

struct world;

struct sim_packet {
    uint64_t due_ns; /* true time */
    uint32_t length;
    bool to_engine, to_zombie;
    uint8_t payload[FG_REQUEST_BYTES(NET_ENTRIES_MAX)];
};

struct sim_network {
    struct sim_packet *packets[NET_PACKETS]; /* on their way, in no order */
    unsigned count;
};

/* Puts a copy of the payload, or two or none, on its way. */
void network_send(struct world *world, bool to_engine, const uint8_t *payload, uint32_t length);

/*
 * The next datagram that has arrived, or NULL; the caller's to free. For the engine: only one of a
 * partition of worker `worker` of `workers`, or without a partition.
 */
struct sim_packet *network_take(struct world *world, bool to_engine, unsigned worker,
                                unsigned workers);
/* ... of those that still reach the engine that was left behind. */
struct sim_packet *network_take_zombie(struct world *world, unsigned worker, unsigned workers);

/* All that has come to the engine, or is on its way to the one left behind, is lost. */
void network_drop(struct world *world);
void network_drop_zombie(struct world *world);

/* When the next datagram arrives; UINT64_MAX: none is on its way. */
uint64_t network_next_ns(const struct world *world);

#endif
