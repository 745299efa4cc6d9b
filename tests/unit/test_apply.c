/* SPDX-License-Identifier: BSD-3-Clause */
/* sale.apply and sale.export, as the engine answers them. */
#include "tests/unit/fake_engine.h"

#include "control/cli/cli.h"

#define COAT "  - {id: 9, name: Coat, stock: 5}\n"

static json_t *apply_as(const char *text, json_t *more)
{
    json_t *params = json_pack("{s:s,s:s}", "text", text, "source", "sale.yaml");
    json_object_update(params, more);
    json_decref(more);
    return call("sale.apply", params);
}

static json_t *confirmed(const char *text)
{
    return apply_as(text, json_pack("{s:b}", "confirmed", true));
}

static bool is_true(const json_t *result, const char *name)
{
    return json_is_true(json_object_get(result, name));
}

static size_t count(const json_t *result, const char *name)
{
    return json_array_size(json_object_get(result, name));
}

static void assert_unchanged(const json_t *result)
{
    assert_non_null(result);
    assert_false(is_true(result, "changed"));
    assert_int_equal(count(result, "changes"), 0);
    assert_int_equal(count(result, "removed"), 0);
}

static uint32_t free_units(uint32_t id)
{
    return fg_stock_free_units(&engine->stock, item(id)->slot);
}

static void sell(uint32_t id, uint32_t units)
{
    uint32_t available;
    assert_int_equal(fg_stock_take(&engine->stock, 0, item(id)->slot, units, 1, &available),
                     FG_TOOK);
    fg_stock_open_down(&engine->stock, 0, item(id)->slot);
}

static void the_show(const json_t *result, const char *part)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fg_show_apply(result, out);
    fclose(out);
    if (!strstr(text, part))
        fail_msg("\"%s\" does not say \"%s\"", text, part);
    free(text);
}

static void a_dry_run_tells_and_changes_nothing(void **state)
{
    (void)state;
    json_t *result = apply_as(SPRING SHOE(100), json_pack("{s:s}", "dry_run", "true"));
    assert_true(is_true(result, "dry_run"));
    assert_false(is_true(result, "changed"));
    assert_int_equal(number(result, "revision"), 1);
    assert_int_equal(count(result, "changes"), 9); /* eight options of the sale, one item */
    the_show(result, "would change so, nothing was changed");
    the_show(result, "+ item 7: name \"Shoe\", stock 100 units, limit 2 units");
    assert_int_equal(control->model.sales_count, 0);
    assert_int_equal(log_.count, 0);

    assert_non_null(apply_as(SPRING SHOE(100), json_pack("{s:s}", "dry_run", "false")));
    assert_int_equal(log_.count, 1);
    result = apply_as(SPRING SHOE(90) HAT, json_pack("{s:s}", "dry_run", "true"));
    the_show(result, "! - item 7: stock: 100 units\n! + item 7: stock: 90 units\n  + item 8: name");
    the_show(result, "takes away: item 7: stock 100 units -> 90 units");
    assert_int_equal(log_.count, 1); /* and it did not ask */
    assert_int_equal(free_units(7), 100);
    assert_null(apply_as(SPRING SHOE(100), json_pack("{s:s}", "dry_run", "yes")));
    assert_error(FG_RPC_PARAMS, "dry_run");
}

static void another_revision_than_the_caller_saw_is_refused(void **state)
{
    (void)state;
    assert_null(apply_as(SPRING SHOE(100), json_pack("{s:s}", "if_revision", "2")));
    assert_error(FG_RPC_REFUSED, "revision is 1, not 2");
    assert_non_null(apply_as(SPRING SHOE(100), json_pack("{s:s}", "if_revision", "1")));
    assert_null(apply_as(SPRING SHOE(110), json_pack("{s:s}", "if_revision", "1")));
    assert_error(FG_RPC_REFUSED, "revision is 2, not 1");
    assert_null(apply_as(SPRING SHOE(110), json_pack("{s:s}", "if_revision", "two")));
    assert_error(FG_RPC_PARAMS, "if_revision");
    assert_int_equal(log_.count, 1);
}

