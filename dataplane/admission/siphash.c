/* SPDX-License-Identifier: BSD-3-Clause */
/* SipHash-2-4: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012. */
#include <string.h>

#include "flashgate/protocol.h"

struct state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

static inline void sip_round(struct state *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 = rotate(s->v2, 32);
}

static inline void compress(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    sip_round(s);
    s->v0 ^= word;
}

static inline uint64_t load(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return word;
}

static inline struct state begin(const uint8_t key[FG_SECRET_BYTES])
{
    uint64_t k0 = load(key), k1 = load(key + 8);
    return (struct state){
        .v0 = k0 ^ UINT64_C(0x736f6d6570736575),
        .v1 = k1 ^ UINT64_C(0x646f72616e646f6d),
        .v2 = k0 ^ UINT64_C(0x6c7967656e657261),
        .v3 = k1 ^ UINT64_C(0x7465646279746573),
    };
}

/* The bytes after the last whole word, with the message's length in the top byte. */
static inline uint64_t end(struct state *s, const uint8_t *tail, size_t length)
{
    uint64_t last = 0;
    memcpy(&last, tail, length & 7);
    compress(s, last | (uint64_t)length << 56);
    s->v2 ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t fg_siphash(const uint8_t key[FG_SECRET_BYTES], const void *data, size_t length)
{
    struct state s = begin(key);
    const uint8_t *at = data, *words_end = at + (length & ~(size_t)7);

    for (; at < words_end; at += 8)
        compress(&s, load(at));
    return end(&s, at, length);
}

uint64_t fg_payload_mac(const uint8_t key[FG_SECRET_BYTES], const void *payload, size_t length)
{
    struct state s = begin(key);
    const uint8_t *at = payload, *words_end = at + (length & ~(size_t)7);

    /* The third word of the header is the mac itself: taken as zero. */
    static_assert(offsetof(struct fg_header, mac) == 16, "the mac is the third word");
    compress(&s, load(at));
    compress(&s, load(at + 8));
    compress(&s, 0);
    for (at += sizeof(struct fg_header); at < words_end; at += 8)
        compress(&s, load(at));
    return end(&s, at, length);
}
