/* SPDX-License-Identifier: BSD-3-Clause */
/* When requests leave: profiles against their integrals; and the generator's own limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#include "perf/load/effort.h"
#include "perf/load/schedule.h"

#define MS UINT64_C(1000000)

static struct load_schedule schedule;
static char message[256];

static int parse(const char *text, uint64_t rate, double duration_s)
{
    return load_schedule_parse(&schedule, text, rate, duration_s, message, sizeof(message));
}

/* Requests due before so many ms. */
static uint64_t due_by(double ms)
{
    uint64_t due = 0;

    while (due < schedule.requests && (double)load_schedule_when_ns(&schedule, due) < ms * 1e6)
        due++;
    return due;
}

static void assert_near(uint64_t seen, uint64_t wanted)
{
    if (seen + 1 < wanted || seen > wanted + 1)
        fail_msg("%lu requests instead of %lu", seen, wanted);
}

static void an_even_rate_is_even(void **state)
{
    (void)state;
    assert_int_equal(parse("flat", 1000, 3), 0);
    assert_int_equal(schedule.requests, 3000);
    for (uint64_t n = 0; n < 3000; n++)
        assert_in_range(load_schedule_when_ns(&schedule, n) + 1, n * MS, n * MS + 2);
    assert_true(load_schedule_when_ns(&schedule, 3000) == UINT64_MAX);
}

static void a_ramp_grows_by_the_square(void **state)
{
    (void)state;
    assert_int_equal(parse("ramp", 2000, 2), 0);
    assert_int_equal(schedule.requests, 2000);
    assert_near(due_by(500), 125);
    assert_near(due_by(1000), 500);
    assert_near(due_by(1500), 1125);
}

static void a_spike_is_a_hundredfold_in_ten_ms(void **state)
{
    (void)state;
    assert_int_equal(parse("spike", 1000000, 1), 0);
    assert_near(due_by(500), 5000);
    assert_near(due_by(510), 5000 + 5050);
    assert_near(due_by(610), 10050 + 100000);
    assert_near(due_by(710), 10050 + 200000);
    assert_near(due_by(720), 210050 + 5050);
    assert_near(schedule.requests, 215100 + 2800);
    assert_int_equal(schedule.length_ns / MS, 1000);
}

static void steps_are_equal(void **state)
{
    (void)state;
    assert_int_equal(parse("step", 1000, 10), 0);
    for (unsigned step = 1; step <= 10; step++)
        assert_near(due_by(1000.0 * step), 100 * step * (step + 1) / 2);
}

static void points_are_joined(void **state)
{
    (void)state;
    assert_int_equal(parse("100:0,200:1000,200:5000,300:5000,300:0,1000:0", 0, 0), 0);
    assert_int_equal(schedule.requests, 550);
    assert_int_equal(schedule.length_ns / MS, 1000);
    assert_near(due_by(100), 0);
    assert_near(due_by(200), 50);
    assert_near(due_by(250), 300);
    assert_int_equal(due_by(300.01), 550);
    assert_int_equal(load_schedule_is_named("100:0"), 0);
}

static void nobody_leaves_before_an_earlier_one(void **state)
{
    static const char *const texts[] = {"ramp", "spike", "step",
                                        "0:1,1000:90000,1500:90000,1500:7,4000:3000"};
    (void)state;
    for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
        assert_int_equal(parse(texts[t], 100000, 2), 0);
        uint64_t last = 0;
        for (uint64_t n = 0; n < schedule.requests; n++) {
            uint64_t when = load_schedule_when_ns(&schedule, n);
            assert_true(when >= last && when <= schedule.length_ns);
            last = when;
        }
    }
}

static void wrong_profiles_are_told_in_a_sentence(void **state)
{
    static const char *const wrong[] = {
        "",        "cliff",          "100", "100:",    "100:x",     "5:1,3:1",
        "0:0,9:0", "0:1,86400001:1", "0:1", "0:1;5:1", "0:1e10,5:1"};
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        message[0] = '\0';
        if (parse(wrong[i], 1000, 1) != -1)
            fail_msg("\"%s\" is taken", wrong[i]);
        assert_non_null(strstr(message, "--profile"));
    }
}

static struct load_effort effort;

/* `turns` turns of a microsecond each. */
static void play(unsigned turns, struct load_turn turn)
{
    for (unsigned i = 0; i < turns; i++)
        load_effort_turn(&effort, effort.last_ns + 1000, &turn);
}

static void its_own_lateness_limits_it(void **state)
{
    (void)state;
    effort = (struct load_effort){0};
    play(1, (struct load_turn){0}); /* starts the clock */
    play(900, (struct load_turn){.worked = true});
    play(60, (struct load_turn){.worked = true, .late = true, .held = true});
    play(40, (struct load_turn){.worked = true, .late = true});
    assert_int_equal(effort.total_ns, 1000 * 1000);
    assert_int_equal(effort.late_ns, 100 * 1000);
    assert_int_equal(effort.own_late_ns, 40 * 1000);
    assert_false(load_effort_limited(&effort));
    play(20, (struct load_turn){.late = true});
    assert_true(load_effort_limited(&effort));
    assert_true(load_effort_share(&effort, effort.busy_ns) < 0.99);
}

static void flat_out_a_wire_that_is_never_full_tells_on_it(void **state)
{
    (void)state;
    effort = (struct load_effort){.flat_out = true};
    play(1, (struct load_turn){0});
    play(960, (struct load_turn){.worked = true});
    play(40, (struct load_turn){.worked = true, .held = true});
    assert_true(load_effort_limited(&effort));
    play(20, (struct load_turn){.worked = true, .held = true});
    assert_false(load_effort_limited(&effort));
}

static void its_best_rate_is_that_of_a_slot(void **state)
{
    (void)state;
    effort = (struct load_effort){0};
    for (uint64_t ms = 0, sent = 0; ms <= 1000; ms++) {
        sent += ms >= 300 && ms < 500 ? 90 : 10;
        load_effort_turn(&effort, (ms + 1) * MS, &(struct load_turn){.sent = sent});
    }
    assert_in_range(effort.best, 88000, 90000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_even_rate_is_even),
        cmocka_unit_test(a_ramp_grows_by_the_square),
        cmocka_unit_test(a_spike_is_a_hundredfold_in_ten_ms),
        cmocka_unit_test(steps_are_equal),
        cmocka_unit_test(points_are_joined),
        cmocka_unit_test(nobody_leaves_before_an_earlier_one),
        cmocka_unit_test(wrong_profiles_are_told_in_a_sentence),
        cmocka_unit_test(its_own_lateness_limits_it),
        cmocka_unit_test(flat_out_a_wire_that_is_never_full_tells_on_it),
        cmocka_unit_test(its_best_rate_is_that_of_a_slot),
    };
    return cmocka_run_group_tests_name("load_schedule", tests, NULL, NULL);
}
