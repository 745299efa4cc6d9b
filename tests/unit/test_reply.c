/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dataplane/net/reply.h"
#include "tests/unit/frames.h"

/* MACs changed places, and a tag stayed. */
static void assert_turned(const struct built *request, const uint8_t *reply)
{
    assert_memory_equal(reply, client_mac.addr_bytes, 6);
    assert_memory_equal(reply + 6, engine_address.mac.addr_bytes, 6);
    assert_memory_equal(reply + 12, request->bytes + 12, request->l3 - 12);
}

static void assert_ip(const uint8_t *ip, uint8_t protocol, size_t bytes)
{
    assert_int_equal(ip[0], 0x45);
    assert_int_equal(get16(ip + 2), 20 + bytes);
    assert_int_equal(get16(ip + 6), 0x4000); /* DF, and no fragment */
    assert_int_equal(ip[8], 64);
    assert_int_equal(ip[9], protocol);
    assert_int_equal(get32(ip + 12), ENGINE_IP);
    assert_int_equal(get32(ip + 16), CLIENT_IP);
    assert_int_equal(ip_sum(ip), 0xffff);
}

/* Every length of a reply payload, with and without a tag, over any request checksum. */
static void udp(void **state)
{
    (void)state;
    for (int vlan = -1; vlan <= 5; vlan += 6) {
        for (unsigned payload = 1; payload <= 1304; payload += payload < 70 ? 1 : 41) {
            struct built request = build_udp(1304, vlan), reply = request;
            if (payload % 2)
                put16(reply.bytes + reply.l3 + 26, 0);
            uint32_t length = fg_reply_udp(reply.bytes, reply.l3, payload);
            const uint8_t *ip = reply.bytes + reply.l3, *datagram = ip + 20;

            assert_int_equal(length, reply.l3 + 28 + payload);
            assert_turned(&request, reply.bytes);
            assert_ip(ip, 17, 8 + payload);
            assert_int_equal(get16(datagram), ENGINE_PORT);
            assert_int_equal(get16(datagram + 2), CLIENT_PORT);
            assert_int_equal(get16(datagram + 4), 8 + payload);
            assert_int_not_equal(get16(datagram + 6), 0);
            assert_int_equal(udp_sum(ip), 0xffff);
            assert_memory_equal(datagram + 8, request.bytes + request.l3 + 28, payload);
        }
    }
}

/* A sum of zero goes out as 0xffff: zero would say that there is no checksum. */
static void udp_checksum_zero(void **state)
{
    (void)state;
    struct built frame = build_udp(2, -1);
    uint8_t *ip = frame.bytes + frame.l3;

    put16(ip + 26, 0);
    put16(ip + 28, 0);
    put16(ip + 28, (uint16_t)~udp_sum(ip)); /* the payload makes the sum come out as zero */
    fg_reply_udp(frame.bytes, frame.l3, 2);
    assert_int_equal(get16(ip + 26), 0xffff);
    assert_int_equal(udp_sum(ip), 0xffff);
}

/* A reply is a well-formed datagram to whoever asked. */
static void reply_parses_at_the_client(void **state)
{
    (void)state;
    struct built frame = build_udp(200, 12);
    struct fg_frame_address client = {
        .mac = client_mac,
        .address = CLIENT_IP,
        .address6 = CLIENT_IP6,
        .mask = 0xffffff00u,
        .first_port = CLIENT_PORT,
        .last_port = CLIENT_PORT,
    };
    struct fg_parsed parsed;

    uint32_t length = fg_reply_udp(frame.bytes, frame.l3, 56);
    fg_frame_parse(frame.bytes, length, &client, FG_CHECKSUM_UNKNOWN, &parsed);
    assert_int_equal(parsed.kind, FG_FRAME_REQUEST);
    assert_int_equal(parsed.length, 56);
    assert_true(fg_ip_same(parsed.source, fg_ip_of_v4(ENGINE_IP)));

    frame = build_udp6(200, 12);
    length = fg_reply_udp(frame.bytes, frame.l3, 56);
    fg_frame_parse(frame.bytes, length, &client, FG_CHECKSUM_UNKNOWN, &parsed);
    assert_int_equal(parsed.kind, FG_FRAME_REQUEST);
    assert_int_equal(parsed.length, 56);
    assert_true(fg_ip_same(parsed.source, ENGINE_IP6));
}

static void arp(void **state)
{
    (void)state;
    static const uint32_t senders[] = {CLIENT_IP, 0};
    for (unsigned i = 0; i < 2; i++) {
        struct built frame = build_arp(senders[i], ENGINE_IP, i ? 3 : -1), request = frame;
        const uint8_t *packet = frame.bytes + frame.l3;

        fg_reply_arp(frame.bytes, frame.l3, &engine_address);
        assert_turned(&request, frame.bytes);
        assert_memory_equal(packet, request.bytes + frame.l3, 6);
        assert_int_equal(get16(packet + 6), 2);
        assert_memory_equal(packet + 8, engine_address.mac.addr_bytes, 6);
        assert_int_equal(get32(packet + 14), ENGINE_IP);
        assert_memory_equal(packet + 18, client_mac.addr_bytes, 6);
        assert_int_equal(get32(packet + 24), senders[i]);
    }
}

