/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses of both families as one kind of number: an IPv4 address is the IPv6 address that maps
 * it, ::ffff:a.b.c.d (RFC 4291 2.5.5.2). Pure; any thread.
 */
#ifndef FG_IP_H
#define FG_IP_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FG_IP_BITS     128
#define FG_IP_V4_BITS  96 /* of the prefix in front of an IPv4 address */
#define FG_IP_TEXT_MAX 56 /* bytes of an address with its prefix, as text */

/* Host order: the first 64 bits of the address, and the last. */
struct fg_ip {
    uint64_t high, low;
};

/* Bits below the mask are 0. */
struct fg_prefix {
    struct fg_ip address, mask;
};

static inline struct fg_ip fg_ip_of_v4(uint32_t address)
{
    return (struct fg_ip){.low = UINT64_C(0xffff) << 32 | address};
}

/* An IPv6 address as it stands in a packet, read and written. */
static inline struct fg_ip fg_ip_of_v6(const uint8_t bytes[16])
{
    uint64_t words[2];
    memcpy(words, bytes, sizeof(words));
    return (struct fg_ip){be64toh(words[0]), be64toh(words[1])};
}

static inline void fg_ip_put_v6(struct fg_ip ip, uint8_t bytes[16])
{
    uint64_t words[2] = {htobe64(ip.high), htobe64(ip.low)};
    memcpy(bytes, words, sizeof(words));
}

static inline bool fg_ip_is_v4(struct fg_ip ip)
{
    return ip.high == 0 && ip.low >> 32 == 0xffff;
}

/* The unspecified address; where there may be none, it says so. */
static inline bool fg_ip_is_zero(struct fg_ip ip)
{
    return (ip.high | ip.low) == 0;
}

static inline bool fg_ip_same(struct fg_ip a, struct fg_ip b)
{
    return ((a.high ^ b.high) | (a.low ^ b.low)) == 0;
}

static inline struct fg_ip fg_ip_masked(struct fg_ip ip, struct fg_ip mask)
{
    return (struct fg_ip){ip.high & mask.high, ip.low & mask.low};
}

static inline bool fg_prefix_holds(const struct fg_prefix *prefix, struct fg_ip ip)
{
    return fg_ip_same(fg_ip_masked(ip, prefix->mask), prefix->address);
}

/* The mask of a prefix of so many of the 128 bits. */
struct fg_ip fg_ip_mask(unsigned bits);

/* Reads "10.0.0.0/8", "2001:db8::/32" or one address, which ends the text. *bits are of 128: an
 * IPv4 prefix has FG_IP_V4_BITS more than its text says. *whole: the text was one address. False:
 * it is none, or its prefix is too long. Bits below the prefix are left as they are. */
bool fg_ip_parse(const char *text, struct fg_ip *ip, unsigned *bits, bool *whole);

/* An address; with its prefix of `bits` of 128, in the words of its family. Both return `text`. */
const char *fg_ip_text(struct fg_ip ip, char text[FG_IP_TEXT_MAX]);
const char *fg_prefix_text(struct fg_ip ip, unsigned bits, char text[FG_IP_TEXT_MAX]);

#endif
