/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What each request asks for, as a function of (seed, number).
 *
 * Requests are grouped: those of one datagram (`batch` of them, consecutive numbers) belong to
 * buyers of one partition, as the protocol demands. So that such buyers are found without a search,
 * a buyer's identity is made such that the lowest 16 bits of its CRC-32C are those of the buyer's
 * index: then its partition is the index modulo the partitions, however many there are. All other
 * bits of the identity are random.
 */
#ifndef LOAD_MIX_H
#define LOAD_MIX_H

#include <stdbool.h>

#include "flashgate/protocol.h"
#include "perf/load/weights.h"

/* What a buyer does with an order that is held. */
enum load_plan { LOAD_PLAN_CONFIRM, LOAD_PLAN_CANCEL, LOAD_PLAN_LEAVE };

struct load_mix {
    uint64_t seed;
    uint32_t buyers;
    uint32_t batch;      /* requests of one datagram */
    uint32_t partitions; /* as learned at start; a power of two up to 65536 */
    uint32_t double_click_permille, repeat_permille;
    uint32_t confirm_percent, cancel_percent; /* the rest leave */
    struct load_weights items, quantities;

    uint32_t mend[2][256]; /* set by load_mix_init: see load_mix_buyer_identity() */
};

/* What a request asks for. */
struct load_want {
    uint32_t buyer; /* index */
    uint32_t item_place;
    uint32_t item;
    uint16_t quantity;
};

/* What its buyer is like. */
struct load_habits {
    bool double_click; /* asks twice at once */
    bool repeat;       /* asks again after the answer */
    enum load_plan plan;
};

/* Call it when the fields above are set. */
void load_mix_init(struct load_mix *mix);

/* Of request `number` (0, 1 ...). */
struct load_want load_mix_want(const struct load_mix *mix, uint32_t number);
struct load_habits load_mix_habits(const struct load_mix *mix, uint32_t number);

/* The 16 bytes of a buyer. */
void load_mix_buyer_identity(const struct load_mix *mix, uint32_t buyer,
                             uint8_t identity[FG_BUYER_BYTES]);

static inline uint32_t load_mix_partition(uint32_t buyer, uint32_t partitions)
{
    return buyer & (partitions - 1);
}

#endif
