/* SPDX-License-Identifier: BSD-3-Clause */
/* Group commit, marks, closing frames and rotation, on real files, step by step. The journal's
 * threads, its failures and recovery have tests of their own. */
#include "faulty_disk.h"

#include <time.h>

#define WORKERS 4

/* A clock that a test sets. */
static uint64_t now_ns;

static uint64_t told_now(void *context)
{
    (void)context;
    return now_ns;
}

static const struct fg_clock told_clock = {.wall_ns = told_now, .monotonic_ns = told_now};

static void test_new_log(void **state)
{
    struct log_fixture *fixture = *state;

    journal_must_open(fixture);
    assert_int_equal(fg_journal_epoch(fixture->journal), 1);
    assert_int_equal(fixture->found.epoch, 1);
    assert_int_equal(fixture->found.records, 0);
    assert_int_equal(fixture->found.cut_bytes, 0);
    assert_true(fixture->found.journal_id != 0);
    assert_true(fg_journal_durable(fixture->journal) > 0);
    assert_int_equal(fg_journal_failed(fixture->journal), 0);
    assert_int_equal(fg_journal_step(fixture->journal), 0);
}

static void test_refused_configurations(void **state)
{
    struct log_fixture *fixture = *state;
    const struct fg_journal_config good = fixture->config;

    fixture->config.workers = 0;
    assert_int_equal(journal_open(fixture), FG_EXIT_CONFIG);
    fixture->config.workers = FG_WORKERS_MAX + 1;
    assert_int_equal(journal_open(fixture), FG_EXIT_CONFIG);
    fixture->config = good;
    fixture->config.segment_bytes = FG_SEGMENT_MIN - FG_BLOCK_BYTES;
    assert_int_equal(journal_open(fixture), FG_EXIT_CONFIG);
    fixture->config.segment_bytes = FG_SEGMENT_MIN + 512;
    assert_int_equal(journal_open(fixture), FG_EXIT_CONFIG);
    fixture->config = good;
    fixture->config.budget_bytes = 3 * FG_SEGMENT_MIN - 1;
    assert_int_equal(journal_open(fixture), FG_EXIT_CONFIG);
    fixture->config = good;
    fixture->config.lane_records = 1000;
    assert_int_equal(journal_open(fixture), FG_EXIT_CONFIG);
    fixture->config = good;
    fixture->config.dir = "/nonexistent/log";
    assert_int_equal(journal_open(fixture), FG_EXIT_CONFIG);
    assert_non_null(strstr(fixture->message, "/nonexistent/log"));
}

static void test_second_engine_is_refused(void **state)
{
    struct log_fixture *fixture = *state;
    struct log_fixture second = {.config = fixture->config};

    journal_must_open(fixture);
    assert_int_equal(journal_open(&second), FG_EXIT_IN_USE);
    assert_non_null(strstr(second.message, fixture->dir));
    push_order(fixture, 1, 0, 1);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    journal_drop(fixture);
    journal_must_open(fixture);
    assert_int_equal(fixture->told.orders_count, 1);
}

static void test_marks_move_only_with_the_frame(void **state)
{
    struct log_fixture *fixture = *state;

    journal_must_open(fixture);
    uint64_t durable = fg_journal_durable(fixture->journal);
    assert_int_equal(submit(fixture, FG_EVENT_SALE, 1, "{}", 0, 0), 1);
    assert_int_equal(submit(fixture, FG_EVENT_SALE_STATE, 1, NULL, 1, 0), 2);
    assert_int_equal(push_order(fixture, 1, 2, 1), 1);
    assert_int_equal(push_order(fixture, 1, 2, 2), 2);
    assert_int_equal(lane_durable(fixture, 2), 0);
    assert_int_equal(fg_journal_submitted_durable(fixture->journal), 0);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    assert_int_equal(lane_durable(fixture, 2), 2);
    assert_int_equal(lane_durable(fixture, 0), 0);
    assert_int_equal(fg_journal_submitted_durable(fixture->journal), 2);
    assert_int_equal(fg_journal_durable(fixture->journal), durable + 1);
    assert_int_equal(fg_journal_step(fixture->journal), 0);
    assert_int_equal(fg_journal_durable(fixture->journal), durable + 1);
}

