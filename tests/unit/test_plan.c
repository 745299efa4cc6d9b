/* SPDX-License-Identifier: BSD-3-Clause */
/* What applying a file comes to: what it gives, what it takes, and what is refused. */
#include "tests/unit/plan_fixture.h"

#include <time.h>

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

/* One line of the difference, old and new; and what is asked about when the sale is open, NULL for
 * nothing. */
static void assert_shown(struct fixture *f, const struct fg_sale *wanted, const char *option,
                         const char *old, const char *new, bool loses)
{
    assert_int_equal(plan(f, wanted), 0);
    const json_t *change = only_change(f);
    assert_string_equal(json_string_value(json_object_get(change, "option")), option);
    assert_string_equal(json_string_value(json_object_get(change, "old")), old);
    assert_string_equal(json_string_value(json_object_get(change, "new")), new);
    assert_int_equal(json_array_size(f->plan.losses), loses);
    if (loses) {
        const char *loss = json_string_value(json_array_get(f->plan.losses, 0));
        assert_non_null(strstr(loss, option));
        assert_non_null(strstr(loss, new));
    }
    fg_plan_free(&f->plan);
}

static void each_change_is_known_as_giving_or_taking_and_told(void **state)
{
    struct fixture *f = *state;
    put(f, &spring, 1);
    assert_int_equal(fg_model_set_state(&f->model, 1, FG_SALE_SCHEDULED, 0), 0);
#define CASE(field, value, way, option, old, new)                                                  \
    do {                                                                                           \
        struct fg_sale *wanted = copy_of(&spring, 0);                                              \
        wanted->field = (value);                                                                   \
        assert_way(f, wanted, way);                                                                \
        assert_shown(f, wanted, option, old, new, false);                                          \
        fg_model_sale_free(wanted);                                                                \
    } while (0)
#define T(n) "1970-01-01T00:00:00.00000" n "Z"
    CASE(opens_ns, 999, GIVES, "opens", T("1"), T("0999"));
    CASE(opens_ns, 1001, TAKES, "opens", T("1"), T("1001"));
    CASE(opens_ns, 0, TAKES, "opens", T("1"), "by hand"); /* later than any time */
    CASE(closes_ns, 2001, GIVES, "closes", T("2"), T("2001"));
    CASE(closes_ns, 1999, TAKES, "closes", T("2"), T("1999"));
    CASE(closes_ns, 0, GIVES, "closes", T("2"), "by hand");
    CASE(limit, 9, TAKES, "limit", "none", "9 units");
    CASE(rate, 5, TAKES, "rate", "none", "5 requests/s");
    CASE(cancel_final, 1, GIVES, "cancel_final", "false", "true");
    CASE(late_confirm, FG_LATE_REACQUIRE, GIVES, "late_confirm", "refuse", "reacquire");
    CASE(items[0].limit, 3, GIVES, "limit", "2 units", "3 units");
    CASE(items[0].limit, 0, GIVES, "limit", "2 units", "none");
    CASE(items[1].limit, 5, TAKES, "limit", "none", "5 units");
    CASE(items[0].max_per_order, 1, TAKES, "max_per_order", "2 units", "1 unit");
    CASE(items[1].max_per_order, 3, GIVES, "max_per_order", "1 unit", "3 units");
    CASE(items[0].stock, 101, GIVES, "stock", "100 units", "101 units");
    CASE(items[1].hold_ms, 1, GIVES, "hold", "1m", "1ms");
    CASE(items[1].hold_ms, 0, GIVES, "hold", "1m", "none");
#undef CASE
}

