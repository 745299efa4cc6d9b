/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shop of the target `frame`: two workers that take frames as dataplane/receive.c does, and
 * all that is held of what they send and of their books.
 */
#ifndef FG_TESTS_FUZZ_FRAME_SHOP_H
#define FG_TESTS_FUZZ_FRAME_SHOP_H

#define SHOP_ORDERS     64
#define SHOP_LANE       16
#define SHOP_PARTITIONS 64
#define SHOP_BUCKETS    64
#include "tests/fuzz/frames_mended.h"
#include "tests/unit/shop.h"

#include "dataplane/admission/lists.h"
#include "dataplane/admission/rates.h"
#include "dataplane/command.h"
#include "dataplane/net/reply.h"
#include "tests/fuzz/ledger.h"

#define WORKERS     2
#define SUPPLY      6
#define WAITING_MAX 256
#define HOLD_MS     300
#define FRESH_MS    2000
#define POLL_MS     50 /* the longest that a worker is away */
#define KEYS        3
#define BLOCKED     3 /* buyers 1 to 3, of whom the last is allowed, too */

/* A datagram that admission has. */
struct waiting {
    uint8_t *frame;
    struct fg_parsed parsed;
    uint8_t *asked; /* the frame as it came */
    size_t length;
    uint16_t key_place;
};

static struct fg_frame_address us; /* the engine, of both families */
static struct shop shop;
static struct ledger ledger;
static struct waiting waiting[WAITING_MAX];
static struct fg_lists *lists;
static bool decided;     /* something was taken to admission */
static bool was_blocked; /* the lists have been in force */
static bool blocked_all; /* and so they were at each order */

/* --- the shop --- */

static inline void a_buyer(uint8_t number, uint8_t buyer[FG_BUYER_BYTES])
{
    memset(buyer, number % 12, FG_BUYER_BYTES);
}

static inline void make_lists(void)
{
    uint8_t buyers[BLOCKED][FG_BUYER_BYTES];
    struct fg_lists_input input = {.buyers = {(const void *)buyers, (const void *)buyers[2]},
                                   .buyers_count = {BLOCKED, 1},
                                   .seed = {1, 2}};

    for (uint8_t i = 0; i < BLOCKED; i++)
        a_buyer(i + 1, buyers[i]);
    lists = fg_lists_create(&input);
    FUZZ_CHECK(lists);
}

/* The lists come into force, or those without anybody do. */
static inline void put_lists(bool in_force)
{
    shop.catalogue.lists = in_force ? lists : NULL;
    was_blocked = was_blocked || in_force;
    blocked_all = in_force && (blocked_all || !decided);
}

/* Is the buyer on the block list alone? */
static inline bool is_blocked(const uint8_t *buyer)
{
    return fg_lists_buyer(lists, buyer) == FG_LISTED_BLOCKED;
}

static inline void open_shop(void)
{
    us = engine_address;
    if (!lists)
        make_lists();
    decided = was_blocked = blocked_all = false;
    shop_open(&shop, WORKERS, SUPPLY);
    shop.ring.count = KEYS;
    shop.ring.keys[1] = (struct fg_key){.id = 8, .ops = 0x12, .prefixes_count = 1};
    shop.ring.keys[1].prefixes[0] = (struct fg_prefix){
        .address = fg_ip_of_v4(CLIENT_IP & 0xffffff00u), .mask = fg_ip_mask(120)};
    memset(shop.ring.keys[1].secret, 0x5a, FG_SECRET_BYTES);
    fg_rates_set_key(&shop.ring.keys[1], 40, 4);
    shop.ring.keys[2] = (struct fg_key){.id = 0, .ops = 0x6a};
    shop.catalogue.key_sales[1] = 1;
    shop.catalogue.key_sales[2] = 3;
    shop.catalogue.freshness_ns = FRESH_MS * UINT64_C(1000000);
    struct fg_item *held = shop_item(&shop, ITEM_HELD), *limited = shop_item(&shop, ITEM_LIMITED);
    held->hold_ms = HOLD_MS;
    held->late_confirm = FG_LATE_REACQUIRE;
    limited->cancel_final = true;
    fg_rates_set_item(shop_item(&shop, ITEM_OTHER_SALE), 10, 3);
    ledger = (struct ledger){.supply = SUPPLY};
    ledger.limits[ITEM_LIMITED] = limited->limit;
}

/* --- what comes back --- */

/* The engine's counterpart: whoever sent the frame. */
static struct fg_frame_address sender_of(const struct waiting *one)
{
    struct fg_frame_address sender = us;
    struct rte_udp_hdr udp;

