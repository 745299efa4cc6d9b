/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a log tells beside events: supply and limits that change, sales with rules of their own,
 * sales that are archived, orders that went with old segments.
 */
#include "tests/unit/check_run.h"

#define SETTLE 50

struct log_run {
    struct run run;
    struct fg_supply_change changes[4];
    unsigned changes_count;
    struct fg_sale_facts facts[2];
    uint32_t item_streams[2], gone[2];
    unsigned gone_count;
    uint64_t skew_ns;
    uint64_t cancelled[2];
    unsigned cancelled_count;
};

/* The clean run as a log tells it: one sale with both items. */
static void logged_run(struct log_run *log)
{
    memset(log, 0, sizeof(*log));
    clean(&log->run);
    log->facts[0] = (struct fg_sale_facts){.number = 1, .defined = true};
    log->facts[1] = (struct fg_sale_facts){.number = 2, .defined = true};
    for (unsigned i = 0; i < log->run.streams[0].count; i++)
        log->run.entries[0][i].lsn = 10 * (i + 1);
}

static void change(struct log_run *log, uint64_t after, uint64_t at_ns, uint32_t item,
                   uint32_t stock, uint32_t limit)
{
    log->changes[log->changes_count++] = (struct fg_supply_change){.after = after,
                                                                   .lsn = 10 * after + 5,
                                                                   .at_ns = at_ns,
                                                                   .item = item,
                                                                   .stock = stock,
                                                                   .limit = limit};
}

static void judge(struct log_run *log)
{
    struct run *run = &log->run;
    struct fg_check_input input = {.items = run->items,
                                   .items_count = 2,
                                   .records = run->records,
                                   .records_count = run->records_count,
                                   .streams = run->streams,
                                   .streams_count = run->streams_count,
                                   .changes = log->changes,
                                   .changes_count = log->changes_count,
                                   .settle_ns = SETTLE,
                                   .skew_ns = log->skew_ns,
                                   .sales = log->facts,
                                   .item_streams = log->item_streams,
                                   .gone = log->gone,
                                   .gone_count = log->gone_count,
                                   .cancelled = log->cancelled,
                                   .cancelled_count = log->cancelled_count};
    run->findings = (struct fg_findings){.found = found, .arg = run};
    run->sentences[0] = '\0';
    assert_int_equal(fg_check_run(&input, &run->result, &run->findings), 0);
}

static void wanted(struct log_run *log, enum fg_check which, unsigned count)
{
    judge(log);
    if (log->run.findings.counts[which] != count || log->run.findings.total != count)
        fail_msg("wanted %u x %s, found:\n%s", count, fg_check_name(which), log->run.sentences);
    fg_check_result_free(&log->run.result);
}

static void passes(struct log_run *log)
{
    wanted(log, FG_CHECK_OVERSOLD, 0);
}

static void the_clean_run_passes(void **state)
{
    (void)state;
    struct log_run log;
    logged_run(&log);
    passes(&log);
}

/* --- supply --- */

static void supply_is_what_it_was_at_each_place(void **state)
{
    (void)state;
    struct log_run log;
    logged_run(&log); /* the third mug came before it was sold */
    log.run.items[0].stock = 2;
    change(&log, ADMIT_1002, 0, MUG, 3, 2);
    judge(&log);
    assert_string_equal(log.run.sentences, "");
    assert_int_equal(log.run.result.books[0].stock, 3);
    assert_int_equal(log.run.result.books[0].oversold, 0);
    fg_check_result_free(&log.run.result);

    log.changes[0].after = ADMIT_1002 + 1; /* ... or too late */
    judge(&log);
    assert_int_equal(log.run.findings.counts[FG_CHECK_OVERSOLD], 1);
    assert_int_equal(log.run.findings.total, 1);
    assert_int_equal(log.run.result.books[0].oversold, 1);
    fg_check_result_free(&log.run.result);
}

