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

#include "dataplane/admission/rates.h"
#include "dataplane/blocked.h"
#include "dataplane/command.h"
#include "dataplane/net/reply.h"
#include "tests/fuzz/frame_lists.h"
#include "tests/fuzz/ledger.h"

#define WORKERS     2
#define SUPPLY      6
#define WAITING_MAX 256
#define HOLD_MS     300
#define FRESH_MS    2000
#define POLL_MS     50 /* the longest that a worker is away */
#define KEYS        3

/* A datagram that admission has. */
struct waiting {
    uint8_t *frame;
    struct fg_parsed parsed;
    uint8_t *asked; /* the frame as it came */
    size_t length;
    uint16_t key_place;
    unsigned lists_changes; /* when it was taken */
};

static struct fg_frame_address us; /* the engine, of both families */
static struct shop shop;
static struct ledger ledger;
static struct waiting waiting[WAITING_MAX];
static struct fg_lists *lists;
static bool was_blocked;       /* the lists have been in force */
static unsigned lists_changes; /* since the shop opened */

/* --- the shop --- */

/* What was decided until now, with the lists in force or without: a blocked buyer's new orders were
 * decided without. */
static inline void look_at_log(void)
{
    unsigned logged = shop.logged;

    for (unsigned w = 0; w < WORKERS; w++)
        shop.logged += fg_lane_drain(&shop.lanes[w], &shop.log[shop.logged], 64);
    for (unsigned i = logged; i < shop.logged; i++)
        FUZZ_CHECK(!shop.catalogue.lists || shop.log[i].kind != FG_EVENT_ADMIT ||
                   !is_blocked(shop.log[i].buyer));
}

/* The lists come into force, or those without anybody do. */
static inline void put_lists(bool in_force)
{
    look_at_log();
    shop.catalogue.lists = in_force ? lists : NULL;
    lists_changes++;
    was_blocked = was_blocked || in_force;
}

static inline void open_shop(void)
{
    us = engine_address;
    if (!lists)
        lists = make_lists();
    was_blocked = false;
    lists_changes = 0;
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

/* Orders of who is blocked, and of who is not; the lists have not changed since they were asked. */
static inline void check_listed(const struct fg_request *ask, const struct fg_reply *reply)
{
    bool blocked = shop.catalogue.lists && is_blocked(ask->buyer);

    FUZZ_CHECK(blocked || reply->verdict != FG_VERDICT_BLOCKED);
    FUZZ_CHECK(!blocked || ask->op != FG_OP_ORDER || is_blocked_verdict(reply->verdict));
    /* An order that was there before is told. */
    FUZZ_CHECK(reply->verdict != FG_VERDICT_BLOCKED ||
               !ledger_find_request(&ledger, ask->buyer, ask->request));
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
        if (one->lists_changes == lists_changes)
            check_listed(&ask, &reply);
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
    look_at_log();
    for (unsigned w = 0; w < WORKERS; w++)
        fg_lane_publish(&shop.lanes[w]);
    for (unsigned i = 0; i < shop.logged; i++)
        ledger_apply(&ledger, &shop.log[i]);
    shop.logged = 0;
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

/* Silence is for requests and echoes of blocked sources, and for them alone. */
static inline void check_source(const struct waiting *one, bool blocked)
{
    bool asks = one->parsed.kind == FG_FRAME_REQUEST || one->parsed.kind == FG_FRAME_ECHO;

    FUZZ_CHECK(blocked ==
               (asks && shop.catalogue.lists && is_blocked_source(one->asked, one->parsed.l3)));
}

/* As a worker takes a frame. */
static inline void receive(const uint8_t *bytes, size_t length, unsigned how)
{
    struct waiting *one = free_place();

    if (!one)
        return;
    *one = (struct waiting){.frame = fuzz_copy(bytes, length),
                            .asked = fuzz_copy(bytes, length),
                            .length = length,
                            .lists_changes = lists_changes};
    fg_frame_parse(one->frame, length, &us, (enum fg_checksum)(how % 3), &one->parsed);
    bool blocked = fg_frame_blocked(shop.catalogue.lists, &one->parsed);
    check_source(one, blocked);
    if (blocked)
        return give_up(one);
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
