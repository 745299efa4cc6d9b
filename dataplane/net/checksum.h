/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Internet checksum (RFC 1071): a ones' complement sum of 16-bit words, which may as well be
 * taken over words of any size, and in either byte order. DPDK's takes two bytes at a step, which
 * shows in a reply to 32 orders.
 *
 * Pure; any thread.
 */
#ifndef FG_NET_CHECKSUM_H
#define FG_NET_CHECKSUM_H

#include <emmintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Adds `length` bytes at any address to a sum, 0 to begin with. Only the last piece of a sum may
 * have an odd length. 32-bit words are summed up in 64 bits, which hold as many of them as a frame
 * could ever have. */
static inline uint64_t fg_checksum_add(const void *bytes, size_t length, uint64_t sum)
{
    const uint8_t *at = bytes;
    const __m128i zero = _mm_setzero_si128();
    __m128i low = zero, high = zero;
    uint32_t word;

    for (; length >= sizeof(__m128i); length -= sizeof(__m128i), at += sizeof(__m128i)) {
        __m128i words = _mm_loadu_si128((const __m128i *)at);
        low = _mm_add_epi64(low, _mm_unpacklo_epi32(words, zero));
        high = _mm_add_epi64(high, _mm_unpackhi_epi32(words, zero));
    }
    low = _mm_add_epi64(low, high);
    sum += (uint64_t)_mm_cvtsi128_si64(low) + (uint64_t)_mm_cvtsi128_si64(_mm_srli_si128(low, 8));
    for (; length >= sizeof(word); length -= sizeof(word), at += sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        sum += word;
    }
    word = 0;
    memcpy(&word, at, length);
    return sum + word;
}

/* The 16 bits of a sum, in the byte order of what was added; 0xffff if the checksum that was among
 * it is right. */
static inline uint16_t fg_checksum_fold(uint64_t sum)
{
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)sum;
}

#endif
