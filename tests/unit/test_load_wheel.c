/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "perf/load/random.h"
#include "perf/load/wheel.h"

enum { TIMERS = 64 };
static struct load_timer timers[TIMERS];
static struct load_wheel wheel;

static int new_wheel(void **state)
{
    (void)state;
    memset(timers, 0, sizeof(timers));
    load_wheel_init(&wheel, timers);
    return 0;
}

static void a_timer_expires_at_its_tick_and_once(void **state)
{
    (void)state;
    load_wheel_start(&wheel, 5, 10);
    load_wheel_advance(&wheel, 9);
    assert_int_equal(load_wheel_take(&wheel), LOAD_WHEEL_NONE);
    load_wheel_advance(&wheel, 10);
    assert_int_equal(load_wheel_take(&wheel), 5);
    assert_int_equal(load_wheel_take(&wheel), LOAD_WHEEL_NONE);
    assert_false(timers[5].running);
}

static void a_timer_of_the_past_expires_next(void **state)
{
    (void)state;
    load_wheel_advance(&wheel, 100);
    load_wheel_start(&wheel, 1, 50);
    load_wheel_advance(&wheel, 101);
    assert_int_equal(load_wheel_take(&wheel), 1);
}

static void a_far_timer_waits_whole_turns(void **state)
{
    const uint32_t due = 3 * LOAD_WHEEL_SLOTS + 7;
    (void)state;
    load_wheel_start(&wheel, 2, due);
    load_wheel_advance(&wheel, due - 1);
    assert_int_equal(load_wheel_take(&wheel), LOAD_WHEEL_NONE);
    load_wheel_advance(&wheel, due);
    assert_int_equal(load_wheel_take(&wheel), 2);
}

static void a_stopped_timer_is_silent_even_when_expired(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        load_wheel_start(&wheel, i, 4);
    load_wheel_stop(&wheel, 1);
    load_wheel_stop(&wheel, 1);
    load_wheel_advance(&wheel, 4);
    load_wheel_stop(&wheel, 0);
    assert_int_equal(load_wheel_take(&wheel), 2);
    assert_int_equal(load_wheel_take(&wheel), LOAD_WHEEL_NONE);
}

static void random_use_equals_a_plain_list(void **state)
{
    uint32_t due[TIMERS] = {0};
    (void)state;
    for (uint64_t step = 0; step < 100000; step++) {
        uint64_t word = load_word(9, step);
        uint32_t timer = (uint32_t)(word % TIMERS);
        if (due[timer] == 0) {
            due[timer] = wheel.tick + 1 + (uint32_t)(word >> 32) % (2 * LOAD_WHEEL_SLOTS);
            load_wheel_start(&wheel, timer, due[timer]);
        } else if (word & 1 << 20) {
            load_wheel_stop(&wheel, timer);
            due[timer] = 0;
        }
        uint32_t tick = wheel.tick + (uint32_t)(word >> 24) % 50;
        load_wheel_advance(&wheel, tick);
        for (uint32_t i; (i = load_wheel_take(&wheel)) != LOAD_WHEEL_NONE; due[i] = 0)
            assert_true(due[i] != 0 && due[i] <= tick);
        for (uint32_t i = 0; i < TIMERS; i++)
            assert_true(due[i] == 0 || due[i] > tick);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_timer_expires_at_its_tick_and_once, new_wheel),
        cmocka_unit_test_setup(a_timer_of_the_past_expires_next, new_wheel),
        cmocka_unit_test_setup(a_far_timer_waits_whole_turns, new_wheel),
        cmocka_unit_test_setup(a_stopped_timer_is_silent_even_when_expired, new_wheel),
        cmocka_unit_test_setup(random_use_equals_a_plain_list, new_wheel),
    };
    return cmocka_run_group_tests_name("load_wheel", tests, NULL, NULL);
}
