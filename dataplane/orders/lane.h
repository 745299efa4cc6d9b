/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A lane is the way of one worker's order events to the journal thread: a single-producer,
 * single-consumer ring of 64-byte records, and the mark up to which they are durable. Records of
 * one lane reach the log in the order they were queued; between lanes there is no order.
 *
 * A record's ticket is its number in its lane, from 1. It is durable when fg_lane_durable() has
 * reached the ticket.
 */
#ifndef FG_ORDERS_LANE_H
#define FG_ORDERS_LANE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include <rte_errno.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "dataplane/orders/event.h"

/* What the log still has room for. */
enum fg_log_room {
    FG_LOG_OPEN,    /* everything */
    FG_LOG_SETTLES, /* only what settles orders: CONFIRM, CANCEL, expiry */
    FG_LOG_SHUT,    /* no more than may be on its way already */
};

struct fg_lane {
    /* worker: rw, others: none */
    struct rte_ring *ring; /* journal: consumes */
    uint64_t queued;       /* tickets given out */
    uint32_t capacity;     /* records the ring takes */

    /* journal: rw, worker: ro */
    alignas(128) _Atomic uint64_t durable;
    _Atomic uint32_t log_room; /* enum fg_log_room; on the line that the worker reads anyway */
    _Atomic uint32_t fenced;   /* 1: for good; written by whoever fences the journal */
    uint64_t drained;          /* journal only: records taken off the ring */
    uint64_t awaited;          /* journal only: what must be drained first, see must_wait() */
} __attribute__((aligned(128)));

/* `records` is a power of two. 0 or -ENOMEM/-EINVAL. At start, before any thread uses it. */
static inline int fg_lane_init(struct fg_lane *lane, uint32_t records)
{
    ssize_t bytes = rte_ring_get_memsize_elem(FG_RECORD_BYTES, records);
    if (bytes < 0)
        return (int)bytes;
    lane->ring = aligned_alloc(RTE_CACHE_LINE_SIZE * 2, RTE_ALIGN_CEIL((size_t)bytes, 128));
    if (!lane->ring)
        return -ENOMEM;
    int rc = rte_ring_init(lane->ring, "lane", records, RING_F_SP_ENQ | RING_F_SC_DEQ);
    if (rc != 0) {
        free(lane->ring);
        return rc;
    }
    lane->capacity = rte_ring_get_capacity(lane->ring);
    lane->queued = lane->drained = lane->awaited = 0;
    atomic_init(&lane->fenced, 0);
    atomic_init(&lane->durable, 0);
    atomic_init(&lane->log_room, FG_LOG_OPEN);
    return 0;
}

static inline void fg_lane_fini(struct fg_lane *lane)
{
    free(lane->ring);
    lane->ring = NULL;
}

/* Worker or journal: records in the ring. As rte_ring_count(), which reads plainly what the other
 * side writes. relaxed: each side knows its own end, and the other's may be a moment old. */
static inline uint32_t fg_lane_count(const struct fg_lane *lane)
{
    uint32_t produced = __atomic_load_n(&lane->ring->prod.tail, __ATOMIC_RELAXED);
    uint32_t consumed = __atomic_load_n(&lane->ring->cons.tail, __ATOMIC_RELAXED);

    return (produced - consumed) & lane->ring->mask;
}

/* Worker: records that still fit. */
static inline uint32_t fg_lane_room(const struct fg_lane *lane)
{
    return lane->capacity - fg_lane_count(lane);
}

/* Worker: has another engine taken over? Then nothing that is known here of orders and stock need
 * be true any more. relaxed: see fg_lane_fence(). */
static inline bool fg_lane_fenced(const struct fg_lane *lane)
{
    return atomic_load_explicit(&lane->fenced, memory_order_relaxed) != 0;
}

/* Worker: has the log room for a new order, or for what settles one? relaxed: what is queued before
 * the change is seen has its room all the same. */
static inline bool fg_lane_log_room(const struct fg_lane *lane, bool settles)
{
    uint32_t room = atomic_load_explicit(&lane->log_room, memory_order_relaxed);
    if (fg_lane_fenced(lane))
        return false;
    return room == FG_LOG_OPEN || (settles && room == FG_LOG_SETTLES);
}

/* Worker: queues one record, for which the caller has seen room; returns its ticket. */
static inline uint64_t fg_lane_push(struct fg_lane *lane, const struct fg_order_event *event)
{
    int rc = rte_ring_sp_enqueue_elem(lane->ring, (void *)(uintptr_t)event, FG_RECORD_BYTES);
    assert(rc == 0);
    (void)rc;
    return ++lane->queued;
}

/* Worker: the last durable ticket; 0 once the lane is fenced, so that nothing is settled and no
 * parked reply goes out any more. acquire: pairs with the release in fg_lane_publish(). */
static inline uint64_t fg_lane_durable(const struct fg_lane *lane)
{
    uint64_t durable = atomic_load_explicit(&lane->durable, memory_order_acquire);
    return fg_lane_fenced(lane) ? 0 : durable;
}

/* Any thread: another engine has taken over. relaxed: what the worker sees a moment later is as if
 * the fence had come then. */
static inline void fg_lane_fence(struct fg_lane *lane)
{
    atomic_store_explicit(&lane->fenced, 1, memory_order_relaxed);
}

/* Journal: takes up to `max` records; returns how many. */
static inline unsigned fg_lane_drain(struct fg_lane *lane, void *records, unsigned max)
{
    unsigned n = rte_ring_sc_dequeue_burst_elem(lane->ring, records, FG_RECORD_BYTES, max, NULL);
    lane->drained += n;
    return n;
}

/* Journal: everything drained so far is durable. release: pairs with fg_lane_durable(). */
static inline void fg_lane_publish(struct fg_lane *lane)
{
    atomic_store_explicit(&lane->durable, lane->drained, memory_order_release);
}

#endif
