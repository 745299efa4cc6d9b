/* SPDX-License-Identifier: BSD-3-Clause */
/* Violations that the answers to clients show, held against the events. */
#include "tests/unit/check_run.h"

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

/* Who was blocked from some time on: whatever he asked anew is answered so, what he has is told. */
static void blocked_is_a_true_answer(void **state)
{
    (void)state;
    struct run run;
    clean(&run);
    told(sent(&run, 2, 21, FG_OP_ORDER, MUG, 1, 116), FG_VERDICT_BLOCKED, 0, 0);
    told(sent(&run, 9, 90, FG_OP_ORDER, MUG, 1, 101), FG_VERDICT_BLOCKED, 0, 0);
    told(sent(&run, 2, 20, FG_OP_ORDER, MUG, 1, 116), FG_VERDICT_ADMITTED, 1002, FG_REPLAY);
    expect_clean(&run);
    /* ... and the order that was told of is not forgotten for it */
    run.records[run.records_count - 1].verdict = FG_VERDICT_BLOCKED;
    run.records[run.records_count - 1].order = 0;
    expect(&run, FG_CHECK_REPLAY_FORGOTTEN);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oversell_to_clients_is_found),
        cmocka_unit_test(lost_order_is_found_once),
        cmocka_unit_test(differing_order_is_found),
        cmocka_unit_test(lost_settlement_is_found),
        cmocka_unit_test(forgotten_replay_is_found),
        cmocka_unit_test(blocked_is_a_true_answer),
        cmocka_unit_test(sold_out_with_free_units_is_found),
        cmocka_unit_test(sold_out_after_a_heard_return_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
