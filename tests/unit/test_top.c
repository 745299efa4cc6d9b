/* SPDX-License-Identifier: BSD-3-Clause */
/* What flashgatectl top shows for two answers of an engine, and texts that fit columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "control/cli/columns.h"
#include "control/top/view.h"

#define OPENS_S   1764100800 /* 2025-11-25T20:00:00Z */
#define SECOND_NS UINT64_C(1000000000)

/* Columns that a line takes. */
static unsigned columns_of(const char *line)
{
    char copy[FG_TOP_LINE_BYTES];
    return fg_columns_fit(copy, sizeof(copy), line, sizeof(copy), false, false);
}

static struct fg_top_screen screen;
static struct fg_top_input input;
static json_t *now, *before;

/* An engine's answer: two workers, two sales, what grows given as `n` steps of so much. */
static json_t *answer(int n)
{
    json_t *json = json_pack(
        "{s:i,s:i,s:I,s:{s:i},s:[],s:{s:{s:I,s:I,s:I,s:I,s:I},s:{s:I,s:I,s:I}},s:[],s:[]}",
        "revision", 7, "epoch", 3, "uptime_ms", (json_int_t)3723000 + 2000 * n, "config", "workers",
        2, "warnings", "totals", "counters", "entries", (json_int_t)200 * n, "requests",
        (json_int_t)100 * n, "handed_over", (json_int_t)24 * n, "drop_stale", (json_int_t)4 * n,
        "drop_mac", (json_int_t)0, "verdicts", "ADMITTED", (json_int_t)50 * n, "SOLD_OUT",
        (json_int_t)150 * n, "FORBIDDEN", (json_int_t)0, "workers", "sales");
    assert_non_null(json);
    for (int w = 0; w < 2; w++)
        json_array_append_new(json_object_get(json, "workers"),
                              json_pack("{s:i,s:i,s:s,s:I,s:I,s:{s:I},s:{s:i,s:i,s:i}}", "worker",
                                        w, "core", w, "state", "running", "busy_cycles",
                                        (json_int_t)(w ? 750 : 250) * n, "total_cycles",
                                        (json_int_t)1000 * n, "counters", "entries",
                                        (json_int_t)(w ? 120 : 80) * n, "gauges", "parked", 1,
                                        "orders", 2, "holds", 3));
    json_object_set_new(json, "journal",
                        json_pack("{s:I,s:{s:I,s:I,s:I,s:I,s:I},s:f,s:s}", "records",
                                  (json_int_t)50 * n, "flush_time", "count", (json_int_t)10 * n,
                                  "sum_us", (json_int_t)1230 * n, "mean_us", (json_int_t)999,
                                  "p99_us", (json_int_t)1120, "max_us", (json_int_t)2313,
                                  "room_share", 0.97, "ack", "durable"));
    json_object_set_new(json, "delivery",
                        json_pack("{s:s,s:I,s:I,s:s}", "state", "running", "delivered",
                                  (json_int_t)40 * n, "lag", (json_int_t)1234, "last_error", ""));
    static const char *const names[] = {"spring", "winter"};
    for (int s = 0; s < 2; s++) {
        json_t *item = json_pack("{s:i,s:s,s:I,s:I,s:I}", "id", 7 + s, "name", s ? "Ski" : "Shoe",
                                 "stock", (json_int_t)1000, "available", (json_int_t)1000 - 100 * n,
                                 "given", (json_int_t)100 * n);
        json_array_append_new(
            json_object_get(json, "sales"),
            json_pack("{s:s,s:i,s:s,s:s,s:n,s:I,s:I,s:I,s:i,s:[o]}", "name", names[s], "number",
                      s + 1, "state", s ? "scheduled" : "open", "opens",
                      s ? "2025-11-25T21:00:00.000Z" : "2025-11-25T20:00:00.500Z", "closes",
                      "stock", (json_int_t)1000, "available", (json_int_t)1000 - 100 * n, "given",
                      (json_int_t)100 * n, "items_count", 1, "items", item));
    }
    return json;
}

