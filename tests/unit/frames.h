/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames for tests, built field by field, with right lengths and checksums. */
#ifndef FG_TESTS_FRAMES_H
#define FG_TESTS_FRAMES_H

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "dataplane/net/frame.h"

#define ENGINE_IP 0x0a090001u /* 10.9.0.1/24 */
#define CLIENT_IP 0x0a090002u
/* 2001:db8::12:3456/64 and 2001:db8::2 */
#define ENGINE_IP6  ((struct fg_ip){UINT64_C(0x20010db8) << 32, 0x123456})
#define CLIENT_IP6  ((struct fg_ip){UINT64_C(0x20010db8) << 32, 2})
#define ENGINE_PORT 20480
#define CLIENT_PORT 40000
#define FRAME_ROOM  2048

static const struct fg_frame_address engine_address = {
    .mac = {{0x02, 0, 0, 0, 0, 1}},
    .address = ENGINE_IP,
    .mask = 0xffffff00u,
    .address6 = {UINT64_C(0x20010db8) << 32, 0x123456},
    .first_port = ENGINE_PORT,
    .last_port = ENGINE_PORT + 63,
};
static const struct rte_ether_addr client_mac = {{0x02, 0, 0, 0, 0, 2}};

struct built {
    uint8_t bytes[FRAME_ROOM];
    size_t length;
    unsigned l3;
};

/* One's complement sum over 16-bit words, as RFC 1071 says; written apart from the code under
 * test. */
static uint32_t words(uint32_t sum, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        sum += (uint32_t)bytes[i] << (i % 2 ? 0 : 8);
    return sum;
}

