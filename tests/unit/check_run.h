/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Small runs made by hand, for the tests of the checker. Every test starts from the same clean run
 * and plants one thing: a violation that has to be found by its own check alone, or something that
 * only looks odd and has to pass.
 */
#ifndef FG_TESTS_CHECK_RUN_H
#define FG_TESTS_CHECK_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "perf/check/check.h"

#define ROOM 64

/* A run: records and one stream, with room for what a test plants. */
struct run {
    struct fg_history_item items[2];
    struct fg_history_record records[ROOM];
    struct fg_sale_stream_entry entries[2][ROOM];
    struct fg_sale_stream streams[2];
    unsigned records_count, streams_count;
    bool sell_out_expected;
    struct fg_check_result result;
    struct fg_findings findings;
    char sentences[8000];
};

enum { MUG = 1, TICKET = 2 }; /* final at once; held */

static inline struct fg_history_record *sent(struct run *run, uint8_t buyer, uint64_t request,
                                             uint8_t op, uint32_t item, uint16_t quantity,
                                             uint64_t at)
{
    struct fg_history_record *record = &run->records[run->records_count++];
    *record = (struct fg_history_record){
        .sent_ns = at, .request = request, .item = item, .quantity = quantity, .op = op};
    record->buyer[0] = buyer;
    return record;
}

/* Every answer comes 5 ns after its send. */
static inline struct fg_history_record *told(struct fg_history_record *record, uint8_t verdict,
                                             uint64_t order, uint8_t flags)
{
    record->replied_ns = record->sent_ns + 5;
    record->verdict = verdict;
    record->order = order;
    record->flags = flags;
    return record;
}

static inline struct fg_order_event *logged(struct run *run, unsigned stream, uint8_t kind,
                                            uint8_t buyer, uint64_t request, uint64_t order,
                                            uint32_t item, uint16_t quantity)
{
    struct fg_sale_stream *to = &run->streams[stream];
    struct fg_sale_stream_entry *entry = &to->entries[to->count++];
    *entry = (struct fg_sale_stream_entry){.epoch = 1,
                                           .event = {.kind = kind,
                                                     .quantity = quantity,
                                                     .item = item,
                                                     .sale_seq = to->count,
                                                     .order = order,
                                                     .request = request}};
    entry->event.buyer[0] = buyer;
    if (kind == FG_EVENT_ADMIT && item == TICKET)
        entry->event.hold_ms = 1000;
    return &entry->event;
}

/*
 * Mugs: 3, limit 2. Buyer 1 takes 2, buyer 2 takes 1, buyer 3 is told SOLD_OUT.
 * Tickets: 2, limit 1. Buyer 1 confirms one; buyer 2 cancels one, which goes to buyer 3; buyer 4
 * is told SOLD_OUT.
 */
