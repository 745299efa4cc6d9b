/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6 frames: requests, echo, neighbour solicitations, and all that is none of these. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/frame_checks.h"

#define IP6(high, low) ((struct fg_ip){UINT64_C(high), UINT64_C(low)})

static uint8_t *icmp_of(struct built *frame)
{
    return frame->bytes + frame->l3 + 40;
}

static void requests_are_found(void **state)
{
    (void)state;
    for (int vlan = -1; vlan <= 5; vlan += 6) {
        struct built frame = build_udp6(64, vlan);
        struct fg_parsed parsed = parse_built(&frame, FG_CHECKSUM_UNKNOWN);
        assert_int_equal(parsed.kind, FG_FRAME_REQUEST);
        assert_int_equal(parsed.l3, frame.l3);
        assert_int_equal(parsed.payload, frame.l3 + 48);
        assert_int_equal(parsed.length, 64);
        assert_true(fg_ip_same(parsed.source, CLIENT_IP6));
        frame.length += 9; /* padding */
        assert_int_equal(parse_built(&frame, FG_CHECKSUM_UNKNOWN).length, 64);
    }
}

/* One field of a header changed: offset from the IP header, new value, checksum right for it. */
static void fields(void **state)
{
    (void)state;
    static const struct {
        unsigned offset, bytes;
        uint32_t value;
        int dropped; /* -1: still a request */
    } cases[] = {
        {0, 1, 0x40, FG_COUNTER_DROP_IP_HEADER},
        {0, 1, 0x70, FG_COUNTER_DROP_IP_HEADER},
        {0, 4, 0x60000000, -1},
        {4, 2, 0, FG_COUNTER_DROP_RUNT},
        {4, 2, 7, FG_COUNTER_DROP_RUNT},
        {4, 2, 71, FG_COUNTER_DROP_UDP_LENGTH},
        {4, 2, 73, FG_COUNTER_DROP_CUT},
        {4, 2, 0xffff, FG_COUNTER_DROP_CUT},
        {6, 1, 44, FG_COUNTER_DROP_FRAGMENT},
        {6, 1, 0, FG_COUNTER_DROP_IP_EXTENSION},
        {6, 1, 43, FG_COUNTER_DROP_IP_EXTENSION},
        {6, 1, 50, FG_COUNTER_DROP_IP_EXTENSION},
        {6, 1, 51, FG_COUNTER_DROP_IP_EXTENSION},
        {6, 1, 60, FG_COUNTER_DROP_IP_EXTENSION},
        {6, 1, 135, FG_COUNTER_DROP_IP_EXTENSION},
        {6, 1, 139, FG_COUNTER_DROP_IP_EXTENSION},
        {6, 1, 140, FG_COUNTER_DROP_IP_EXTENSION},
        {6, 1, 59, FG_COUNTER_DROP_NOT_UDP},
        {6, 1, 6, FG_COUNTER_DROP_NOT_UDP},
        {6, 1, 1, FG_COUNTER_DROP_NOT_UDP},
        {6, 1, 4, FG_COUNTER_DROP_NOT_UDP},
        {6, 1, 41, FG_COUNTER_DROP_NOT_UDP},
        {7, 1, 0, -1},
        {7, 1, 255, -1},
        {24, 4, 0x20010db9, FG_COUNTER_DROP_NOT_FOR_US},
        {36, 4, 0x123457, FG_COUNTER_DROP_NOT_FOR_US},
        {40, 2, 1023, FG_COUNTER_DROP_SOURCE_PORT},
        {40, 2, 1024, -1},
        {42, 2, ENGINE_PORT - 1, FG_COUNTER_DROP_PORT},
        {42, 2, ENGINE_PORT + 63, -1},
        {42, 2, ENGINE_PORT + 64, FG_COUNTER_DROP_PORT},
        {44, 2, 0, FG_COUNTER_DROP_UDP_LENGTH},
        {44, 2, 71, FG_COUNTER_DROP_UDP_LENGTH},
        {44, 2, 73, FG_COUNTER_DROP_UDP_LENGTH},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct built frame = build_udp6(64, i % 2 ? 3 : -1);
        uint8_t *at = frame.bytes + frame.l3 + cases[i].offset;
        for (unsigned b = 0; b < cases[i].bytes; b++)
            at[b] = (uint8_t)(cases[i].value >> 8 * (cases[i].bytes - 1 - b));
        print_message("case %u: offset %u, value 0x%x\n", i, cases[i].offset, cases[i].value);
        if (cases[i].dropped < 0) {
            fix6(&frame, 6);
            assert_kind(&frame, FG_FRAME_REQUEST);
        } else {
            assert_dropped(&frame, (enum fg_counter)cases[i].dropped);
        }
    }
}

