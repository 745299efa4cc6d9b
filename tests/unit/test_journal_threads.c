/* SPDX-License-Identifier: BSD-3-Clause */
/* The journal with its threads: a log read while it is written, and a failure that is told. */
#include "faulty_disk.h"

#include <pthread.h>

#define WORKERS     4
#define LIVE_ORDERS 60000 /* of each worker */

struct live {
    struct log_fixture *fixture;
    uint64_t seen[WORKERS];
    uint64_t orders, empty_calls;
    bool direct;
};

/* Reads the log while it is being written, never beyond the durable mark. */
static void *read_live(void *arg)
{
    struct live *live = arg;
    const struct fg_frame *frame;
    struct fg_record record;
    int error;
    struct fg_log_reader *reader =
        fg_log_reader_open(&fg_disk_files, live->fixture->dir, live->direct, &error);

    while (live->orders < (uint64_t)LIVE_ORDERS * WORKERS) {
        uint64_t limit = fg_journal_durable(live->fixture->journal);
        enum fg_log_end end = fg_log_reader_next(reader, limit, &frame);
        if (end == FG_LOG_END) {
            live->empty_calls++;
            sched_yield();
            continue;
        }
        if (end != FG_LOG_MORE || frame->sequence > limit)
            break;
        while (fg_log_reader_record(reader, &record)) {
            if (fg_event_is_control(record.unit))
                continue;
            unsigned worker = record.order->order >> 32 & 63;
            struct fg_order_event wanted = an_order(1, worker, ++live->seen[worker]);
            wanted.sale_seq = ++live->orders;
            if (memcmp(record.order, &wanted, sizeof(wanted)) != 0)
                goto close_reader;
        }
    }
close_reader:
    fg_log_reader_close(reader);
    return NULL;
}

static void run_live(struct log_fixture *fixture, bool direct)
{
    struct live live = {.fixture = fixture, .direct = direct};
    pthread_t thread;

    journal_must_open(fixture);
    assert_int_equal(fg_journal_start(fixture->journal, -1, 0), 0);
    assert_int_equal(pthread_create(&thread, NULL, read_live, &live), 0);
    for (uint32_t i = 1; i <= LIVE_ORDERS; i++)
        for (unsigned w = 0; w < WORKERS; w++) {
            while (fg_lane_room(fg_journal_lane(fixture->journal, w)) == 0)
                sched_yield();
            push_order(fixture, 1, w, i);
        }
    uint64_t ticket = submit(fixture, FG_EVENT_ENGINE_STATE, 0, NULL, 1, 0);
    while (fg_journal_submitted_durable(fixture->journal) < ticket)
        sched_yield();
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(live.orders, (uint64_t)LIVE_ORDERS * WORKERS);
    fg_journal_stop(fixture->journal);
    const struct fg_journal_stats *stats = fg_journal_stats(fixture->journal);
    print_message("%lu frames, %lu records, flush at most %lu us\n", (unsigned long)stats->frames,
                  (unsigned long)stats->records, (unsigned long)stats->flush_ns_max / 1000);
    assert_int_equal(count_frames(fixture, 0) + count_frames(fixture, FG_FRAME_BASE) +
                         count_frames(fixture, FG_FRAME_EPOCH) +
                         count_frames(fixture, FG_FRAME_CLOSING),
                     stats->frames);
}

static void test_live_reader(void **state)
{
    run_live(*state, false);
}

static void test_live_direct_reader(void **state)
{
    run_live(*state, true);
}

static void test_threads_report_failure(void **state)
{
    struct log_fixture *fixture = *state;
    struct faults *faults = use_faulty_disk(fixture);

    journal_must_open(fixture);
    while (fg_journal_prepare(fixture->journal) > 0)
        ;
    assert_int_equal(fg_journal_start(fixture->journal, -1, -1), 0);
    faults->fail_write = true;
    push_order(fixture, 1, 0, 1);
    while (fg_journal_failed(fixture->journal) == 0)
        sched_yield();
    assert_int_equal(fg_journal_failed(fixture->journal), -EIO);
    fg_journal_stop(fixture->journal);
    assert_int_equal(lane_durable(fixture, 0), 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_live_reader),
        CASE(test_live_direct_reader),
        CASE(test_threads_report_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
