/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From frames to decisions and back: what a sender can do to two workers and their stock.
 *
 * An input is a list of steps. Frames come raw, with their checksums mended, or with mac and time
 * made right, so that the fuzzer gets as deep as an honest client; between them time passes, the
 * log is flushed or has no room, an operator acts. The steps are those of dataplane/receive.c.
 *
 * Holds: a reply is no longer than its request, goes back where that came from, is rightly signed,
 * and is neither a request nor anything else that an engine would answer. What is told of an order
 * is durable. No unit is sold twice, no limit passed, none lost; a datagram is answered once. With
 * lists in force, who is blocked is met with silence or BLOCKED, and nobody else is.
 */
#include "tests/fuzz/frame_shop.h"

#define STEPS_MAX 96
#define FRAME_MAX 1600

static void step_raw(struct fuzz_input *input, bool mend)
{
    struct built frame = {.l3 = 14};
    unsigned how = fuzz_u8(input);
    const uint8_t *bytes = fuzz_bytes(input, fuzz_u16(input) % FRAME_MAX, &frame.length);

    memcpy(frame.bytes, bytes, frame.length);
    frame.l3 = get16(frame.bytes + 12) == 0x8100 ? 18 : 14;
    if (mend && get16(frame.bytes + frame.l3 - 2) == 0x86dd)
        mend_ipv6(&frame);
    else if (mend)
        mend_ipv4(&frame);
    receive(frame.bytes, frame.length, how);
}

static void sign(uint8_t *payload, size_t length, uint64_t late_ms, unsigned key)
{
    struct fg_header header;

    memcpy(&header, payload, sizeof(header));
    header.key_id = shop.ring.keys[key].id;
    header.time_ns = shop.now.wall_ns - late_ms * 1000000 + ++shop.last_time_ns % 100000;
    header.mac = 0;
    memcpy(payload, &header, sizeof(header));
    if (header.key_id)
        header.mac = fg_payload_mac(shop.ring.keys[key].secret, payload, length);
    memcpy(payload, &header, sizeof(header));
}

/* Four places of the sender's network: its own, one that is blocked, one that is allowed in there,
 * and one that is blocked in there again. */
static void move_source(struct built *frame, bool ipv6, unsigned place)
{
    static const uint8_t last[] = {0, BLOCK_FIRST + 1, ALLOW_FIRST + 1, BLOCK_AGAIN};
    uint8_t *ip = frame->bytes + frame->l3;

    if (place == 0)
        return;
    ip[ipv6 ? 23 : 15] = last[place];
    if (!ipv6)
        fix_ip_checksum(frame);
}

static void send_payload(const uint8_t *payload, size_t length, unsigned how)
{
    bool ipv6 = how & 16;
    int vlan = how & 8 ? (int)how : -1;
    struct built frame = ipv6 ? build_udp6(length, vlan) : build_udp(length, vlan);

    memcpy(frame.bytes + fg_frame_payload(frame.l3, ipv6), payload, length);
    move_source(&frame, ipv6, how >> 5 & 3);
    if (ipv6)
        fix6(&frame, 6);
    else
        fix_udp_checksum(&frame);
    receive(frame.bytes, frame.length, how);
}

static void step_payload(struct fuzz_input *input, bool signs)
{
    uint8_t payload[FRAME_MAX] = {0};
    size_t length;
    unsigned how = fuzz_u8(input), key = signs ? fuzz_u8(input) : 0;
    uint64_t late_ms = signs ? fuzz_u16(input) % (FRESH_MS + 2) : 0;
    const uint8_t *bytes = fuzz_bytes(input, fuzz_u16(input) % 1472, &length);

    memcpy(payload, bytes, length);
    if (signs && length >= sizeof(struct fg_header))
        sign(payload, length, late_ms, key % KEYS);
    send_payload(payload, length, how);
}

