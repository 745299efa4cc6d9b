/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The checker against small histories made by hand. Every test starts from the same clean run and
 * plants one thing: a violation that has to be found by its own check alone, or something that only
 * looks odd and has to pass.
 */
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

static struct fg_history_record *sent(struct run *run, uint8_t buyer, uint64_t request, uint8_t op,
                                      uint32_t item, uint16_t quantity, uint64_t at)
{
    struct fg_history_record *record = &run->records[run->records_count++];
    *record = (struct fg_history_record){
        .sent_ns = at, .request = request, .item = item, .quantity = quantity, .op = op};
    record->buyer[0] = buyer;
    return record;
}

/* Every answer comes 5 ns after its send. */
static struct fg_history_record *told(struct fg_history_record *record, uint8_t verdict,
                                      uint64_t order, uint8_t flags)
{
    record->replied_ns = record->sent_ns + 5;
    record->verdict = verdict;
    record->order = order;
    record->flags = flags;
    return record;
}

static struct fg_order_event *logged(struct run *run, unsigned stream, uint8_t kind, uint8_t buyer,
                                     uint64_t request, uint64_t order, uint32_t item,
                                     uint16_t quantity)
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
static void clean(struct run *run)
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

static void found(void *arg, enum fg_check check, const char *sentence)
{
    struct run *run = arg;
    size_t used = strlen(run->sentences);
    snprintf(run->sentences + used, sizeof(run->sentences) - used, "%s: %s\n", fg_check_name(check),
             sentence);
}

static void check(struct run *run)
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

static void expect_clean(struct run *run)
{
    check(run);
    assert_string_equal(run->sentences, "");
    assert_int_equal(run->findings.total, 0);
    fg_check_result_free(&run->result);
}

/* Exactly `count` violations, all of one kind. */
static void expect_count(struct run *run, enum fg_check which, unsigned count)
{
    check(run);
    if (run->findings.counts[which] != count || run->findings.total != count)
        fail_msg("wanted %u x %s, found:\n%s", count, fg_check_name(which), run->sentences);
    fg_check_result_free(&run->result);
}

static void expect(struct run *run, enum fg_check which)
{
    expect_count(run, which, 1);
}

static struct fg_order_event *event(struct run *run, unsigned number)
{
    return &run->entries[0][number].event;
}

/* Takes an entry out and numbers the rest anew, as if it had never been. */
static void unlog(struct run *run, unsigned number)
{
    struct fg_sale_stream *stream = &run->streams[0];
    memmove(&stream->entries[number], &stream->entries[number + 1],
            (stream->count - number - 1) * sizeof(*stream->entries));
    stream->count--;
    for (unsigned i = 0; i < stream->count; i++)
        stream->entries[i].event.sale_seq = i + 1;
}

/* --- the clean run and what it counts --- */

static void clean_run_passes(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    run.sell_out_expected = true;
    check(&run);
    assert_string_equal(run.sentences, "");
    const struct fg_check_result *result = &run.result;
    assert_int_equal(run.findings.total, 0);
    assert_int_equal(result->requests, 7);
    assert_int_equal(result->answered, 7);
    assert_int_equal(result->lost, 0);
    assert_int_equal(result->admitted, 5);
    assert_int_equal(result->redis_orders, 5);
    assert_int_equal(result->duplicate_orders, 0);
    assert_int_equal(result->unjudged_events, 0);
    assert_int_equal(result->sent, 10);
    assert_int_equal(result->sends_answered, 10);
    assert_int_equal(result->resent, 0);
    assert_int_equal(result->sent_by_op[FG_OP_CONFIRM], 2);
    assert_int_equal(result->outcomes[FG_VERDICT_ADMITTED], 5);
    assert_int_equal(result->outcomes[FG_VERDICT_SOLD_OUT], 2);
    assert_int_equal(result->first_sent_ns, 100);
    assert_int_equal(result->last_replied_ns, 195);
    assert_int_equal(result->books_count, 2);
    const struct fg_item_books *tickets = &result->books[1];
    assert_int_equal(tickets->id, TICKET);
    assert_int_equal(tickets->stock, 2);
    assert_int_equal(tickets->requests, 4);
    assert_int_equal(tickets->asked, 4);
    assert_int_equal(tickets->orders, 3);
    assert_int_equal(tickets->admitted, 3);
    assert_int_equal(tickets->returned, 1);
    assert_int_equal(tickets->peak, 2);
    assert_int_equal(tickets->oversold, 0);
    assert_int_equal(tickets->unsold, 0);
    fg_check_result_free(&run.result);
}

