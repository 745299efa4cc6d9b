/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One of each kind of frame, bent in every place: cut at every length, with every bit flipped, with
 * every length told that it does not have. What comes of it is either dropped under a name, or a
 * frame of the same kind whose every part lies within it. The copies end where the frames end, so
 * that a sanitizer sees a read beyond.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dataplane/net/reply.h"
#include "tests/unit/frame_checks.h"

struct sample {
    const char *name;
    struct built frame;
    enum fg_frame_kind kind;
    unsigned header;     /* bytes from l3 on, without which it is a runt */
    unsigned free[6][2]; /* from l3: bytes that no checksum covers and nothing depends on */
};

#define SAMPLES 14

static void make_samples(struct sample samples[SAMPLES])
{
    const struct sample made[] = {
        {"request", build_udp(40, -1), FG_FRAME_REQUEST, 20, {{0}}},
        {"tagged request", build_udp(40, 9), FG_FRAME_REQUEST, 20, {{0}}},
        {"request without a checksum",
         build_udp(40, -1),
         FG_FRAME_REQUEST,
         20,
         {{20, 22}, {23, 24}, {26, 68}}},
        {"IPv6 request", build_udp6(40, -1), FG_FRAME_REQUEST, 40, {{0, 4}, {7, 8}}},
        {"tagged IPv6 request", build_udp6(40, 9), FG_FRAME_REQUEST, 40, {{0, 4}, {7, 8}}},
        {"echo", build_echo(20), FG_FRAME_ECHO, 20, {{0}}},
        {"IPv6 echo", build_echo6(20), FG_FRAME_ECHO, 40, {{0, 4}, {7, 8}}},
        {"ARP", build_arp(CLIENT_IP, ENGINE_IP, -1), FG_FRAME_ARP, 28, {{8, 24}}},
        {"tagged ARP probe", build_arp(0, ENGINE_IP, 9), FG_FRAME_ARP, 28, {{8, 24}}},
        {"solicitation", build_solicitation(TO_GROUP, true, -1), FG_FRAME_NEIGHBOUR, 40, {{0, 4}}},
        {"solicitation without option",
         build_solicitation(TO_GROUP, false, 9),
         FG_FRAME_NEIGHBOUR,
         40,
         {{0, 4}}},
        {"solicitation to us",
         build_solicitation(TO_US, true, -1),
         FG_FRAME_NEIGHBOUR,
         40,
         {{0, 4}}},
        {"solicitation to us without option",
         build_solicitation(TO_US, false, -1),
         FG_FRAME_NEIGHBOUR,
         40,
         {{0, 4}}},
        {"probe", build_solicitation(PROBES, false, -1), FG_FRAME_NEIGHBOUR, 40, {{0, 4}}},
    };
    static_assert(sizeof(made) / sizeof(made[0]) == SAMPLES, "all of them");
    memcpy(samples, made, sizeof(made));
    put16(samples[2].frame.bytes + samples[2].frame.l3 + 26, 0);
}

/* The bytes of the packet that the IP header tells of, from l3. */
static size_t packet_bytes(const struct sample *sample)
{
    const uint8_t *l3 = sample->frame.bytes + sample->frame.l3;

    if (sample->kind == FG_FRAME_ARP)
        return 28;
    return sample->header == 40 ? 40u + get16(l3 + 4) : get16(l3 + 2);
}

/* A dropped frame has the name of a way that frames are refused; any other is whole. */
static void assert_sound(const struct built *frame, const struct fg_parsed *parsed)
{
    if (parsed->kind == FG_FRAME_DROPPED) {
        assert_in_range(parsed->dropped, FG_COUNTER_DROP_OTHER_MAC, FG_COUNTER_DROP_NO_CHECKSUM);
        return;
    }
    assert_true(parsed->l3 == 14 || parsed->l3 == 18);
    if (parsed->kind == FG_FRAME_REQUEST) {
        assert_true(parsed->payload == parsed->l3 + 28 || parsed->payload == parsed->l3 + 48);
        assert_true(parsed->payload + (size_t)parsed->length <= frame->length);
    }
}

static void cut_at_every_length(void **state)
{
    struct sample samples[SAMPLES];
    (void)state;
    make_samples(samples);
    for (unsigned i = 0; i < SAMPLES; i++) {
        assert_kind(&samples[i].frame, samples[i].kind);
        for (size_t length = 0; length < samples[i].frame.length; length++) {
            struct built frame = samples[i].frame;
            frame.length = length;
            assert_dropped(&frame, length < frame.l3 + samples[i].header ? FG_COUNTER_DROP_RUNT
                                                                         : FG_COUNTER_DROP_CUT);
        }
    }
}

