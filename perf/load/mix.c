/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/mix.h"

#include <errno.h>
#include <stdlib.h>
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
    uint32_t change = fg_partition((const uint8_t *)words, 1 << 16) ^ buyer;
    uint32_t mend = mix->mend[0][change & 0xff] ^ mix->mend[1][change >> 8 & 0xff];

    words[1] ^= (uint64_t)mend << 32;
    static_assert(sizeof(words) == FG_BUYER_BYTES, "an identity is two words");
    memcpy(identity, words, sizeof(words));
}

/* How many of the numbers below `count` are of that partition. No division: datagrams are made by
 * the ten million in a second. */
static inline uint32_t count_of(const struct load_mix *mix, uint32_t count, uint32_t partition)
{
    return count > partition ? ((count - 1 - partition) >> load_mix_partition_bits(mix)) + 1 : 0;
}

int load_mix_steer(struct load_mix *mix, uint32_t partitions)
{
    mix->partitions = partitions;
    if (mix->choice == LOAD_IN_TURN && mix->buyers / partitions < mix->batch)
        return -ERANGE;
    if (mix->choice != LOAD_BY_ZIPF)
        return 0;
    load_mix_fini(mix);
    mix->zipfs = calloc(partitions + (size_t)1, sizeof(*mix->zipfs));
    if (!mix->zipfs)
        return -ENOMEM;
    /* Of partitions without a buyer none is ever drawn. */
    for (uint32_t p = 0; p < partitions && p < mix->buyers; p++)
        load_zipf_init(&mix->zipfs[p], count_of(mix, mix->buyers, p), (p + 1.0) / partitions,
                       mix->exponent);
    load_zipf_init(&mix->zipfs[partitions], mix->buyers, 1, mix->exponent);
    return 0;
}

void load_mix_fini(struct load_mix *mix)
{
    free(mix->zipfs);
    mix->zipfs = NULL;
}

/* One of `count` numbers of which the first `bots` weigh more. */
static uint32_t draw_with_bots(const struct load_mix *mix, uint32_t bots, uint32_t count,
                               uint64_t word)
{
    uint64_t heavy = (uint64_t)bots * mix->bot_factor;
    uint64_t drawn = load_reduce(word, heavy + count - bots);

    return drawn < heavy ? (uint32_t)(drawn % bots) : bots + (uint32_t)(drawn - heavy);
}

/* The first buyer of a group, of all; its partition is that of all its buyers. */
static uint32_t draw_first(const struct load_mix *mix, uint64_t group)
{
    uint64_t random = word(mix, STREAM_GROUP, group);

    if (mix->choice == LOAD_BY_ZIPF)
        return (uint32_t)load_zipf_draw(&mix->zipfs[mix->partitions], random, group);
    if (mix->choice == LOAD_BOTS)
        return draw_with_bots(mix, mix->bots, mix->buyers, random);
    return (uint32_t)load_reduce(random, mix->buyers);
}

/* One buyer of a partition, for one more of a group: as likely as it is of all, given that it is of
 * this partition. So every request, first or not, is drawn as the choice says. */
static uint32_t draw_another(const struct load_mix *mix, uint32_t partition, uint64_t number)
{
    uint32_t here = count_of(mix, mix->buyers, partition);
    uint64_t random = word(mix, STREAM_BUYER, number);
    uint32_t place;

    if (mix->choice == LOAD_BY_ZIPF)
        place = (uint32_t)load_zipf_draw(&mix->zipfs[partition], random, number);
    else if (mix->choice == LOAD_BOTS)
        place = draw_with_bots(mix, count_of(mix, mix->bots, partition), here, random);
    else
        place = (uint32_t)load_reduce(random, here);
    return partition + mix->partitions * place;
}

/* Groups take the partitions in turn, and the buyers of each. */
static uint32_t in_turn(const struct load_mix *mix, uint64_t group, uint32_t place)
{
    uint32_t partition = (uint32_t)group & (mix->partitions - 1);
    uint32_t here = count_of(mix, mix->buyers, partition);
    uint64_t turn = (group >> load_mix_partition_bits(mix)) * mix->batch + place;

    return partition + mix->partitions * (uint32_t)(turn < here ? turn : turn % here);
}

static void draw_item(const struct load_mix *mix, uint64_t number, struct load_want *want)
{
    uint32_t quantity = 0;

    want->item_place = 0;
    if (mix->items.count > 1)
        want->item_place = load_weights_draw(&mix->items, word(mix, STREAM_ITEM, number));
    if (mix->quantities.count > 1)
        quantity = load_weights_draw(&mix->quantities, word(mix, STREAM_QUANTITY, number));
    want->item = mix->items.values[want->item_place];
    want->quantity = (uint16_t)mix->quantities.values[quantity];
}

struct load_want load_mix_want(const struct load_mix *mix, uint64_t number)
{
    uint64_t place = load_mix_place(number), group = place / mix->batch;
    struct load_want want;

    if (mix->choice == LOAD_IN_TURN)
        want.buyer = in_turn(mix, group, (uint32_t)(place % mix->batch));
    else
        want.buyer = draw_first(mix, group);
    if (number != place || (mix->choice != LOAD_IN_TURN && mix->batch > 1))
        want.buyer = draw_another(mix, load_mix_partition(want.buyer, mix->partitions), number);
    draw_item(mix, place, &want);
    return want;
}

uint32_t load_mix_group(const struct load_mix *mix, uint64_t group, struct load_want *wants)
{
    uint64_t first = group * mix->batch;
    bool turns = mix->choice == LOAD_IN_TURN;
    uint32_t buyer = turns ? in_turn(mix, group, 0) : draw_first(mix, group);
    uint32_t partition = load_mix_partition(buyer, mix->partitions);

    for (uint32_t i = 0; i < mix->batch; i++) {
        if (!turns && mix->batch > 1)
            buyer = draw_another(mix, partition, first + i);
        wants[i].buyer = buyer;
        draw_item(mix, first + i, &wants[i]);
        buyer += mix->partitions; /* whose turn is next */
        if (buyer >= mix->buyers)
            buyer = partition;
    }
    return partition;
}

/* 0..count-1 out of 16 random bits. */
static inline uint32_t share(uint64_t word, unsigned shift, uint32_t count)
{
    return ((uint32_t)(word >> shift & 0xffff) * count) >> 16;
}

struct load_habits load_mix_habits(const struct load_mix *mix, uint64_t number)
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
