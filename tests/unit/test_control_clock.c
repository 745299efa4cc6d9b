/* SPDX-License-Identifier: BSD-3-Clause */
/* Schedules while the machine's clock steps, and what an operator is told and may do about it. */
#include "tests/unit/fake_engine.h"

#include <time.h>

#define S  INT64_C(1000000000)
#define MS INT64_C(1000000)

/* The machine's clocks, with the wall clock set wrong by so much. */
static int64_t stepped_ns;

/* The first record after so many takes so long. */
static struct {
    unsigned after;
    int64_t takes_ns;
} slow_record;

static uint64_t now_ns(clockid_t which)
{
    int64_t passed_ns = log_.count > slow_record.after ? slow_record.takes_ns : 0;
    return fg_clock_ns(which) + (uint64_t)passed_ns;
}

static uint64_t wall_ns(void *context)
{
    (void)context;
    return now_ns(CLOCK_REALTIME) + (uint64_t)stepped_ns;
}

static uint64_t monotonic_ns(void *context)
{
    (void)context;
    return now_ns(CLOCK_MONOTONIC);
}

const struct fg_clock fg_clock_system = {.wall_ns = wall_ns, .monotonic_ns = monotonic_ns};

static int begin(void **state)
{
    stepped_ns = slow_record.takes_ns = 0;
    return start(state);
}

/* The clock is set, and control has seen it. */
static void step(int64_t ns)
{
    stepped_ns += ns;
    fg_clock_page_write(&engine->clock, 1, wall_ns(NULL), monotonic_ns(NULL));
}

static void near(uint64_t ns, uint64_t wanted_ns)
{
    assert_in_range(ns, wanted_ns - 5 * S, wanted_ns + 5 * S);
}

/* What the loop would do in its next rounds. */
static void run_schedules(void)
{
    for (unsigned i = 0; i < 4; i++) {
        (void)fg_control_run_schedules(control);
        assert_int_equal(fg_change_finish(control, message, sizeof(message)), 0);
    }
}

static bool alarmed(void)
{
    size_t i;
    json_t *alarm;
    bool found = false;
    json_t *alarms = fg_alarms_json(control);
    json_array_foreach(alarms, i, alarm)
    {
        found = found || strncmp(json_string_value(alarm), "CLOCK STEPPED:", 14) == 0;
    }
    json_decref(alarms);
    return found;
}

static void sell(void)
{
    assert_non_null(apply("name: spring\nopens: +1h\ncloses: +2h\nitems:\n" SHOE(100)));
    assert_non_null(of_sale("sale.open", "spring"));
    assert_non_null(apply("name: autumn\nopens: +1h\nitems:\n" HAT));
    assert_int_equal(log_.count, 3);
}

static json_t *accept_clock(bool confirmed)
{
    return call("clock.accept", confirmed ? json_pack("{s:b}", "confirmed", true) : json_object());
}

static void a_step_opens_and_closes_nothing(void **state)
{
    (void)state;
    static const int64_t steps[] = {3 * 3600 * S, -6 * 3600 * S};
    sell();
    assert_false(alarmed());
    for (unsigned i = 0; i < 2; i++) {
        uint64_t before_ns = fg_control_clock_ns(control);
        step(steps[i]);
        run_schedules();
        assert_int_equal(log_.count, 3);
        assert_int_equal(item(7)->state, FG_SALE_OPEN);
        assert_int_equal(item(8)->state, FG_SALE_SCHEDULED);
        near(fg_control_clock_ns(control), before_ns);
        assert_true(alarmed());
        json_t *clock = json_object_get(call("status", json_object()), "clock");
        assert_true(json_is_true(json_object_get(clock, "held")));
        assert_in_range(llabs(number(clock, "machine_ahead_ms")), 3 * 3600000 - 1, 3 * 3600000 + 1);
        assert_int_equal(number(clock, "steps"), i + 1);
    }
}

