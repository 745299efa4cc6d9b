/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Live changes: units added and removed, pauses of item, sale and engine, single figures. What
 * gives is durable first, what takes is in force first; test_live_restart.c: what is left of it.
 */
#include "tests/unit/live_fixture.h"

/* Control's own line of the item. */
static uint32_t open_of_control(uint32_t id)
{
    return atomic_load(&engine->stock.lines[WORKERS][item(id)->slot].open);
}

/* The last event: its kind, figures, and whether it was in force in every worker before. */
static void assert_event(unsigned count, enum fg_event_kind kind, uint64_t value, uint64_t value2,
                         bool takes)
{
    assert_int_equal(log_.count, count);
    const struct fg_control_event *event = &log_.events[count - 1].event;
    assert_string_equal(fg_event_name(event->kind), fg_event_name(kind));
    assert_int_equal(event->value, value);
    if (kind != FG_EVENT_SALE_STATE)
        assert_int_equal(event->value2, value2);
    assert_int_equal(event->uid, 1001);
    assert_int_equal(event->pid, 1003);
    assert_int_equal(log_.events[count - 1].revision, event->revision - (takes ? 0 : 1));
    assert_true(log_.events[count - 1].seen);
}

/* --- stock --- */

static void added_units_are_durable_before_they_are_on_sale(void **state)
{
    (void)state;
    const json_t *result = stock("stock.add", "7", "30");
    assert_true(changed(result));
    assert_int_equal(number(result, "added"), 30);
    assert_int_equal(number(result, "stock"), 130);
    assert_int_equal(number(result, "available"), 130);
    assert_int_equal(number(result, "revision"), 4);
    assert_event(3, FG_EVENT_STOCK_ADD, 30, 7, false);
    assert_all_seen();

    log_.holds_back = true;
    assert_null(stock("stock.add", "7", "5"));
    assert_error(FG_RPC_TIME_LIMIT, "durable within");
    assert_int_equal(free_units(7), 130);
    log_.durable = log_.count;
    fg_change_step(control);
    assert_int_equal(free_units(7), 135);
}

static void removed_units_are_off_sale_before_they_are_journalled(void **state)
{
    (void)state;
    uint32_t available;
    for (unsigned i = 0; i < 60; i++) /* worker 1 sells 60 of 100, and has a rest in its cell */
        assert_int_equal(fg_stock_take(&engine->stock, 1, item(7)->slot, 1, i + 1, &available),
                         FG_TOOK);
    const json_t *result = stock("stock.remove", "7", "15");
    assert_true(changed(result));
    assert_int_equal(number(result, "removed"), 15);
    assert_int_equal(number(result, "stock"), 85);
    assert_int_equal(number(result, "available"), 25);
    assert_event(3, FG_EVENT_STOCK_REMOVE, 15, 7, true);
    assert_int_equal(open_of_control(7), 0);

    /* Until it is durable nobody may be told that the rest is sold out. */
    log_.holds_back = true;
    assert_null(stock("stock.remove", "7", "20"));
    assert_error(FG_RPC_TIME_LIMIT, "20 units are off sale, but: the log has not made");
    assert_int_equal(free_units(7), 5);
    assert_int_equal(open_of_control(7), 1);
    log_.durable = log_.count;
    log_.holds_back = false;
    fg_change_step(control);
    assert_int_equal(open_of_control(7), 0);
}

static void only_unsold_units_are_removed(void **state)
{
    (void)state;
    uint32_t available;
    for (unsigned i = 0; i < 90; i++)
        assert_int_equal(fg_stock_take(&engine->stock, 0, item(7)->slot, 1, i + 1, &available),
                         FG_TOOK);
    stop_workers(); /* they would find the item empty, which other tests must not see */
    engine->config.workers = 0;
    const json_t *result = stock("stock.remove", "7", "50");
    assert_true(changed(result));
    assert_int_equal(number(result, "asked"), 50);
    assert_int_equal(number(result, "removed"), 10);
    assert_int_equal(number(result, "stock"), 90);
    assert_int_equal(log_.events[2].event.value, 10);
    result = stock("stock.remove", "7", "1");
    assert_false(changed(result));
    assert_int_equal(number(result, "removed"), 0);
    assert_int_equal(number(result, "revision"), 4);
    assert_int_equal(log_.count, 3);
    assert_int_equal(open_of_control(7), 0);
    /* A file that says the supply there is now changes nothing; a greater one is put on sale. */
    assert_false(changed(apply(SPRING SHOE(90) HAT)));
    assert_true(changed(apply(SPRING SHOE(95) HAT)));
    assert_int_equal(free_units(7), 5);
    engine->config.workers = WORKERS;
    start_workers();
}

