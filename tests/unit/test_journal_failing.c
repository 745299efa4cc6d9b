/* SPDX-License-Identifier: BSD-3-Clause */
/* A log that is full or stuck and a disk that fails, on real files, step by step. */
#include "faulty_disk.h"

#define WORKERS 4

/* As a worker would: fills every lane as long as the log has room. Records pushed to each. */
static uint32_t fill_lanes(struct log_fixture *fixture, bool settles, uint32_t count)
{
    uint32_t pushed = 0;

    for (; fg_lane_room(fg_journal_lane(fixture->journal, 0)) > 0; pushed++)
        for (unsigned w = 0; w < WORKERS; w++) {
            if (!fg_lane_log_room(fg_journal_lane(fixture->journal, w), settles))
                return pushed;
            push_order(fixture, 1, w, count + pushed + 1);
        }
    return pushed;
}

static void test_full_log_refuses_in_time(void **state)
{
    struct log_fixture *fixture = *state;
    uint32_t counts[WORKERS] = {0}, orders = 0, pushed;

    fixture->config.budget_bytes = 5 * FG_SEGMENT_MIN;
    journal_must_open(fixture);
    for (int settles = 0; settles <= 1; settles++) {
        while ((pushed = fill_lanes(fixture, settles, counts[0])) > 0) {
            for (unsigned w = 0; w < WORKERS; w++)
                counts[w] += pushed;
            do
                assert_int_equal(fg_journal_step(fixture->journal), 1);
            while (lane_durable(fixture, 0) < counts[0]);
            (void)fg_journal_prepare(fixture->journal); /* the helper, until the budget is up */
        }
        if (!settles)
            orders = counts[0];
    }
    /* Half of the budget at least went into orders, and something was left for settling them. */
    assert_true((uint64_t)orders * WORKERS * FG_RECORD_BYTES > fixture->config.budget_bytes / 2);
    assert_true(counts[0] > orders);
    assert_false(fg_lane_log_room(fg_journal_lane(fixture->journal, 3), true));
    assert_int_equal(fg_journal_stats(fixture->journal)->log_room, FG_LOG_SHUT);
    fg_journal_stop(fixture->journal);
    assert_int_equal(fg_journal_failed(fixture->journal), 0);
    journal_drop(fixture);
    journal_must_open(fixture); /* a start finds room for its epoch */
    check_orders(fixture, counts, WORKERS);
    assert_false(fg_lane_log_room(fg_journal_lane(fixture->journal, 3), true));
    journal_drop(fixture);
    fixture->config.budget_bytes *= 2;
    journal_must_open(fixture);
    assert_true(fg_lane_log_room(fg_journal_lane(fixture->journal, 3), false));
}

/* A disk that gives no more segments is told while there is still one to write into; and when it
 * gives again. */
static void test_stuck_log_refuses_in_time(void **state)
{
    struct log_fixture *fixture = *state;
    struct faults *faults = use_faulty_disk(fixture);

    journal_must_open(fixture);
    const struct fg_lane *lane = fg_journal_lane(fixture->journal, 0);
    assert_int_equal(fg_journal_prepare(fixture->journal), 1);
    faults->fail_write = true;
    assert_true(fg_journal_prepare(fixture->journal) < 0);
    faults->fail_write = false;
    for (uint32_t count = 0; fg_lane_log_room(lane, false); count++) {
        assert_true(count * UINT64_C(4096) < FG_SEGMENT_MIN);
        push_order(fixture, 1, 0, count + 1);
        assert_int_equal(fg_journal_step(fixture->journal), 1);
    }
    assert_true(fg_lane_log_room(lane, true));
    assert_int_equal(fg_journal_prepare(fixture->journal), 1);
    assert_true(fg_journal_step(fixture->journal) >= 0);
    assert_true(fg_lane_log_room(lane, false));
}