static void removing_what_is_sold_is_found(void **state)
{
    (void)state;
    struct log_run log;
    logged_run(&log);
    log.run.items[0].stock = 4;
    log.run.records[MUG_3].verdict = FG_VERDICT_BUSY;
    change(&log, 8, 500, MUG, 3, 2);
    passes(&log);
    log.changes[0].stock = 2;
    judge(&log);
    assert_int_equal(log.run.findings.counts[FG_CHECK_OVERSOLD], 1);
    assert_int_equal(log.run.findings.counts[FG_CHECK_OVERSOLD_TO_CLIENTS], 1);
    assert_int_equal(log.run.findings.total, 2);
    fg_check_result_free(&log.run.result);
}

/* Buyer 3 asked for a mug at 120 and heard SOLD_OUT at 125. */
static void sold_out_is_judged_by_the_supply_of_then(void **state)
{
    (void)state;
    struct log_run log;
    logged_run(&log); /* added long before: it was there */
    change(&log, 2, 120 - SETTLE, MUG, 4, 2);
    wanted(&log, FG_CHECK_FALSE_SOLD_OUT, 1);
    log.changes[0].at_ns++; /* it may not have been on sale yet */
    passes(&log);

    logged_run(&log); /* removed long after: it was there */
    log.run.items[0].stock = 4;
    change(&log, 2, 125 + SETTLE + 1, MUG, 3, 2);
    wanted(&log, FG_CHECK_FALSE_SOLD_OUT, 1);
    log.changes[0].at_ns--; /* its removal may have begun */
    passes(&log);
}

static void clocks_that_differ_are_given_a_margin(void **state)
{
    (void)state;
    struct log_run log;
    logged_run(&log);
    log.run.records[MUG_3].sent_ns = 103; /* before the last mug was asked for, at 110 */
    log.run.records[MUG_3].replied_ns = 109;
    wanted(&log, FG_CHECK_FALSE_SOLD_OUT, 1);
    log.skew_ns = 1;
    passes(&log);
}

/* --- limits --- */

static void a_raised_limit_binds_from_its_place_on(void **state)
{
    (void)state;
    struct log_run log;
    logged_run(&log);
    log.run.items[0].limit = 1;
    change(&log, ADMIT_1001, 90, MUG, 3, 2);
    passes(&log);
    log.changes[0].after = ADMIT_1001 + 1;
    wanted(&log, FG_CHECK_OVER_LIMIT, 1);
}

static void a_lowered_limit_binds_when_it_is_surely_in_force(void **state)
{
    (void)state;
    struct log_run log;
    logged_run(&log);
    change(&log, ADMIT_1001, 100, MUG, 3, 1);
    event(&log.run, ADMIT_1001)->at_ns = 100 + SETTLE; /* decided by the former limit, maybe */
    passes(&log);
    event(&log.run, ADMIT_1001)->at_ns = 100 + SETTLE + 1;
    wanted(&log, FG_CHECK_OVER_LIMIT, 1);
    /* Lowered twice: the greatest of those that may have been in force binds. */
    log.run.items[0].limit = 3;
    log.changes[0] = (struct fg_supply_change){.at_ns = 90, .item = MUG, .stock = 3, .limit = 2};
    change(&log, ADMIT_1001, 110, MUG, 3, 1);
    event(&log.run, ADMIT_1001)->at_ns = 110 + SETTLE;
    passes(&log);
    event(&log.run, ADMIT_1001)->at_ns = 110 + SETTLE + 1;
    wanted(&log, FG_CHECK_OVER_LIMIT, 1);
}

