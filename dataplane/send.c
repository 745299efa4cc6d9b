/* SPDX-License-Identifier: BSD-3-Clause */

#include "dataplane/loop.h"
#include "dataplane/net/reply.h"

#define SEND_TRIES    4 /* in a row: a port that takes nothing then has no room */
#define PARKED_BURSTS 4 /* of a loop, so that replies leave faster than requests come */

/* How many of the frames that a port did not take are dropped: none, as long as it may yet take
 * them, for a durable order's reply is worth waiting for; all, once it has taken nothing for long.
 */
static unsigned dropped_of(const struct loop *loop, struct outgoing *out, unsigned sent)
{
    unsigned left = out->count - sent;

    if (sent > 0 || left == 0)
        out->refused = 0;
    if (left == 0)
        return 0;
    uint64_t now = rte_rdtsc();
    if (out->refused == 0)
        out->refused = now;
    return now - out->refused >= loop->patience ? left : 0;
}

/* Sends what has gathered for a port by this worker's own queue. */
void loop_flush(struct loop *loop, unsigned port)
{
    struct outgoing *out = &loop->out[port];
    uint16_t id = loop->engine->ports[port].id;
    struct fg_capture_frame *kept[FG_BURST];
    bool captures = loop_captures(loop);
    unsigned sent = 0;

    if (captures)
        loop_captures_out(loop, out, kept);
    for (unsigned tries = 0; sent < out->count && tries < SEND_TRIES; tries++)
        sent += rte_eth_tx_burst(id, (uint16_t)loop->self->index, out->frames + sent,
                                 (uint16_t)(out->count - sent));
    unsigned dropped = dropped_of(loop, out, sent);
    if (captures)
        loop_captures_sent(loop, out, sent, dropped > 0, kept);
    if (dropped > 0) {
        fg_count_add(&loop->counters->count[FG_COUNTER_TX_DROPPED], dropped);
        rte_pktmbuf_free_bulk(out->frames + sent, dropped);
    }
    out->left = out->count = out->count - sent - dropped;
    if (out->count > 0)
        memmove(out->frames, out->frames + sent, out->count * sizeof(struct rte_mbuf *));
}

/* Replies that may be sent before any port's burst is full. */
static unsigned room(const struct loop *loop)
{
    unsigned most = 0;

    for (unsigned p = 0; p < loop->ports; p++)
        if (loop->out[p].count > most)
            most = loop->out[p].count;
    return FG_BURST - most;
}

/* A finished frame of `length` bytes leaves by the port it came from. A tag that the driver took
 * off is put back. */
void loop_send(struct loop *loop, struct rte_mbuf *frame, uint32_t length)
{
    unsigned port = loop->port_index[frame->port];
    struct outgoing *out = &loop->out[port];
    bool tagged = frame->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED;

    frame->data_len = (uint16_t)length;
    frame->pkt_len = length;
    frame->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
    if (out->count == FG_BURST || (tagged && rte_vlan_insert(&frame) != 0))
        return loop_drop(loop, frame, FG_COUNTER_TX_DROPPED);
    out->frames[out->count++] = frame;
    if (out->count == FG_BURST)
        loop_flush(loop, port);
}

/* Writes the headers around a finished reply. It leaves here, or goes back to the worker whose
 * queue pair its sender listens to. */
void loop_reply(struct loop *loop, struct rte_mbuf *frame, uint32_t payload)
{
    struct tag tag = tag_of(frame);
    const struct fg_port *port = &loop->engine->ports[loop->port_index[frame->port]];
    uint32_t length = fg_reply_udp(rte_pktmbuf_mtod(frame, uint8_t *), tag.l3, payload);

    fg_count(loop->counters, FG_COUNTER_TX_REPLIES);
    if (tag.receiver == loop->self->index || !port->reply_by_receiver)
        return loop_send(loop, frame, length);
    frame->pkt_len = length;
    struct rte_ring *ring = loop->engine->workers[tag.receiver]->replies[loop->self->index];
    if (rte_ring_sp_enqueue(ring, frame) != 0)
        loop_drop(loop, frame, FG_COUNTER_TX_DROPPED);
}