static void empty_run_passes(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    run.records_count = 0;
    run.streams[0].count = 0;
    expect_clean(&run);
    run.streams_count = 0;
    expect_clean(&run);
}

static void units_left_are_counted(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    run.items[0].stock = 5;
    run.records_count = MUG_3; /* nobody was refused */
    run.streams[0].count = ADMIT_1003;
    check(&run);
    assert_int_equal(run.findings.total, 0);
    assert_int_equal(run.result.books[0].unsold, 2);
    assert_int_equal(run.result.books[1].unsold, 2);
    fg_check_result_free(&run.result);

    run.sell_out_expected = true;
    expect_count(&run, FG_CHECK_UNSOLD, 2);
}

static void request_without_final_answer_is_lost(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    sent(&run, 5, 50, FG_OP_ORDER, MUG, 1, 200);
    told(sent(&run, 6, 60, FG_OP_ORDER, MUG, 1, 200), FG_VERDICT_BUSY, 0, 0);
    told(sent(&run, 7, 70, FG_OP_ORDER, MUG, 1, 200), FG_VERDICT_BUSY, 0, 0);
    told(sent(&run, 7, 70, FG_OP_ORDER, MUG, 1, 210), FG_VERDICT_SOLD_OUT, 0, 0)->attempt = 1;
    check(&run);
    assert_int_equal(run.findings.total, 0);
    assert_int_equal(run.result.requests, 10);
    assert_int_equal(run.result.answered, 8);
    assert_int_equal(run.result.lost, 2);
    assert_int_equal(run.result.resent, 1);
    assert_int_equal(run.result.outcomes[FG_VERDICT_NONE], 1);
    assert_int_equal(run.result.outcomes[FG_VERDICT_BUSY], 1);
    assert_int_equal(run.result.outcomes[FG_VERDICT_SOLD_OUT], 3);
    fg_check_result_free(&run.result);
}

static void foreign_item_is_counted_not_judged(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    logged(&run, 0, FG_EVENT_ADMIT, 9, 90, 1009, 77, 500);
    check(&run);
    assert_int_equal(run.findings.total, 0);
    assert_int_equal(run.result.unjudged_events, 1);
    fg_check_result_free(&run.result);
}

/* --- odd but legal --- */

static void replays_and_double_clicks_pass(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    sent(&run, 1, 10, FG_OP_ORDER, MUG, 2, 101); /* never answered */
    told(sent(&run, 1, 10, FG_OP_ORDER, MUG, 2, 102), FG_VERDICT_ADMITTED, 1001, FG_REPLAY);
    told(sent(&run, 1, 10, FG_OP_QUERY, 0, 0, 300), FG_VERDICT_ADMITTED, 1001, FG_REPLAY);
    told(sent(&run, 1, 11, FG_OP_ORDER, TICKET, 1, 300), FG_VERDICT_CONFIRMED, 1003, FG_REPLAY);
    told(sent(&run, 1, 10, FG_OP_CONFIRM, MUG, 2, 300), FG_VERDICT_CONFIRMED, 1001, 0);
    told(sent(&run, 2, 21, FG_OP_ORDER, TICKET, 1, 300), FG_VERDICT_CANCELLED, 1004, FG_REPLAY);
    told(sent(&run, 8, 80, FG_OP_CANCEL, MUG, 1, 300), FG_VERDICT_CANCELLED, 0, 0); /* void */
    told(sent(&run, 1, 10, FG_OP_ORDER, MUG, 2, 400), FG_VERDICT_BUSY, 0, 0);
    told(sent(&run, 0, 0, FG_OP_STOCK, MUG, 0, 400), FG_VERDICT_STOCK, 0, 0);
    told(sent(&run, 0, 0, FG_OP_PING, 0, 0, 400), FG_VERDICT_PONG, 1, 0);
    expect_clean(&run);
}

