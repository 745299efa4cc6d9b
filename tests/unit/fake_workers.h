/* SPDX-License-Identifier: BSD-3-Clause */
/* Workers of a fake engine: they only take up catalogues and answer commands. */
#ifndef TESTS_FAKE_WORKERS_H
#define TESTS_FAKE_WORKERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <rte_ring.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <urcu-qsbr.h>

#include "dataplane/engine.h"

#define WORKERS      2
#define REQUEST_HELD 42 /* of any buyer: a held order; every other request is unknown */

static struct fg_engine *engine;

static atomic_bool workers_stop, frozen[WORKERS], shown_empty;
static atomic_bool may_be_empty; /* the test takes units off sale */
static pthread_t threads[WORKERS];

static atomic_bool admissions_run; /* workers that have an admission poll it and let it answer */
static _Atomic uint32_t admissions_ms = 1; /* ... at this time */

static _Atomic(struct fg_capture *) captures[WORKERS]; /* what each keeps frames in */

static inline void answer_command(struct fg_worker *worker, const struct fg_catalogue *catalogue)
{
    const struct fg_now now = {.wall_ns = 1, .ms = atomic_load(&admissions_ms)};
    struct fg_command *command;
    bool runs = worker->admission && atomic_load(&admissions_run);
    if (runs)
        fg_admission_poll(worker->admission, &now, catalogue);
    if (rte_ring_sc_dequeue(worker->commands, (void **)&command) != 0)
        return;
    if (command->kind == FG_COMMAND_CAPTURE) {
        atomic_store(&captures[worker->index], command->withdrawn ? NULL : command->capture);
        atomic_store_explicit(&command->capture->hands[worker->index],
                              command->withdrawn ? FG_CAPTURE_RETURNED : FG_CAPTURE_TAKEN,
                              memory_order_release);
        assert_int_equal(rte_ring_sp_enqueue(worker->results, command), 0);
        return;
    }
    if (runs) {
        fg_command_run(command, worker->admission, &now, catalogue);
        assert_int_equal(rte_ring_sp_enqueue(worker->results, command), 0);
        return;
    }
    if (command->kind == FG_COMMAND_SUSPECTS) { /* it has none */
        assert_int_equal(rte_ring_sp_enqueue(worker->results, command), 0);
        return;
    }
    command->result = command->request == REQUEST_HELD ? 0 : -ENOENT;
    command->orders[0] = (struct fg_order_view){
        .order = UINT64_MAX,
        .request = command->request,
        .item = 8,
        .quantity = 1,
        .verdict = FG_VERDICT_ADMITTED,
        .held = 1,
        .durable = 1,
        .left_ms = worker->index,
    };
    assert_int_equal(rte_ring_sp_enqueue(worker->results, command), 0);
}

/* Hardly a sale of these tests runs out: an item that a worker finds empty was shown too early. */
static inline void look_at_stock(const struct fg_catalogue *catalogue)
{
    if (atomic_load(&may_be_empty))
        return;
    for (uint32_t id = 7; id <= 8; id++) {
        const struct fg_item *shown = fg_catalogue_item(catalogue, id);
        if (shown && fg_stock_free_units(&engine->stock, shown->slot) == 0)
            atomic_store(&shown_empty, true);
    }
}

static inline void *work(void *arg)
{
    struct fg_worker *worker = arg;
    rcu_register_thread();
    atomic_store(&worker->state, FG_WORKER_RUNNING);
    while (!atomic_load(&workers_stop)) {
        if (!atomic_load(&frozen[worker->index])) {
            const struct fg_catalogue *catalogue = rcu_dereference(engine->catalogue);
            atomic_store(&worker->seen_revision, catalogue->revision);
            atomic_store_explicit(&worker->seen_issue, catalogue->issue, memory_order_release);
            look_at_stock(catalogue);
            (void)fg_keyring_find(catalogue->keys, UINT16_MAX); /* what had gone would be a fault */
            answer_command(worker, catalogue);
        }
        rcu_quiescent_state();
        sched_yield();
    }
    rcu_unregister_thread();
    atomic_store(&worker->state, FG_WORKER_ENDED);
    return NULL;
}

static inline void *zeroed(size_t size)
{
    void *memory = aligned_alloc(128, (size + 127) / 128 * 128);
    assert_non_null(memory);
    return memset(memory, 0, size);
}

static inline struct rte_ring *ring_create(void)
{
    struct rte_ring *ring = zeroed((size_t)rte_ring_get_memsize(16));
    assert_int_equal(rte_ring_init(ring, "t", 16, RING_F_SP_ENQ | RING_F_SC_DEQ), 0);
    return ring;
}

static inline void start_workers(void)
{
    atomic_store(&workers_stop, false);
    for (unsigned w = 0; w < WORKERS; w++) {
        struct fg_worker *worker = engine->workers[w];
        atomic_store(&frozen[w], false);
        atomic_store(&worker->seen_revision, 0);
        atomic_store(&worker->seen_issue, 0);
        pthread_create(&threads[w], NULL, work, worker);
    }
}

static inline void stop_workers(void)
{
    atomic_store(&workers_stop, true);
    for (unsigned w = 0; w < WORKERS; w++)
        pthread_join(threads[w], NULL);
}

#endif
