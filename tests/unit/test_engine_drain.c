/* SPDX-License-Identifier: BSD-3-Clause */
/* Draining as the control protocol has it: what it asks, what it records, and when it is done. */
#include "tests/unit/fake_engine.h"

static json_t *drain(bool confirmed)
{
    return call("engine.drain", json_pack("{s:b}", "confirmed", confirmed));
}

static bool is_true(const json_t *json, const char *key)
{
    assert_true(json_is_boolean(json_object_get(json, key)));
    return json_is_true(json_object_get(json, key));
}

static json_t *drain_status(void)
{
    return call("engine.drain_status", json_object());
}

static void draining_is_a_record(void **state)
{
    (void)state;
    assert_false(is_true(drain_status(), "draining"));
    assert_false(is_true(drain_status(), "drained"));
    json_t *result = drain(false);
    assert_true(is_true(result, "draining"));
    assert_true(is_true(result, "drained"));
    assert_int_equal(log_.count, 1);
    assert_int_equal(log_.events[0].event.kind, FG_EVENT_ENGINE_STATE);
    assert_int_equal(log_.events[0].event.value, FG_ENGINE_DRAINING);
    assert_int_equal(log_.events[0].event.uid, 1001);
    assert_true(log_.events[0].seen);
    assert_int_equal(engine->catalogue->mode, FG_ENGINE_DRAINING);
    assert_non_null(drain(false));
    assert_int_equal(log_.count, 1);
}

static void an_open_sale_is_asked_about(void **state)
{
    (void)state;
    assert_non_null(apply(SPRING SHOE(100)));
    assert_non_null(drain(false)); /* scheduled: nobody can buy */
    fg_change_begin_mode(control, NULL, FG_ENGINE_RUNNING);
    assert_int_equal(fg_change_finish(control, message, sizeof(message)), 0);
    assert_non_null(of_sale("sale.open", "spring"));
    assert_null(drain(false));
    assert_error(FG_RPC_CONFIRM, "sale spring is open");
    assert_int_equal(engine->catalogue->mode, FG_ENGINE_RUNNING);
    assert_non_null(drain(true));
    assert_int_equal(engine->catalogue->mode, FG_ENGINE_DRAINING);
}

static void it_waits_for_redis(void **state)
{
    (void)state;
    engine->delivery = (struct fg_delivery *)&delivery_stats; /* never looked into */
    atomic_store(&delivery_stats.state, FG_DELIVERY_RUNNING);
    atomic_store(&delivery_stats.lag, 3);
    json_t *result = drain(false);
    assert_false(is_true(result, "drained"));
    assert_int_equal(number(result, "lag"), 3);
    atomic_store(&delivery_stats.lag, 0);
    atomic_store(&delivery_stats.caught_up, 4); /* it has not looked at the last frame */
    assert_false(is_true(drain_status(), "drained"));
    atomic_store(&delivery_stats.caught_up, 5);
    assert_true(is_true(drain_status(), "drained"));
    atomic_store(&delivery_stats.state, FG_DELIVERY_CONNECTING);
    assert_false(is_true(drain_status(), "drained"));
    assert_true(is_true(drain_status(), "redis_away"));
    engine->delivery = NULL;
}

static void a_killed_engine_is_not_drained(void **state)
{
    (void)state;
    fg_change_begin_mode(control, NULL, FG_ENGINE_KILLED);
    assert_int_equal(fg_change_finish(control, message, sizeof(message)), 0);
    assert_null(drain(true));
    assert_error(FG_RPC_REFUSED, "engine resume");
    assert_int_equal(engine->catalogue->mode, FG_ENGINE_KILLED);
    assert_int_equal(log_.count, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(draining_is_a_record),
        TEST(an_open_sale_is_asked_about),
        TEST(it_waits_for_redis),
        TEST(a_killed_engine_is_not_drained),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, release_reply);
}
