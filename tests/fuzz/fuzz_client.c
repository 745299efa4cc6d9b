/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replies as the generator's client takes them, from an engine that may say anything at any time:
 * steps of time, of sending, and of replies, made of raw bytes or to what was really sent.
 *
 * Holds: what answers nothing that is waited for changes nothing but a count of drops; no datagram
 * is answered twice; the client's sums agree, and its history has an answer for exactly what was
 * answered.
 */
#define LOAD_SENT_MAX 512
#include "tests/unit/load_fixture.h"

#include "tests/fuzz/fuzz.h"

#define REQUESTS  24
#define STEPS_MAX 120
#define STEP_MS   64 /* the longest step of time */

static uint64_t dropped(void)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < LOAD_DROP_COUNT; i++)
        sum += client.stats.drops[i];
    return sum;
}

static uint64_t answered_records(void)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < client.history.header.records; i++)
        sum += client.history.records[i].replied_ns != 0;
    return sum;
}

/* A reply arrives, as an allocation of its own. */
static void arrive(const void *payload, size_t length)
{
    uint8_t *exact = fuzz_copy(payload, length);
    struct load_stats before = client.stats;
    uint64_t drops = dropped(), answers = answered_records();

    load_client_receive(&client, wire.now_ns, exact, length);
    free(exact);
    FUZZ_CHECK(dropped() + client.stats.received == drops + before.received + 1);
    if (client.stats.received == before.received) {
        FUZZ_CHECK(answered_records() == answers);
        FUZZ_CHECK(client.stats.answered == before.answered);
        FUZZ_CHECK(client.stats.finished == before.finished);
    }
}

static void step_raw(struct fuzz_input *input, bool sign)
{
    size_t length;
    const uint8_t *bytes = fuzz_bytes(input, fuzz_u8(input) * 6u, &length);
    uint8_t payload[2048];
    struct fg_header header;

    memcpy(payload, bytes, length);
    if (sign && length >= sizeof(header)) {
        memcpy(&header, payload, sizeof(header));
        header.mac = fg_payload_mac(secret, payload, length);
        memcpy(payload, &header, sizeof(header));
    }
    arrive(payload, length);
}

/* To a datagram that was sent: answers of the input, whole and rightly signed, or nearly. */
static void step_reply(struct fuzz_input *input)
{
    static const uint8_t verdicts[] = {
#define X(name, code, help) code,
        FG_VERDICTS(X)
#undef X
    };
    struct answer answers[FG_ENTRIES_MAX] = {0};
    uint8_t payload[FG_REPLY_BYTES(FG_ENTRIES_MAX)];
    uint8_t which = fuzz_u8(input), bend = fuzz_u8(input);

    if (wire.count == 0)
        return;
    unsigned sent = wire.count - 1 - which % (wire.count < 16 ? wire.count : 16);
    for (unsigned i = 0; i < wire.sent[sent].header.count; i++) {
        uint8_t what = fuzz_u8(input), more = fuzz_u8(input);
        answers[i] = (struct answer){.verdict = verdicts[what % sizeof(verdicts)],
                                     .flags = more & 3,
                                     .order = more & 4 ? 1000 + more : 0,
                                     .wait_ms = more & 8 ? UINT32_MAX >> more % 32 : more};
    }
    size_t length = make_reply(sent, answers, payload);
    if (bend > 200)
        payload[fuzz_u8(input) % length] ^= (uint8_t)(1u << bend % 8);
    arrive(payload, length - (bend > 250));
}

static void step_pong(struct fuzz_input *input)
{
    struct fg_reply pong = {.item = 1u << fuzz_u8(input) % 20,
                            .quantity = 4096,
                            .verdict = FG_VERDICT_PONG,
                            .order = fuzz_u8(input),
                            .wait_ms = fuzz_u8(input)};

    wire.full = false;
    if (wire.count < SENT_MAX)
        ping(&pong);
}

/* No more is sent than there is room to remember. */
static void pass(unsigned ms)
{
    wire.full = wire.count > SENT_MAX - 256;
    pass_ms(ms);
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
        pass(fuzz_u8(input) % STEP_MS);
        break;
    case 3:
        wire.full = fuzz_u8(input) & 1;
        break;
    case 4:
        step_pong(input);
        break;
    case 5:
        while (load_client_offer(&client, 4) > 0)
            continue;
        break;
    default:
        step_reply(input);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    uint8_t how = fuzz_u8(&input);

    begin(REQUESTS, 1 + how % 4);
    client.mix.repeat_permille = (how >> 4) * 60u;
    for (unsigned i = 0; i < STEPS_MAX && input.left > 0; i++)
        step(&input);
    FUZZ_CHECK(client.stats.finished <= client.requests);
    FUZZ_CHECK(client.stats.answered <= client.stats.offered);
    FUZZ_CHECK(client.stats.offered <= client.requests);
    end(NULL);
    return 0;
}