static void stock_that_does_not_fit_is_refused_with_the_number_to_raise(void **state)
{
    (void)state;
    assert_null(stock("stock.add", "7", "2000000000"));
    assert_error(FG_RPC_REFUSED, "item 7 has a stock of 100 and can have 2000000000 at most; add "
                                 "1999999900 or less");
    /* 100 units, and 50 held ones that may come to 75 orders; 1000 fit. */
    assert_null(stock("stock.add", "7", "826"));
    assert_error(FG_RPC_REFUSED, "limits.orders is 1000; raise it to 1001");
    engine->config.log_budget = 100 * 512; /* 100 + 2 x 75 events */
    assert_null(stock("stock.add", "7", "825"));
    assert_error(FG_RPC_REFUSED, "log.budget is 51200; raise it to");
    engine->config.log_budget = 1 << 30;
    assert_non_null(stock("stock.add", "7", "825"));
    assert_null(stock("stock.add", "8", "1"));
    assert_error(FG_RPC_REFUSED, "limits.orders is 1000; raise it to 100");
    assert_non_null(stock("stock.remove", "7", "100"));
    assert_non_null(stock("stock.add", "8", "1"));
    assert_int_equal(log_.count, 5);
}

static void what_is_no_item_or_number_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *item, *units;
        int code;
        const char *part;
    } bad[] = {
        {"7", "0", FG_RPC_PARAMS, "units \"0\" is not a number of units, wanted 1 to 2000000000"},
        {"7", "-1", FG_RPC_PARAMS, "units \"-1\""},
        {"7", "2000000001", FG_RPC_PARAMS, "units \"2000000001\""},
        {"7", "ten", FG_RPC_PARAMS, "units \"ten\""},
        {"0", "1", FG_RPC_PARAMS, "item \"0\" is not an item's id"},
        {"4294967303", "1", FG_RPC_PARAMS, "item \"4294967303\""},
        {"shoe", "1", FG_RPC_PARAMS, "item \"shoe\""},
        {"9", "1", FG_RPC_NOT_FOUND, "there is no item 9; sale show tells"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_null(stock("stock.add", bad[i].item, bad[i].units));
        assert_error(bad[i].code, bad[i].part);
        assert_null(stock("stock.remove", bad[i].item, bad[i].units));
        assert_error(bad[i].code, bad[i].part);
    }
    of_sale("sale.close", "spring");
    assert_null(stock("stock.add", "7", "1"));
    assert_error(FG_RPC_REFUSED, "sale spring is closed, and nothing of it is sold any more");
    assert_null(of_item("item.pause", "7"));
    assert_error(FG_RPC_REFUSED, "sale spring is closed, and so are its items");
    of_sale("sale.archive", "spring");
    assert_null(stock("stock.add", "7", "1"));
    assert_error(FG_RPC_NOT_FOUND, "item 7 was sold in a sale that is archived");
}

/* --- states --- */

static void an_item_is_paused_resumed_and_closed(void **state)
{
    (void)state;
    assert_text(of_item("item.pause", "7"), "state", "paused");
    assert_event(3, FG_EVENT_ITEM_STATE, FG_ITEM_PAUSED, 7, true);
    assert_int_equal(item(7)->paused, 1);
    assert_int_equal(item(8)->paused, 0);
    const json_t *again = of_item("item.pause", "7");
    assert_false(changed(again));
    assert_int_equal(number(again, "revision"), 4);

    /* Neither a new definition nor the sale's own states end it. */
    apply(SPRING SHOE(110) HAT);
    of_sale("sale.pause", "spring");
    of_sale("sale.resume", "spring");
    assert_int_equal(item(7)->paused, 1);
    assert_int_equal(item(7)->state, FG_SALE_OPEN);

    assert_text(of_item("item.resume", "7"), "state", "running");
    assert_event(7, FG_EVENT_ITEM_STATE, FG_ITEM_RUNNING, 7, false);
    assert_int_equal(item(7)->paused, 0);
    assert_false(changed(of_item("item.resume", "7")));

    assert_null(of_item("item.close", "7"));
    assert_error(FG_RPC_CONFIRM, "item 7 (Shoe) of sale spring would be closed for good");
    assert_int_equal(log_.count, 7);
    const json_t *closed = call("item.close", json_pack("{s:s,s:b}", "item", "7", "confirmed", 1));
    assert_text(closed, "state", "closed");
    assert_event(8, FG_EVENT_ITEM_STATE, FG_ITEM_CLOSED, 7, true);
    assert_int_equal(item(7)->state, FG_SALE_CLOSED);
    assert_int_equal(item(8)->state, FG_SALE_OPEN);
    assert_null(of_item("item.resume", "7"));
    assert_error(FG_RPC_REFUSED, "item 7 is closed, and that is final");
    assert_null(stock("stock.add", "7", "1"));
    assert_error(FG_RPC_REFUSED, "item 7 is closed");
    of_sale("sale.pause", "spring");
    assert_int_equal(item(7)->state, FG_SALE_CLOSED);
    assert_int_equal(item(8)->state, FG_SALE_PAUSED);
}

