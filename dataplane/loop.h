/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the worker's loop share: its private state, and the steps they give each other.
 *
 *   receive.c        frames in, parsed, authenticated and sorted by owner; what others hand over
 *   loop_capture.c   frames kept for an operator, while one wants them
 *   send.c           finished replies out, by this worker's queues or the receiver's
 *   worker.c         the loop, its time, its idling and its end
 *
 * What a datagram's mbuf has to remember while admission or another worker has it (where its IP
 * header begins, who received it and when) stands in the mbuf's hash field, which nothing else uses
 * any more: it lies on the line that the driver has just written. All else is in the bytes.
 */
#ifndef FG_LOOP_H
#define FG_LOOP_H

#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane/engine.h"
#include "dataplane/net/frame.h"
#include "dataplane/stages.h"

/* What a mbuf remembers of a datagram. */
struct tag {
    uint64_t l3 : 7; /* offset of the IP header */
    uint64_t ipv6 : 1;
    uint64_t receiver : 8; /* worker whose queue it came in by */
    uint64_t ring : 4;     /* generation of the key ring that found it authentic, the last bits */
    uint64_t arrived : 44; /* TSC when its burst was received; it comes round after an hour */
};
#define TAG_ARRIVED_MASK ((UINT64_C(1) << 44) - 1)
#define TAG_RING_MASK    15
static_assert(sizeof(struct tag) <= sizeof(((struct rte_mbuf *)0)->hash), "a tag fits the hash");

/* Frames on their way out by one port. What it does not take is offered again, until it has taken
 * nothing for loop.patience. */
struct outgoing {
    struct rte_mbuf *frames[FG_BURST];
    unsigned count;
    unsigned left;    /* the first ones, which it was offered before */
    uint64_t refused; /* TSC when it first took nothing, since it last took something; else 0 */
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
    uint64_t opens_ns;      /* the next opening, as the loop before knew it */
    unsigned empty;         /* loops without work in a row */
    uint64_t ns_per_tsc_32; /* ns per TSC tick, times 2^32 */
    uint64_t queue_age;     /* limits.queue_age, TSC ticks; 0: none */
    uint64_t patience;      /* with a port that takes no frames, TSC ticks */
    uint64_t ahead_ns;      /* of the machine's clock before now.wall_ns, which is held; else 0 */
    struct fg_stage_clock stages;
    uint32_t accepted;          /* steps of the clock that now.wall_ns has followed */
    struct fg_capture *capture; /* NULL: nobody wants to see frames */
    uint64_t captured_ns;       /* ... when the last one was kept */
    struct outgoing out[FG_PORTS_MAX];
    uint8_t port_index[RTE_MAX_ETHPORTS]; /* DPDK's id to ours */
};

static inline void loop_stage(struct loop *loop, enum fg_stage stage)
{
    fg_stages_next(&loop->stages, stage, rte_rdtsc());
}

static inline struct tag tag_of(const struct rte_mbuf *frame)
{
    struct tag tag;
    memcpy(&tag, &frame->hash, sizeof(tag));
    return tag;
}

/* TSC ticks since that stamp of a tag; 0 if it is a little ahead: another core's. */
static inline uint64_t ticks_since(uint64_t arrived, uint64_t now)
{
    uint64_t ticks = (now - arrived) & TAG_ARRIVED_MASK;

    return ticks > TAG_ARRIVED_MASK / 2 ? 0 : ticks;
}

/* Has a datagram with that stamp waited for more ticks than these? */
static inline bool waited_longer(uint64_t arrived, uint64_t now, uint64_t ticks)
{
    return ticks_since(arrived, now) > ticks;
}

/* A tagged frame's payload. */
static inline uint8_t *payload_of(const struct rte_mbuf *frame)
{
    struct tag tag = tag_of(frame);

    return rte_pktmbuf_mtod_offset(frame, uint8_t *, fg_frame_payload(tag.l3, tag.ipv6));
}

/* loop_capture.c; all but the last only while loop->capture is there. */

/* Frames that came in and are requests, or are answered by what they are. */
void loop_captures_kept(struct loop *loop, struct rte_mbuf *const *frames, unsigned count);
/* ... that are dropped. */
void loop_captures_drop(struct loop *loop, const struct rte_mbuf *frame, enum fg_counter why);
/* Before frames are sent, and after so many of them were, and the others are dropped or left for
 * later: `kept` has the places of those kept. A frame is kept when it is first offered; what is
 * dropped later is kept once more. */
void loop_captures_out(struct loop *loop, const struct outgoing *out,
                       struct fg_capture_frame *kept[FG_BURST]);
void loop_captures_sent(struct loop *loop, const struct outgoing *out, unsigned sent, bool dropped,
                        struct fg_capture_frame *const kept[FG_BURST]);
/* Takes a capture up, or lets go of it. */
void loop_captures_command(struct loop *loop, struct fg_command *command);

static inline bool loop_captures(const struct loop *loop)
{
    return __builtin_expect(loop->capture != NULL, 0);
}

static inline void loop_drop(struct loop *loop, struct rte_mbuf *frame, enum fg_counter why)
{
    fg_count(loop->counters, why);
    if (loop_captures(loop))
        loop_captures_drop(loop, frame, why);
    rte_pktmbuf_free(frame);
}

/* receive.c: each returns how many frames it took; it begins its stages itself, but taking over. */
unsigned loop_receive(struct loop *loop, const struct fg_port *port);
unsigned loop_take_over(struct loop *loop);

/* send.c */

/* A finished frame of `length` bytes leaves by the port it came from; it is dropped when a burst
 * waits there already that the port does not take. */
void loop_send(struct loop *loop, struct rte_mbuf *frame, uint32_t length);
/* Writes the headers around a finished reply payload, and sends it. */
void loop_reply(struct loop *loop, struct rte_mbuf *frame, uint32_t payload);
/* All that admission gives back at once, before it is given more. */
void loop_send_answers(struct loop *loop);
/* Parked replies that may go, as far as the ports take them; the others stay parked. Returns how
 * many. */
unsigned loop_send_parked(struct loop *loop);
/* What other workers have answered of what this one received, as far as the ports take it; returns
 * how many. */
unsigned loop_send_for_others(struct loop *loop);
/* Sends what has gathered for a port. */
void loop_flush(struct loop *loop, unsigned port);

#endif
