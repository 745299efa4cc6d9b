/* SPDX-License-Identifier: BSD-3-Clause */
/* The audit trail: what is listed, when, by whom, in what words, and what is left of it. */
#include "tests/unit/fake_engine.h"

static json_t *events_after(const char *since, const char *limit, const char *sale)
{
    return call("events",
                json_pack("{s:s*,s:s*,s:s*}", "since", since, "limit", limit, "sale", sale));
}

static json_t *all(void)
{
    return events_after(NULL, NULL, NULL);
}

/* Event `i` of a result. */
static json_t *at(const json_t *result, size_t i)
{
    json_t *event = json_array_get(json_object_get(result, "events"), i);
    assert_non_null(event);
    return event;
}

static size_t count_of(const json_t *result)
{
    return json_array_size(json_object_get(result, "events"));
}

static const char *text_of(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

static void assert_event(const json_t *event, const char *kind, const char *sale, const char *what)
{
    assert_string_equal(text_of(event, "kind"), kind);
    if (sale)
        assert_string_equal(text_of(event, "sale"), sale);
    else
        assert_true(json_is_null(json_object_get(event, "sale")));
    assert_string_equal(text_of(event, "what"), what);
}

static void every_change_is_listed_with_who_and_when(void **state)
{
    (void)state;
    assert_int_equal(count_of(all()), 0);
    apply(SPRING SHOE(100) HAT);
    caller.uid = 0;
    of_sale("sale.open", "spring");
    caller.uid = 1001;
    fg_model_sale(&control->model, "spring")->closes_ns = fg_control_wall_ns() - 1;
    fg_control_run_schedules(control); /* the engine's own */
    assert_int_equal(fg_change_finish(control, message, sizeof(message)), 0);
    const json_t *result = all(), *who = json_object_get(at(result, 0), "who");
    assert_int_equal(count_of(result), 3);
    assert_event(at(result, 0), "SALE", "spring",
                 "defined with 2 items, 150 units, opens by hand, closes by hand");
    assert_int_equal(number(at(result, 0), "lsn"), 1001);
    assert_int_equal(number(at(result, 0), "revision"), 2);
    assert_int_equal(number(who, "uid"), 1001);
    assert_int_equal(number(who, "gid"), 1002);
    assert_int_equal(number(who, "pid"), 1003);
    assert_true(json_is_null(json_object_get(who, "user")));
    assert_int_equal(strlen(text_of(at(result, 0), "at")), strlen("2026-11-22T20:00:00.000Z"));
    assert_event(at(result, 1), "SALE_STATE", "spring", "open");
    assert_string_equal(text_of(json_object_get(at(result, 1), "who"), "user"), "root");
    assert_event(at(result, 2), "SALE_STATE", "spring", "closed");
    assert_true(json_is_null(json_object_get(at(result, 2), "who")));
    assert_int_equal(number(result, "next"), 1003);
    assert_int_equal(number(result, "begins"), 1001);
    assert_true(json_is_true(json_object_get(result, "whole")));
    assert_false(json_is_true(json_object_get(result, "more")));
}

static void nothing_is_listed_before_it_is_durable(void **state)
{
    (void)state;
    log_.holds_back = true;
    apply(SPRING SHOE(100));
    assert_error(FG_RPC_TIME_LIMIT, "goes on in the background");
    assert_int_equal(count_of(all()), 0);
    assert_int_equal(number(all(), "next"), 0);
    log_.durable = log_.count;
    assert_int_equal(count_of(all()), 1);
}

static void a_record_of_an_act_is_listed(void **state)
{
    (void)state;
    apply(SPRING SHOE(100));
    json_t *params = json_pack("{s:s,s:s}", "buyer", BUYER, "sale", "spring");
    int rc = fg_act_submit(control, &caller, "order.cancel", params, message, sizeof(message));
    json_decref(params);
    assert_int_equal(rc, 0);
    const json_t *result = all();
    assert_int_equal(count_of(result), 2);
    assert_event(at(result, 1), "ACT", "spring", "order.cancel, buyer " BUYER ", sale spring");
    assert_int_equal(number(at(result, 1), "revision"), 2); /* it makes none */
    assert_int_equal(number(json_object_get(at(result, 1), "who"), "uid"), 1001);
}

static void what_delivery_is_told_is_listed_once(void **state)
{
    (void)state;
    apply(SPRING SHOE(100));
    engine->delivery = (void *)engine; /* any: its functions are fakes */
    stream_view = (struct fg_stream_view){.delivered = 7, .consumed = 5};
    assert_non_null(call("delivery.rebuild", json_pack("{s:s}", "sale", "spring")));
    delivery_refuses = -ERANGE;
    assert_null(call("delivery.rebuild", json_pack("{s:s}", "sale", "spring")));
    assert_null(call("consumed", json_pack("{s:s,s:s}", "sale", "spring", "seq", "8")));
    delivery_refuses = 0;
    assert_non_null(call("consumed", json_pack("{s:s,s:s}", "sale", "spring", "seq", "5")));
    assert_non_null(call("consumed", json_pack("{s:s,s:s}", "sale", "spring", "seq", "6")));
    engine->delivery = NULL;
    const json_t *result = all();
    assert_int_equal(count_of(result), 3); /* neither what was refused nor what was known */
    assert_event(at(result, 1), "ACT", "spring", "delivery.rebuild, sale spring");
    assert_event(at(result, 2), "ACT", "spring", "consumed, sale spring, seq 6");
}

static void a_changed_definition_says_what_it_changes(void **state)
{
    (void)state;
    apply(SPRING SHOE(100) HAT);
    apply("name: spring\nlimit: 5\nitems:\n" SHOE(120) HAT);
    const json_t *result = all();
    assert_event(at(result, count_of(result) - 1), "SALE", "spring",
                 count_of(result) == 2 ? "limit 0 -> 5, item 7 stock 100 -> 120"
                                       : "item 7 stock 100 -> 120");
    assert_null(events_after(NULL, NULL, "autumn"));
    assert_error(FG_RPC_NOT_FOUND, "autumn");
    apply("name: autumn\nitems:\n  - {id: 9, name: Cap, stock: 1}\n");
    assert_int_equal(count_of(events_after(NULL, NULL, "autumn")), 1);
}

/* Straight into the log: for what has no method here. */
static void put(struct fg_control_event event, const char *body)
{
    event.body_length = body ? (uint32_t)strlen(body) : 0;
    event.uid = 1;
    assert_true(fg_events_submit(control->events, engine->journal, &event, body, NULL) > 0);
}

static void every_kind_has_its_words(void **state)
{
    (void)state;
    apply(SPRING SHOE(100));
    uint32_t sale = fg_model_sale(&control->model, "spring")->number;
    static const struct {
        struct fg_control_event event;
        const char *body, *what;
    } kinds[] = {
        {{.kind = FG_EVENT_SALE_STATE, .value = FG_SALE_PAUSED}, NULL, "paused"},
        {{.kind = FG_EVENT_ITEM_STATE, .value = FG_ITEM_PAUSED, .value2 = 7},
         NULL,
         "item 7 paused"},
        {{.kind = FG_EVENT_STOCK_ADD, .value = 20, .value2 = 7}, NULL, "20 units added to item 7"},
        {{.kind = FG_EVENT_STOCK_REMOVE, .value = 3, .value2 = 7},
         NULL,
         "3 unsold units taken off item 7"},
        {{.kind = FG_EVENT_ENGINE_STATE, .value = FG_ENGINE_KILLED}, NULL, "engine killed"},
        {{.kind = FG_EVENT_BLOCK_LIST}, NULL, "a block list was loaded"},
        {{.kind = FG_EVENT_ACT}, "{\"method\": \"drain\", \"n\": 5}", "drain, n 5"},
        {{.kind = FG_EVENT_ACT}, "nonsense", "an act that cannot be read"},
        {{.kind = FG_EVENT_ACT},
         "{\"method\": \"m\", \"long\": \"0123456789012345678901234567890123456789012345\"}",
         "m, long 0123456789012345678901234567890123456789"},
        {{.kind = FG_EVENT_ACT},
         "{\"method\": \"lists.reload\", \"block_buyers\": {\"entries\": 4194304, \"sha256\": "
         "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}, \"n\": {}}",
         "lists.reload, block_buyers entries 4194304 sha256 "
         "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef, n"},
        {{.kind = FG_EVENT_SALE, .sale = 99}, "{}", "defined, in a way that cannot be read"},
    };
    size_t count = sizeof(kinds) / sizeof(*kinds);
    for (size_t i = 0; i < count; i++) {
        struct fg_control_event event = kinds[i].event;
        event.sale = event.sale ? event.sale : sale;
        put(event, kinds[i].body);
    }
    put((struct fg_control_event){.kind = FG_EVENT_NAMES_USED}, "{}"); /* no event of anybody's */
    const json_t *result = all();
    assert_int_equal(count_of(result), 1 + count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(text_of(at(result, 1 + i), "what"), kinds[i].what);
}

static void many_changes_are_counted(void **state)
{
    (void)state;
    static struct fg_sale_item items[2][100];
    struct fg_sale before = {.items_count = 100, .items = items[0]};
    struct fg_sale after = {.items_count = 99, .items = items[1], .opens_ns = 1000000000};
    for (uint32_t i = 0; i < 100; i++) {
        items[0][i] = (struct fg_sale_item){.id = 1000 + i, .stock = 1};
        items[1][i] = (struct fg_sale_item){.id = 1098 - i, .stock = 2};
    }
    struct fg_control_event event = {.kind = FG_EVENT_SALE};
    char *words = fg_events_words(&event, NULL, &before, &after);
    assert_non_null(strstr(words, "opens by hand -> 1970-01-01T00:00:01.000Z, item 1098 stock 1 "
                                  "-> 2, item 1097 stock"));
    assert_non_null(strstr(words, " more changes"));
    assert_true(strlen(words) < 500);
    free(words);
}

static void since_limit_and_sale_choose(void **state)
{
    (void)state;
    char since[32] = "0";
    size_t seen = 0, rounds = 0;
    apply(SPRING SHOE(100));
    apply("name: autumn\nitems:\n" HAT);
    for (int i = 0; i < 10; i++)
        put((struct fg_control_event){.kind = FG_EVENT_SALE_STATE, .sale = 1 + (uint32_t)i % 2},
            NULL);
    for (bool more = true; more; rounds++) {
        const json_t *result = events_after(since, "5", NULL);
        for (size_t i = 0; i < count_of(result); i++)
            assert_int_equal(number(at(result, i), "lsn"), 1001 + seen++);
        more = json_is_true(json_object_get(result, "more"));
        snprintf(since, sizeof(since), "%lld", (long long)number(result, "next"));
    }
    assert_int_equal(seen, 12);
    assert_int_equal(rounds, 3);
    assert_int_equal(count_of(events_after(since, NULL, NULL)), 0);
    assert_int_equal(number(events_after("5000", NULL, NULL), "next"), 5000);
    assert_int_equal(count_of(events_after("1004", "500", "autumn")), 4);
    assert_int_equal(number(events_after("1004", NULL, "autumn"), "next"), 1012);
    static const char *const wrong[][2] = {
        {"-1", NULL}, {"x", NULL}, {NULL, "0"}, {NULL, "501"}, {"9223372036854775808", NULL}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        assert_null(events_after(wrong[i][0], wrong[i][1], NULL));
        assert_error(FG_RPC_PARAMS, wrong[i][0] ? "since" : "limit");
    }
}

static void a_restart_lists_the_same(void **state)
{
    (void)state;
    apply(SPRING SHOE(100) HAT);
    of_sale("sale.open", "spring");
    apply(SPRING SHOE(120) HAT);
    of_sale("sale.close", "spring");
    of_sale("sale.archive", "spring");
    json_t *before = json_incref(json_object_get(all(), "events"));
    assert_int_equal(json_array_size(before), 5);
    stop_workers();
    fg_control_destroy(control);
    fg_stock_fini(&engine->stock);
    assert_int_equal(fg_stock_init(&engine->stock, WORKERS, 10), 0);
    create_control();
    for (unsigned i = 0; i < log_.count; i++) {
        struct fg_record record = {
            .lsn = 1001 + i, .control = &log_.events[i].event, .body = log_.events[i].body};
        assert_int_equal(fg_control_replay(control, &record), 0);
    }
    serve();
    assert_true(json_equal(before, json_object_get(all(), "events")));
    assert_true(json_is_true(json_object_get(all(), "whole")));
    json_decref(before);
}

static void a_log_without_its_beginning_says_so(void **state)
{
    (void)state;
    struct fg_control_event event = {.kind = FG_EVENT_ENGINE_STATE, .revision = 9, .uid = 5};
    struct fg_control_event sums = {.kind = FG_EVENT_SALE_POSITION, .sale = 3, .value = 1};
    struct fg_record record = {.lsn = 700, .control = &sums, .base = true};
    assert_int_equal(fg_control_replay(control, &record), 0);
    record = (struct fg_record){.lsn = 701, .control = &event, .base = true};
    assert_int_equal(fg_control_replay(control, &record), 0);
    record = (struct fg_record){.lsn = 702, .control = &event};
    assert_int_equal(fg_control_replay(control, &record), 0);
    const json_t *result = all();
    assert_int_equal(count_of(result), 2);
    assert_true(json_is_false(json_object_get(result, "whole")));
    assert_int_equal(number(result, "begins"), 701);
    assert_true(json_is_true(json_object_get(at(result, 0), "repeated")));
    assert_null(json_object_get(at(result, 1), "repeated"));
}

static void the_oldest_go_when_there_are_too_many(void **state)
{
    (void)state;
    struct fg_control_event event = {.kind = FG_EVENT_ENGINE_STATE};
    for (unsigned i = 1; i <= FG_EVENTS_KEPT + 5; i++) {
        struct fg_record record = {.lsn = i, .control = &event};
        assert_int_equal(fg_events_replay(control->events, &record), 0);
    }
    const json_t *result = events_after("0", "1", NULL);
    assert_int_equal(number(at(result, 0), "lsn"), 6);
    assert_int_equal(number(result, "begins"), 6);
    assert_true(json_is_false(json_object_get(result, "whole")));
    result = events_after("10004", NULL, NULL);
    assert_int_equal(count_of(result), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(every_change_is_listed_with_who_and_when),
        TEST(nothing_is_listed_before_it_is_durable),
        TEST(a_record_of_an_act_is_listed),
        TEST(what_delivery_is_told_is_listed_once),
        TEST(a_changed_definition_says_what_it_changes),
        TEST(every_kind_has_its_words),
        TEST(many_changes_are_counted),
        TEST(since_limit_and_sale_choose),
        TEST(a_restart_lists_the_same),
        TEST(a_log_without_its_beginning_says_so),
        TEST(the_oldest_go_when_there_are_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, release_reply);
}
