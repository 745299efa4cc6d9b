/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of figures, and what status and the metrics page make of it. */
#include "tests/unit/fake_engine.h"

#include "control/cli/cli.h"
#include "control/figures/figures.h"
#include "control/figures/metrics_address.h"

static char page[1 << 20];

static const char *page_of(enum fg_figures_format format)
{
    const struct fg_board *board = fg_control_board(control);
    FILE *out = fmemopen(page, sizeof(page), "w");
    assert_non_null(board);
    fg_figures_text(engine, board, format, out);
    fclose(out);
    fg_control_board_return(control, board);
    return page;
}

static void assert_says(const char *line)
{
    char whole[256];
    snprintf(whole, sizeof(whole), "\n%s\n", line);
    if (!strstr(page, whole))
        fail_msg("the page has no line \"%s\"", line);
}

/* --- the table --- */

static void names_follow_the_rules(void **state)
{
    (void)state;
    for (unsigned i = 0; i < fg_figures_count; i++) {
        const struct fg_figure *figure = &fg_figures[i];
        assert_true(figure->metric || figure->path);
        assert_true(!figure->read != !figure->gather);
        assert_non_null(figure->help);
        assert_true(!figure->parts == !figure->label);
        if (!figure->metric)
            continue;
        const char *unit = fg_figure_metric_unit(figure);
        size_t length = strlen(figure->metric), tail = strlen(unit);
        assert_memory_equal(figure->metric, "flashgate_", 10);
        if (tail > 0 && strcmp(figure->metric + length - tail, unit) != 0)
            fail_msg("%s does not end in %s", figure->metric, unit);
        assert_null(strstr(figure->metric, "_total"));
        for (unsigned j = 0; j < i; j++)
            if (fg_figures[j].metric)
                assert_string_not_equal(fg_figures[j].metric, figure->metric);
    }
}

/* The object of status at a path: of a list its first one. */
static const json_t *object_at(const json_t *status, const char *path)
{
    char word[64];
    for (const json_t *at = status;; path += *path == '.') {
        if (*path == '\0')
            return at;
        size_t length = strcspn(path, ".[");
        snprintf(word, sizeof(word), "%.*s", (int)length, path);
        at = json_object_get(at, word);
        path += length;
        if (*path == '[') {
            at = json_array_get(at, 0);
            path += 2;
        }
    }
}

static const json_t *owner_of(const json_t *status, const struct fg_figure *figure)
{
    static const char *const of_workers[] = {
        "counters", "verdicts", "gauges", "latency", "stages", "cycles_per_decision", "bursts"};
    for (unsigned i = 0; i < 7; i++)
        if (strcmp(figure->path, of_workers[i]) == 0)
            return json_object_get(json_object_get(status, "totals"), figure->path);
    return object_at(status, figure->path);
}

/* Every figure that the table says status has is there, under that name. */
static void status_has_every_figure(void **state)
{
    (void)state;
    engine->delivery = (struct fg_delivery *)engine; /* the fake's functions do not look at it */
    engine->config.ports[0].device = "net_null0";
    engine->config.ports_count = 1;
    atomic_store(&engine->port_figures[0].told, 1);
    assert_non_null(apply("name: autumn\nopens: +1h\ncloses: +2h\nitems:\n  - {id: 9, name: Cap, "
                          "stock: 3}\n"));
    json_t *status = json_incref(call("status", json_object()));
    for (unsigned i = 0; i < fg_figures_count; i++) {
        const struct fg_figure *figure = &fg_figures[i];
        if (!figure->path || strcmp(figure->path, "stock_page") == 0)
            continue;
        const json_t *owner = owner_of(status, figure);
        unsigned parts = figure->name ? 1 : figure->parts_count;
        for (unsigned p = 0; p < parts; p++) {
            const char *name = figure->name ? figure->name : figure->parts[p].name;
            if (!json_object_get(owner, name))
                fail_msg("status has no %s.%s", figure->path, name);
        }
    }
    engine->delivery = NULL;
    engine->config.ports_count = 0;
    json_decref(status);
}

