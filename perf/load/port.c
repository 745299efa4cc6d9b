/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/port.h"

#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "perf/load/stateless.h"

uint64_t load_port_now_ns(struct load_link *link)
{
    const struct load_port *port = (const struct load_port *)link;

    return (uint64_t)(((unsigned __int128)(rte_rdtsc() - port->tsc_origin) * port->ns_per_tsc_32) >>
                      32);
}

/* Fetches a line to write it: nobody else keeps a copy. GCC does so only where it may count on the
 * instruction, and else only fetches, so that the write waits after all. Every x86 of 64 bits has
 * it, if only as one that does nothing. */
static inline void fetch_to_write(uint8_t *at)
{
#ifdef __x86_64__
    __asm__ volatile("prefetchw %0" : "+m"(*at));
#else
    rte_prefetch0(at);
#endif
}

/* Empty frames come in bulk, and early enough that the other core's copies of their lines are gone
 * when they are written. */
unsigned load_port_stock(struct load_port *port)
{
    struct load_bin *spare = &port->spare;
    struct rte_mbuf **fresh = spare->frames + spare->count;
    unsigned wanted = LOAD_BIN - spare->count;

    if (wanted == 0 || rte_pktmbuf_alloc_bulk(port->pool_out, fresh, wanted) < 0)
        return spare->count;
    spare->count = LOAD_BIN;
    for (unsigned i = 0; i < wanted; i++) {
        uint8_t *at = rte_pktmbuf_mtod(fresh[i], uint8_t *);
        fetch_to_write(at);
        fetch_to_write(at + RTE_CACHE_LINE_SIZE);
    }
    return LOAD_BIN;
}

/* A place for a frame on a queue, or NULL. */
static uint8_t *next_frame(struct load_port *port, uint16_t queue, struct rte_mbuf **frame)
{
    if (port->bins[queue].count == LOAD_BIN)
        load_port_flush(port);
    if (port->bins[queue].count == LOAD_BIN ||
        (port->spare.count == 0 && load_port_stock(port) == 0))
        return NULL;
    *frame = port->spare.frames[--port->spare.count];
    return rte_pktmbuf_mtod(*frame, uint8_t *);
}

/* Whose a frame is: the honest client's, a hostile kind + 1, or the network's own. */
enum { OWNER_CLIENT = 0, OWNER_NETWORK = LOAD_HOSTILE_COUNT + 1 };

static void add_frame(struct load_port *port, uint16_t queue, struct rte_mbuf *frame, size_t length,
                      uint32_t owner)
{
    struct load_bin *bin = &port->bins[queue];

    frame->hash.usr = owner;
    frame->data_len = (uint16_t)length;
    frame->pkt_len = (uint32_t)length;
    bin->frames[bin->count++] = frame;
}

uint16_t load_port_queue(const struct load_port *port, uint32_t partition)
{
    uint32_t workers = port->client->workers;

    return (uint16_t)(workers > 1 ? partition % workers % port->queues : 0);
}

void load_port_add(struct load_port *port, uint16_t queue, struct rte_mbuf *frame, size_t length)
{
    add_frame(port, queue, frame, length, OWNER_CLIENT);
}

bool load_port_is_full(const struct load_port *port)
{
    for (uint16_t queue = 0; queue < port->queues; queue++)
        if (port->bins[queue].count > 0)
            return true;
    return false;
}

/* On a shared-memory wire the queue is what steers, elsewhere the UDP port may. What is sent while
 * the wire is unplugged is lost, as it would be on a cable without an engine at its end. */
bool load_port_send(struct load_link *link, uint32_t partition, const void *payload, size_t length)
{
    struct load_port *port = (struct load_port *)link;
    uint16_t queue = load_port_queue(port, partition);
    struct rte_mbuf *frame;
    uint8_t *at;

    if (port->unplugged) {
        port->lost++;
        return true;
    }
    at = next_frame(port, queue, &frame);
    if (!at)
        return false;
    add_frame(port, queue, frame,
              load_wire_datagram(&port->wire, at, (uint16_t)(port->target_base_port + partition),
                                 payload, length),
              OWNER_CLIENT);
    if (port->hostile)
        load_hostile_overhear(port->hostile, partition, payload, length);
    return true;
}

