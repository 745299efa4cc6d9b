/* SPDX-License-Identifier: BSD-3-Clause */
/* Which segments may go and when; what is left when they have gone. */
#include <time.h>

#include "faulty_disk.h"

#define WALL    UINT64_C(1790000000000000000) /* a little before every order's at_ns */
#define KEEP_NS UINT64_C(3600000000000)

/* What delivery would tell, by sale. */
static struct {
    _Atomic uint64_t delivered, consumed;
} told_streams[8];

static _Atomic uint64_t now_ns;

static uint64_t told_now(void *context)
{
    (void)context;
    return now_ns;
}

static const struct fg_clock told_clock = {.wall_ns = told_now, .monotonic_ns = told_now};

static uint64_t delivered(void *arg, uint32_t sale)
{
    (void)arg;
    return told_streams[sale].delivered;
}

static uint64_t consumed(void *arg, uint32_t sale)
{
    (void)arg;
    return told_streams[sale].consumed;
}

static const struct fg_retention retention = {
    .delivered = delivered, .consumed = consumed, .keep_ns = KEEP_NS};

static void tell_streams(uint32_t sale, uint64_t delivered_seq, uint64_t consumed_seq)
{
    told_streams[sale].delivered = delivered_seq;
    told_streams[sale].consumed = consumed_seq;
}

static void open_retaining(struct log_fixture *fixture)
{
    fixture->config.clock = &told_clock;
    journal_must_open(fixture);
    fg_journal_retain(fixture->journal, &retention);
}

static void step(struct log_fixture *fixture)
{
    assert_int_equal(fg_journal_step(fixture->journal), 1);
}

/* Removes what may go; the number of the oldest segment then, on the disk and as told. */
static uint32_t retire_all(struct log_fixture *fixture)
{
    uint32_t first, last;
    uint64_t bytes;
    int rc, dir = open(fixture->dir, O_RDONLY | O_DIRECTORY);

    while ((rc = fg_journal_retire(fixture->journal)) == 1)
        ;
    assert_int_equal(rc, 0);
    const struct fg_journal_stats *stats = fg_journal_stats(fixture->journal);
    assert_int_equal(fg_segment_range(&fg_disk_files, dir, &first, &last), 0);
    assert_int_equal(stats->oldest_segment, first);
    assert_int_equal(fg_segment_bytes(&fg_disk_files, dir, first, last, &bytes), 0);
    assert_int_equal(stats->log_bytes, bytes);
    close(dir);
    return first;
}

/* Asks for a sale to be archived; the event's ticket. */
static uint64_t ask_archive(struct log_fixture *fixture, uint32_t sale)
{
    submit(fixture, FG_EVENT_NAMES_USED, 0, "{\"sales\": [\"gone\"]}", 0, 0);
    uint64_t ticket = submit(fixture, FG_EVENT_SALE_STATE, sale, NULL, FG_SALE_ARCHIVED, 0);
    assert_true(ticket > 0);
    return ticket;
}

/* ... and waits until it is. */
static void archive(struct log_fixture *fixture, uint32_t sale)
{
    uint64_t ticket = ask_archive(fixture, sale);

    while (fg_journal_submitted_durable(fixture->journal) < ticket)
        step(fixture);
}

static int retention_setup(void **state)
{
    memset((void *)told_streams, 0, sizeof(told_streams));
    now_ns = WALL;
    return fixture_open(state);
}

/* One sale, one closed segment: each condition by itself keeps it. */
static void test_conditions(void **state)
{
    struct log_fixture *fixture = *state;

    fixture->config.clock = &told_clock;
    journal_must_open(fixture);
    submit(fixture, FG_EVENT_SALE, 1, "{\"name\": \"one\"}", 0, 0);
    uint32_t all = rotate(fixture, 1), closed = all - 8191; /* in segment 1 */
    tell_streams(1, all, all);
    assert_int_equal(retire_all(fixture), 1); /* nobody asked for it */
    fg_journal_retain(fixture->journal, &retention);
    assert_int_equal(retire_all(fixture), 1); /* live */
    ask_archive(fixture, 1);
    assert_int_equal(retire_all(fixture), 1); /* the record is not written yet */
    step(fixture);
    tell_streams(1, closed - 1, closed - 1);
    now_ns = WALL + 2 * KEEP_NS;
    assert_int_equal(retire_all(fixture), 1); /* its last event is not delivered */
    tell_streams(1, closed, closed - 1);
    now_ns = WALL + closed + KEEP_NS - 1;
    assert_int_equal(retire_all(fixture), 1); /* not consumed, and too young by 1 ns */
    now_ns = 0;
    assert_int_equal(retire_all(fixture), 1); /* a clock before the event tells no age */
    now_ns = WALL + closed + KEEP_NS;
    assert_int_equal(retire_all(fixture), 2); /* old; what is in segment 2 does not matter */
}