/* ... but time does, at its own pace. */
static void time_closes_while_the_clock_is_held(void **state)
{
    (void)state;
    sell();
    step(3600 * 3 * S);
    fg_model_sale(&control->model, "spring")->closes_ns = fg_control_clock_ns(control) + 20 * MS;
    run_schedules();
    assert_int_equal(log_.count, 3);
    uint64_t end = monotonic_ns(NULL) + 30 * MS;
    while (monotonic_ns(NULL) < end)
        fg_control_wait(control);
    run_schedules();
    assert_int_equal(log_.count, 4);
    assert_int_equal(item(7)->state, FG_SALE_CLOSED);
    near(log_.events[3].event.at_ns, now_ns(CLOCK_REALTIME));
}

static void what_is_applied_meanwhile_goes_by_the_engines_clock(void **state)
{
    (void)state;
    step(-3 * 3600 * S);
    assert_non_null(apply("name: spring\nopens: +1h\nitems:\n" SHOE(100)));
    near(item(7)->opens_ns, now_ns(CLOCK_REALTIME) + 3600 * S);
    near(log_.events[0].event.at_ns, now_ns(CLOCK_REALTIME));
}

static void a_clock_that_comes_back_is_followed(void **state)
{
    (void)state;
    sell();
    step(3 * 3600 * S);
    assert_true(alarmed());
    step(-3 * 3600 * S + 3 * MS);
    assert_false(alarmed());
    run_schedules();
    assert_int_equal(log_.count, 3);
    assert_false(json_is_true(json_object_get(accept_clock(false), "changed")));
    assert_int_equal(log_.count, 3);
}

/* What an operator accepts ahead: it opens and closes what is due, but not unasked. */
static void a_step_ahead_is_accepted(void **state)
{
    (void)state;
    sell();
    step(3 * 3600 * S);
    assert_null(accept_clock(false));
    assert_error(FG_RPC_CONFIRM, "sale spring would close at once");
    run_schedules();
    assert_int_equal(log_.count, 3);
    assert_true(alarmed());

    json_t *result = accept_clock(true);
    assert_true(json_is_true(json_object_get(result, "changed")));
    assert_in_range(number(result, "moved_ms"), 3 * 3600000 - 1, 3 * 3600000 + 1);
    assert_int_equal(log_.count, 6);
    assert_int_equal(log_.events[3].event.kind, FG_EVENT_ACT);
    assert_int_equal(log_.events[3].event.uid, 1001);
    assert_non_null(strstr(log_.events[3].body, "clock.accept"));
    assert_int_equal(item(7)->state, FG_SALE_CLOSED);
    assert_int_equal(item(8)->state, FG_SALE_OPEN);
    assert_false(alarmed());
    near(fg_control_clock_ns(control), wall_ns(NULL));
    assert_int_equal(fg_clock_page_read(&engine->clock, 1).accepted, 1);
}

/* What would close nothing is not asked about. */
static void a_step_that_only_opens_is_accepted_at_once(void **state)
{
    (void)state;
    assert_non_null(apply("name: autumn\nopens: +1h\nitems:\n" HAT));
    step(2 * 3600 * S);
    assert_non_null(accept_clock(false));
    assert_int_equal(item(8)->state, FG_SALE_OPEN);
}

/* The clock was ahead when the engine started. Once it is put right, nobody who is on time may be
 * refused as from before the start. */
static void a_step_back_is_accepted(void **state)
{
    (void)state;
    sell();
    uint64_t serving_ns = engine->catalogue->serving_since_ns;
    uint64_t revision = engine->catalogue->revision;
    step(-3 * 3600 * S);
    assert_non_null(accept_clock(false));
    assert_int_equal(log_.count, 4);
    near(engine->catalogue->serving_since_ns, serving_ns - 3 * 3600 * S);
    assert_true(engine->catalogue->serving_since_ns <= wall_ns(NULL));
    assert_int_equal(engine->catalogue->revision, revision);
    near(fg_control_clock_ns(control), wall_ns(NULL));
    /* What had opened is open, what is to come comes later. */
    run_schedules();
    assert_int_equal(item(7)->state, FG_SALE_OPEN);
    assert_int_equal(log_.count, 4);
    near(item(8)->opens_ns, now_ns(CLOCK_REALTIME) + 3600 * S);
}