    memcpy(&udp, one->asked + one->parsed.payload - sizeof(udp), sizeof(udp));
    memcpy(&sender.mac, one->asked + RTE_ETHER_ADDR_LEN, sizeof(sender.mac));
    sender.address = 0;
    sender.address6 = (struct fg_ip){0};
    if (fg_ip_is_v4(one->parsed.source))
        sender.address = (uint32_t)one->parsed.source.low;
    else
        sender.address6 = one->parsed.source;
    sender.first_port = sender.last_port = rte_be_to_cpu_16(udp.src_port);
    return sender;
}

/* No engine answers it, whoever that is sent to. */
static inline void check_unanswered(const uint8_t *frame, size_t length,
                                    const struct fg_frame_address *to)
{
    struct fg_parsed parsed = {0};

    fg_frame_parse(frame, length, to, FG_CHECKSUM_UNKNOWN, &parsed);
    FUZZ_CHECK(parsed.kind == FG_FRAME_DROPPED ||
               (parsed.kind == FG_FRAME_REQUEST &&
                !fg_payload_check(frame + parsed.payload, parsed.length)));
}

static inline void check_entry(const struct fg_request *ask, const struct fg_reply *reply)
{
    bool tells = reply->verdict >= FG_VERDICT_ADMITTED && reply->verdict <= FG_VERDICT_EXPIRED;
    const struct ledger_order *order = reply->order ? ledger_find(&ledger, reply->order) : NULL;

    FUZZ_CHECK(fg_verdict_name(reply->verdict)[0] != '?');
    FUZZ_CHECK(reply->request == ask->request);
    if (reply->verdict == FG_VERDICT_PONG)
        return;
    if (reply->verdict == FG_VERDICT_BLOCKED)
        FUZZ_CHECK(was_blocked && ask->op == FG_OP_ORDER && is_blocked(ask->buyer));
    if (!tells || reply->order == 0) {
        FUZZ_CHECK(!tells || reply->verdict == FG_VERDICT_CANCELLED);
        FUZZ_CHECK(reply->order == 0);
        FUZZ_CHECK(reply->item == ask->item && reply->quantity == ask->quantity);
        return;
    }
    /* It is on disk, and it is the asker's. */
    FUZZ_CHECK(order && ledger_same_request(&order->admit, ask->buyer, ask->request));
    FUZZ_CHECK(order->admit.item == reply->item && order->admit.quantity == reply->quantity);
}

static inline void check_payload(const struct waiting *one, const uint8_t *payload, uint32_t length)
{
    const struct fg_key *key = &shop.ring.keys[one->key_place];
    const uint8_t *asked = one->asked + one->parsed.payload;
    struct fg_header header, was;

    memcpy(&header, payload, sizeof(header));
    memcpy(&was, asked, sizeof(was));
    FUZZ_CHECK(!fg_payload_check(payload, length));
    FUZZ_CHECK(header.type == FG_TYPE_REPLY && header.time_ns == was.time_ns &&
               header.count == was.count && header.key_id == key->id);
    FUZZ_CHECK(length == FG_REPLY_BYTES(header.count) && length <= one->parsed.length);
    FUZZ_CHECK(header.mac == (key->id ? fg_payload_mac(key->secret, payload, length) : 0));
    for (unsigned i = 0; i < header.count; i++) {
        struct fg_request ask;
        struct fg_reply reply;
        memcpy(&ask, asked + FG_REQUEST_BYTES(i), sizeof(ask));
        memcpy(&reply, payload + FG_REPLY_BYTES(i), sizeof(reply));
        check_entry(&ask, &reply);
    }
}

static inline void give_up(struct waiting *one)
{
    free(one->frame);
    free(one->asked);
    *one = (struct waiting){0};
}

static inline void answer(struct waiting *one, uint32_t length)
{
    struct fg_frame_address sender = sender_of(one);
    struct fg_parsed parsed = {0};

    check_payload(one, one->frame + one->parsed.payload, length);
    uint32_t bytes = fg_reply_udp(one->frame, one->parsed.l3, length);
    FUZZ_CHECK(bytes <= one->length);
    FUZZ_CHECK(sender.first_port >= 1024);
    fg_frame_parse(one->frame, bytes, &sender, FG_CHECKSUM_UNKNOWN, &parsed);
    FUZZ_CHECK(parsed.kind == FG_FRAME_REQUEST && parsed.payload == one->parsed.payload &&
               parsed.length == length);
    check_unanswered(one->frame, bytes, &sender);
    check_unanswered(one->frame, bytes, &us);
    give_up(one);
}