static void docs_are_what_the_table_says(void **state)
{
    (void)state;
    static char written[1 << 16];
    FILE *docs = fopen("docs/metrics.md", "r");
    assert_non_null(docs);
    written[fread(written, 1, sizeof(written) - 1, docs)] = '\0';
    fclose(docs);
    FILE *out = fmemopen(page, sizeof(page), "w");
    fg_figures_describe(out);
    fclose(out);
    assert_string_equal(page, written);
}

/* --- the page --- */

static void the_page_tells_counters_by_worker_and_label(void **state)
{
    (void)state;
    fg_count_add(&engine->workers[1]->counters->count[FG_COUNTER_DROP_MAC], 5);
    fg_count_add(&engine->workers[0]->counters->verdicts[FG_VERDICT_SOLD_OUT], 7);
    fg_count_add(&engine->workers[0]->counters->count[FG_COUNTER_REQUESTS], 8);
    page_of(FG_FIGURES_TEXT);
    assert_says("flashgate_drops_total{worker=\"1\",reason=\"mac\"} 5");
    assert_says("flashgate_drops_total{worker=\"0\",reason=\"mac\"} 0");
    assert_says("flashgate_decisions_total{worker=\"0\",verdict=\"SOLD_OUT\"} 7");
    assert_says("flashgate_requests_total{worker=\"0\"} 8");
    assert_says("# TYPE flashgate_requests_total counter");
    assert_null(strstr(page, "# UNIT"));
    page_of(FG_FIGURES_OPENMETRICS);
    assert_says("flashgate_requests_total{worker=\"0\"} 8");
    assert_says("# TYPE flashgate_requests counter");
    assert_says("# UNIT flashgate_uptime_seconds seconds");
    assert_string_equal(page + strlen(page) - 6, "# EOF\n");
}

/* What a worker decides of all, and what of it came by others; nothing is no share. */
static void shares_of_workers_are_told(void **state)
{
    static const unsigned entries[] = {30, 90}, requests[] = {10, 40}, taken_over[] = {0, 10};
    static char shown[1 << 16];

    (void)state;
    page_of(FG_FIGURES_TEXT);
    assert_says("flashgate_worker_decisions_ratio{worker=\"0\"} 0.000000");
    assert_says("flashgate_worker_taken_over_ratio{worker=\"1\"} 0.000000");
    for (unsigned w = 0; w < 2; w++) {
        struct fg_counters *counters = engine->workers[w]->counters;
        fg_count_add(&counters->count[FG_COUNTER_ENTRIES], entries[w]);
        fg_count_add(&counters->count[FG_COUNTER_REQUESTS], requests[w]);
        fg_count_add(&counters->count[FG_COUNTER_TAKEN_OVER], taken_over[w]);
    }
    page_of(FG_FIGURES_TEXT);
    assert_says("flashgate_worker_decisions_ratio{worker=\"0\"} 0.250000");
    assert_says("flashgate_worker_decisions_ratio{worker=\"1\"} 0.750000");
    assert_says("flashgate_worker_taken_over_ratio{worker=\"0\"} 0.000000");
    assert_says("flashgate_worker_taken_over_ratio{worker=\"1\"} 0.250000");
    FILE *out = fmemopen(shown, sizeof(shown), "w");
    fg_show_status(call("status", json_object()), out);
    fclose(out);
    assert_non_null(strstr(shown, "   SHARE   TAKEN  "));
    assert_non_null(strstr(shown, "   25.0%    0.0%  "));
    assert_non_null(strstr(shown, "   75.0%   25.0%  "));
}

static void the_page_tells_histograms_in_seconds(void **state)
{
    (void)state;
    struct fg_histogram *parked = &engine->workers[1]->counters->latency[FG_LATENCY_PARKED];
    fg_histogram_record(parked, 1500, 2);
    fg_histogram_record(parked, UINT64_C(3000000000), 1);
    page_of(FG_FIGURES_TEXT);
    assert_says("flashgate_reply_seconds_bucket{worker=\"1\",how=\"parked\",le=\"0.000001024\"} 0");
    assert_says("flashgate_reply_seconds_bucket{worker=\"1\",how=\"parked\",le=\"0.000002048\"} 2");
    assert_says("flashgate_reply_seconds_bucket{worker=\"1\",how=\"parked\",le=\"4.294967296\"} 3");
    assert_says("flashgate_reply_seconds_bucket{worker=\"1\",how=\"parked\",le=\"+Inf\"} 3");
    assert_says("flashgate_reply_seconds_sum{worker=\"1\",how=\"parked\"} 3.000003000");
    assert_says("flashgate_reply_seconds_count{worker=\"1\",how=\"parked\"} 3");
    assert_says("flashgate_reply_seconds_count{worker=\"0\",how=\"parked\"} 0");
}

