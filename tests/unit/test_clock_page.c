/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/clock_page.h"
#include "dataplane/orders/clock.h"

#define PAGES 3000000 /* written while they are read */
#define HZ    UINT64_C(2000000000)
#define S     UINT64_C(1000000000)
#define MS    UINT64_C(1000000)

static struct fg_clock_page page;

/* A page that began at monotonic time 100 s, wall time 5000 s. */
static void begin(uint64_t hz)
{
    memset(&page, 0, sizeof(page));
    page.keeper.nominal_rate = page.keeper.rate = (uint64_t)(((unsigned __int128)S << 32) / hz);
    page.keeper.started_ns = 100 * S;
    fg_clock_page_write(&page, 1000, 5000 * S, 100 * S);
}

static uint64_t wall_at(uint64_t tsc)
{
    return fg_clock_page_read(&page, tsc).wall_ns;
}

/* What the machine is, as time goes on: control writes a page every 10 ms, or when it comes to it.
 */
static struct machine {
    uint64_t tsc, wall_ns, monotonic_ns;
    int64_t rate_ppm; /* the clocks run faster than the TSC by so much */
} machine;

static void machine_begins(void)
{
    begin(HZ);
    machine = (struct machine){1000, 5000 * S, 100 * S, 0};
}

static void pass(uint64_t ns)
{
    machine.tsc += ns * (HZ / 1000000) / 1000;
    int64_t passed = (int64_t)ns + (int64_t)ns * machine.rate_ppm / 1000000;
    machine.wall_ns += (uint64_t)passed;
    machine.monotonic_ns += (uint64_t)passed;
}

static void write_page(void)
{
    fg_clock_page_write(&page, machine.tsc, machine.wall_ns, machine.monotonic_ns);
}

static void ticks(unsigned count)
{
    while (count-- > 0) {
        pass(10 * MS);
        write_page();
    }
}

