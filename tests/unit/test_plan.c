/* SPDX-License-Identifier: BSD-3-Clause */
/* What applying a file comes to: what it gives, what it takes, and what is refused. */
#include "tests/unit/model_fixture.h"

#include <time.h>

static int plan(struct fixture *f, const struct fg_sale *wanted)
{
    f->message[0] = '\0';
    return fg_plan_sale(&f->plan, &f->model, &f->config, wanted, f->message, sizeof(f->message));
}

static void assert_refused(struct fixture *f, const struct fg_sale *wanted, const char *part)
{
    assert_int_equal(plan(f, wanted), -EPERM);
    if (!strstr(f->message, part))
        fail_msg("\"%s\" does not say \"%s\"", f->message, part);
    fg_plan_free(&f->plan);
}

static void a_new_sale_only_gives(void **state)
{
    struct fixture *f = *state;
    put(f, &spring, 4);
    struct fg_sale *wanted = sale_of("summer", 20, 2);
    assert_int_equal(plan(f, wanted), 0);
    assert_true(f->plan.new_sale);
    assert_null(f->plan.takes);
    assert_int_equal(f->plan.gives->number, 5);
    assert_int_equal(f->plan.gives->state, FG_SALE_SCHEDULED);
    assert_int_equal(f->model.sales_count, 1); /* a plan changes nothing */
    fg_plan_free(&f->plan);
    fg_model_sale_free(wanted);
}

static void the_same_file_again_changes_nothing(void **state)
{
    struct fixture *f = *state;
    put(f, &spring, 1);
    assert_int_equal(plan(f, &spring), 0);
    assert_null(f->plan.takes);
    assert_null(f->plan.gives);
    assert_int_equal(json_array_size(f->plan.changes), 0);
    fg_plan_free(&f->plan);
    /* Also when it has opened and closed since; only then no longer when something differs. */
    fg_model_set_state(&f->model, 1, FG_SALE_CLOSED, 1000);
    assert_int_equal(plan(f, &spring), 0);
    fg_plan_free(&f->plan);
    struct fg_sale *wanted = copy_of(&spring, 0);
    wanted->items[0].stock++;
    assert_refused(f, wanted, "closed");
    fg_model_sale_free(wanted);
}

/* What a field's change comes to. */
enum way { GIVES, TAKES };

static void assert_way(struct fixture *f, const struct fg_sale *wanted, enum way way)
{
    assert_int_equal(plan(f, wanted), 0);
    assert_int_equal(json_array_size(f->plan.changes), 1);
    assert_int_equal(f->plan.gives != NULL, way == GIVES);
    assert_int_equal(f->plan.takes != NULL, way == TAKES);
    fg_plan_free(&f->plan);
}

static void each_change_is_known_as_giving_or_taking(void **state)
{
    struct fixture *f = *state;
    put(f, &spring, 1);
#define CASE(field, value, way)                                                                    \
    do {                                                                                           \
        struct fg_sale *wanted = copy_of(&spring, 0);                                              \
        wanted->field = (value);                                                                   \
        assert_way(f, wanted, way);                                                                \
        fg_model_sale_free(wanted);                                                                \
    } while (0)
    CASE(opens_ns, 999, GIVES);
    CASE(opens_ns, 1001, TAKES);
    CASE(opens_ns, 0, TAKES); /* by hand: later than any time */
    CASE(closes_ns, 2001, GIVES);
    CASE(closes_ns, 1999, TAKES);
    CASE(closes_ns, 0, GIVES);
    CASE(items[0].limit, 3, GIVES);
    CASE(items[0].limit, 1, TAKES);
    CASE(items[0].limit, 0, GIVES); /* no limit at all */
    CASE(items[1].limit, 5, TAKES); /* from none */
    CASE(items[0].max_per_order, 3, GIVES);
    CASE(items[0].max_per_order, 1, TAKES);
    CASE(items[0].stock, 101, GIVES);
    CASE(items[1].hold_ms, 1, GIVES);
#undef CASE
}