/* The same of requests and echo. */
static void sources(void **state)
{
    (void)state;
    static const struct {
        struct fg_ip source;
        int dropped; /* -1: answered */
    } cases[] = {
        {{0, 0}, FG_COUNTER_DROP_SOURCE},
        {{0, 1}, FG_COUNTER_DROP_SOURCE},                        /* loopback */
        {{0, 0x0a090002}, FG_COUNTER_DROP_SOURCE},               /* ::10.9.0.2 */
        {{0, UINT64_C(0xffff0a090002)}, FG_COUNTER_DROP_SOURCE}, /* ::ffff:10.9.0.2 */
        {{UINT64_C(0x64ff9b) << 32, 0x0a090002}, -1},            /* behind a NAT64 */
        {{UINT64_C(0xff02) << 48, 1}, FG_COUNTER_DROP_SOURCE_GROUP},
        {{UINT64_C(0xff0e) << 48, 0x101}, FG_COUNTER_DROP_SOURCE_GROUP},
        {{UINT64_C(0x20010db8) << 32, 0x123456}, FG_COUNTER_DROP_SOURCE_OWN},
        {{UINT64_C(0xfe80) << 48, 2}, -1}, /* of this link */
        {{UINT64_C(0xfd00) << 48, 2}, -1},
        {{UINT64_C(0xfeff) << 48, 2}, -1},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct built frames[] = {build_udp6(64, -1), build_echo6(30)};
        for (unsigned kind = 0; kind < 2; kind++) {
            put_ip6(frames[kind].bytes + frames[kind].l3 + 8, cases[i].source);
            fix6(&frames[kind], kind == 0 ? 6 : 2);
            if (cases[i].dropped < 0)
                assert_kind(&frames[kind], kind == 0 ? FG_FRAME_REQUEST : FG_FRAME_ECHO);
            else
                assert_dropped(&frames[kind], (enum fg_counter)cases[i].dropped);
        }
    }
}

