/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "perf/load/wire.h"

enum { FRAME = 2048, OWN = 0x0a000002, TARGET = 0x0a000001, PORT = 30000 };

static struct load_wire ours, theirs;
static uint8_t frame[FRAME];
static const uint8_t *payload;
static size_t payload_length;
static enum load_drop drop;

/* Two wires that face each other, so each one's frames are what the other expects. */
static int face(void **state)
{
    (void)state;
    ours = (struct load_wire){.mac = {{2, 0, 0, 0, 0, 1}},
                              .target_mac = {{2, 0, 0, 0, 0, 2}},
                              .target_known = true,
                              .address = OWN,
                              .target = TARGET,
                              .udp_port = PORT};
    theirs = (struct load_wire){.mac = ours.target_mac,
                                .target_mac = ours.mac,
                                .target_known = true,
                                .address = TARGET,
                                .target = OWN,
                                .udp_port = 20480};
    return 0;
}

static enum load_frame parse(const void *bytes, size_t length)
{
    /* A copy of its own size: a read past its end is seen by the sanitizer. */
    uint8_t *copy = malloc(length + (length == 0));
    memcpy(copy, bytes, length);
    enum load_frame kind = load_wire_parse(&ours, copy, length, &payload, &payload_length, &drop);
    if (kind == LOAD_FRAME_PAYLOAD)
        payload = (const uint8_t *)bytes + (payload - copy);
    free(copy);
    return kind;
}

/* The ones' complement sum of big-endian words. */
static uint32_t sum(const uint8_t *at, size_t length, uint32_t start)
{
    for (size_t i = 0; i < length; i++)
        start += (uint32_t)at[i] << (i % 2 == 0 ? 8 : 0);
    while (start >> 16)
        start = (start & 0xffff) + (start >> 16);
    return start;
}

static void a_datagram_is_right_to_the_byte(void **state)
{
    static const uint8_t headers[40] = {2,    0, 0,  0,  0, 2, 2,    0,    0,    0,    0, 1, 8,  0,
                                        0x45, 0, 0,  31, 0, 0, 0x40, 0,    64,   17,   0, 0, 10, 0,
                                        0,    2, 10, 0,  0, 1, 0x75, 0x30, 0x50, 0x07, 0, 11};
    (void)state;
    assert_int_equal(load_wire_datagram(&ours, frame, 0x5007, "abc", 3), 45);
    const uint8_t *ip = frame + 14, *udp = frame + 34;
    assert_int_equal(sum(ip, 20, 0), 0xffff);
    /* Pseudo header: both addresses, protocol 17, UDP length. */
    assert_int_equal(sum(udp, 11, sum(ip + 12, 8, 17 + 11)), 0xffff);
    frame[24] = frame[25] = 0;
    assert_memory_equal(frame, headers, sizeof(headers));
    assert_memory_equal(frame + 42, "abc", 3);
}

static void every_length_travels(void **state)
{
    uint8_t data[1304];
    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7 + i / 3);
    for (size_t length = 0; length <= sizeof(data); length++) {
        size_t bytes = load_wire_datagram(&theirs, frame, PORT, data, length);
        assert_int_equal(sum(frame + 34, 8 + length, sum(frame + 26, 8, 17 + 8 + (uint32_t)length)),
                         0xffff);
        assert_int_equal(parse(frame, bytes), LOAD_FRAME_PAYLOAD);
        assert_int_equal(payload_length, length);
        assert_memory_equal(payload, data, length);
    }
}

/* A sum of 0xffff makes a checksum of zero, which is written as 0xffff. */
static void a_checksum_of_zero_is_written_as_ones(void **state)
{
    uint8_t data[2] = {0};
    (void)state;
    load_wire_datagram(&theirs, frame, PORT, data, sizeof(data));
    memcpy(data, frame + 40, 2); /* what is missing to 0xffff */
    size_t length = load_wire_datagram(&theirs, frame, PORT, data, sizeof(data));
    assert_int_equal(frame[40], 0xff);
    assert_int_equal(frame[41], 0xff);
    assert_int_equal(parse(frame, length), LOAD_FRAME_PAYLOAD);
}

