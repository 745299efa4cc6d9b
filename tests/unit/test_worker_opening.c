/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A real worker, without a port, around the instant at which a sale opens: what it notes of its own
 * loops, and that it does not sleep then.
 */
#include <pthread.h>
#include <rte_cycles.h>
#include <rte_ring.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <urcu-qsbr.h>

#include "dataplane/engine.h"
#include "tests/unit/shop.h"
#include "tests/unit/tsc.h"

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

static struct shop shop;
static struct fg_engine engine;
static struct fg_worker worker;
static pthread_t thread;
static _Atomic int thread_id;

static void *work(void *arg)
{
    atomic_store(&thread_id, gettid());
    fg_worker_main(arg);
    return NULL;
}

static struct rte_ring *ring_create(void)
{
    struct rte_ring *ring = aligned_alloc(128, 4096);
    assert_non_null(ring);
    assert_true(rte_ring_get_memsize(16) <= 4096);
    assert_int_equal(rte_ring_init(ring, "t", 16, RING_F_SP_ENQ | RING_F_SC_DEQ), 0);
    return ring;
}

/* A sale opens in so long a time; 0: none does. Returns the instant. */
static uint64_t start(enum fg_idle idle, bool alone, uint64_t opens_in_ns)
{
    shop_open(&shop, 1, 10);
    engine.config.workers = 1;
    engine.config.partitions = SHOP_PARTITIONS;
    engine.config.idle = idle;
    fg_clock_page_init(&engine.clock, tsc_hz(20));
    uint64_t opens_ns = opens_in_ns ? fg_clock_ns(CLOCK_REALTIME) + opens_in_ns : 0;
    shop.catalogue.next_opens_ns = opens_ns;
    engine.catalogue = &shop.catalogue;
    atomic_store(&engine.stop, FG_RUN);
    worker = (struct fg_worker){
        .engine = &engine,
        .alone = alone,
        .admission = shop.admissions[0],
        .commands = ring_create(),
        .results = ring_create(),
        .counters = &shop.counters[0],
    };
    engine.workers[0] = &worker;
    atomic_store(&thread_id, 0);
    assert_int_equal(pthread_create(&thread, NULL, work, &worker), 0);
    while (atomic_load(&worker.state) != FG_WORKER_RUNNING)
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    return opens_ns;
}

static void stop(void)
{
    atomic_store(&engine.stop, FG_STOP_NOW);
    pthread_join(thread, NULL);
    free(worker.commands);
    free(worker.results);
    shop_close(&shop);
}

/* As control does, meanwhile. */
static void pass(uint64_t ns)
{
    uint64_t end = fg_clock_ns(CLOCK_MONOTONIC) + ns;
    while (fg_clock_ns(CLOCK_MONOTONIC) < end) {
        nanosleep(&(struct timespec){.tv_nsec = 5 * MS}, NULL);
        fg_clock_page_update(&engine.clock);
    }
}

/* How often the worker went to sleep so far. */
static unsigned long sleeps(void)
{
    char path[64], line[256];
    unsigned long count = 0;
    snprintf(path, sizeof(path), "/proc/self/task/%d/status", atomic_load(&thread_id));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file))
        if (strncmp(line, "voluntary_ctxt_switches:", 24) == 0)
            count = strtoul(line + 24, NULL, 10);
    fclose(file);
    return count;
}

static void the_first_loop_after_the_instant_is_noted(void **state)
{
    (void)state;
    static const enum fg_idle idles[] = {FG_IDLE_POLL, FG_IDLE_YIELD, FG_IDLE_SLEEP};
    for (unsigned i = 0; i < 3; i++) {
        uint64_t closed_ns = 0, open_ns = 0;
        uint64_t opens_ns = start(idles[i], true, 60 * MS);
        assert_false(fg_worker_opening(&worker, opens_ns, &closed_ns, &open_ns));
        assert_false(fg_worker_opening(&worker, opens_ns + 1, &closed_ns, &open_ns));
        pass(60 * MS);
        pass(20 * MS);
        uint64_t loops = atomic_load(&worker.counters->loops);
        assert_true(fg_worker_opening(&worker, opens_ns, &closed_ns, &open_ns));
        assert_in_range(closed_ns, opens_ns - S, opens_ns - 1);
        assert_in_range(open_ns, opens_ns, opens_ns + S);
        printf("%lu loops; closed until %.1f us before, open from %.1f us after\n",
               (unsigned long)loops, (double)(opens_ns - closed_ns) / 1000,
               (double)(open_ns - opens_ns) / 1000);
        /* It is noted once. */
        pass(10 * MS);
        uint64_t again_ns;
        assert_true(fg_worker_opening(&worker, opens_ns, &again_ns, &again_ns));
        assert_int_equal(again_ns, open_ns);
        stop();
    }
}