static inline void take_ready(void)
{
    struct fg_ready ready;

    for (unsigned w = 0; w < WORKERS; w++)
        while (fg_admission_ready(shop.admissions[w], &ready, 1) > 0) {
            struct waiting *one = ready.packet;
            FUZZ_CHECK(one->frame != NULL);
            if (ready.length == 0)
                give_up(one);
            else
                answer(one, ready.length);
        }
}

/* --- what goes in --- */

static inline void poll_shop(void)
{
    shop_poll(&shop);
    take_ready();
}

static inline void flush_shop(void)
{
    shop.logged = 0;
    shop_flush(&shop);
    for (unsigned i = 0; i < shop.logged; i++) {
        FUZZ_CHECK(!blocked_all || shop.log[i].kind != FG_EVENT_ADMIT ||
                   !is_blocked(shop.log[i].buyer));
        ledger_apply(&ledger, &shop.log[i]);
    }
    poll_shop();
}

static inline void check_turned(const uint8_t *frame, const uint8_t *asked, size_t length)
{
    struct fg_frame_address sender = us;

    memcpy(&sender.mac, asked + RTE_ETHER_ADDR_LEN, sizeof(sender.mac));
    check_unanswered(frame, length, &us);
    check_unanswered(frame, length, &sender);
}

static inline void decide(struct waiting *one, bool hand_over_full)
{
    uint8_t *payload = one->frame + one->parsed.payload;
    struct fg_header header;
    int partition = fg_payload_partition(payload, SHOP_PARTITIONS);
    unsigned w = partition < 0 ? 0 : (unsigned)partition % WORKERS;

    FUZZ_CHECK(partition < SHOP_PARTITIONS);
    decided = true;
    memcpy(&header, payload, sizeof(header));
    if (hand_over_full)
        return answer(one, fg_payload_busy(&shop.catalogue, payload, one->key_place, 2));
    struct fg_datagram datagram = {
        .packet = one, .payload = payload, .key_place = one->key_place, .count = header.count};
    fg_admission_decide(shop.admissions[w], &shop.now, &shop.catalogue, &datagram, 1);
    take_ready();
}

static struct waiting *free_place(void)
{
    for (unsigned i = 0; i < WAITING_MAX; i++)
        if (!waiting[i].frame)
            return &waiting[i];
    return NULL;
}

/* The answer may need a few bytes more, which a worker's buffers have. */
static inline void answer_neighbour(struct waiting *one)
{
    unsigned most = fg_reply_neighbour_bytes(one->parsed.l3);

    one->frame = realloc(one->frame, most > one->length ? most : one->length);
    FUZZ_CHECK(one->frame);
    uint32_t length = fg_reply_neighbour(one->frame, one->parsed.l3, &us);
    FUZZ_CHECK(length <= most && length <= one->length + 8);
    check_turned(one->frame, one->asked, length);
}

/* As a worker takes a frame. */
static inline void receive(const uint8_t *bytes, size_t length, unsigned how)
{
    struct waiting *one = free_place();

    if (!one)
        return;
    *one = (struct waiting){
        .frame = fuzz_copy(bytes, length), .asked = fuzz_copy(bytes, length), .length = length};
    fg_frame_parse(one->frame, length, &us, (enum fg_checksum)(how % 3), &one->parsed);
    switch ((enum fg_frame_kind)one->parsed.kind) {
    case FG_FRAME_REQUEST: {
        const uint8_t *payload = one->frame + one->parsed.payload;
        FUZZ_CHECK(one->parsed.payload + one->parsed.length <= length);
        if (fg_payload_check(payload, one->parsed.length) &&
            fg_payload_authenticate(&shop.catalogue, payload, one->parsed.length,
                                    one->parsed.source, shop.now.wall_ns,
                                    &one->key_place) == FG_AUTHENTIC)
            return decide(one, how >= 0xf0);
        break;
    }
    case FG_FRAME_ARP:
        fg_reply_arp(one->frame, one->parsed.l3, &us);
        check_turned(one->frame, one->asked, length);
        break;
    case FG_FRAME_NEIGHBOUR:
        answer_neighbour(one);
        break;
    case FG_FRAME_ECHO:
        fg_reply_echo(one->frame, one->parsed.l3);
        check_turned(one->frame, one->asked, length);
        break;
    case FG_FRAME_DROPPED:
        FUZZ_CHECK(one->parsed.dropped < FG_COUNTER_COUNT);
        break;
    }
    give_up(one);
}

#endif