static void test_full_queue_is_told(void **state)
{
    struct log_fixture *fixture = *state;
    uint64_t ticket, last = 0;

    journal_must_open(fixture);
    while ((ticket = submit(fixture, FG_EVENT_ENGINE_STATE, 0, NULL, 1, 0)) != 0)
        last = ticket;
    assert_true(last >= 100);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    assert_int_equal(fg_journal_submitted_durable(fixture->journal), last);
    assert_int_equal(submit(fixture, FG_EVENT_ENGINE_STATE, 0, NULL, 1, 0), last + 1);
}

/* Bodies of the greatest size: as many frames as they need, each with orders beside. */
static void test_great_control_events(void **state)
{
    struct log_fixture *fixture = *state;
    char *body = malloc(FG_CONTROL_BODY_MAX + 1);

    assert_non_null(body);
    memset(body, 'x', FG_CONTROL_BODY_MAX);
    body[FG_CONTROL_BODY_MAX] = '\0';
    journal_must_open(fixture);
    assert_int_equal(submit(fixture, FG_EVENT_BLOCK_LIST, 0, body, 0, 0), 1);
    assert_int_equal(submit(fixture, FG_EVENT_BLOCK_LIST, 0, body, 0, 0), 2);
    for (uint32_t i = 1; i <= 10000; i++)
        push_order(fixture, 1, 0, i);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    assert_int_equal(fg_journal_submitted_durable(fixture->journal), 1);
    assert_in_range(lane_durable(fixture, 0), 8000, 9999);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    assert_int_equal(fg_journal_submitted_durable(fixture->journal), 2);
    assert_int_equal(lane_durable(fixture, 0), 10000);
    journal_drop(fixture);

    journal_must_open(fixture);
    assert_int_equal(fixture->told.controls_count, 2);
    assert_string_equal(fixture->told.controls[1].body, body);
    assert_int_equal(fixture->told.orders_count, 10000);
    free(body);
}

static void test_no_lane_starves(void **state)
{
    struct log_fixture *fixture = *state;
    uint32_t sent[WORKERS] = {16000, 16000, 16000, 5};

    journal_must_open(fixture);
    for (unsigned w = 0; w < WORKERS; w++)
        for (uint32_t i = 1; i <= sent[w]; i++)
            push_order(fixture, 1, w, i);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    assert_int_equal(lane_durable(fixture, 3), 5);
    for (unsigned w = 0; w < 3; w++)
        assert_true(lane_durable(fixture, w) >= 8191 / WORKERS);
    /* What the short lane left over is used. */
    assert_true(lane_durable(fixture, 0) + lane_durable(fixture, 1) + lane_durable(fixture, 2) +
                    lane_durable(fixture, 3) >
                8000);
    while (fg_journal_step(fixture->journal) > 0)
        ;
    for (unsigned w = 0; w < WORKERS; w++)
        assert_int_equal(lane_durable(fixture, w), sent[w]);
}

/* A disk that tells how its write is seen from outside. */
static struct fg_journal *watched;
static uint64_t began_ns;

static int watched_write(void *context, int file, const void *data, size_t length, uint64_t offset)
{
    if (watched)
        began_ns = fg_journal_stats(watched)->flush_began_ns;
    return fg_disk_files.write(context, file, data, length, offset);
}

/* A write that hangs is seen while it does. */
static void test_flush_under_way(void **state)
{
    struct log_fixture *fixture = *state;
    static struct fg_disk disk;

    disk = fg_disk_files;
    disk.write = watched_write;
    now_ns = 5000000000;
    fixture->config.disk = &disk;
    fixture->config.clock = &told_clock;
    journal_must_open(fixture);
    watched = fixture->journal;
    assert_int_equal(fg_journal_stats(watched)->flush_began_ns, 0);
    push_order(fixture, 1, 0, 1);
    assert_int_equal(fg_journal_step(watched), 1);
    assert_int_equal(began_ns, now_ns);
    assert_int_equal(fg_journal_stats(watched)->flush_began_ns, 0);
    watched = NULL;
}

static void test_closing_frames(void **state)
{
    struct log_fixture *fixture = *state;

    fixture->config.clock = &told_clock;
    now_ns = 1000000000;
    journal_must_open(fixture);
    push_order(fixture, 1, 0, 1);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    now_ns += 9999999;
    assert_int_equal(fg_journal_step(fixture->journal), 0);
    assert_int_equal(count_frames(fixture, FG_FRAME_CLOSING), 0);
    now_ns += 1;
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    assert_int_equal(count_frames(fixture, FG_FRAME_CLOSING), 1);
    now_ns += 1000000000;
    assert_int_equal(fg_journal_step(fixture->journal), 0);

    push_order(fixture, 1, 0, 2);
    fg_journal_stop(fixture->journal);
    assert_int_equal(lane_durable(fixture, 0), 2);
    assert_int_equal(count_frames(fixture, FG_FRAME_CLOSING), 2);
    fg_journal_stop(fixture->journal);
    assert_int_equal(count_frames(fixture, FG_FRAME_CLOSING), 2);
}

