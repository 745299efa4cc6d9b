/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small shop for tests: a catalogue, stock, and one or more admissions with their lanes, driven
 * by calls. Time, flushes and what is on sale are the test's to set. Used single-threaded.
 */
#ifndef FG_TESTS_SHOP_H
#define FG_TESTS_SHOP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "dataplane/admission/admission.h"
#include "dataplane/admission/lists.h"

/* A test may want a bigger shop. */
#ifndef SHOP_ORDERS
#define SHOP_ORDERS     8192
#define SHOP_LANE       64
#define SHOP_PARTITIONS 64
#endif
#ifndef SHOP_BUCKETS
#define SHOP_BUCKETS 0 /* of buyers' rates: as many as usual */
#endif
#ifndef SHOP_PARKED
#define SHOP_PARKED 64
#endif
#define SHOP_WORKERS_MAX 8
#define SHOP_ITEMS       4
#ifndef SHOP_PENALTY /* none, if a test does not say so before */
#define SHOP_PENALTY                                                                               \
    {                                                                                              \
        0                                                                                          \
    }
#endif
#define SHOP_NOW_NS   UINT64_C(1764273600000000000)
#define SHOP_APART_NS 5000 /* datagrams, at least */

/* Items: number and slot are the same less one. */
enum { ITEM_PLAIN = 1, ITEM_HELD = 2, ITEM_LIMITED = 3, ITEM_OTHER_SALE = 4 };

struct shop {
    unsigned workers;
    struct fg_stock stock;
    struct fg_lane lanes[SHOP_WORKERS_MAX];
    struct fg_counters counters[SHOP_WORKERS_MAX];
    struct fg_admission *admissions[SHOP_WORKERS_MAX];
    struct fg_item items[16];
    struct fg_keyring ring;
    struct fg_catalogue catalogue;
    struct fg_now now;
    uint64_t last_time_ns;
    struct fg_order_event log[4096]; /* what was flushed, in order */
    unsigned logged;
    uint8_t payload[2048]; /* of the last datagram that came back */
    uint32_t length;       /* of its reply; 0: silence */
};

static inline struct fg_item *shop_item(struct shop *shop, uint32_t id)
{
    return (struct fg_item *)(uintptr_t)fg_catalogue_item(&shop->catalogue, id);
}

static inline void shop_put_item(struct shop *shop, const struct fg_item *item)
{
    uint32_t at = fg_item_hash(item->id);
    while (shop->items[at & 15].id != 0)
        at++;
    shop->items[at & 15] = *item;
}

static inline void shop_open(struct shop *shop, unsigned workers, uint32_t stock)
{
    *shop = (struct shop){.workers = workers, .now = {SHOP_NOW_NS, 1000}};
    shop->last_time_ns = SHOP_NOW_NS;
    assert_int_equal(fg_stock_init(&shop->stock, workers, SHOP_ITEMS), 0);
    shop->ring.count = 1;
    shop->ring.keys[0] = (struct fg_key){.id = 7, .ops = 0x7e};
    shop->catalogue = (struct fg_catalogue){
        .revision = 1,
        .serving_since_ns = SHOP_NOW_NS - 1000000000,
        .freshness_ns = FG_FRESHNESS_MS * UINT64_C(1000000),
        .item_mask = 15,
        .items = shop->items,
        .keys = &shop->ring,
    };
    shop->catalogue.key_sales[0] = 3;
    for (uint32_t id = 1; id <= SHOP_ITEMS; id++) {
        shop_put_item(shop, &(struct fg_item){
                                .id = id,
                                .slot = id - 1,
                                .sale = id == ITEM_OTHER_SALE ? 2 : 1,
                                .sale_index = id == ITEM_OTHER_SALE,
                                .state = FG_SALE_OPEN,
                                .max_per_order = 4,
                                .limit = id == ITEM_LIMITED ? 3 : 0,
                                .hold_ms = id == ITEM_HELD ? 60000 : 0,
                            });
        fg_stock_restore(&shop->stock, id - 1, stock);
    }
    fg_stock_publish(&shop->stock, SHOP_ITEMS);
    for (unsigned w = 0; w < workers; w++) {
        assert_int_equal(fg_lane_init(&shop->lanes[w], SHOP_LANE), 0);
        shop->admissions[w] = fg_admission_create(&(struct fg_admission_config){
            .worker = w,
            .workers = workers,
            .node = 5,
            .partitions = SHOP_PARTITIONS,
            .base_port = 40000,
            .orders = SHOP_ORDERS,
            .orders_per_buyer = 16,
            .parked = SHOP_PARKED,
            .seed = 11 + w,
            .stock = &shop->stock,
            .lane_records = SHOP_LANE,
            .buyer_buckets = SHOP_BUCKETS,
            .penalty = SHOP_PENALTY,
            .counters = &shop->counters[w],
        });
        assert_non_null(shop->admissions[w]);
        fg_admission_attach(shop->admissions[w], &shop->lanes[w], 9);
    }
}

static inline void shop_close(struct shop *shop)
{
    for (unsigned w = 0; w < shop->workers; w++) {
        fg_admission_destroy(shop->admissions[w]);
        fg_lane_fini(&shop->lanes[w]);
    }
    fg_stock_fini(&shop->stock);
}

/* A flush: everything queued becomes durable. */
static inline void shop_flush(struct shop *shop)
{
    for (unsigned w = 0; w < shop->workers; w++) {
        shop->logged += fg_lane_drain(&shop->lanes[w], &shop->log[shop->logged], 64);
        fg_lane_publish(&shop->lanes[w]);
    }
}