/* A few buyers, requests and items, so that inputs meet each other. */
static void step_entries(struct fuzz_input *input)
{
    uint8_t payload[FG_REQUEST_BYTES(4)];
    struct fg_header header = {
        .magic = {FG_MAGIC_0, FG_MAGIC_1}, .version = FG_VERSION, .type = FG_TYPE_REQUEST};
    uint8_t what = fuzz_u8(input);

    header.count = 1 + what % 4;
    memcpy(payload, &header, sizeof(header));
    for (unsigned i = 0; i < header.count; i++) {
        struct fg_request ask = {0};
        uint8_t who = fuzz_u8(input), which = fuzz_u8(input), op = fuzz_u8(input);
        a_buyer(who, ask.buyer);
        ask.request = who >> 5;
        ask.item = which % 6;
        ask.quantity = which >> 5;
        ask.op = op & 7;
        ask.flags = op >> 3 == 31;
        if (op & 8 && ledger.count > 0)
            ask.order = ledger.orders[op >> 4 % ledger.count].admit.order;
        memcpy(payload + FG_REQUEST_BYTES(i), &ask, sizeof(ask));
    }
    sign(payload, FG_REQUEST_BYTES(header.count), 0, (what >> 2) % KEYS);
    send_payload(payload, FG_REQUEST_BYTES(header.count), what);
}

static void step_time(struct fuzz_input *input)
{
    unsigned ms = fuzz_u16(input) % 4096;

    for (unsigned by; ms > 0; ms -= by) {
        by = ms < POLL_MS ? ms : POLL_MS;
        shop.now.ms += by;
        shop.now.wall_ns += by * UINT64_C(1000000);
        poll_shop();
    }
}

/* An operator asks for a buyer's orders, or withdraws one. */
static void step_command(struct fuzz_input *input)
{
    struct fg_command command = {.kind = (enum fg_command_kind)(fuzz_u8(input) % 3)};
    uint8_t who = fuzz_u8(input);

    a_buyer(who, command.buyer);
    command.request = who >> 5;
    command.page = (struct fg_order_page){.goes_on = who & 16, .after = who >> 5};
    unsigned w = fg_partition(command.buyer, SHOP_PARTITIONS) % WORKERS;
    fg_command_run(&command, shop.admissions[w], &shop.now, &shop.catalogue);
    FUZZ_CHECK(command.count <= FG_COMMAND_ORDERS_MAX);
}

/* What control and the journal do meanwhile. */
static void step_around(struct fuzz_input *input)
{
    uint8_t what = fuzz_u8(input), value = fuzz_u8(input);
    struct fg_item *item = shop_item(&shop, 1 + value % SHOP_ITEMS);

    switch (what % 8) {
    case 0:
        item->state = (uint8_t)((value >> 2) % FG_SALE_ARCHIVED);
        break;
    case 1:
        item->paused = value >> 7;
        break;
    case 2:
        shop.catalogue.mode = value % FG_ENGINE_MODE_COUNT;
        break;
    case 3:
        for (unsigned w = 0; w < WORKERS; w++)
            atomic_store(&shop.lanes[w].log_room, value % 3);
        break;
    case 4:
        if (value & 1)
            put_lists(value & 2);
        else
            fg_stock_publish(&shop.stock, SHOP_ITEMS);
        break;
    case 5:
        item->opens_ns = shop.now.wall_ns + value * UINT64_C(10000000);
        break;
    case 6:
        item->closes_ns = value ? shop.now.wall_ns + value * UINT64_C(10000000) : 0;
        break;
    case 7:
        item->cancel_final = value >> 6 & 1;
        break;
    }
}

static void step(struct fuzz_input *input)
{
    switch (fuzz_u8(input) % 8) {
    case 0:
        step_raw(input, false);
        break;
    case 1:
        step_raw(input, true);
        break;
    case 2:
        step_payload(input, false);
        break;
    case 3:
        step_payload(input, true);
        break;
    case 4:
        step_entries(input);
        break;
    case 5:
        step_time(input);
        break;
    case 6:
        fuzz_u8(input) & 1 ? flush_shop() : step_command(input);
        break;
    case 7:
        step_around(input);
        break;
    }
}

/* At rest every unit is free or given, and nobody waits for an answer. */
static void check_rest(void)
{
    for (unsigned w = 0; w < WORKERS; w++)
        atomic_store(&shop.lanes[w].log_room, FG_LOG_OPEN);
    for (unsigned i = 0; i < 4; i++) {
        flush_shop();
        shop.now.ms += POLL_MS;
    }
    flush_shop();
    for (unsigned i = 0; i < WAITING_MAX; i++)
        FUZZ_CHECK(!waiting[i].frame);
    for (uint32_t id = 1; id <= SHOP_ITEMS; id++)
        FUZZ_CHECK(fg_stock_free_units(&shop.stock, id - 1) + ledger.given[id] == SUPPLY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};

    open_shop();
    for (unsigned i = 0; i < STEPS_MAX && input.left > 0; i++)
        step(&input);
    check_rest();
    shop_close(&shop);
    return 0;
}
