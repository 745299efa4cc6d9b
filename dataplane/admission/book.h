/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The book: the buyers and orders of one worker's partitions, and the timers of their holds.
 *
 * Orders lie in a slab of 64-byte lines. A buyer has one place in a bucket table: a 16-bit tag and
 * the number of the first order; the rest hang on it through `next`. So one bucket line, and for a
 * known buyer one order line, answer both "is this a replay?" and "what has this buyer got?". Of a
 * stranger a bit is enough that says whether anybody has this bucket as his home, as long as most
 * buckets are nobody's. Buckets overflow into the next one; each bucket counts how many places went
 * past it, so that a lookup ends at the first bucket nobody went past.
 *
 * Timers are a hierarchical wheel (Varghese and Lauck, 1987): 4 levels of 256 slots, 1 ms a tick,
 * linked through the orders themselves. A tick that has more work than a loop may do is continued
 * in the next loop. What a loop has left of its budget goes to the orders of the next slot of each
 * higher level that are within reach of the level below: a slot with very many is empty, or nearly,
 * when its time comes, and no tick has to wait until it is.
 *
 * Owned by one worker. Nothing here allocates after fg_book_init.
 */
#ifndef FG_ADMISSION_BOOK_H
#define FG_ADMISSION_BOOK_H

#include <assert.h>
#include <emmintrin.h>
#include <rte_prefetch.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/admission/buyer_hash.h"
#include "flashgate/protocol.h"

enum fg_order_state {
    FG_ORDER_FREE,
    FG_ORDER_HELD,
    FG_ORDER_FINAL, /* admitted without a hold */
    FG_ORDER_CONFIRMED,
    FG_ORDER_CANCELLED,
    FG_ORDER_EXPIRED,
    FG_ORDER_VOID, /* a CANCEL that came before its ORDER */
};

#define FG_ORDER_NONE UINT32_MAX

/* An order, or a void request. One cache line. */
struct fg_order {
    uint8_t buyer[FG_BUYER_BYTES];
    uint64_t request;
    uint64_t id;     /* 0: void */
    uint64_t ticket; /* of its last record in the lane; 0: durable since before this start */
    uint32_t item;
    uint32_t next;        /* next order of the buyer, or next free line */
    uint32_t deadline_ms; /* of the hold, or when the void request is forgotten */
    uint32_t timer_next, timer_previous;
    uint16_t quantity;
    uint8_t state;            /* enum fg_order_state */
    uint8_t refused_late : 1; /* a late CONFIRM was told EXPIRED */
    uint8_t armed : 1;        /* is in the wheel */
    uint8_t copies : 6;       /* answers that wait for `ticket` besides the first */
};
static_assert(sizeof(struct fg_order) == 64, "an order is one cache line");

#define FG_BUCKET_PLACES 10

struct fg_bucket {
    uint16_t tags[FG_BUCKET_PLACES]; /* 0: empty */
    uint16_t passed; /* places of other buyers that went past this bucket; sticks at its maximum */
    uint16_t reserved;
    uint32_t first[FG_BUCKET_PLACES]; /* first order of the buyer */
};
static_assert(sizeof(struct fg_bucket) == 64, "a bucket is one cache line");

#define FG_WHEEL_LEVELS 4
#define FG_WHEEL_SLOTS  256

struct fg_book {
    struct fg_order *orders;
    struct fg_bucket *buckets;
    uint8_t *homes; /* a bit for each bucket: may somebody have it as his home? */
    uint32_t bucket_mask;
    uint32_t capacity;
    uint32_t touched; /* lines ever used: those from here on are free too */
    uint32_t free_first;
    uint32_t count; /* orders and void requests */
    uint64_t seed[2];
    uint32_t tick_ms; /* the wheel has run up to here */
    struct fg_wheel_slot {
        uint32_t first, last; /* of the orders armed for it, in that order */
    } wheel[FG_WHEEL_LEVELS][FG_WHEEL_SLOTS];
};

/* 0 or -ENOMEM. */
int fg_book_init(struct fg_book *book, uint32_t capacity, uint64_t seed);
void fg_book_fini(struct fg_book *book);

static inline uint64_t fg_book_hash(const struct fg_book *book, const uint8_t *buyer)
{
    return fg_buyer_hash(buyer, book->seed);
}

/* What stands for a buyer in its bucket; never 0. */
static inline uint16_t fg_book_tag(uint64_t hash)
{
    uint16_t tag = (uint16_t)(hash >> 48);
    return tag ? tag : 1;
}

