/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker: the packet loop of one lcore, and what others may see of it.
 *
 * receive -> parse -> authenticate -> decide -> reply, a burst at a time. A worker makes no system
 * call (but the idle step), takes no lock, and allocates nothing.
 */
#ifndef FG_WORKER_H
#define FG_WORKER_H

#include <stdalign.h>

#include "dataplane/admission/admission.h"
#include "dataplane/admission/key_watch.h"
#include "dataplane/clock_page.h"
#include "dataplane/command.h"
#include "dataplane/counters.h"

struct rte_mempool;
struct rte_ring;
struct fg_engine;

/* The last opening that this worker's time has passed: what its loops began at, by the engine's
 * clock. worker: rw, control: ro (fg_worker_opening). */
struct fg_opening {
    _Atomic uint64_t opens_ns;  /* the instant; 0: none yet, or it is being written */
    _Atomic uint64_t closed_ns; /* the last loop that judged by what was before it */
    _Atomic uint64_t open_ns;   /* the first that judged the sale open */
};

struct fg_worker {
    /* set at start, read-only after it */
    struct fg_engine *engine;
    unsigned index;
    unsigned lcore;
    bool alone; /* no other worker has its core */
    struct fg_admission *admission;
    struct rte_mempool *pool;
    struct rte_ring *handover[FG_WORKERS_MAX]; /* requests from worker v to this one; SPSC */
    struct rte_ring *replies[FG_WORKERS_MAX];  /* from worker v, to leave by this one's queues */
    struct rte_ring *commands;                 /* control -> worker; SPSC of struct fg_command * */
    struct rte_ring *results;                  /* worker -> control */
    struct fg_counters *counters;
    struct fg_key_watch *keys; /* by a key's place in the ring */

    /* worker: rw, control: ro */
    alignas(128) _Atomic uint64_t seen_revision; /* of the catalogue */
    _Atomic uint64_t seen_issue;                 /* ... and which of them it is; release */
    _Atomic uint32_t state;                      /* enum fg_worker_state */
    struct fg_opening opening;
} __attribute__((aligned(128)));

/* From DRAINED on, one for each step of enum fg_stop from FG_STOP_RECEIVING on: quiet in it. */
enum fg_worker_state {
    FG_WORKER_STARTING,
    FG_WORKER_RUNNING,
    FG_WORKER_DRAINED,
    FG_WORKER_DECIDED,
    FG_WORKER_ANSWERED,
    FG_WORKER_ENDED,
};

/* Control: has the worker's time passed this opening, as the last one? Then tells the loops around
 * it.
 */
static inline bool fg_worker_opening(const struct fg_worker *worker, uint64_t opens_ns,
                                     uint64_t *closed_ns, uint64_t *open_ns)
{
    const struct fg_opening *opening = &worker->opening;

    /* acquire: pairs with the release that ends note_opening() */
    if (atomic_load_explicit(&opening->opens_ns, memory_order_acquire) != opens_ns)
        return false;
    *closed_ns = atomic_load_explicit(&opening->closed_ns, memory_order_relaxed);
    *open_ns = atomic_load_explicit(&opening->open_ns, memory_order_relaxed);
    atomic_thread_fence(memory_order_acquire); /* pairs with the fence in note_opening() */
    return atomic_load_explicit(&opening->opens_ns, memory_order_relaxed) == opens_ns;
}

/* Where a datagram that a worker has received and tagged came from; as fg_admission_config.source.
 * `packet`: its mbuf. Worker. */
struct fg_ip fg_worker_source(const void *packet);

/* lcore main function; `arg` is the struct fg_worker. Runs until the engine stops. */
int fg_worker_main(void *arg);

#endif