/* Buyer 1 has two mugs and a ticket, in this order. */
static void a_sales_limit_is_over_all_its_items(void **state)
{
    (void)state;
    struct log_run log;
    logged_run(&log);
    log.facts[0].limit = 3;
    passes(&log);
    log.facts[0].limit = 2;
    wanted(&log, FG_CHECK_OVER_LIMIT, 1);
    change(&log, ADMIT_1003, 90, 0, 0, 3); /* raised just before the ticket */
    passes(&log);
    log.changes[0].after = ADMIT_1003 + 1;
    wanted(&log, FG_CHECK_OVER_LIMIT, 1);
    log.facts[0].limit = 0;
    log.changes[0] = (struct fg_supply_change){.after = ADMIT_1003, .at_ns = 100, .limit = 2};
    event(&log.run, ADMIT_1003)->at_ns = 100 + SETTLE;
    passes(&log);
    event(&log.run, ADMIT_1003)->at_ns = 100 + SETTLE + 1;
    wanted(&log, FG_CHECK_OVER_LIMIT, 1);
}

/* What came back does not count: buyer 2 has a mug, and a ticket that is cancelled. */
static void a_sales_limit_counts_what_a_buyer_has(void **state)
{
    (void)state;
    struct log_run log;
    logged_run(&log);
    log.run.items[0].stock = 4;
    log.run.records[MUG_3].verdict = FG_VERDICT_LIMIT_REACHED;
    log.facts[0].limit = 3;
    logged(&log.run, 0, FG_EVENT_ADMIT, 2, 22, 1006, MUG, 1);
    passes(&log);
    log.facts[0].limit = 2;
    event(&log.run, ADMIT_1003)->buyer[0] = 7; /* keep buyer 1 within it ... */
    event(&log.run, CONFIRM_1003)->buyer[0] = 7;
    log.run.records[TICKET_1].buyer[0] = log.run.records[CONFIRM_1].buyer[0] = 7;
    passes(&log);
    unlog(&log.run, CANCEL_1004); /* ... and let buyer 2 have all three */
    log.run.records[CANCEL_2].replied_ns = 0;
    log.run.items[1].stock = 3;
    log.run.records[TICKET_4].verdict = FG_VERDICT_LIMIT_REACHED;
    wanted(&log, FG_CHECK_OVER_LIMIT, 1);
}

/* --- rules of the sale --- */

static void cancelling_a_final_order_must_be_allowed(void **state)
{
    (void)state;
    struct log_run log;
    logged_run(&log);
    log.run.items[0].stock = 3;
    logged(&log.run, 0, FG_EVENT_CANCEL, 2, 20, 1002, MUG, 1);
    wanted(&log, FG_CHECK_EVENT_IMPOSSIBLE, 1);
    log.cancelled[0] = 1001;
    log.cancelled_count = 1;
    wanted(&log, FG_CHECK_EVENT_IMPOSSIBLE, 1);
    log.cancelled[1] = 1002; /* by an operator */
    log.cancelled_count = 2;
    passes(&log);
    log.cancelled_count = 0;
    log.facts[0].cancel_final = true;
    passes(&log);
}

/* An operator cancels buyer 2's mug, whose buyer never hears of it; buyer 5 gets it. */
static void what_an_operator_cancelled_is_not_owned(void **state)
{
    (void)state;
    struct log_run log;
    logged_run(&log);
    log.cancelled[0] = 1002;
    log.cancelled_count = 1;
    logged(&log.run, 0, FG_EVENT_CANCEL, 2, 20, 1002, MUG, 1);
    logged(&log.run, 0, FG_EVENT_ADMIT, 5, 50, 1006, MUG, 1);
    told(sent(&log.run, 5, 50, FG_OP_ORDER, MUG, 1, 300), FG_VERDICT_ADMITTED, 1006, 0);
    passes(&log);

    log.cancelled[0] = 1001; /* another's cancellation does not explain it */
    judge(&log);
    assert_int_equal(log.run.findings.counts[FG_CHECK_EVENT_IMPOSSIBLE], 1);
    assert_int_equal(log.run.findings.counts[FG_CHECK_OVERSOLD_TO_CLIENTS], 1);
    assert_int_equal(log.run.findings.counts[FG_CHECK_OVERSOLD], 1);
    assert_int_equal(log.run.findings.total, 3);
    fg_check_result_free(&log.run.result);

    logged_run(&log); /* that it was to be cancelled does not mean that it was */
    log.cancelled[0] = 1002;
    log.cancelled_count = 1;
    change(&log, ADMIT_1003, 0, MUG, 2, 0);
    log.run.records[MUG_3].verdict = FG_VERDICT_BUSY;
    judge(&log);
    assert_int_equal(log.run.findings.counts[FG_CHECK_OVERSOLD_TO_CLIENTS], 1);
    fg_check_result_free(&log.run.result);
}

