/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loop of a worker. Each step is done for a whole burst before the next one begins:
 *
 *   receive -> parse -> check the form -> authenticate -> sort by owner -> decide or hand over
 *   take over -> decide;   commands;   poll admission;   ready replies -> headers -> send
 *
 * What a datagram's mbuf has to remember while admission or another worker has it (where its IP
 * header begins, and who received it) stands in the mbuf's hash field, which nothing else uses any
 * more: it lies on the line that the driver has just written. All else is in the bytes. A key is
 * looked up again by the worker that takes a datagram over, since its catalogue may be another one.
 */
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_prefetch.h>
#include <rte_ring.h>
#include <urcu-qsbr.h>

#include "dataplane/engine.h"
#include "dataplane/net/frame.h"
#include "dataplane/net/reply.h"
#include "dataplane/worker.h"

#define SEND_TRIES       4   /* a port whose queue stays full loses the reply: the client retries */
#define BUSY_HANDOVER_MS 2   /* told when the owner cannot keep up: its ring is empty by then */
#define YIELD_AFTER      8   /* empty loops before the core is offered to others */
#define SLEEP_AFTER      256 /* empty loops before a sleep: some 100 us without a datagram */
#define SLEEP_NS         50000
#define FROM_NOBODY      UINT8_MAX

/* What a mbuf remembers of a datagram. */
struct tag {
    uint8_t l3;       /* offset of the IP header */
    uint8_t receiver; /* worker whose queue it came in by */
};
static_assert(sizeof(struct tag) <= sizeof(((struct rte_mbuf *)0)->hash), "a tag fits the hash");

/* Frames on their way out by one port. */
struct outgoing {
    struct rte_mbuf *frames[FG_BURST];
    unsigned count;
};

/* A worker's private state: on its own stack, nobody else sees it. */
struct loop {
    struct fg_worker *self;
    struct fg_engine *engine;
    struct fg_counters *counters;
    const struct fg_catalogue *catalogue;
    unsigned workers, ports;
    uint32_t partitions;
    struct fg_now now;
    unsigned empty; /* loops without work in a row */
    struct outgoing out[FG_PORTS_MAX];
    uint8_t port_index[RTE_MAX_ETHPORTS]; /* DPDK's id to ours */
};

/* Requests of one burst that have come so far. */
struct burst {
    unsigned count;
    struct rte_mbuf *frames[FG_BURST];
    struct fg_parsed parsed[FG_BURST];
    uint16_t key_places[FG_BURST];
    uint8_t owners[FG_BURST];
};

static struct tag tag_of(const struct rte_mbuf *frame)
{
    struct tag tag;
    memcpy(&tag, &frame->hash, sizeof(tag));
    return tag;
}

static uint8_t *payload_of(const struct rte_mbuf *frame, unsigned l3)
{
    return rte_pktmbuf_mtod_offset(frame, uint8_t *, l3 + FG_UDP_HEADERS);
}

static void drop(struct loop *loop, struct rte_mbuf *frame, enum fg_counter why)
{
    fg_count(loop->counters, why);
    rte_pktmbuf_free(frame);
}

/* --- sending --- */

/* Sends what has gathered for a port by this worker's own queue. */
static void flush(struct loop *loop, unsigned port)
{
    struct outgoing *out = &loop->out[port];
    uint16_t id = loop->engine->ports[port].id;
    unsigned sent = 0;

    for (unsigned tries = 0; sent < out->count && tries < SEND_TRIES; tries++)
        sent += rte_eth_tx_burst(id, (uint16_t)loop->self->index, out->frames + sent,
                                 (uint16_t)(out->count - sent));
    if (sent < out->count) {
        fg_count_add(&loop->counters->count[FG_COUNTER_TX_DROPPED], out->count - sent);
        rte_pktmbuf_free_bulk(out->frames + sent, out->count - sent);
    }
    out->count = 0;
}

/* A finished frame of `length` bytes leaves by the port it came from. A tag that the driver took
 * off is put back. */
