/* SPDX-License-Identifier: BSD-3-Clause */
/* Violations that the events alone show, whoever has heard of them. */
#include "tests/unit/check_run.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oversell_is_found),
        cmocka_unit_test(oversell_at_a_prefix_is_found),
        cmocka_unit_test(repeated_event_is_found),
        cmocka_unit_test(impossible_event_is_found),
        cmocka_unit_test(refused_late_confirm_is_final),
        cmocka_unit_test(broken_sequence_is_found),
        cmocka_unit_test(two_orders_of_a_request_are_found),
        cmocka_unit_test(shared_order_id_is_found),
        cmocka_unit_test(limit_is_checked_at_every_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
