/* SPDX-License-Identifier: BSD-3-Clause */
/* Plans of changes of a sale's times. */
#include "tests/unit/plan_fixture.h"

/* Both times, one way. */
static void assert_moved(struct fixture *f, const struct fg_sale *wanted, enum way way)
{
    assert_int_equal(plan(f, wanted), 0);
    assert_int_equal(json_array_size(f->plan.changes), 2);
    assert_int_equal(f->plan.gives != NULL, way == GIVES);
    assert_int_equal(f->plan.takes != NULL, way == TAKES);
    fg_plan_free(&f->plan);
}

/* A time from now would move at every run. It is for a sale that has no such time. */
static void a_time_from_now_moves_nothing(void **state)
{
    struct fixture *f = *state;
    put(f, &spring, 1);
    struct fg_sale *wanted = copy_of(&spring, 0);
    wanted->opens_ns = 1700;
    wanted->opens_relative = true;
    wanted->closes_ns = 2700;
    wanted->closes_relative = true;
    assert_int_equal(plan(f, wanted), 0);
    assert_int_equal(json_array_size(f->plan.changes), 0);
    assert_int_equal(json_array_size(f->plan.notices), 2);
    assert_null(f->plan.takes);
    assert_null(f->plan.gives);
    fg_plan_free(&f->plan);
    wanted->closes_ns = 1500; /* of the calendar, and before what "now" would make of opens */
    wanted->closes_relative = false;
    assert_way(f, wanted, TAKES);
    fg_model_sale_free(wanted);

    struct fg_sale *by_hand = sale_of("hand", 20, 1);
    put(f, by_hand, 2);
    by_hand->closes_ns = 2700;
    by_hand->closes_relative = true;
    assert_int_equal(plan(f, by_hand), 0);
    assert_int_equal(f->plan.takes->closes_ns, 2700);
    assert_false(f->plan.takes->closes_relative);
    fg_plan_free(&f->plan);
    fg_model_sale_free(by_hand);
    by_hand = sale_of("fresh", 30, 1);
    by_hand->opens_relative = true;
    by_hand->opens_ns = 50;
    assert_int_equal(plan(f, by_hand), 0);
    assert_false(f->plan.gives->opens_relative);
    assert_int_equal(f->plan.gives->opens_ns, 50);
    fg_plan_free(&f->plan);
    fg_model_sale_free(by_hand);
}

static void a_closing_that_is_new_is_to_come(void **state)
{
    struct fixture *f = *state;
    struct fg_sale *wanted = copy_of(&spring, 0);
    f->now_ns = 2000;
    assert_refused(f, wanted, "has passed already, so the sale could never open");
    f->now_ns = 1999;
    assert_int_equal(plan(f, wanted), 0);
    fg_plan_free(&f->plan);
    put(f, &spring, 1);
    fg_model_set_state(&f->model, 1, FG_SALE_OPEN, 1000);
    f->now_ns = 3000; /* what is in force already is no matter */
    assert_int_equal(plan(f, wanted), 0);
    assert_int_equal(json_array_size(f->plan.changes), 0);
    fg_plan_free(&f->plan);
    wanted->closes_ns = 2999;
    assert_refused(f, wanted, "flashgatectl sale close spring");
    fg_model_sale_free(wanted);
}

static void an_opening_that_happened_is_not_moved(void **state)
{
    struct fixture *f = *state;
    put(f, &spring, 1);
    fg_model_set_state(&f->model, 1, FG_SALE_OPEN, 1000);
    struct fg_sale *wanted = copy_of(&spring, 0);
    wanted->opens_ns = 1500;
    assert_int_equal(plan(f, wanted), 0);
    assert_null(f->plan.gives);
    assert_null(f->plan.takes);
    fg_plan_free(&f->plan);
    wanted->items[0].stock = 200;
    assert_int_equal(plan(f, wanted), 0);
    assert_int_equal(f->plan.gives->opens_ns, 1000);
    assert_int_equal(f->plan.gives->state, FG_SALE_OPEN);
    fg_plan_free(&f->plan);
    fg_model_sale_free(wanted);
}

static void times_moved_whole_go_one_way_and_stay_sound(void **state)
{
    struct fixture *f = *state;
    struct fg_sale *wanted = copy_of(&spring, 0);
    put(f, &spring, 1);
    wanted->opens_ns = 2000;
    wanted->closes_ns = 3000;
    assert_moved(f, wanted, TAKES);
    wanted->items[0].stock++; /* with it, something that gives */
    assert_int_equal(plan(f, wanted), 0);
    assert_int_equal(f->plan.takes->opens_ns, 2000);
    assert_int_equal(f->plan.takes->closes_ns, 3000);
    assert_int_equal(f->plan.takes->items[0].stock, 100);
    assert_int_equal(f->plan.gives->items[0].stock, 101);
    fg_plan_free(&f->plan);
    wanted->items[0].stock--;
    wanted->opens_ns = 500;
    wanted->closes_ns = 1000;
    assert_moved(f, wanted, GIVES);
    /* An overlap is cut first and widened after it. */
    wanted->closes_ns = 1500;
    assert_int_equal(plan(f, wanted), 0);
    assert_int_equal(f->plan.takes->opens_ns, 1000);
    assert_int_equal(f->plan.takes->closes_ns, 1500);
    assert_int_equal(f->plan.gives->opens_ns, 500);
    fg_plan_free(&f->plan);
    fg_model_sale_free(wanted);
}

static void opening_by_hand_is_the_opening(void **state)
{
    struct fixture *f = *state;
    put(f, &spring, 1);
    assert_int_equal(fg_model_set_state(&f->model, 1, FG_SALE_OPEN, 700), 0);
    assert_int_equal(fg_model_sale(&f->model, "spring")->opens_ns, 700);
    assert_int_equal(fg_model_item(&f->model, 8)->item.opens_ns, 700);
    assert_int_equal(fg_model_set_state(&f->model, 1, FG_SALE_OPEN, 600), 0);
    assert_int_equal(fg_model_sale(&f->model, "spring")->opens_ns, 700);
    struct fg_sale *wanted = copy_of(&spring, 0);
    wanted->opens_ns = 100; /* does not matter any more */
    wanted->closes_ns = 700;
    assert_refused(f, wanted, "sale close spring");
    wanted->closes_ns = 701;
    assert_way(f, wanted, TAKES);
    fg_model_sale_free(wanted);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_time_from_now_moves_nothing),
        TEST(a_closing_that_is_new_is_to_come),
        TEST(an_opening_that_happened_is_not_moved),
        TEST(times_moved_whole_go_one_way_and_stay_sound),
        TEST(opening_by_hand_is_the_opening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