/* Pushes `steps` full frames of orders of a sale through all lanes. */
static void write_orders(struct log_fixture *fixture, uint32_t sale, unsigned steps,
                         uint32_t *counts)
{
    for (unsigned step = 0; step < steps; step++) {
        for (unsigned w = 0; w < WORKERS; w++)
            for (unsigned i = 0; i < 2047; i++)
                push_order(fixture, sale, w, ++counts[w]);
        assert_int_equal(fg_journal_step(fixture->journal), 1);
    }
}

static void test_rotation(void **state)
{
    struct log_fixture *fixture = *state;
    uint32_t counts[WORKERS] = {0};
    struct timespec began, ended;

    journal_must_open(fixture);
    assert_int_equal(fg_journal_prepare(fixture->journal), 1);
    assert_int_equal(fg_journal_prepare(fixture->journal), 1);
    assert_int_equal(fg_journal_prepare(fixture->journal), 0);
    const struct fg_journal_stats *stats = fg_journal_stats(fixture->journal);
    assert_int_equal(stats->log_bytes, 3 * FG_SEGMENT_MIN);
    clock_gettime(CLOCK_MONOTONIC, &began);
    write_orders(fixture, 7, 100, counts);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    double seconds =
        (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
    print_message("%.0f records a second, segments made on the way\n",
                  (double)stats->records / seconds);
    assert_int_equal(stats->segment, 4);
    assert_int_equal(stats->log_bytes, 4 * FG_SEGMENT_MIN);
    assert_int_equal(count_frames(fixture, FG_FRAME_BASE), 4);
    journal_drop(fixture);

    journal_must_open(fixture);
    assert_int_equal(fixture->found.end.segment, 4);
    check_orders(fixture, counts, WORKERS);
    write_orders(fixture, 7, 1, counts);
    journal_drop(fixture);
    journal_must_open(fixture);
    check_orders(fixture, counts, WORKERS);
}

/* Whoever heeds what the lanes tell never sees the log fail, however full it becomes. */
/* The LSN that control is told of an event is the one that whoever reads the log finds it under,
 * also when its frame begins a segment, whose base takes LSNs of its own. */
static void test_lsns_of_control_events(void **state)
{
    struct log_fixture *fixture = *state;
    uint64_t lsns[256];
    uint32_t count = 0, events = 0;

    journal_must_open(fixture);
    const struct fg_journal_stats *stats = fg_journal_stats(fixture->journal);
    assert_int_equal(submit(fixture, FG_EVENT_SALE, 1, "{\"name\": \"a\"}", 0, 0), 1);
    while (stats->segment < 2) {
        submit(fixture, FG_EVENT_SALE_STATE, 1, NULL, FG_SALE_OPEN, 0);
        uint64_t ticket = submit(fixture, FG_EVENT_ENGINE_STATE, 0, NULL, 0, 0);
        for (unsigned i = 0; i < 8191; i++)
            push_order(fixture, 1, 0, ++count);
        assert_int_equal(fg_journal_step(fixture->journal), 1);
        assert_int_equal(fg_journal_submitted_durable(fixture->journal), ticket);
        assert_true(events + 1 < 256);
        lsns[events++] = fg_journal_submitted_lsn(fixture->journal, ticket - 1);
        lsns[events++] = fg_journal_submitted_lsn(fixture->journal, ticket);
        assert_int_equal(fg_journal_submitted_lsn(fixture->journal, 1), 1);
    }
    journal_drop(fixture);
    journal_must_open(fixture);
    assert_int_equal(fixture->told.controls_count, 1 + events);
    for (uint32_t i = 0; i < events; i++) {
        assert_int_equal(fixture->told.controls[1 + i].lsn, lsns[i]);
        assert_false(fixture->told.controls[1 + i].base);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_new_log),
        CASE(test_refused_configurations),
        CASE(test_second_engine_is_refused),
        CASE(test_marks_move_only_with_the_frame),
        CASE(test_full_queue_is_told),
        CASE(test_great_control_events),
        CASE(test_no_lane_starves),
        CASE(test_closing_frames),
        CASE(test_flush_under_way),
        CASE(test_rotation),
        CASE(test_lsns_of_control_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
