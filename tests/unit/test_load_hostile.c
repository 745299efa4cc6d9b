/* SPDX-License-Identifier: BSD-3-Clause */
/* Hostile frames are judged by the engine's own parser and authentication: each kind must be
 * dropped for the reason that its row tells, and for no other. */
#include <stdlib.h>

#include "dataplane/admission/admission.h"
#include "dataplane/admission/catalogue.h"
#include "dataplane/net/frame.h"
#include "perf/load/hostile.h"
#include "tests/unit/load_fixture.h"

enum { PORTS = 40000, BASE_PORT = 20480, FRAMES_MAX = 8192, KEY = 9 };

/* Who the honest client is, and the engine. */
static const struct load_wire honest = {.mac = {{2, 0, 0, 0, 0, 1}},
                                        .target_mac = {{2, 0, 0, 0, 0, 2}},
                                        .target_known = true,
                                        .address = 0x0a090002,
                                        .target = 0x0a090001,
                                        .udp_port = 30000};
static const struct fg_frame_address engine_address = {.mac = {{2, 0, 0, 0, 0, 2}},
                                                       .address = 0x0a090001,
                                                       .mask = 0xffffff00,
                                                       .first_port = BASE_PORT,
                                                       .last_port = BASE_PORT + 63};

static struct load_hostile hostile;
static struct fg_keyring keys;
static struct fg_catalogue catalogue;

static struct {
    struct load_hostile_link link;
    unsigned count;
    uint64_t by_kind[LOAD_HOSTILE_COUNT], by_counter[LOAD_HOSTILE_COUNT][FG_COUNTER_COUNT];
    uint8_t last[LOAD_FRAME_BYTES_MAX];
    size_t last_length;
} port;

/* What the engine would count the frame as: FG_COUNTER_REQUESTS if it is taken for a request. */
static enum fg_counter judge(const uint8_t *bytes, size_t length)
{
    static const enum fg_counter why[] = {
        [FG_AUTHENTIC] = FG_COUNTER_REQUESTS,
        [FG_AUTH_UNSIGNED] = FG_COUNTER_DROP_UNSIGNED,
        [FG_AUTH_UNKNOWN_KEY] = FG_COUNTER_DROP_UNKNOWN_KEY,
        [FG_AUTH_SOURCE] = FG_COUNTER_DROP_KEY_SOURCE,
        [FG_AUTH_MAC] = FG_COUNTER_DROP_MAC,
        [FG_AUTH_STALE] = FG_COUNTER_DROP_STALE,
    };
    static const enum fg_counter unfit[] = {
        [FG_UNFIT_MALFORMED] = FG_COUNTER_DROP_MALFORMED,
        [FG_UNFIT_VERSION] = FG_COUNTER_DROP_VERSION,
        [FG_UNFIT_REPLY] = FG_COUNTER_DROP_REPLY,
    };
    /* A copy of its own size: a read past its end is seen by the sanitizer. */
    uint8_t *copy = malloc(length);
    enum fg_counter counter;
    struct fg_parsed parsed;
    uint16_t place;

    memcpy(copy, bytes, length);
    fg_frame_parse(copy, length, &engine_address, FG_CHECKSUM_UNKNOWN, &parsed);
    const uint8_t *payload = copy + parsed.l3 + FG_UDP_HEADERS;
    if (parsed.kind == FG_FRAME_DROPPED)
        counter = parsed.dropped;
    else if (parsed.kind != FG_FRAME_REQUEST)
        counter = FG_COUNTER_RX_FRAMES; /* ARP or echo: none of ours */
    else if (!fg_payload_check(payload, parsed.length))
        counter = unfit[fg_payload_unfit(payload, parsed.length)];
    else
        counter = why[fg_payload_authenticate(&catalogue, payload, parsed.length, parsed.source,
                                              client.origin_ns + wire.now_ns, &place)];
    free(copy);
    return counter;
}

static void send_hostile(struct load_hostile_link *link, uint32_t partition, const uint8_t *frame,
                         size_t length, enum load_hostile_kind kind)
{
    (void)link;
    assert_true(partition < client.partitions);
    assert_true(length <= LOAD_FRAME_BYTES_MAX);
    port.count++;
    port.by_kind[kind]++;
    port.by_counter[kind][judge(frame, length)]++;
    memcpy(port.last, frame, length);
    port.last_length = length;
}

