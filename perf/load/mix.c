/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/mix.h"

#include <string.h>

#include "perf/load/random.h"

/* Streams of random words that one seed gives. */
enum stream {
    STREAM_GROUP,
    STREAM_BUYER,
    STREAM_ITEM,
    STREAM_QUANTITY,
    STREAM_HABITS,
    STREAM_NAME
};

static inline uint64_t word(const struct load_mix *mix, enum stream stream, uint64_t number)
{
    return load_word(mix->seed + ((uint64_t)stream << 56), number);
}

/* Undoes what CRC-32C's register does over four bytes: which last four bytes, xored in, change the
 * CRC by `change`. Linear over xor, so two tables of 256 serve all 16-bit changes. */
static uint32_t undo_four_bytes(uint32_t change)
{
    for (int bit = 0; bit < 32; bit++)
        change = change & 0x80000000 ? (change ^ 0x82f63b78) << 1 | 1 : change << 1;
    return change;
}

void load_mix_init(struct load_mix *mix)
{
    for (uint32_t i = 0; i < 256; i++) {
        mix->mend[0][i] = undo_four_bytes(i);
        mix->mend[1][i] = undo_four_bytes(i << 8);
    }
}

void load_mix_buyer_identity(const struct load_mix *mix, uint32_t buyer,
                             uint8_t identity[FG_BUYER_BYTES])
{
    uint64_t words[2] = {word(mix, STREAM_NAME, 2 * (uint64_t)buyer),
                         word(mix, STREAM_NAME, 2 * (uint64_t)buyer + 1)};
    uint32_t change = fg_crc32c(0, words, sizeof(words)) ^ buyer;
    uint32_t mend = mix->mend[0][change & 0xff] ^ mix->mend[1][change >> 8 & 0xff];

    words[1] ^= (uint64_t)mend << 32;
    static_assert(sizeof(words) == FG_BUYER_BYTES, "an identity is two words");
    memcpy(identity, words, sizeof(words));
}

/* The group draws a first buyer, whose partition all its buyers share. */
static uint32_t draw_buyer(const struct load_mix *mix, uint32_t number)
{
    uint32_t group = number / mix->batch;
    uint32_t first = (uint32_t)load_reduce(word(mix, STREAM_GROUP, group), mix->buyers);

    if (mix->batch == 1)
        return first;
    uint32_t partition = load_mix_partition(first, mix->partitions);
    uint32_t here = (mix->buyers - 1 - partition) / mix->partitions + 1;
    return partition +
           mix->partitions * (uint32_t)load_reduce(word(mix, STREAM_BUYER, number), here);
}

struct load_want load_mix_want(const struct load_mix *mix, uint32_t number)
{
    struct load_want want = {.buyer = draw_buyer(mix, number)};
    uint32_t quantity = load_weights_draw(&mix->quantities, word(mix, STREAM_QUANTITY, number));

    want.item_place = load_weights_draw(&mix->items, word(mix, STREAM_ITEM, number));
    want.item = mix->items.values[want.item_place];
    want.quantity = (uint16_t)mix->quantities.values[quantity];
    return want;
}

/* 0..count-1 out of 16 random bits. */
static inline uint32_t share(uint64_t word, unsigned shift, uint32_t count)
{
    return ((uint32_t)(word >> shift & 0xffff) * count) >> 16;
}

struct load_habits load_mix_habits(const struct load_mix *mix, uint32_t number)
{
    uint64_t random = word(mix, STREAM_HABITS, number);
    uint32_t percent = share(random, 0, 100);
    struct load_habits habits = {
        .double_click = share(random, 16, 1000) < mix->double_click_permille,
        .repeat = share(random, 32, 1000) < mix->repeat_permille,
        .plan = LOAD_PLAN_LEAVE,
    };

    if (percent < mix->confirm_percent)
        habits.plan = LOAD_PLAN_CONFIRM;
    else if (percent < mix->confirm_percent + mix->cancel_percent)
        habits.plan = LOAD_PLAN_CANCEL;
    return habits;
}
