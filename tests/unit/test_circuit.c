/* SPDX-License-Identifier: BSD-3-Clause */
/* The circuit breaker, on a hand clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dataplane/orders/circuit.h"

#define MS UINT64_C(1000000)

static struct fg_circuit circuit;
static uint64_t now_ns;

static int set_up(void **state)
{
    (void)state;
    now_ns = 1000 * MS;
    fg_circuit_init(&circuit, 0, 42);
    return 0;
}

static void assert_is(enum fg_circuit_state state, unsigned openings)
{
    assert_int_equal(circuit.stats.state, state);
    assert_int_equal(circuit.stats.openings, openings);
}

/* Fails, and tells how long no call may be made; the clock stands there then. */
static uint64_t fail_once(void)
{
    uint64_t began_ns = now_ns, until_ns;

    fg_circuit_failed(&circuit, now_ns);
    until_ns = circuit.stats.until_ns;
    now_ns = until_ns - 1;
    assert_false(fg_circuit_may_call(&circuit, now_ns));
    now_ns = until_ns;
    return until_ns - began_ns;
}

/* At most a quarter below what is due. */
static void assert_about(uint64_t wait_ns, uint64_t due_ns)
{
    assert_in_range(wait_ns, due_ns - due_ns / 4, due_ns);
}

static void is_closed_at_first(void **state)
{
    (void)state;
    assert_true(fg_circuit_may_call(&circuit, 0));
    fg_circuit_worked(&circuit);
    assert_is(FG_CIRCUIT_CLOSED, 0);
    assert_int_equal(fg_circuit_left_ns(&circuit.stats, 0), 0);
}

/* A failure or two hold the next call back, and are forgotten when one works. */
static void some_failures_do_not_open_it(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        for (int i = 1; i < FG_CIRCUIT_FAILURES; i++) {
            assert_about(fail_once(), 10 * MS);
            assert_is(FG_CIRCUIT_CLOSED, 0);
            assert_true(fg_circuit_may_call(&circuit, now_ns));
        }
        fg_circuit_worked(&circuit);
    }
    assert_is(FG_CIRCUIT_CLOSED, 0);
}

static void open_it(void)
{
    for (int i = 0; i < FG_CIRCUIT_FAILURES; i++)
        fg_circuit_failed(&circuit, now_ns);
}

static void lets_one_attempt_through_and_closes_when_it_works(void **state)
{
    (void)state;
    open_it();
    assert_is(FG_CIRCUIT_OPEN, 1);
    uint64_t left_ns = fg_circuit_left_ns(&circuit.stats, now_ns);
    assert_about(left_ns, 20 * MS);
    assert_false(fg_circuit_may_call(&circuit, now_ns + left_ns - 1));
    assert_is(FG_CIRCUIT_OPEN, 1);
    now_ns += left_ns;
    assert_true(fg_circuit_may_call(&circuit, now_ns));
    assert_is(FG_CIRCUIT_HALF_OPEN, 1);
    assert_int_equal(fg_circuit_left_ns(&circuit.stats, now_ns), 0);
    assert_true(fg_circuit_may_call(&circuit, now_ns)); /* the attempt may take several calls */
    fg_circuit_worked(&circuit);
    assert_is(FG_CIRCUIT_CLOSED, 1);
    assert_true(fg_circuit_may_call(&circuit, now_ns));
    assert_about(fail_once(), 10 * MS); /* from the beginning */
    assert_is(FG_CIRCUIT_CLOSED, 1);
}

/* 20, 40, 80 ... 640 ms, 1 s, 1 s ...; an opening is counted once, until it was closed again. */
static void waits_longer_each_time_up_to_the_limit(void **state)
{
    uint64_t due_ns = 20 * MS;

    (void)state;
    for (int i = 1; i < FG_CIRCUIT_FAILURES; i++)
        fail_once();
    for (int i = 0; i < 100; i++) {
        assert_about(fail_once(), due_ns);
        assert_is(FG_CIRCUIT_OPEN, 1);
        assert_true(fg_circuit_may_call(&circuit, now_ns));
        assert_is(FG_CIRCUIT_HALF_OPEN, 1);
        due_ns = 2 * due_ns < 1000 * MS ? 2 * due_ns : 1000 * MS;
    }
    fg_circuit_worked(&circuit);
    open_it();
    assert_is(FG_CIRCUIT_OPEN, 2);
}

static void takes_another_limit(void **state)
{
    (void)state;
    fg_circuit_init(&circuit, 15 * MS, 7);
    assert_about(fail_once(), 10 * MS);
    for (int i = 0; i < 20; i++)
        assert_in_range(fail_once(), 7 * MS, 15 * MS);
    fg_circuit_init(&circuit, 5 * MS, 0); /* below the least, and a seed that is none */
    assert_about(fail_once(), 5 * MS);
}

/* Engines with different seeds do not come back together, and one does not at even steps. */
static void waits_differ_by_chance(void **state)
{
    struct fg_circuit other;
    unsigned same = 0;

    (void)state;
    fg_circuit_init(&other, 0, 43);
    for (int i = 0; i < 50; i++) {
        fg_circuit_failed(&circuit, now_ns);
        fg_circuit_failed(&other, now_ns);
        same += circuit.stats.until_ns == other.stats.until_ns;
    }
    assert_true(same < 5);
}

static void a_refusal_opens_it_at_once_for_a_given_time(void **state)
{
    (void)state;
    fg_circuit_refused(&circuit, now_ns, 5000 * MS);
    assert_is(FG_CIRCUIT_OPEN, 1);
    assert_int_equal(fg_circuit_left_ns(&circuit.stats, now_ns), 5000 * MS);
    assert_false(fg_circuit_may_call(&circuit, now_ns + 5000 * MS - 1));
    assert_true(fg_circuit_may_call(&circuit, now_ns + 5000 * MS));
    fg_circuit_worked(&circuit);
    assert_is(FG_CIRCUIT_CLOSED, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(is_closed_at_first, set_up),
        cmocka_unit_test_setup(some_failures_do_not_open_it, set_up),
        cmocka_unit_test_setup(lets_one_attempt_through_and_closes_when_it_works, set_up),
        cmocka_unit_test_setup(waits_longer_each_time_up_to_the_limit, set_up),
        cmocka_unit_test_setup(takes_another_limit, set_up),
        cmocka_unit_test_setup(waits_differ_by_chance, set_up),
        cmocka_unit_test_setup(a_refusal_opens_it_at_once_for_a_given_time, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