static void begin_hostile(const char *list, uint64_t rate, uint64_t slice_ms)
{
    char message[256];

    begin(1000000, 1);
    memset(&port, 0, sizeof(port));
    port.link.send = send_hostile;
    keys = (struct fg_keyring){.count = 1};
    keys.keys[0] = (struct fg_key){.id = KEY, .ops = 0xff, .prefixes_count = 1};
    keys.keys[0].prefixes[0] =
        (struct fg_prefix){.address = fg_ip_of_v4(honest.address), .mask = fg_ip_mask(FG_IP_BITS)};
    memcpy(keys.keys[0].secret, secret, sizeof(secret));
    catalogue = (struct fg_catalogue){.keys = &keys, .freshness_ns = 30000 * (uint64_t)MS};
    hostile = (struct load_hostile){.client = &client,
                                    .link = &port.link,
                                    .rate = rate,
                                    .slice_ns = slice_ms * MS,
                                    .first_port = PORTS,
                                    .hosts_mask = 0xff};
    assert_int_equal(load_hostile_parse(&hostile.kinds, list, message, sizeof(message)), 0);
    assert_int_equal(load_hostile_start(&hostile, &honest, BASE_PORT), 0);
}

static int end_hostile(void **state)
{
    load_hostile_fini(&hostile);
    return end(state);
}

/* Plays so many ms, an honest request in each; how many hostile datagrams left. */
static unsigned play_ms(unsigned ms)
{
    unsigned before = port.count;

    for (unsigned i = 0; i < ms; i++) {
        wire.now_ns += MS;
        wire.count = 0;
        if (load_client_offer(&client, 1) > 0)
            load_hostile_overhear(&hostile, wire.sent[0].partition, &wire.sent[0],
                                  FG_REQUEST_BYTES(1));
        while (load_hostile_play(&hostile, wire.now_ns, 8) > 0)
            continue;
    }
    return port.count - before;
}

static const char *const counter_names[] = {
#define X(name, text, help) [FG_COUNTER_##name] = text,
    FG_COUNTERS(X)
#undef X
};

static void every_kind_is_what_its_counter_says(void **state)
{
    (void)state;
    begin_hostile("all", 100000, 0);
    play_ms(100);
    for (unsigned kind = 0; kind < LOAD_HOSTILE_COUNT; kind++) {
        assert_true(port.by_kind[kind] > 2 * LOAD_HOSTILE_VARIANTS);
        assert_int_equal(port.by_kind[kind], hostile.sent[kind]);
        for (unsigned counter = 0; counter < FG_COUNTER_COUNT; counter++) {
            if (port.by_counter[kind][counter] == 0)
                continue;
            assert_string_equal(counter_names[counter], load_hostile_counter(kind));
            assert_int_equal(port.by_counter[kind][counter], port.by_kind[kind]);
        }
    }
}

/* A frame of its kind as the engine would answer it: addresses and ports the other way round, the
 * same VLAN tags. */
static void answer_last(void)
{
    size_t at = port.last[12] == 0x81 ? 22 : 14;
    uint8_t bytes[12];

    if (port.last[at] > 0x45 && port.last[at] < 0x50) /* an answer has no options */
        memmove(port.last + at + 20, port.last + at + 24, 4);
    memcpy(bytes, port.last + at + 12, sizeof(bytes));
    memcpy(port.last + at + 12, bytes + 4, 4);
    memcpy(port.last + at + 16, bytes, 4);
    memcpy(port.last + at + 20, bytes + 10, 2);
    memcpy(port.last + at + 22, bytes + 8, 2);
    memcpy(port.last + at - 2, "\x08", 2);
    load_hostile_hear(&hostile, port.last, port.last_length);
}

/* Whatever an engine answered to any frame that it has to drop would be seen, but for those that
 * say they are from the honest client, which sees them itself. */
static void every_answer_is_recognised(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < LOAD_HOSTILE_COUNT; kind++) {
        uint64_t answers = 0;
        begin_hostile(load_hostile_name(kind), 1000, 0);
        play_ms(1);
        for (unsigned i = 0; i < 64; i++) {
            play_ms(1);
            if (port.last_length >= LOAD_WIRE_HEADERS_BYTES) {
                answer_last();
                answers++;
            }
        }
        assert_true(answers > 16);
        if (kind == LOAD_HOSTILE_REPLAY)
            assert_int_equal(hostile.stray, answers);
        else
            assert_int_equal(hostile.answers[kind], answers);
        end_hostile(state);
    }
    begin_hostile("all", 1000, 0);
}

static void the_rate_is_kept_and_what_is_late_is_skipped(void **state)
{
    (void)state;
    begin_hostile("forged", 12345, 0);
    assert_in_range(play_ms(2000), 24689, 24690);
    assert_int_equal(hostile.skipped, 0);
    wire.now_ns += 1000 * (uint64_t)MS;
    assert_in_range(play_ms(1), 240, 260); /* 20 ms of it */
    assert_in_range(hostile.skipped, 12100, 12120);
}