/* Workers open a sale by the clock, in the very moment; an operator's step back undoes none. */
static void what_opens_while_a_step_is_put_on_record_is_open(void **state)
{
    (void)state;
    sell();
    step(-3 * 3600 * S);
    fg_model_sale(&control->model, "autumn")->opens_ns = fg_control_clock_ns(control) + 500 * MS;
    slow_record.after = log_.count;
    slow_record.takes_ns = S;
    assert_non_null(accept_clock(false));
    assert_int_equal(log_.count, 5);
    assert_int_equal(log_.events[4].event.kind, FG_EVENT_SALE_STATE);
    assert_int_equal(item(8)->state, FG_SALE_OPEN);
    near(fg_control_clock_ns(control), wall_ns(NULL));
}

/* After a step back workers are to know since when requests are taken: who does not is named, and
 * control goes on. */
static void who_has_not_seen_a_step_back_is_named(void **state)
{
    (void)state;
    sell();
    uint64_t revision = engine->catalogue->revision;
    step(-3 * 3600 * S);
    atomic_store(&frozen[1], true);
    assert_null(accept_clock(false));
    assert_error(FG_RPC_TIME_LIMIT, "worker 1 has not taken it up");
    assert_false(alarmed());
    assert_int_equal(control->change.stage, FG_CHANGE_TO_SEE);
    atomic_store(&frozen[1], false);
    assert_false(json_is_true(json_object_get(accept_clock(false), "changed")));
    assert_int_equal(control->change.stage, FG_CHANGE_NONE);
    assert_null(control->retired);
    assert_int_equal(engine->catalogue->revision, revision);
    assert_int_equal(log_.count, 4);
}

static void what_cannot_be_journalled_is_not_accepted(void **state)
{
    (void)state;
    sell();
    step(-3 * 3600 * S);
    log_.full = true;
    assert_null(accept_clock(false));
    assert_error(FG_RPC_REFUSED, "queue is full");
    assert_true(alarmed());
}

/* Half a second back is followed, but nothing is judged by an earlier time than before. */
static void the_clock_stands_still_rather_than_go_back(void **state)
{
    (void)state;
    fg_control_clock_update(control);
    uint64_t before_ns = fg_control_clock_ns(control);
    stepped_ns = -500 * MS;
    do {
        fg_control_clock_update(control);
    } while (engine->clock.keeper.machine_offset_ns !=
             engine->clock.keeper.offset_ns); /* until a reading was good */
    assert_in_range(fg_control_clock_ns(control), before_ns, before_ns + 400 * MS);
    assert_false(alarmed());
}

/* --- what time does while an operator's change is on its way --- */

static json_t *set_time(const char *field, const char *value)
{
    return call("sale.set", json_pack("{s:s,s:s,s:s,s:b}", "name", "autumn", "field", field,
                                      "value", value, "confirmed", true));
}

/* A worker that has not seen the pause opens the sale. It cannot be moved any more then. */
static void an_opening_that_overtakes_a_pause_is_on_record(void **state)
{
    (void)state;
    sell();
    uint64_t opens_ns = fg_control_clock_ns(control) + 50 * MS;
    fg_model_sale(&control->model, "autumn")->opens_ns = opens_ns;
    atomic_store(&frozen[1], true);
    assert_null(of_sale("sale.pause", "autumn"));
    assert_error(FG_RPC_TIME_LIMIT, "worker 1 has not taken it up");
    assert_true(fg_control_clock_ns(control) > opens_ns);
    atomic_store(&frozen[1], false);
    assert_non_null(of_sale("sale.pause", "autumn"));
    assert_int_equal(log_.count, 4);
    assert_int_equal(log_.events[3].event.value, FG_SALE_PAUSED);
    assert_int_equal(log_.events[3].event.value2, opens_ns);
    assert_null(set_time("opens", "+1h"));
    assert_error(FG_RPC_REFUSED, "sale autumn has opened, which is on record");
}

/* One that is paused in time has not opened, and may be moved. */
static void a_pause_before_the_opening_leaves_it_to_come(void **state)
{
    (void)state;
    sell();
    assert_non_null(of_sale("sale.pause", "autumn"));
    assert_int_equal(log_.events[3].event.value2, 0);
    assert_non_null(set_time("opens", "+2h"));
}

