/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of the log share: a directory of their own, a journal in it, events, and a memory
 * of all records that recovery or a reader told. */
#ifndef FG_TESTS_LOG_FIXTURE_H
#define FG_TESTS_LOG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/admission/catalogue.h"
#include "dataplane/orders/frame.h"
#include "dataplane/orders/journal.h"
#include "dataplane/orders/segment.h"
#include "flashgate/exit_status.h"

#define MESSAGE_BYTES 512

/* Records as told, bodies included. */
struct told {
    struct fg_order_event *orders;
    size_t orders_count, orders_room;
    struct told_control {
        struct fg_control_event event;
        char *body; /* terminated; NULL if there is none */
        uint64_t lsn;
        bool base;
    } * controls;
    size_t controls_count;
    uint64_t last_lsn;
    uint32_t last_epoch;
    int answer; /* of tell(), once `answer_at` order events were told */
    size_t answer_at;
};

struct log_fixture {
    char dir[64];
    struct fg_journal_config config;
    struct fg_journal *journal;
    struct fg_recovery found;
    struct told told;
    int status;
    char message[MESSAGE_BYTES];
};

static inline int tell(void *arg, const struct fg_record *record)
{
    struct told *told = arg;

    told->last_lsn = record->lsn;
    told->last_epoch = record->epoch;
    if (!fg_event_is_control(record->unit)) {
        if (told->answer != 0 && told->orders_count == told->answer_at)
            return told->answer;
        if (told->orders_count == told->orders_room) {
            told->orders_room = told->orders_room ? 2 * told->orders_room : 1024;
            told->orders = realloc(told->orders, told->orders_room * sizeof(*told->orders));
            assert_non_null(told->orders);
        }
        told->orders[told->orders_count++] = *record->order;
        return 0;
    }
    told->controls = realloc(told->controls, (told->controls_count + 1) * sizeof(*told->controls));
    assert_non_null(told->controls);
    struct told_control *control = &told->controls[told->controls_count++];
    control->event = *record->control;
    control->body = NULL;
    control->lsn = record->lsn;
    control->base = record->base;
    if (record->control->body_length > 0) {
        control->body = strndup(record->body, record->control->body_length);
        assert_non_null(control->body);
    }
    return 0;
}

static inline void told_clear(struct told *told)
{
    for (size_t i = 0; i < told->controls_count; i++)
        free(told->controls[i].body);
    free(told->controls);
    free(told->orders);
    *told = (struct told){0};
}

static inline int fixture_open(void **state)
{
    struct log_fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    int n = snprintf(fixture->dir, sizeof(fixture->dir), "/dev/shm/flashgate-log-XXXXXX");
    assert_true(n > 0);
    assert_non_null(mkdtemp(fixture->dir));
    fixture->config = (struct fg_journal_config){
        .dir = fixture->dir,
        .budget_bytes = 12ull * FG_SEGMENT_MIN,
        .segment_bytes = FG_SEGMENT_MIN,
        .workers = 4,
        .lane_records = 16384,
        .disk = &fg_disk_files,
        .clock = &fg_clock_system,
    };
    *state = fixture;
    return 0;
}

static inline void remove_name(void *arg, const char *name)
{
    int rc = unlinkat(*(int *)arg, name, 0);
    (void)rc; /* "." and ".." cannot go */
}

static inline int fixture_close(void **state)
{
    struct log_fixture *fixture = *state;
    int dir = open(fixture->dir, O_RDONLY | O_DIRECTORY);

    fg_journal_close(fixture->journal);
    told_clear(&fixture->told);
    assert_int_equal(fg_disk_files.list(NULL, dir, "", remove_name, &dir), 0);
    close(dir);
    assert_int_equal(rmdir(fixture->dir), 0);
    free(fixture);
    return 0;
}

/* Opens the journal; what recovery tells is in `told`. Returns the exit status. */
static inline int journal_open(struct log_fixture *fixture)
{
    int answer = fixture->told.answer;
    size_t answer_at = fixture->told.answer_at;

    told_clear(&fixture->told);
    fixture->told.answer = answer;
    fixture->told.answer_at = answer_at;
    fixture->message[0] = '\0';
    fixture->journal = fg_journal_open(&fixture->config, tell, &fixture->told, &fixture->found,
                                       &fixture->status, fixture->message, MESSAGE_BYTES);
    assert_int_equal(fixture->journal == NULL, fixture->status != FG_EXIT_OK);
    assert_int_equal(fixture->message[0] == '\0', fixture->status == FG_EXIT_OK);
    return fixture->status;
}

/* As a crash would: nothing is written any more. */
static inline void journal_drop(struct log_fixture *fixture)
{
    fg_journal_close(fixture->journal);
    fixture->journal = NULL;
}

