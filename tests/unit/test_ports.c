/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames that ports have lost before a worker saw them: looked at, and told. */
#include "tests/unit/fake_engine.h"

#include <rte_ethdev.h>

#include "control/cli/cli.h"
#include "control/figures/figures.h"

/* --- drivers, in the place of DPDK's --- */

static struct rte_eth_stats stats_[2];
static int rc_[2];
static unsigned asked;

int rte_eth_stats_get(uint16_t port, struct rte_eth_stats *stats)
{
    asked++;
    assert_in_range(port, 4, 5);
    *stats = stats_[port - 4];
    return rc_[port - 4];
}

static int start_ports(void **state)
{
    int rc = start(state);
    static char *const devices[] = {"net_vhost0,iface=/run/x.sock", "0000:3b:00.0"};
    engine->config.ports_count = 2;
    for (unsigned i = 0; i < 2; i++) {
        engine->config.ports[i].device = devices[i];
        engine->ports[i].id = (uint16_t)(4 + i);
        engine->ports[i].started = true;
        stats_[i] = (struct rte_eth_stats){0};
        rc_[i] = 0;
    }
    asked = 0;
    return rc;
}

static int stop_ports(void **state)
{
    engine->config.ports_count = 0;
    return stop(state);
}

static void look(uint64_t seconds)
{
    fg_ports_look(&control->ports_seen, engine, fg_control_now_ms() + seconds * 1000);
}

static const char *warning(void)
{
    static char found[512];
    size_t i;
    json_t *one;
    found[0] = '\0';
    json_array_foreach(json_object_get(call("status", json_object()), "warnings"), i, one)
    {
        if (strncmp(json_string_value(one), "FRAMES LOST", 11) == 0)
            snprintf(found, sizeof(found), "%s", json_string_value(one));
    }
    return found;
}

static void what_grows_is_told_for_a_while(void **state)
{
    (void)state;
    uint64_t now = fg_control_now_ms();
    struct fg_ports_seen *seen = &control->ports_seen;
    control->ports_seen = (struct fg_ports_seen){0};
    look(0);
    assert_int_equal(asked, 2);
    look(0); /* once a second */
    assert_int_equal(asked, 2);
    assert_string_equal(warning(), "");
    stats_[1].imissed = 7;
    stats_[1].ierrors = 1;
    stats_[1].rx_nombuf = 2;
    seen->next_ms = 0; /* a second has passed */
    look(0);
    assert_int_equal(asked, 4);
    assert_false(fg_ports_lose(seen, 0, now + 1000));
    assert_true(fg_ports_lose(seen, 1, now + 1000));
    assert_string_equal(warning(),
                        "FRAMES LOST: port 0000:3b:00.0 loses frames before a worker sees them: 7 "
                        "missed by full queues, 1 broken, 2 without a packet buffer, since the "
                        "start");
    for (unsigned second = 2; second < 60; second++)
        look(second); /* no more of them */
    assert_true(fg_ports_lose(seen, 1, now + 59000));
    assert_false(fg_ports_lose(seen, 1, now + 70000));
}

/* What a driver does not tell is no 0. */
static void status_and_page_have_what_drivers_tell(void **state)
{
    (void)state;
    static char page[1 << 20];
    control->ports_seen = (struct fg_ports_seen){0};
    stats_[0].imissed = 12;
    rc_[1] = -ENOTSUP;
    look(0);
    const json_t *status = call("status", json_object());
    const json_t *ports = json_object_get(status, "ports");
    const json_t *first = json_array_get(ports, 0), *second = json_array_get(ports, 1);
    assert_string_equal(json_string_value(json_object_get(first, "port")), "net_vhost0");
    assert_int_equal(number(first, "missed"), 12);
    assert_int_equal(number(first, "errors"), 0);
    assert_non_null(json_object_get(first, "no_buffers"));
    assert_string_equal(json_string_value(json_object_get(second, "port")), "0000:3b:00.0");
    assert_null(json_object_get(second, "missed"));
    FILE *out = fmemopen(page, sizeof(page), "w");
    fg_show_status(status, out);
    fclose(out);
    assert_non_null(strstr(page, "has lost before a worker saw them: 12 missed by full queues, 0 "
                                 "broken, 0 without a packet buffer\n"));
    engine->config.ports[0].device = "net\"0\\,x";
    out = fmemopen(page, sizeof(page), "w");
    fg_figures_text(engine, NULL, FG_FIGURES_TEXT, out);
    fclose(out);
    assert_non_null(strstr(page, "\nflashgate_port_lost_total{port=\"net?0?\",cause=\"missed\"} "
                                 "12\n"));
    assert_null(strstr(page, "flashgate_port_lost_total{port=\"0000"));
}

/* Of each port: how it steers, in words and in rules. */
static void status_and_page_have_how_ports_steer(void **state)
{
    (void)state;
    static char page[1 << 20];
    static const char *const words[] = {"sender's queue (net_vhost)", "flow rules (net_ice)"};
    for (unsigned i = 0; i < 2; i++) {
        snprintf(engine->ports[i].steering, sizeof(engine->ports[i].steering), "%s", words[i]);
        engine->ports[i].rules.count = i * 64;
    }
    const json_t *ports = json_object_get(call("status", json_object()), "ports");
    for (unsigned i = 0; i < 2; i++) {
        const json_t *port = json_array_get(ports, i);
        assert_string_equal(json_string_value(json_object_get(port, "steering")), words[i]);
        assert_int_equal(number(port, "flow_rules"), i * 64);
    }
    FILE *out = fmemopen(page, sizeof(page), "w");
    fg_figures_text(engine, NULL, FG_FIGURES_TEXT, out);
    fclose(out);
    assert_non_null(strstr(page, "\nflashgate_port_flow_rules{port=\"net_vhost0\"} 0\n"));
    assert_non_null(strstr(page, "\nflashgate_port_flow_rules{port=\"0000:3b:00.0\"} 64\n"));
    engine->ports[1].rules.count = 0;
}

static void a_port_that_is_not_started_is_not_asked(void **state)
{
    (void)state;
    control->ports_seen = (struct fg_ports_seen){0};
    asked = 0;
    engine->ports[0].started = false;
    look(0);
    assert_int_equal(asked, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_ports, stop_ports)
    const struct CMUnitTest tests[] = {
        TEST(what_grows_is_told_for_a_while),
        TEST(status_and_page_have_what_drivers_tell),
        TEST(status_and_page_have_how_ports_steer),
        TEST(a_port_that_is_not_started_is_not_asked),
    };
    return cmocka_run_group_tests_name("ports", tests, NULL, release_reply);
}
