/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "dataplane/clock_page.h"

#define PAGES 3000000 /* written while they are read */
#define HZ    UINT64_C(2000000000)
#define S     UINT64_C(1000000000)

static struct fg_clock_page page;

/* A page that began at monotonic time 100 s. */
static void begin(uint64_t hz)
{
    fg_clock_page_init(&page, hz);
    page.started_ns = 100 * S;
    fg_clock_page_write(&page, 1000, 5000 * S, 100 * S);
    atomic_store(&page.steps, 0);
}

static void ticks_become_time(void **state)
{
    (void)state;
    begin(HZ);
    fg_clock_page_write(&page, 1000, 5007 * S, 107 * S);
    struct fg_time at = fg_clock_page_read(&page, 1000);
    assert_int_equal(at.wall_ns, 5007 * S);
    assert_int_equal(at.elapsed_ns, 7 * S);
    at = fg_clock_page_read(&page, 1000 + HZ / 100);
    assert_in_range(at.wall_ns, 5007 * S + S / 100 - 1, 5007 * S + S / 100);
    assert_in_range(at.elapsed_ns, 7 * S + S / 100 - 1, 7 * S + S / 100);
}

/* A worker that read its TSC before the page was written anew must not compute a huge step. */
static void tsc_before_the_page(void **state)
{
    (void)state;
    begin(HZ);
    struct fg_time at = fg_clock_page_read(&page, 1);
    assert_int_equal(at.wall_ns, 5000 * S);
    assert_int_equal(at.elapsed_ns, 0);
}

/* Control may be away for long, and machines tick fast: nothing overflows. */
static void long_without_control(void **state)
{
    (void)state;
    begin(5 * S);
    struct fg_time at = fg_clock_page_read(&page, 1000 + 5 * S * 86400 * 365);
    assert_in_range(at.elapsed_ns, 86400 * 365 * S - S, 86400 * 365 * S);
}

static void steps_of_the_wall_clock(void **state)
{
    (void)state;
    /* How far the wall clock moves while 10 ms pass, in ms. */
    static const struct {
        int64_t moved_ms;
        uint64_t steps;
    } cases[] = {
        {10, 0}, {0, 0}, {30, 0}, {-980, 0}, {1000, 0}, {1020, 1}, {-1000, 1}, {-3600000, 1},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin(HZ);
        uint64_t wall = 5000 * S + (uint64_t)(cases[i].moved_ms * 1000000);
        fg_clock_page_write(&page, 2000, wall, 100 * S + 10000000);
        assert_int_equal(atomic_load(&page.steps), cases[i].steps);
        /* A step moves the wall clock only. */
        assert_int_equal(fg_clock_page_read(&page, 2000).elapsed_ns, 10000000);
        assert_int_equal(fg_clock_page_read(&page, 2000).wall_ns, wall);
    }
}

static void update_reads_the_clocks(void **state)
{
    (void)state;
    struct timespec now;
    fg_clock_page_init(&page, HZ);
    fg_clock_page_update(&page);
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t wall = (uint64_t)now.tv_sec * S + (uint64_t)now.tv_nsec;
    struct fg_time at = fg_clock_page_read(&page, 0);
    assert_in_range(at.wall_ns, wall - S, wall);
    assert_in_range(at.elapsed_ns, 0, S);
    assert_int_equal(atomic_load(&page.steps), 0);
    assert_int_equal(atomic_load(&page.sequence) % 2, 0);
}

static void *read_page(void *arg)
{
    *(struct fg_time *)arg = fg_clock_page_read(&page, 0);
    return NULL;
}

/* A page that is being written is not read before it is whole. */
static void half_written_page_is_waited_for(void **state)
{
    (void)state;
    pthread_t reader;
    struct fg_time at = {0};

    begin(HZ);
    uint32_t sequence = atomic_load(&page.sequence);
    atomic_store(&page.sequence, sequence + 1);
    atomic_store(&page.wall_ns, 1);
    assert_int_equal(pthread_create(&reader, NULL, read_page, &at), 0);
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    atomic_store(&page.wall_ns, 2);
    atomic_store(&page.elapsed_ns, 3);
    atomic_store(&page.sequence, sequence + 2);
    pthread_join(reader, NULL);
    assert_int_equal(at.wall_ns, 2);
    assert_int_equal(at.elapsed_ns, 3);
}

static atomic_bool stop;

/* Every page written has wall = elapsed + 1 s: a read of two different pages would show. */
static void *write_pages(void *arg)
{
    (void)arg;
    for (uint64_t i = 1; !atomic_load(&stop); i++)
        fg_clock_page_write(&page, UINT64_MAX, i * 1000 + S, i * 1000);
    return NULL;
}

static void reads_are_of_one_page(void **state)
{
    (void)state;
    pthread_t writer;
    uint64_t last = 0;

    fg_clock_page_init(&page, HZ);
    page.started_ns = 0;
    fg_clock_page_write(&page, UINT64_MAX, S, 0);
    atomic_store(&stop, false);
    assert_int_equal(pthread_create(&writer, NULL, write_pages, NULL), 0);
    while (last < PAGES * UINT64_C(1000)) {
        struct fg_time at = fg_clock_page_read(&page, 0);
        assert_int_equal(at.wall_ns, at.elapsed_ns + S);
        assert_true(at.elapsed_ns >= last);
        last = at.elapsed_ns;
    }
    atomic_store(&stop, true);
    pthread_join(writer, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_become_time),
        cmocka_unit_test(tsc_before_the_page),
        cmocka_unit_test(long_without_control),
        cmocka_unit_test(steps_of_the_wall_clock),
        cmocka_unit_test(update_reads_the_clocks),
        cmocka_unit_test(half_written_page_is_waited_for),
        cmocka_unit_test(reads_are_of_one_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
