/* SPDX-License-Identifier: BSD-3-Clause */
/* The generator's wire over IPv6, held against the engine's own reading and writing of frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dataplane/net/reply.h"
#include "perf/load/wire.h"
#include "tests/unit/frames.h"

static struct load_wire wire;
static struct built frame;
static const uint8_t *payload;
static size_t payload_length;
static enum load_drop drop;

static int face(void **state)
{
    (void)state;
    wire = (struct load_wire){.mac = client_mac,
                              .target_mac = engine_address.mac,
                              .target_known = true,
                              .ipv6 = true,
                              .address6 = CLIENT_IP6,
                              .target6 = ENGINE_IP6,
                              .udp_port = CLIENT_PORT};
    frame = (struct built){.l3 = 14};
    return 0;
}

static enum load_frame parse(size_t length)
{
    /* A copy of its own size: a read past its end is seen by the sanitizer. */
    uint8_t *copy = malloc(length + (length == 0));
    memcpy(copy, frame.bytes, length);
    enum load_frame kind = load_wire_parse(&wire, copy, length, &payload, &payload_length, &drop);
    if (kind == LOAD_FRAME_PAYLOAD)
        payload = frame.bytes + (payload - copy);
    free(copy);
    return kind;
}

/* A request as the generator sends it, and the engine's reply. */
static size_t ask_and_answer(const void *data, size_t length)
{
    frame.length = load_wire_datagram(&wire, frame.bytes, ENGINE_PORT + 7, data, length);
    struct fg_parsed parsed = parse_built(&frame, FG_CHECKSUM_UNKNOWN);
    assert_int_equal(frame.length, LOAD_WIRE6_HEADERS_BYTES + length);
    assert_int_equal(parsed.kind, FG_FRAME_REQUEST);
    assert_int_equal(parsed.length, length);
    assert_true(fg_ip_same(parsed.source, CLIENT_IP6));
    assert_memory_equal(frame.bytes + parsed.payload, data, length);
    return fg_reply_udp(frame.bytes, parsed.l3, (uint32_t)length);
}

static void every_length_travels(void **state)
{
    uint8_t data[1304];
    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7 + i / 3);
    for (size_t length = 0; length <= sizeof(data); length++) {
        size_t bytes = ask_and_answer(data, length);
        assert_int_equal(parse(bytes), LOAD_FRAME_PAYLOAD);
        assert_int_equal(payload_length, length);
        assert_memory_equal(payload, data, length);
    }
}

static void spoilt_frames_are_dropped_by_cause(void **state)
{
    static const struct {
        size_t at;
        uint8_t with;
        enum load_frame kind;
        enum load_drop drop;
    } spoils[] = {
        {0, 1, LOAD_FRAME_IGNORED, 0},
        {13, 1, LOAD_FRAME_IGNORED, 0},
        {14, 0x10, LOAD_FRAME_DROPPED, LOAD_DROP_NOT_UDP},
        {19, 200, LOAD_FRAME_DROPPED, LOAD_DROP_RUNT}, /* longer than the frame */
        {20, 1, LOAD_FRAME_DROPPED, LOAD_DROP_NOT_UDP},
        {37, 1, LOAD_FRAME_DROPPED, LOAD_DROP_NOT_FOR_US},
        {53, 1, LOAD_FRAME_DROPPED, LOAD_DROP_NOT_FOR_US},
        {54, 1, LOAD_FRAME_DROPPED, LOAD_DROP_CHECKSUM},
        {57, 1, LOAD_FRAME_DROPPED, LOAD_DROP_NOT_FOR_US}, /* port */
        {59, 1, LOAD_FRAME_DROPPED, LOAD_DROP_RUNT},
        {61, 1, LOAD_FRAME_DROPPED, LOAD_DROP_CHECKSUM},
        {70, 1, LOAD_FRAME_DROPPED, LOAD_DROP_CHECKSUM},
    };
    (void)state;
    size_t length = ask_and_answer("some payload", 12);
    for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
        frame.bytes[spoils[i].at] ^= spoils[i].with;
        assert_int_equal(parse(length), spoils[i].kind);
        if (spoils[i].kind == LOAD_FRAME_DROPPED)
            assert_int_equal(drop, spoils[i].drop);
        frame.bytes[spoils[i].at] ^= spoils[i].with;
    }
    for (size_t cut = 0; cut < length; cut++) {
        assert_int_equal(parse(cut), LOAD_FRAME_DROPPED);
        assert_int_equal(drop, LOAD_DROP_RUNT);
    }
    put16(frame.bytes + 60, 0); /* without a checksum */
    assert_int_equal(parse(length), LOAD_FRAME_DROPPED);
    assert_int_equal(drop, LOAD_DROP_CHECKSUM);
}

static void solicitation_finds_the_target(void **state)
{
    (void)state;
    wire.target_known = false;
    memset(&wire.target_mac, 0, sizeof(wire.target_mac));
    frame.length = load_wire_arp_question(&wire, frame.bytes);
    struct fg_parsed parsed = parse_built(&frame, FG_CHECKSUM_UNKNOWN);
    assert_int_equal(parsed.kind, FG_FRAME_NEIGHBOUR);
    size_t length = fg_reply_neighbour(frame.bytes, parsed.l3, &engine_address);
    assert_int_equal(length, frame.length);
    for (size_t cut = 0; cut < length; cut++)
        assert_int_equal(parse(cut), LOAD_FRAME_DROPPED);
    frame.bytes[14 + 7] = 254; /* from beyond the link */
    assert_int_equal(parse(length), LOAD_FRAME_IGNORED);
    frame.bytes[14 + 7] = 255;
    frame.bytes[80] ^= 2; /* another MAC than it was signed with */
    assert_int_equal(parse(length), LOAD_FRAME_IGNORED);
    frame.bytes[80] ^= 2;
    assert_false(wire.target_known);
    assert_int_equal(parse(length), LOAD_FRAME_ARP_TOLD);
    assert_true(wire.target_known);
    assert_memory_equal(&wire.target_mac, &engine_address.mac, 6);
}

/* The engine never asks; a kernel at the other end of the wire would. */
static void who_asks_is_told(void **state)
{
    struct load_wire other;
    (void)state;
    other = (struct load_wire){
        .mac = engine_address.mac, .ipv6 = true, .address6 = ENGINE_IP6, .target6 = CLIENT_IP6};
    frame.length = load_wire_arp_question(&other, frame.bytes);
    assert_int_equal(parse(frame.length), LOAD_FRAME_ARP_ASKS);
    frame.length = load_wire_arp_answer(&wire, frame.bytes);
    struct load_wire self = wire;
    wire = other;
    assert_int_equal(parse(frame.length), LOAD_FRAME_ARP_TOLD);
    assert_memory_equal(&wire.target_mac, &self.mac, 6);
    wire = self;
    frame = build_solicitation(TO_GROUP, true, -1); /* for the engine's address, not ours */
    assert_int_equal(parse(frame.length), LOAD_FRAME_IGNORED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_length_travels, face),
        cmocka_unit_test_setup(spoilt_frames_are_dropped_by_cause, face),
        cmocka_unit_test_setup(solicitation_finds_the_target, face),
        cmocka_unit_test_setup(who_asks_is_told, face),
    };
    return cmocka_run_group_tests_name("load_wire6", tests, NULL, NULL);
}