/* A refusal says nothing about other copies: one that was under way may have been admitted. */
static void copy_refused_before_another_was_admitted_passes(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    told(sent(&run, 2, 20, FG_OP_ORDER, MUG, 1, 104), FG_VERDICT_SOLD_OUT, 0, 0);
    expect_clean(&run);
}

static void order_whose_answer_was_lost_passes(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    run.records[MUG_2].replied_ns = 0;
    run.records[MUG_2].verdict = 0;
    run.records[MUG_2].order = 0;
    expect_clean(&run);
}

/* Others buy from the same sale: they count as given all along. */
static void order_of_an_unknown_client_passes(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    run.records[MUG_2] = run.records[--run.records_count];
    expect_clean(&run);
}

static void expiry_heard_only_by_the_stream_passes(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    event(&run, CANCEL_1004)->kind = FG_EVENT_EXPIRE;
    run.records[CANCEL_2].replied_ns = 0;
    run.records[CANCEL_2].order = 0;
    expect_clean(&run);
}

static void late_confirm_that_reacquires_passes(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    run.items[1].stock = 3;
    run.items[1].limit = 2;
    event(&run, CANCEL_1004)->kind = FG_EVENT_EXPIRE;
    run.records[CANCEL_2].verdict = FG_VERDICT_EXPIRED;
    logged(&run, 0, FG_EVENT_REACQUIRE, 2, 21, 1004, TICKET, 1);
    told(sent(&run, 2, 21, FG_OP_CONFIRM, TICKET, 1, 300), FG_VERDICT_CONFIRMED, 1004, 0);
    run.records[TICKET_4].sent_ns = 400;
    run.records[TICKET_4].replied_ns = 405;
    expect_clean(&run);
}

static void several_streams_and_epochs_pass(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    run.streams_count = 2;
    run.streams[0].count = ADMIT_1003;
    for (unsigned i = ADMIT_1003; i < 8; i++) {
        run.entries[1][i - ADMIT_1003] = run.entries[0][i];
        run.entries[1][i - ADMIT_1003].event.sale_seq = i - ADMIT_1003 + 1;
    }
    run.streams[1].count = 8 - ADMIT_1003;
    run.entries[1][5].epoch = 4;
    expect_clean(&run);
}

/* Fewer are left than asked for: true for 2 units although one is free. */
static void sold_out_for_a_larger_quantity_passes(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    run.items[0].stock = 4;
    run.records[MUG_3].quantity = 2;
    expect_clean(&run);
}

/* --- planted violations --- */

static void oversell_is_found(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    logged(&run, 0, FG_EVENT_ADMIT, 5, 50, 1006, MUG, 1);
    check(&run);
    assert_int_equal(run.findings.counts[FG_CHECK_OVERSOLD], 1);
    assert_int_equal(run.findings.total, 1);
    assert_int_equal(run.result.books[0].oversold, 1);
    assert_int_equal(run.result.books[0].peak, 4);
    fg_check_result_free(&run.result);
}

/* The unit was sold again before it came back: right at the end, wrong at a prefix. */
static void oversell_at_a_prefix_is_found(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    struct fg_order_event cancel = *event(&run, CANCEL_1004);
    *event(&run, CANCEL_1004) = *event(&run, ADMIT_1005);
    *event(&run, ADMIT_1005) = cancel;
    event(&run, CANCEL_1004)->sale_seq = 6;
    event(&run, ADMIT_1005)->sale_seq = 7;
    expect(&run, FG_CHECK_OVERSOLD);
}

static void oversell_to_clients_is_found(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    /* The stream does not know of it either, which is a second violation. */
    told(sent(&run, 5, 50, FG_OP_ORDER, MUG, 1, 300), FG_VERDICT_ADMITTED, 1006, 0);
    check(&run);
    assert_int_equal(run.findings.counts[FG_CHECK_OVERSOLD_TO_CLIENTS], 1);
    assert_int_equal(run.findings.counts[FG_CHECK_ORDER_LOST], 1);
    assert_int_equal(run.findings.total, 2);
    fg_check_result_free(&run.result);
}

