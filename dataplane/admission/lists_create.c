/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists are made from entries in any order and however often repeated, by counting and sorting:
 * how long that takes does not depend on what the entries are.
 */
#include <stdlib.h>

#include "dataplane/admission/lists.h"
#include "dataplane/memory.h"

/* Memory that fg_lists_destroy() frees. */
static void *keep_init(struct fg_lists *lists, uint64_t count, size_t size)
{
    unsigned place = 0;
    while (lists->memory[place])
        place++;
    lists->memory[place] = fg_memory_large(count, size);
    lists->bytes += count * size;
    return lists->memory[place];
}

/* --- buyers --- */

/* An empty filter, or NULL. Its bits are a power of two, so that a mask chooses one. */
static uint64_t *filter_init(struct fg_lists *lists, uint64_t buyers)
{
    uint64_t bits = 64;

    while (bits < buyers * FG_LIST_BITS)
        bits *= 2;
    uint64_t *filter = keep_init(lists, bits / 64, sizeof(*filter));
    lists->filter_mask = bits - 1;
    lists->filter = filter;
    return filter;
}

static void filter_add(const struct fg_lists *lists, uint64_t *filter, uint64_t hash)
{
    uint64_t bit = fg_lists_bit(lists, hash);

    filter[bit / 64] |= UINT64_C(1) << bit % 64;
}

static struct fg_list_line *line_of(const struct fg_lists *lists, struct fg_list_line *lines,
                                    uint64_t hash)
{
    return &lines[fg_lists_line(lists, hash) - lists->lines];
}

static void put_buyer(struct fg_lists *lists, struct fg_list_line *lines,
                      uint8_t (*ids)[FG_BUYER_BYTES], const uint8_t *buyer, enum fg_listed listed)
{
    uint64_t hash = fg_lists_hash(lists, buyer);
    struct fg_list_line *line = line_of(lists, lines, hash);
    struct fg_list_counts *counts =
        &lists->counts[listed == FG_LISTED_ALLOWED ? FG_LIST_ALLOW_BUYERS : FG_LIST_BLOCK_BUYERS];
    enum fg_listed before =
        fg_list_line_find(line, (const uint8_t(*)[FG_BUYER_BYTES])ids, (uint16_t)hash, buyer);

    if (before == listed) {
        counts->duplicates++;
        return;
    }
    counts->entries++;
    if (before != FG_LISTED_NOT) {
        counts->overruled++;
        return;
    }
    if (line->count < FG_LIST_TAGS)
        line->tags[line->count] = (uint16_t)hash;
    memcpy(ids[line->first + line->count++], buyer, FG_BUYER_BYTES);
    line->allowed += listed == FG_LISTED_ALLOWED;
}

/* Where each line's buyers begin, when each has counted how many may fall to it. */
static void share_places(struct fg_list_line *lines, uint32_t count)
{
    uint32_t first = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t places = lines[i].first;
        lines[i].first = first;
        first += places;
    }
}

/* Closes the gaps that repeated entries have left. */
static void close_gaps(struct fg_list_line *lines, uint32_t count, uint8_t (*ids)[FG_BUYER_BYTES])
{
    uint32_t first = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (lines[i].first != first)
            memmove(ids[first], ids[lines[i].first], lines[i].count * sizeof(*ids));
        lines[i].first = first;
        first += lines[i].count;
    }
}

static bool buyers_init(struct fg_lists *lists, const struct fg_lists_input *input)
{
    uint64_t total = (uint64_t)input->buyers_count[0] + input->buyers_count[1];
    if (total == 0)
        return true;
    uint32_t lines_count = (uint32_t)(total / FG_LIST_MEAN + 1);
    struct fg_list_line *lines = keep_init(lists, lines_count, sizeof(*lines));
    uint8_t(*ids)[FG_BUYER_BYTES] = lines ? keep_init(lists, total, sizeof(*ids)) : NULL;
    uint64_t *filter = ids ? filter_init(lists, total) : NULL;
    if (!filter)
        return false;
    lists->lines_count = lines_count;
    lists->lines = lines;
    lists->ids = (const uint8_t(*)[FG_BUYER_BYTES])ids;
    for (unsigned which = 0; which < 2; which++)
        for (uint32_t i = 0; i < input->buyers_count[which]; i++) {
            uint64_t hash = fg_lists_hash(lists, input->buyers[which][i]);
            line_of(lists, lines, hash)->first++;
            filter_add(lists, filter, hash);
        }
    share_places(lines, lines_count);
    for (uint32_t i = 0; i < input->buyers_count[1]; i++) /* these first: they overrule */
        put_buyer(lists, lines, ids, input->buyers[1][i], FG_LISTED_ALLOWED);
    for (uint32_t i = 0; i < input->buyers_count[0]; i++)
        put_buyer(lists, lines, ids, input->buyers[0][i], FG_LISTED_BLOCKED);
    close_gaps(lines, lines_count, ids);
    return true;
}

