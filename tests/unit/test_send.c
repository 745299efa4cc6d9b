/* SPDX-License-Identifier: BSD-3-Clause */
/* Replies on their way out: the port that they leave by, and one that takes a few of them, and what
 * the counters say of all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <rte_ring.h>

#include "dataplane/loop.h"
#include "tests/unit/mbufs.h"

#define FRAMES  12
#define PAYLOAD 64

static struct fg_engine engine;
static struct fg_worker workers[2];
static struct fg_counters counters[2];
static struct loop loops[2];
static struct own_mbuf frames[FRAMES];
static unsigned room, taken; /* of the port */

static uint16_t transmit(void *queue, struct rte_mbuf **from, uint16_t count)
{
    uint16_t n = (uint16_t)(count < room - taken ? count : room - taken);

    (void)queue;
    (void)from;
    taken += n;
    return n;
}

static uint64_t count(unsigned w, enum fg_counter which)
{
    return fg_count_read(&counters[w].count[which]);
}

/* Two workers; `ring`: of how many replies from the second to the first, whose queue they leave by.
 */
static void begin(unsigned port_room, unsigned ring)
{
    static void *queues[2], *callbacks[2];
    static _Alignas(RTE_CACHE_LINE_SIZE) uint8_t memory[8192];

    room = port_room;
    taken = 0;
    memset(counters, 0, sizeof(counters));
    engine.ports[0] = (struct fg_port){.reply_by_receiver = true};
    rte_eth_fp_ops[0].tx_pkt_burst = transmit;
    rte_eth_fp_ops[0].txq.data = queues;
    rte_eth_fp_ops[0].txq.clbk = (void *)callbacks;
    for (unsigned w = 0; w < 2; w++) {
        workers[w] = (struct fg_worker){.engine = &engine, .index = w};
        engine.workers[w] = &workers[w];
        loops[w] = (struct loop){
            .self = &workers[w], .engine = &engine, .counters = &counters[w], .workers = 2};
    }
    assert_true(rte_ring_get_memsize(rte_align32pow2(ring + 1)) <= (ssize_t)sizeof(memory));
    workers[0].replies[1] = (struct rte_ring *)memory;
    assert_int_equal(rte_ring_init(workers[0].replies[1], "replies", ring,
                                   RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ),
                     0);
}

/* Worker w answers a datagram that the first one received. */
static void answer(unsigned w, unsigned number)
{
    struct built built = build_udp(PAYLOAD, -1);
    struct tag tag = {.l3 = built.l3, .receiver = 0};
    struct rte_mbuf *frame = own_mbuf_fill(&frames[number], &built, 0);

    memcpy(&frame->hash, &tag, sizeof(tag));
    loop_reply(&loops[w], frame, PAYLOAD);
}

/* Each reply is counted once, by the worker that made it, taken by the port or not: so what was
 * made is what was taken, and what was dropped. */
static void every_reply_is_counted_once(void **state)
{
    (void)state;
    for (unsigned port_room = 0; port_room <= FRAMES; port_room += 4)
        for (unsigned ring = 2; ring <= FRAMES; ring += 4) {
            begin(port_room, ring);
            for (unsigned i = 0; i < FRAMES; i++)
                answer(i % 2, i);
            unsigned handed = FRAMES / 2 < ring ? FRAMES / 2 : ring;
            assert_int_equal(loop_send_for_others(&loops[0]), handed);
            loop_flush(&loops[0], 0);
            uint64_t dropped = count(0, FG_COUNTER_TX_DROPPED) + count(1, FG_COUNTER_TX_DROPPED);
            assert_int_equal(count(0, FG_COUNTER_TX_REPLIES), FRAMES / 2);
            assert_int_equal(count(1, FG_COUNTER_TX_REPLIES), FRAMES / 2);
            assert_int_equal(count(1, FG_COUNTER_TX_DROPPED), FRAMES / 2 - handed);
            assert_int_equal(taken,
                             port_room < FRAMES / 2 + handed ? port_room : FRAMES / 2 + handed);
            assert_int_equal(FRAMES, taken + dropped);
        }
}

static struct rte_mbuf *incoming;

static uint16_t receive(void *queue, struct rte_mbuf **to, uint16_t max)
{
    (void)queue;
    (void)max;
    to[0] = incoming;
    return 1;
}

/* A frame comes in by a port, and its mbuf has that number of one, which was not written by the
 * port's driver. */
static void ask_who_has(unsigned p, uint16_t written)
{
    struct built arp = build_arp(CLIENT_IP, ENGINE_IP, -1);

    incoming = own_mbuf_fill(&frames[0], &arp, written);
    assert_int_equal(loop_receive(&loops[0], &engine.ports[p]), 1);
    assert_int_equal(incoming->port, engine.ports[p].id);
}

/* Not all drivers write into a mbuf which port it came in by. */
static void what_comes_in_leaves_by_the_same_port(void **state)
{
    (void)state;
    static const uint16_t ids[] = {5, 2, 9};
    static void *queues[1], *callbacks[1];
    static const uint16_t written[] = {5, 2, 9, 0, RTE_MBUF_PORT_INVALID};
    enum { PORTS = sizeof(ids) / sizeof(ids[0]) };
    static const struct fg_catalogue catalogue;
    begin(0, 2);
    loops[0].catalogue = &catalogue;
    for (unsigned p = 0; p < PORTS; p++) {
        engine.ports[p] = (struct fg_port){.id = ids[p], .address = engine_address};
        rte_eth_fp_ops[ids[p]].rx_pkt_burst = receive;
        rte_eth_fp_ops[ids[p]].rxq.data = queues;
        rte_eth_fp_ops[ids[p]].rxq.clbk = (void *)callbacks;
        loops[0].port_index[ids[p]] = (uint8_t)p;
    }
    for (unsigned p = 0; p < PORTS; p++)
        for (unsigned i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
            ask_who_has(p, written[i]);
            for (unsigned out = 0; out < PORTS; out++) {
                assert_int_equal(loops[0].out[out].count, out == p);
                loops[0].out[out].count = 0;
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reply_is_counted_once),
        cmocka_unit_test(what_comes_in_leaves_by_the_same_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