static void send_frame(struct loop *loop, struct rte_mbuf *frame, uint32_t length)
{
    unsigned port = loop->port_index[frame->port];
    struct outgoing *out = &loop->out[port];
    bool tagged = frame->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED;

    frame->data_len = (uint16_t)length;
    frame->pkt_len = length;
    frame->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
    if (tagged && rte_vlan_insert(&frame) != 0)
        return drop(loop, frame, FG_COUNTER_TX_DROPPED);
    out->frames[out->count++] = frame;
    if (out->count == FG_BURST)
        flush(loop, port);
}

/* Writes the headers around a finished reply. It leaves here, or goes back to the worker whose
 * queue pair its sender listens to. */
static void reply(struct loop *loop, struct rte_mbuf *frame, uint32_t payload)
{
    struct tag tag = tag_of(frame);
    const struct fg_port *port = &loop->engine->ports[loop->port_index[frame->port]];
    uint32_t length = fg_reply_udp(rte_pktmbuf_mtod(frame, uint8_t *), tag.l3, payload);

    if (tag.receiver == loop->self->index || !port->reply_by_receiver) {
        fg_count(loop->counters, FG_COUNTER_TX_REPLIES);
        return send_frame(loop, frame, length);
    }
    frame->pkt_len = length;
    struct rte_ring *ring = loop->engine->workers[tag.receiver]->replies[loop->self->index];
    if (rte_ring_sp_enqueue(ring, frame) != 0)
        drop(loop, frame, FG_COUNTER_TX_DROPPED);
}

/* Sends what other workers have answered of what this one received. */
static unsigned send_for_others(struct loop *loop)
{
    struct rte_mbuf *frames[FG_BURST];
    unsigned total = 0;

    for (unsigned v = 0; v < loop->workers; v++) {
        if (!loop->self->replies[v])
            continue;
        unsigned n =
            rte_ring_sc_dequeue_burst(loop->self->replies[v], (void **)frames, FG_BURST, NULL);
        for (unsigned i = 0; i < n; i++)
            send_frame(loop, frames[i], frames[i]->pkt_len);
        fg_count_add(&loop->counters->count[FG_COUNTER_TX_REPLIES], n);
        total += n;
    }
    return total;
}

/* All that admission gives back, before it is given more. */
static unsigned send_ready(struct loop *loop)
{
    struct fg_ready ready[FG_BURST];
    unsigned n, total = 0;

    do {
        n = fg_admission_ready(loop->self->admission, ready, FG_BURST);
        for (unsigned i = 0; i < n; i++) {
            struct rte_mbuf *frame = ready[i].packet;
            if (ready[i].length == 0)
                rte_pktmbuf_free(frame); /* silence; admission has counted why */
            else
                reply(loop, frame, ready[i].length);
        }
        total += n;
    } while (n == FG_BURST);
    return total;
}

/* --- receiving --- */

static enum fg_checksum checksum_of(const struct rte_mbuf *frame)
{
    switch (frame->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) {
    case RTE_MBUF_F_RX_L4_CKSUM_GOOD:
    case RTE_MBUF_F_RX_L4_CKSUM_NONE: /* never computed, and never on a wire (virtio) */
        return FG_CHECKSUM_RIGHT;
    case RTE_MBUF_F_RX_L4_CKSUM_BAD:
        return FG_CHECKSUM_WRONG;
    default:
        return FG_CHECKSUM_UNKNOWN;
    }
}

/* Answers ARP and echo; true if the frame is a request. */
static bool parse(struct loop *loop, const struct fg_port *port, struct rte_mbuf *frame,
                  struct fg_parsed *parsed)
{
    uint8_t *bytes = rte_pktmbuf_mtod(frame, uint8_t *);

    if (frame->nb_segs != 1) {
        drop(loop, frame, FG_COUNTER_DROP_SEGMENTED);
        return false;
    }
    fg_frame_parse(bytes, frame->data_len, &port->address, checksum_of(frame), parsed);
    switch ((enum fg_frame_kind)parsed->kind) {
    case FG_FRAME_REQUEST:
        return true;
    case FG_FRAME_ARP:
        fg_reply_arp(bytes, parsed->l3, &port->address);
        fg_count(loop->counters, FG_COUNTER_TX_ARP);
        send_frame(loop, frame, frame->pkt_len);
        return false;
    case FG_FRAME_ECHO:
        fg_reply_echo(bytes, parsed->l3);
        fg_count(loop->counters, FG_COUNTER_TX_ICMP_ECHO);
        send_frame(loop, frame, frame->pkt_len);
        return false;
    case FG_FRAME_DROPPED:
        break;
    }
    drop(loop, frame, parsed->dropped);
    return false;
}

