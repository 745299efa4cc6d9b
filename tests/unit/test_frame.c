/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/frame_checks.h"

static void requests_are_found(void **state)
{
    (void)state;
    for (int vlan = -1; vlan <= 5; vlan += 6) {
        struct built frame = build_udp(64, vlan);
        struct fg_parsed parsed = parse_built(&frame, FG_CHECKSUM_UNKNOWN);
        assert_int_equal(parsed.kind, FG_FRAME_REQUEST);
        assert_int_equal(parsed.l3, frame.l3);
        assert_int_equal(parsed.payload, frame.l3 + 28);
        assert_int_equal(parsed.length, 64);
        assert_true(fg_ip_same(parsed.source, fg_ip_of_v4(CLIENT_IP)));
    }
}

static void padding_is_no_payload(void **state)
{
    (void)state;
    struct built frame = build_udp(3, -1);
    frame.length += 15;
    struct fg_parsed parsed = parse_built(&frame, FG_CHECKSUM_UNKNOWN);
    assert_int_equal(parsed.kind, FG_FRAME_REQUEST);
    assert_int_equal(parsed.length, 3);
}

/* One field changed in a frame that is right otherwise: offset from the IP header, new value. */
static void fields_of_ip(void **state)
{
    (void)state;
    static const struct {
        unsigned offset, bytes;
        uint32_t value;
        int dropped; /* -1: still a request */
    } cases[] = {
        {0, 1, 0x46, FG_COUNTER_DROP_IP_OPTIONS},
        {0, 1, 0x4f, FG_COUNTER_DROP_IP_OPTIONS},
        {0, 1, 0x44, FG_COUNTER_DROP_IP_HEADER},
        {0, 1, 0x65, FG_COUNTER_DROP_IP_HEADER},
        {2, 2, 19, FG_COUNTER_DROP_IP_HEADER},
        {2, 2, 20, FG_COUNTER_DROP_RUNT},
        {2, 2, 27, FG_COUNTER_DROP_RUNT},
        {2, 2, 20 + 8 + 63, FG_COUNTER_DROP_UDP_LENGTH}, /* datagram longer than packet */
        {2, 2, 20 + 8 + 65, FG_COUNTER_DROP_CUT},        /* packet longer than frame */
        {2, 2, 0xffff, FG_COUNTER_DROP_CUT},
        {6, 2, 0x4000, -1}, /* DF */
        {6, 2, 0x2000, FG_COUNTER_DROP_FRAGMENT},
        {6, 2, 0x0001, FG_COUNTER_DROP_FRAGMENT},
        {6, 2, 0x1fff, FG_COUNTER_DROP_FRAGMENT},
        {8, 1, 0, -1}, /* time to live */
        {9, 1, 6, FG_COUNTER_DROP_NOT_UDP},
        {9, 1, 58, FG_COUNTER_DROP_NOT_UDP},
        {12, 4, 0x00000000, FG_COUNTER_DROP_SOURCE},
        {12, 4, 0x7f000001, FG_COUNTER_DROP_SOURCE},
        {12, 4, 0xe0000001, FG_COUNTER_DROP_SOURCE_GROUP},
        {12, 4, 0xefffffff, FG_COUNTER_DROP_SOURCE_GROUP},
        {12, 4, 0xf0000001, FG_COUNTER_DROP_SOURCE},
        {12, 4, 0xffffffff, FG_COUNTER_DROP_SOURCE_GROUP},
        {12, 4, ENGINE_IP, FG_COUNTER_DROP_SOURCE_OWN},
        {12, 4, 0x0a0900ff, FG_COUNTER_DROP_SOURCE_GROUP}, /* the subnet's broadcast */
        {12, 4, 0x0a090000, FG_COUNTER_DROP_SOURCE_GROUP}, /* its old form */
        {12, 4, 0x0a0901ff, -1},                           /* an address of another subnet */
        {12, 4, 0xdfffffff, -1},
        {16, 4, ENGINE_IP + 1, FG_COUNTER_DROP_NOT_FOR_US},
        {16, 4, 0x0a0900ff, FG_COUNTER_DROP_NOT_FOR_US},
        {20, 2, 1023, FG_COUNTER_DROP_SOURCE_PORT},
        {20, 2, 1024, -1},
        {22, 2, ENGINE_PORT - 1, FG_COUNTER_DROP_PORT},
        {22, 2, ENGINE_PORT + 63, -1},
        {22, 2, ENGINE_PORT + 64, FG_COUNTER_DROP_PORT},
        {24, 2, 7, FG_COUNTER_DROP_UDP_LENGTH},
        {24, 2, 0, FG_COUNTER_DROP_UDP_LENGTH},
        {24, 2, 71, FG_COUNTER_DROP_UDP_LENGTH}, /* more packet than datagram */
        {24, 2, 73, FG_COUNTER_DROP_UDP_LENGTH},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct built frame = build_udp(64, i % 2 ? 3 : -1);
        uint8_t *at = frame.bytes + frame.l3 + cases[i].offset;
        for (unsigned b = 0; b < cases[i].bytes; b++)
            at[b] = (uint8_t)(cases[i].value >> 8 * (cases[i].bytes - 1 - b));
        fix_ip_checksum(&frame);
        if (cases[i].dropped < 0)
            fix_udp_checksum(&frame);
        print_message("case %u: offset %u, value 0x%x\n", i, cases[i].offset, cases[i].value);
        if (cases[i].dropped < 0)
            assert_kind(&frame, FG_FRAME_REQUEST);
        else
            assert_dropped(&frame, (enum fg_counter)cases[i].dropped);
    }
}