static void a_paused_sale_resumes_open(void **state)
{
    (void)state;
    uint64_t opened = item(7)->opens_ns;
    assert_text(of_sale("sale.pause", "spring"), "state", "paused");
    assert_event(3, FG_EVENT_SALE_STATE, FG_SALE_PAUSED, 0, true);
    assert_int_equal(log_.events[2].event.value2, opened);
    assert_false(changed(of_sale("sale.pause", "spring")));
    assert_text(of_sale("sale.resume", "spring"), "state", "open");
    assert_event(4, FG_EVENT_SALE_STATE, FG_SALE_OPEN, 0, false);
    const json_t *again = of_sale("sale.resume", "spring");
    assert_text(again, "state", "open");
    assert_false(changed(again));
    assert_int_equal(item(7)->opens_ns, opened);
    of_sale("sale.close", "spring");
    assert_null(of_sale("sale.resume", "spring"));
    assert_error(FG_RPC_REFUSED, "sale spring is closed, and that is final");
}

#define SOON "name: spring\nopens: +50ms\nitems:\n"

static void a_sale_paused_before_its_opening_opens_when_it_is_resumed_after_it(void **state)
{
    (void)state;
    apply(SOON SHOE(100));
    of_sale("sale.pause", "spring");
    assert_event(2, FG_EVENT_SALE_STATE, FG_SALE_PAUSED, 0, true);
    assert_int_equal(log_.events[1].event.value2, 0);
    uint64_t opens = item(7)->opens_ns;
    while (fg_control_wall_ns() <= opens)
        usleep(1000);
    assert_false(fg_control_run_schedules(control));
    assert_int_equal(item(7)->state, FG_SALE_PAUSED);
    assert_text(of_sale("sale.resume", "spring"), "state", "open");
    assert_int_equal(log_.events[2].event.value2, opens);
    assert_int_equal(item(7)->opens_ns, opens);
}

static void a_sale_resumed_before_its_opening_waits_for_it(void **state)
{
    (void)state;
    apply("name: spring\nopens: +1h\nitems:\n" SHOE(100));
    uint64_t opens = item(7)->opens_ns;
    of_sale("sale.pause", "spring");
    /* Its opening is still to come, so it may be moved. */
    assert_true(changed(set("sale.set", "name", "spring", "opens", "+2h")));
    assert_true(item(7)->opens_ns > opens);
    assert_int_equal(item(7)->state, FG_SALE_PAUSED);
    assert_text(of_sale("sale.resume", "spring"), "state", "scheduled");
    assert_event(4, FG_EVENT_SALE_STATE, FG_SALE_SCHEDULED, 0, false);
    assert_int_equal(item(7)->state, FG_SALE_SCHEDULED);
}

static void the_engine_is_paused_killed_and_brought_back(void **state)
{
    (void)state;
    const json_t *result = call("engine.pause", json_object());
    assert_text(result, "mode", "paused");
    assert_true(changed(result));
    assert_event(3, FG_EVENT_ENGINE_STATE, FG_ENGINE_PAUSED, 0, true);
    assert_int_equal(engine->catalogue->mode, FG_ENGINE_PAUSED);
    assert_false(changed(call("engine.pause", json_object())));

    assert_null(call("engine.kill", json_object()));
    assert_error(FG_RPC_CONFIRM, "BUSY, in all 2 workers");
    assert_int_equal(engine->catalogue->mode, FG_ENGINE_PAUSED);
    result = call("engine.kill", json_pack("{s:b}", "confirmed", 1));
    assert_text(result, "mode", "killed");
    assert_event(4, FG_EVENT_ENGINE_STATE, FG_ENGINE_KILLED, 0, true);
    assert_int_equal(engine->catalogue->mode, FG_ENGINE_KILLED);
    assert_false(changed(call("engine.kill", json_object())));
    assert_null(call("engine.pause", json_object()));
    assert_error(FG_RPC_REFUSED, "the engine is killed and answers nobody; bring it back first");

    result = call("engine.resume", json_object());
    assert_text(result, "mode", "running");
    assert_event(5, FG_EVENT_ENGINE_STATE, FG_ENGINE_RUNNING, 0, false);
    assert_int_equal(engine->catalogue->mode, FG_ENGINE_RUNNING);
    assert_false(changed(call("engine.resume", json_object())));
}

/* --- figures --- */

