/* SPDX-License-Identifier: BSD-3-Clause */
/* The checker's book of a log in which a base stands for what is gone, or repeats what was told. */
#include "tests/unit/log_book_fixture.h"

static void put_position(struct reading *reading, uint64_t next, uint32_t epoch)
{
    hand_log_position(&reading->log, 1, next, epoch);
}

/* A log whose first segments are gone. */
static void begin_late(struct reading *reading)
{
    begin(reading, 3);
    put(reading, (struct fg_control_event){.kind = FG_EVENT_NAMES_USED},
        "{\"sales\": [\"old\"], \"items\": [5, 3]}");
    put_sale(reading, 2, 3, 50);
    put_units(reading, FG_EVENT_ITEM_SUPPLY, 9, 7, 1);
    put_position(reading, 4, 1);
    hand_log_frame(&reading->log, FG_FRAME_BASE);
}

/* More ids than there can have been would take all memory. */
static void runs_of_ids_have_a_bound(void **state)
{
    (void)state;
    struct reading reading;
    begin(&reading, 3);
    put(&reading, (struct fg_control_event){.kind = FG_EVENT_NAMES_USED},
        "{\"sales\": [\"old\"], \"items\": [[1, 4294967295], [1, 4294967295]]}");
    hand_log_frame(&reading.log, FG_FRAME_BASE);
    assert_int_equal(read_on(&reading), -EBADMSG);
    assert_int_equal(reading.book.gone_count, 0);
    end(&reading);
}

static void what_operators_did_is_passed_over(void **state)
{
    (void)state;
    struct reading reading;
    begin(&reading, 1);
    put_sale(&reading, 2, 3, 50);
    hand_log_frame(&reading.log, FG_FRAME_BASE);
    put(&reading, (struct fg_control_event){.kind = FG_EVENT_ACT}, "{\"method\": \"consumed\"}");
    put(&reading, (struct fg_control_event){.kind = FG_EVENT_ACT},
        "{\"method\": \"order.cancel\", \"order\": \"18446744073709551615\"}");
    put(&reading, (struct fg_control_event){.kind = FG_EVENT_ACT},
        "{\"method\": \"order.cancel\", \"order\": \"7\"}");
    hand_log_frame(&reading.log, 0);
    assert_int_equal(read_on(&reading), FG_LOG_END);
    assert_string_equal(reading.sentences, "");
    struct fg_check_input input = {0}; /* but for the orders that they cancelled */
    fg_log_book_input(&reading.book, &input);
    assert_int_equal(input.cancelled_count, 2);
    assert_int_equal(input.cancelled[0], 7);
    assert_int_equal(input.cancelled[1], UINT64_MAX);
    end(&reading);
}

/* A sale's own limit: the one it began with, and where it was changed. */
static void a_sales_limit_is_followed(void **state)
{
    (void)state;
    struct reading reading;
    struct fg_check_input input = {0};
    begin(&reading, 1);
    reading.sale_limit = 5;
    put_sale(&reading, 2, 3, 50);
    hand_log_frame(&reading.log, FG_FRAME_BASE);
    put_sale(&reading, 2, 3, 60);
    reading.sale_limit = 4;
    put_sale(&reading, 2, 3, 70);
    hand_log_frame(&reading.log, 0);
    clean(&reading);
    fg_log_book_input(&reading.book, &input);
    assert_int_equal(input.sales[0].limit, 5);
    assert_int_equal(input.changes_count, 1);
    assert_int_equal(input.changes[0].item, 0);
    assert_int_equal(input.changes[0].limit, 4);
    assert_int_equal(input.changes[0].at_ns, 70);
    end(&reading);
}

static void the_first_base_stands_for_what_is_gone(void **state)
{
    (void)state;
    struct reading reading;
    struct fg_check_input input = {0};
    begin_late(&reading);
    assert_int_equal(read_on(&reading), FG_LOG_END);
    fg_log_book_input(&reading.book, &input);
    assert_int_equal(reading.book.first_segment, 3);
    assert_int_equal(input.streams[0].passed.sale_seq, 3);
    assert_int_equal(input.streams[0].passed.epoch, 1);
    assert_int_equal(input.changes_count, 1);
    assert_int_equal(input.changes[0].stock, 8);
    assert_int_equal(input.gone_count, 2);
    assert_int_equal(input.gone[0], 3);
    assert_int_equal(input.gone[1], 5);
    assert_true(input.sales[0].cancel_final && input.sales[0].reacquires);
    end(&reading);
}

/* The sale and one order, then a base as X changes it. */
#define LATER_BASE(stock, added, next, epoch)                                                      \
    begin_sale(&reading);                                                                          \
    put_units(&reading, FG_EVENT_STOCK_ADD, 3, 4, 0);                                              \
    put_order(&reading, FG_EVENT_ADMIT, 1, 11);                                                    \
    hand_log_frame(&reading.log, 0);                                                               \
    put_sale(&reading, stock, 3, 50);                                                              \
    put_units(&reading, FG_EVENT_ITEM_SUPPLY, 3, added, 0);                                        \
    put_position(&reading, next, epoch);                                                           \
    hand_log_frame(&reading.log, FG_FRAME_BASE)

static void a_later_base_must_say_what_the_log_says(void **state)
{
    (void)state;
    struct reading reading;
    LATER_BASE(2, 4, 2, 1);
    clean(&reading);
    assert_int_equal(reading.book.changes_count, 1); /* it tells nothing new */
    end(&reading);
    LATER_BASE(3, 4, 2, 1);
    tells(&reading, FG_CHECK_BASE_DIFFERS, "item 7 has stock 3");
    LATER_BASE(2, 5, 2, 1);
    tells(&reading, FG_CHECK_BASE_DIFFERS, "has 5 units added and 0 removed");
    LATER_BASE(2, 4, 3, 1);
    tells(&reading, FG_CHECK_BASE_DIFFERS, "goes on with sale_seq 3 after epoch 1");
    LATER_BASE(2, 4, 2, 2);
    tells(&reading, FG_CHECK_BASE_DIFFERS, "goes on with sale_seq 2 after epoch 2");

    begin_sale(&reading);
    hand_log_frame(&reading.log, FG_FRAME_BASE);
    tells(&reading, FG_CHECK_BASE_DIFFERS, "sale drop is left out");
    begin_sale(&reading);
    put_order(&reading, FG_EVENT_ADMIT, 1, 11);
    hand_log_frame(&reading.log, 0);
    put_sale(&reading, 2, 3, 50);
    hand_log_frame(&reading.log, FG_FRAME_BASE);
    tells(&reading, FG_CHECK_BASE_DIFFERS, "the position of sale drop is left out");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_of_ids_have_a_bound),
        cmocka_unit_test(what_operators_did_is_passed_over),
        cmocka_unit_test(a_sales_limit_is_followed),
        cmocka_unit_test(the_first_base_stands_for_what_is_gone),
        cmocka_unit_test(a_later_base_must_say_what_the_log_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
