/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flow rules under traffic: real workers on a port that steers. A client that sends where PONG
 * tells it reaches the owner's queue, and nothing is handed over; where there are no rules, or the
 * port steers wrongly, or the client takes any port, everything is answered all the same, by
 * hand-over.
 */
#include <pthread.h>
#include <urcu-qsbr.h>

#include "dataplane/engine.h"
#include "dataplane/workers.h"
#include "tests/unit/frames.h"
#include "tests/unit/shop.h"
#include "tests/unit/steered_port.h"
#include "tests/unit/tsc.h"

#define MS     UINT64_C(1000000)
#define ORDERS 96
#define CHUNK  32 /* under way at once: lanes and parking have room for them */

static struct shop shop;
static struct fg_engine engine;
static pthread_t threads[SHOP_WORKERS_MAX];
static char message[512];
static unsigned mbufs_before;

/* --- the engine --- */

static void *work(void *arg)
{
    fg_worker_main(arg);
    return NULL;
}

/* As control and the journal do, meanwhile. */
static void pass_a_moment(void)
{
    nanosleep(&(struct timespec){.tv_nsec = MS / 20}, NULL);
    fg_clock_page_update(&engine.clock);
    shop_flush(&shop);
}

/* The condition comes true before long. */
#define await(condition)                                                                           \
    for (uint64_t end_ = fg_clock_ns(CLOCK_MONOTONIC) + 60000 * MS; !(condition);) {               \
        pass_a_moment();                                                                           \
        if (fg_clock_ns(CLOCK_MONOTONIC) > end_)                                                   \
            fail_msg("this never came: %s", #condition);                                           \
    }

static uint64_t sum(enum fg_counter which)
{
    uint64_t sum = 0;

    for (unsigned w = 0; w < engine.config.workers; w++)
        sum += fg_count_read(&shop.counters[w].count[which]);
    return sum;
}

static unsigned free_mbufs(void)
{
    unsigned count = 0;

    for (unsigned w = 0; w < engine.config.workers; w++)
        count += rte_mempool_avail_count(engine.workers[w]->pool);
    return count;
}

static bool running(void)
{
    for (unsigned w = 0; w < engine.config.workers; w++)
        if (atomic_load(&engine.workers[w]->state) != FG_WORKER_RUNNING)
            return false;
    return true;
}

/* The port is open, and is as the test wants it. */
static void start(unsigned workers)
{
    static uint64_t hz;
    struct rte_mempool *pools[SHOP_WORKERS_MAX];
    struct fg_counters *counters[SHOP_WORKERS_MAX];

    hz = hz ? hz : tsc_hz(20);
    shop_open(&shop, workers, 1000);
    engine = (struct fg_engine){.config = steered_config(workers, steered.name)};
    struct fg_port_config *wanted = &engine.config.ports[0];
    wanted->address = fg_ip_of_v4(ENGINE_IP);
    wanted->prefix_bits = 96 + 24;
    wanted->address6 = ENGINE_IP6;
    wanted->prefix6_bits = 64;
    engine.config.base_port = 40000; /* the shop's */
    engine.config.partitions = SHOP_PARTITIONS;
    engine.catalogue = &shop.catalogue;
    fg_clock_page_init(&engine.clock, hz);
    for (unsigned w = 0; w < workers; w++)
        counters[w] = &shop.counters[w];
    assert_int_equal(fg_workers_make(&engine, shop.admissions, counters, message, sizeof(message)),
                     FG_EXIT_OK);
    for (unsigned w = 0; w < workers; w++)
        pools[w] = engine.workers[w]->pool;
    assert_int_equal(
        fg_port_start(&engine.ports[0], &engine.config, 0, pools, message, sizeof(message)), 0);
    engine.ports[0].address.mac = engine_address.mac; /* the rings have none of their own */
    mbufs_before = free_mbufs();
    for (unsigned w = 0; w < workers; w++)
        assert_int_equal(pthread_create(&threads[w], NULL, work, engine.workers[w]), 0);
    await(running());
}

/* Nothing is left anywhere: each buffer is back. */
static void stop(void)
{
    atomic_store(&engine.stop, FG_STOP_NOW);
    for (unsigned w = 0; w < engine.config.workers; w++)
        pthread_join(threads[w], NULL);
    assert_int_equal(sum(FG_COUNTER_HANDED_OVER), sum(FG_COUNTER_TAKEN_OVER));
    assert_int_equal(free_mbufs(), mbufs_before);
    fg_port_stop(&engine.ports[0]);
    assert_int_equal(steered.alive, 0);
    fg_workers_free(&engine);
    steered_close();
    shop_close(&shop);
}

/* --- a client --- */

/* A frame comes in; returns the queue it comes to. */
static unsigned come_in(const struct built *built)
{
    struct rte_mbuf *frame = rte_pktmbuf_alloc(engine.workers[0]->pool);

    assert_non_null(frame);
    memcpy(rte_pktmbuf_append(frame, (uint16_t)built->length), built->bytes, built->length);
    return steered_put(frame);
}

/* A datagram of one request, from one UDP port to another. */
static unsigned ask(const struct fg_request *request, bool ipv6, uint16_t from, uint16_t to)
{
    uint8_t payload[FG_REQUEST_BYTES(1)];

    shop.last_time_ns = fg_clock_ns(CLOCK_REALTIME);
    uint32_t length = shop_datagram(&shop, payload, request, 1);
    struct built built = ipv6 ? build_udp6(length, -1) : build_udp(length, -1);
    uint8_t *udp = built.bytes + built.l3 + (ipv6 ? 40 : 20);
    put16(udp, from);
    put16(udp + 2, to);
    memcpy(udp + 8, payload, length);
    if (ipv6)
        fix6(&built, 6);
    else
        fix_udp_checksum(&built);
    return come_in(&built);
}

/* Waits for a frame that leaves. */
static struct rte_mbuf *answer(void)
{
    struct rte_mbuf *frame = NULL;

    await((frame = steered_take()) != NULL);
    return frame;
}

static struct fg_reply reply(void)
{
    struct rte_mbuf *frame = answer();
    const uint8_t *bytes = rte_pktmbuf_mtod(frame, const uint8_t *);
    struct fg_reply reply = shop_reply(bytes + 14 + (bytes[12] == 0x86 ? 40 : 20) + 8, 0);

    rte_pktmbuf_free(frame);
    return reply;
}

/* What a client learns first. */
struct pong {
    uint32_t partitions;
    uint16_t base;
};

static struct pong ping(uint16_t to)
{
    struct fg_request request = {.op = FG_OP_PING, .request = 1};

    ask(&request, false, CLIENT_PORT, to);
    struct fg_reply told = reply();
    assert_verdict(told, PONG, 0);
    assert_int_equal(told.wait_ms, engine.config.workers);
    return (struct pong){told.item, told.quantity};
}

enum sender { AS_TOLD, BY_ANY_PORT };

/* Orders of as many buyers, over both families, from changing ports; each is admitted. Returns how
 * many came to a queue that is not their buyer's owner's. */
static unsigned trade(enum sender sender)
{
    struct pong pong = ping(40000 + 63);
    unsigned elsewhere = 0;

    for (unsigned first = 0; first < ORDERS; first += CHUNK) {
        bool answered[CHUNK] = {false};
        for (unsigned i = 0; i < CHUNK; i++) {
            struct fg_request order =
                shop_request(&shop, (first + i) % engine.config.workers, FG_OP_ORDER, first + i,
                             first + i + 1, ITEM_PLAIN, 1);
            uint32_t partition = fg_partition(order.buyer, pong.partitions);
            uint32_t chosen = sender == AS_TOLD ? partition : (first + i) * 7 % pong.partitions;
            unsigned queue = ask(&order, i % 2, (uint16_t)(CLIENT_PORT + first + i),
                                 (uint16_t)(pong.base + chosen));
            elsewhere += queue != partition % engine.config.workers;
        }
        for (unsigned i = 0; i < CHUNK; i++) {
            struct fg_reply told = reply();
            assert_verdict(told, ADMITTED, 0);
            assert_in_range(told.request, first + 1, first + CHUNK);
            assert_false(answered[told.request - first - 1]);
            answered[told.request - first - 1] = true;
        }
    }
    assert_null(steered_take());
    return elsewhere;
}

/* What no rule is for still comes in. */
static void neighbours(void)
{
    static const enum fg_counter counted[] = {FG_COUNTER_TX_ARP, FG_COUNTER_TX_NEIGHBOUR,
                                              FG_COUNTER_TX_ICMP_ECHO};
    struct built arp = build_arp(CLIENT_IP, ENGINE_IP, -1),
                 solicitation = build_solicitation(TO_GROUP, true, -1), echo = build_echo(32),
                 echo6 = build_echo6(32);

    come_in(&arp);
    come_in(&solicitation);
    come_in(&echo);
    come_in(&echo6);
    for (unsigned i = 0; i < 4; i++)
        rte_pktmbuf_free(answer());
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(sum(counted[i]), i == 2 ? 2 : 1);
}

/* --- tests --- */

/* A test with as many queues as workers, for powers of two and other numbers. */
static void with_some_workers(void (*test)(unsigned workers))
{
    static const unsigned counts[] = {2, 3, 4, 7};

    for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        test(counts[i]);
}

static void trade_where_the_port_steers(unsigned workers)
{
    steered_open(workers);
    start(workers);
    assert_true(engine.ports[0].rules.count > 0);
    assert_int_equal(trade(AS_TOLD), 0);
    assert_int_equal(sum(FG_COUNTER_HANDED_OVER), 0);
    neighbours();
    assert_int_equal(sum(FG_COUNTER_HANDED_OVER), 0);
    stop();
}

static void nothing_is_handed_over_where_the_port_steers(void **state)
{
    (void)state;
    with_some_workers(trade_where_the_port_steers);
}

/* Rules that are refused, or that a driver has not: as without any. */
static void trade_without_rules(unsigned workers)
{
    for (unsigned refused = 0; refused < 2; refused++) {
        steered_open(workers);
        steered.no_flow = !refused;
        steered.room = refused;
        start(workers);
        assert_int_equal(engine.ports[0].rules.count, 0);
        unsigned elsewhere = trade(AS_TOLD);
        assert_in_range(elsewhere, 1, ORDERS);
        assert_int_equal(sum(FG_COUNTER_HANDED_OVER), elsewhere);
        neighbours();
        stop();
    }
}

static void hand_over_works_without_rules(void **state)
{
    (void)state;
    with_some_workers(trade_without_rules);
}

/* Every datagram comes to a queue that it does not belong to. */
static void trade_where_the_port_steers_wrongly(unsigned workers)
{
    steered_open(workers);
    steered.wrong = true;
    start(workers);
    assert_true(engine.ports[0].rules.count > 0);
    assert_int_equal(trade(AS_TOLD), ORDERS);
    assert_int_equal(sum(FG_COUNTER_HANDED_OVER), ORDERS);
    neighbours();
    stop();
}

static void a_port_may_steer_wrongly(void **state)
{
    (void)state;
    with_some_workers(trade_where_the_port_steers_wrongly);
}

static void a_client_may_take_any_port(void **state)
{
    (void)state;
    steered_open(4);
    start(4);
    unsigned elsewhere = trade(BY_ANY_PORT);
    assert_in_range(elsewhere, 1, ORDERS);
    assert_int_equal(sum(FG_COUNTER_HANDED_OVER), elsewhere);
    stop();
}

/* Workers without a queue get theirs from the one that has it, and nobody else hands over. */
static void workers_without_a_queue(void **state)
{
    (void)state;
    steered_open(2);
    start(4);
    unsigned elsewhere = trade(AS_TOLD);
    assert_int_equal(elsewhere, ORDERS / 2);
    assert_int_equal(sum(FG_COUNTER_HANDED_OVER), elsewhere);
    for (unsigned w = 0; w < 2; w++)
        assert_int_equal(fg_count_read(&shop.counters[w].count[FG_COUNTER_TAKEN_OVER]), 0);
    neighbours();
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_handed_over_where_the_port_steers),
        cmocka_unit_test(hand_over_works_without_rules),
        cmocka_unit_test(a_port_may_steer_wrongly),
        cmocka_unit_test(a_client_may_take_any_port),
        cmocka_unit_test(workers_without_a_queue),
    };
    rcu_register_thread();
    rcu_thread_offline();
    int failed = cmocka_run_group_tests_name("steering under traffic", tests, steered_eal_start,
                                             steered_eal_stop);
    rcu_unregister_thread();
    return failed;
}