/* It was open when the change was begun; its first half took until the sale had closed. */
static void a_closing_that_overtakes_a_change_stands(void **state)
{
    (void)state;
    sell();
    struct fg_sale *spring = fg_model_sale(&control->model, "spring");
    spring->closes_ns = fg_control_clock_ns(control) + 500 * MS;
    slow_record.after = log_.count;
    slow_record.takes_ns = S;
    assert_null(call("sale.apply", json_pack("{s:s,s:s,s:b}", "text",
                                             "name: spring\ncloses: 2099-01-01T00:00:00Z\n"
                                             "items:\n  - id: 7\n    name: Shoe\n    stock: 90\n"
                                             "    limit: 2\n",
                                             "source", "sale.yaml", "confirmed", true)));
    assert_error(FG_RPC_REFUSED, "the rest not yet: sale spring is closed since a moment ago");
    run_schedules();
    assert_int_equal(item(7)->state, FG_SALE_CLOSED);
    assert_true(fg_model_sale(&control->model, "spring")->closes_ns <=
                fg_control_clock_ns(control));
}

/* --- openings --- */

static void passes(unsigned w, uint64_t opens_ns, uint64_t before_ns, uint64_t after_ns)
{
    struct fg_opening *opening = &engine->workers[w]->opening;
    atomic_store(&opening->closed_ns, opens_ns - before_ns);
    atomic_store(&opening->open_ns, opens_ns + after_ns);
    atomic_store(&opening->opens_ns, opens_ns);
}

static json_t *opening_of(const char *name)
{
    return json_object_get(of_sale("sale.show", name), "opening");
}

static void openings_are_told_by_the_slowest_worker(void **state)
{
    (void)state;
    assert_non_null(apply("name: spring\nopens: +1h\nitems:\n" SHOE(100)));
    assert_non_null(apply("name: autumn\nopens: +2h\nitems:\n" HAT));
    uint64_t opens_ns = item(7)->opens_ns;
    assert_int_equal(engine->catalogue->next_opens_ns, opens_ns);
    passes(0, opens_ns, 400, 1200);
    passes(1, opens_ns, 900, 34567);
    fg_openings_note(control);
    assert_true(json_is_null(opening_of("spring"))); /* it is not that time yet */

    opens_ns = fg_control_clock_ns(control) - 1;
    fg_model_sale(&control->model, "spring")->opens_ns = opens_ns;
    passes(0, opens_ns, 400, 1200);
    fg_openings_note(control);
    assert_true(json_is_null(opening_of("spring"))); /* worker 1 is not there yet */
    passes(1, opens_ns, 900, 34567);
    fg_openings_note(control);
    json_t *opening = opening_of("spring");
    assert_int_equal(number(opening, "opened_after_ns"), 34567);
    assert_int_equal(number(opening, "closed_before_ns"), 400);
    assert_int_equal(number(opening, "worker"), 1);
    run_schedules();
    assert_int_equal(engine->catalogue->next_opens_ns, item(8)->opens_ns);
    passes(0, item(8)->opens_ns, 1, 1); /* the next one leaves what is known alone */
    fg_openings_note(control);
    assert_true(json_is_object(opening_of("spring")));
    assert_true(json_is_null(opening_of("autumn")));
    assert_non_null(of_sale("sale.open", "autumn"));
    assert_int_equal(engine->catalogue->next_opens_ns, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_step_opens_and_closes_nothing),
        TEST(time_closes_while_the_clock_is_held),
        TEST(what_is_applied_meanwhile_goes_by_the_engines_clock),
        TEST(a_clock_that_comes_back_is_followed),
        TEST(a_step_ahead_is_accepted),
        TEST(a_step_that_only_opens_is_accepted_at_once),
        TEST(a_step_back_is_accepted),
        TEST(what_opens_while_a_step_is_put_on_record_is_open),
        TEST(who_has_not_seen_a_step_back_is_named),
        TEST(what_cannot_be_journalled_is_not_accepted),
        TEST(the_clock_stands_still_rather_than_go_back),
        TEST(an_opening_that_overtakes_a_pause_is_on_record),
        TEST(a_pause_before_the_opening_leaves_it_to_come),
        TEST(a_closing_that_overtakes_a_change_stands),
        TEST(openings_are_told_by_the_slowest_worker),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, release_reply);
}
