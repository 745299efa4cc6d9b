/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames of IPv6 beside those of tests/unit/frames.h, and checksums mended in frames that have any
 * bytes. */
#ifndef FG_TESTS_FUZZ_FRAMES_MENDED_H
#define FG_TESTS_FUZZ_FRAMES_MENDED_H

#include "tests/unit/frames.h"

#define MENDED_MAX 1600 /* bytes of a datagram that is mended */

#define CLIENT_IP6 ((struct fg_ip){UINT64_C(0x20010db800000001), UINT64_C(0x0000000000000002)})
#define ENGINE_IP6 ((struct fg_ip){UINT64_C(0x20010db800000001), UINT64_C(0x0000000000000001)})

/* The checksum of what follows an IPv6 header, `at` bytes into it. */
static inline void fix_checksum6(struct built *frame, size_t length, size_t at)
{
    uint8_t *ip = frame->bytes + frame->l3, *data = ip + 40;

    put16(data + at, 0);
    uint32_t sum = words((uint32_t)length + ip[6], ip + 8, 32);
    uint16_t right = (uint16_t)~folded(words(sum, data, length));
    put16(data + at, right ? right : 0xffff);
}

static inline void mend_ipv6(struct built *frame)
{
    const uint8_t *ip = frame->bytes + frame->l3;

    if (frame->length < frame->l3 + 48u)
        return;
    size_t length = get16(ip + 4);
    if (length < 8 || frame->l3 + 40 + length > frame->length)
        return;
    if (ip[6] == 17)
        fix_checksum6(frame, length, 6);
    else if (ip[6] == 58)
        fix_checksum6(frame, length, 2);
}

static inline void mend_ipv4(struct built *frame)
{
    const uint8_t *ip = frame->bytes + frame->l3;

    fix_ip_checksum(frame);
    if (frame->length >= frame->l3 + 28u && ip[9] == 17 && get16(ip + 24) < MENDED_MAX)
        fix_udp_checksum(frame);
    size_t length = get16(ip + 2);
    if (ip[9] != 1 || length < 28 || frame->l3 + length > frame->length)
        return;
    uint8_t *icmp = frame->bytes + frame->l3 + 20;
    put16(icmp + 2, 0);
    put16(icmp + 2, (uint16_t)~folded(words(0, icmp, length - 20)));
}

static inline void put_ip6(uint8_t *at, struct fg_ip ip)
{
    put32(at, (uint32_t)(ip.high >> 32));
    put32(at + 4, (uint32_t)ip.high);
    put32(at + 8, (uint32_t)(ip.low >> 32));
    put32(at + 12, (uint32_t)ip.low);
}

static inline struct built build_udp6(const uint8_t *payload, size_t length, int vlan)
{
    struct built frame = build_ethernet(0x86dd, vlan);
    uint8_t *ip = frame.bytes + frame.l3, *udp = ip + 40;

    ip[0] = 0x60;
    put16(ip + 4, (uint16_t)(8 + length));
    ip[6] = 17;
    ip[7] = 64;
    put_ip6(ip + 8, CLIENT_IP6);
    put_ip6(ip + 24, ENGINE_IP6);
    put16(udp, CLIENT_PORT);
    put16(udp + 2, ENGINE_PORT);
    put16(udp + 4, (uint16_t)(8 + length));
    memcpy(udp + 8, payload, length);
    fix_checksum6(&frame, 8 + length, 6);
    frame.length += 48 + length;
    return frame;
}

#endif
