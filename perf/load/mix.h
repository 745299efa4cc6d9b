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
#include "perf/load/zipf.h"

/* Who asks next. */
enum load_choice {
    LOAD_EVENLY,  /* each buyer as likely as the other */
    LOAD_IN_TURN, /* each buyer once, then all again */
    LOAD_BY_ZIPF, /* buyer k in proportion to 1 / (k + 1)^exponent */
    LOAD_BOTS,    /* the first `bots` buyers each `bot_factor` times as often as another one */
};

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
    enum load_choice choice;
    uint32_t bots, bot_factor; /* LOAD_BOTS */
    double exponent;           /* LOAD_BY_ZIPF */
    struct load_zipf *zipfs;   /* LOAD_BY_ZIPF: of every partition, and of all behind them */

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

/* Once the partitions are known (and again when they change): what the choice of buyers needs.
 * 0; -ENOMEM; or -ERANGE: there are fewer buyers than LOAD_IN_TURN needs, `batch` for each
 * partition. load_mix_fini frees it. */
int load_mix_steer(struct load_mix *mix, uint32_t partitions);
void load_mix_fini(struct load_mix *mix);

/* A request may take another one's place: its number is that of the other plus LOAD_MIX_ANEW, and
 * it asks for the same item and quantity, for another buyer of the same partition. */
#define LOAD_MIX_ANEW (UINT64_C(1) << 40)

static inline uint64_t load_mix_place(uint64_t number)
{
    return number & (LOAD_MIX_ANEW - 1);
}

/* Of request `number` (0, 1 ...). */
struct load_want load_mix_want(const struct load_mix *mix, uint64_t number);
struct load_habits load_mix_habits(const struct load_mix *mix, uint64_t number);

/* The same for all requests of a datagram, from number group * batch on, without dividing for each:
 * `wants` has room for `batch`. All are of one partition, which it returns. */
uint32_t load_mix_group(const struct load_mix *mix, uint64_t group, struct load_want *wants);

/* The 16 bytes of a buyer. */
void load_mix_buyer_identity(const struct load_mix *mix, uint32_t buyer,
                             uint8_t identity[FG_BUYER_BYTES]);

/* The partitions' logarithm: they are a power of two, and a division costs as much as all else. */
static inline unsigned load_mix_partition_bits(const struct load_mix *mix)
{
    return (unsigned)__builtin_ctz(mix->partitions);
}

static inline uint32_t load_mix_partition(uint32_t buyer, uint32_t partitions)
{
    return buyer & (partitions - 1);
}

#endif
