/* SPDX-License-Identifier: BSD-3-Clause */
/* Looking up; how lists are made is in lists_create.c. */
#include "dataplane/admission/lists.h"

const char *fg_list_name(enum fg_list list)
{
    static const char *const names[] = {
#define X(name, text) [FG_LIST_##name] = text,
        FG_LISTS(X)
#undef X
    };
    return names[list];
}

/* --- buyers --- */

enum fg_listed fg_lists_find_buyer(const struct fg_lists *lists, const uint8_t *buyer)
{
    uint64_t hash = fg_lists_hash(lists, buyer);

    return fg_list_line_find(fg_lists_line(lists, hash), lists->ids, (uint16_t)hash, buyer);
}

/* --- sources --- */

static unsigned at_most(const uint64_t line[FG_LADDER_FAN], uint64_t key)
{
    unsigned count = 0;
    for (unsigned i = 0; i < FG_LADDER_FAN; i++)
        count += line[i] <= key;
    return count;
}

/* How many keys are at most `key`. */
static uint32_t ladder_rank(const struct fg_ladder *ladder, uint64_t key)
{
    uint64_t line = 0;
    if (ladder->levels == 0 || key < ladder->level[0][0])
        return 0;
    if (key == UINT64_MAX) /* what fills lines up is no key */
        return ladder->count;
    for (unsigned level = ladder->levels - 1; level > 0; level--)
        line = line * FG_LADDER_FAN + at_most(&ladder->level[level][line * FG_LADDER_FAN], key) - 1;
    return (uint32_t)(line * FG_LADDER_FAN + at_most(&ladder->level[0][line * FG_LADDER_FAN], key));
}

/* How many points of IPv6 are at or before an address: those before its first 64 bits, and of those
 * with the same ones what the last 64 say. */
static uint32_t rank_v6(const struct fg_lists *lists, struct fg_ip source)
{
    const struct fg_ladder *ladder = &lists->v6;
    uint32_t end = ladder_rank(ladder, source.high);
    if (end == 0 || ladder->level[0][end - 1] != source.high)
        return end;
    uint32_t begin = source.high == 0 ? 0 : ladder_rank(ladder, source.high - 1);
    while (begin < end) {
        uint32_t middle = begin + (end - begin) / 2;
        if (lists->lows[middle] <= source.low)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

bool fg_lists_find_source(const struct fg_lists *lists, struct fg_ip source)
{
    if (fg_ip_is_v4(source))
        return ladder_rank(&lists->v4, (uint32_t)source.low) & 1;
    return rank_v6(lists, source) & 1;
}

static int compare(const struct fg_list_prefix *a, struct fg_ip address, unsigned bits)
{
    if (a->address.high != address.high)
        return a->address.high < address.high ? -1 : 1;
    if (a->address.low != address.low)
        return a->address.low < address.low ? -1 : 1;
    return (int)a->bits - (int)bits;
}

static const struct fg_list_prefix *find_prefix(const struct fg_lists *lists, struct fg_ip address,
                                                unsigned bits)
{
    uint32_t begin = 0, end = lists->prefixes_count;
    while (begin < end) {
        uint32_t middle = begin + (end - begin) / 2;
        int order = compare(&lists->prefixes[middle], address, bits);
        if (order == 0)
            return &lists->prefixes[middle];
        if (order < 0)
            begin = middle + 1;
        else
            end = middle;
    }
    return NULL;
}

const struct fg_list_prefix *fg_lists_source_entry(const struct fg_lists *lists,
                                                   struct fg_ip source)
{
    int least = fg_ip_is_v4(source) ? FG_IP_V4_BITS : 0;
    for (int bits = FG_IP_BITS; lists && bits >= least; bits--) {
        const struct fg_list_prefix *found =
            find_prefix(lists, fg_ip_masked(source, fg_ip_mask((unsigned)bits)), (unsigned)bits);
        if (found)
            return found;
    }
    return NULL;
}