static inline void clean(struct run *run)
{
    memset(run, 0, sizeof(*run));
    run->items[0] = (struct fg_history_item){.id = MUG, .stock = 3, .limit = 2};
    run->items[1] = (struct fg_history_item){.id = TICKET, .stock = 2, .limit = 1, .hold_ms = 1000};
    run->streams_count = 1;
    for (unsigned i = 0; i < 2; i++) {
        snprintf(run->streams[i].sale, sizeof(run->streams[i].sale), "sale%u", i);
        run->streams[i].entries = run->entries[i];
    }

    told(sent(run, 1, 10, FG_OP_ORDER, MUG, 2, 100), FG_VERDICT_ADMITTED, 1001, 0);
    told(sent(run, 2, 20, FG_OP_ORDER, MUG, 1, 110), FG_VERDICT_ADMITTED, 1002, 0);
    told(sent(run, 3, 30, FG_OP_ORDER, MUG, 1, 120), FG_VERDICT_SOLD_OUT, 0, 0);
    told(sent(run, 1, 11, FG_OP_ORDER, TICKET, 1, 130), FG_VERDICT_ADMITTED, 1003, FG_HELD);
    told(sent(run, 2, 21, FG_OP_ORDER, TICKET, 1, 140), FG_VERDICT_ADMITTED, 1004, FG_HELD);
    told(sent(run, 1, 11, FG_OP_CONFIRM, TICKET, 1, 150), FG_VERDICT_CONFIRMED, 1003, 0);
    told(sent(run, 2, 21, FG_OP_CANCEL, TICKET, 1, 160), FG_VERDICT_CANCELLED, 1004, 0);
    told(sent(run, 3, 31, FG_OP_ORDER, TICKET, 1, 170), FG_VERDICT_ADMITTED, 1005, FG_HELD);
    told(sent(run, 3, 31, FG_OP_CONFIRM, TICKET, 1, 180), FG_VERDICT_CONFIRMED, 1005, 0);
    told(sent(run, 4, 40, FG_OP_ORDER, TICKET, 1, 190), FG_VERDICT_SOLD_OUT, 0, 0);

    logged(run, 0, FG_EVENT_ADMIT, 1, 10, 1001, MUG, 2);
    logged(run, 0, FG_EVENT_ADMIT, 2, 20, 1002, MUG, 1);
    logged(run, 0, FG_EVENT_ADMIT, 1, 11, 1003, TICKET, 1);
    logged(run, 0, FG_EVENT_ADMIT, 2, 21, 1004, TICKET, 1);
    logged(run, 0, FG_EVENT_CONFIRM, 1, 11, 1003, TICKET, 1);
    logged(run, 0, FG_EVENT_CANCEL, 2, 21, 1004, TICKET, 1);
    logged(run, 0, FG_EVENT_ADMIT, 3, 31, 1005, TICKET, 1);
    logged(run, 0, FG_EVENT_CONFIRM, 3, 31, 1005, TICKET, 1);
}

/* Records and entries of the clean run, for tests that bend them. */
enum {
    MUG_1,
    MUG_2,
    MUG_3,
    TICKET_1,
    TICKET_2,
    CONFIRM_1,
    CANCEL_2,
    TICKET_3,
    CONFIRM_3,
    TICKET_4
};
enum { ADMIT_1001, ADMIT_1002, ADMIT_1003, ADMIT_1004, CONFIRM_1003, CANCEL_1004, ADMIT_1005 };

static inline void found(void *arg, enum fg_check check, const char *sentence)
{
    struct run *run = arg;
    size_t used = strlen(run->sentences);
    snprintf(run->sentences + used, sizeof(run->sentences) - used, "%s: %s\n", fg_check_name(check),
             sentence);
}

static inline void check(struct run *run)
{
    struct fg_check_input input = {.items = run->items,
                                   .items_count = 2,
                                   .records = run->records,
                                   .records_count = run->records_count,
                                   .streams = run->streams,
                                   .streams_count = run->streams_count,
                                   .sell_out_expected = run->sell_out_expected};
    run->sentences[0] = '\0';
    run->findings = (struct fg_findings){.found = found, .arg = run};
    assert_int_equal(fg_check_run(&input, &run->result, &run->findings), 0);
}

static inline void expect_clean(struct run *run)
{
    check(run);
    assert_string_equal(run->sentences, "");
    assert_int_equal(run->findings.total, 0);
    fg_check_result_free(&run->result);
}

/* Exactly `count` violations, all of one kind. */
static inline void expect_count(struct run *run, enum fg_check which, unsigned count)
{
    check(run);
    if (run->findings.counts[which] != count || run->findings.total != count)
        fail_msg("wanted %u x %s, found:\n%s", count, fg_check_name(which), run->sentences);
    fg_check_result_free(&run->result);
}

static inline void expect(struct run *run, enum fg_check which)
{
    expect_count(run, which, 1);
}

static inline struct fg_order_event *event(struct run *run, unsigned number)
{
    return &run->entries[0][number].event;
}

/* Takes an entry out and numbers the rest anew, as if it had never been. */
static inline void unlog(struct run *run, unsigned number)
{
    struct fg_sale_stream *stream = &run->streams[0];
    memmove(&stream->entries[number], &stream->entries[number + 1],
            (stream->count - number - 1) * sizeof(*stream->entries));
    stream->count--;
    for (unsigned i = 0; i < stream->count; i++)
        stream->entries[i].event.sale_seq = i + 1;
}

#endif
