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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(udp),
        cmocka_unit_test(udp_checksum_zero),
        cmocka_unit_test(reply_parses_at_the_client),
        cmocka_unit_test(arp),
        cmocka_unit_test(echo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
