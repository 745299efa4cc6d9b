/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flow rules: what a port is asked for, that it is all or nothing, and what is told of it. The
 * engine's own start of a port, on a port that steers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/frames.h"
#include "tests/unit/steered_port.h"

enum families { IPV4 = 1, IPV6 = 2, BOTH = 3 };

static struct fg_config config;
static struct fg_port port;
static struct rte_mempool *pool;
static char message[768];

/* The port is opened; what else it is to be like, the test sets; then the engine starts it. */
static void open_port(unsigned queues, unsigned workers, unsigned families)
{
    steered_open(queues);
    config = steered_config(workers, steered.name);
    if (families & IPV4)
        config.ports[0].address = fg_ip_of_v4(ENGINE_IP);
    config.ports[0].prefix_bits = 96 + 24;
    if (families & IPV6)
        config.ports[0].address6 = ENGINE_IP6;
    config.ports[0].prefix6_bits = 64;
}

static void start_port(void)
{
    struct rte_mempool *pools[STEERED_QUEUES_MAX];

    for (unsigned q = 0; q < STEERED_QUEUES_MAX; q++)
        pools[q] = pool;
    port = (struct fg_port){0};
    assert_int_equal(fg_port_start(&port, &config, 0, pools, message, sizeof(message)), 0);
}

static void stop_port(void)
{
    fg_port_stop(&port);
    assert_int_equal(steered.alive, 0);
    assert_false(steered.late);
    steered_close();
}

/* The queue of the rule that a datagram has; -1: there is none. */
static int queue_at(bool ipv6, bool to_us, uint32_t udp_port)
{
    uint8_t at[16] = {0};

    if (ipv6)
        put_ip6(at, to_us ? ENGINE_IP6 : CLIENT_IP6);
    else
        put32(at, to_us ? ENGINE_IP : CLIENT_IP);
    const struct steered_rule *rule = steered_rule_for(ipv6, at, (uint16_t)udp_port);
    return rule ? (int)rule->queue : -1;
}

/* Every UDP port of the engine's has the queue of its partition's owner, and no other one any. */
static void check_rules(unsigned families)
{
    unsigned owner;

    for (unsigned six = 0; six < 2; six++) {
        bool served = families & (six ? IPV6 : IPV4);
        for (uint32_t at = 0; at <= UINT16_MAX; at++) {
            int wanted = -1;
            if (served && at >= config.base_port && at < config.base_port + config.partitions) {
                owner = (at - config.base_port) % config.workers;
                wanted = (int)(owner < steered.queues ? owner : owner % steered.queues);
            }
            if (queue_at(six, true, at) != wanted)
                fail_msg("UDP port %u: queue %d, wanted %d", at, queue_at(six, true, at), wanted);
        }
        for (uint32_t p = 0; p < config.partitions; p++)
            assert_int_equal(queue_at(six, false, config.base_port + p), -1);
    }
    for (unsigned i = 0; i < steered.made; i++) {
        const struct rte_flow_attr *attributes = &steered.rules[i].attributes;
        assert_true(attributes->ingress);
        assert_false(attributes->egress || attributes->transfer || attributes->group ||
                     attributes->priority);
    }
}

/* All were destroyed once, the last one first. */
static void check_destroyed(void)
{
    assert_int_equal(steered.destroyed, steered.made);
    for (unsigned i = 0; i < steered.made; i++)
        assert_int_equal(steered.rules[i].destroyed, steered.made - i);
}

static void rules_name_the_owner_of_each_partition(void **state)
{
    static const struct {
        unsigned queues;
        bool bits; /* the port looks at some bits of a UDP port */
        unsigned rules;
    } cases[] = {{1, true, 0},  {2, true, 2},   {3, true, 64},  {4, true, 4},  {7, true, 64},
                 {1, false, 0}, {2, false, 64}, {3, false, 64}, {4, false, 64}};

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (unsigned families = IPV4; families <= BOTH; families++) {
            unsigned rules = cases[i].rules * (families == BOTH ? 2 : 1);
            open_port(cases[i].queues, cases[i].queues, families);
            steered.refuse_bits = !cases[i].bits;
            start_port();
            assert_int_equal(port.queues, cases[i].queues);
            assert_int_equal(port.rules.count, rules);
            assert_int_equal(steered.alive, rules);
            if (rules > 0)
                check_rules(families);
            assert_int_equal(steered.destroyed, 0);
            stop_port();
            check_destroyed();
        }
    }
}

/* Who has no queue shares another worker's, evenly. */
static void fewer_queues_than_workers_are_shared(void **state)
{
    static const unsigned pairs[][2] = {{2, 3}, {2, 4}, {3, 4}, {4, 7}, {3, 8}};

    (void)state;
    for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        open_port(pairs[i][0], pairs[i][1], BOTH);
        start_port();
        assert_int_equal(port.queues, pairs[i][0]);
        assert_true(port.reply_by_receiver);
        assert_true(port.rules.count > 0);
        check_rules(BOTH);
        stop_port();
    }
    /* A worker alone, or a port with one queue, needs none; nobody asks. */
    for (unsigned one = 0; one < 2; one++) {
        open_port(one ? 4 : 1, one ? 1 : 4, BOTH);
        start_port();
        assert_int_equal(steered.asked, 0);
        assert_string_equal(port.steering,
                            one ? "one queue (net_ring)" : "one queue + hand-over (net_ring)");
        stop_port();
    }
}