static void test_consumed_need_not_be_old(void **state)
{
    struct log_fixture *fixture = *state;

    open_retaining(fixture);
    submit(fixture, FG_EVENT_SALE, 1, "{\"name\": \"one\"}", 0, 0);
    uint32_t closed = rotate(fixture, 1) - 8191;
    archive(fixture, 1);
    tell_streams(1, closed, closed);
    assert_int_equal(retire_all(fixture), 2);
}

/* Segments go in order, and neither the one being written nor those that are ready ever go. */
static void test_order_and_current(void **state)
{
    struct log_fixture *fixture = *state;

    open_retaining(fixture);
    for (uint32_t sale = 1; sale <= 3; sale++)
        submit(fixture, FG_EVENT_SALE, sale, "{\"name\": \"a\"}", 0, 0);
    tell_streams(1, UINT64_MAX, UINT64_MAX);
    tell_streams(2, UINT64_MAX, UINT64_MAX);
    rotate(fixture, 1); /* segment 1: sale 1; 2 begins with sale 1 */
    push_order(fixture, 2, 1, 1);
    rotate(fixture, 1); /* segment 2: sales 1 and 2 */
    rotate(fixture, 1); /* segment 3: sale 1 */
    while (fg_journal_prepare(fixture->journal) > 0)
        ;
    archive(fixture, 1);
    assert_int_equal(retire_all(fixture), 2); /* sale 2 holds 2, and that holds 3 */
    archive(fixture, 2);
    assert_int_equal(retire_all(fixture), 4); /* being written, with 5 and 6 ready */
    assert_int_equal(fg_journal_stats(fixture->journal)->segment, 4);
    rotate(fixture, 3);
    assert_int_equal(retire_all(fixture), 4); /* it got events of a live sale */
    archive(fixture, 3);
    tell_streams(3, UINT64_MAX, UINT64_MAX);
    assert_int_equal(retire_all(fixture), 5);
}

static bool has_control(const struct told *told, enum fg_event_kind kind, uint32_t sale,
                        uint64_t value)
{
    for (size_t i = 0; i < told->controls_count; i++)
        if (told->controls[i].event.kind == kind && told->controls[i].event.sale == sale &&
            told->controls[i].event.value == value)
            return true;
    return false;
}

/* After a restart without the first segments everything is as before: a live sale with its events,
 * what may go, what is taken up again. */
static void test_restart_without_the_first(void **state)
{
    struct log_fixture *fixture = *state;

    open_retaining(fixture);
    submit(fixture, FG_EVENT_SALE, 1, "{\"name\": \"one\"}", 0, 0);
    submit(fixture, FG_EVENT_SALE, 2, "{\"name\": \"two\"}", 0, 0);
    submit(fixture, FG_EVENT_STOCK_ADD, 2, NULL, 50, 21);
    uint32_t all = rotate(fixture, 1);
    for (uint32_t i = 1; i <= 5; i++)
        push_order(fixture, 2, 1, i);
    archive(fixture, 1);
    tell_streams(1, all, all);
    assert_int_equal(retire_all(fixture), 2);
    journal_drop(fixture);

    /* Twice: the second start takes up what the first one wrote. */
    for (uint32_t run = 0; run < 2; run++) {
        open_retaining(fixture);
        const struct told *told = &fixture->told;
        assert_true(has_control(told, FG_EVENT_SALE, 2, 0));
        assert_true(has_control(told, FG_EVENT_ITEM_SUPPLY, 2, 50));
        assert_true(has_control(told, FG_EVENT_SALE_POSITION, 1, all - 8191 + 1));
        assert_true(has_control(told, FG_EVENT_SALE_STATE, 1, FG_SALE_ARCHIVED));
        assert_int_equal(told->orders_count, 8191 + 5 + run);
        assert_int_equal(told->orders[told->orders_count - 1].sale, 2);
        assert_int_equal(told->orders[told->orders_count - 1].sale_seq, 5 + run);
        assert_int_equal(fg_journal_stats(fixture->journal)->oldest_segment, 2);
        push_order(fixture, 2, 1, 6 + run);
        step(fixture);
        journal_drop(fixture);
    }
    /* Sale 2 is still what holds segment 2, and then no longer. */
    open_retaining(fixture);
    rotate(fixture, 2);
    rotate(fixture, 2);
    assert_int_equal(retire_all(fixture), 2);
    journal_drop(fixture);
    open_retaining(fixture);
    tell_streams(2, UINT64_MAX, UINT64_MAX);
    assert_int_equal(retire_all(fixture), 2);
    archive(fixture, 2);
    assert_int_equal(retire_all(fixture), 4);
    journal_drop(fixture);
    open_retaining(fixture);
    assert_false(has_control(&fixture->told, FG_EVENT_SALE, 1, 0));
    assert_int_equal(retire_all(fixture), 4);
}

