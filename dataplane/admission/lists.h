/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Block and allow lists: buyers whose new orders are refused, sources that get no answer, and who
 * is exempt. One object, made whole and never changed; successive catalogues share it.
 *
 * Buyers are a hash set in lines of 64 bytes. A line has 16-bit tags of the 14 or so buyers that
 * fall to it, and where their ids lie, side by side; so who is listed costs two or three lines. In
 * front of it stand 16 to 32 bits for each buyer, of which his hash sets one (a Bloom filter with
 * one hash, 1970): of strangers, who are nearly everybody, one in sixteen at most gets beyond it.
 * The hash is seeded anew for each object.
 *
 * Sources are the points of the address space at which "blocked" turns into "not blocked" or back,
 * in order. Whether an address is blocked is whether an odd number of points lies at or before it,
 * however many prefixes nest there. The points lie in lines of eight, over them every eighth, and
 * so on: a million prefixes are seven lines from the top, of which the upper ones stay in the
 * cache.
 *
 * Rules. A buyer on both lists is allowed. Of several prefixes that hold an address, the longest
 * counts; the same prefix on both lists is allowed. An IPv4 source is held by IPv4 prefixes alone,
 * an IPv6 source by IPv6 prefixes alone.
 *
 * Threads: made and ended by control (aside); in between any number read.
 */
#ifndef FG_ADMISSION_LISTS_H
#define FG_ADMISSION_LISTS_H

#include <assert.h>
#include <rte_prefetch.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "dataplane/admission/buyer_hash.h"
#include "dataplane/ip.h"
#include "flashgate/protocol.h"

/* X(NAME, text): what a list holds and does; the text is its name everywhere. */
#define FG_LISTS(X)                                                                                \
    X(BLOCK_BUYERS, "block_buyers")                                                                \
    X(ALLOW_BUYERS, "allow_buyers")                                                                \
    X(BLOCK_SOURCES, "block_sources")                                                              \
    X(ALLOW_SOURCES, "allow_sources")

enum fg_list {
#define X(name, text) FG_LIST_##name,
    FG_LISTS(X)
#undef X
        FG_LIST_COUNT
};

enum fg_listed { FG_LISTED_NOT, FG_LISTED_BLOCKED, FG_LISTED_ALLOWED };

#define FG_LIST_TAGS 28 /* a line's; of more buyers than that only the ids are compared */
#define FG_LIST_MEAN 14 /* buyers a line, on average: one line in a thousand has too many */

struct fg_list_line {
    uint32_t first;   /* of its buyers in `ids` */
    uint16_t count;   /* of them */
    uint16_t allowed; /* of these, the first ones, are on the allow list */
    uint16_t tags[FG_LIST_TAGS];
} __attribute__((aligned(64)));
static_assert(sizeof(struct fg_list_line) == 64, "a line is one of the cache's");

#define FG_LIST_BITS 16 /* of the filter for each buyer, at least; at most twice that */

#define FG_LADDER_FAN    8 /* keys in a line */
#define FG_LADDER_LEVELS 9 /* 8^9 keys are more than there can be */

/* Sorted keys, and over them every eighth of the level below. */
struct fg_ladder {
    uint32_t count, levels;                  /* of keys; 0: none */
    const uint64_t *level[FG_LADDER_LEVELS]; /* [0]: all keys, whole lines, filled up with ~0 */
};

/* A prefix as it is listed: for those who ask why, not for workers. */
struct fg_list_prefix {
    struct fg_ip address; /* bits below the prefix are 0 */
    uint8_t bits;         /* of 128 */
    uint8_t listed;       /* enum fg_listed */
};

struct fg_list_counts {
    uint32_t entries;    /* different ones that were on the list ... */
    uint32_t duplicates; /* ... how often one of them came again ... */
    uint32_t overruled;  /* ... and those on the allow list, too, which counts */
};

#define FG_LIST_MEMORY 8 /* pieces of memory, at most */

struct fg_lists {
    /* workers: ro */
    uint32_t lines_count; /* 0: no buyer is listed */
    bool sources;         /* some source is blocked */
    uint64_t seed[2];
    const uint64_t *filter; /* a bit for each hash, by fg_lists_bit() */
    uint64_t filter_mask;   /* bits of it - 1 */
    const struct fg_list_line *lines;
    const uint8_t (*ids)[FG_BUYER_BYTES];
    struct fg_ladder v4;  /* keys: addresses */
    struct fg_ladder v6;  /* keys: the first 64 bits, as often as there are points with them ... */
    const uint64_t *lows; /* ... and each one's last 64 */