/* --- sources --- */

/* By address, a wider prefix before those in it, and of equal ones the allowed first. */
static int by_address(const void *left, const void *right)
{
    const struct fg_list_prefix *a = left, *b = right;
    if (a->address.high != b->address.high)
        return a->address.high < b->address.high ? -1 : 1;
    if (a->address.low != b->address.low)
        return a->address.low < b->address.low ? -1 : 1;
    if (a->bits != b->bits)
        return a->bits < b->bits ? -1 : 1;
    return (int)b->listed - (int)a->listed;
}
static_assert(FG_LISTED_ALLOWED > FG_LISTED_BLOCKED, "allowed entries come first");

/* Keeps each prefix once; returns how many there are. */
static uint32_t unite(struct fg_lists *lists, struct fg_list_prefix *prefixes, uint32_t count)
{
    uint32_t kept = 0;
    bool blocked_too = false; /* ... the prefix kept last, which is allowed */
    for (uint32_t i = 0; i < count; i++) {
        const struct fg_list_prefix *prefix = &prefixes[i];
        struct fg_list_counts *counts =
            &lists->counts[prefix->listed == FG_LISTED_ALLOWED ? FG_LIST_ALLOW_SOURCES
                                                               : FG_LIST_BLOCK_SOURCES];
        const struct fg_list_prefix *last = kept > 0 ? &prefixes[kept - 1] : NULL;
        bool same =
            last && last->bits == prefix->bits && fg_ip_same(last->address, prefix->address);
        if (same && (last->listed == prefix->listed || blocked_too)) {
            counts->duplicates++;
            continue;
        }
        counts->entries++;
        counts->overruled += same;
        blocked_too = same;
        if (!same)
            prefixes[kept++] = *prefix;
    }
    return kept;
}

/* The points of one family so far. */
struct points {
    struct fg_ip *at;
    uint32_t count;
    bool blocked; /* from the last one on */
};

/* From this address on it is so. Two turns at one address are none. */
static void turn(struct points *points, struct fg_ip address, bool blocked)
{
    if (points->blocked == blocked)
        return;
    points->blocked = blocked;
    if (points->count > 0 && fg_ip_same(points->at[points->count - 1], address))
        points->count--;
    else
        points->at[points->count++] = address;
}

static struct fg_ip last_of(const struct fg_list_prefix *prefix)
{
    struct fg_ip mask = fg_ip_mask(prefix->bits);
    return (struct fg_ip){prefix->address.high | ~mask.high, prefix->address.low | ~mask.low};
}

static bool before(struct fg_ip a, struct fg_ip b)
{
    return a.high != b.high ? a.high < b.high : a.low < b.low;
}

/* The prefixes that are open, each within the one before. */
struct nest {
    const struct fg_list_prefix *open[FG_IP_BITS + 1];
    unsigned depth;
};

/* Ends the innermost one: behind it counts what it lies in. */
static void leave(struct points *points, struct nest *nest)
{
    struct fg_ip last = last_of(nest->open[--nest->depth]);
    bool blocked = nest->depth > 0 && nest->open[nest->depth - 1]->listed == FG_LISTED_BLOCKED;
    struct fg_ip next = {last.high + (last.low == UINT64_MAX), last.low + 1};
    if (next.high != 0 || next.low != 0) /* nothing comes behind the last address */
        turn(points, next, blocked);
}

static void find_points(struct points *points, const struct fg_list_prefix *prefixes,
                        uint32_t count)
{
    struct nest nest = {.depth = 0};
    for (uint32_t i = 0; i < count; i++) {
        while (nest.depth > 0 && before(last_of(nest.open[nest.depth - 1]), prefixes[i].address))
            leave(points, &nest);
        nest.open[nest.depth++] = &prefixes[i];
        turn(points, prefixes[i].address, prefixes[i].listed == FG_LISTED_BLOCKED);
    }
    while (nest.depth > 0)
        leave(points, &nest);
}

static uint64_t padded(uint64_t keys)
{
    return (keys + FG_LADDER_FAN - 1) / FG_LADDER_FAN * FG_LADDER_FAN;
}