static void what_an_open_sale_loses_is_asked_about(void **state)
{
    (void)state;
    static const char lower[] = SPRING "  - {id: 7, name: Shoe, stock: 100, limit: 1}\n";
    assert_non_null(apply(SPRING SHOE(100)));
    of_sale("sale.open", "spring");
    assert_null(apply(lower));
    assert_error(FG_RPC_CONFIRM,
                 "sale spring is open, and this takes away: item 7: limit 2 units -> 1 unit");
    /* Beside the question stands all that the file changes. */
    const json_t *plan = json_object_get(json_object_get(reply, "error"), "data");
    assert_int_equal(number(plan, "revision"), 3);
    assert_int_equal(count(plan, "changes"), 2); /* max_per_order goes with the limit */
    assert_int_equal(count(plan, "takes_away"), 2);
    assert_int_equal(log_.count, 2);
    assert_int_equal(item(7)->limit, 2);
    assert_true(is_true(confirmed(lower), "changed"));
    assert_int_equal(item(7)->limit, 1);
    assert_null(apply("name: spring\ncloses: +1h\nlimit: 3\nitems:\n"
                      "  - {id: 7, name: Shoe, stock: 100, limit: 1}\n"));
    assert_error(FG_RPC_CONFIRM, "closes by hand -> 2");
    assert_error(FG_RPC_CONFIRM, "; limit none -> 3 units");
}

/* More than a sentence holds: as many as fit, and how many there are beside. */
static void many_losses_are_one_sentence(void **state)
{
    (void)state;
    assert_non_null(apply(SPRING SHOE(100) HAT "  - {id: 1, name: a, stock: 5}\n"
                                               "  - {id: 2, name: b, stock: 5}\n"
                                               "  - {id: 3, name: c, stock: 5}\n"
                                               "  - {id: 4, name: d, stock: 5}\n"));
    assert_null(apply(SPRING SHOE(100) HAT "  - {id: 5, name: e, stock: 5}\n"));
    assert_error(FG_RPC_CONFIRM, "item 1 is not in the file");
    assert_error(FG_RPC_CONFIRM, " and 1 more");
}

/* A thousand items: the first lines and what it comes to; a dry run tells all of them. */
static void a_long_list_is_cut_and_summed(void **state)
{
    (void)state;
    json_t *changes = json_array();
    for (int i = 1; i <= 1000; i++)
        json_array_append_new(changes, json_pack("{s:s,s:n,s:s,s:i}", "option", "item", "old",
                                                 "new", "name Shoe", "item", i));
    for (int i = 1; i <= 3; i++)
        json_array_append_new(changes, json_pack("{s:s,s:s,s:s,s:i}", "option", "stock", "old", "1",
                                                 "new", "2", "item", 2000 + i));
    json_t *result = json_pack("{s:s,s:i,s:b,s:b,s:o}", "sale", "spring", "revision", 2, "changed",
                               true, "dry_run", false, "changes", changes);
    the_show(result, "+ item 24: name Shoe\n  and 979 more changes");
    the_show(result, "In all: 1000 items come, stock of 3 items\n");
    json_object_set_new(result, "dry_run", json_true());
    the_show(result,
             "  + item 1000: name Shoe\n  - item 2001: stock: 1\n  + item 2001: stock: 2\n");
    the_show(result, "In all: 1000 items come, stock of 3 items\n");
    json_decref(result);
}