/* Opens it with success, asking for the words in the message if it fails. */
static inline void journal_must_open(struct log_fixture *fixture)
{
    if (journal_open(fixture) != FG_EXIT_OK)
        fail_msg("%s", fixture->message);
}

/* The order event number `count` of a worker: every field depends on both. */
static inline struct fg_order_event an_order(uint32_t sale, unsigned worker, uint32_t count)
{
    struct fg_order_event event = {
        .kind = FG_EVENT_ADMIT,
        .quantity = (uint16_t)(1 + count % 5),
        .item = 100 * sale + count % 7,
        .sale = sale,
        .hold_ms = count % 3 ? 0 : 60000,
        .order = fg_order_id(1, 1, worker, count),
        .request = UINT64_C(0x1234567800000000) + count,
        .at_ns = UINT64_C(1790000000000000000) + count,
    };
    memset(event.buyer, (int)(worker + count), sizeof(event.buyer));
    return event;
}

static inline uint64_t push_order(struct log_fixture *fixture, uint32_t sale, unsigned worker,
                                  uint32_t count)
{
    struct fg_order_event event = an_order(sale, worker, count);
    struct fg_lane *lane = fg_journal_lane(fixture->journal, worker);

    assert_true(fg_lane_room(lane) > 0);
    return fg_lane_push(lane, &event);
}

static inline uint64_t submit(struct log_fixture *fixture, enum fg_event_kind kind, uint32_t sale,
                              const char *body, uint64_t value, uint64_t value2)
{
    struct fg_control_event event = {
        .kind = (uint8_t)kind,
        .body_length = body ? (uint32_t)strlen(body) : 0,
        .revision = value2 + 1,
        .uid = 1000,
        .sale = sale,
        .value = value,
        .value2 = value2,
    };
    return fg_journal_submit(fixture->journal, &event, body);
}

/* Fills the current segment with orders of a sale until the journal turns to another; returns how
 * many. The last frame of them is in the new segment. */
static inline uint32_t rotate(struct log_fixture *fixture, uint32_t sale)
{
    const struct fg_journal_stats *stats = fg_journal_stats(fixture->journal);
    uint64_t segment = stats->segment;
    uint32_t count = 0;

    while (stats->segment == segment) {
        for (unsigned i = 0; i < 8191; i++)
            push_order(fixture, sale, 0, ++count);
        assert_int_equal(fg_journal_step(fixture->journal), 1);
    }
    return count;
}

/* A file of the log, for looking at and for damaging. */
static inline int segment_file(const struct log_fixture *fixture, uint32_t number)
{
    char path[128], name[FG_SEGMENT_NAME_BYTES];

    fg_segment_name(name, number);
    int n = snprintf(path, sizeof(path), "%s/%s", fixture->dir, name);
    assert_true(n > 0);
    int file = open(path, O_RDWR);
    assert_true(file >= 0);
    return file;
}

static inline void damage(const struct log_fixture *fixture, uint32_t number, uint64_t offset,
                          const void *data, size_t length)
{
    int file = segment_file(fixture, number);

    assert_int_equal(pwrite(file, data, length, (off_t)offset), length);
    assert_int_equal(fsync(file), 0);
    close(file);
}

static inline uint64_t lane_durable(const struct log_fixture *fixture, unsigned worker)
{
    return fg_lane_durable(fg_journal_lane(fixture->journal, worker));
}

/* Frames of the log, as a reader sees them. */
static inline unsigned count_frames(const struct log_fixture *fixture, uint16_t flags)
{
    const struct fg_frame *frame;
    unsigned count = 0;
    int error;
    struct fg_log_reader *reader = fg_log_reader_open(&fg_disk_files, fixture->dir, true, &error);

    assert_non_null(reader);
    enum fg_log_end end;
    while ((end = fg_log_reader_next(reader, UINT64_MAX, &frame)) == FG_LOG_MORE)
        count += frame->flags == flags;
    assert_int_equal(end, FG_LOG_END);
    fg_log_reader_close(reader);
    return count;
}

/* All the orders of one sale came back: each lane's in order, numbered without gaps;
 * counts[w] of lane w. */
static inline void check_orders(const struct log_fixture *fixture, const uint32_t *counts,
                                unsigned workers)
{
    uint32_t seen[FG_WORKERS_MAX] = {0};

    for (size_t i = 0; i < fixture->told.orders_count; i++) {
        const struct fg_order_event *event = &fixture->told.orders[i];
        unsigned worker = event->order >> 32 & 63;
        assert_true(worker < workers);
        struct fg_order_event wanted = an_order(event->sale, worker, ++seen[worker]);
        wanted.sale_seq = i + 1;
        assert_memory_equal(event, &wanted, sizeof(wanted));
    }
    assert_memory_equal(seen, counts, workers * sizeof(*seen));
}

#endif