/* Whichever rule is refused, none is left, and the port serves as one that cannot steer. */
static void a_refused_rule_leaves_none(void **state)
{
    static const unsigned queues[] = {2, 3, 4, 7};

    (void)state;
    for (unsigned i = 0; i < sizeof(queues) / sizeof(queues[0]); i++) {
        bool by_bits = (queues[i] & (queues[i] - 1)) == 0;
        for (unsigned room = 0; room <= 128; room++) {
            unsigned needed = by_bits ? 2 * queues[i] : 128;
            open_port(queues[i], queues[i], BOTH);
            steered.room = room;
            start_port();
            bool steers = room >= needed;
            assert_int_equal(steered.alive, steers ? needed : 0);
            assert_int_equal(port.rules.count, steered.alive);
            if (!steers) {
                snprintf(message, sizeof(message),
                         "driver's choice + hand-over (net_ring: it refused flow rule %u of 128: "
                         "the table is full)",
                         room + 1);
                assert_string_equal(port.steering, message);
                assert_null(port.rules.made);
                assert_int_equal(steered.destroyed, steered.made);
            }
            assert_true(port.started);
            stop_port();
        }
    }
}

/* By the last bits it may be refused at any rule: then there is one for each UDP port, and nothing
 * of the first. */
static void whole_ports_are_the_second_try(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 8; n++) {
        open_port(4, 4, BOTH);
        steered.refuse_ask = n;
        start_port();
        assert_int_equal(port.rules.count, 128);
        assert_int_equal(steered.alive, 128);
        assert_int_equal(steered.destroyed, n - 1);
        for (unsigned i = 0; i < steered.made; i++)
            assert_int_equal(steered.rules[i].port_mask == UINT16_MAX, steered.rules[i].alive);
        check_rules(BOTH);
        stop_port();
    }
}

static void what_is_in_force_is_told_and_why(void **state)
{
    (void)state;
    open_port(4, 4, BOTH);
    start_port();
    assert_string_equal(port.steering, "flow rules, else driver's choice + hand-over (net_ring: 4 "
                                       "for each of IPv4 and IPv6)");
    fg_port_describe(&port, &config.ports[0], message, sizeof(message));
    assert_non_null(strstr(message, "4 queue pairs, steering: flow rules, else driver's choice"));
    stop_port();
    open_port(3, 3, IPV4);
    start_port();
    assert_non_null(strstr(port.steering, "(net_ring: 64 for IPv4)"));
    stop_port();
    open_port(2, 2, IPV6);
    start_port();
    assert_non_null(strstr(port.steering, "(net_ring: 2 for IPv6)"));
    stop_port();
    open_port(2, 2, IPV6);
    steered.no_flow = true;
    start_port();
    assert_string_equal(port.steering, "driver's choice + hand-over (net_ring: no flow rules)");
    stop_port();
}

/* A driver that does not take its rules back one by one, and one that does not at all. */
static void a_driver_that_keeps_its_rules(void **state)
{
    (void)state;
    for (unsigned all = 0; all < 2; all++) {
        open_port(3, 3, IPV4);
        steered.room = 5;
        steered.keeps = true;
        steered.keeps_all = all;
        start_port();
        assert_int_equal(port.rules.count, 0);
        assert_int_equal(steered.alive, all ? 5 : 0);
        assert_int_equal(steered.flushes, 1);
        assert_int_equal(strstr(port.steering, "; it keeps 5 that it made") != NULL, all);
        steered.keeps_all = false;
        steered_flush(NULL, NULL);
        stop_port();
    }
    open_port(3, 3, IPV4); /* at its end */
    steered.keeps = true;
    start_port();
    assert_int_equal(steered.alive, 64);
    stop_port();
    assert_int_equal(steered.flushes, 1);
}

static int start(void **state)
{
    steered_eal_start(state);
    config = steered_config(1, NULL);
    pool = fg_port_pool_create(&config, 0, 0, message, sizeof(message));
    assert_non_null(pool);
    return 0;
}

static int stop(void **state)
{
    rte_mempool_free(pool);
    return steered_eal_stop(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_name_the_owner_of_each_partition),
        cmocka_unit_test(fewer_queues_than_workers_are_shared),
        cmocka_unit_test(a_refused_rule_leaves_none),
        cmocka_unit_test(whole_ports_are_the_second_try),
        cmocka_unit_test(what_is_in_force_is_told_and_why),
        cmocka_unit_test(a_driver_that_keeps_its_rules),
    };
    return cmocka_run_group_tests_name("steering", tests, start, stop);
}