static void a_file_that_does_both_is_split(void **state)
{
    struct fixture *f = *state;
    put(f, &spring, 1);
    struct fg_sale *wanted = copy_of(&spring, 0);
    wanted->items[0].limit = 1;
    wanted->items[1].stock = 60;
    assert_int_equal(plan(f, wanted), 0);
    assert_int_equal(f->plan.takes->items[0].limit, 1);
    assert_int_equal(f->plan.takes->items[1].stock, 50);
    assert_int_equal(f->plan.gives->items[0].limit, 1);
    assert_int_equal(f->plan.gives->items[1].stock, 60);
    assert_int_equal(f->plan.takes->number, 1);
    assert_int_equal(f->plan.gives->number, 1);
    assert_int_equal(json_array_size(f->plan.changes), 2);
    fg_plan_free(&f->plan);
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
    assert_way(f, wanted, TAKES);
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
    assert_way(f, wanted, GIVES);
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

static void what_may_not_change_is_refused(void **state)
{
    struct fixture *f = *state;
    struct fg_sale *other = sale_of("other", 20, 1);
    put(f, &spring, 1);
    put(f, other, 2);
    fg_model_sale_free(other);

    struct fg_sale *wanted = copy_of(&spring, 0);
    wanted->items[0].stock = 99;
    assert_refused(f, wanted, "not lowered");
    wanted->items[0].stock = 100;
    snprintf(wanted->items[1].name, sizeof(wanted->items[1].name), "Cap");
    assert_refused(f, wanted, "\"Cap\"");
    wanted->items_count = 1;
    assert_refused(f, wanted, "item 8");
    wanted->items_count = 2;
    snprintf(wanted->items[1].name, sizeof(wanted->items[1].name), "Hat");
    wanted->cancel_final = 1;
    assert_refused(f, wanted, "cancel_final");
    fg_model_sale_free(wanted);

    wanted = sale_of("autumn", 7, 1);
    assert_refused(f, wanted, "belongs to sale spring");
    fg_model_sale_free(wanted);
    wanted = copy_of(&spring, 0);
    wanted->items[1].id = 20;
    assert_refused(f, wanted, "item 8");
    fg_model_sale_free(wanted);
}

static void names_and_ids_of_archived_sales_stay_used(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(replay(f, (struct fg_control_event){.kind = FG_EVENT_NAMES_USED},
                            "{\"sales\":[\"old\"],\"items\":[77]}"),
                     0);
    struct fg_sale *wanted = sale_of("old", 1, 1);
    assert_refused(f, wanted, "archived");
    fg_model_sale_free(wanted);
    wanted = sale_of("new", 76, 2);
    assert_refused(f, wanted, "item 77");
    wanted->items_count = 1;
    assert_int_equal(plan(f, wanted), 0);
    fg_plan_free(&f->plan);
    fg_model_sale_free(wanted);
}

static void what_does_not_fit_names_the_number_to_raise(void **state)
{
    struct fixture *f = *state;
    put(f, &spring, 1); /* 2 items; 100 + 50 x 1.5 = 175 orders; 100 + 150 = 250 events */
    struct fg_sale *wanted = sale_of("summer", 20, 9);
    assert_refused(f, wanted, "limits.items is 10");
    wanted->items_count = 8;
    f->config.limit_orders = 182;
    assert_refused(f, wanted, "raise it to 183");
    f->config.limit_orders = 183;
    assert_int_equal(plan(f, wanted), 0);
    fg_plan_free(&f->plan);
    f->config.log_budget = 258 * 512 - 1;
    assert_refused(f, wanted, "log.budget");
    f->config.log_budget++;
    assert_int_equal(plan(f, wanted), 0);
    fg_plan_free(&f->plan);
    f->config.log_segment = (8 << 20) + 1000; /* room for 500 bytes: ten items take more */
    assert_refused(f, wanted, "log.segment");
    f->config.log_segment = 64 << 20;
    fg_model_sale_free(wanted);
    /* A changed sale counts once, not twice. */
    f->config.limit_orders = 185;
    f->config.log_budget *= 2;
    wanted = copy_of(&spring, 0);
    wanted->items[0].stock = 110;
    assert_int_equal(plan(f, wanted), 0);
    fg_plan_free(&f->plan);
    wanted->items[0].stock = 111;
    assert_refused(f, wanted, "raise it to 186");
    fg_model_sale_free(wanted);
}

static void the_65th_live_sale_is_refused(void **state)
{
    struct fixture *f = *state;
    char name[16];
    f->config.limit_items = 1000;
    for (uint32_t i = 1; i <= FG_SALES_LIVE_MAX; i++) {
        snprintf(name, sizeof(name), "sale%u", i);
        struct fg_sale *sale = sale_of(name, i, 1);
        put(f, sale, i);
        fg_model_sale_free(sale);
    }
    struct fg_sale *wanted = sale_of("one-more", 1000, 1);
    assert_refused(f, wanted, "64 live sales");
    fg_model_sale_free(wanted);
}

/* Processor time of `runs` plans that name a sale's items the other way round and change each. */
static clock_t time_plans(struct fixture *f, uint32_t items, unsigned runs)
{
    struct fg_sale *old = sale_of("large", 1, items), *wanted = sale_of("large", 1, items);
    for (uint32_t i = 0; i < items; i++) {
        wanted->items[i].id = items - i;
        wanted->items[i].stock = 2;
    }
    put(f, old, 1);
    clock_t began = clock();
    for (unsigned run = 0; run < runs; run++) {
        assert_int_equal(plan(f, wanted), 0);
        assert_int_equal(json_array_size(f->plan.changes), items);
        fg_plan_free(&f->plan);
    }
    clock_t took = clock() - began;
    fg_model_sale_free(old);
    fg_model_sale_free(wanted);
    return took;
}

/* Control does nothing else while it plans. As many items in fewer and larger sales: a plan that
 * compares each item with each takes ten times as long. */
static void planning_does_not_slow_down_with_the_sale(void **state)
{
    struct fixture *f = *state;
    f->config.limit_items = FG_ITEMS_PER_SALE_MAX;
    f->config.limit_orders = 4 * FG_ITEMS_PER_SALE_MAX;
    clock_t small = time_plans(f, FG_ITEMS_PER_SALE_MAX / 20, 100);
    clock_t large = time_plans(f, FG_ITEMS_PER_SALE_MAX, 5);
    if (large > 3 * small)
        fail_msg("%ld ms in large sales, %ld ms in small ones", large / (CLOCKS_PER_SEC / 1000),
                 small / (CLOCKS_PER_SEC / 1000));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_new_sale_only_gives),
        TEST(the_same_file_again_changes_nothing),
        TEST(each_change_is_known_as_giving_or_taking),
        TEST(a_file_that_does_both_is_split),
        TEST(an_opening_that_happened_is_not_moved),
        TEST(times_moved_whole_go_one_way_and_stay_sound),
        TEST(opening_by_hand_is_the_opening),
        TEST(what_may_not_change_is_refused),
        TEST(names_and_ids_of_archived_sales_stay_used),
        TEST(what_does_not_fit_names_the_number_to_raise),
        TEST(the_65th_live_sale_is_refused),
        TEST(planning_does_not_slow_down_with_the_sale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
