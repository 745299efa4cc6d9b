/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How far the workers' clock is from CLOCK_REALTIME, measured: one thread writes the page as
 * control does, now and then late by a tenth of a second; others burn every core; a reader
 * compares. A reading of the machine's clock counts only if nothing came between the two of the TSC
 * around it.
 *
 * FLASHGATE_CLOCK_SECONDS=60 makes the long run of it.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <rte_cycles.h>

#include "dataplane/clock_page.h"
#include "tests/unit/tsc.h"

#define S           UINT64_C(1000000000)
#define TICK_NS     10000000
#define LATE_EVERY  50 /* ticks */
#define LATE_NS     100000000
#define WIDE_NS     1000 /* a bracket that something came between */
#define READ_EVERY  20000
#define ALLOWED_NS  100000
#define BUCKETS     1000
#define BUCKET_NS   200
#define BURNERS_MAX 64

static struct fg_clock_page page;
static atomic_bool stop;

static void *write_pages(void *arg)
{
    (void)arg;
    for (unsigned tick = 1; !atomic_load(&stop); tick++) {
        long ns = tick % LATE_EVERY == 0 ? LATE_NS : TICK_NS;
        nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
        fg_clock_page_update(&page);
    }
    return NULL;
}

static void *burn(void *arg)
{
    (void)arg;
    while (!atomic_load_explicit(&stop, memory_order_relaxed))
        ;
    return NULL;
}

static struct {
    uint64_t buckets[BUCKETS + 1];
    uint64_t samples, wide, max_ns;
} found;

static void compare_once(void)
{
    uint64_t before = rte_rdtsc_precise();
    uint64_t right_ns = fg_clock_ns(CLOCK_REALTIME);
    uint64_t after = rte_rdtsc_precise();
    struct fg_time at = fg_clock_page_read(&page, before + (after - before) / 2);
    uint64_t rate = atomic_load(&page.slots[0].ns_per_tsc_32);
    if ((uint64_t)(((unsigned __int128)(after - before) * rate) >> 32) > WIDE_NS) {
        found.wide++;
        return;
    }
    uint64_t off = at.wall_ns > right_ns ? at.wall_ns - right_ns : right_ns - at.wall_ns;
    uint64_t bucket = off / BUCKET_NS;
    found.buckets[bucket < BUCKETS ? bucket : BUCKETS]++;
    found.samples++;
    found.max_ns = off > found.max_ns ? off : found.max_ns;
}

/* Upper end of the bucket that has it. */
static uint64_t percentile_ns(uint64_t per_1000)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i <= BUCKETS; i++) {
        sum += found.buckets[i];
        if (sum * 1000 >= found.samples * per_1000)
            return i < BUCKETS ? (i + UINT64_C(1)) * BUCKET_NS : found.max_ns;
    }
    return found.max_ns;
}

static void workers_clock_is_the_wall_clock(void **state)
{
    (void)state;
    const char *text = getenv("FLASHGATE_CLOCK_SECONDS");
    uint64_t end, run_ns = text ? strtoull(text, NULL, 10) * S : 3 * S / 2;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    pthread_t writer, burners[BURNERS_MAX];
    unsigned burning = 0;

    fg_clock_page_init(&page, tsc_hz(100));
    assert_int_equal(pthread_create(&writer, NULL, write_pages, NULL), 0);
    while (burning < BURNERS_MAX && burning < (unsigned)cores)
        assert_int_equal(pthread_create(&burners[burning++], NULL, burn, NULL), 0);
    end = fg_clock_ns(CLOCK_MONOTONIC) + run_ns;
    while (fg_clock_ns(CLOCK_MONOTONIC) < end) {
        nanosleep(&(struct timespec){.tv_nsec = READ_EVERY}, NULL);
        for (unsigned i = 0; i < 16; i++)
            compare_once();
    }
    atomic_store(&stop, true);
    while (burning > 0)
        pthread_join(burners[--burning], NULL);
    pthread_join(writer, NULL);

    struct fg_clock_quality quality = fg_clock_page_quality(&page);
    printf(
        "read %lu times in %.1f s, %lu more dropped: off by %.1f us p50, %.1f p99, %.1f p99.9, "
        "%.1f max; %u pages, at their end off by %.1f us p99.9, %.1f max; the oldest was %.1f ms\n",
        (unsigned long)found.samples, (double)run_ns / S, (unsigned long)found.wide,
        (double)percentile_ns(500) / 1000, (double)percentile_ns(990) / 1000,
        (double)percentile_ns(999) / 1000, (double)found.max_ns / 1000, quality.samples,
        quality.error_ns_p999 / 1000.0, quality.error_ns_max / 1000.0, quality.age_us_max / 1000.0);
    assert_true(found.samples > 100);
    assert_in_range(percentile_ns(999), 0, ALLOWED_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(workers_clock_is_the_wall_clock)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