static void padded_to_every_length(void **state)
{
    struct sample samples[SAMPLES];
    (void)state;
    make_samples(samples);
    for (unsigned i = 0; i < SAMPLES; i++) {
        const struct fg_parsed plain = parse_built(&samples[i].frame, FG_CHECKSUM_UNKNOWN);
        for (size_t more = 0; more < 64; more++) {
            struct built frame = samples[i].frame;
            memset(frame.bytes + frame.length, 0xa5, more);
            frame.length += more;
            const struct fg_parsed parsed = parse_built(&frame, FG_CHECKSUM_UNKNOWN);
            assert_int_equal(parsed.kind, plain.kind);
            assert_int_equal(parsed.length, plain.length);
        }
    }
}

/* May a flip there leave the frame what it is? MACs, and a tag's id, are the sender's to choose. */
static bool is_free(const struct sample *sample, size_t at)
{
    if (at < sample->frame.l3)
        return (at >= 6 && at < 12) || (at >= 14 && at < 16);
    for (unsigned r = 0; r < 6; r++)
        if (at - sample->frame.l3 >= sample->free[r][0] &&
            at - sample->frame.l3 < sample->free[r][1])
            return true;
    return false;
}

static void every_bit_flipped(void **state)
{
    struct sample samples[SAMPLES];
    (void)state;
    make_samples(samples);
    for (unsigned i = 0; i < SAMPLES; i++) {
        unsigned same = 0;
        for (size_t bit = 0; bit < 8 * samples[i].frame.length; bit++) {
            struct built frame = samples[i].frame;
            frame.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            struct fg_parsed parsed = parse_built(&frame, FG_CHECKSUM_UNKNOWN);
            assert_sound(&frame, &parsed);
            if (parsed.kind != FG_FRAME_DROPPED && !is_free(&samples[i], bit / 8))
                fail_msg("%s: taken with bit %zu of byte %zu flipped", samples[i].name, bit % 8,
                         bit / 8);
            if (parsed.kind != FG_FRAME_DROPPED)
                assert_int_equal(parsed.kind, samples[i].kind);
            same += parsed.kind != FG_FRAME_DROPPED;
            parsed = parse_built(&frame, FG_CHECKSUM_RIGHT);
            assert_sound(&frame, &parsed);
        }
        assert_true(same > 30); /* of the source's MAC alone there are some */
    }
}

/* The IP header tells of every length that the packet does not have. */
static void every_length_told(void **state)
{
    struct sample samples[SAMPLES];
    (void)state;
    make_samples(samples);
    for (unsigned i = 0; i < SAMPLES; i++) {
        size_t right = packet_bytes(&samples[i]);
        if (samples[i].kind == FG_FRAME_ARP)
            continue;
        for (unsigned told = 0; told < 200; told++) {
            bool ipv6 = samples[i].header == 40;
            struct built frame = samples[i].frame;
            put16(frame.bytes + frame.l3 + (ipv6 ? 4 : 2), (uint16_t)told);
            if (!ipv6)
                fix_ip_checksum(&frame);
            struct fg_parsed parsed = parse_built(&frame, FG_CHECKSUM_UNKNOWN);
            assert_sound(&frame, &parsed);
            if (told + (ipv6 ? 40u : 0) == right)
                assert_int_equal(parsed.kind, samples[i].kind);
            else
                assert_int_equal(parsed.kind, FG_FRAME_DROPPED);
        }
    }
}

/* A copy of just the frame's size is turned round: nothing beyond it is written, and but for what
 * reply.h says no answer is longer. */
static void answers_are_no_longer(void **state)
{
    struct sample samples[SAMPLES];
    (void)state;
    make_samples(samples);
    for (unsigned i = 0; i < SAMPLES; i++) {
        const struct built *frame = &samples[i].frame;
        bool grows = samples[i].kind == FG_FRAME_NEIGHBOUR && packet_bytes(&samples[i]) == 64 &&
                     frame->bytes[frame->l3 + 24] == 0xff;
        size_t room = grows ? fg_reply_neighbour_bytes(frame->l3) : frame->length;
        uint8_t *copy = calloc(1, room);
        uint32_t length = (uint32_t)frame->length;
        memcpy(copy, frame->bytes, frame->length);
        if (samples[i].kind == FG_FRAME_REQUEST)
            length = fg_reply_udp(copy, frame->l3, 40);
        else if (samples[i].kind == FG_FRAME_ARP)
            fg_reply_arp(copy, frame->l3, &engine_address);
        else if (samples[i].kind == FG_FRAME_ECHO)
            fg_reply_echo(copy, frame->l3);
        else
            length = fg_reply_neighbour(copy, frame->l3, &engine_address);
        assert_int_equal(length, frame->length + (grows ? 8 : 0));
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_at_every_length),   cmocka_unit_test(padded_to_every_length),
        cmocka_unit_test(every_bit_flipped),     cmocka_unit_test(every_length_told),
        cmocka_unit_test(answers_are_no_longer),
    };
    return cmocka_run_group_tests_name("frame_bent", tests, NULL, NULL);
}
