/* SPDX-License-Identifier: BSD-3-Clause */
/* The hash by which tables find a buyer. Pure; any thread. */
#ifndef FG_ADMISSION_BUYER_HASH_H
#define FG_ADMISSION_BUYER_HASH_H

#include <stdint.h>
#include <string.h>

#include "flashgate/protocol.h"

/* A folded multiplication. Buyers are chosen by others, the seed is ours: each table has its own.
 */
static inline uint64_t fg_buyer_hash(const uint8_t buyer[FG_BUYER_BYTES], const uint64_t seed[2])
{
    uint64_t a, b;
    memcpy(&a, buyer, 8);
    memcpy(&b, buyer + 8, 8);
    unsigned __int128 product =
        (unsigned __int128)(a ^ seed[0]) * (b ^ seed[1] ^ UINT64_C(0x9E3779B97F4A7C15));
    uint64_t folded = (uint64_t)product ^ (uint64_t)(product >> 64);
    return (folded ^ a) * UINT64_C(0xD6E8FEB86659FD93) ^ folded >> 29;
}

#endif
