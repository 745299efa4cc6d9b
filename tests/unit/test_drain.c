/* SPDX-License-Identifier: BSD-3-Clause */
/* A clean stop's draining, with workers that the test plays: who was quiet once may have been given
 * something after that, and may not have run since. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "dataplane/workers.h"

#define WORKERS  2
#define LIMIT_MS 20000 /* never reached but by a failure */

static struct fg_engine *engine;
static atomic_bool ended;

static void *zeroed(size_t size)
{
    void *memory = aligned_alloc(128, (size + 127) / 128 * 128);
    assert_non_null(memory);
    return memset(memory, 0, size);
}

static int start(void **state)
{
    (void)state;
    engine = zeroed(sizeof(*engine));
    engine->config.workers = WORKERS;
    fg_clock_page_init(&engine->clock, UINT64_C(2000000000));
    for (unsigned w = 0; w < WORKERS; w++)
        engine->workers[w] = zeroed(sizeof(struct fg_worker));
    atomic_store(&ended, false);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    for (unsigned w = 0; w < WORKERS; w++)
        free(engine->workers[w]);
    free(engine);
    return 0;
}

static void *drain(void *arg)
{
    bool *drained = arg;
    *drained = fg_workers_drain(engine, LIMIT_MS);
    atomic_store(&ended, true);
    return NULL;
}

/* Worker w has been through a quiet loop that began after the step was raised. */
static void quiet(unsigned w)
{
    uint32_t step = atomic_load(&engine->stop);
    assert_in_range(step, FG_STOP_RECEIVING, FG_STOP_NOW - 1);
    atomic_store(&engine->workers[w]->state, FG_WORKER_DRAINED + (step - FG_STOP_RECEIVING));
}

static void wait_for_step(uint32_t step)
{
    while (atomic_load(&engine->stop) != step)
        sched_yield();
}

static void every_step_waits_for_every_worker(void **state)
{
    (void)state;
    bool drained = false;
    pthread_t thread;
    uint64_t page;

    pthread_create(&thread, NULL, drain, &drained);
    for (uint32_t step = FG_STOP_RECEIVING; step < FG_STOP_NOW; step++) {
        wait_for_step(step);
        quiet(0);
        /* Worker 1 has not run: the clock page is written anew at each look. */
        page = atomic_load(&engine->clock.sequence);
        while (atomic_load(&engine->clock.sequence) < page + 10)
            sched_yield();
        assert_int_equal(atomic_load(&engine->stop), step);
        assert_false(atomic_load(&ended));
        quiet(1);
    }
    pthread_join(thread, NULL);
    assert_true(drained);
}

static void a_worker_that_stays_busy_is_told(void **state)
{
    (void)state;
    atomic_store(&engine->workers[0]->state, FG_WORKER_DRAINED);
    atomic_store(&engine->workers[1]->state, FG_WORKER_RUNNING);
    assert_false(fg_workers_drain(engine, 5));
    atomic_store(&engine->workers[1]->state, FG_WORKER_DRAINED);
    assert_false(fg_workers_drain(engine, 5)); /* quiet once, and nobody has run since */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_step_waits_for_every_worker, start, stop),
        cmocka_unit_test_setup_teardown(a_worker_that_stays_busy_is_told, start, stop),
    };
    return cmocka_run_group_tests_name("drain", tests, NULL, NULL);
}