static json_t *sale(json_t *status, size_t i)
{
    return json_array_get(json_object_get(status, "sales"), i);
}

static int start(void **state)
{
    (void)state;
    before = answer(1);
    now = answer(2);
    input = (struct fg_top_input){.now = now,
                                  .before = before,
                                  .seconds = 2,
                                  .wall_ns = OPENS_S * SECOND_NS + 312 * SECOND_NS,
                                  .rows = 24,
                                  .columns = 80,
                                  .interval_ms = 2000};
    return 0;
}

static int stop(void **state)
{
    (void)state;
    json_decref(now);
    json_decref(before);
    return 0;
}

/* The line that has this in it; NULL if none or several have. */
static const struct fg_top_line *find(const char *part)
{
    const struct fg_top_line *found = NULL;
    for (unsigned i = 0; i < screen.rows; i++) {
        if (!strstr(screen.lines[i].text, part))
            continue;
        if (found)
            return NULL;
        found = &screen.lines[i];
    }
    return found;
}

static void show(void)
{
    for (unsigned i = 0; i < screen.rows; i++)
        print_message("|%s\n", screen.lines[i].text);
}

static void view(void)
{
    fg_top_view(&screen, &input);
    assert_int_equal(screen.rows, input.rows);
    for (unsigned i = 0; i < screen.rows; i++) {
        if (columns_of(screen.lines[i].text) > input.columns)
            fail_msg("too wide: %s", screen.lines[i].text);
    }
}

#define assert_shows(part)                                                                         \
    do {                                                                                           \
        if (!find(part)) {                                                                         \
            show();                                                                                \
            fail_msg("not just once: %s", part);                                                   \
        }                                                                                          \
    } while (0)

static void the_screen_tells_everything_at_80_by_24(void **state)
{
    (void)state;
    view();
    assert_shows("revision 7, epoch 3, up 1:02:07, 2 workers");
    assert_shows("20:05:12Z");
    assert_shows("Sale spring (1 of 2): open since 0:05:11, closes by hand");
    assert_shows("Stock 1,000, available 800, given 200");
    /* 100 units in two seconds: 50 a second, 800 left for 16 s */
    assert_shows("         7 Shoe           [############....]         800        50       16 s");
    assert_shows("Decisions  all/s              100 ADMITTED            25 SOLD_OUT            75");
    assert_shows(
        "     0    0 running  [##........]  25.0%          40       1         2         3");
    assert_shows("     1    1 running  [#######...]  75.0%          60");
    assert_shows("Hand-over  12 of 50 datagrams/s; shares of decisions 40.0% to 60.0%");
    assert_shows("flush 123 us mean, p99 1,120, max 2,313; 25 records/s; room 97%");
    assert_shows("Delivery   running, lag 1,234, 20 delivered/s");
    assert_shows("Drops      stale 8 (2/s)");
    assert_null(find("mac"));
    assert_null(find("FORBIDDEN"));
    assert_shows("q quit");
    assert_string_equal(screen.lines[23].text,
                        "q quit   left, right, tab: sale   up, down: items   every 2 s");
}

static void without_an_answer_before_there_are_no_rates(void **state)
{
    (void)state;
    input.before = NULL;
    view();
    assert_shows("[############....]         800         -          -");
    assert_shows("all/s                -");
    assert_shows("Hand-over  - of - datagrams/s");
    assert_null(find("shares of"));
    assert_shows("flush 999 us mean");
    /* ... nor where it came from another process */
    input.before = before;
    json_object_set_new(now, "epoch", json_integer(4));
    view();
    assert_shows("all/s                -");
    json_object_set_new(now, "epoch", json_integer(3));
    json_object_set_new(now, "uptime_ms", json_integer(5));
    view();
    assert_shows("all/s                -");
}