static _Atomic bool off_core;

static void stay_away(int signal)
{
    (void)signal;
    atomic_store(&off_core, true);
    while (atomic_load(&off_core))
        nanosleep(&(struct timespec){.tv_nsec = MS}, NULL);
}

/* Control puts the opening on record while the worker is off its core: it is late, and says so. */
static void who_comes_late_notes_it_too(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = stay_away};
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    uint64_t opens_ns = start(FG_IDLE_POLL, true, 60 * MS);
    assert_int_equal(pthread_kill(thread, SIGUSR1), 0);
    while (!atomic_load(&off_core))
        pass(MS);
    pass(80 * MS);
    struct fg_catalogue later = shop.catalogue;
    later.next_opens_ns = 0;
    rcu_assign_pointer(engine.catalogue, &later);
    uint64_t before_ns = fg_clock_ns(CLOCK_REALTIME);
    atomic_store(&off_core, false);
    pass(20 * MS);
    uint64_t closed_ns, open_ns;
    assert_true(fg_worker_opening(&worker, opens_ns, &closed_ns, &open_ns));
    assert_true(closed_ns < opens_ns);
    assert_in_range(open_ns, before_ns - MS, before_ns + S);
    stop();
}

/* It was open before the worker had ever looked at the time. */
static void what_was_open_before_is_not_noted(void **state)
{
    (void)state;
    uint64_t ns;
    uint64_t opens_ns = start(FG_IDLE_POLL, true, 0) + 5;
    shop.catalogue.next_opens_ns = opens_ns;
    pass(20 * MS);
    assert_false(fg_worker_opening(&worker, opens_ns, &ns, &ns));
    stop();
}

static uint64_t loops(void)
{
    return atomic_load(&worker.counters->loops);
}

/* A worker sleeps when nothing comes in, of sixty naps at least once: a virtual machine may be back
 * from one before it has slept. On a crowded core, where each yield lasts, it may not come to that
 * in the time that there is. */
enum { LOOPS_SEEN = 65536 };

static void it_sleeps(enum fg_idle idle, bool alone, uint64_t opens_in_ns)
{
    start(idle, alone, opens_in_ns);
    unsigned long before = sleeps();
    uint64_t first = loops();
    for (unsigned i = 0; i < 100 && loops() < first + LOOPS_SEEN; i++)
        pass(MS);
    assert_true(sleeps() > before || loops() < first + LOOPS_SEEN);
    stop();
}

/* At most once in so many loops. */
static void it_sleeps_once_in(uint64_t every, enum fg_idle idle, bool alone, uint64_t opens_in_ns)
{
    start(idle, alone, opens_in_ns);
    unsigned long before = sleeps();
    uint64_t first = loops();
    pass(60 * MS);
    uint64_t allowed = every ? (loops() - first) / every + 1 : 0;
    assert_in_range(sleeps() - before, 0, allowed);
    stop();
}

static void nobody_sleeps_around_an_opening(void **state)
{
    (void)state;
    /* Far from one: as configured. Who yields all the time is a bad neighbour, so it naps. */
    it_sleeps(FG_IDLE_SLEEP, true, 3600 * S);
    it_sleeps(FG_IDLE_SLEEP, true, 0);
    it_sleeps(FG_IDLE_YIELD, true, 3600 * S);
    it_sleeps_once_in(1024, FG_IDLE_YIELD, true, 0);
    it_sleeps_once_in(0, FG_IDLE_POLL, true, 0);
    /* From a second before, until a tenth of one after. */
    it_sleeps_once_in(0, FG_IDLE_SLEEP, true, 900 * MS);
    it_sleeps_once_in(0, FG_IDLE_YIELD, true, 900 * MS);
    it_sleeps_once_in(0, FG_IDLE_SLEEP, true, 10 * MS);
    /* On a shared core it takes turns. */
    it_sleeps_once_in(1024, FG_IDLE_SLEEP, false, 900 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_loop_after_the_instant_is_noted),
        cmocka_unit_test(who_comes_late_notes_it_too),
        cmocka_unit_test(what_was_open_before_is_not_noted),
        cmocka_unit_test(nobody_sleeps_around_an_opening),
    };
    rcu_register_thread();
    rcu_thread_offline();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rcu_unregister_thread();
    return failed;
}
