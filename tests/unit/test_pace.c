/* SPDX-License-Identifier: BSD-3-Clause */
/* How long the journal's threads rest. */
#include "dataplane/orders/journal_state.h"
#include "dataplane/orders/pace.h"
#include "tests/unit/log_fixture.h"

#define US 1000

static void gathering(void **state)
{
    (void)state;
    static const struct {
        uint32_t records;
        uint64_t took_us;
        bool pressed;
        uint64_t wanted_us;
    } cases[] = {
        {1, 120, false, 120},                           /* half the core is left */
        {0, 90, false, 90},                             /* a closing frame */
        {60, 120, false, 120},   {61, 120, false, 122}, /* longer for more records */
        {200, 150, false, 400},  {375, 150, false, 750},
        {5000, 300, false, 750}, /* never long */
        {1, 9000, false, 750},   /* whatever the disk does */
        {5000, 300, true, 0},    /* more is there */
        {1, 120, true, 0},       {UINT32_MAX, 1, false, 750},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(fg_gather_ns(cases[i].records, cases[i].took_us * US, cases[i].pressed),
                         cases[i].wanted_us * US);
}

static void zeros(void **state)
{
    (void)state;
    assert_int_equal(fg_zeros_rest_ns(700 * US, false), 2800 * US);
    assert_int_equal(fg_zeros_rest_ns(5000 * US, false), 20000 * US);
    assert_int_equal(fg_zeros_rest_ns(UINT64_MAX, false), 20000 * US);
    assert_int_equal(fg_zeros_rest_ns(0, false), 0);
    assert_int_equal(fg_zeros_rest_ns(700 * US, true), 0);
}

static void step_of(struct log_fixture *fixture, unsigned worker, uint32_t count, bool pressed)
{
    for (uint32_t i = 0; i < count; i++)
        push_order(fixture, 1, worker, i + 1);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    assert_int_equal(fixture->journal->pressed, pressed);
}

/* A quarter of a lane in one frame, of any lane. */
static void a_lane_that_fills_up_presses(void **state)
{
    struct log_fixture *fixture = *state;

    journal_must_open(fixture);
    uint32_t quarter = fg_journal_lane(fixture->journal, 0)->capacity / 4;
    step_of(fixture, 0, quarter - 1, false);
    step_of(fixture, 0, quarter, true);
    step_of(fixture, 0, 1, false);
    step_of(fixture, 1, quarter, true);
    step_of(fixture, 1, 1, false);
}

/* Nor does it rest when more is there than the frame took. */
static void a_full_frame_presses(void **state)
{
    struct log_fixture *fixture = *state;

    fixture->config.lane_records = 1 << 17;
    journal_must_open(fixture);
    uint32_t most = FG_ORDER_FRAME_MAX / FG_RECORD_BYTES - 1;
    step_of(fixture, 0, most - 1, false);
    step_of(fixture, 0, most + 1, true);
    step_of(fixture, 0, 0, false);
}

static void count(void *arg)
{
    ++*(unsigned *)arg;
}

static void a_segment_is_made_by_pieces(void **state)
{
    struct log_fixture *fixture = *state;
    unsigned pieces = 0, segments = 0;

    journal_must_open(fixture);
    while (fg_journal_prepare_by_pieces(fixture->journal, count, &pieces) > 0)
        segments++;
    assert_true(segments > 0);
    assert_int_equal(pieces, segments * (FG_SEGMENT_MIN / FG_SEGMENT_CHUNK));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gathering),        cmocka_unit_test(zeros),
        CASE(a_lane_that_fills_up_presses), CASE(a_full_frame_presses),
        CASE(a_segment_is_made_by_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