static void lost_order_is_found_once(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    unlog(&run, ADMIT_1002);
    told(sent(&run, 2, 20, FG_OP_ORDER, MUG, 1, 300), FG_VERDICT_ADMITTED, 1002, FG_REPLAY);
    expect(&run, FG_CHECK_ORDER_LOST);
}

static void differing_order_is_found(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    event(&run, ADMIT_1001)->quantity = 1;
    run.records[MUG_3].verdict = FG_VERDICT_BUSY; /* it would be false, with a unit less given */
    expect(&run, FG_CHECK_ORDER_DIFFERS);

    clean(&run);
    run.records[TICKET_2].item = MUG;
    expect(&run, FG_CHECK_ORDER_DIFFERS);

    clean(&run);
    run.items[0].limit = 0;
    event(&run, ADMIT_1002)->buyer[0] = 1;
    expect(&run, FG_CHECK_ORDER_DIFFERS);

    clean(&run);
    event(&run, ADMIT_1002)->request = 2020;
    expect(&run, FG_CHECK_ORDER_DIFFERS);
}

static void lost_settlement_is_found(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    unlog(&run, CONFIRM_1003);
    expect(&run, FG_CHECK_SETTLEMENT_LOST);

    clean(&run);
    run.items[1].stock = 3; /* the unit never came back */
    unlog(&run, CANCEL_1004);
    run.records[TICKET_4].verdict = FG_VERDICT_ALL_HELD;
    expect(&run, FG_CHECK_SETTLEMENT_LOST);

    clean(&run); /* told EXPIRED, logged as CANCEL */
    run.records[CANCEL_2].verdict = FG_VERDICT_EXPIRED;
    expect(&run, FG_CHECK_SETTLEMENT_LOST);

    clean(&run); /* told that it is final, logged as held */
    event(&run, ADMIT_1002)->hold_ms = 1000;
    expect(&run, FG_CHECK_SETTLEMENT_LOST);
}

static void repeated_event_is_found(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    logged(&run, 0, FG_EVENT_CONFIRM, 1, 11, 1003, TICKET, 1);
    expect(&run, FG_CHECK_EVENT_REPEATED);

    clean(&run);
    logged(&run, 0, FG_EVENT_ADMIT, 1, 10, 1001, MUG, 2);
    check(&run);
    assert_int_equal(run.findings.counts[FG_CHECK_EVENT_REPEATED], 1);
    assert_int_equal(run.findings.total, 1);
    assert_int_equal(run.result.duplicate_orders, 1);
    assert_int_equal(run.result.redis_orders, 5);
    fg_check_result_free(&run.result);
}

static void impossible_event_is_found(void **state)
{
    (void)state;
    static const uint8_t confirmed[] = {FG_EVENT_EXPIRE, FG_EVENT_REACQUIRE, FG_EVENT_REFUSE_LATE};
    struct run run;
    for (unsigned i = 0; i < sizeof(confirmed); i++) {
        clean(&run);
        logged(&run, 0, confirmed[i], 1, 11, 1003, TICKET, 1);
        expect(&run, FG_CHECK_EVENT_IMPOSSIBLE);
    }
    static const uint8_t cancelled[] = {FG_EVENT_CONFIRM, FG_EVENT_EXPIRE, FG_EVENT_REACQUIRE};
    for (unsigned i = 0; i < sizeof(cancelled); i++) {
        clean(&run);
        logged(&run, 0, cancelled[i], 2, 21, 1004, TICKET, 1);
        expect(&run, FG_CHECK_EVENT_IMPOSSIBLE);
    }
    clean(&run); /* without an ADMIT */
    logged(&run, 0, FG_EVENT_CONFIRM, 1, 11, 5555, TICKET, 1);
    expect(&run, FG_CHECK_EVENT_IMPOSSIBLE);

    clean(&run); /* of another quantity than its ADMIT */
    event(&run, CONFIRM_1003)->quantity = 2;
    check(&run);
    assert_int_equal(run.findings.counts[FG_CHECK_EVENT_IMPOSSIBLE], 1);
    fg_check_result_free(&run.result);
}