static void reacquiring_must_be_allowed(void **state)
{
    (void)state;
    struct log_run log;
    logged_run(&log);
    log.run.items[1].stock = 3;
    log.run.records[CANCEL_2].verdict = FG_VERDICT_EXPIRED;
    log.run.records[TICKET_4].verdict = FG_VERDICT_ALL_HELD;
    event(&log.run, CANCEL_1004)->kind = FG_EVENT_EXPIRE;
    logged(&log.run, 0, FG_EVENT_REACQUIRE, 2, 21, 1004, TICKET, 1);
    wanted(&log, FG_CHECK_EVENT_IMPOSSIBLE, 1);
    log.facts[0].reacquires = true;
    passes(&log);
}

static void an_item_of_another_sale_is_found(void **state)
{
    (void)state;
    struct log_run log;
    logged_run(&log);
    log.item_streams[1] = 1;
    log.run.streams_count = 2;
    wanted(&log, FG_CHECK_EVENT_IMPOSSIBLE, 6); /* every event of a ticket */
    log.facts[0].defined = false;               /* what is not known is not judged */
    passes(&log);

    logged_run(&log);
    logged(&log.run, 0, FG_EVENT_ADMIT, 9, 90, 1009, 77, 1);
    wanted(&log, FG_CHECK_EVENT_IMPOSSIBLE, 1);
}

/* --- archived, and gone --- */

/* Buyer 1's request 10 once more, in a second sale. */
static void a_request_may_be_used_again_after_archiving(void **state)
{
    (void)state;
    struct log_run log;
    logged_run(&log);
    log.run.items[1].stock = 3;
    log.run.records[TICKET_4].verdict = FG_VERDICT_ALL_HELD;
    log.run.streams_count = 2;
    log.item_streams[1] = 1;
    memcpy(log.run.entries[1], &log.run.entries[0][2], 6 * sizeof(log.run.entries[1][0]));
    log.run.streams[0].count = 2;
    log.run.streams[1].count = 6;
    for (unsigned i = 0; i < 6; i++)
        log.run.entries[1][i].event.sale_seq = i + 1;
    logged(&log.run, 1, FG_EVENT_ADMIT, 2, 20, 1006, TICKET, 1);
    log.run.entries[1][6].lsn = 200;
    log.run.items[1].limit = 0;
    told(sent(&log.run, 2, 20, FG_OP_ORDER, TICKET, 1, 300), FG_VERDICT_ADMITTED, 1006, FG_HELD);
    wanted(&log, FG_CHECK_TWO_ORDERS, 2); /* by its events, and as the client was told */
    log.facts[0].archived_lsn = 199;
    passes(&log);
    log.facts[0].archived_lsn = 201;
    wanted(&log, FG_CHECK_TWO_ORDERS, 2);
}

static void a_replay_may_be_forgotten_after_archiving(void **state)
{
    (void)state;
    struct log_run log;
    logged_run(&log);
    told(sent(&log.run, 2, 20, FG_OP_ORDER, MUG, 1, 300), FG_VERDICT_UNKNOWN_ITEM, 0, 0);
    wanted(&log, FG_CHECK_REPLAY_FORGOTTEN, 1);
    log.facts[0].archived_lsn = 1000;
    log.facts[0].archived_ns = 305 + SETTLE;
    passes(&log);
    log.facts[0].archived_ns++;
    wanted(&log, FG_CHECK_REPLAY_FORGOTTEN, 1);
}