/* An archiving waits for the order events that are in the lanes: none of the sale follows it. */
static void test_archiving_comes_last(void **state)
{
    struct log_fixture *fixture = *state;
    const struct fg_frame *frame;
    struct fg_record record;
    bool archived = false;
    uint32_t orders = 0;
    int error;

    open_retaining(fixture);
    submit(fixture, FG_EVENT_SALE, 1, "{\"name\": \"one\"}", 0, 0);
    step(fixture);
    for (unsigned w = 0; w < 4; w++)
        for (uint32_t i = 1; i <= 10000; i++)
            push_order(fixture, 1, w, i);
    ask_archive(fixture, 1);
    uint64_t after = submit(fixture, FG_EVENT_ENGINE_STATE, 0, NULL, 1, 0);
    step(fixture);
    for (uint32_t i = 1; i <= 100; i++) /* of another sale: not waited for */
        push_order(fixture, 2, 0, i);
    while (fg_journal_submitted_durable(fixture->journal) < after)
        step(fixture);
    struct fg_log_reader *reader = fg_log_reader_open(&fg_disk_files, fixture->dir, false, &error);
    while (fg_log_reader_next(reader, UINT64_MAX, &frame) == FG_LOG_MORE)
        while (fg_log_reader_record(reader, &record)) {
            if (fg_event_is_control(record.unit)) {
                archived = archived || record.control->kind == FG_EVENT_SALE_STATE;
            } else if (record.order->sale == 1) {
                assert_false(archived);
                orders++;
            }
        }
    fg_log_reader_close(reader);
    assert_true(archived);
    assert_int_equal(orders, 40000);
}

/* What is left of a sale that was archived in a segment that is gone: nobody's, and no obstacle. */
static void test_late_events_of_an_archived_sale(void **state)
{
    struct log_fixture *fixture = *state;

    open_retaining(fixture);
    submit(fixture, FG_EVENT_SALE, 1, "{\"name\": \"one\"}", 0, 0);
    step(fixture);
    push_order(fixture, 1, 0, 1);
    step(fixture);
    archive(fixture, 1);
    tell_streams(1, UINT64_MAX, UINT64_MAX);
    rotate(fixture, 1); /* as a faulty engine would */
    assert_int_equal(retire_all(fixture), 2);
    journal_drop(fixture);
    open_retaining(fixture);
    assert_int_equal(fixture->told.orders_count, 8191);
    rotate(fixture, 3);
    tell_streams(3, UINT64_MAX, UINT64_MAX);
    assert_int_equal(retire_all(fixture), 2);
    archive(fixture, 3);
    assert_int_equal(retire_all(fixture), 3);
}

/* A log at its limit takes orders again when an old segment has gone. */
static void test_room_comes_back(void **state)
{
    struct log_fixture *fixture = *state;
    uint32_t count = 0;

    fixture->config.budget_bytes = 4ull * FG_SEGMENT_MIN;
    open_retaining(fixture);
    const struct fg_journal_stats *stats = fg_journal_stats(fixture->journal);
    const struct fg_lane *lane = fg_journal_lane(fixture->journal, 0);
    submit(fixture, FG_EVENT_SALE, 1, "{\"name\": \"one\"}", 0, 0);
    while (fg_lane_log_room(lane, true)) {
        for (unsigned i = 0; i < 4000; i++)
            push_order(fixture, 1, 0, ++count);
        step(fixture);
        (void)fg_journal_prepare(fixture->journal);
    }
    uint64_t room = stats->room_bytes;
    assert_int_equal(stats->log_room, FG_LOG_SHUT);
    assert_int_equal(stats->stuck, 0); /* it is the budget, not the disk */
    assert_in_range(room, 0, fixture->config.budget_bytes / 8);
    archive(fixture, 1);
    tell_streams(1, count, count);
    assert_int_equal(retire_all(fixture), 4);
    assert_int_equal(fg_journal_prepare(fixture->journal), 1);
    (void)fg_journal_step(fixture->journal);
    assert_true(fg_lane_log_room(lane, false));
    assert_in_range(stats->room_bytes, room + 3 * FG_SEGMENT_MIN - FG_BLOCK_BYTES,
                    room + 3 * FG_SEGMENT_MIN);
}