static void unsold_units_are_taken_off_and_counted(void **state)
{
    (void)state;
    atomic_store(&may_be_empty, true);
    assert_non_null(apply(SPRING SHOE(100) HAT));
    of_sale("sale.open", "spring");
    sell(7, 90);
    assert_null(apply(SPRING SHOE(95) HAT));
    assert_error(FG_RPC_CONFIRM, "as far as units are unsold (10 are now)");
    assert_int_equal(free_units(7), 10);
    json_t *result = confirmed(SPRING SHOE(95) HAT);
    assert_true(is_true(result, "changed"));
    assert_int_equal(number(json_array_get(json_object_get(result, "removed"), 0), "units"), 5);
    the_show(result, "item 7: 5 units taken off");
    assert_int_equal(free_units(7), 5);
    assert_int_equal(log_.events[log_.count - 1].event.kind, FG_EVENT_STOCK_REMOVE);
    assert_unchanged(apply(SPRING SHOE(95) HAT));

    /* A file that gives something, too: what was taken is not put back. */
    result = confirmed(SPRING SHOE(92) HAT COAT);
    assert_int_equal(number(json_array_get(json_object_get(result, "removed"), 0), "units"), 3);
    assert_int_equal(free_units(7), 2);
    assert_int_equal(free_units(9), 5);
    assert_unchanged(apply(SPRING SHOE(92) HAT COAT));

    /* Fewer are unsold than the file asks for. */
    result = confirmed(SPRING SHOE(50) HAT COAT);
    assert_int_equal(number(json_array_get(json_object_get(result, "removed"), 0), "units"), 2);
    assert_int_equal(fg_model_supply(fg_model_item(&control->model, 7)), 90);
    unsigned logged = log_.count;
    result = apply(SPRING SHOE(50) HAT COAT);
    assert_unchanged(result);
    assert_int_equal(count(result, "notices"), 1);
    the_show(result, "item 7: stock stays 90 units");
    assert_int_equal(log_.count, logged);
    /* And up again: the total ever, 90 sold and 10 more. */
    assert_true(is_true(apply(SPRING SHOE(100) HAT COAT), "changed"));
    assert_int_equal(free_units(7), 10);
}

static void an_item_left_out_is_closed_and_keeps_what_is_sold(void **state)
{
    (void)state;
    atomic_store(&may_be_empty, true);
    assert_non_null(apply(SPRING SHOE(100) HAT));
    of_sale("sale.open", "spring");
    sell(8, 20);
    assert_null(apply(SPRING SHOE(100)));
    assert_error(FG_RPC_CONFIRM, "item 8 is not in the file: it is closed for good, and its unsold "
                                 "units (30 now) are taken off");
    json_t *result = confirmed(SPRING SHOE(100));
    assert_int_equal(number(json_array_get(json_object_get(result, "removed"), 0), "units"), 30);
    the_show(result, "- item 8: name \"Hat\", stock 50 units");
    assert_int_equal(item(8)->state, FG_SALE_CLOSED);
    assert_int_equal(item(7)->state, FG_SALE_OPEN);
    assert_int_equal(free_units(8), 0);
    assert_unchanged(apply(SPRING SHOE(100)));
    /* Orders of it give units back: they are not sold again, and the same file takes them off. */
    fg_stock_put_back(&engine->stock, item(8)->slot, 4);
    assert_null(apply(SPRING SHOE(100)));
    assert_error(FG_RPC_CONFIRM, "(4 now)");
    assert_non_null(confirmed(SPRING SHOE(100)));
    assert_int_equal(fg_model_supply(fg_model_item(&control->model, 8)), 16);
    assert_unchanged(apply(SPRING SHOE(100)));
}

static void a_time_from_now_is_counted_once(void **state)
{
    (void)state;
    static const char file[] = "name: spring\nopens: +1h\ncloses: +2h\nitems:\n" SHOE(100);
    assert_non_null(apply(file));
    uint64_t opens_ns = item(7)->opens_ns, closes_ns = item(7)->closes_ns;
    json_t *result = apply(file);
    assert_unchanged(result);
    assert_int_equal(count(result, "notices"), 2);
    the_show(result, "note: opens stays 2");
    assert_int_equal(item(7)->opens_ns, opens_ns);
    assert_int_equal(item(7)->closes_ns, closes_ns);
    assert_int_equal(log_.count, 1);
}

/* What sale.export gives, applied to the engine that it came from. */
static char *export_of(const char *name)
{
    json_t *result = of_sale("sale.export", name);
    assert_non_null(result);
    assert_int_equal(number(result, "revision"), control->model.revision);
    return strdup(json_string_value(json_object_get(result, "text")));
}

