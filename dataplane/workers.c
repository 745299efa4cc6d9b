/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include "dataplane/workers.h"
#include "flashgate/exit_status.h"

#define HANDOVER_RING 1024 /* datagrams: some bursts of each pair */
#define COMMAND_RING  128  /* more than control ever has under way */
#define WAIT_NS       1000000

static struct rte_ring *make_ring(const char *what, unsigned from, unsigned to, unsigned records)
{
    char name[RTE_RING_NAMESIZE];

    snprintf(name, sizeof(name), "%s_%u_%u", what, from, to);
    return rte_ring_create(name, records, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

/* Rings from every other worker to this one, and control's. */
static bool make_rings(struct fg_worker *worker, unsigned workers)
{
    unsigned w = worker->index;

    for (unsigned v = 0; v < workers; v++) {
        if (v == w)
            continue;
        worker->handover[v] = make_ring("handover", v, w, HANDOVER_RING);
        worker->replies[v] = make_ring("replies", v, w, HANDOVER_RING);
        if (!worker->handover[v] || !worker->replies[v])
            return false;
    }
    worker->commands = make_ring("commands", w, w, COMMAND_RING);
    worker->results = make_ring("results", w, w, COMMAND_RING);
    return worker->commands && worker->results;
}

static bool is_alone(const struct fg_config *config, unsigned w)
{
    for (unsigned v = 0; v < config->workers; v++)
        if (v != w && config->worker_cores[v] == config->worker_cores[w])
            return false;
    return true;
}

int fg_workers_make(struct fg_engine *engine, struct fg_admission *const *admissions,
                    struct fg_counters *const *counters, char *message, size_t size)
{
    for (unsigned w = 0; w < engine->config.workers; w++) {
        struct fg_worker *worker = aligned_alloc(alignof(struct fg_worker), sizeof(*worker));
        if (!worker) {
            snprintf(message, size, "no memory for worker %u", w);
            return FG_EXIT_MEMORY;
        }
        *worker = (struct fg_worker){
            .engine = engine,
            .index = w,
            .lcore = 1 + w,
            .alone = is_alone(&engine->config, w),
            .admission = admissions[w],
            .counters = counters[w],
            .keys = fg_key_watch_create(),
        };
        engine->workers[w] = worker;
        if (!worker->keys) {
            snprintf(message, size, "no memory for the keys' figures of worker %u", w);
            return FG_EXIT_MEMORY;
        }
        worker->pool = fg_port_pool_create(
            &engine->config, w, (int)rte_lcore_to_socket_id(worker->lcore), message, size);
        if (!worker->pool)
            return FG_EXIT_NETWORK;
        if (!make_rings(worker, engine->config.workers)) {
            snprintf(message, size, "no memory for the rings of worker %u; give EAL more", w);
            return FG_EXIT_NETWORK;
        }
    }
    return FG_EXIT_OK;
}

/* Buffers still on a ring at the end belong to nobody. */
static void free_ring(struct rte_ring *ring, void (*give_back)(void *item))
{
    void *item;

    while (ring && rte_ring_sc_dequeue(ring, &item) == 0)
        give_back(item);
    rte_ring_free(ring);
}

static void give_back_frame(void *frame)
{
    rte_pktmbuf_free(frame);
}

void fg_workers_free(struct fg_engine *engine)
{
    for (unsigned w = 0; w < engine->config.workers; w++) {
        struct fg_worker *worker = engine->workers[w];
        if (!worker)
            continue;
        for (unsigned v = 0; v < engine->config.workers; v++) {
            free_ring(worker->handover[v], give_back_frame);
            free_ring(worker->replies[v], give_back_frame);
        }
        free_ring(worker->commands, free);
        free_ring(worker->results, free);
    }
    /* A frame on a ring of one worker may be of another's pool. */
    for (unsigned w = 0; w < engine->config.workers; w++) {
        if (!engine->workers[w])
            continue;
        rte_mempool_free(engine->workers[w]->pool);
        free(engine->workers[w]->keys);
        free(engine->workers[w]);
        engine->workers[w] = NULL;
    }
}

static enum fg_worker_state state_of(const struct fg_worker *worker)
{
    /* acquire: pairs with the release in the worker's set_state() */
    return atomic_load_explicit(&worker->state, memory_order_acquire);
}

static bool all_are(const struct fg_engine *engine, enum fg_worker_state state)
{
    for (unsigned w = 0; w < engine->config.workers; w++)
        if (state_of(engine->workers[w]) != state)
            return false;
    return true;
}

/* Control's 10 ms work goes on meanwhile: workers need the time. */
static void wait_a_little(struct fg_engine *engine)
{
    nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
    fg_clock_page_update(&engine->clock);
}

int fg_workers_launch(struct fg_engine *engine, char *message, size_t size)
{
    fg_clock_page_serve(&engine->clock);
    for (unsigned w = 0; w < engine->config.workers; w++) {
        struct fg_worker *worker = engine->workers[w];
        int rc = rte_eal_remote_launch(fg_worker_main, worker, worker->lcore);
        if (rc != 0) {
            snprintf(message, size, "worker %u cannot be started on core %d: %s", w,
                     engine->config.worker_cores[w], strerror(-rc));
            return FG_EXIT_NETWORK;
        }
    }
    while (!all_are(engine, FG_WORKER_RUNNING))
        wait_a_little(engine);
    return FG_EXIT_OK;
}

bool fg_workers_drain(struct fg_engine *engine, unsigned limit_ms)
{
    unsigned stage = FG_STOP_RECEIVING, waited = 0;

    for (; stage < FG_STOP_NOW && waited < limit_ms; stage++) {
        /* release: pairs with the worker's acquire, which sees all that others gave it before */
        atomic_store_explicit(&engine->stop, stage, memory_order_release);
        do {
            wait_a_little(engine);
            waited++;
        } while (waited < limit_ms &&
                 !all_are(engine, FG_WORKER_DRAINED + (stage - FG_STOP_RECEIVING)));
    }
    return all_are(engine, FG_WORKER_ANSWERED);
}

void fg_workers_stop(struct fg_engine *engine)
{
    atomic_store_explicit(&engine->stop, FG_STOP_NOW, memory_order_release);
    for (unsigned w = 0; w < engine->config.workers; w++)
        if (engine->workers[w])
            (void)rte_eal_wait_lcore(engine->workers[w]->lcore);
}