/* The first two orders and the third's ADMIT went with an old segment. */
static void forget(struct log_run *log)
{
    logged_run(log);
    struct fg_sale_stream *stream = &log->run.streams[0];
    memmove(stream->entries, &stream->entries[3], 5 * sizeof(*stream->entries));
    stream->count = 5;
    stream->passed = (struct fg_stream_id){1, 3};
    log->facts[0].archived_lsn = 1000;
}

static void forgotten_orders_are_not_judged(void **state)
{
    (void)state;
    struct log_run log;
    forget(&log);
    judge(&log);
    assert_string_equal(log.run.sentences, "");
    assert_int_equal(log.run.result.unjudged_events, 1);
    assert_int_equal(log.run.result.unjudged_answers, 4); /* of 1001, 1002, and 1003 twice */
    fg_check_result_free(&log.run.result);

    forget(&log); /* what is left is judged all the same */
    log.run.items[1].stock = 0;
    judge(&log);
    assert_int_equal(log.run.findings.counts[FG_CHECK_OVERSOLD], 1);
    fg_check_result_free(&log.run.result);
}

/* Of what clients were told, only orders that the log still knows of are surely theirs: an operator
 * may have cancelled the others, and removed the units. */
static void forgotten_orders_are_nobodys(void **state)
{
    (void)state;
    struct log_run log;
    forget(&log); /* clients were told of three mugs */
    log.run.items[0].stock = 2;
    judge(&log);
    assert_string_equal(log.run.sentences, "");
    fg_check_result_free(&log.run.result);

    log.item_streams[0] = 1; /* of a sale that the log has forgotten nothing of */
    log.run.streams_count = 2;
    judge(&log);
    assert_int_equal(log.run.findings.counts[FG_CHECK_OVERSOLD_TO_CLIENTS], 1);
    assert_int_equal(log.run.findings.counts[FG_CHECK_ORDER_LOST], 2);
    fg_check_result_free(&log.run.result);
}

static void forgetting_a_live_sale_is_found(void **state)
{
    (void)state;
    struct log_run log;
    forget(&log);
    log.facts[0].archived_lsn = 0;
    wanted(&log, FG_CHECK_LOG_FORGOTTEN, 1);
}

static void an_order_of_a_sale_that_is_gone_is_not_judged(void **state)
{
    (void)state;
    struct log_run log;
    logged_run(&log);
    told(sent(&log.run, 9, 90, FG_OP_ORDER, 55, 1, 300), FG_VERDICT_ADMITTED, 9999, 0);
    wanted(&log, FG_CHECK_ORDER_LOST, 1);
    log.gone[0] = 44;
    log.gone[1] = 55;
    log.gone_count = 2;
    passes(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clean_run_passes),
        cmocka_unit_test(supply_is_what_it_was_at_each_place),
        cmocka_unit_test(removing_what_is_sold_is_found),
        cmocka_unit_test(sold_out_is_judged_by_the_supply_of_then),
        cmocka_unit_test(clocks_that_differ_are_given_a_margin),
        cmocka_unit_test(a_raised_limit_binds_from_its_place_on),
        cmocka_unit_test(a_lowered_limit_binds_when_it_is_surely_in_force),
        cmocka_unit_test(a_sales_limit_is_over_all_its_items),
        cmocka_unit_test(a_sales_limit_counts_what_a_buyer_has),
        cmocka_unit_test(cancelling_a_final_order_must_be_allowed),
        cmocka_unit_test(what_an_operator_cancelled_is_not_owned),
        cmocka_unit_test(reacquiring_must_be_allowed),
        cmocka_unit_test(an_item_of_another_sale_is_found),
        cmocka_unit_test(a_request_may_be_used_again_after_archiving),
        cmocka_unit_test(a_replay_may_be_forgotten_after_archiving),
        cmocka_unit_test(forgotten_orders_are_not_judged),
        cmocka_unit_test(forgotten_orders_are_nobodys),
        cmocka_unit_test(forgetting_a_live_sale_is_found),
        cmocka_unit_test(an_order_of_a_sale_that_is_gone_is_not_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
