/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine: what main.c starts part by part, and what control sees of the rest.
 * The main thread is the control thread; every field is written by it only, before workers start,
 * unless said otherwise.
 */
#ifndef FG_ENGINE_H
#define FG_ENGINE_H

#include <signal.h>

#include "control/config/config.h"
#include "dataplane/net/port.h"
#include "dataplane/orders/delivery.h"
#include "dataplane/orders/journal.h"
#include "dataplane/privilege.h"
#include "dataplane/worker.h"

struct fg_control;    /* control/control.h */
struct fg_metrics;    /* control/figures/metrics.h */
struct fg_stock_page; /* control/figures/stock_page.h */
struct fg_notify;     /* dataplane/notify.h */

/* Raised in order; workers read it once a loop. While draining, each is raised when every worker
 * was quiet for a whole loop begun in the one before: only that tells that nothing of it is under
 * way. */
enum fg_stop {
    FG_RUN,
    FG_STOP_RECEIVING, /* take nothing new; settle and send what waits; then DRAINED */
    FG_STOP_DECIDING,  /* ... what was handed over last is decided, too */
    FG_STOP_ANSWERING, /* ... and its answer is sent by who received it */
    FG_STOP_NOW,       /* leave the loop */
};

/* What control says of its clock. control: rw, others: ro (relaxed) */
struct fg_clock_figures {
    _Atomic uint64_t steps, held;
    _Atomic uint64_t error_ns_p999, error_ns_max, age_ns_max; /* of the last minute */
    _Atomic uint64_t suspect;         /* 1: senders' clocks say that the engine's is wrong ... */
    _Atomic uint64_t suspect_skew_ns; /* ... theirs less the engine's, an int64_t */
};

/* What control says of the block and allow lists in force. control: rw, others: ro (relaxed) */
struct fg_list_figures {
    _Atomic uint64_t entries[FG_LIST_COUNT];
    _Atomic uint64_t loaded_ns; /* wall clock */
    _Atomic uint64_t bytes;     /* of memory */
};

/* What a port's driver says of frames that no worker has seen. control: rw, others: ro (relaxed) */
struct fg_port_figures {
    _Atomic uint64_t told; /* 1: it says something */
    _Atomic uint64_t missed, errors, no_buffers;
};

struct fg_engine {
    struct fg_config config;
    struct fg_privilege privilege;
    struct fg_journal *journal;
    struct fg_recovery recovered;
    struct fg_redis_link *redis; /* NULL: no delivery */
    struct fg_delivery *delivery;
    struct fg_stock stock;
    struct fg_control *control;
    struct fg_metrics *metrics;       /* NULL: no page */
    struct fg_stock_page *stock_page; /* NULL: none */
    struct fg_redis_link *page_link;  /* the stock page's */
    struct fg_notify *notify;         /* the service manager; NULL: none is told */
    struct fg_worker *workers[FG_WORKERS_MAX];
    struct fg_port ports[FG_PORTS_MAX]; /* in the order of config.ports */
    char steering[512];                 /* how datagrams reach their worker, in words */

    struct fg_clock_page clock;
    struct fg_clock_figures clock_figures;
    struct fg_list_figures list_figures;
    struct fg_port_figures port_figures[FG_PORTS_MAX]; /* in the order of config.ports */
    struct fg_catalogue *catalogue; /* rcu: control publishes, workers dereference */
    _Atomic uint32_t stop;          /* enum fg_stop; control: rw, workers: ro */
};

#endif