static void replays_are_of_the_last_honest_datagrams(void **state)
{
    struct sent copy;

    (void)state;
    begin_hostile("replay", 1000, 0);
    wire.now_ns += MS;
    assert_int_equal(load_hostile_play(&hostile, wire.now_ns, 8), 0); /* none to copy yet */
    assert_int_equal(play_ms(1), 2);
    memcpy(&copy, port.last + LOAD_WIRE_HEADERS_BYTES, FG_REQUEST_BYTES(1));
    assert_memory_equal(&copy, &wire.sent[0], FG_REQUEST_BYTES(1));
    assert_int_equal(play_ms(3000), 3000);
    memcpy(&copy, port.last + LOAD_WIRE_HEADERS_BYTES, FG_REQUEST_BYTES(1));
    assert_true(client.name - copy.header.time_ns <= LOAD_OVERHEARD * (uint64_t)MS);
}

static void bots_are_buyers_of_their_own(void **state)
{
    uint8_t one[FG_BUYER_BYTES], first[FG_BUYER_BYTES];
    struct sent bot;

    (void)state;
    begin_hostile("one-buyer,many-buyers", 1000, 0);
    load_mix_buyer_identity(&client.mix, client.mix.buyers, one);
    unsigned ones = 0;
    uint64_t request = 0, name = 0;
    for (unsigned i = 0; i < 200; i++) {
        assert_int_equal(play_ms(1), 1);
        memcpy(&bot, port.last + LOAD_WIRE_HEADERS_BYTES, FG_REQUEST_BYTES(1));
        assert_true(bot.entries[0].request > LOAD_REQUESTS_MAX);
        assert_true(bot.entries[0].request > request && bot.header.time_ns > name);
        request = bot.entries[0].request;
        name = bot.header.time_ns;
        ones += memcmp(bot.entries[0].buyer, one, FG_BUYER_BYTES) == 0;
        for (uint32_t buyer = 0; buyer < client.mix.buyers; buyer++) {
            load_mix_buyer_identity(&client.mix, buyer, first);
            assert_memory_not_equal(bot.entries[0].buyer, first, FG_BUYER_BYTES);
        }
    }
    assert_in_range(ones, 60, 140);
    assert_int_equal(ones, port.by_kind[LOAD_HOSTILE_ONE_BUYER]);
}

/* off on | on off | off on: and the first fifth of every slice without. */
static void turns_are_taken(void **state)
{
    static const bool on[] = {false, true, true, false, false, true, true, false};

    (void)state;
    begin_hostile("forged", 10000, 100);
    for (unsigned slice = 0; slice < sizeof(on); slice++) {
        assert_int_equal(play_ms(19), 0);
        unsigned sent = play_ms(80);
        if (on[slice])
            assert_in_range(sent, 790, 810);
        else
            assert_int_equal(sent, 0);
        (void)play_ms(1);
    }
}

static void lists_are_read(void **state)
{
    static const struct {
        const char *list, *says;
    } wrong[] = {
        {"", "\"\" is no kind"},  {"forged,", "\"\" is no kind"}, {"forge", "\"forge\" is no kind"},
        {"forged:x", "is wrong"}, {"forged:1,forged:2", "twice"}, {"forged:0", "no weight above 0"},
    };
    struct load_weights kinds = {0};
    char message[256];

    (void)state;
    begin_hostile("all", 1000, 0);
    assert_int_equal(hostile.kinds.count, LOAD_HOSTILE_COUNT);
    assert_int_equal(load_hostile_parse(&kinds, "forged:3,low-port", message, sizeof(message)), 0);
    assert_int_equal(kinds.count, 2);
    assert_int_equal(kinds.values[0], LOAD_HOSTILE_FORGED + 1);
    assert_int_equal(kinds.weights[0], 3);
    assert_int_equal(kinds.values[1], LOAD_HOSTILE_LOW_PORT + 1);
    load_weights_fini(&kinds);
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(load_hostile_parse(&kinds, wrong[i].list, message, sizeof(message)), -1);
        assert_non_null(strstr(message, wrong[i].says));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_kind_is_what_its_counter_says, end_hostile),
        cmocka_unit_test_teardown(every_answer_is_recognised, end_hostile),
        cmocka_unit_test_teardown(the_rate_is_kept_and_what_is_late_is_skipped, end_hostile),
        cmocka_unit_test_teardown(replays_are_of_the_last_honest_datagrams, end_hostile),
        cmocka_unit_test_teardown(bots_are_buyers_of_their_own, end_hostile),
        cmocka_unit_test_teardown(turns_are_taken, end_hostile),
        cmocka_unit_test_teardown(lists_are_read, end_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