static void the_page_tells_sales_as_the_board_has_them(void **state)
{
    (void)state;
    assert_non_null(apply(SPRING SHOE(100) HAT));
    fg_control_pulse(control);
    for (unsigned tries = 0; tries < 5; tries++) {
        usleep(FG_TICK_MS * 1000);
        fg_control_pulse(control);
    }
    page_of(FG_FIGURES_TEXT);
    assert_says("flashgate_sale_state{sale=\"spring\",state=\"scheduled\"} 1");
    assert_says("flashgate_sale_state{sale=\"spring\",state=\"open\"} 0");
    assert_says("flashgate_sale_stock{sale=\"spring\"} 150");
    assert_says("flashgate_sale_available{sale=\"spring\"} 150");
    assert_says("flashgate_item_available{sale=\"spring\",item=\"7\"} 100");
    assert_says("flashgate_item_given{sale=\"spring\",item=\"8\"} 0");
    assert_non_null(of_sale("sale.open", "spring"));
    usleep(FG_TICK_MS * 1000);
    fg_control_pulse(control);
    page_of(FG_FIGURES_TEXT);
    assert_says("flashgate_sale_state{sale=\"spring\",state=\"open\"} 1");
    assert_null(strstr(page, "flashgate_stream_state{")); /* there is no Redis */
}

/* Who holds a board may go on reading it when the next one is there. */
static void a_board_lives_as_long_as_somebody_holds_it(void **state)
{
    (void)state;
    const struct fg_board *first = fg_control_board(control);
    assert_int_equal(first->sales_count, 0);
    assert_non_null(apply(SPRING SHOE(100)));
    usleep(FG_TICK_MS * 1000);
    fg_control_pulse(control);
    const struct fg_board *second = fg_control_board(control);
    assert_ptr_not_equal(first, second);
    assert_int_equal(first->sales_count, 0);
    assert_int_equal(second->sales_count, 1);
    fg_control_board_return(control, first);
    fg_control_board_return(control, second);
}

/* --- where it is listened for --- */

static void addresses_are_read_and_loopback_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int rc;
        bool loopback;
    } cases[] = {
        {"127.0.0.1:9464", 0, true}, {"127.1.2.3:1", 0, true},        {"[::1]:9464", 0, true},
        {"unix:/run/x", 0, true},    {"0.0.0.0:9464", 0, false},      {"192.0.2.1:65535", 0, false},
        {"[::]:9464", 0, false},     {"127.0.0.1", -EINVAL, 0},       {"127.0.0.1:0", -EINVAL, 0},
        {"localhost:1", -EINVAL, 0}, {"127.0.0.1:65536", -EINVAL, 0}, {"[::1:9464", -EINVAL, 0},
        {"unix:", -EINVAL, 0},       {":9464", -EINVAL, 0},           {"127.0.0.1:94 ", -EINVAL, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct fg_metrics_address address;
        assert_int_equal(fg_metrics_address_parse(cases[i].text, &address), cases[i].rc);
        if (cases[i].rc == 0)
            assert_int_equal(address.loopback, cases[i].loopback);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_follow_the_rules),
        cmocka_unit_test_setup_teardown(status_has_every_figure, start, stop),
        cmocka_unit_test(docs_are_what_the_table_says),
        cmocka_unit_test_setup_teardown(the_page_tells_counters_by_worker_and_label, start, stop),
        cmocka_unit_test_setup_teardown(shares_of_workers_are_told, start, stop),
        cmocka_unit_test_setup_teardown(the_page_tells_histograms_in_seconds, start, stop),
        cmocka_unit_test_setup_teardown(the_page_tells_sales_as_the_board_has_them, start, stop),
        cmocka_unit_test_setup_teardown(a_board_lives_as_long_as_somebody_holds_it, start, stop),
        cmocka_unit_test(addresses_are_read_and_loopback_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, release_reply);
}