static void the_sales_own_options_are_shown(void **state)
{
    (void)state;
    char *text;
    size_t size;
    assert_non_null(apply("name: spring\nlimit: 9\ncancel_final: true\nlate_confirm: reacquire\n"
                          "items:\n" SHOE(100)));
    const json_t *sale = of_sale("sale.show", "spring");
    assert_int_equal(number(sale, "limit"), 9);
    assert_int_equal(item(7)->sale_limit, 9);
    FILE *out = open_memstream(&text, &size);
    fg_show_sale(sale, out);
    fclose(out);
    assert_non_null(strstr(text, "A buyer may have 9 units over all items. Final orders can be "
                                 "cancelled; a late CONFIRM: reacquire."));
    free(text);
}

static void an_export_changes_nothing_where_it_came_from(void **state)
{
    (void)state;
    char *text;
    atomic_store(&may_be_empty, true);
    assert_non_null(apply("name: spring\nopens: +1h\ncloses: +2h\nlimit: 9\ncancel_final: true\n"
                          "late_confirm: reacquire\nitems:\n" SHOE(100) HAT));
#define EXPORT_CHANGES_NOTHING()                                                                   \
    text = export_of("spring");                                                                    \
    assert_unchanged(apply(text));                                                                 \
    free(text)
    EXPORT_CHANGES_NOTHING();
    of_sale("sale.open", "spring");
    EXPORT_CHANGES_NOTHING();
    sell(7, 40);
    assert_non_null(confirmed("name: spring\ncloses: +2h\nlimit: 9\ncancel_final: true\n"
                              "late_confirm: reacquire\nitems:\n" SHOE(70)));
    EXPORT_CHANGES_NOTHING();
    of_sale("sale.close", "spring");
    EXPORT_CHANGES_NOTHING();
    /* When it should have closed has passed: it is still no change. */
    struct fg_sale *sale = fg_model_sale(&control->model, "spring");
    sale->opens_ns = 1000;
    sale->closes_ns = 2000;
    EXPORT_CHANGES_NOTHING();
    assert_null(of_sale("sale.export", "summer"));
    assert_error(FG_RPC_NOT_FOUND, "summer");
}

/* Another engine that knows nothing makes the same of it. */
static void an_export_makes_the_same_on_an_empty_engine(void **state)
{
    (void)state;
    assert_non_null(apply("name: spring\ncloses: +2h\nlimit: 9\ncancel_final: true\n"
                          "late_confirm: reacquire\nitems:\n" SHOE(100) HAT));
    of_sale("sale.open", "spring");
    assert_non_null(call("status", json_object()));
    char *text = export_of("spring");
    struct fg_sale *was = fg_model_sale_copy(fg_model_sale(&control->model, "spring"));
    stop(NULL);
    start(NULL);
    json_t *result = apply(text);
    assert_true(is_true(result, "new"));
    const struct fg_sale *is = fg_model_sale(&control->model, "spring");
    was->state = is->state; /* it opens at once: the opening is in the past */
    was->opened = is->opened;
    json_t *before = fg_sale_to_json(was), *after = fg_sale_to_json(is);
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    fg_model_sale_free(was);
    free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_dry_run_tells_and_changes_nothing),
        TEST(another_revision_than_the_caller_saw_is_refused),
        TEST(what_an_open_sale_loses_is_asked_about),
        TEST(many_losses_are_one_sentence),
        TEST(a_long_list_is_cut_and_summed),
        TEST(unsold_units_are_taken_off_and_counted),
        TEST(an_item_left_out_is_closed_and_keeps_what_is_sold),
        TEST(a_time_from_now_is_counted_once),
        TEST(the_sales_own_options_are_shown),
        TEST(an_export_changes_nothing_where_it_came_from),
        TEST(an_export_makes_the_same_on_an_empty_engine),
    };
    return cmocka_run_group_tests(tests, NULL, release_reply);
}
