/* SPDX-License-Identifier: BSD-3-Clause */
/* Status sums up the workers and warns of what goes wrong in log, disk, acknowledgement, streams.
 */
#include "tests/unit/fake_commands.h"
#include "tests/unit/fake_engine.h"

static void status_sums_what_workers_count(void **state)
{
    (void)state;
    apply(SPRING SHOE(100));
    for (unsigned w = 0; w < WORKERS; w++) {
        fg_count_add(&engine->workers[w]->counters->count[FG_COUNTER_DROP_MAC], 2 + w);
        fg_count_add(&engine->workers[w]->counters->verdicts[FG_VERDICT_SOLD_OUT], 10);
    }
    const json_t *status = call("status", json_object());
    const json_t *totals = json_object_get(status, "totals");
    assert_int_equal(number(json_object_get(totals, "counters"), "drop_mac"), 5);
    assert_int_equal(number(json_object_get(totals, "verdicts"), "SOLD_OUT"), 20);
    const json_t *second = json_array_get(json_object_get(status, "workers"), 1);
    assert_int_equal(number(json_object_get(second, "counters"), "drop_mac"), 3);
    assert_int_equal(number(status, "epoch"), 3);
    assert_int_equal(number(json_array_get(json_object_get(status, "sales"), 0), "available"), 100);
    const json_t *warnings = json_object_get(status, "warnings");
    assert_non_null(strstr(json_string_value(json_array_get(warnings, 0)), "UNSIGNED"));
}

static void status_warns_of_a_log_that_fills_up(void **state)
{
    (void)state;
    for (unsigned room = FG_LOG_OPEN; room <= FG_LOG_SHUT; room++) {
        log_.stats.log_room = room;
        const json_t *warnings = json_object_get(call("status", json_object()), "warnings");
        const char *last =
            json_string_value(json_array_get(warnings, json_array_size(warnings) - 1));
        assert_int_equal(strstr(last, "log.budget") != NULL, room != FG_LOG_OPEN);
        assert_int_equal(strstr(last, "CONFIRM") != NULL, room == FG_LOG_SHUT);
    }
}

/* Is there exactly this one alarm of those that begin with the word? */
static const char *alarm_of(const char *word)
{
    const char *found = NULL;
    size_t i;
    json_t *value;
    const json_t *warnings = json_object_get(call("status", json_object()), "warnings");
    json_array_foreach(warnings, i, value)
    {
        if (strncmp(json_string_value(value), word, strlen(word)) == 0) {
            assert_null(found);
            found = json_string_value(value);
        }
    }
    return found;
}

static void alarms_tell_of_log_disk_and_acknowledgement(void **state)
{
    (void)state;
    assert_null(alarm_of("LOG"));
    assert_null(alarm_of("DISK"));
    assert_null(alarm_of("ACK"));
    log_.stats.room_bytes = (1 << 28) + (1 << 20);
    assert_null(alarm_of("LOG"));
    log_.stats.room_bytes = (1 << 28) - (1 << 20);
    assert_non_null(strstr(alarm_of("LOG FILLING"), "255 MiB are left of 1024"));
    log_.stats.stuck = ENOSPC;
    assert_non_null(strstr(alarm_of("DISK FULL"), "/a/log gives no further segment of 64 MiB: No "
                                                  "space left on device"));
    log_.stats.stuck = 0;
    log_.stats.flush_began_ns = fg_clock_system.monotonic_ns(NULL) - 3 * UINT64_C(1000000000);
    assert_non_null(strstr(alarm_of("DISK STALLED"), "has not ended for "));
    log_.stats.flush_began_ns = fg_clock_system.monotonic_ns(NULL);
    assert_null(alarm_of("DISK"));
    log_.stats.flush_began_ns = 0;
    assert_null(alarm_of("DISK"));
    log_.stats.stuck = ENOSPC;
    assert_null(alarm_of("UNGUARDED"));
    assert_null(alarm_of("CORE DUMPS"));
    engine->config.seccomp = FG_SECCOMP_LOG;
    engine->config.core_dumps = true;
    assert_non_null(strstr(alarm_of("UNGUARDED"), "only logged"));
    assert_non_null(alarm_of("CORE DUMPS"));
    engine->config.ack = FG_ACK_MEMORY;
    assert_non_null(alarm_of("ACK MEMORY"));
    const json_t *journal = json_object_get(call("status", json_object()), "journal");
    assert_string_equal(json_string_value(json_object_get(journal, "ack")), "memory");
    assert_string_equal(json_string_value(json_object_get(journal, "stuck")),
                        "No space left on device");
}

static void alarms_tell_of_streams(void **state)
{
    (void)state;
    static const struct {
        enum fg_stream_state state;
        const char *word;
    } cases[] = {
        {FG_STREAM_FOREIGN, "STREAM FOREIGN"},
        {FG_STREAM_LOST_BEYOND_LOG, "STREAM LOST"},
        {FG_STREAM_BAD_KEY, "STREAM BAD KEY"},
        {FG_STREAM_REFUSED, "STREAM REFUSED"},
    };
    apply(SPRING SHOE(100));
    assert_null(alarm_of("STREAM"));
    engine->delivery = (struct fg_delivery *)&delivery_stats; /* a name for it: never looked at */
    atomic_store(&delivery_stats.state, FG_DELIVERY_RUNNING);
    assert_null(alarm_of("STREAM"));
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        stream_state = cases[i].state;
        assert_non_null(strstr(alarm_of(cases[i].word), "sale spring"));
    }
    stream_state = FG_STREAM_LIVE;
    delivery_stats.lag = 9999;
    assert_null(alarm_of("DELIVERY"));
    delivery_stats.lag = 10000;
    assert_non_null(strstr(alarm_of("DELIVERY LAGS"), "10000 order events"));
    atomic_store(&delivery_stats.state, FG_DELIVERY_CONNECTING);
    assert_null(alarm_of("DELIVERY"));
    assert_non_null(strstr(alarm_of("REDIS AWAY"), "epoch 9 has it"));
    engine->delivery = NULL;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(status_sums_what_workers_count),
        TEST(status_warns_of_a_log_that_fills_up),
        TEST(alarms_tell_of_log_disk_and_acknowledgement),
        TEST(alarms_tell_of_streams),
    };
    return cmocka_run_group_tests(tests, NULL, release_reply);
}