static inline void shop_poll(struct shop *shop)
{
    for (unsigned w = 0; w < shop->workers; w++)
        fg_admission_poll(shop->admissions[w], &shop->now, &shop->catalogue);
}

static inline void shop_pass(struct shop *shop, uint32_t ms)
{
    for (uint32_t i = 0; i < ms; i++) {
        shop->now.ms++;
        shop->now.wall_ns += 1000000;
        shop_poll(shop);
    }
}

/* A buyer of a partition of worker w (number & worker decide: tries until it fits). */
static inline void shop_buyer(const struct shop *shop, unsigned w, uint32_t number,
                              uint8_t buyer[FG_BUYER_BYTES])
{
    memset(buyer, 0, FG_BUYER_BYTES);
    memcpy(buyer, &number, sizeof(number));
    for (uint32_t salt = 0;; salt++) {
        memcpy(buyer + 8, &salt, sizeof(salt));
        if (fg_partition(buyer, SHOP_PARTITIONS) % shop->workers == w)
            return;
    }
}

/* Lists with one buyer of each kind, by the numbers that they have at worker 0; the caller's. */
static inline struct fg_lists *shop_lists(const struct shop *shop, uint32_t blocked,
                                          uint32_t allowed)
{
    static uint8_t block[1][FG_BUYER_BYTES], allow[1][FG_BUYER_BYTES];
    struct fg_lists_input input = {
        .buyers = {block, allow}, .buyers_count = {1, 1}, .seed = {3, 5}};

    shop_buyer(shop, 0, blocked, block[0]);
    shop_buyer(shop, 0, allowed, allow[0]);
    struct fg_lists *lists = fg_lists_create(&input);
    assert_non_null(lists);
    return lists;
}

static inline struct fg_request shop_request(const struct shop *shop, unsigned w, unsigned op,
                                             uint32_t number, uint64_t request, uint32_t item,
                                             uint16_t quantity)
{
    struct fg_request ask = {
        .request = request, .item = item, .quantity = quantity, .op = (uint8_t)op};
    shop_buyer(shop, w, number, ask.buyer);
    return ask;
}

/* Builds a signed datagram in `payload`; returns its length. */
static inline uint32_t shop_datagram(struct shop *shop, uint8_t *payload,
                                     const struct fg_request *asks, unsigned count)
{
    uint64_t next_ns = shop->last_time_ns + SHOP_APART_NS;
    shop->last_time_ns = shop->now.wall_ns > next_ns ? shop->now.wall_ns : next_ns;
    struct fg_header header = {
        .magic = {FG_MAGIC_0, FG_MAGIC_1},
        .version = FG_VERSION,
        .type = FG_TYPE_REQUEST,
        .count = (uint8_t)count,
        .key_id = shop->ring.keys[0].id,
        .time_ns = shop->last_time_ns,
    };
    uint32_t length = (uint32_t)FG_REQUEST_BYTES(count);
    memcpy(payload, &header, sizeof(header));
    memcpy(payload + sizeof(header), asks, count * sizeof(*asks));
    header.mac = fg_payload_mac(shop->ring.keys[0].secret, payload, length);
    memcpy(payload, &header, sizeof(header));
    return length;
}

/* Gives a datagram of `count` entries to worker w. `payload` must outlive its answer. */
static inline void shop_send(struct shop *shop, unsigned w, uint8_t *payload,
                             const struct fg_request *asks, unsigned count)
{
    shop_datagram(shop, payload, asks, count);
    struct fg_datagram datagram = {.packet = payload, .payload = payload, .count = (uint8_t)count};
    fg_admission_decide(shop->admissions[w], &shop->now, &shop->catalogue, &datagram, 1);
}

/* Takes back one datagram of worker w, if one is ready: its packet, or NULL. */
static inline void *shop_ready(struct shop *shop, unsigned w)
{
    struct fg_ready ready;
    if (fg_admission_ready(shop->admissions[w], &ready, 1) == 0)
        return NULL;
    shop->length = ready.length;
    return ready.packet;
}

static inline struct fg_reply shop_reply(const uint8_t *payload, unsigned index)
{
    struct fg_reply reply;
    memcpy(&reply, payload + FG_REPLY_BYTES(index), sizeof(reply));
    return reply;
}

/* One entry, flushed and answered. */
static inline struct fg_reply shop_ask(struct shop *shop, struct fg_request ask)
{
    unsigned w = fg_partition(ask.buyer, SHOP_PARTITIONS) % shop->workers;
    shop_send(shop, w, shop->payload, &ask, 1);
    shop_flush(shop);
    shop_poll(shop);
    assert_ptr_equal(shop_ready(shop, w), shop->payload);
    assert_int_equal(shop->length, FG_REPLY_BYTES(1));
    return shop_reply(shop->payload, 0);
}

static inline struct fg_reply shop_do(struct shop *shop, unsigned op, uint32_t buyer,
                                      uint64_t request, uint32_t item, uint16_t quantity)
{
    return shop_ask(shop, shop_request(shop, 0, op, buyer, request, item, quantity));
}

#define assert_verdict(reply, expected, expected_flags)                                            \
    do {                                                                                           \
        struct fg_reply got_ = (reply);                                                            \
        if (got_.verdict != FG_VERDICT_##expected || got_.flags != (expected_flags))               \
            fail_msg("got %s flags %u, wanted %s flags %u", fg_verdict_name(got_.verdict),         \
                     got_.flags, #expected, (unsigned)(expected_flags));                           \
    } while (0)

#endif