/* Keeps the requests whose payload has the form of one. */
static void check(struct loop *loop, struct burst *burst)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < burst->count; i++) {
        const struct fg_parsed *parsed = &burst->parsed[i];
        struct rte_mbuf *frame = burst->frames[i];
        if (!fg_payload_check(payload_of(frame, parsed->l3), parsed->length)) {
            drop(loop, frame, FG_COUNTER_DROP_MALFORMED);
            continue;
        }
        struct tag tag = {.l3 = parsed->l3, .receiver = (uint8_t)loop->self->index};
        memcpy(&frame->hash, &tag, sizeof(tag));
        burst->frames[kept] = frame;
        burst->parsed[kept++] = *parsed;
    }
    burst->count = kept;
}

/* Keeps the requests that are who they say they are. */
static void authenticate(struct loop *loop, struct burst *burst)
{
    static const uint8_t why[] = {
        [FG_AUTH_UNSIGNED] = FG_COUNTER_DROP_UNSIGNED,
        [FG_AUTH_UNKNOWN_KEY] = FG_COUNTER_DROP_UNKNOWN_KEY,
        [FG_AUTH_SOURCE] = FG_COUNTER_DROP_KEY_SOURCE,
        [FG_AUTH_MAC] = FG_COUNTER_DROP_MAC,
        [FG_AUTH_STALE] = FG_COUNTER_DROP_STALE,
    };
    unsigned kept = 0;

    for (unsigned i = 0; i < burst->count; i++) {
        const struct fg_parsed *parsed = &burst->parsed[i];
        struct rte_mbuf *frame = burst->frames[i];
        const uint8_t *payload = payload_of(frame, parsed->l3);
        enum fg_authentic found =
            fg_payload_authenticate(loop->catalogue, payload, parsed->length, parsed->source,
                                    loop->now.wall_ns, &burst->key_places[kept]);
        if (found != FG_AUTHENTIC) {
            drop(loop, frame, why[found]);
            continue;
        }
        int partition = fg_payload_partition(payload, loop->partitions);
        burst->owners[kept] =
            (uint8_t)(partition < 0 ? loop->self->index : (unsigned)partition % loop->workers);
        burst->frames[kept++] = frame;
    }
    burst->count = kept;
}

static struct fg_datagram datagram_of(struct rte_mbuf *frame, uint16_t key_place)
{
    uint8_t *payload = payload_of(frame, tag_of(frame).l3);

    return (struct fg_datagram){
        .packet = frame,
        .payload = payload,
        .key_place = key_place,
        .count = payload[offsetof(struct fg_header, count)],
    };
}

static void decide(struct loop *loop, const struct fg_datagram *datagrams, unsigned count)
{
    if (count == 0)
        return;
    fg_admission_decide(loop->self->admission, &loop->now, loop->catalogue, datagrams, count);
    send_ready(loop);
}

/* Does the first entry settle an order? Such datagrams may use a ring's last part. */
static bool settles(const uint8_t *payload)
{
    uint8_t op = payload[sizeof(struct fg_header) + offsetof(struct fg_request, op)];
    return op == FG_OP_CONFIRM || op == FG_OP_CANCEL;
}

static void hand_over(struct loop *loop, struct rte_mbuf *frame, unsigned owner, uint16_t key_place)
{
    struct rte_ring *ring = loop->engine->workers[owner]->handover[loop->self->index];
    uint8_t *payload = payload_of(frame, tag_of(frame).l3);
    unsigned reserve = settles(payload) ? 0 : rte_ring_get_capacity(ring) / FG_SETTLE_SHARE;

    if (rte_ring_free_count(ring) > reserve && rte_ring_sp_enqueue(ring, frame) == 0) {
        fg_count(loop->counters, FG_COUNTER_HANDED_OVER);
        return;
    }
    fg_count(loop->counters, FG_COUNTER_HANDOVER_FULL);
    reply(loop, frame, fg_payload_busy(loop->catalogue, payload, key_place, BUSY_HANDOVER_MS));
}