/* The levels lie in one piece, the keys first. `shown` picks what of a point is its key. */
static bool ladder_init(struct fg_lists *lists, struct fg_ladder *ladder,
                        const struct points *points, bool v4)
{
    uint64_t all = 0;
    if (points->count == 0)
        return true;
    for (uint64_t keys = points->count;; keys = (keys + FG_LADDER_FAN - 1) / FG_LADDER_FAN) {
        all += padded(keys);
        if (keys <= FG_LADDER_FAN)
            break;
    }
    uint64_t *keys = keep_init(lists, all, sizeof(*keys));
    if (!keys)
        return false;
    for (uint32_t i = 0; i < points->count; i++)
        keys[i] = v4 ? points->at[i].low - (UINT64_C(0xffff) << 32) : points->at[i].high;
    ladder->count = points->count;
    for (uint64_t count = points->count;; count = (count + FG_LADDER_FAN - 1) / FG_LADDER_FAN) {
        ladder->level[ladder->levels++] = keys;
        uint64_t *above = keys + padded(count);
        for (uint64_t *rest = keys + count; rest < above; rest++)
            *rest = UINT64_MAX;
        if (count <= FG_LADDER_FAN)
            return true;
        for (uint64_t i = 0; i < count; i += FG_LADDER_FAN)
            above[i / FG_LADDER_FAN] = keys[i];
        keys = above;
    }
}

static bool lows_init(struct fg_lists *lists, const struct points *points)
{
    if (points->count == 0)
        return true;
    uint64_t *lows = keep_init(lists, points->count, sizeof(*lows));
    lists->lows = lows;
    for (uint32_t i = 0; lows && i < points->count; i++)
        lows[i] = points->at[i].low;
    return lows != NULL;
}

static bool is_v4(const struct fg_list_prefix *prefix)
{
    return prefix->bits >= FG_IP_V4_BITS && fg_ip_is_v4(prefix->address);
}

/* The points of IPv4, then those of IPv6; each out of its own prefixes. */
static bool points_init(struct fg_lists *lists, struct fg_ip *at, struct fg_list_prefix *family,
                        uint32_t all)
{
    for (int v4 = 1; v4 >= 0; v4--) {
        struct points points = {.at = at};
        uint32_t count = 0;
        for (uint32_t i = 0; i < all; i++)
            if (is_v4(&lists->prefixes[i]) == (v4 == 1))
                family[count++] = lists->prefixes[i];
        find_points(&points, family, count);
        lists->sources = lists->sources || points.count > 0;
        if (!ladder_init(lists, v4 ? &lists->v4 : &lists->v6, &points, v4) ||
            (!v4 && !lows_init(lists, &points)))
            return false;
    }
    return true;
}

static bool sources_init(struct fg_lists *lists, const struct fg_lists_input *input)
{
    uint32_t total = input->sources_count[0] + input->sources_count[1];
    if (total == 0)
        return true;
    struct fg_list_prefix *prefixes = keep_init(lists, total, sizeof(*prefixes));
    struct fg_list_prefix *family = calloc(total, sizeof(*family));
    struct fg_ip *at = calloc(2 * (size_t)total, sizeof(*at));
    bool made = prefixes && family && at;
    uint32_t count = 0;
    for (unsigned which = 0; made && which < 2; which++)
        for (uint32_t i = 0; i < input->sources_count[which]; i++) {
            prefixes[count] = input->sources[which][i];
            prefixes[count++].listed = which ? FG_LISTED_ALLOWED : FG_LISTED_BLOCKED;
        }
    if (made) {
        qsort(prefixes, count, sizeof(*prefixes), by_address);
        lists->prefixes_count = unite(lists, prefixes, count);
        lists->prefixes = prefixes;
        made = points_init(lists, at, family, lists->prefixes_count);
    }
    free(at);
    free(family);
    return made;
}

struct fg_lists *fg_lists_create(const struct fg_lists_input *input)
{
    struct fg_lists *lists = fg_memory_zeroed(1, sizeof(*lists));
    if (!lists)
        return NULL;
    lists->bytes = sizeof(*lists);
    lists->seed[0] = input->seed[0];
    lists->seed[1] = input->seed[1];
    if (!buyers_init(lists, input) || !sources_init(lists, input)) {
        fg_lists_destroy(lists);
        return NULL;
    }
    return lists;
}

void fg_lists_destroy(struct fg_lists *lists)
{
    if (!lists)
        return;
    for (unsigned i = 0; i < sizeof(lists->memory) / sizeof(lists->memory[0]); i++)
        free(lists->memory[i]);
    free(lists);
}