/* How far the page is off, ns. */
static uint64_t error_now(void)
{
    uint64_t told = wall_at(machine.tsc);
    return told > machine.wall_ns ? told - machine.wall_ns : machine.wall_ns - told;
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

/* NTP slews the clock: 500 ppm are 5 us in 10 ms until the rate is measured, and nothing after it.
 */
static void a_slew_is_followed(void **state)
{
    (void)state;
    machine_begins();
    ticks(200);
    machine.rate_ppm = 500;
    for (unsigned i = 0; i < 300; i++) {
        pass(10 * MS);
        assert_in_range(error_now(), 0, 5100);
        write_page();
    }
    pass(S); /* control is late by a second: only now does the rate matter */
    assert_in_range(error_now(), 0, 2000);
    write_page();
    machine.rate_ppm = -80000; /* as fast as chrony may */
    ticks(1);
    for (unsigned i = 0; i < 100; i++) {
        pass(10 * MS);
        assert_in_range(error_now(), 0, 2000);
        write_page();
    }
}

/* The TSC's rate as told at the start is wrong by 100 ppm. */
static void a_wrong_rate_is_mended(void **state)
{
    (void)state;
    machine_begins();
    machine.rate_ppm = 100;
    ticks(12);
    pass(S);
    assert_in_range(error_now(), 0, 2000);
}

static void absurd_rates_are_not_believed(void **state)
{
    (void)state;
    machine_begins();
    ticks(100);
    machine.tsc += 3 * HZ; /* the virtual machine was moved */
    ticks(1);
    pass(10 * MS);
    assert_in_range(error_now(), 0, 10);
    machine.tsc = 500;
    ticks(1);
    pass(10 * MS);
    assert_in_range(error_now(), 0, 10);
    write_page();
    write_page(); /* no time between */
    pass(10 * MS);
    assert_in_range(error_now(), 0, 10);
}

/* Up to a second is followed; more is not: the clock goes on from what it was. */
static void steps_of_the_wall_clock(void **state)
{
    (void)state;
    static const struct {
        int64_t step_ms;
        bool held;
    } cases[] = {
        {0, false},   {900, false},  {-900, false},   {1000, false},
        {1001, true}, {-1001, true}, {7200000, true}, {-7200000, true},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        machine_begins();
        ticks(3);
        uint64_t before = machine.wall_ns;
        int64_t step = cases[i].step_ms * (int64_t)MS;
        machine.wall_ns += (uint64_t)step;
        ticks(1);
        uint64_t followed = machine.wall_ns, held = before + 10 * MS;
        assert_int_equal(wall_at(machine.tsc), cases[i].held ? held : followed);
        assert_int_equal(page.keeper.steps, cases[i].held);
        assert_int_equal(fg_clock_page_ahead(&page), cases[i].held ? step : 0);
        assert_int_equal(fg_clock_page_read(&page, machine.tsc).ahead_ns,
                         cases[i].held && step > 0 ? step : 0);
        /* It stays so, and elapsed time never knew. */
        ticks(100);
        assert_int_equal(wall_at(machine.tsc), cases[i].held ? held + S : followed + S);
        assert_int_equal(fg_clock_page_read(&page, machine.tsc).elapsed_ns, S + 40 * MS);
        assert_int_equal(page.keeper.steps, cases[i].held);
    }
}

static void a_step_that_is_taken_back_is_over(void **state)
{
    (void)state;
    machine_begins();
    machine.wall_ns += 60 * S;
    ticks(100);
    assert_int_equal(fg_clock_page_ahead(&page), 60 * S);
    machine.wall_ns -= 60 * S - 5 * MS;
    ticks(1);
    assert_int_equal(fg_clock_page_ahead(&page), 0);
    assert_int_equal(wall_at(machine.tsc), machine.wall_ns);
    assert_int_equal(page.keeper.steps, 1);
}

static void a_step_while_held_is_counted(void **state)
{
    (void)state;
    machine_begins();
    machine.wall_ns += 60 * S;
    ticks(2);
    machine.wall_ns += 60 * S;
    ticks(2);
    assert_int_equal(page.keeper.steps, 2);
    assert_int_equal(fg_clock_page_ahead(&page), 120 * S);
}

static void an_accepted_step_is_followed(void **state)
{
    (void)state;
    static const int64_t steps_s[] = {3600, -3600};
    for (unsigned i = 0; i < 2; i++) {
        machine_begins();
        ticks(1);
        struct fg_time was = fg_clock_page_read(&page, machine.tsc);
        machine.wall_ns += (uint64_t)(steps_s[i] * (int64_t)S);
        ticks(1);
        struct fg_time held = fg_clock_page_read(&page, machine.tsc);
        assert_true(fg_clock_moves(&held, was.wall_ns, was.accepted));
        fg_clock_page_accept(&page);
        assert_int_equal(wall_at(machine.tsc), machine.wall_ns);
        assert_int_equal(fg_clock_page_ahead(&page), 0);
        struct fg_time now = fg_clock_page_read(&page, machine.tsc);
        assert_true(fg_clock_moves(&now, held.wall_ns, held.accepted));
        assert_int_equal(now.accepted, held.accepted + 1);
        assert_int_equal(now.ahead_ns, 0);
        ticks(10);
        assert_int_equal(wall_at(machine.tsc), machine.wall_ns);
    }
}

/* Less than a second back: who follows the page stands still until it has caught up. */
static void nobody_goes_back(void **state)
{
    (void)state;
    machine_begins();
    ticks(1);
    struct fg_time at = fg_clock_page_read(&page, machine.tsc);
    machine.wall_ns -= 500 * MS;
    ticks(1);
    struct fg_time back = fg_clock_page_read(&page, machine.tsc);
    assert_true(back.wall_ns < at.wall_ns);
    assert_false(fg_clock_moves(&back, at.wall_ns, at.accepted));
    ticks(60);
    back = fg_clock_page_read(&page, machine.tsc);
    assert_true(fg_clock_moves(&back, at.wall_ns, at.accepted));
}

static void update_reads_the_clocks(void **state)
{
    (void)state;
    fg_clock_page_init(&page, HZ);
    uint64_t wall = fg_clock_ns(CLOCK_REALTIME);
    struct fg_time at = fg_clock_page_read(&page, 0);
    assert_in_range(at.wall_ns, wall - S, wall);
    assert_in_range(at.elapsed_ns, 0, S);
    assert_int_equal(page.keeper.steps, 0);
    struct fg_clock_quality quality = fg_clock_page_quality(&page);
    assert_in_range(quality.samples, 0, 1);
    assert_true(quality.error_ns_p999 <= quality.error_ns_max);
}

/* What the start took after the page began is no time that holds have had. */
static void elapsed_time_counts_from_serving(void **state)
{
    (void)state;
    fg_clock_page_init(&page, HZ);
    page.keeper.started_ns -= 90 * S; /* many buffers, slow ports */
    page.keeper.last.monotonic_ns -= 90 * S;
    fg_clock_page_serve(&page);
    struct fg_time at = fg_clock_page_read(&page, page.keeper.last.tsc);
    assert_int_equal(at.elapsed_ns, 0);
    assert_int_equal(at.wall_ns, page.keeper.last.monotonic_ns + (uint64_t)page.keeper.offset_ns);
    assert_int_equal(fg_clock_page_quality(&page).samples, 0);
}

/* Control is stopped in the middle of writing: what is read is the page before, at once. */
static void nobody_waits_for_a_writer(void **state)
{
    (void)state;
    machine_begins();
    ticks(3);
    uint64_t before = wall_at(machine.tsc);
    struct fg_clock_slot *filled = &page.slots[(atomic_load(&page.sequence) + 1) & 1];
    atomic_store(&filled->wall_ns, 1);
    atomic_store(&filled->tsc, 2);
    assert_int_equal(wall_at(machine.tsc), before);
}

static void quality_is_of_the_last_minute(void **state)
{
    (void)state;
    machine_begins();
    assert_int_equal(fg_clock_page_quality(&page).samples, 0);
    for (unsigned i = 0; i < 1000; i++)
        page.keeper.sample[i] = (struct fg_clock_sample){i + 1, 2 * i};
    page.keeper.samples = 1000;
    struct fg_clock_quality quality = fg_clock_page_quality(&page);
    assert_int_equal(quality.samples, 1000);
    assert_int_equal(quality.error_ns_p999, 999);
    assert_int_equal(quality.error_ns_max, 1000);
    assert_int_equal(quality.age_us_max, 1998);
    page.keeper.samples = FG_CLOCK_SAMPLES + UINT64_C(5);
    assert_int_equal(fg_clock_page_quality(&page).samples, FG_CLOCK_SAMPLES);
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

    memset(&page, 0, sizeof(page));
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
        cmocka_unit_test(a_slew_is_followed),
        cmocka_unit_test(a_wrong_rate_is_mended),
        cmocka_unit_test(absurd_rates_are_not_believed),
        cmocka_unit_test(steps_of_the_wall_clock),
        cmocka_unit_test(a_step_that_is_taken_back_is_over),
        cmocka_unit_test(a_step_while_held_is_counted),
        cmocka_unit_test(an_accepted_step_is_followed),
        cmocka_unit_test(nobody_goes_back),
        cmocka_unit_test(update_reads_the_clocks),
        cmocka_unit_test(elapsed_time_counts_from_serving),
        cmocka_unit_test(nobody_waits_for_a_writer),
        cmocka_unit_test(quality_is_of_the_last_minute),
        cmocka_unit_test(reads_are_of_one_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
