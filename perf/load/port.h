/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The generator's DPDK port: the link under the client, ARP, and the clock.
 *
 * Frames to send gather in one bin for each TX queue and leave in bursts. What the port does not
 * take stays in the bin and a full bin refuses more, so that a slow engine shows as lateness and
 * not as loss. With hostile traffic that would tell nothing, for its sender does not wait: then
 * what the port does not take is lost, whosever it is, as where a NIC's ring is full.
 */
#ifndef LOAD_PORT_H
#define LOAD_PORT_H

#include <rte_prefetch.h>

#include "flashgate/limits.h"
#include "perf/load/client.h"
#include "perf/load/hostile.h"
#include "perf/load/options.h"
#include "perf/load/wire.h"

struct load_stateless;
struct rte_mbuf;
struct rte_mempool;

#define LOAD_BIN FG_BURST

struct load_bin {
    struct rte_mbuf *frames[LOAD_BIN];
    uint16_t count;
};

struct load_port {
    struct load_link link; /* first: the client hands it back to us */
    struct load_wire wire;
    struct load_client *client;
    struct load_hostile *hostile; /* NULL: none; set after load_port_open */
    struct load_hostile_link hostile_link;
    const char *device; /* the caller's string */
    uint16_t id;
    uint16_t queues;
    bool shared_memory; /* our TX queue is the engine's RX queue, and the other way round */
    bool eal_runs, started;
    bool unplugged; /* the engine went away, its wire with it */
    uint64_t lost;  /* datagrams sent while it was unplugged */
    uint32_t target_base_port;
    struct rte_mempool *pool, *pool_out; /* of frames that come in, and of those to send */
    uint64_t tsc_origin, ns_per_tsc_32;
    struct load_bin bins[FG_WORKERS_MAX];
    struct load_bin spare;        /* empty frames, on their way into the cache */
    uint64_t bursts, full_bursts; /* handed to the port; of those it did not take whole */
    struct load_stateless
        *stateless; /* NULL: answers are the client's; else set by play_stateless.c */
};

/* Starts EAL and the port. 0; or an exit status with a sentence in `message`. load_port_close in
 * any case. */
int load_port_open(struct load_port *port, const struct load_options *options,
                   struct load_client *client, char *message, size_t size);
void load_port_close(struct load_port *port);

/* Takes what came in to the client, on all queues; how many frames. */
unsigned load_port_receive(struct load_port *port);

/* The queue on which datagrams of that partition leave. */
uint16_t load_port_queue(const struct load_port *port, uint32_t partition);

/* Fills port->spare with empty frames, whose first lines come into the cache meanwhile: call it
 * well before they are written. How many there are. */
unsigned load_port_stock(struct load_port *port);

/* Puts a written frame, which came from port->spare, into the bin of a queue, which has room. */
void load_port_add(struct load_port *port, uint16_t queue, struct rte_mbuf *frame, size_t length);

/* One frame that came in, whatever it is; it stays the caller's. */
void load_port_take(struct load_port *port, const struct rte_mbuf *frame, uint64_t arrived_ns);

/* Does a bin hold what the port would not take? */
bool load_port_is_full(const struct load_port *port);

/* Gives what waits in the bins to the port. */
void load_port_flush(struct load_port *port);

/* Asks for the target's MAC. */
void load_port_ask_target(struct load_port *port);

/* Looks whether the engine has gone or come back, and makes a vhost wire anew (which may take a
 * second). To be called a few times a second. */
void load_port_watch(struct load_port *port);

/* Fetches a frame into the cache: a reply to one request lies in two lines. */
static inline void load_port_prefetch(const uint8_t *frame)
{
    rte_prefetch0(frame);
    rte_prefetch0(frame + RTE_CACHE_LINE_SIZE);
}

/* The link's functions. */
bool load_port_send(struct load_link *link, uint32_t partition, const void *payload, size_t length);
uint64_t load_port_now_ns(struct load_link *link);

/* The hostile link's. */
void load_port_send_hostile(struct load_hostile_link *link, uint32_t partition,
                            const uint8_t *bytes, size_t length, enum load_hostile_kind kind);

#endif