static void what_an_open_sale_loses_is_told(void **state)
{
    struct fixture *f = *state;
    struct fg_sale *limited = copy_of(&spring, 1);
    limited->limit = 9;
    limited->rate = 5;
    put(f, limited, 1);
    for (unsigned i = 0; i < 2; i++) {
        static const enum fg_sale_state states[] = {FG_SALE_OPEN, FG_SALE_PAUSED};
        fg_model_set_state(&f->model, 1, states[i], 1000);
#define CASE(field, value, option, old, new, loses)                                                \
    do {                                                                                           \
        struct fg_sale *wanted = copy_of(limited, 0);                                              \
        wanted->field = (value);                                                                   \
        assert_shown(f, wanted, option, old, new, loses);                                          \
        fg_model_sale_free(wanted);                                                                \
    } while (0)
        CASE(closes_ns, 1999, "closes", T("2"), T("1999"), true);
        CASE(closes_ns, 2001, "closes", T("2"), T("2001"), false);
        CASE(limit, 8, "limit", "9 units", "8 units", true);
        CASE(limit, 10, "limit", "9 units", "10 units", false);
        CASE(limit, 0, "limit", "9 units", "none", false);
        CASE(rate, 4, "rate", "5 requests/s", "4 requests/s", true);
        CASE(rate, 6, "rate", "5 requests/s", "6 requests/s", false);
        CASE(rate, 0, "rate", "5 requests/s", "none", false);
        CASE(burst, 4, "burst", "as many as rate", "4 requests", true);
        CASE(burst, 6, "burst", "as many as rate", "6 requests", false);
        CASE(items[1].limit, 5, "limit", "none", "5 units", true);
        CASE(items[0].max_per_order, 1, "max_per_order", "2 units", "1 unit", true);
        CASE(items[0].stock, 101, "stock", "100 units", "101 units", false);
        CASE(items[1].hold_ms, 1, "hold", "1m", "1ms", false);
#undef CASE
    }
    fg_model_sale_free(limited);
}

/* Asked about in any state: buyers may have been told of them. */
static void units_are_taken_off_between_what_takes_and_what_gives(void **state)
{
    struct fixture *f = *state;
    struct fg_stock stock;
    const struct fg_plan_world world = {.model = &f->model, .config = &f->config, .stock = &stock};
    assert_int_equal(fg_stock_init(&stock, 1, 4), 0);
    put(f, &spring, 1);
    fg_stock_restore(&stock, fg_model_item(&f->model, 7)->item.slot, 13); /* 87 are sold */
    struct fg_sale *wanted = copy_of(&spring, 0);
    wanted->items[0].stock = 80;
    wanted->items[0].limit = 1;
    wanted->items[0].max_per_order = 1;
    wanted->items[1].hold_ms = 5000;
    assert_int_equal(fg_plan_sale(&f->plan, &world, wanted, f->message, sizeof(f->message)), 0);
    assert_int_equal(f->plan.takes->items[0].limit, 1);
    assert_int_equal(f->plan.takes->items[0].stock, 100);
    assert_int_equal(f->plan.gives->items[0].stock, 100);
    assert_int_equal(f->plan.removals_count, 1);
    assert_int_equal(f->plan.removals[0].item, 7);
    assert_int_equal(f->plan.removals[0].place, 0);
    assert_int_equal(f->plan.removals[0].units, 20);
    assert_false(f->plan.removals[0].closes);
    assert_int_equal(json_array_size(f->plan.losses), 1);
    assert_string_equal(json_string_value(json_array_get(f->plan.losses, 0)),
                        "item 7: stock 100 units -> 80 units, as far as units are unsold (13 are "
                        "now)");
    fg_plan_free(&f->plan);

    /* Nothing unsold: the same file has come to its end. */
    fg_stock_clear(&stock, fg_model_item(&f->model, 7)->item.slot);
    fg_model_sale_free(wanted);
    wanted = copy_of(&spring, 0);
    wanted->items[0].stock = 80;
    assert_int_equal(fg_plan_sale(&f->plan, &world, wanted, f->message, sizeof(f->message)), 0);
    assert_int_equal(f->plan.removals_count, 0);
    assert_null(f->plan.gives);
    assert_null(f->plan.takes);
    assert_int_equal(json_array_size(f->plan.changes), 0);
    assert_int_equal(json_array_size(f->plan.notices), 1);
    fg_plan_free(&f->plan);
    fg_model_sale_free(wanted);
    fg_stock_fini(&stock);
}