/* A bit for each place of the bucket that has this tag. */
static inline unsigned fg_bucket_match(const struct fg_bucket *bucket, uint16_t tag)
{
    __m128i wanted = _mm_set1_epi16((short)tag);
    __m128i low = _mm_loadu_si128((const __m128i *)bucket);
    __m128i high = _mm_loadu_si128((const __m128i *)bucket + 1); /* and what is behind the tags */
    __m128i found = _mm_packs_epi16(_mm_cmpeq_epi16(low, wanted), _mm_cmpeq_epi16(high, wanted));

    return (unsigned)_mm_movemask_epi8(found) & ((1u << FG_BUCKET_PLACES) - 1);
}
static_assert(FG_BUCKET_PLACES >= 8 && FG_BUCKET_PLACES <= 16, "two loads have all tags");

/* May the buyer with this hash have a place? If not, he has none. */
static inline bool fg_book_may_have(const struct fg_book *book, uint64_t hash)
{
    uint32_t home = (uint32_t)hash & book->bucket_mask;

    return book->homes[home / 8] >> home % 8 & 1;
}

/* Fetches the bucket of this hash into the cache, if it will be looked at. */
static inline void fg_book_prefetch(const struct fg_book *book, uint64_t hash)
{
    if (fg_book_may_have(book, hash))
        rte_prefetch0(&book->buckets[hash & book->bucket_mask]);
}

/* As fg_book_prefetch(), where most will be inserted: a stranger's bucket, too, and what tells
 * whether it is one. */
static inline void fg_book_prefetch_insert(const struct fg_book *book, uint64_t hash)
{
    rte_prefetch0(&book->buckets[hash & book->bucket_mask]);
    rte_prefetch0(&book->homes[((uint32_t)hash & book->bucket_mask) / 8]);
}

/* Prefetches the first order of whoever has this hash's tag in its home bucket. */
static inline void fg_book_prefetch_order(const struct fg_book *book, uint64_t hash)
{
    if (!fg_book_may_have(book, hash))
        return;
    const struct fg_bucket *bucket = &book->buckets[hash & book->bucket_mask];
    for (unsigned found = fg_bucket_match(bucket, fg_book_tag(hash)); found; found &= found - 1)
        rte_prefetch0(&book->orders[bucket->first[__builtin_ctz(found)]]);
}

/* fg_book_buyer() for one whose tag is in the home bucket, or who may be in a later one. */
struct fg_order *fg_book_look_up(const struct fg_book *book, uint64_t hash, const uint8_t *buyer);

/* First order of the buyer, or NULL. */
static inline struct fg_order *fg_book_buyer(const struct fg_book *book, uint64_t hash,
                                             const uint8_t *buyer)
{
    if (!fg_book_may_have(book, hash))
        return NULL; /* a stranger, as nearly everybody is */
    const struct fg_bucket *home = &book->buckets[hash & book->bucket_mask];
    if (fg_bucket_match(home, fg_book_tag(hash)) == 0 && home->passed == 0)
        return NULL;
    return fg_book_look_up(book, hash, buyer);
}

/* The buyer's next order, or NULL. */
static inline struct fg_order *fg_book_next(const struct fg_book *book,
                                            const struct fg_order *order)
{
    return order->next == FG_ORDER_NONE ? NULL : &book->orders[order->next];
}

/* The buyer's order of this request, or NULL. */
static inline struct fg_order *fg_book_find(const struct fg_book *book, struct fg_order *first,
                                            uint64_t request)
{
    for (struct fg_order *order = first; order; order = fg_book_next(book, order))
        if (order->request == request)
            return order;
    return NULL;
}

/* Is there room for one more order of any buyer? */
static inline bool fg_book_room(const struct fg_book *book)
{
    return book->count < book->capacity;
}

/* Adds an order (cleared but for buyer and request) as the buyer's first; NULL when full. */
struct fg_order *fg_book_insert(struct fg_book *book, uint64_t hash, const uint8_t *buyer,
                                uint64_t request);

/* Takes an order out of the book and the wheel. */
void fg_book_remove(struct fg_book *book, struct fg_order *order);

/* Puts the order's deadline_ms into the wheel (again), or takes it out. */
void fg_book_arm(struct fg_book *book, struct fg_order *order, uint32_t deadline_ms);
void fg_book_disarm(struct fg_book *book, struct fg_order *order);

/* Moves the wheel to now_ms, handing at most `budget` orders whose time has come to `expire`, which
 * must arm them anew, disarm them (they are disarmed already) or remove them. Returns how much of
 * the budget was used. */
unsigned fg_book_expire(struct fg_book *book, uint32_t now_ms, unsigned budget,
                        void (*expire)(void *arg, struct fg_order *order), void *arg);

/* Looks at up to `budget` lines from *line on, moves *line on, and removes those of which `gone`
 * says so. True: it has come to the end. What is inserted meanwhile may or may not be looked at. */
bool fg_book_sweep(struct fg_book *book, uint32_t *line, unsigned budget,
                   bool (*gone)(void *arg, const struct fg_order *order), void *arg);

#endif
