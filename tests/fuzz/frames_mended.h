/* SPDX-License-Identifier: BSD-3-Clause */
/* Checksums mended in frames that have any bytes. */
#ifndef FG_TESTS_FUZZ_FRAMES_MENDED_H
#define FG_TESTS_FUZZ_FRAMES_MENDED_H

#include "tests/unit/frames.h"

#define MENDED_MAX 1600 /* bytes of a datagram that is mended */

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

#endif
