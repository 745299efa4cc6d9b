/* SPDX-License-Identifier: BSD-3-Clause */
/* What is told of keys: rights, figures, warnings; and never a secret. */
#include "tests/unit/keys_fixture.h"

#include "control/cli/cli.h"

static void a_list_tells_rights_and_figures(void **state)
{
    (void)state;
    uint64_t now_ns = fg_control_clock_ns(control);
    write_keys("keys:\n" KEY(1, ONE, ", rate: 10, sources: [10.0.0.0/8, \"2001:db8::/32\"]")
                   KEY(2, TWO, ", sales: [spring]"));
    assert_non_null(reload(false));
    for (unsigned w = 0; w < WORKERS; w++)
        for (unsigned i = 0; i <= w; i++)
            fg_key_watch_accepted(&engine->workers[w]->keys[1], 2, now_ns - w);
    fg_key_watch_stale(&engine->workers[0]->keys[1], 2, now_ns - UINT64_C(45000000000), now_ns - 5,
                       fg_ip_of_v4(0x0a000003));
    fg_key_watch_stale(&engine->workers[1]->keys[1], 2, now_ns + UINT64_C(60000000000), now_ns,
                       fg_ip_of_v4(0x0a000004));
    json_t *keys = json_object_get(call("keys.list", json_object()), "keys");
    assert_int_equal(json_array_size(keys), 2);
    const json_t *first = json_array_get(keys, 0), *second = json_array_get(keys, 1);
    char *text = json_dumps(first, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(
        text,
        "{\"absent_sales\":[],\"asked\":0,\"burst\":10,\"datagrams\":0,\"id\":1,\"last_seen\":"
        "null,\"ops\":[\"ORDER\",\"QUERY\"],\"rate\":10,\"sales\":\"all\","
        "\"skew_ms\":null,\"sources\":[\"10.0.0.0/8\",\"2001:db8::/32\"],"
        "\"stale\":0,\"stale_at\":null,\"stale_source\":null,\"throttled\":"
        "0}");
    free(text);
    assert_int_equal(number(second, "datagrams"), 3);
    assert_true(json_is_string(json_object_get(second, "last_seen")));
    assert_int_equal(number(second, "stale"), 2);
    assert_int_equal(number(second, "skew_ms"), 60000);
    assert_string_equal(json_string_value(json_object_get(second, "stale_source")), "10.0.0.4");
    assert_string_equal(json_string_value(json_array_get(json_object_get(second, "sales"), 0)),
                        "spring");
    /* Another key at the place begins anew. */
    assert_non_null(call("keys.reload", json_pack("{s:b}", "confirmed", true)));
    struct fg_key_figures none = fg_key_figures_of(engine, 1, 9);
    assert_int_equal(none.sight.accepted + none.sight.stale, 0);
}

/* A key may be for a sale that comes later, and its name may be mistyped. */
static void a_sale_that_is_not_there_is_told(void **state)
{
    (void)state;
    json_t *result = reload_of("keys:\n" KEY(1, ONE, "") KEY(2, TWO, ", sales: [spring, sprnig]"));
    assert_non_null(result);
    json_t *absent = json_object_get(result, "absent_sales");
    assert_int_equal(json_array_size(absent), 1);
    assert_int_equal(number(json_array_get(absent, 0), "key"), 2);
    assert_int_equal(json_array_size(json_object_get(json_array_get(absent, 0), "sales")), 2);
    assert_non_null(apply(SPRING SHOE(100)));
    result = reload(false); /* also where the file is as it was */
    assert_true(json_is_false(json_object_get(result, "changed")));
    absent = json_object_get(json_array_get(json_object_get(result, "absent_sales"), 0), "sales");
    assert_int_equal(json_array_size(absent), 1);
    assert_string_equal(json_string_value(json_array_get(absent, 0)), "sprnig");
    json_t *keys = json_object_get(call("keys.list", json_object()), "keys");
    assert_int_equal(json_array_size(json_object_get(json_array_get(keys, 0), "absent_sales")), 0);
    assert_int_equal(json_array_size(json_object_get(json_array_get(keys, 1), "absent_sales")), 1);
    result = reload_of("keys:\n" KEY(1, ONE, "") KEY(2, TWO, ", sales: [spring]"));
    assert_int_equal(json_array_size(json_object_get(result, "absent_sales")), 0);
    assert_true(json_is_array(json_object_get(result, "absent_sales")));
}

/* What flashgatectl makes of it. */
static void people_are_warned_of_it(void **state)
{
    (void)state;
    char shown[1024];
    json_t *result =
        json_incref(reload_of("keys:\n" KEY(1, ONE, "") KEY(2, TWO, ", sales: [autumn, sprnig]")));
    FILE *out = fmemopen(shown, sizeof(shown), "w");
    fg_show_keys_reload(result, out);
    fg_show_keys(call("keys.list", json_object()), out);
    fclose(out);
    json_decref(result);
    const char *warning = "WARNING   key 2 is for autumn, sprnig, and no sale in force has that "
                          "name: apply it, or mend the key file\n";
    const char *first = strstr(shown, warning);
    assert_non_null(first);
    assert_non_null(strstr(first + 1, warning));
    assert_null(strstr(shown, "WARNING   key 1 "));
}

static bool warned(const char *part)
{
    bool found = false;
    size_t i;
    json_t *alarm, *alarms = fg_alarms_json(control);
    json_array_foreach(alarms, i, alarm)
    {
        found = found || strstr(json_string_value(alarm), part);
    }
    json_decref(alarms);
    return found;
}

/* A second passes. */
static void look_again(void)
{
    control->skew.next_ms = 0;
    fg_skew_look(&control->skew, &control->keys->ring, engine, 1);
}

static void stale_ones_are_looked_at_and_told(void **state)
{
    (void)state;
    uint64_t now_ns = fg_control_clock_ns(control);
    look_again();
    for (unsigned i = 0; i < 60; i++) {
        fg_key_watch_accepted(&engine->workers[i % 2]->keys[0], 1, now_ns);
        fg_key_watch_stale(&engine->workers[1]->keys[1], 2, now_ns + UINT64_C(45000000000), now_ns,
                           fg_ip_of_v4(0x0a000003));
    }
    look_again();
    assert_true(warned("SENDER CLOCK: 60 authentic datagrams of the last 10 s are stale, most of "
                       "key 2: its sender 10.0.0.3 has a clock that is 45.0 s ahead of"));
    json_t *clock = json_object_get(call("status", json_object()), "clock");
    assert_int_equal(number(clock, "suspect"), 0);
    for (unsigned i = 0; i < 60; i++)
        fg_key_watch_stale(&engine->workers[0]->keys[0], 1, now_ns + UINT64_C(46000000000), now_ns,
                           fg_ip_of_v4(0x0a000004));
    look_again();
    assert_false(warned("SENDER CLOCK"));
    assert_true(warned("ENGINE CLOCK: 120 of 180 authentic datagrams of the last 10 s are stale: "
                       "the engine's clock may be wrong, about 46.0 s behind the senders'"));
    clock = json_object_get(call("status", json_object()), "clock");
    assert_int_equal(number(clock, "suspect"), 1);
    assert_int_equal(number(clock, "suspect_skew_ms"), 46000);
    for (unsigned i = 0; i < FG_SKEW_SECONDS; i++)
        look_again();
    assert_false(warned("CLOCK:"));
    clock = json_object_get(call("status", json_object()), "clock");
    assert_int_equal(number(clock, "suspect"), 0);
}

static void what_is_unsigned_is_told_loudly(void **state)
{
    (void)state;
    assert_false(warned("UNSIGNED"));
    engine->config.unsigned_allowed = true;
    assert_true(warned("UNSIGNED: datagrams without a signature are taken"));
    assert_false(warned("settle anybody's orders"));
    engine->config.unsigned_ops = FG_UNSIGNED_OPS | 1 << FG_OP_CANCEL;
    assert_true(warned("settle anybody's orders"));
}

/* All that can be asked, in every state of it. */
static void no_answer_tells_a_secret(void **state)
{
    (void)state;
    assert_non_null(reload_of("keys:\n" KEY(3, THREE, ", rate: 5") KEY(2, TWO, "")));
    static const char *const methods[] = {"status",  "keys.list", "keys.reload",
                                          "methods", "events",    "sale.list"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        assert_non_null(call(methods[i], json_object()));
        char *text = json_dumps(reply, JSON_COMPACT);
        for (char *at = text; *at; at++)
            *at = (char)(*at >= 'A' && *at <= 'F' ? *at + 32 : *at);
        assert_null(strstr(text, MARK));
        free(text);
    }
    caller.rank = FG_ROLE_OPERATOR;
    assert_null(reload(false));
    assert_error(FG_RPC_FORBIDDEN, "keys.reload");
    caller.rank = FG_ROLE_OWNER;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_list_tells_rights_and_figures), TEST(a_sale_that_is_not_there_is_told),
        TEST(people_are_warned_of_it),         TEST(stale_ones_are_looked_at_and_told),
        TEST(what_is_unsigned_is_told_loudly), TEST(no_answer_tells_a_secret),
    };
    return cmocka_run_group_tests_name("keys told", tests, NULL, release_reply);
}
