/* SPDX-License-Identifier: BSD-3-Clause */
/* Who asks too often, as an operator sees it: put together from workers with real admissions. */
#include "tests/unit/fake_commands.h"
#include "tests/unit/fake_engine.h"

#include "control/cli/cli.h"
#include "dataplane/admission/internal.h"

static struct fg_lane lanes[WORKERS];

static int start_suspects(void **state)
{
    start(state);
    apply(SPRING SHOE(100) HAT);
    stop_workers();
    for (unsigned w = 0; w < WORKERS; w++) {
        assert_int_equal(fg_lane_init(&lanes[w], 64), 0);
        engine->workers[w]->admission = fg_admission_create(&(struct fg_admission_config){
            .worker = w,
            .workers = WORKERS,
            .partitions = 64,
            .orders = 1000,
            .orders_per_buyer = 100,
            .parked = 64,
            .lane_records = 64,
            .seed = 1,
            .penalty = {1, 60000, 90000, 90000},
            .stock = &engine->stock,
            .counters = engine->workers[w]->counters,
        });
        assert_non_null(engine->workers[w]->admission);
        fg_admission_attach(engine->workers[w]->admission, &lanes[w], 3);
    }
    atomic_store(&admissions_ms, 70000);
    control->limits.answer = 60000;
    atomic_store(&admissions_run, true);
    start_workers();
    return 0;
}

static int stop_suspects(void **state)
{
    stop_workers();
    for (unsigned w = 0; w < WORKERS; w++) {
        fg_admission_destroy(engine->workers[w]->admission);
        engine->workers[w]->admission = NULL;
        fg_lane_fini(&lanes[w]);
    }
    atomic_store(&admissions_run, false);
    start_workers();
    return stop(state);
}

/* Refused so often by the worker; while workers are stopped. */
static void refuse(unsigned w, uint8_t number, unsigned times, uint32_t first_ms, uint32_t last_ms)
{
    struct fg_admission *a = engine->workers[w]->admission;
    struct fg_suspect who = {.buyer = {0xab, number},
                             .sale = 1,
                             .key = 7,
                             .source = number % 2 ? fg_ip_of_v4(0xc0000200 + number)
                                                  : (struct fg_ip){UINT64_C(0x20010db8) << 32, 2}};
    struct fg_suspect key = {.key = number < 3 ? 7 : 9, .source = who.source};
    for (unsigned i = 0; i < times; i++) {
        fg_suspects_note(&a->suspect_buyers, number, &who, i ? last_ms : first_ms);
        fg_suspects_note(&a->suspect_keys, key.key, &key, i ? last_ms : first_ms);
    }
}

static void storm(void)
{
    stop_workers();
    for (unsigned w = 0; w < WORKERS; w++) /* what they forget is not what is tested here */
        engine->workers[w]->admission->suspect_buyers.halved_ms =
            engine->workers[w]->admission->suspect_keys.halved_ms = 70000;
    refuse(0, 1, 500, 5000, 60000);
    refuse(1, 2, 1234567, 1000, 69000);
    refuse(1, 3, 20, 65000, 66000);
    refuse(0, 4, 3, 70000, 70000);
    start_workers();
}

static const char *member(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

static void nobody_is_suspected(void **state)
{
    (void)state;
    const json_t *result = call("suspects", json_object());
    assert_int_equal(json_array_size(json_object_get(result, "buyers")), 0);
    assert_int_equal(json_array_size(json_object_get(result, "keys")), 0);
    assert_int_equal(json_array_size(json_object_get(result, "late_workers")), 0);
    assert_int_equal(number(result, "halved_each_ms"), FG_SUSPECT_HALVED_MS);
}

static void workers_answers_are_put_together(void **state)
{
    (void)state;
    storm();
    const json_t *result = call("suspects", json_object());
    const json_t *buyers = json_object_get(result, "buyers");
    assert_int_equal(json_array_size(buyers), 4);
    const json_t *worst = json_array_get(buyers, 0);
    assert_string_equal(member(worst, "buyer"), "ab020000000000000000000000000000");
    assert_string_equal(member(worst, "sale"), "spring");
    assert_string_equal(member(worst, "source"), "2001:db8::2");
    assert_int_equal(number(worst, "refused"), 1234567);
    assert_int_equal(number(worst, "error"), 0);
    assert_int_equal(number(worst, "key"), 7);
    assert_int_equal(number(worst, "first_ago_ms"), 69000);
    assert_int_equal(number(worst, "last_ago_ms"), 1000);
    assert_int_equal(number(worst, "penalty_ms"), 0);
    assert_string_equal(member(json_array_get(buyers, 1), "source"), "192.0.2.1");
    assert_int_equal(number(json_array_get(buyers, 3), "refused"), 3);
    /* key 7 was heard by both workers */
    const json_t *keys = json_object_get(result, "keys");
    assert_int_equal(json_array_size(keys), 2);
    const json_t *key = json_array_get(keys, 0);
    assert_int_equal(number(key, "key"), 7);
    assert_int_equal(number(key, "refused"), 1235067);
    assert_int_equal(number(key, "first_ago_ms"), 69000);
    assert_int_equal(number(key, "last_ago_ms"), 1000);
    assert_string_equal(member(key, "source"), "2001:db8::2");
    assert_int_equal(number(json_array_get(keys, 1), "refused"), 23);

    result = call("suspects", json_pack("{s:s}", "count", "2"));
    assert_int_equal(json_array_size(json_object_get(result, "buyers")), 2);
    static const char *const wrong[] = {"0", "101", "all", "-1", ""};
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        assert_null(call("suspects", json_pack("{s:s}", "count", wrong[i])));
        assert_error(FG_RPC_PARAMS, "is not a number from 1 to 100");
    }
}

