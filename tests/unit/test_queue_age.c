/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Deadlines in the engine's queues: two real workers and a port made of two functions. The one that
 * receives hands over to the one that owns the buyers, which is kept off its core meanwhile.
 */
#include <pthread.h>
#include <rte_ring.h>
#include <signal.h>
#include <urcu-qsbr.h>

#include "dataplane/loop.h"
#include "tests/unit/mbufs.h"
#include "tests/unit/shop.h"
#include "tests/unit/tsc.h"

#define MS      UINT64_C(1000000)
#define WORKERS 2
#define FRAMES  20

static struct shop shop;
static struct fg_engine engine;
static struct fg_worker workers[WORKERS];
static pthread_t threads[WORKERS];

/* --- A port: what the test has sent comes in, what goes out is kept --- */

static struct own_mbuf frames[FRAMES];
static struct rte_mbuf *sent[FRAMES], *answered[FRAMES];
static _Atomic unsigned sent_count, received_count, answered_count;

static uint16_t receive(void *queue, struct rte_mbuf **to, uint16_t max)
{
    unsigned n = 0, at = atomic_load(&received_count);

    (void)queue;
    while (n < max && at < atomic_load(&sent_count))
        to[n++] = sent[at++];
    atomic_store(&received_count, at);
    return (uint16_t)n;
}

static uint16_t transmit(void *queue, struct rte_mbuf **from, uint16_t count)
{
    (void)queue;
    for (uint16_t i = 0; i < count; i++)
        answered[atomic_load(&answered_count) + i] = from[i];
    atomic_fetch_add(&answered_count, count);
    return count;
}

static void make_port(void)
{
    static void *queues[WORKERS], *callbacks[WORKERS];

    engine.ports[0] = (struct fg_port){
        .id = 0, .queues = 1, .address = engine_address, .reply_by_receiver = true};
    rte_eth_fp_ops[0].rx_pkt_burst = receive;
    rte_eth_fp_ops[0].tx_pkt_burst = transmit;
    rte_eth_fp_ops[0].rxq.data = rte_eth_fp_ops[0].txq.data = queues;
    rte_eth_fp_ops[0].rxq.clbk = rte_eth_fp_ops[0].txq.clbk = (void *)callbacks;
    atomic_store(&sent_count, 0);
    atomic_store(&received_count, 0);
    atomic_store(&answered_count, 0);
}

/* A datagram of worker 1's comes in: ops of buyer `number`, with its requests 1, 2 ... */
static void come_in(uint32_t number, const uint8_t *ops, unsigned count)
{
    struct fg_request asks[4];
    uint8_t payload[FG_REQUEST_BYTES(4)];

    for (unsigned i = 0; i < count; i++)
        asks[i] = shop_request(&shop, 1, ops[i], number, i + 1, ITEM_PLAIN, 1);
    shop.last_time_ns = fg_clock_ns(CLOCK_REALTIME);
    uint32_t length = shop_datagram(&shop, payload, asks, count);
    struct built built = build_udp(length, -1);
    memcpy(built.bytes + built.l3 + 28, payload, length);
    fix_udp_checksum(&built);
    unsigned place = atomic_load(&sent_count);
    sent[place] = own_mbuf_fill(&frames[place], &built, engine.ports[0].id);
    atomic_fetch_add(&sent_count, 1);
}

/* The verdict of an entry of the answer to the datagram that came in as this one. */
static struct fg_reply reply_to(unsigned place, unsigned entry)
{
    for (unsigned i = 0; i < atomic_load(&answered_count); i++)
        if (answered[i] == &frames[place].mbuf)
            return shop_reply(rte_pktmbuf_mtod_offset(answered[i], uint8_t *, 14 + 28), entry);
    fail_msg("datagram %u was not answered", place);
    return (struct fg_reply){0};
}

/* --- The workers --- */

static _Atomic bool stalled, stall_over;

static void stay_away(int signal)
{
    (void)signal;
    atomic_store(&stalled, true);
    while (!atomic_load(&stall_over))
        nanosleep(&(struct timespec){.tv_nsec = MS / 10}, NULL);
}

static struct rte_ring *ring_create(void)
{
    struct rte_ring *ring = aligned_alloc(128, 4096);
    assert_non_null(ring);
    assert_int_equal(rte_ring_init(ring, "t", 64, RING_F_SP_ENQ | RING_F_SC_DEQ), 0);
    return ring;
}

static void *work(void *arg)
{
    fg_worker_main(arg);
    return NULL;
}

