/* SPDX-License-Identifier: BSD-3-Clause */
/* What delivery and its thread share. Inside orders only. */
#ifndef FG_ORDERS_DELIVERY_INTERNAL_H
#define FG_ORDERS_DELIVERY_INTERNAL_H

#include <pthread.h>

#include "dataplane/orders/batches.h"
#include "dataplane/orders/delivery.h"
#include "dataplane/orders/streams.h"

enum fg_delivery_phase { FG_PHASE_AWAY, FG_PHASE_CLAIM, FG_PHASE_READ };

/* The delivery thread's own where nothing else is said. */
struct fg_delivery {
    struct fg_delivery_config config;
    struct fg_delivery_stats stats; /* anyone: ro */
    struct fg_log_reader *reader;
    struct fg_streams streams;
    struct fg_batches batches;
    bool in_frame;  /* the frame read last may have more records */
    bool caught_up; /* the last step left nothing that is durable and can be delivered */
    enum fg_delivery_phase phase;
    uint32_t claim_next, poll_next, poll_left;
    uint64_t now_ns, wait_until_ns, poll_at_ns, backoff_ns;

    /* whoever starts and stops: rw */
    pthread_t thread;
    bool started;
    _Atomic bool stopping;
    uint64_t deadline_ns; /* written before `stopping` */

    pthread_mutex_t error_lock;
    char error[512];
};

#endif