static void who_does_not_answer_is_named(void **state)
{
    (void)state;
    storm();
    atomic_store(&frozen[1], true);
    control->limits.answer = 50;
    const json_t *result;
    unsigned asked = 0;
    do { /* on a busy machine the other may be late as well */
        result = call("suspects", json_object());
    } while (json_array_size(json_object_get(result, "buyers")) < 2 && ++asked < 50);
    assert_int_equal(json_array_size(json_object_get(result, "buyers")), 2);
    const json_t *late = json_object_get(result, "late_workers");
    assert_int_equal(json_array_size(late), 1);
    assert_int_equal(json_integer_value(json_array_get(late, 0)), 1);
    assert_in_range(control->commands_late, 1, asked + 1); /* the other's have come back */
    atomic_store(&frozen[1], false);
    control->limits.answer = 60000;
    result = call("suspects", json_object());
    assert_int_equal(json_array_size(json_object_get(result, "buyers")), 4);
    assert_int_equal(control->commands_late, 0);
}

static void people_are_shown_suspects(void **state)
{
    (void)state;
    char shown[4096] = "";
    FILE *out = fmemopen(shown, sizeof(shown), "w");
    fg_show_suspects(call("suspects", json_object()), out);
    storm();
    stop_workers();
    struct fg_admission *a = engine->workers[1]->admission;
    struct fg_item item = {.id = 1, .sale = 1};
    uint8_t buyer[FG_BUYER_BYTES] = {0xab, 2};
    uint32_t wait_ms;
    fg_rates_set_item(&item, 1, 1);
    for (int i = 0; i < 2; i++)
        fg_rates_buyer(&a->rates, &item, fg_book_hash(&a->book, buyer), false, false, &wait_ms);
    a->suspect_buyers.places[3][0].error = 5;
    start_workers();
    const json_t *result = call("suspects", json_object());
    assert_int_equal(number(json_array_get(json_object_get(result, "buyers"), 0), "penalty_ms"),
                     90000);
    fg_show_suspects(result, out);
    json_t *late = json_pack("{s:[],s:[],s:[i]}", "buyers", "keys", "late_workers", 3);
    fg_show_suspects(late, out);
    json_decref(late);
    fclose(out);
    static const char *const parts[] = {
        "Nobody has been refused for asking too often of late\n",
        "ab020000000000000000000000000000  spring                   1,234,567   1 m 09 s        "
        "1 s   1 m 30 s      7  2001:db8::2\n",
        "ab030000000000000000000000000000  spring                    20 (- 5)        5 s        "
        "4 s          -      7  192.0.2.3\n",
        "key 7             1,235,067   1 m 09 s        1 s  2001:db8::2\n",
        "counts half after 1 m 00 s,",
        "Worker 3 has not answered in time: what it knows is missing\n"};
    for (unsigned i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (!strstr(shown, parts[i]))
            fail_msg("no \"%s\" in\n%s", parts[i], shown);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_suspects, stop_suspects)
    const struct CMUnitTest tests[] = {
        TEST(nobody_is_suspected),
        TEST(workers_answers_are_put_together),
        TEST(who_does_not_answer_is_named),
        TEST(people_are_shown_suspects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
