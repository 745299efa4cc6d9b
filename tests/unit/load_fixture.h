/* SPDX-License-Identifier: BSD-3-Clause */
/* The generator's client over a link of the test's own, which keeps what is sent and moves time by
 * hand. */
#ifndef FG_TEST_LOAD_FIXTURE_H
#define FG_TEST_LOAD_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "perf/load/client.h"
#include "perf/load/retry.h"

/* A test may want a shorter memory. */
#ifndef LOAD_SENT_MAX
#define LOAD_SENT_MAX 4096
#endif
enum { SENT_MAX = LOAD_SENT_MAX, MS = 1000000 };

struct sent {
    struct fg_header header;
    struct fg_request entries[FG_ENTRIES_MAX];
    uint32_t partition;
    uint64_t at_ns;
};

static struct {
    struct load_link link;
    uint64_t now_ns;
    bool full;
    unsigned count;
    struct sent sent[SENT_MAX];
} wire;

static struct load_client client;
static const uint8_t secret[FG_SECRET_BYTES] = "0123456789abcdef";

static bool wire_send(struct load_link *link, uint32_t partition, const void *payload,
                      size_t length)
{
    struct sent *sent = &wire.sent[wire.count];
    (void)link;

    if (wire.full)
        return false;
    assert_true(wire.count < SENT_MAX);
    assert_true(length <= FG_REQUEST_BYTES(FG_ENTRIES_MAX));
    memcpy(sent, payload, length);
    assert_int_equal(length, FG_REQUEST_BYTES(sent->header.count));
    assert_true(sent->header.mac == fg_payload_mac(secret, payload, length));
    sent->partition = partition;
    sent->at_ns = wire.now_ns;
    wire.count++;
    return true;
}

static uint64_t wire_now_ns(struct load_link *link)
{
    (void)link;
    return wire.now_ns;
}

/* A client of `requests` requests at 1000 a second, `batch` of them in a datagram. */
static inline void begin(uint32_t requests, uint32_t batch)
{
    char message[128];

    memset(&wire, 0, sizeof(wire));
    wire.link = (struct load_link){.send = wire_send, .now_ns = wire_now_ns};
    wire.now_ns = 5000 * (uint64_t)MS;
    memset(&client, 0, sizeof(client));
    client.link = &wire.link;
    client.requests = requests;
    client.rate = 1000;
    client.window = 8;
    client.think_ms = 20;
    client.key_id = 9;
    client.origin_ns = UINT64_C(1700000000000000000);
    memcpy(client.secret, secret, sizeof(secret));
    client.mix =
        (struct load_mix){.seed = 1, .buyers = 1000, .batch = batch, .confirm_percent = 100};
    assert_int_equal(load_weights_parse(&client.mix.items, "7:1,8:1", 100, message, 128), 0);
    assert_int_equal(load_weights_parse(&client.mix.quantities, "1:1,2:1", 100, message, 128), 0);
    assert_int_equal(load_client_init(&client), 0);
    client.partitions = 64;
    client.workers = 2;
    load_client_start(&client);
}

static inline int end(void **state)
{
    (void)state;
    load_client_fini(&client);
    load_weights_fini(&client.mix.items);
    load_weights_fini(&client.mix.quantities);
    return 0;
}

/* Time passes in steps of a millisecond; timers run, nothing new is offered. */
static inline void pass_ms(unsigned ms)
{
    for (unsigned i = 0; i < ms; i++) {
        wire.now_ns += MS;
        while (load_client_tick(&client, 8) > 0)
            continue;
    }
}

struct answer {
    uint8_t verdict, flags;
    uint64_t order;
    uint32_t wait_ms;
};

static inline size_t make_reply(unsigned which, const struct answer *answers, uint8_t *payload)
{
    const struct sent *sent = &wire.sent[which];
    struct fg_header header = sent->header;
    size_t length = FG_REPLY_BYTES(header.count);

    header.type = FG_TYPE_REPLY;
    memcpy(payload, &header, sizeof(header));
    for (unsigned i = 0; i < header.count; i++) {
        struct fg_reply reply = {.request = sent->entries[i].request,
                                 .order = answers[i].order,
                                 .item = sent->entries[i].item,
                                 .quantity = sent->entries[i].quantity,
                                 .verdict = answers[i].verdict,
                                 .flags = answers[i].flags,
                                 .wait_ms = answers[i].wait_ms};
        memcpy(payload + sizeof(header) + i * sizeof(reply), &reply, sizeof(reply));
    }
    header.mac = fg_payload_mac(secret, payload, length);
    memcpy(payload, &header, sizeof(header));
    return length;
}

/* The engine's answer to the which-th datagram arrives now; one answer for each entry. */
static inline void answer_all(unsigned which, const struct answer *answers)
{
    uint8_t payload[FG_REPLY_BYTES(FG_ENTRIES_MAX)];
    size_t length = make_reply(which, answers, payload);

    load_client_receive(&client, wire.now_ns, payload, length);
}

static inline void answer(unsigned which, uint8_t verdict)
{
    answer_all(which, &(struct answer){.verdict = verdict});
}

static inline void offer_all(void)
{
    pass_ms(1000);
    while (load_client_offer(&client, 32) > 0)
        continue;
}

/* The client pings, and hears that PONG. */
static inline void ping(const struct fg_reply *pong)
{
    uint8_t payload[FG_REPLY_BYTES(1)];

    assert_true(load_client_ping(&client));
    struct fg_header header = wire.sent[wire.count - 1].header;
    header.type = FG_TYPE_REPLY;
    header.mac = 0;
    memcpy(payload, &header, sizeof(header));
    memcpy(payload + sizeof(header), pong, sizeof(*pong));
    header.mac = fg_payload_mac(secret, payload, sizeof(payload));
    memcpy(payload, &header, sizeof(header));
    load_client_receive(&client, wire.now_ns, payload, sizeof(payload));
}

#endif
