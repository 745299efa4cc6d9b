/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A hash index over an array that its holder keeps: it stores places (numbers of array elements)
 * and 32 bits of each element's hash, so that nearly every look-up touches one line of the index
 * and one element. Linear probing, at most half full, never grows, nothing is removed.
 */
#ifndef FG_CHECK_INDEX_H
#define FG_CHECK_INDEX_H

#include <stdint.h>
#include <string.h>

#include "flashgate/protocol.h"

#define FG_INDEX_NONE UINT32_MAX

struct fg_index {
    uint64_t *slots; /* hash (high 32 bits) | place + 1; 0: empty */
    uint64_t mask;
};

/* Room for `entries` places. 0 or -ENOMEM. */
int fg_index_init(struct fg_index *index, uint64_t entries);
void fg_index_fini(struct fg_index *index);

/* A look-up under way. Begin with fg_index_probe; while fg_index_next gives places, compare the
 * element there with what is sought; after FG_INDEX_NONE, fg_index_put adds a place. */
struct fg_index_probe {
    uint64_t at;
    uint32_t tag;
};

static inline struct fg_index_probe fg_index_probe(uint64_t hash)
{
    return (struct fg_index_probe){.at = hash, .tag = (uint32_t)(hash >> 32)};
}

static inline uint32_t fg_index_next(const struct fg_index *index, struct fg_index_probe *probe)
{
    for (;; probe->at++) {
        uint64_t slot = index->slots[probe->at & index->mask];
        if (slot == 0)
            return FG_INDEX_NONE;
        if (slot >> 32 == probe->tag) {
            probe->at++;
            return (uint32_t)slot - 1;
        }
    }
}

static inline void fg_index_put(struct fg_index *index, const struct fg_index_probe *probe,
                                uint32_t place)
{
    index->slots[probe->at & index->mask] = (uint64_t)probe->tag << 32 | (place + UINT64_C(1));
}

static inline uint64_t fg_index_mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product =
        (unsigned __int128)(a ^ UINT64_C(0x9E3779B97F4A7C15)) * (b ^ UINT64_C(0xC2B2AE3D27D4EB4F));
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The hash of a buyer and a number (a request, an item). */
static inline uint64_t fg_index_hash(const uint8_t buyer[FG_BUYER_BYTES], uint64_t number)
{
    uint64_t half[2];
    memcpy(half, buyer, sizeof(half));
    return fg_index_mix(fg_index_mix(half[0], half[1]), number);
}

#endif