/* Sends what other workers have answered of what this one received. */
unsigned loop_send_for_others(struct loop *loop)
{
    struct rte_mbuf *frames[FG_BURST];
    unsigned total = 0;

    for (unsigned v = 0; v < loop->workers; v++) {
        if (!loop->self->replies[v])
            continue;
        unsigned n =
            rte_ring_sc_dequeue_burst(loop->self->replies[v], (void **)frames, room(loop), NULL);
        for (unsigned i = 0; i < n; i++)
            loop_send(loop, frames[i], frames[i]->pkt_len);
        total += n;
    }
    return total;
}

/* Replies that came in by one burst are counted together: they took as long as each other. */
struct batch {
    uint64_t arrived;
    uint64_t count;
};

static void record(struct loop *loop, enum fg_latency how, uint64_t now, const struct batch *batch)
{
    uint64_t ticks = ticks_since(batch->arrived, now);

    if (batch->count == 0)
        return;
    fg_histogram_record(&loop->counters->latency[how],
                        (uint64_t)(((unsigned __int128)ticks * loop->ns_per_tsc_32) >> 32),
                        batch->count);
}

/* Sends what admission has given back; one TSC serves for all of it: for what is answered at once
 * that at which the stage began. */
static void send_batch(struct loop *loop, enum fg_latency how, const struct fg_ready *ready,
                       unsigned n)
{
    struct batch batch = {.count = 0};
    uint64_t now = how == FG_LATENCY_AT_ONCE ? loop->stages.since : rte_rdtsc();

    for (unsigned i = 0; i < n; i++) {
        struct rte_mbuf *frame = ready[i].packet;
        if (ready[i].length == 0) {
            rte_pktmbuf_free(frame); /* silence; admission has counted why */
            continue;
        }
        uint64_t arrived = tag_of(frame).arrived;
        if (arrived != batch.arrived) {
            record(loop, how, now, &batch);
            batch = (struct batch){.arrived = arrived};
        }
        batch.count++;
        loop_reply(loop, frame, ready[i].length);
    }
    record(loop, how, now, &batch);
}

void loop_send_answers(struct loop *loop)
{
    struct fg_ready ready[FG_BURST];
    unsigned n;

    do {
        n = fg_admission_ready_at_once(loop->self->admission, ready, FG_BURST);
        if (n > 0)
            send_batch(loop, FG_LATENCY_AT_ONCE, ready, n);
    } while (n == FG_BURST);
}

/* What was parked for a flush's time has left the nearest caches: mbufs, and then their frames, two
 * lines of each. */
static void prefetch(const struct fg_ready *ready, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        rte_prefetch0(ready[i].packet);
        rte_prefetch0((const uint8_t *)ready[i].packet + RTE_CACHE_LINE_SIZE);
    }
    for (unsigned i = 0; i < n; i++) {
        const uint8_t *bytes =
            rte_pktmbuf_mtod((const struct rte_mbuf *)ready[i].packet, uint8_t *);
        rte_prefetch0(bytes);
        rte_prefetch0(bytes + RTE_CACHE_LINE_SIZE);
    }
}

unsigned loop_send_parked(struct loop *loop)
{
    struct fg_ready ready[FG_BURST];
    unsigned total = 0;

    for (unsigned bursts = 0; bursts < PARKED_BURSTS; bursts++) {
        unsigned most = room(loop), n = fg_admission_ready(loop->self->admission, ready, most);
        if (n == 0)
            break;
        prefetch(ready, n);
        send_batch(loop, FG_LATENCY_PARKED, ready, n);
        total += n;
        if (n < most)
            break;
    }
    return total;
}