static uint16_t folded(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static inline void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline void put32(uint8_t *at, uint32_t value)
{
    put16(at, (uint16_t)(value >> 16));
    put16(at + 2, (uint16_t)value);
}

static inline uint32_t get32(const uint8_t *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static inline void put_ip6(uint8_t *at, struct fg_ip ip)
{
    put32(at, (uint32_t)(ip.high >> 32));
    put32(at + 4, (uint32_t)ip.high);
    put32(at + 8, (uint32_t)(ip.low >> 32));
    put32(at + 12, (uint32_t)ip.low);
}

/* Sum over pseudo header and what an IPv6 header is followed by: 0xffff if its checksum is right.
 */
static inline uint16_t sum6(const uint8_t *ip, uint8_t protocol)
{
    uint16_t length = get16(ip + 4);
    return folded(words(words((uint32_t)protocol + length, ip + 8, 32), ip + 40, length));
}

/* Sum over pseudo header and datagram: 0xffff if its checksum is right. */
static inline uint16_t udp_sum(const uint8_t *ip)
{
    const uint8_t *udp = ip + 20;
    uint16_t length = get16(udp + 4);
    return folded(words(words(17u + length, ip + 12, 8), udp, length));
}

static inline uint16_t ip_sum(const uint8_t *ip)
{
    return folded(words(0, ip, 20));
}

static inline void fix_ip_checksum(struct built *frame)
{
    uint8_t *ip = frame->bytes + frame->l3;
    put16(ip + 10, 0);
    put16(ip + 10, (uint16_t)~ip_sum(ip));
}

static inline void fix_udp_checksum(struct built *frame)
{
    uint8_t *ip = frame->bytes + frame->l3;
    put16(ip + 26, 0);
    uint16_t sum = (uint16_t)~udp_sum(ip);
    put16(ip + 26, sum ? sum : 0xffff);
}

/* `vlan` < 0: no tag. */
static inline struct built build_ethernet(uint16_t type, int vlan)
{
    struct built frame = {.l3 = vlan < 0 ? 14 : 18};
    memcpy(frame.bytes, engine_address.mac.addr_bytes, 6);
    memcpy(frame.bytes + 6, client_mac.addr_bytes, 6);
    if (vlan >= 0) {
        put16(frame.bytes + 12, 0x8100);
        put16(frame.bytes + 14, (uint16_t)vlan);
    }
    put16(frame.bytes + frame.l3 - 2, type);
    frame.length = frame.l3;
    return frame;
}

static inline struct built build_ip(uint8_t protocol, size_t bytes, int vlan)
{
    struct built frame = build_ethernet(0x0800, vlan);
    uint8_t *ip = frame.bytes + frame.l3;

    ip[0] = 0x45;
    ip[1] = 0x10;
    put16(ip + 2, (uint16_t)(20 + bytes));
    put16(ip + 4, 0x1234);
    ip[8] = 17;
    ip[9] = protocol;
    put32(ip + 12, CLIENT_IP);
    put32(ip + 16, ENGINE_IP);
    fix_ip_checksum(&frame);
    frame.length += 20 + bytes;
    return frame;
}

/* A datagram to the engine, but for its checksum. */
static inline void put_udp(uint8_t *udp, size_t payload)
{
    put16(udp, CLIENT_PORT);
    put16(udp + 2, ENGINE_PORT);
    put16(udp + 4, (uint16_t)(8 + payload));
    for (size_t i = 0; i < payload; i++)
        udp[8 + i] = (uint8_t)(i * 7 + 1);
}

static inline struct built build_udp(size_t payload, int vlan)
{
    struct built frame = build_ip(17, 8 + payload, vlan);

    put_udp(frame.bytes + frame.l3 + 20, payload);
    fix_udp_checksum(&frame);
    return frame;
}

static inline struct built build_echo(size_t data)
{
    struct built frame = build_ip(1, 8 + data, -1);
    uint8_t *icmp = frame.bytes + frame.l3 + 20;

    icmp[0] = 8;
    put16(icmp + 4, 77);
    put16(icmp + 6, 3);
    for (size_t i = 0; i < data; i++)
        icmp[8 + i] = (uint8_t)i;
    put16(icmp + 2, (uint16_t)~folded(words(0, icmp, 8 + data)));
    return frame;
}

/* Writes the checksum at `offset` behind the IPv6 header. */
static inline void fix6(struct built *frame, unsigned offset)
{
    uint8_t *ip = frame->bytes + frame->l3;
    put16(ip + 40 + offset, 0);
    uint16_t sum = (uint16_t)~sum6(ip, ip[6]);
    put16(ip + 40 + offset, sum ? sum : 0xffff);
}

static inline struct built build_ip6(uint8_t protocol, size_t bytes, int vlan)
{
    struct built frame = build_ethernet(0x86dd, vlan);
    uint8_t *ip = frame.bytes + frame.l3;

    put32(ip, 0x6b512345); /* class and flow of the sender's */
    put16(ip + 4, (uint16_t)bytes);
    ip[6] = protocol;
    ip[7] = 17;
    put_ip6(ip + 8, CLIENT_IP6);
    put_ip6(ip + 24, ENGINE_IP6);
    frame.length += 40 + bytes;
    return frame;
}

static inline struct built build_udp6(size_t payload, int vlan)
{
    struct built frame = build_ip6(17, 8 + payload, vlan);

    put_udp(frame.bytes + frame.l3 + 40, payload);
    fix6(&frame, 6);
    return frame;
}

static inline struct built build_echo6(size_t data)
{
    struct built frame = build_ip6(58, 8 + data, -1);
    uint8_t *icmp = frame.bytes + frame.l3 + 40;

    icmp[0] = 128;
    put16(icmp + 4, 77);
    put16(icmp + 6, 3);
    for (size_t i = 0; i < data; i++)
        icmp[8 + i] = (uint8_t)(i + 1);
    fix6(&frame, 2);
    return frame;
}

enum solicits { TO_GROUP, TO_US, PROBES };

/* Who has the engine's IPv6 address? With the sender's MAC in an option, if it has an address. */
static inline struct built build_solicitation(enum solicits how, bool option, int vlan)
{
    struct built frame = build_ip6(58, option ? 32 : 24, vlan);
    uint8_t *ip = frame.bytes + frame.l3, *icmp = ip + 40;

    ip[7] = 255;
    if (how != TO_US) {
        put_ip6(ip + 24, (struct fg_ip){UINT64_C(0xff02) << 48, UINT64_C(0x1ff123456)});
        memcpy(frame.bytes, (const uint8_t[]){0x33, 0x33, 0xff, 0x12, 0x34, 0x56}, 6);
    }
    if (how == PROBES)
        memset(ip + 8, 0, 16);
    icmp[0] = 135;
    put_ip6(icmp + 8, ENGINE_IP6);
    if (option) {
        icmp[24] = icmp[25] = 1;
        memcpy(icmp + 26, client_mac.addr_bytes, 6);
    }
    fix6(&frame, 2);
    return frame;
}

static inline struct built build_arp(uint32_t sender, uint32_t target, int vlan)
{
    struct built frame = build_ethernet(0x0806, vlan);
    uint8_t *arp = frame.bytes + frame.l3;

    memset(frame.bytes, 0xff, 6);
    put16(arp, 1);
    put16(arp + 2, 0x0800);
    arp[4] = 6;
    arp[5] = 4;
    put16(arp + 6, 1);
    memcpy(arp + 8, client_mac.addr_bytes, 6);
    put32(arp + 14, sender);
    put32(arp + 24, target);
    frame.length += 28;
    return frame;
}

/* Parses a copy that ends where the frame ends, so that a sanitizer sees a read beyond it. */
static inline struct fg_parsed parse_built(const struct built *frame, enum fg_checksum checksum)
{
    struct fg_parsed parsed = {0};
    uint8_t *copy = malloc(frame->length ? frame->length : 1);

    memcpy(copy, frame->bytes, frame->length);
    fg_frame_parse(copy, frame->length, &engine_address, checksum, &parsed);
    free(copy);
    return parsed;
}

#endif
