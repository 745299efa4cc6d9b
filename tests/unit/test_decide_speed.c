/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a refusal costs once an item is sold out: decided, signed and given back, in memory, without
 * a wire. Every order is another buyer's, with a buyer's rate and a key's. The figures are printed,
 * never asserted; what is decided is. Short here, so that it cannot rot; FLASHGATE_BURSTS=2000 is
 * the long form.
 */
#define SHOP_ORDERS     (1u << 20)
#define SHOP_LANE       65536
#define SHOP_PARTITIONS 64
#include "dataplane/admission/rates.h"
#include "tests/unit/shop.h"

#include <stdlib.h>

#include <rte_cycles.h>

#define STOCK 1000

static struct shop shop;
static uint8_t payloads[FG_BURST][2048] __attribute__((aligned(64)));
static uint32_t buyers; /* ever */

/* A burst of datagrams of `per` orders, each of one partition. */
static void make_burst(struct fg_datagram datagrams[FG_BURST], unsigned per)
{
    struct fg_request asks[FG_ENTRIES_MAX];

    for (unsigned d = 0; d < FG_BURST; d++) {
        for (unsigned i = 0; i < per;) {
            struct fg_request ask =
                shop_request(&shop, 0, FG_OP_ORDER, buyers, buyers + 1, ITEM_PLAIN, 1);
            buyers++;
            if (fg_partition(ask.buyer, SHOP_PARTITIONS) == 0)
                asks[i++] = ask;
        }
        shop_datagram(&shop, payloads[d], asks, per);
        datagrams[d] = (struct fg_datagram){
            .packet = payloads[d], .payload = payloads[d], .count = (uint8_t)per};
    }
}

/* What is measured: a burst is decided and signed. */
static __attribute__((noinline)) unsigned judge_burst(const struct fg_datagram *datagrams,
                                                      struct fg_ready ready[FG_BURST])
{
    fg_admission_decide(shop.admissions[0], &shop.now, &shop.catalogue, datagrams, FG_BURST);
    fg_admission_poll(shop.admissions[0], &shop.now, &shop.catalogue);
    return fg_admission_ready(shop.admissions[0], ready, FG_BURST);
}

/* How many cycles a burst took. */
static uint64_t time_burst(const struct fg_datagram *datagrams, unsigned per)
{
    struct fg_ready ready[FG_BURST];
    uint64_t began = rte_rdtsc();
    unsigned back = judge_burst(datagrams, ready);
    uint64_t took = rte_rdtsc() - began;

    assert_int_equal(back, FG_BURST);
    for (unsigned d = 0; d < back; d++)
        for (unsigned i = 0; i < per; i++)
            assert_verdict(shop_reply(ready[d].packet, i), SOLD_OUT, 0);
    return took;
}

static void a_refusal_costs(unsigned per)
{
    const char *asked = getenv("FLASHGATE_BURSTS");
    unsigned long bursts = asked ? strtoul(asked, NULL, 10) : 50;
    struct fg_datagram datagrams[FG_BURST];
    uint64_t all = 0, best = UINT64_MAX;

    shop_open(&shop, 1, STOCK);
    fg_rates_set_item(shop_item(&shop, ITEM_PLAIN), 5, 10);
    fg_rates_set_key(&shop.ring.keys[0], 100000000, 0);
    for (buyers = 0; buyers < STOCK; buyers++)
        shop_do(&shop, FG_OP_ORDER, buyers, buyers + 1, ITEM_PLAIN, 1);
    for (unsigned long burst = 0; burst < bursts; burst++) {
        make_burst(datagrams, per);
        uint64_t took = time_burst(datagrams, per);
        all += took;
        best = took < best ? took : best;
        shop_pass(&shop, 1);
    }
    print_message("%u orders a datagram: %.0f TSC cycles a refusal, %.0f in the best burst\n", per,
                  (double)all / (double)bursts / FG_BURST / per, (double)best / FG_BURST / per);
    shop_close(&shop);
}

static void one_order_a_datagram(void **state)
{
    (void)state;
    a_refusal_costs(1);
}

static void many_orders_a_datagram(void **state)
{
    (void)state;
    a_refusal_costs(FG_ENTRIES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_order_a_datagram),
        cmocka_unit_test(many_orders_a_datagram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