static void clocks_of_sales(void **state)
{
    (void)state;
    static const struct {
        const char *state, *opens, *closes, *told;
    } cases[] = {
        {"scheduled", "2025-11-25T20:10:00.000Z", NULL, "spring (1 of 2): opens in 0:04:48"},
        {"scheduled", "2025-11-25T20:05:12.001Z", NULL, "opens in 0:00:01"},
        {"scheduled", "2025-11-25T20:05:12.000Z", NULL, "spring (1 of 2): opening"},
        {"scheduled", "2025-11-28T20:05:12.000Z", "2025-11-29T20:05:12.000Z",
         "opens in 3d 00:00:00, closes in 4d 00:00:00"},
        {"scheduled", NULL, NULL, "opens by hand"},
        {"open", "2025-11-25T20:00:00.000Z", "2025-11-25T21:00:00.000Z",
         "open since 0:05:12, closes in 0:54:48"},
        {"open", NULL, NULL, "spring (1 of 2): open"},
        {"paused", "2025-11-25T20:00:00.000Z", "2025-11-25T21:00:00.000Z",
         "paused since 0:05:12, closes in 0:54:48"},
        {"closed", "2025-11-25T20:00:00.000Z", "2025-11-25T20:05:00.000Z", "closed 0:00:12 ago"},
        {"closed", "2025-11-25T20:00:00.000Z", NULL, "spring (1 of 2): closed"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        json_object_set_new(sale(now, 0), "state", json_string(cases[i].state));
        json_object_set_new(sale(now, 0), "opens",
                            cases[i].opens ? json_string(cases[i].opens) : json_null());
        json_object_set_new(sale(now, 0), "closes",
                            cases[i].closes ? json_string(cases[i].closes) : json_null());
        view();
        const struct fg_top_line *line = find("Sale spring");
        assert_non_null(line);
        const char *end = line->text + strlen(line->text) - strlen(cases[i].told);
        if (end < line->text || strcmp(end, cases[i].told) != 0)
            fail_msg("\"%s\", and not \"%s\"", line->text, cases[i].told);
    }
}

static void a_sale_is_chosen(void **state)
{
    (void)state;
    input.sale = 1;
    view();
    assert_int_equal(screen.sales, 2);
    assert_shows("Sale winter (2 of 2): opens in 0:54:48");
    assert_shows(" 8 Ski ");
    assert_null(find("Shoe"));
    input.sale = 9;
    view();
    assert_shows("Sale winter (2 of 2)");
    json_array_clear(json_object_get(now, "sales"));
    view();
    assert_shows("There is no sale; put one in force with: flashgatectl sale apply FILE");
}

static void items_that_do_not_fit_are_scrolled(void **state)
{
    (void)state;
    json_t *items = json_object_get(sale(now, 0), "items");
    for (int i = 1; i < 40; i++)
        json_array_append_new(items,
                              json_pack("{s:i,s:s,s:i,s:i,s:i}", "id", 100 + i, "name", "x",
                                        "stock", 5, "available", i == 39 ? 0 : 5, "given", 0));
    json_object_set_new(sale(now, 0), "items_count", json_integer(40));
    view();
    assert_shows(" 7 Shoe");
    assert_shows("items 1 to 10 of 40; sale show tells all");
    assert_shows("     1    1 running"); /* workers keep their place */
    assert_shows("Drops");
    input.first_item = 3;
    view();
    assert_null(find("Shoe"));
    assert_shows("items 4 to 13 of 40");
    input.first_item = 1000;
    view();
    assert_shows("items 31 to 40 of 40");
    assert_int_equal(screen.first_item, 30);
    assert_shows("none left");
    input.rows = 60;
    view();
    assert_int_equal(screen.first_item, 0);
    assert_shows(" 7 Shoe");
    assert_null(find("tells all"));
    /* status tells only the first items of a large sale */
    json_object_set_new(sale(now, 0), "items_count", json_integer(1000));
    input.rows = 200;
    view();
    assert_shows("items 1 to 40 of 1000");
}

static void workers_that_do_not_fit_are_summed_up(void **state)
{
    (void)state;
    for (int w = 2; w < 30; w++) {
        json_array_append(json_object_get(now, "workers"),
                          json_array_get(json_object_get(now, "workers"), 1));
        json_array_append(json_object_get(before, "workers"),
                          json_array_get(json_object_get(before, "workers"), 1));
    }
    view();
    assert_shows(" 7 Shoe");
    assert_shows("more, busy 75.0% in the mean and 75.0% at most");
    assert_shows("Drops");
}

/* Nobody to hand anything to. */
static void a_worker_alone_hands_nothing_over(void **state)
{
    (void)state;
    json_array_remove(json_object_get(now, "workers"), 1);
    view();
    assert_null(find("Hand-over"));
}

static void alarms_stand_at_the_top(void **state)
{
    (void)state;
    json_t *warnings = json_object_get(now, "warnings");
    json_array_append_new(warnings, json_string("LOG FILLING: one"));
    view();
    assert_string_equal(screen.lines[1].text, "WARNING  LOG FILLING: one");
    assert_int_equal(screen.lines[1].style, FG_TOP_ALARM);
    for (int i = 0; i < 4; i++)
        json_array_append_new(warnings, json_string("ANOTHER"));
    view();
    assert_string_equal(screen.lines[4].text,
                        "WARNING  and 2 more; flashgatectl status tells them all");
    assert_non_null(strstr(screen.lines[5].text, "Sale spring"));
    json_array_clear(warnings);
    json_array_append_new(warnings, json_string("LONG: it is so long that at eighty columns it has "
                                                "to go on in the second line, which is set in"));
    view();
    assert_string_equal(screen.lines[1].text, "WARNING  LONG: it is so long that at eighty columns "
                                              "it has to go on in the");
    assert_string_equal(screen.lines[2].text, "         second line, which is set in");
    assert_non_null(strstr(screen.lines[3].text, "Sale spring"));
    json_object_set_new(now, "mode", json_string("draining"));
    json_object_set_new(json_array_get(json_object_get(now, "workers"), 1), "state",
                        json_string("ended"));
    json_object_set_new(json_object_get(now, "delivery"), "state", json_string("connecting"));
    json_object_set_new(json_object_get(now, "delivery"), "last_error", json_string("no such"));
    view();
    assert_shows("2 workers, draining");
    json_object_set_new(now, "mode", json_string("running"));
    json_object_set_new(json_array_get(json_object_get(sale(now, 0), "items"), 0), "state",
                        json_string("paused"));
    view();
    assert_null(strstr(screen.lines[0].text, "running"));
    assert_shows("50     paused");
    assert_int_equal(find("ended")->style, FG_TOP_ALARM);
    assert_int_equal(find("connecting, lag 1,234, 20 delivered/s; no such")->style, FG_TOP_ALARM);
}

static void an_engine_that_is_away_is_told_above_what_it_said_last(void **state)
{
    (void)state;
    input.trouble = "/run/flashgate/control.sock: no engine answers on this control socket; start "
                    "flashgated";
    input.silent_ms = 125000;
    view();
    assert_shows("NO ANSWER for 2 m 05 s; what stands below is as old. Asking again.");
    assert_string_equal(screen.lines[3].text, "         flashgated");
    assert_shows("Sale spring");
    assert_int_equal(screen.lines[1].style, FG_TOP_ALARM);
    input.now = input.before = NULL;
    view();
    assert_shows("NO ANSWER");
}

static void every_size_is_filled_and_not_overrun(void **state)
{
    (void)state;
    json_object_set_new(json_array_get(json_object_get(sale(now, 0), "items"), 0), "name",
                        json_string("靴 shoes, a very long name that fills more than its place "
                                    "has, and \033[31mred"));
    for (input.columns = 1; input.columns <= 300; input.columns += 7) {
        for (input.rows = 1; input.rows <= 210; input.rows += 9) {
            fg_top_view(&screen, &input);
            assert_int_equal(screen.rows,
                             input.rows < FG_TOP_ROWS_MAX ? input.rows : FG_TOP_ROWS_MAX);
            for (unsigned i = 0; i < screen.rows; i++) {
                assert_true(columns_of(screen.lines[i].text) <= input.columns);
                assert_null(strchr(screen.lines[i].text, '\033'));
            }
        }
    }
    input.columns = FG_TOP_COLUMNS_MIN;
    input.rows = FG_TOP_ROWS_MIN;
    view();
    assert_shows("Drops");
    assert_shows("q quit");
}

static void texts_fit_columns(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned columns;
        bool ascii;
        const char *fitted;
    } cases[] = {
        {"abc", 5, false, "abc  "},
        {"abcdef", 4, false, "abcd"},
        {"靴靴", 3, false, "靴 "},
        {"e\u0301x", 2, false, "e\u0301x"},
        {"a\033[31m", 9, false, "a?[31m   "},
        {"\xff\xc3", 3, false, "?? "},
        {"ä靴", 3, true, "?? "},
        {"\xc2\x9bx", 3, false, "?x "},
    };
    char text[64], small[4];
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_int_equal(
            fg_columns_fit(text, sizeof(text), cases[i].text, cases[i].columns, 1, cases[i].ascii),
            cases[i].columns);
        assert_string_equal(text, cases[i].fitted);
    }
    fg_columns_fit(small, sizeof(small), "a靴b", 10, 1, 0);
    assert_string_equal(small, "a  "); /* no half of a character */
}