/* As control and the journal do, meanwhile. */
static void pass_a_moment(void)
{
    nanosleep(&(struct timespec){.tv_nsec = MS / 10}, NULL);
    fg_clock_page_update(&engine.clock);
    shop_flush(&shop);
}

static uint64_t count(unsigned w, enum fg_counter which)
{
    return fg_count_read(&shop.counters[w].count[which]);
}

/* The condition comes true before long. */
#define await(condition)                                                                           \
    for (uint64_t end_ = fg_clock_ns(CLOCK_MONOTONIC) + 60000 * MS; !(condition);) {               \
        pass_a_moment();                                                                           \
        if (fg_clock_ns(CLOCK_MONOTONIC) > end_)                                                   \
            fail_msg("this never came: %s", #condition);                                           \
    }

static void start(uint32_t queue_age_ms)
{
    shop_open(&shop, WORKERS, 10);
    engine.config.workers = WORKERS;
    engine.config.partitions = SHOP_PARTITIONS;
    engine.config.ports_count = 1;
    engine.config.queue_age_ms = queue_age_ms;
    engine.config.idle = FG_IDLE_YIELD;
    fg_clock_page_init(&engine.clock, tsc_hz(20));
    engine.catalogue = &shop.catalogue;
    atomic_store(&engine.stop, FG_RUN);
    make_port();
    for (unsigned w = 0; w < WORKERS; w++) {
        workers[w] = (struct fg_worker){.engine = &engine,
                                        .index = w,
                                        .admission = shop.admissions[w],
                                        .commands = ring_create(),
                                        .results = ring_create(),
                                        .keys = fg_key_watch_create(),
                                        .counters = &shop.counters[w]};
        workers[w].handover[1 - w] = ring_create();
        workers[w].replies[1 - w] = ring_create();
        engine.workers[w] = &workers[w];
    }
    for (unsigned w = 0; w < WORKERS; w++)
        assert_int_equal(pthread_create(&threads[w], NULL, work, &workers[w]), 0);
    for (unsigned w = 0; w < WORKERS; w++)
        await(atomic_load(&workers[w].state) == FG_WORKER_RUNNING);
}

static uint64_t stage(unsigned w, enum fg_stage which)
{
    return fg_count_read(&shop.counters[w].stages[which]);
}

/* The stages of a worker that has ended are all of its busy cycles. */
static void stages_leave_nothing_out(unsigned w)
{
    uint64_t sum = 0, busy = fg_count_read(&shop.counters[w].busy_cycles);

    for (unsigned s = 0; s < FG_STAGE_COUNT; s++)
        sum += stage(w, (enum fg_stage)s);
    assert_true(busy > 0);
    assert_int_equal(sum, busy);
}

static void stop(void)
{
    atomic_store(&engine.stop, FG_STOP_NOW);
    for (unsigned w = 0; w < WORKERS; w++) {
        pthread_join(threads[w], NULL);
        stages_leave_nothing_out(w);
        free(workers[w].commands);
        free(workers[w].results);
        free(workers[w].keys);
        free(workers[w].handover[1 - w]);
        free(workers[w].replies[1 - w]);
    }
    shop_close(&shop);
}

/* A worker goes off its core ... */
static void stall(unsigned w)
{
    struct sigaction action = {.sa_handler = stay_away};

    atomic_store(&stalled, false);
    atomic_store(&stall_over, false);
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    assert_int_equal(pthread_kill(threads[w], SIGUSR1), 0);
    await(atomic_load(&stalled));
}

/* ... and, worker 1, comes back when what was handed over to it has waited for so long. */
static void come_back(unsigned handed_over, uint64_t ms)
{
    await(count(0, FG_COUNTER_HANDED_OVER) == handed_over);
    uint64_t end_ns = fg_clock_ns(CLOCK_MONOTONIC) + ms * MS;
    await(fg_clock_ns(CLOCK_MONOTONIC) > end_ns);
    atomic_store(&stall_over, true);
}

/* --- tests --- */

static void stamps_on_both_sides_of_the_edge(void **state)
{
    (void)state;
    const uint64_t last = TAG_ARRIVED_MASK;
    assert_int_equal(ticks_since(1000, 1000), 0);
    assert_int_equal(ticks_since(1000, 1001), 1);
    assert_int_equal(ticks_since(1001, 1000), 0); /* another core's, a little ahead */
    assert_int_equal(ticks_since(last, 0), 1);    /* stamps come round */
    assert_int_equal(ticks_since(last - 9, (last + 1) | UINT64_C(5) << 50), 10);
    assert_int_equal(ticks_since(0, last), 0);
    assert_int_equal(ticks_since(0, last / 2), last / 2);
    assert_int_equal(ticks_since(0, last / 2 + 1), 0);
    for (uint64_t arrived = last - 5000; arrived < last; arrived += 1000) {
        assert_false(waited_longer(arrived, arrived, 4000));
        assert_false(waited_longer(arrived, (arrived + 4000) & last, 4000));
        assert_true(waited_longer(arrived, (arrived + 4001) & last, 4000));
        assert_true(waited_longer(arrived, arrived + 4001, 4000)); /* the whole TSC */
        assert_false(waited_longer(arrived, arrived - 4001, 4000));
    }
}

static void only_orders_are_refused(void **state)
{
    (void)state;
    for (unsigned op = 0; op < 8; op++) {
        struct fg_request asks[3] = {
            {.op = FG_OP_CONFIRM}, {.op = FG_OP_QUERY}, {.op = (uint8_t)op}};
        uint8_t payload[FG_REQUEST_BYTES(3)];
        shop.ring.keys[0].id = 7;
        shop_datagram(&shop, payload, asks, 3);
        assert_int_equal(fg_payload_orders(payload), op == FG_OP_ORDER);
    }
}

static void send_three(void)
{
    come_in(1, (const uint8_t[]){FG_OP_ORDER}, 1);
    come_in(2, (const uint8_t[]){FG_OP_QUERY, FG_OP_CANCEL}, 2);
    come_in(3, (const uint8_t[]){FG_OP_QUERY, FG_OP_ORDER}, 2);
}

/* Its owner stood still for longer than the limit: orders are BUSY, and were not decided. */
static void what_waited_too_long_is_refused(void **state)
{
    (void)state;
    start(5);
    stall(1);
    send_three();
    come_back(3, 6);
    await(atomic_load(&answered_count) == 3);
    struct fg_reply reply = reply_to(0, 0);
    assert_verdict(reply, BUSY, 0);
    assert_in_range(reply.wait_ms, 20, 25);
    assert_int_equal(reply.request, 1);
    assert_verdict(reply_to(1, 0), NOT_FOUND, 0);
    assert_verdict(reply_to(1, 1), CANCELLED, 0);
    assert_verdict(reply_to(2, 0), BUSY, 0);
    assert_verdict(reply_to(2, 1), BUSY, 0);
    assert_int_equal(count(1, FG_COUNTER_QUEUE_AGED), 2);
    assert_int_equal(count(0, FG_COUNTER_QUEUE_AGED), 0);
    assert_int_equal(count(1, FG_COUNTER_REQUESTS), 1);
    assert_true(count(1, FG_COUNTER_LATE_LOOPS) >= 1);
    /* nothing about them is changed: there is no such order */
    come_in(1, (const uint8_t[]){FG_OP_QUERY}, 1);
    await(atomic_load(&answered_count) == 4);
    assert_verdict(reply_to(3, 0), NOT_FOUND, 0);
    stop();
}

/* Below the limit, and without one, they are decided, however long that took. */
static void what_did_not_is_decided(void **state)
{
    (void)state;
    for (int limit_ms = 60000; limit_ms >= 0; limit_ms -= 60000) {
        start((uint32_t)limit_ms);
        stall(1);
        send_three();
        come_back(3, 6);
        await(atomic_load(&answered_count) == 3);
        assert_verdict(reply_to(0, 0), ADMITTED, 0);
        assert_verdict(reply_to(1, 0), NOT_FOUND, 0);
        assert_verdict(reply_to(2, 0), NOT_FOUND, 0);
        assert_verdict(reply_to(2, 1), ADMITTED, 0);
        assert_int_equal(count(1, FG_COUNTER_QUEUE_AGED), 0);
        assert_int_equal(count(1, FG_COUNTER_LATE_LOOPS), 0);
        stop();
    }
}

/* Worker 0 receives, checks and sends; worker 1 decides, signs and settles. */
static void stages_are_told_apart(void **state)
{
    static const enum fg_stage received[] = {
        FG_STAGE_RECEIVE,   FG_STAGE_PARSE, FG_STAGE_CHECK, FG_STAGE_AUTHENTICATE,
        FG_STAGE_HAND_OVER, FG_STAGE_SEND,  FG_STAGE_OTHER};
    static const enum fg_stage decided[] = {FG_STAGE_HAND_OVER, FG_STAGE_DECIDE, FG_STAGE_SIGN,
                                            FG_STAGE_SETTLE};
    (void)state;
    start(0);
    send_three();
    await(atomic_load(&answered_count) == 3);
    stop();
    for (unsigned i = 0; i < sizeof(received) / sizeof(received[0]); i++)
        assert_true(stage(0, received[i]) > 0);
    for (unsigned i = 0; i < sizeof(decided) / sizeof(decided[0]); i++)
        assert_true(stage(1, decided[i]) > 0);
    /* what the other one does */
    assert_int_equal(stage(0, FG_STAGE_DECIDE), 0);
    for (unsigned i = FG_STAGE_PARSE; i <= FG_STAGE_AUTHENTICATE; i++)
        assert_int_equal(stage(1, (enum fg_stage)i), 0);
    uint64_t bursts = 0, least = 0;
    for (unsigned i = 0; i < FG_FILL_COUNT; i++) {
        bursts += fg_count_read(&shop.counters[0].bursts[i]);
        least += fg_count_read(&shop.counters[0].bursts[i]) << i;
    }
    assert_in_range(bursts, 1, 3);
    assert_in_range(least, 2, 3); /* one of three counts as one of two */
}

static void bursts_by_how_full_they_are(void **state)
{
    (void)state;
    assert_int_equal(fg_fill_of(1), FG_FILL_1);
    assert_int_equal(fg_fill_of(2), FG_FILL_2);
    assert_int_equal(fg_fill_of(3), FG_FILL_2);
    assert_int_equal(fg_fill_of(31), FG_FILL_16);
    assert_int_equal(fg_fill_of(32), FG_FILL_32);
    assert_int_equal(fg_fill_of(63), FG_FILL_32);
    assert_int_equal(fg_fill_of(FG_BURST), FG_FILL_64);
}

/* What has gathered is one burst, however few frames are asked for first. */
static void what_has_gathered_is_taken_at_once(void **state)
{
    static const uint8_t order[] = {FG_OP_ORDER};
    (void)state;
    start(0);
    stall(0);
    for (uint32_t buyer = 0; buyer < 20; buyer++)
        come_in(buyer, order, 1);
    atomic_store(&stall_over, true);
    await(atomic_load(&answered_count) == 20);
    stop();
    for (unsigned i = 0; i < FG_FILL_COUNT; i++)
        assert_int_equal(fg_count_read(&shop.counters[0].bursts[i]), i == FG_FILL_16);
}

/* While it waits for its owner its key is replaced: the ring in force must know and sign it, too.
 */
static void what_was_handed_over_must_be_signed_by_the_ring_in_force(void **state)
{
    (void)state;
    for (unsigned what = 0; what < 3; what++) {
        start(0);
        struct fg_keyring ring = shop.ring;
        struct fg_catalogue next = shop.catalogue;
        ring.generation++;
        if (what == 1)
            ring.keys[0].secret[0] ^= 1;
        if (what == 2)
            ring.keys[0].id++;
        next.keys = &ring;
        stall(1);
        send_three();
        await(count(0, FG_COUNTER_HANDED_OVER) == 3);
        rcu_set_pointer(&engine.catalogue, &next);
        come_back(3, 0);
        await(count(1, FG_COUNTER_TAKEN_OVER) == 3);
        await(count(1, FG_COUNTER_REQUESTS) + count(1, FG_COUNTER_DROP_MAC) +
                  count(1, FG_COUNTER_DROP_UNKNOWN_KEY) ==
              3);
        if (what == 0)
            await(atomic_load(&answered_count) == 3);
        assert_int_equal(count(1, FG_COUNTER_REQUESTS), what == 0 ? 3 : 0);
        assert_int_equal(count(1, FG_COUNTER_DROP_MAC), what == 1 ? 3 : 0);
        assert_int_equal(count(1, FG_COUNTER_DROP_UNKNOWN_KEY), what == 2 ? 3 : 0);
        stop();
        assert_int_equal(atomic_load(&answered_count), what == 0 ? 3 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stamps_on_both_sides_of_the_edge),
        cmocka_unit_test(only_orders_are_refused),
        cmocka_unit_test(what_waited_too_long_is_refused),
        cmocka_unit_test(what_did_not_is_decided),
        cmocka_unit_test(stages_are_told_apart),
        cmocka_unit_test(bursts_by_how_full_they_are),
        cmocka_unit_test(what_has_gathered_is_taken_at_once),
        cmocka_unit_test(what_was_handed_over_must_be_signed_by_the_ring_in_force),
    };
    rcu_register_thread();
    rcu_thread_offline();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rcu_unregister_thread();
    return failed;
}