static void test_full_log_fails_for_good(void **state)
{
    struct log_fixture *fixture = *state;
    uint32_t counts[WORKERS] = {0};
    int rc;

    fixture->config.budget_bytes = 3 * FG_SEGMENT_MIN;
    journal_must_open(fixture);
    do {
        for (unsigned w = 0; w < WORKERS; w++)
            for (unsigned i = 0; i < 2047; i++)
                push_order(fixture, 1, w, counts[w] + i + 1);
        rc = fg_journal_step(fixture->journal);
        for (unsigned w = 0; rc > 0 && w < WORKERS; w++)
            counts[w] += 2047;
        assert_true(counts[0] * sizeof(struct fg_order_event) < fixture->config.budget_bytes);
    } while (rc > 0);
    assert_int_equal(rc, -ENOSPC);
    assert_int_equal(fg_journal_failed(fixture->journal), -ENOSPC);
    assert_int_equal(lane_durable(fixture, 0), counts[0]);
    assert_int_equal(fg_journal_step(fixture->journal), -ENOSPC);
    assert_int_equal(fg_journal_prepare(fixture->journal), -ENOSPC);
    journal_drop(fixture);
    /* With a larger budget it goes on where it was. */
    fixture->config.budget_bytes = 4 * FG_SEGMENT_MIN;
    journal_must_open(fixture);
    check_orders(fixture, counts, WORKERS);
}

/* After the first failure nothing is published, ever, though the disk works again. */
static void check_dead(struct log_fixture *fixture, struct faults *faults)
{
    uint64_t durable = fg_journal_durable(fixture->journal);
    uint64_t lane = lane_durable(fixture, 1),
             tickets = fg_journal_submitted_durable(fixture->journal);

    push_order(fixture, 1, 1, 2);
    submit(fixture, FG_EVENT_ENGINE_STATE, 0, NULL, 1, 0);
    assert_int_equal(fg_journal_step(fixture->journal), -EIO);
    assert_int_equal(fg_journal_failed(fixture->journal), -EIO);
    faults->fail_write = faults->fail_flush = false;
    unsigned writes = faults->writes_seen;
    push_order(fixture, 1, 1, 3);
    assert_int_equal(fg_journal_step(fixture->journal), -EIO);
    fg_journal_stop(fixture->journal);
    assert_int_equal(faults->writes_seen, writes);
    assert_int_equal(fg_journal_durable(fixture->journal), durable);
    assert_int_equal(lane_durable(fixture, 1), lane);
    assert_int_equal(fg_journal_submitted_durable(fixture->journal), tickets);
    assert_int_equal(fg_journal_failed(fixture->journal), -EIO);
}

static void test_failing_write(void **state)
{
    struct log_fixture *fixture = *state;
    struct faults *faults = use_faulty_disk(fixture);

    journal_must_open(fixture);
    push_order(fixture, 1, 1, 1);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    faults->fail_write = true;
    check_dead(fixture, faults);
    journal_drop(fixture);
    journal_must_open(fixture);
    assert_int_equal(fixture->told.orders_count, 1);
}

static void test_failing_flush(void **state)
{
    struct log_fixture *fixture = *state;
    struct faults *faults = use_faulty_disk(fixture);

    faults->no_direct = true;
    journal_must_open(fixture);
    assert_int_equal(fg_journal_stats(fixture->journal)->flushes_direct, 0);
    unsigned flushes = faults->flushes_seen;
    push_order(fixture, 1, 1, 1);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    assert_int_equal(faults->flushes_seen, flushes + 1);
    faults->fail_flush = true;
    check_dead(fixture, faults);
}

static void test_failing_disk_at_start(void **state)
{
    struct log_fixture *fixture = *state;
    struct faults *faults = use_faulty_disk(fixture);

    faults->fail_write = true;
    assert_int_equal(journal_open(fixture), FG_EXIT_DISK);
    assert_int_equal(journal_open(fixture), FG_EXIT_DISK);
    faults->fail_write = false;
    journal_must_open(fixture);
    assert_int_equal(fixture->found.epoch, 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_full_log_refuses_in_time),
        CASE(test_stuck_log_refuses_in_time),
        CASE(test_full_log_fails_for_good),
        CASE(test_failing_write),
        CASE(test_failing_flush),
        CASE(test_failing_disk_at_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
