/* SPDX-License-Identifier: BSD-3-Clause */
/* A port that takes nothing for a while: what waits for it, for how long, and in what order it
 * goes. */
#include <pthread.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_ring.h>

#include "dataplane/loop.h"
#include "tests/unit/mbufs.h"
#include "tests/unit/shop.h"
#include "tests/unit/tsc.h"

#define ORDERS  50              /* fewer than parking has room for */
#define OTHERS  (FG_BURST + 10) /* answers at once, more than a burst */
#define FOREVER (UINT64_C(1) << 62)

static struct shop shop;
static struct fg_engine engine;
static struct fg_worker worker;
static struct loop loop;
static struct own_mbuf frames[ORDERS + OTHERS];
static void *queues[1], *callbacks[1];

static struct rte_mbuf *taken[ORDERS + OTHERS];
static _Atomic unsigned taken_count, room; /* of the port */

static uint16_t transmit(void *queue, struct rte_mbuf **from, uint16_t count)
{
    unsigned n = count < room ? count : room;

    (void)queue;
    for (unsigned i = 0; i < n; i++)
        taken[taken_count++] = from[i];
    room -= n;
    return (uint16_t)n;
}

static uint16_t receive_nothing(void *queue, struct rte_mbuf **to, uint16_t max)
{
    (void)queue;
    (void)to;
    (void)max;
    return 0;
}

static struct rte_mbuf *incoming(unsigned number)
{
    struct built built = build_udp(FG_REQUEST_BYTES(1), -1);
    struct tag tag = {.l3 = built.l3};
    struct rte_mbuf *frame = own_mbuf_fill(&frames[number], &built, 0);

    memcpy(&frame->hash, &tag, sizeof(tag));
    return frame;
}

static uint64_t dropped(void)
{
    return fg_count_read(&shop.counters[0].count[FG_COUNTER_TX_DROPPED]);
}

/* A worker with a port, and durable orders whose replies are parked. */
static void begin(uint64_t patience, unsigned orders)
{
    shop_open(&shop, 1, ORDERS);
    engine = (struct fg_engine){.config = {.workers = 1, .ports_count = 1},
                                .catalogue = &shop.catalogue};
    engine.ports[0] = (struct fg_port){.queues = 1};
    worker = (struct fg_worker){
        .engine = &engine, .admission = shop.admissions[0], .counters = &shop.counters[0]};
    engine.workers[0] = &worker;
    rte_eth_fp_ops[0].tx_pkt_burst = transmit;
    rte_eth_fp_ops[0].rx_pkt_burst = receive_nothing;
    rte_eth_fp_ops[0].txq.data = rte_eth_fp_ops[0].rxq.data = queues;
    rte_eth_fp_ops[0].txq.clbk = rte_eth_fp_ops[0].rxq.clbk = (void *)callbacks;
    loop = (struct loop){.self = &worker,
                         .engine = &engine,
                         .counters = &shop.counters[0],
                         .workers = 1,
                         .ports = 1,
                         .patience = patience};
    taken_count = room = 0;
    for (unsigned i = 0; i < orders; i++) {
        struct rte_mbuf *frame = incoming(i);
        struct fg_request ask = shop_request(&shop, 0, FG_OP_ORDER, i + 1, 1, ITEM_PLAIN, 1);
        uint8_t *payload = payload_of(frame);
        (void)shop_datagram(&shop, payload, &ask, 1);
        struct fg_datagram datagram = {.packet = frame, .payload = payload, .count = 1};
        fg_admission_decide(shop.admissions[0], &shop.now, &shop.catalogue, &datagram, 1);
    }
    shop_flush(&shop);
    shop_poll(&shop);
    assert_int_equal(fg_admission_waiting(shop.admissions[0]), orders);
}

static void took(unsigned place, unsigned first, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        assert_ptr_equal(taken[place + i], &frames[first + i].mbuf);
}

/* Nothing is lost, and all go in their order. */
static void a_port_that_takes_some_gets_the_others_later(void **state)
{
    (void)state;
    begin(FOREVER, ORDERS);
    assert_int_equal(loop_send_parked(&loop), ORDERS);
    room = 7;
    loop_flush(&loop, 0);
    assert_int_equal(taken_count, 7);
    loop_flush(&loop, 0);
    room = 20;
    loop_flush(&loop, 0);
    assert_int_equal(taken_count, 27);
    room = ORDERS;
    loop_flush(&loop, 0);
    assert_int_equal(taken_count, ORDERS);
    took(0, 0, ORDERS);
    assert_int_equal(loop.out[0].count, 0);
    assert_int_equal(dropped(), 0);
    shop_close(&shop);
}