/* Own requests are decided together, others' go to their owners. */
static void decide_or_hand_over(struct loop *loop, const struct burst *burst)
{
    struct fg_datagram own[FG_BURST];
    unsigned count = 0;

    for (unsigned i = 0; i < burst->count; i++) {
        if (burst->owners[i] == loop->self->index)
            own[count++] = datagram_of(burst->frames[i], burst->key_places[i]);
        else
            hand_over(loop, burst->frames[i], burst->owners[i], burst->key_places[i]);
    }
    decide(loop, own, count);
}

static unsigned receive(struct loop *loop, const struct fg_port *port)
{
    struct rte_mbuf *frames[FG_BURST];
    struct burst burst = {.count = 0};
    unsigned n = rte_eth_rx_burst(port->id, (uint16_t)loop->self->index, frames, FG_BURST);

    if (n == 0)
        return 0;
    fg_count_add(&loop->counters->count[FG_COUNTER_RX_FRAMES], n);
    for (unsigned i = 0; i < n; i++)
        rte_prefetch0(rte_pktmbuf_mtod(frames[i], void *));
    for (unsigned i = 0; i < n; i++) {
        burst.frames[burst.count] = frames[i];
        burst.count += parse(loop, port, frames[i], &burst.parsed[burst.count]);
    }
    check(loop, &burst);
    authenticate(loop, &burst);
    decide_or_hand_over(loop, &burst);
    return n;
}

/* Decides what other workers received for this one: at most a burst from each. */
static unsigned take_over(struct loop *loop)
{
    struct rte_mbuf *frames[FG_BURST];
    struct fg_datagram datagrams[FG_BURST];
    unsigned total = 0;

    for (unsigned v = 0; v < loop->workers; v++) {
        if (!loop->self->handover[v])
            continue;
        unsigned n =
            rte_ring_sc_dequeue_burst(loop->self->handover[v], (void **)frames, FG_BURST, NULL);
        unsigned count = 0;
        for (unsigned i = 0; i < n; i++) {
            const uint8_t *payload = payload_of(frames[i], tag_of(frames[i]).l3);
            struct fg_header header;
            memcpy(&header, payload, sizeof(header));
            int key_place = fg_keyring_find(loop->catalogue->keys, header.key_id);
            if (key_place < 0)
                drop(loop, frames[i], FG_COUNTER_DROP_UNKNOWN_KEY);
            else
                datagrams[count++] = datagram_of(frames[i], (uint16_t)key_place);
        }
        fg_count_add(&loop->counters->count[FG_COUNTER_TAKEN_OVER], n);
        decide(loop, datagrams, count);
        total += n;
    }
    return total;
}

/* --- the loop --- */

static unsigned do_commands(struct loop *loop)
{
    void *commands[FG_COMMANDS_PER_LOOP];
    unsigned n =
        rte_ring_sc_dequeue_burst(loop->self->commands, commands, FG_COMMANDS_PER_LOOP, NULL);

    for (unsigned i = 0; i < n; i++) {
        struct fg_command *command = commands[i];
        switch (command->kind) {
        case FG_COMMAND_ORDER_SHOW:
            command->result = fg_admission_order(loop->self->admission, &loop->now, command->buyer,
                                                 command->request, &command->order);
            break;
        }
        /* Both rings have one size, and an answer takes the place of its question. */
        rte_ring_sp_enqueue(loop->self->results, command);
    }
    fg_count_add(&loop->counters->count[FG_COUNTER_COMMANDS], n);
    return n;
}

/* The time and the catalogue that this loop decides by. */
static void begin_loop(struct loop *loop, uint64_t tsc)
{
    struct fg_worker *self = loop->self;
    struct fg_time time = fg_clock_page_read(&loop->engine->clock, tsc);
    uint32_t ms = (uint32_t)(time.elapsed_ns / 1000000);

    /* A page written anew may lie a little behind what the old one made of the same instant. */
    if ((int32_t)(ms - loop->now.ms) > 0)
        loop->now.ms = ms;
    loop->now.wall_ns = time.wall_ns;
    rcu_quiescent_state();
    loop->catalogue = rcu_dereference(loop->engine->catalogue);
    if (atomic_load_explicit(&self->seen_revision, memory_order_relaxed) !=
        loop->catalogue->revision)
        /* release: what was decided by the old catalogue comes before; pairs with the acquire in
         * control's publishing */
        atomic_store_explicit(&self->seen_revision, loop->catalogue->revision,
                              memory_order_release);
}