static void checksums(void **state)
{
    (void)state;
    struct built frame = build_udp6(63, -1), bent;

    for (unsigned bit = 8 * 8; bit < 8 * (40 + 8 + 63); bit++) {
        if (bit / 8 >= 40 && bit / 8 < 46) /* ports and length have their own names */
            continue;
        bent = frame;
        bent.bytes[bent.l3 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        struct fg_parsed parsed = parse_built(&bent, FG_CHECKSUM_UNKNOWN);
        assert_int_equal(parsed.kind, FG_FRAME_DROPPED);
        if (bit / 8 >= 46)
            assert_int_equal(parsed.dropped, FG_COUNTER_DROP_UDP_CHECKSUM);
    }
    /* The port's word is taken, but a checksum there must be. */
    bent = frame;
    bent.bytes[bent.l3 + 50] ^= 1;
    assert_int_equal(parse_built(&bent, FG_CHECKSUM_RIGHT).kind, FG_FRAME_REQUEST);
    assert_dropped_as(&frame, FG_CHECKSUM_WRONG, FG_COUNTER_DROP_UDP_CHECKSUM);
    put16(bent.bytes + bent.l3 + 46, 0);
    assert_dropped_as(&bent, FG_CHECKSUM_RIGHT, FG_COUNTER_DROP_NO_CHECKSUM);
    assert_dropped_as(&bent, FG_CHECKSUM_UNKNOWN, FG_COUNTER_DROP_NO_CHECKSUM);
}

static void echo(void **state)
{
    (void)state;
    struct built frame = build_echo6(0);
    assert_kind(&frame, FG_FRAME_ECHO);
    frame = build_echo6(1500 - 48);
    assert_kind(&frame, FG_FRAME_ECHO);
    frame = build_echo6(1500 - 47);
    assert_dropped(&frame, FG_COUNTER_DROP_ICMP);
    frame = build_echo6(56);
    icmp_of(&frame)[20] ^= 4;
    assert_dropped(&frame, FG_COUNTER_DROP_ICMP_CHECKSUM);
    /* An answer, a router's word, a neighbour's, a listener's report: none is for us. */
    static const uint8_t types[] = {1, 2, 3, 4, 129, 130, 131, 132, 133, 134, 136, 137, 143, 255};
    for (unsigned i = 0; i < sizeof(types); i++) {
        frame = build_echo6(56);
        icmp_of(&frame)[0] = types[i];
        fix6(&frame, 2);
        assert_dropped(&frame, FG_COUNTER_DROP_ICMP);
    }
    frame = build_echo6(56);
    icmp_of(&frame)[1] = 1;
    fix6(&frame, 2);
    assert_dropped(&frame, FG_COUNTER_DROP_ICMP);
    for (uint16_t bytes = 0; bytes < 8; bytes++) {
        frame = build_echo6(0);
        put16(frame.bytes + frame.l3 + 4, bytes);
        assert_dropped(&frame, FG_COUNTER_DROP_RUNT);
    }
    frame = build_ip6(1, 8, -1); /* ICMP of IPv4 */
    assert_dropped(&frame, FG_COUNTER_DROP_NOT_UDP);
}

/* What goes to a group is answered only if it asks for our address. */
static void groups(void **state)
{
    (void)state;
    static const uint8_t macs[][6] = {{0x33, 0x33, 0, 0, 0, 1},
                                      {0x33, 0x33, 0xff, 0x12, 0x34, 0x57},
                                      {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    struct built frame = build_solicitation(TO_GROUP, true, -1);
    for (unsigned i = 0; i < 3; i++) {
        memcpy(frame.bytes, macs[i], 6);
        assert_dropped(&frame, FG_COUNTER_DROP_GROUP);
    }
    memcpy(frame.bytes, engine_address.mac.addr_bytes, 6); /* a switch made it one station's */
    assert_kind(&frame, FG_FRAME_NEIGHBOUR);

    struct built others[] = {build_udp6(64, -1), build_echo6(10), build_udp6(64, -1),
                             build_echo6(10)};
    for (unsigned i = 0; i < 4; i++) {
        const struct built group = build_solicitation(TO_GROUP, true, -1);
        if (i < 2) /* to the group's address, or only to its MAC */
            memcpy(others[i].bytes + others[i].l3 + 24, group.bytes + group.l3 + 24, 16);
        memcpy(others[i].bytes, group.bytes, 6);
        fix6(&others[i], i % 2 ? 2 : 6);
        assert_dropped(&others[i], FG_COUNTER_DROP_GROUP);
    }
    frame = build_udp6(64, -1);
    put_ip6(frame.bytes + frame.l3 + 24, IP6(0xff02000000000000, 1)); /* all nodes */
    fix6(&frame, 6);
    assert_dropped(&frame, FG_COUNTER_DROP_NOT_FOR_US);
}

static void solicitations(void **state)
{
    (void)state;
    for (int vlan = -1; vlan <= 5; vlan += 6)
        for (enum solicits how = TO_GROUP; how <= PROBES; how++)
            for (unsigned option = 0; option < 2; option++) {
                struct built frame = build_solicitation(how, option == 1, vlan);
                if (how == PROBES && option == 1)
                    assert_dropped(&frame, FG_COUNTER_DROP_NEIGHBOUR);
                else
                    assert_kind(&frame, FG_FRAME_NEIGHBOUR);
            }
    struct built frame = build_solicitation(TO_GROUP, true, -1);
    put_ip6(frame.bytes + frame.l3 + 8, IP6(0xfe80000000000000, 0x77)); /* as routers do */
    fix6(&frame, 2);
    assert_kind(&frame, FG_FRAME_NEIGHBOUR);
    put_ip6(frame.bytes + frame.l3 + 8, ENGINE_IP6);
    fix6(&frame, 2);
    assert_dropped(&frame, FG_COUNTER_DROP_SOURCE_OWN);
    put_ip6(frame.bytes + frame.l3 + 8, IP6(0xff02000000000000, 1));
    fix6(&frame, 2);
    assert_dropped(&frame, FG_COUNTER_DROP_SOURCE_GROUP);
}

static void crooked_solicitations(void **state)
{
    (void)state;
    static const struct {
        unsigned offset; /* from the ICMP header */
        uint8_t value;
        enum fg_counter dropped;
    } cases[] = {
        {1, 1, FG_COUNTER_DROP_NEIGHBOUR},      /* code */
        {8, 0xff, FG_COUNTER_DROP_NEIGHBOUR},   /* the target is a group */
        {23, 0x57, FG_COUNTER_DROP_NOT_FOR_US}, /* another target of the same group */
        {9, 0x57, FG_COUNTER_DROP_NOT_FOR_US},
        {25, 0, FG_COUNTER_DROP_NEIGHBOUR}, /* an option of no length */
        {25, 2, FG_COUNTER_DROP_NEIGHBOUR}, /* one that is longer than the packet */
        {25, 255, FG_COUNTER_DROP_NEIGHBOUR},
    };
    struct built frame;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        frame = build_solicitation(TO_GROUP, true, -1);
        icmp_of(&frame)[cases[i].offset] = cases[i].value;
        if (cases[i].offset == 23)
            icmp_of(&frame)[23] = 0x57;
        fix6(&frame, 2);
        assert_dropped(&frame, cases[i].dropped);
    }
    for (unsigned hops = 0; hops < 255; hops++) {
        frame = build_solicitation(TO_US, true, -1);
        frame.bytes[frame.l3 + 7] = (uint8_t)hops;
        assert_dropped(&frame, FG_COUNTER_DROP_NEIGHBOUR);
    }
    frame = build_solicitation(TO_US, true, -1);
    memset(frame.bytes + frame.l3 + 8, 0, 16); /* a probe goes to the group */
    fix6(&frame, 2);
    assert_dropped(&frame, FG_COUNTER_DROP_NEIGHBOUR);
    frame = build_solicitation(TO_GROUP, true, -1);
    icmp_of(&frame)[2] ^= 1;
    assert_dropped(&frame, FG_COUNTER_DROP_ICMP_CHECKSUM);
}

/* Options of any kinds and lengths are walked over; the packet ends where the last of them does. */
static void options(void **state)
{
    (void)state;
    for (unsigned first = 1; first <= 4; first++)
        for (unsigned last = 0; last <= 8 * 8; last++) {
            struct built frame = build_ip6(58, 24 + 8 * first + last, -1);
            uint8_t *icmp = icmp_of(&frame);
            const struct built plain = build_solicitation(TO_US, false, -1);
            memcpy(frame.bytes, plain.bytes, 14);
            frame.bytes[frame.l3 + 7] = 255;
            memcpy(icmp, plain.bytes + plain.l3 + 40, 24);
            icmp[24] = 14; /* a nonce */
            icmp[25] = (uint8_t)first;
            icmp[24 + 8 * first] = 253;
            icmp[25 + 8 * first] = (uint8_t)(last / 8);
            fix6(&frame, 2);
            if (last % 8 == 0)
                assert_kind(&frame, FG_FRAME_NEIGHBOUR);
            else
                assert_dropped(&frame, FG_COUNTER_DROP_NEIGHBOUR);
        }
    for (uint16_t bytes = 4; bytes < 24; bytes++) {
        struct built frame = build_solicitation(TO_US, true, -1);
        put16(frame.bytes + frame.l3 + 4, bytes);
        fix6(&frame, 2);
        assert_dropped(&frame, FG_COUNTER_DROP_RUNT);
    }
}

/* A port that has no address of a family is nobody in it. */
static void one_family_only(void **state)
{
    (void)state;
    struct fg_frame_address none = engine_address;
    struct fg_parsed parsed;
    struct built frames[] = {
        build_udp6(64, -1),         build_solicitation(TO_US, true, -1), build_udp6(64, -1),
        build_udp(64, -1),          build_arp(CLIENT_IP, ENGINE_IP, -1), build_udp(64, -1),
        build_arp(CLIENT_IP, 0, -1)};

    memset(frames[2].bytes + frames[2].l3 + 24, 0, 16);
    put32(frames[5].bytes + frames[5].l3 + 16, 0);
    fix_ip_checksum(&frames[5]);
    for (unsigned i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        none = engine_address;
        if (i < 3)
            none.address6 = (struct fg_ip){0};
        else
            none.address = none.mask = 0;
        fg_frame_parse(frames[i].bytes, frames[i].length, &none, FG_CHECKSUM_RIGHT, &parsed);
        assert_int_equal(parsed.kind, FG_FRAME_DROPPED);
        assert_string_equal(counter_name(parsed.dropped), "drop_not_for_us");
    }
    none = engine_address;
    none.address6 = (struct fg_ip){0};
    struct built frame = build_solicitation(TO_GROUP, true, -1);
    memcpy(frame.bytes, (const uint8_t[]){0x33, 0x33, 0xff, 0, 0, 0}, 6); /* of address zero */
    fg_frame_parse(frame.bytes, frame.length, &none, FG_CHECKSUM_RIGHT, &parsed);
    assert_int_equal(parsed.kind, FG_FRAME_DROPPED);
    assert_string_equal(counter_name(parsed.dropped), "drop_group");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_found),
        cmocka_unit_test(fields),
        cmocka_unit_test(sources),
        cmocka_unit_test(checksums),
        cmocka_unit_test(echo),
        cmocka_unit_test(groups),
        cmocka_unit_test(solicitations),
        cmocka_unit_test(crooked_solicitations),
        cmocka_unit_test(options),
        cmocka_unit_test(one_family_only),
    };
    return cmocka_run_group_tests_name("frame6", tests, NULL, NULL);
}