/* What was answered at once is dropped when a burst waits; what is parked stays where it is. */
static void what_is_parked_waits_behind_a_whole_burst(void **state)
{
    (void)state;
    begin(FOREVER, ORDERS);
    for (unsigned i = ORDERS; i < ORDERS + OTHERS; i++)
        loop_send(&loop, incoming(i), 60);
    assert_int_equal(dropped(), OTHERS - FG_BURST);
    assert_int_equal(loop_send_parked(&loop), 0);
    assert_int_equal(fg_admission_waiting(shop.admissions[0]), ORDERS);
    room = 10;
    loop_flush(&loop, 0);
    assert_int_equal(loop_send_parked(&loop), 10);
    assert_int_equal(fg_admission_waiting(shop.admissions[0]), ORDERS - 10);
    room = ORDERS + OTHERS;
    loop_flush(&loop, 0);
    assert_int_equal(loop_send_parked(&loop), ORDERS - 10);
    loop_flush(&loop, 0);
    took(0, ORDERS, FG_BURST);
    took(FG_BURST, 0, ORDERS);
    assert_int_equal(taken_count, FG_BURST + ORDERS);
    assert_int_equal(dropped(), OTHERS - FG_BURST);
    shop_close(&shop);
}

/* Once it has taken nothing for long, it is waited for no more, until it takes something. */
static void patience_ends(void **state)
{
    (void)state;
    begin(1, ORDERS);
    for (unsigned i = ORDERS; i < ORDERS + 6; i++)
        loop_send(&loop, incoming(i), 60);
    loop_flush(&loop, 0);
    assert_int_equal(dropped(), 0);
    loop_flush(&loop, 0);
    assert_int_equal(dropped(), 6);
    loop_send(&loop, incoming(ORDERS), 60);
    loop_flush(&loop, 0);
    assert_int_equal(dropped(), 7);
    room = 1;
    for (unsigned i = ORDERS; i < ORDERS + 3; i++)
        loop_send(&loop, incoming(i), 60);
    loop_flush(&loop, 0);
    assert_int_equal(taken_count, 1);
    assert_int_equal(dropped(), 7);
    assert_int_equal(loop.out[0].count, 2);
    room = 2;
    loop_flush(&loop, 0);
    assert_int_equal(dropped(), 7);
    assert_int_equal(taken_count, 3);
    shop_close(&shop);
}

static void *work(void *arg)
{
    fg_worker_main(arg);
    return NULL;
}

static struct rte_ring *ring_create(void)
{
    struct rte_ring *ring = aligned_alloc(128, 4096);

    assert_non_null(ring);
    assert_int_equal(rte_ring_init(ring, "t", 16, RING_F_SP_ENQ | RING_F_SC_DEQ), 0);
    return ring;
}

/* A worker that stops says that it is done when no reply of its own waits: all have gone, or the
 * port has taken none for long. `opens`: the port takes all, in the end. */
static void stop_worker(bool opens)
{
    pthread_t thread;

    begin(0, ORDERS);
    fg_clock_page_init(&engine.clock, tsc_hz(20));
    worker.commands = ring_create();
    worker.results = ring_create();
    atomic_store(&engine.stop, FG_STOP_RECEIVING);
    assert_int_equal(pthread_create(&thread, NULL, work, &worker), 0);
    if (opens) {
        while (fg_admission_waiting(shop.admissions[0]) > 0)
            sched_yield();
        room = ORDERS;
    }
    while (atomic_load(&worker.state) != FG_WORKER_DRAINED)
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    unsigned gone = taken_count;
    assert_int_equal(gone + dropped(), ORDERS);
    if (!opens)
        assert_int_equal(gone, 0);
    atomic_store(&engine.stop, FG_STOP_NOW);
    pthread_join(thread, NULL);
    free(worker.commands);
    free(worker.results);
    shop_close(&shop);
}

static void who_stops_waits_for_the_port(void **state)
{
    (void)state;
    stop_worker(true);
    stop_worker(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_that_takes_some_gets_the_others_later),
        cmocka_unit_test(what_is_parked_waits_behind_a_whole_burst),
        cmocka_unit_test(patience_ends),
        cmocka_unit_test(who_stops_waits_for_the_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