/* One round; returns pieces of work done. */
static unsigned run_loop(struct loop *loop, bool receiving)
{
    unsigned work = 0;

    for (unsigned p = 0; receiving && p < loop->ports; p++)
        if (loop->self->index < loop->engine->ports[p].queues)
            work += receive(loop, &loop->engine->ports[p]);
    work += take_over(loop);
    work += do_commands(loop);
    fg_admission_poll(loop->self->admission, &loop->now, loop->catalogue);
    work += send_ready(loop);
    work += send_for_others(loop);
    for (unsigned p = 0; p < loop->ports; p++)
        if (loop->out[p].count > 0)
            flush(loop, p);
    return work;
}

/* After many loops without work. A sleep would delay what waits for a flush or for its time. */
static void idle(struct loop *loop)
{
    enum fg_idle policy = loop->engine->config.idle;

    if (policy == FG_IDLE_SLEEP && loop->empty >= SLEEP_AFTER &&
        fg_admission_waiting(loop->self->admission) == 0)
        nanosleep(&(struct timespec){.tv_nsec = SLEEP_NS}, NULL);
    else if (policy != FG_IDLE_POLL && loop->empty >= YIELD_AFTER)
        sched_yield();
    else
        rte_pause();
}

/* Nothing of this worker's waits, and nothing is on its way to it. */
static bool drained(const struct loop *loop)
{
    if (fg_admission_waiting(loop->self->admission) > 0)
        return false;
    for (unsigned v = 0; v < loop->workers; v++)
        if ((loop->self->handover[v] && !rte_ring_empty(loop->self->handover[v])) ||
            (loop->self->replies[v] && !rte_ring_empty(loop->self->replies[v])))
            return false;
    return true;
}

static void count_loop(struct loop *loop, unsigned work, uint64_t cycles)
{
    struct fg_counters *counters = loop->counters;

    fg_count_add(&counters->loops, 1);
    if (work > 0) {
        fg_count_add(&counters->busy_cycles, cycles);
        loop->empty = 0;
    } else {
        fg_count_add(&counters->idle_loops, 1);
        loop->empty++;
    }
}

static void set_state(struct fg_worker *self, enum fg_worker_state state)
{
    /* release: pairs with control's acquire; what came before the state is seen with it */
    atomic_store_explicit(&self->state, state, memory_order_release);
}

static void loop_init(struct loop *loop, struct fg_worker *self)
{
    struct fg_engine *engine = self->engine;

    *loop = (struct loop){
        .self = self,
        .engine = engine,
        .counters = self->counters,
        .workers = engine->config.workers,
        .ports = engine->config.ports_count,
        .partitions = engine->config.partitions,
    };
    for (unsigned p = 0; p < loop->ports; p++)
        loop->port_index[engine->ports[p].id] = (uint8_t)p;
}

int fg_worker_main(void *arg)
{
    struct fg_worker *self = arg;
    struct loop loop;
    uint64_t began = rte_rdtsc();

    loop_init(&loop, self);
    prctl(PR_SET_TIMERSLACK, 1UL);
    rcu_register_thread();
    set_state(self, FG_WORKER_RUNNING);
    for (;;) {
        /* acquire: pairs with control's release */
        uint32_t stop = atomic_load_explicit(&loop.engine->stop, memory_order_acquire);
        if (stop == FG_STOP_NOW)
            break;
        begin_loop(&loop, began);
        unsigned work = run_loop(&loop, stop == FG_RUN);
        uint64_t ended = rte_rdtsc();
        count_loop(&loop, work, ended - began);
        if (stop == FG_STOP_RECEIVING)
            set_state(self, work == 0 && drained(&loop) ? FG_WORKER_DRAINED : FG_WORKER_RUNNING);
        if (work == 0)
            idle(&loop);
        ended = rte_rdtsc();
        fg_count_add(&loop.counters->total_cycles, ended - began);
        began = ended;
    }
    rcu_unregister_thread();
    set_state(self, FG_WORKER_ENDED);
    return 0;
}