static void refused_late_confirm_is_final(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    run.items[1].stock = 3;
    run.records[CANCEL_2].verdict = FG_VERDICT_EXPIRED;
    event(&run, CANCEL_1004)->kind = FG_EVENT_EXPIRE;
    run.records[TICKET_4].verdict = FG_VERDICT_ALL_HELD;
    logged(&run, 0, FG_EVENT_REFUSE_LATE, 2, 21, 1004, TICKET, 1);
    expect_clean(&run);
    logged(&run, 0, FG_EVENT_REACQUIRE, 2, 21, 1004, TICKET, 1);
    expect(&run, FG_CHECK_EVENT_IMPOSSIBLE);
}

static void broken_sequence_is_found(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    for (unsigned i = 7; i < 8; i++)
        event(&run, i)->sale_seq++;
    expect(&run, FG_CHECK_SEQUENCE_BROKEN);

    clean(&run);
    run.entries[0][6].epoch = 2;
    expect(&run, FG_CHECK_SEQUENCE_BROKEN);
}

static void two_orders_of_a_request_are_found(void **state)
{
    (void)state;
    struct run run;
    clean(&run); /* by the stream alone */
    run.items[0].stock = 5;
    run.items[0].limit = 0;
    run.records[MUG_3].verdict = FG_VERDICT_BUSY;
    logged(&run, 0, FG_EVENT_ADMIT, 1, 10, 1006, MUG, 2);
    check(&run);
    assert_int_equal(run.findings.counts[FG_CHECK_TWO_ORDERS], 1);
    assert_int_equal(run.findings.total, 1);
    assert_int_equal(run.result.duplicate_orders, 1);
    assert_int_equal(run.result.redis_orders, 6);
    fg_check_result_free(&run.result);

    clean(&run); /* by the answers alone */
    told(sent(&run, 1, 10, FG_OP_ORDER, MUG, 2, 300), FG_VERDICT_ADMITTED, 7777, FG_REPLAY);
    check(&run);
    assert_int_equal(run.findings.counts[FG_CHECK_TWO_ORDERS], 1);
    assert_int_equal(run.findings.counts[FG_CHECK_ORDER_LOST], 1);
    fg_check_result_free(&run.result);
}

static void shared_order_id_is_found(void **state)
{
    (void)state;
    struct run run;
    clean(&run); /* by the stream alone */
    logged(&run, 0, FG_EVENT_ADMIT, 5, 50, 1001, MUG, 2);
    expect(&run, FG_CHECK_SHARED_ORDER);

    clean(&run); /* by the answers: the stream has it for another */
    told(sent(&run, 5, 50, FG_OP_ORDER, MUG, 1, 300), FG_VERDICT_ADMITTED, 1002, 0);
    check(&run);
    assert_int_equal(run.findings.counts[FG_CHECK_SHARED_ORDER], 1);
    assert_int_equal(run.findings.counts[FG_CHECK_ORDER_DIFFERS], 1);
    fg_check_result_free(&run.result);
}

static void forgotten_replay_is_found(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    told(sent(&run, 2, 20, FG_OP_ORDER, MUG, 1, 116), FG_VERDICT_LIMIT_REACHED, 0, 0);
    expect(&run, FG_CHECK_REPLAY_FORGOTTEN);
    run.records[run.records_count - 1].sent_ns =
        115; /* the moment it was heard: may have crossed */
    expect_clean(&run);
}

static void limit_is_checked_at_every_prefix(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    run.items[0].limit = 1;
    expect(&run, FG_CHECK_OVER_LIMIT);

    clean(&run); /* a cancelled order gives the limit back ... */
    run.records[TICKET_3].buyer[0] = run.records[CONFIRM_3].buyer[0] = 2;
    event(&run, ADMIT_1005)->buyer[0] = event(&run, 7)->buyer[0] = 2;
    expect_clean(&run);
    run.items[1].limit = 0; /* ... and 0 is no limit */
    expect_clean(&run);

    clean(&run); /* ... but not before it is cancelled */
    run.items[1].stock = 3;
    run.records[TICKET_4].verdict = FG_VERDICT_ALL_HELD;
    run.records[TICKET_3].buyer[0] = run.records[CONFIRM_3].buyer[0] = 1;
    event(&run, ADMIT_1005)->buyer[0] = event(&run, 7)->buyer[0] = 1;
    expect(&run, FG_CHECK_OVER_LIMIT);
}