static void an_item_left_out_is_closed_and_stays_for_its_orders(void **state)
{
    struct fixture *f = *state;
    put(f, &spring, 1);
    struct fg_sale *wanted = copy_of(&spring, 0);
    wanted->items[0] = wanted->items[1];
    wanted->items_count = 1;
    assert_int_equal(plan(f, wanted), 0);
    assert_null(f->plan.takes);
    assert_null(f->plan.gives);
    assert_int_equal(f->plan.removals_count, 1);
    assert_int_equal(f->plan.removals[0].item, 7);
    assert_int_equal(f->plan.removals[0].units, 100);
    assert_true(f->plan.removals[0].closes);
    assert_true(json_is_null(json_object_get(only_change(f), "new")));
    assert_int_equal(json_array_size(f->plan.losses), 1);
    fg_plan_free(&f->plan);
    wanted->items[0].hold_ms++; /* with it, something that gives: the definition has it still */
    assert_int_equal(plan(f, wanted), 0);
    assert_int_equal(f->plan.gives->items_count, 2);
    assert_int_equal(f->plan.removals[0].place, 1);
    assert_int_equal(f->plan.gives->items[1].id, 7);
    fg_plan_free(&f->plan);
    wanted->items[0].hold_ms--;
    /* Once it is closed, and has nothing unsold, the file changes nothing. */
    assert_int_equal(
        replay(f,
               (struct fg_control_event){
                   .kind = FG_EVENT_ITEM_STATE, .sale = 1, .value = FG_ITEM_CLOSED, .value2 = 7},
               NULL),
        0);
    assert_int_equal(
        replay(
            f,
            (struct fg_control_event){
                .kind = FG_EVENT_STOCK_REMOVE, .revision = 2, .sale = 1, .value = 100, .value2 = 7},
            NULL),
        0);
    assert_int_equal(plan(f, wanted), 0);
    assert_int_equal(f->plan.removals_count, 0);
    assert_int_equal(json_array_size(f->plan.changes), 0);
    assert_int_equal(json_array_size(f->plan.notices), 1);
    fg_plan_free(&f->plan);
    fg_model_sale_free(wanted);
}

static void a_file_that_does_both_is_split(void **state)
{
    struct fixture *f = *state;
    put(f, &spring, 1);
    struct fg_sale *wanted = copy_of(&spring, 0);
    wanted->items[0].limit = 1;
    wanted->items[0].max_per_order = 1;
    wanted->items[1].stock = 60;
    assert_int_equal(plan(f, wanted), 0);
    assert_int_equal(f->plan.takes->items[0].limit, 1);
    assert_int_equal(f->plan.takes->items[1].stock, 50);
    assert_int_equal(f->plan.gives->items[0].limit, 1);
    assert_int_equal(f->plan.gives->items[1].stock, 60);
    assert_int_equal(f->plan.takes->number, 1);
    assert_int_equal(f->plan.gives->number, 1);
    assert_int_equal(json_array_size(f->plan.changes), 3);
    fg_plan_free(&f->plan);
    fg_model_sale_free(wanted);
}

static void what_may_not_change_is_refused(void **state)
{
    struct fixture *f = *state;
    struct fg_sale *other = sale_of("other", 20, 1);
    put(f, &spring, 1);
    put(f, other, 2);
    fg_model_sale_free(other);

    fg_model_set_state(&f->model, 1, FG_SALE_OPEN, 1000);
    struct fg_sale *wanted = copy_of(&spring, 0);
    snprintf(wanted->items[1].name, sizeof(wanted->items[1].name), "Cap");
    assert_refused(f, wanted, "\"Cap\"");
    snprintf(wanted->items[1].name, sizeof(wanted->items[1].name), "Hat");
    wanted->cancel_final = 1;
    assert_refused(f, wanted, "cancel_final");
    wanted->cancel_final = 0;
    wanted->items[0].limit = 1; /* below max_per_order */
    assert_refused(f, wanted, "item 7: max_per_order stands above limit");
    fg_model_sale_free(wanted);

    wanted = sale_of("autumn", 7, 1);
    assert_refused(f, wanted, "belongs to sale spring");
    fg_model_sale_free(wanted);
    wanted = copy_of(&spring, 0);
    wanted->items[1].id = 20;
    assert_refused(f, wanted, "item 20 belongs to sale other");
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
        TEST(each_change_is_known_as_giving_or_taking_and_told),
        TEST(what_an_open_sale_loses_is_told),
        TEST(units_are_taken_off_between_what_takes_and_what_gives),
        TEST(an_item_left_out_is_closed_and_stays_for_its_orders),
        TEST(a_file_that_does_both_is_split),
        TEST(what_may_not_change_is_refused),
        TEST(names_and_ids_of_archived_sales_stay_used),
        TEST(what_does_not_fit_names_the_number_to_raise),
        TEST(the_65th_live_sale_is_refused),
        TEST(planning_does_not_slow_down_with_the_sale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
