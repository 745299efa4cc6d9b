/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Delivery: reads the log up to the durable mark and appends each sale's order events to its Redis
 * stream, exactly once and in log order. No cursor is stored: on every connect the stream's last id
 * is looked up in the log (models and rules: docs/architecture.md, Delivery).
 *
 * Threads: fg_delivery_step belongs to the delivery thread (or a simulator); stats to anyone.
 */
#ifndef FG_ORDERS_DELIVERY_H
#define FG_ORDERS_DELIVERY_H

#include <stdatomic.h>

#include "dataplane/orders/circuit.h"
#include "dataplane/orders/clock.h"
#include "dataplane/orders/log.h"
#include "dataplane/orders/redis_link.h"

struct fg_delivery;

enum fg_delivery_state {
    FG_DELIVERY_CONNECTING,
    FG_DELIVERY_RUNNING,
    FG_DELIVERY_FENCED, /* for good: the process must stop */
    FG_DELIVERY_FAILED, /* the log could not be read: the process must stop */
};

/* X(NAME, text): one sale's stream */
#define FG_STREAM_STATES(X)                                                                        \
    X(SEEKING, "seeking") /* its place in the log is being looked up */                            \
    X(LIVE, "live")                                                                                \
    X(FOREIGN, "foreign")                 /* holds an entry that this log does not know */         \
    X(LOST_BEYOND_LOG, "lost-beyond-log") /* lost entries that the log no longer has */            \
    X(BAD_KEY, "bad-key")                 /* stream or fence is a key of another type */           \
    X(REFUSED, "refused")                 /* Redis refuses its entries; tried again slowly */      \
    X(DONE, "done") /* archived, and the log has no order event of it any more: not asked about */

enum fg_stream_state {
#define X(name, text) FG_STREAM_##name,
    FG_STREAM_STATES(X)
#undef X
};

struct fg_delivery_config {
    const char *dir; /* of the log */
    const struct fg_disk *disk;
    const struct fg_clock *clock;
    struct fg_redis_link *link;
    unsigned batch;        /* entries of one append, at most; 1..FG_REDIS_APPEND_MAX */
    uint64_t retry_max_ns; /* the longest wait for a Redis that fails; 0: FG_CIRCUIT_MAX_NS */
    uint64_t seed;         /* of what the waits are shortened by */
    /* How far the log may be read: the journal's durable mark. */
    uint64_t (*durable)(void *arg);
    void *durable_arg;
    /* Called once, by the delivery thread, when an answer was FENCED. NULL: not wanted. */
    void (*fenced)(void *arg);
    void *fenced_arg;
};

/* The log must exist. NULL with *error, a negative errno. The link stays the caller's. */
struct fg_delivery *fg_delivery_create(const struct fg_delivery_config *config, int *error);
void fg_delivery_destroy(struct fg_delivery *delivery);

/* A thread that steps, pinned to `core` (-1: not pinned); 0 or a negative errno. Stop goes on until
 * all that is durable is delivered, at most `limit_ms` and the call to Redis then under way, and
 * joins. Both, create and destroy belong to one thread. */
int fg_delivery_start(struct fg_delivery *delivery, int core);
void fg_delivery_stop(struct fg_delivery *delivery, unsigned limit_ms);

/* One bounded piece of work. 1: did something; 0: nothing to do now; -1: stopped for good. */
int fg_delivery_step(struct fg_delivery *delivery);

/* Figures for status; written by the delivery thread, read relaxed by anyone. */
struct fg_delivery_stats {
    _Atomic uint32_t state;     /* enum fg_delivery_state */
    _Atomic uint64_t delivered; /* entries appended since start */
    _Atomic uint64_t lag;       /* order events durable but not in their stream, as last seen */
    _Atomic uint64_t caught_up; /* the log's durable frame up to which all was read and sent on; 0
                                 * while streams are to be asked anew what they hold */
    _Atomic uint64_t connects, gaps;
    _Atomic uint64_t errors; /* answers of Redis that were neither OK nor GAP */
};
const struct fg_delivery_stats *fg_delivery_stats(const struct fg_delivery *delivery);
/* The circuit breaker before Redis. */
const struct fg_circuit_stats *fg_delivery_circuit(const struct fg_delivery *delivery);

/* State of one sale's stream by sale number; SEEKING if it is not known. Any thread. */
enum fg_stream_state fg_delivery_stream_state(const struct fg_delivery *delivery, uint32_t sale);

/* One sale's stream as it was last seen. */
struct fg_stream_view {
    enum fg_stream_state state;
    uint64_t logged; /* sale_seq of the last durable event read */
    uint64_t
        delivered;     /* ... up to which the stream has all, for certain: as an answer on this
                        * connection told; 0 while its place is looked up and when it is not LIVE */
    uint64_t consumed; /* ... that the consumer is done with, as told here or by its key; never
                        * moves back. 0 after a start, until one of them tells */
    uint64_t lag;      /* events read and not in the stream, as last seen; for people */
};
/* Any thread. */
struct fg_stream_view fg_delivery_stream(const struct fg_delivery *delivery, uint32_t sale);

/* Control: the consumer is done with the sale's events up to sale_seq; the stream's older entries
 * are trimmed soon. Never moves back. 0, -ENOENT for a sale that is not known, -ERANGE beyond what
 * is delivered. */
int fg_delivery_consumed(struct fg_delivery *delivery, uint32_t sale, uint64_t sale_seq);

/* Control: moves the sale's stream aside, whatever it holds, and refills it from the sale's first
 * record, soon (when Redis is there). 0, -ENOENT for a sale that is not known, -ERANGE when the log
 * no longer has the sale's first records: a stream that lost some of those cannot be made whole. */
int fg_delivery_rebuild(struct fg_delivery *delivery, uint32_t sale);
/* What it would answer now. */
int fg_delivery_may_rebuild(struct fg_delivery *delivery, uint32_t sale);
/* Copies the key that a rebuild moved a stream to last, "" if none did. Any thread. */
void fg_delivery_last_aside(struct fg_delivery *delivery, char *text, size_t size);

/* Copies the last error's text. Any thread. */
void fg_delivery_last_error(struct fg_delivery *delivery, char *text, size_t size);

#endif