static void sold_out_with_free_units_is_found(void **state)
{
    (void)state;
    struct run run;
    clean(&run); /* a unit that nobody ever took */
    run.items[0].stock = 4;
    expect(&run, FG_CHECK_FALSE_SOLD_OUT);

    clean(&run); /* before the last order was sent at all */
    run.records[MUG_3].sent_ns = 103;
    run.records[MUG_3].replied_ns = 109;
    expect(&run, FG_CHECK_FALSE_SOLD_OUT);
    run.records[MUG_3].replied_ns = 110; /* the order may have overtaken */
    expect_clean(&run);
}

/* Between the cancellation that was heard at 165 and the order of 170, one ticket was free. */
static void sold_out_after_a_heard_return_is_found(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    struct fg_history_record *late = sent(&run, 5, 50, FG_OP_ORDER, TICKET, 1, 165);
    told(late, FG_VERDICT_SOLD_OUT, 0, 0)->replied_ns = 169;
    expect(&run, FG_CHECK_FALSE_SOLD_OUT);
    late->sent_ns = 164; /* sent before the return was heard: may have been judged before it */
    expect_clean(&run);
    late->sent_ns = 165;
    late->replied_ns = 170; /* heard after the next order was sent: that may have taken it */
    expect_clean(&run);
}

static void sentences_are_bounded_counts_are_not(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    for (unsigned i = 0; i < FG_CHECK_SENTENCES + 5; i++)
        told(sent(&run, 100, i, FG_OP_ORDER, 99, 1, 300), FG_VERDICT_ADMITTED, 9000 + i, FG_HELD);
    check(&run);
    assert_int_equal(run.findings.counts[FG_CHECK_ORDER_LOST], FG_CHECK_SENTENCES + 5);
    unsigned lines = 0;
    for (const char *at = run.sentences; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, FG_CHECK_SENTENCES);
    fg_check_result_free(&run.result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_run_passes),
        cmocka_unit_test(empty_run_passes),
        cmocka_unit_test(units_left_are_counted),
        cmocka_unit_test(request_without_final_answer_is_lost),
        cmocka_unit_test(foreign_item_is_counted_not_judged),
        cmocka_unit_test(replays_and_double_clicks_pass),
        cmocka_unit_test(copy_refused_before_another_was_admitted_passes),
        cmocka_unit_test(order_whose_answer_was_lost_passes),
        cmocka_unit_test(order_of_an_unknown_client_passes),
        cmocka_unit_test(expiry_heard_only_by_the_stream_passes),
        cmocka_unit_test(late_confirm_that_reacquires_passes),
        cmocka_unit_test(several_streams_and_epochs_pass),
        cmocka_unit_test(sold_out_for_a_larger_quantity_passes),
        cmocka_unit_test(oversell_is_found),
        cmocka_unit_test(oversell_at_a_prefix_is_found),
        cmocka_unit_test(oversell_to_clients_is_found),
        cmocka_unit_test(lost_order_is_found_once),
        cmocka_unit_test(differing_order_is_found),
        cmocka_unit_test(lost_settlement_is_found),
        cmocka_unit_test(repeated_event_is_found),
        cmocka_unit_test(impossible_event_is_found),
        cmocka_unit_test(refused_late_confirm_is_final),
        cmocka_unit_test(broken_sequence_is_found),
        cmocka_unit_test(two_orders_of_a_request_are_found),
        cmocka_unit_test(shared_order_id_is_found),
        cmocka_unit_test(forgotten_replay_is_found),
        cmocka_unit_test(limit_is_checked_at_every_prefix),
        cmocka_unit_test(sold_out_with_free_units_is_found),
        cmocka_unit_test(sold_out_after_a_heard_return_is_found),
        cmocka_unit_test(sentences_are_bounded_counts_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
