/* SPDX-License-Identifier: BSD-3-Clause */
/* When a record counts as acknowledged: after the flush, before the write (ack_memory), or never
 * again (a fence). */
#include <sched.h>

#include "faulty_disk.h"

/* What the marks were while the frame was being written. */
static struct {
    struct log_fixture *fixture;
    bool fence; /* another engine takes over meanwhile */
    uint64_t lane, log, tickets;
} during;

static int watching_write(void *context, int file, const void *data, size_t length, uint64_t offset)
{
    struct log_fixture *fixture = during.fixture;

    if (fixture) {
        if (during.fence)
            fg_journal_fence(fixture->journal);
        during.lane = fg_journal_lane(fixture->journal, 1)->durable;
        during.log = fg_journal_durable(fixture->journal);
        during.tickets = fg_journal_submitted_durable(fixture->journal);
    }
    return fg_disk_files.write(context, file, data, length, offset);
}

/* Writes one frame of an order and a control event, looking on. */
static int write_one(struct log_fixture *fixture, bool ack_memory, bool fence)
{
    static struct fg_disk disk;

    disk = fg_disk_files;
    disk.write = watching_write;
    fixture->config.disk = &disk;
    fixture->config.ack_memory = ack_memory;
    during.fixture = NULL;
    journal_must_open(fixture);
    push_order(fixture, 1, 1, 1);
    submit(fixture, FG_EVENT_ENGINE_STATE, 0, NULL, 1, 0);
    during.fixture = fixture;
    during.fence = fence;
    int rc = fg_journal_step(fixture->journal);
    during.fixture = NULL;
    return rc;
}

static void test_after_the_flush(void **state)
{
    struct log_fixture *fixture = *state;

    assert_int_equal(write_one(fixture, false, false), 1);
    assert_int_equal(during.lane, 0);
    assert_int_equal(during.log, 2);
    assert_int_equal(during.tickets, 0);
    assert_int_equal(lane_durable(fixture, 1), 1);
    assert_int_equal(fg_journal_durable(fixture->journal), 3);
    assert_int_equal(fg_journal_submitted_durable(fixture->journal), 1);
}

/* Workers answer before the write; delivery and control still after the flush. */
static void test_before_the_write(void **state)
{
    struct log_fixture *fixture = *state;

    assert_int_equal(write_one(fixture, true, false), 1);
    assert_int_equal(during.lane, 1);
    assert_int_equal(during.log, 2);
    assert_int_equal(during.tickets, 0);
    assert_int_equal(lane_durable(fixture, 1), 1);
    assert_int_equal(fg_journal_durable(fixture->journal), 3);
    assert_int_equal(fg_journal_submitted_durable(fixture->journal), 1);
}

static void test_memory_ends_with_the_disk(void **state)
{
    struct log_fixture *fixture = *state;
    struct faults *faults = use_faulty_disk(fixture);

    fixture->config.ack_memory = true;
    journal_must_open(fixture);
    faults->fail_write = true;
    push_order(fixture, 1, 1, 1);
    assert_int_equal(fg_journal_step(fixture->journal), -EIO);
    assert_int_equal(lane_durable(fixture, 1), 1); /* that is the bargain */
    push_order(fixture, 1, 1, 2);
    assert_int_equal(fg_journal_step(fixture->journal), -EIO);
    assert_int_equal(lane_durable(fixture, 1), 1);
    assert_int_equal(fg_journal_durable(fixture->journal), 2);
}

static void check_fenced(struct log_fixture *fixture, uint64_t log, uint64_t tickets)
{
    assert_int_equal(fg_journal_failed(fixture->journal), -ESTALE);
    for (unsigned w = 0; w < fixture->config.workers; w++) {
        assert_int_equal(lane_durable(fixture, w), 0);
        assert_false(fg_lane_log_room(fg_journal_lane(fixture->journal, w), true));
    }
    push_order(fixture, 1, 1, 2);
    submit(fixture, FG_EVENT_ENGINE_STATE, 0, NULL, 2, 0);
    assert_int_equal(fg_journal_step(fixture->journal), -ESTALE);
    assert_int_equal(fg_journal_prepare(fixture->journal), -ESTALE);
    assert_int_equal(fg_journal_retire(fixture->journal), -ESTALE);
    fg_journal_stop(fixture->journal);
    assert_int_equal(lane_durable(fixture, 1), 0);
    assert_int_equal(fg_journal_durable(fixture->journal), log);
    assert_int_equal(fg_journal_submitted_durable(fixture->journal), tickets);
}

static void test_fence_between_frames(void **state)
{
    struct log_fixture *fixture = *state;

    assert_int_equal(write_one(fixture, false, false), 1);
    fg_journal_fence(fixture->journal);
    check_fenced(fixture, 3, 1);
}

/* The frame reaches the disk, but nobody is told: its orders are answered by whoever took over, if
 * its copy of the log has them. */
static void test_fence_while_writing(void **state)
{
    struct log_fixture *fixture = *state;

    assert_int_equal(write_one(fixture, false, true), -ESTALE);
    check_fenced(fixture, 2, 0);
    journal_drop(fixture);
    journal_must_open(fixture);
    assert_int_equal(fixture->told.orders_count, 1);
}

/* What failed first stays the reason. */
static void test_fence_after_a_failure(void **state)
{
    struct log_fixture *fixture = *state;
    struct faults *faults = use_faulty_disk(fixture);

    journal_must_open(fixture);
    faults->fail_write = true;
    push_order(fixture, 1, 1, 1);
    assert_int_equal(fg_journal_step(fixture->journal), -EIO);
    fg_journal_fence(fixture->journal);
    assert_int_equal(fg_journal_failed(fixture->journal), -EIO);
    assert_int_equal(lane_durable(fixture, 1), 0);
}

/* With its threads: after the fence no mark moves, whatever is queued. */
static void test_fence_from_another_thread(void **state)
{
    struct log_fixture *fixture = *state;

    journal_must_open(fixture);
    assert_int_equal(fg_journal_start(fixture->journal, -1, -1), 0);
    struct fg_lane *lane = fg_journal_lane(fixture->journal, 0);
    for (uint32_t i = 1; fg_lane_durable(lane) < 1000; i++) {
        while (fg_lane_room(lane) == 0)
            sched_yield();
        push_order(fixture, 1, 0, i);
    }
    fg_journal_fence(fixture->journal);
    assert_int_equal(fg_lane_durable(lane), 0);
    fg_journal_stop(fixture->journal);
    uint64_t log = fg_journal_durable(fixture->journal);
    check_fenced(fixture, log, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_after_the_flush),           CASE(test_before_the_write),
        CASE(test_memory_ends_with_the_disk), CASE(test_fence_between_frames),
        CASE(test_fence_while_writing),       CASE(test_fence_after_a_failure),
        CASE(test_fence_from_another_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
