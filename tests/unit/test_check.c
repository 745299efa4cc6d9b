/* SPDX-License-Identifier: BSD-3-Clause */
/* What the checker counts of a clean run, and what only looks odd and has to pass. */
#include "tests/unit/check_run.h"

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
        cmocka_unit_test(sentences_are_bounded_counts_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