/* In a subnet of two addresses neither is a broadcast (RFC 3021). */
static void point_to_point_subnet(void **state)
{
    (void)state;
    struct fg_frame_address address = engine_address;
    struct built frame = build_udp(64, -1);
    struct fg_parsed parsed;

    address.address = ENGINE_IP;
    address.mask = 0xfffffffeu;
    put32(frame.bytes + frame.l3 + 12, ENGINE_IP - 1);
    fix_ip_checksum(&frame);
    fix_udp_checksum(&frame);
    fg_frame_parse(frame.bytes, frame.length, &address, FG_CHECKSUM_UNKNOWN, &parsed);
    assert_int_equal(parsed.kind, FG_FRAME_REQUEST);
}

static void checksums(void **state)
{
    (void)state;
    struct built frame = build_udp(63, -1);

    for (unsigned bit = 0; bit < 8 * 63; bit++) {
        struct built bent = frame;
        bent.bytes[bent.l3 + 28 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_dropped(&bent, FG_COUNTER_DROP_UDP_CHECKSUM);
    }
    /* The port's word is taken, either way. */
    struct built bent = frame;
    bent.bytes[bent.l3 + 30] ^= 1;
    assert_int_equal(parse_built(&bent, FG_CHECKSUM_RIGHT).kind, FG_FRAME_REQUEST);
    assert_dropped_as(&frame, FG_CHECKSUM_WRONG, FG_COUNTER_DROP_UDP_CHECKSUM);
    /* Zero says that there is none. */
    put16(bent.bytes + bent.l3 + 26, 0);
    assert_kind(&bent, FG_FRAME_REQUEST);
    assert_int_equal(parse_built(&bent, FG_CHECKSUM_WRONG).kind, FG_FRAME_REQUEST);

    for (unsigned at = 0; at < 20; at++) {
        bent = frame;
        bent.bytes[bent.l3 + at] ^= 0x80;
        assert_int_equal(parse_built(&bent, FG_CHECKSUM_UNKNOWN).kind, FG_FRAME_DROPPED);
    }
    bent = frame;
    bent.bytes[bent.l3 + 8]--; /* TTL, without the checksum's help */
    assert_dropped(&bent, FG_COUNTER_DROP_IP_CHECKSUM);
}

static void ethernet(void **state)
{
    (void)state;
    static const uint8_t groups[][6] = {
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {0x01, 0, 0x5e, 0, 0, 1}, {0x33, 0x33, 0, 0, 0, 1}};
    struct built frame = build_udp(64, -1);
    frame.bytes[5] ^= 1;
    assert_dropped(&frame, FG_COUNTER_DROP_OTHER_MAC);
    for (unsigned i = 0; i < 3; i++) {
        memcpy(frame.bytes, groups[i], 6); /* a request to many is not one to us */
        assert_dropped(&frame, FG_COUNTER_DROP_GROUP);
    }

    frame = build_udp(64, -1);
    frame.bytes[6] |= 1; /* from a multicast MAC */
    assert_dropped(&frame, FG_COUNTER_DROP_SOURCE_MAC);
    memset(frame.bytes + 6, 0, 6);
    assert_dropped(&frame, FG_COUNTER_DROP_SOURCE_MAC);
    memcpy(frame.bytes + 6, engine_address.mac.addr_bytes, 6);
    assert_dropped(&frame, FG_COUNTER_DROP_SOURCE_MAC);

    frame = build_udp(64, -1);
    put16(frame.bytes + 12, 0x88cc);
    assert_dropped(&frame, FG_COUNTER_DROP_NOT_IP);
    put16(frame.bytes + 12, 46); /* a length, as it was in 1980 */
    assert_dropped(&frame, FG_COUNTER_DROP_NOT_IP);
    put16(frame.bytes + 12, 0x86dd);
    assert_dropped(&frame, FG_COUNTER_DROP_IP_HEADER);
    frame = build_udp(64, 4);
    put16(frame.bytes + 16, 0x8100); /* a second tag */
    assert_dropped(&frame, FG_COUNTER_DROP_VLAN);
    put16(frame.bytes + 16, 0x88a8);
    assert_dropped(&frame, FG_COUNTER_DROP_VLAN);
    frame = build_udp(64, 4);
    put16(frame.bytes + 12, 0x88a8); /* a service tag outside */
    assert_dropped(&frame, FG_COUNTER_DROP_VLAN);
    put16(frame.bytes + 12, 0x9100);
    assert_dropped(&frame, FG_COUNTER_DROP_VLAN);
}

static void arp(void **state)
{
    (void)state;
    struct built frame = build_arp(CLIENT_IP, ENGINE_IP, -1);
    assert_kind(&frame, FG_FRAME_ARP);
    frame.length += 18; /* padding of a short frame */
    assert_kind(&frame, FG_FRAME_ARP);
    memcpy(frame.bytes, engine_address.mac.addr_bytes, 6); /* asked again, to us alone */
    assert_kind(&frame, FG_FRAME_ARP);
    frame = build_arp(CLIENT_IP, ENGINE_IP, 7);
    assert_kind(&frame, FG_FRAME_ARP);
    frame = build_arp(0, ENGINE_IP, -1); /* a probe */
    assert_kind(&frame, FG_FRAME_ARP);

    frame = build_arp(CLIENT_IP, ENGINE_IP + 1, -1);
    assert_dropped(&frame, FG_COUNTER_DROP_NOT_FOR_US);
    frame = build_arp(ENGINE_IP, ENGINE_IP, -1);
    assert_dropped(&frame, FG_COUNTER_DROP_SOURCE_OWN);
    frame = build_arp(0xffffffff, ENGINE_IP, -1);
    assert_dropped(&frame, FG_COUNTER_DROP_SOURCE_GROUP);
    frame = build_arp(CLIENT_IP, ENGINE_IP, -1);
    frame.bytes[frame.l3 + 8] |= 1; /* tell it to a group */
    assert_dropped(&frame, FG_COUNTER_DROP_SOURCE_MAC);
    frame = build_arp(CLIENT_IP, ENGINE_IP, -1);
    memcpy(frame.bytes + frame.l3 + 8, engine_address.mac.addr_bytes, 6);
    assert_dropped(&frame, FG_COUNTER_DROP_SOURCE_MAC);
    frame = build_arp(CLIENT_IP, ENGINE_IP, -1);
    put16(frame.bytes + frame.l3 + 6, 2); /* an answer */
    assert_dropped(&frame, FG_COUNTER_DROP_ARP);
    for (unsigned at = 0; at < 8; at++) {
        frame = build_arp(CLIENT_IP, ENGINE_IP, -1);
        frame.bytes[frame.l3 + at] ^= 0x10;
        assert_dropped(&frame, FG_COUNTER_DROP_ARP);
    }
}

static void echo(void **state)
{
    (void)state;
    struct built frame = build_echo(0);
    assert_kind(&frame, FG_FRAME_ECHO);
    frame = build_echo(56);
    assert_kind(&frame, FG_FRAME_ECHO);
    frame = build_echo(1500 - 28);
    assert_kind(&frame, FG_FRAME_ECHO);
    frame = build_echo(1500 - 27);
    assert_dropped(&frame, FG_COUNTER_DROP_ICMP);

    frame = build_echo(56);
    frame.bytes[frame.l3 + 40] ^= 4;
    assert_dropped(&frame, FG_COUNTER_DROP_ICMP_CHECKSUM);
    frame = build_echo(56);
    frame.bytes[frame.l3 + 20] = 0; /* an answer */
    assert_dropped(&frame, FG_COUNTER_DROP_ICMP);
    frame = build_echo(56);
    frame.bytes[frame.l3 + 21] = 1;
    assert_dropped(&frame, FG_COUNTER_DROP_ICMP);
}

/* Whatever stands in a frame, parsing it ends, reads nothing beyond it, and what it accepts lies
 * within it. */
static void random_bytes(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    for (unsigned round = 0; round < 20000; round++) {
        struct built frame = round % 3 == 0   ? build_udp(64, round % 2 ? 1 : -1)
                             : round % 3 == 1 ? build_echo(30)
                                              : build_arp(CLIENT_IP, ENGINE_IP, -1);
        for (unsigned change = 0; change < 1 + round % 4; change++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            frame.bytes[random % frame.length] = (uint8_t)(random >> 40);
        }
        frame.length -= (random >> 48) % 4;
        struct fg_parsed parsed = parse_built(&frame, FG_CHECKSUM_RIGHT);
        if (parsed.kind == FG_FRAME_REQUEST)
            assert_in_range(parsed.payload + parsed.length, parsed.l3 + 28, frame.length);
        else if (parsed.kind == FG_FRAME_DROPPED)
            assert_in_range(parsed.dropped, FG_COUNTER_DROP_OTHER_MAC, FG_COUNTER_DROP_NO_CHECKSUM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_found),
        cmocka_unit_test(padding_is_no_payload),
        cmocka_unit_test(fields_of_ip),
        cmocka_unit_test(point_to_point_subnet),
        cmocka_unit_test(checksums),
        cmocka_unit_test(ethernet),
        cmocka_unit_test(arp),
        cmocka_unit_test(echo),
        cmocka_unit_test(random_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