static void single_figures_go_the_way_of_a_file(void **state)
{
    (void)state;
    stock("stock.add", "7", "30");
    const json_t *result = set("item.set", "item", "7", "limit", "5");
    assert_true(changed(result));
    assert_event(4, FG_EVENT_SALE, 0, 0, false);
    assert_int_equal(item(7)->limit, 5);
    assert_int_equal(free_units(7), 130); /* what was added stays */
    assert_int_equal(fg_model_supply(fg_model_item(&control->model, 7)), 130);
    assert_false(changed(set("item.set", "item", "7", "limit", "5")));

    set("item.set", "item", "7", "limit", "2");
    assert_event(5, FG_EVENT_SALE, 0, 0, true);
    assert_true(changed(set("item.set", "item", "8", "hold", "90s")));
    assert_int_equal(item(8)->hold_ms, 90000);
    assert_true(changed(set("item.set", "item", "8", "max_per_order", "3")));
    assert_int_equal(item(8)->max_per_order, 3);
    assert_true(changed(set("sale.set", "name", "spring", "limit", "9")));
    assert_int_equal(item(8)->sale_limit, 9);
    assert_true(changed(set("sale.set", "name", "spring", "rate", "5")));
    assert_true(item(7)->rate_cost > 0 && item(7)->rate_depth == 5 * item(7)->rate_cost);
    assert_event(9, FG_EVENT_SALE, 0, 0, true);
    assert_true(changed(set("sale.set", "name", "spring", "burst", "8")));
    assert_event(10, FG_EVENT_SALE, 0, 0, false);
    assert_int_equal(item(8)->rate_depth, 8 * item(8)->rate_cost);
    assert_true(changed(set("sale.set", "name", "spring", "closes", "+1h")));
    assert_true(item(7)->closes_ns > fg_control_wall_ns());
    assert_true(changed(set("sale.set", "name", "spring", "closes", "none")));
    assert_int_equal(item(7)->closes_ns, 0);
}

static void a_figure_that_cannot_be_set_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *method, *key, *of, *field, *value;
        int code;
        const char *part;
    } bad[] = {
        {"item.set", "item", "7", "stock", "5", FG_RPC_PARAMS,
         "\"stock\" of an item cannot be set; what can be: limit, max_per_order, hold"},
        {"sale.set", "name", "spring", "name", "x", FG_RPC_PARAMS,
         "\"name\" of a sale cannot be set; what can be: opens, closes, limit, rate, burst"},
        {"item.set", "item", "7", "limit", "many", FG_RPC_PARAMS, "limit: \"many\" is not"},
        {"item.set", "item", "7", "max_per_order", "3", FG_RPC_PARAMS,
         "item 7: max_per_order stands above limit"},
        {"item.set", "item", "8", "hold", "8d", FG_RPC_PARAMS, "hold: \"8d\" is out of range"},
        {"item.set", "item", "7", "limit", "none", FG_RPC_PARAMS, "limit: \"none\" is not"},
        {"sale.set", "name", "spring", "closes", "1999-01-01T00:00:00Z", FG_RPC_PARAMS,
         "sale spring: closes is not after opens"},
        {"sale.set", "name", "spring", "opens", "+1h", FG_RPC_REFUSED,
         "sale spring has opened, which is on record"},
        {"sale.set", "name", "winter", "limit", "1", FG_RPC_NOT_FOUND, "no sale winter"},
        {"item.set", "item", "9", "limit", "1", FG_RPC_NOT_FOUND, "no item 9"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_null(set(bad[i].method, bad[i].key, bad[i].of, bad[i].field, bad[i].value));
        assert_error(bad[i].code, bad[i].part);
    }
    assert_int_equal(log_.count, 2);
}

int main(void)
{
#define TEST(name)    cmocka_unit_test_setup_teardown(name, start, stop)
#define SELLING(name) cmocka_unit_test_setup_teardown(name, start_selling, stop)
    const struct CMUnitTest tests[] = {
        SELLING(added_units_are_durable_before_they_are_on_sale),
        SELLING(removed_units_are_off_sale_before_they_are_journalled),
        SELLING(only_unsold_units_are_removed),
        SELLING(stock_that_does_not_fit_is_refused_with_the_number_to_raise),
        SELLING(what_is_no_item_or_number_is_refused),
        SELLING(an_item_is_paused_resumed_and_closed),
        SELLING(a_paused_sale_resumes_open),
        TEST(a_sale_paused_before_its_opening_opens_when_it_is_resumed_after_it),
        TEST(a_sale_resumed_before_its_opening_waits_for_it),
        SELLING(the_engine_is_paused_killed_and_brought_back),
        SELLING(single_figures_go_the_way_of_a_file),
        SELLING(a_figure_that_cannot_be_set_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, release_reply);
}
