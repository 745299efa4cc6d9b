/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of delivery share: delivery.c makes the steps, delivery_log.c reads the log,
 * delivery_redis.c speaks to Redis, delivery_thread.c steps. Inside orders only.
 */
#ifndef FG_ORDERS_DELIVERY_INTERNAL_H
#define FG_ORDERS_DELIVERY_INTERNAL_H

#include <pthread.h>

#include "dataplane/orders/batches.h"
#include "dataplane/orders/circuit.h"
#include "dataplane/orders/delivery.h"
#include "dataplane/orders/redis_command.h"
#include "dataplane/orders/streams.h"

#define FG_DELIVERY_POLL_NS UINT64_C(1000000000)

enum fg_delivery_phase { FG_PHASE_AWAY, FG_PHASE_CLAIM, FG_PHASE_READ };

/* The delivery thread's own where nothing else is said. */
struct fg_delivery {
    struct fg_delivery_config config;
    struct fg_delivery_stats stats; /* anyone: ro */
    struct fg_log_reader *reader;
    struct fg_streams streams;
    struct fg_batches batches;
    bool in_frame;       /* the frame read last may have more records */
    bool calling;        /* a call to Redis is under way: what is read may not lead to another */
    unsigned ahead;      /* records that may still be taken during it */
    bool followed;       /* the full batch is under way, too, behind the one that is flying */
    bool caught_up;      /* the last step left nothing that is durable and can be delivered */
    bool pass_over;      /* this pass has read all there was once: every stream's base is known */
    uint32_t pass_first; /* segment that this pass began with; 0: none was read yet */
    enum fg_delivery_phase phase;
    unsigned gaps;                   /* since something was appended */
    uint32_t poll_next;              /* sale to ask about after this one */
    uint32_t poll_sales, poll_calls; /* of this round: sales to look at, calls that it may make */
    uint64_t now_ns, poll_at_ns;
    struct fg_circuit circuit; /* its stats: anyone: ro */
    _Atomic bool rebuilds;     /* control: sets after a board's `rebuild`; delivery: clears */

    /* whoever starts and stops: rw */
    pthread_t thread;
    bool started;
    _Atomic bool stopping;
    uint64_t deadline_ns; /* written before `stopping` */

    pthread_mutex_t text_lock;
    char error[512], aside[FG_REDIS_ASIDE_BYTES];
};

/* delivery.c */
__attribute__((format(printf, 2, 3))) void fg_delivery_set_error(struct fg_delivery *delivery,
                                                                 const char *format, ...);
void fg_delivery_set_state(struct fg_delivery *delivery, enum fg_delivery_state state);
/* Fenced, or the log could not be read. */
bool fg_delivery_stopped(const struct fg_delivery *delivery);

/* delivery_log.c: one frame, or what is left of it. 1, or 0 when there is no more up to the durable
 * mark, or none that may be taken during a call. */
int fg_delivery_read_on(struct fg_delivery *delivery);
/* During a call to Redis: reads on and gathers, up to the next full batch at most. */
void fg_delivery_read_ahead(struct fg_delivery *delivery);

/* delivery_redis.c. Each waits for one answer of Redis at most and draws the conclusions. */
void fg_delivery_connect(struct fg_delivery *delivery);
void fg_delivery_claim(struct fg_delivery *delivery, struct fg_stream *stream);
void fg_delivery_append(struct fg_delivery *delivery, struct fg_batch *batch);
void fg_delivery_poll_begin(struct fg_delivery *delivery);
/* Asks the next stream whether it still ends with what was appended last, and trims it. False: this
 * round is over. */
bool fg_delivery_poll(struct fg_delivery *delivery);
/* Moves one stream aside. False: none is to be moved. */
bool fg_delivery_move_aside(struct fg_delivery *delivery);

#endif