void load_port_send_hostile(struct load_hostile_link *link, uint32_t partition,
                            const uint8_t *bytes, size_t length, enum load_hostile_kind kind)
{
    struct load_port *port =
        (struct load_port *)((char *)link - offsetof(struct load_port, hostile_link));
    uint16_t queue = load_port_queue(port, partition);
    struct rte_mbuf *frame;
    uint8_t *at = port->unplugged ? NULL : next_frame(port, queue, &frame);

    if (!at) {
        port->hostile->lost[kind]++;
        return;
    }
    memcpy(at, bytes, length);
    add_frame(port, queue, frame, length, kind + 1u);
}

void load_port_ask_target(struct load_port *port)
{
    struct rte_mbuf *frame;
    uint8_t *at = port->unplugged ? NULL : next_frame(port, 0, &frame);

    if (at)
        add_frame(port, 0, frame, load_wire_arp_question(&port->wire, at), OWNER_NETWORK);
}

static void answer_arp(struct load_port *port, const uint8_t *question, size_t length)
{
    struct rte_mbuf *frame;
    uint8_t *at = next_frame(port, 0, &frame);

    if (!at)
        return;
    memcpy(at, question,
           length < LOAD_WIRE_QUESTION_BYTES_MAX ? length : LOAD_WIRE_QUESTION_BYTES_MAX);
    add_frame(port, 0, frame, load_wire_arp_answer(&port->wire, at), OWNER_NETWORK);
}

/* Of the bin's frames those from `taken` on found no room. */
static void lose(struct load_hostile *hostile, struct load_bin *bin, uint16_t taken)
{
    for (uint16_t i = taken; i < bin->count; i++) {
        uint32_t owner = bin->frames[i]->hash.usr;
        if (owner == OWNER_CLIENT)
            hostile->honest_lost++;
        else if (owner != OWNER_NETWORK)
            hostile->lost[owner - 1]++;
    }
    rte_pktmbuf_free_bulk(bin->frames + taken, (unsigned)(bin->count - taken));
    bin->count = taken;
}

void load_port_flush(struct load_port *port)
{
    if (port->unplugged)
        return;
    for (uint16_t queue = 0; queue < port->queues; queue++) {
        struct load_bin *bin = &port->bins[queue];
        if (bin->count == 0)
            continue;
        uint16_t taken = rte_eth_tx_burst(port->id, queue, bin->frames, bin->count);
        port->bursts++;
        port->full_bursts += taken < bin->count;
        if (port->hostile)
            lose(port->hostile, bin, taken);
        bin->count -= taken;
        memmove(bin->frames, bin->frames + taken, bin->count * sizeof(bin->frames[0]));
    }
}

void load_port_take(struct load_port *port, const struct rte_mbuf *frame, uint64_t arrived_ns)
{
    const uint8_t *at = rte_pktmbuf_mtod(frame, const uint8_t *), *payload;
    size_t length;
    enum load_drop drop;

    switch (load_wire_parse(&port->wire, at, frame->data_len, &payload, &length, &drop)) {
    case LOAD_FRAME_PAYLOAD:
        if (!port->stateless || !load_stateless_hear(port->stateless, arrived_ns, payload, length))
            load_client_receive(port->client, arrived_ns, payload, length);
        break;
    case LOAD_FRAME_ARP_ASKS:
        answer_arp(port, at, frame->data_len);
        break;
    case LOAD_FRAME_DROPPED:
        port->client->stats.drops[drop]++;
        if (drop == LOAD_DROP_NOT_FOR_US && port->hostile)
            load_hostile_hear(port->hostile, at, frame->data_len);
        break;
    case LOAD_FRAME_IGNORED: /* perhaps an answer with a VLAN tag */
        if (port->hostile)
            load_hostile_hear(port->hostile, at, frame->data_len);
        break;
    case LOAD_FRAME_ARP_TOLD:
        break;
    }
}

unsigned load_port_receive(struct load_port *port)
{
    struct rte_mbuf *frames[FG_BURST];
    unsigned taken = 0;

    if (port->unplugged)
        return 0;
    for (uint16_t queue = 0; queue < port->queues; queue++) {
        uint16_t count = rte_eth_rx_burst(port->id, queue, frames, FG_BURST);
        if (count == 0)
            continue;
        uint64_t arrived_ns = load_port_now_ns(&port->link);
        for (uint16_t i = 0; i < count; i++)
            load_port_prefetch(rte_pktmbuf_mtod(frames[i], const uint8_t *));
        for (uint16_t i = 0; i < count; i++)
            load_port_take(port, frames[i], arrived_ns);
        rte_pktmbuf_free_bulk(frames, count);
        taken += count;
    }
    return taken;
}