static void padding_of_a_short_frame_is_no_payload(void **state)
{
    (void)state;
    memset(frame, 0xee, sizeof(frame));
    load_wire_datagram(&theirs, frame, PORT, "hi", 2);
    assert_int_equal(parse(frame, 60), LOAD_FRAME_PAYLOAD);
    assert_int_equal(payload_length, 2);
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
        {14, 1, LOAD_FRAME_DROPPED, LOAD_DROP_NOT_UDP},    /* header length */
        {17, 200, LOAD_FRAME_DROPPED, LOAD_DROP_RUNT},     /* IP length beyond the frame */
        {20, 0x20, LOAD_FRAME_DROPPED, LOAD_DROP_NOT_UDP}, /* more fragments */
        {21, 1, LOAD_FRAME_DROPPED, LOAD_DROP_NOT_UDP},    /* fragment offset */
        {22, 1, LOAD_FRAME_DROPPED, LOAD_DROP_CHECKSUM},   /* TTL */
        {23, 1, LOAD_FRAME_DROPPED, LOAD_DROP_NOT_UDP},    /* protocol */
        {29, 1, LOAD_FRAME_DROPPED, LOAD_DROP_NOT_FOR_US}, /* source */
        {33, 1, LOAD_FRAME_DROPPED, LOAD_DROP_NOT_FOR_US}, /* destination */
        {34, 1, LOAD_FRAME_DROPPED, LOAD_DROP_CHECKSUM},   /* source port */
        {37, 1, LOAD_FRAME_DROPPED, LOAD_DROP_NOT_FOR_US}, /* destination port */
        {39, 1, LOAD_FRAME_DROPPED, LOAD_DROP_RUNT},       /* UDP length */
        {40, 1, LOAD_FRAME_DROPPED, LOAD_DROP_CHECKSUM},
        {50, 1, LOAD_FRAME_DROPPED, LOAD_DROP_CHECKSUM}, /* payload */
    };
    (void)state;
    size_t length = load_wire_datagram(&theirs, frame, PORT, "some payload", 12);
    for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
        frame[spoils[i].at] ^= spoils[i].with;
        assert_int_equal(parse(frame, length), spoils[i].kind);
        if (spoils[i].kind == LOAD_FRAME_DROPPED)
            assert_int_equal(drop, spoils[i].drop);
        frame[spoils[i].at] ^= spoils[i].with;
    }
    for (size_t cut = 0; cut < length; cut++) {
        assert_int_equal(parse(frame, cut), LOAD_FRAME_DROPPED);
        assert_int_equal(drop, LOAD_DROP_RUNT);
    }
    assert_int_equal(parse(frame, length), LOAD_FRAME_PAYLOAD);
}

static void a_missing_checksum_is_wrong(void **state)
{
    (void)state;
    size_t length = load_wire_datagram(&theirs, frame, PORT, "x", 1);
    frame[40] = frame[41] = 0;
    assert_int_equal(parse(frame, length), LOAD_FRAME_DROPPED);
    assert_int_equal(drop, LOAD_DROP_CHECKSUM);
}

static void arp_finds_the_target(void **state)
{
    uint8_t question[LOAD_WIRE_ARP_BYTES];
    (void)state;
    ours.target_known = false;
    memset(&ours.target_mac, 0, sizeof(ours.target_mac));
    assert_int_equal(load_wire_arp_question(&ours, question), LOAD_WIRE_ARP_BYTES);
    struct load_wire self = ours;
    ours = theirs; /* parse() stands on the other side now */
    assert_int_equal(parse(question, sizeof(question)), LOAD_FRAME_ARP_ASKS);
    assert_int_equal(load_wire_arp_answer(&ours, question), LOAD_WIRE_ARP_BYTES);
    ours = self;
    assert_int_equal(parse(question, sizeof(question)), LOAD_FRAME_ARP_TOLD);
    assert_true(ours.target_known);
    assert_memory_equal(&ours.target_mac, &theirs.mac, 6);
}

static void other_arp_is_ignored(void **state)
{
    uint8_t question[LOAD_WIRE_ARP_BYTES];
    (void)state;
    theirs.target = OWN + 1;
    load_wire_arp_question(&theirs, question); /* asks for somebody else */
    assert_int_equal(parse(question, sizeof(question)), LOAD_FRAME_IGNORED);
    theirs.target = OWN;
    load_wire_arp_question(&theirs, question);
    for (size_t cut = 14; cut < 42; cut++)
        assert_int_equal(parse(question, cut), LOAD_FRAME_IGNORED);
    assert_int_equal(parse(question, 42), LOAD_FRAME_ARP_ASKS);
    question[21] = 2; /* an answer from the target, but with a multicast MAC */
    question[22] |= 1;
    assert_int_equal(parse(question, 42), LOAD_FRAME_IGNORED);
    question[22] &= 0xfe;
    question[31] ^= 1; /* an answer of somebody else's */
    ours.target_known = false;
    assert_int_equal(parse(question, 42), LOAD_FRAME_IGNORED);
    assert_false(ours.target_known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_datagram_is_right_to_the_byte, face),
        cmocka_unit_test_setup(every_length_travels, face),
        cmocka_unit_test_setup(a_checksum_of_zero_is_written_as_ones, face),
        cmocka_unit_test_setup(padding_of_a_short_frame_is_no_payload, face),
        cmocka_unit_test_setup(spoilt_frames_are_dropped_by_cause, face),
        cmocka_unit_test_setup(a_missing_checksum_is_wrong, face),
        cmocka_unit_test_setup(arp_finds_the_target, face),
        cmocka_unit_test_setup(other_arp_is_ignored, face),
    };
    return cmocka_run_group_tests_name("load_wire", tests, NULL, NULL);
}