    /* control: ro */
    const struct fg_list_prefix *prefixes; /* sorted by address, then bits; each once */
    uint32_t prefixes_count;
    struct fg_list_counts counts[FG_LIST_COUNT];
    uint64_t bytes; /* of memory, all together */
    void *memory[FG_LIST_MEMORY];
};

/* What is made into lists. The caller's; sources' `bits` are of 128 and no bits below are set. */
struct fg_lists_input {
    const uint8_t (*buyers[2])[FG_BUYER_BYTES]; /* [0] to block, [1] to allow */
    uint32_t buyers_count[2];
    const struct fg_list_prefix *sources[2]; /* `listed` does not matter */
    uint32_t sources_count[2];
    uint64_t seed[2]; /* random */
};

/* NULL when memory is short. About 25 bytes a buyer and 60 a prefix, and while it is made as much
 * again. A million of either takes some tenths of a second: not for a thread that others wait for.
 */
struct fg_lists *fg_lists_create(const struct fg_lists_input *input);
void fg_lists_destroy(struct fg_lists *lists); /* NULL: nothing */

const char *fg_list_name(enum fg_list list);

/* --- workers; `lists` NULL: nobody is listed --- */

static inline uint64_t fg_lists_hash(const struct fg_lists *lists, const uint8_t *buyer)
{
    return fg_buyer_hash(buyer, lists->seed);
}

/* The line of a hash: its upper half as a fraction of all lines (Lemire, 2016). */
static inline const struct fg_list_line *fg_lists_line(const struct fg_lists *lists, uint64_t hash)
{
    return &lists->lines[(hash >> 32) * lists->lines_count >> 32];
}

/* Whether a line has the buyer, by its tag and then by its id among `ids`. */
static inline enum fg_listed fg_list_line_find(const struct fg_list_line *line,
                                               const uint8_t (*ids)[FG_BUYER_BYTES], uint16_t tag,
                                               const uint8_t *buyer)
{
    for (unsigned i = 0; i < line->count; i++) {
        if (i < FG_LIST_TAGS && line->tags[i] != tag)
            continue;
        if (memcmp(ids[line->first + i], buyer, FG_BUYER_BYTES) == 0)
            return i < line->allowed ? FG_LISTED_ALLOWED : FG_LISTED_BLOCKED;
    }
    return FG_LISTED_NOT;
}

/* A hash's bit of the filter, from the 16th up: the tag is the bits below, and the line is chosen
 * by the topmost. Beyond some ten million buyers filter and line share a few, which does no harm.
 */
static inline uint64_t fg_lists_bit(const struct fg_lists *lists, uint64_t hash)
{
    return hash >> 16 & lists->filter_mask;
}

/* May the buyer be listed? False is certain. If true, fetches his line into the cache. */
static inline bool fg_lists_may_have(const struct fg_lists *lists, const uint8_t *buyer)
{
    if (!lists || lists->lines_count == 0)
        return false;
    uint64_t hash = fg_lists_hash(lists, buyer), bit = fg_lists_bit(lists, hash);
    bool may = lists->filter[bit / 64] >> bit % 64 & 1;
    if (may)
        rte_prefetch0(fg_lists_line(lists, hash));
    return may;
}

/* lists.c: where fg_lists_may_have(). */
enum fg_listed fg_lists_find_buyer(const struct fg_lists *lists, const uint8_t *buyer);
/* ... and where some source is blocked. */
bool fg_lists_find_source(const struct fg_lists *lists, struct fg_ip source);

/* Is the buyer blocked, allowed (then also exempt from penalties), or neither? */
static inline enum fg_listed fg_lists_buyer(const struct fg_lists *lists, const uint8_t *buyer)
{
    return fg_lists_may_have(lists, buyer) ? fg_lists_find_buyer(lists, buyer) : FG_LISTED_NOT;
}

/* Is what comes from there to be met with silence? */
static inline bool fg_lists_source_blocked(const struct fg_lists *lists, struct fg_ip source)
{
    return lists && lists->sources && fg_lists_find_source(lists, source);
}

/* --- control --- */

/* The entry that decides about a source, or NULL. */
const struct fg_list_prefix *fg_lists_source_entry(const struct fg_lists *lists,
                                                   struct fg_ip source);

#endif