static void echo(void **state)
{
    (void)state;
    for (size_t data = 0; data <= 1472; data += data < 64 ? 1 : 67) {
        struct built frame = build_echo(data), request = frame;
        const uint8_t *icmp = frame.bytes + frame.l3 + 20;

        fg_reply_echo(frame.bytes, frame.l3);
        assert_turned(&request, frame.bytes);
        assert_ip(frame.bytes + frame.l3, 1, 8 + data);
        assert_int_equal(icmp[0], 0);
        assert_int_equal(icmp[1], 0);
        assert_int_equal(folded(words(0, icmp, 8 + data)), 0xffff);
        assert_memory_equal(icmp + 4, request.bytes + request.l3 + 24, 4 + data);
    }
}

static void assert_ip6(const uint8_t *ip, uint8_t protocol, size_t bytes, uint8_t hops)
{
    assert_int_equal(get32(ip), 0x60000000); /* neither class nor flow */
    assert_int_equal(get16(ip + 4), bytes);
    assert_int_equal(ip[6], protocol);
    assert_int_equal(ip[7], hops);
    assert_int_equal(sum6(ip, protocol), 0xffff);
}

static void assert_ends(const uint8_t *ip, struct fg_ip from, struct fg_ip to)
{
    uint8_t ends[32];
    put_ip6(ends, from);
    put_ip6(ends + 16, to);
    assert_memory_equal(ip + 8, ends, sizeof(ends));
}

static void udp6(void **state)
{
    (void)state;
    for (int vlan = -1; vlan <= 5; vlan += 6) {
        for (unsigned payload = 1; payload <= 1304; payload += payload < 70 ? 1 : 41) {
            struct built request = build_udp6(1304, vlan), reply = request;
            uint32_t length = fg_reply_udp(reply.bytes, reply.l3, payload);
            const uint8_t *ip = reply.bytes + reply.l3, *datagram = ip + 40;

            assert_int_equal(length, reply.l3 + 48 + payload);
            assert_turned(&request, reply.bytes);
            assert_ip6(ip, 17, 8 + payload, 64);
            assert_ends(ip, ENGINE_IP6, CLIENT_IP6);
            assert_int_equal(get16(datagram), ENGINE_PORT);
            assert_int_equal(get16(datagram + 2), CLIENT_PORT);
            assert_int_equal(get16(datagram + 4), 8 + payload);
            assert_int_not_equal(get16(datagram + 6), 0);
            assert_memory_equal(datagram + 8, request.bytes + request.l3 + 48, payload);
        }
    }
    /* A sum of zero goes out as 0xffff, as over IPv4. */
    struct built frame = build_udp6(2, -1);
    uint8_t *udp = frame.bytes + frame.l3 + 40;
    put16(udp + 6, 0);
    put16(udp + 8, 0);
    put16(udp + 8, (uint16_t)~sum6(frame.bytes + frame.l3, 17));
    fg_reply_udp(frame.bytes, frame.l3, 2);
    assert_int_equal(get16(udp + 6), 0xffff);
}

static void echo6(void **state)
{
    (void)state;
    for (size_t data = 0; data <= 1452; data += data < 64 ? 1 : 67) {
        struct built frame = build_echo6(data), request = frame;
        const uint8_t *ip = frame.bytes + frame.l3;

        fg_reply_echo(frame.bytes, frame.l3);
        assert_turned(&request, frame.bytes);
        assert_ip6(ip, 58, 8 + data, 64);
        assert_ends(ip, ENGINE_IP6, CLIENT_IP6);
        assert_int_equal(ip[40], 129);
        assert_int_equal(ip[41], 0);
        assert_memory_equal(ip + 44, request.bytes + request.l3 + 44, 4 + data);
    }
}

/* Who asks is told; all are, where who asks has no address yet (RFC 4861 7.2.4). */
static void advertisements(void **state)
{
    (void)state;
    static const uint8_t all_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
    static const struct fg_ip all = {UINT64_C(0xff02) << 48, 1};
    for (enum solicits how = TO_GROUP; how <= PROBES; how++)
        for (unsigned option = 0; option < (how == PROBES ? 1 : 2); option++) {
            struct built frame = build_solicitation(how, option == 1, option ? 3 : -1);
            const struct built asked = frame;
            const uint8_t *ip = frame.bytes + frame.l3, *icmp = ip + 40;
            bool told = option == 1 || how != TO_US;
            uint32_t length = fg_reply_neighbour(frame.bytes, frame.l3, &engine_address);

            assert_int_equal(length, frame.l3 + 40u + (told ? 32 : 24));
            assert_memory_equal(frame.bytes, how == PROBES ? all_mac : client_mac.addr_bytes, 6);
            assert_memory_equal(frame.bytes + 6, engine_address.mac.addr_bytes, 6);
            assert_memory_equal(frame.bytes + 12, asked.bytes + 12, frame.l3 - 12);
            assert_ip6(ip, 58, told ? 32 : 24, 255);
            assert_ends(ip, ENGINE_IP6, how == PROBES ? all : CLIENT_IP6);
            assert_int_equal(get16(icmp), 136 << 8);
            /* not a router; solicited, but where there is nobody to say so to; override */
            assert_int_equal(get32(icmp + 4), how == PROBES ? 0x20000000 : 0x60000000);
            assert_memory_equal(icmp + 8, asked.bytes + asked.l3 + 48, 16);
            if (told) {
                assert_int_equal(get16(icmp + 24), 0x0201);
                assert_memory_equal(icmp + 26, engine_address.mac.addr_bytes, 6);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(udp),
        cmocka_unit_test(udp_checksum_zero),
        cmocka_unit_test(reply_parses_at_the_client),
        cmocka_unit_test(arp),
        cmocka_unit_test(echo),
        cmocka_unit_test(udp6),
        cmocka_unit_test(echo6),
        cmocka_unit_test(advertisements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