static void spans_and_bars(void **state)
{
    (void)state;
    char text[FG_SPAN_TEXT], bar[16];
    assert_string_equal(fg_span_clock(0, text), "0:00:00");
    assert_string_equal(fg_span_clock(86399, text), "23:59:59");
    assert_string_equal(fg_span_clock(86400 * 2 + 3661, text), "2d 01:01:01");
    assert_string_equal(fg_span_rough(0.4, text), "0 s");
    assert_string_equal(fg_span_rough(59.4, text), "59 s");
    assert_string_equal(fg_span_rough(59.6, text), "1 m 00 s");
    assert_string_equal(fg_span_rough(3599, text), "59 m 59 s");
    assert_string_equal(fg_span_rough(7260, text), "2 h 01 m");
    assert_string_equal(fg_span_rough(90000, text), "1 d");
    assert_string_equal(fg_span_rough(1e300, text), "> 99 d");
    fg_bar(bar, sizeof(bar), 0, 7);
    assert_string_equal(bar, "[.....]");
    fg_bar(bar, sizeof(bar), 0.001, 7);
    assert_string_equal(bar, "[#....]");
    fg_bar(bar, sizeof(bar), 0.999, 7);
    assert_string_equal(bar, "[####.]");
    fg_bar(bar, sizeof(bar), 1, 7);
    assert_string_equal(bar, "[#####]");
    fg_bar(bar, 5, 1, 7);
    assert_string_equal(bar, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(the_screen_tells_everything_at_80_by_24),
        TEST(without_an_answer_before_there_are_no_rates),
        TEST(clocks_of_sales),
        TEST(a_sale_is_chosen),
        TEST(items_that_do_not_fit_are_scrolled),
        TEST(workers_that_do_not_fit_are_summed_up),
        TEST(a_worker_alone_hands_nothing_over),
        TEST(alarms_stand_at_the_top),
        TEST(an_engine_that_is_away_is_told_above_what_it_said_last),
        TEST(every_size_is_filled_and_not_overrun),
        cmocka_unit_test(texts_fit_columns),
        cmocka_unit_test(spans_and_bars),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