/* A segment that cannot be removed stays, is told, and goes later; a directory that cannot be
 * synced is the end. */
static void test_failing_removal(void **state)
{
    struct log_fixture *fixture = *state;
    struct faults *faults = use_faulty_disk(fixture);

    open_retaining(fixture);
    const struct fg_journal_stats *stats = fg_journal_stats(fixture->journal);
    submit(fixture, FG_EVENT_SALE, 1, "{\"name\": \"one\"}", 0, 0);
    rotate(fixture, 1);
    rotate(fixture, 1);
    archive(fixture, 1);
    tell_streams(1, UINT64_MAX, UINT64_MAX);
    faults->fail_remove = -EROFS;
    assert_int_equal(fg_journal_retire(fixture->journal), -EROFS);
    assert_int_equal(stats->retire_error, EROFS);
    assert_int_equal(stats->oldest_segment, 1);
    assert_int_equal(fg_journal_failed(fixture->journal), 0);
    faults->fail_remove = 0;
    assert_int_equal(fg_journal_retire(fixture->journal), 1);
    assert_int_equal(stats->retire_error, 0);
    faults->fail_sync = -EIO;
    assert_int_equal(fg_journal_retire(fixture->journal), -EIO);
    assert_int_equal(fg_journal_failed(fixture->journal), -EIO);
    faults->fail_sync = 0;
    push_order(fixture, 1, 0, 1);
    assert_int_equal(fg_journal_step(fixture->journal), -EIO);
    assert_int_equal(fg_journal_retire(fixture->journal), -EIO);
    assert_int_equal(fg_journal_prepare(fixture->journal), -EIO);
    journal_drop(fixture);
    journal_must_open(fixture);
    assert_int_equal(fg_journal_stats(fixture->journal)->oldest_segment, 3);
}

/* --- With its threads --- */

/* Sale after sale is sold, archived and delivered, through a log that holds a few segments: it
 * never fills up, for the helper removes what has gone by. */
static void test_a_log_that_runs_for_ever(void **state)
{
    struct log_fixture *fixture = *state;
    const uint32_t sales = 6;
    uint32_t records = 200000;

    fixture->config.budget_bytes = 5ull * FG_SEGMENT_MIN;
    open_retaining(fixture);
    assert_int_equal(fg_journal_start(fixture->journal, -1, -1), 0);
    const struct fg_journal_stats *stats = fg_journal_stats(fixture->journal);
    struct fg_lane *lane = fg_journal_lane(fixture->journal, 0);
    for (uint32_t sale = 1; sale <= sales; sale++) {
        submit(fixture, FG_EVENT_SALE, sale, "{\"name\": \"a\"}", 0, 0);
        for (uint32_t i = 1; i <= records; i++) {
            while (fg_lane_room(lane) == 0 || !fg_lane_log_room(lane, false)) {
                assert_int_equal(fg_journal_failed(fixture->journal), 0);
                /* The helper has the least claim to a processor: who spun here would take it away.
                 */
                nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
            }
            push_order(fixture, sale, 0, i);
        }
        ask_archive(fixture, sale);
        tell_streams(sale, records, records);
    }
    fg_journal_stop(fixture->journal);
    assert_int_equal(fg_journal_failed(fixture->journal), 0);
    assert_true(stats->segment >= sales * records * FG_RECORD_BYTES / FG_SEGMENT_MIN);
    assert_true(stats->oldest_segment > 1);
    uint64_t oldest = stats->oldest_segment;
    journal_drop(fixture);
    journal_must_open(fixture);
    assert_int_equal(fg_journal_stats(fixture->journal)->oldest_segment, oldest);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, retention_setup, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_conditions),
        CASE(test_consumed_need_not_be_old),
        CASE(test_order_and_current),
        CASE(test_restart_without_the_first),
        CASE(test_archiving_comes_last),
        CASE(test_late_events_of_an_archived_sale),
        CASE(test_room_comes_back),
        CASE(test_failing_removal),
        CASE(test_a_log_that_runs_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
