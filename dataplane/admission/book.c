/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include "dataplane/admission/book.h"
#include "dataplane/memory.h"

#define PROBES_MAX 64 /* buckets looked at before a buyer is refused; hardly ever so many */
#define HEAD_FLAG  0x80000000u /* timer_previous names a wheel slot, not an order */

/* Buckets so that ten places each are at most about 3/4 full if every order has its own buyer. */
static uint64_t buckets_for(uint32_t capacity)
{
    uint64_t wanted = (uint64_t)capacity * 4 / (3 * FG_BUCKET_PLACES) + 1, buckets = 1;
    while (buckets < wanted)
        buckets *= 2;
    return buckets;
}

int fg_book_init(struct fg_book *book, uint32_t capacity, uint64_t seed)
{
    assert(capacity > 0 && capacity < HEAD_FLAG);
    memset(book, 0, sizeof(*book));
    memset(book->wheel, 0xff, sizeof(book->wheel));
    book->capacity = capacity;
    book->free_first = FG_ORDER_NONE;
    book->bucket_mask = (uint32_t)buckets_for(capacity) - 1;
    book->seed[0] = seed;
    book->seed[1] = (seed ^ UINT64_C(0xA0761D6478BD642F)) * UINT64_C(0xE7037ED1A0B428DB);
    book->orders = fg_memory_large(capacity, sizeof(struct fg_order));
    book->homes = fg_memory_large(book->bucket_mask / 8 + UINT64_C(1), sizeof(*book->homes));
    if (book->orders && book->homes)
        book->buckets = fg_memory_large(book->bucket_mask + UINT64_C(1), sizeof(struct fg_bucket));
    if (!book->buckets) {
        fg_book_fini(book);
        return -ENOMEM;
    }
    return 0;
}

void fg_book_fini(struct fg_book *book)
{
    free(book->orders);
    free(book->buckets);
    free(book->homes);
    memset(book, 0, sizeof(*book));
}

/* Where a buyer stands in the table. */
struct place {
    struct fg_bucket *bucket;
    unsigned at;
    unsigned distance; /* buckets passed from home */
};

static bool find_place(const struct fg_book *book, uint64_t hash, const uint8_t *buyer,
                       struct place *place)
{
    uint16_t tag = fg_book_tag(hash);

    for (unsigned distance = 0; distance < PROBES_MAX; distance++) {
        struct fg_bucket *bucket = &book->buckets[(hash + distance) & book->bucket_mask];
        for (unsigned found = fg_bucket_match(bucket, tag); found; found &= found - 1) {
            unsigned i = (unsigned)__builtin_ctz(found);
            if (memcmp(book->orders[bucket->first[i]].buyer, buyer, FG_BUYER_BYTES) == 0) {
                *place = (struct place){bucket, i, distance};
                return true;
            }
        }
        if (bucket->passed == 0)
            return false;
    }
    return false;
}

struct fg_order *fg_book_look_up(const struct fg_book *book, uint64_t hash, const uint8_t *buyer)
{
    struct place place;
    if (!find_place(book, hash, buyer, &place))
        return NULL;
    return &book->orders[place.bucket->first[place.at]];
}

static void mark_home(struct fg_book *book, uint64_t hash, bool somebodys)
{
    uint32_t home = (uint32_t)hash & book->bucket_mask;
    uint8_t bit = (uint8_t)(1 << home % 8);

    book->homes[home / 8] = (uint8_t)((book->homes[home / 8] & ~bit) | (somebodys ? bit : 0));
}

/* Whose home it is lies in it, or has gone past it. (Some who lie in it have another home.) */
static bool deserted(const struct fg_book *book, uint64_t hash)
{
    const struct fg_bucket *home = &book->buckets[hash & book->bucket_mask];

    for (unsigned i = 0; i < FG_BUCKET_PLACES; i++)
        if (home->tags[i] != 0)
            return false;
    return home->passed == 0;
}

/* A free place for a new buyer; the buckets gone past are told so. */
static bool claim_place(struct fg_book *book, uint64_t hash, struct place *place)
{
    for (unsigned distance = 0; distance < PROBES_MAX; distance++) {
        struct fg_bucket *bucket = &book->buckets[(hash + distance) & book->bucket_mask];
        for (unsigned i = 0; i < FG_BUCKET_PLACES; i++) {
            if (bucket->tags[i] != 0)
                continue;
            bucket->tags[i] = fg_book_tag(hash);
            mark_home(book, hash, true);
            *place = (struct place){bucket, i, distance};
            for (unsigned back = 0; back < distance; back++) {
                struct fg_bucket *before = &book->buckets[(hash + back) & book->bucket_mask];
                if (before->passed < UINT16_MAX)
                    before->passed++;
            }
            return true;
        }
    }
    return false;
}

static void release_place(struct fg_book *book, uint64_t hash, const struct place *place)
{
    place->bucket->tags[place->at] = 0;
    for (unsigned back = 0; back < place->distance; back++) {
        struct fg_bucket *before = &book->buckets[(hash + back) & book->bucket_mask];
        if (before->passed < UINT16_MAX) /* a count that stuck stays: lookups only get longer */
            before->passed--;
    }
    mark_home(book, hash, !deserted(book, hash));
}

static struct fg_order *take_line(struct fg_book *book)
{
    struct fg_order *order;
    if (book->free_first != FG_ORDER_NONE) {
        order = &book->orders[book->free_first];
        book->free_first = order->next;
    } else {
        order = &book->orders[book->touched++];
    }
    memset(order, 0, sizeof(*order));
    book->count++;
    return order;
}

struct fg_order *fg_book_insert(struct fg_book *book, uint64_t hash, const uint8_t *buyer,
                                uint64_t request)
{
    struct place place;

    if (!fg_book_room(book))
        return NULL;
    bool known = find_place(book, hash, buyer, &place);
    if (!known && !claim_place(book, hash, &place))
        return NULL;
    struct fg_order *order = take_line(book);
    memcpy(order->buyer, buyer, FG_BUYER_BYTES);
    order->request = request;
    order->next = known ? place.bucket->first[place.at] : FG_ORDER_NONE;
    place.bucket->first[place.at] = (uint32_t)(order - book->orders);
    return order;
}

void fg_book_remove(struct fg_book *book, struct fg_order *order)
{
    struct place place;
    uint32_t number = (uint32_t)(order - book->orders);
    uint64_t hash = fg_book_hash(book, order->buyer);
    bool found = find_place(book, hash, order->buyer, &place);

    assert(found && order->state != FG_ORDER_FREE);
    (void)found;
    fg_book_disarm(book, order);
    uint32_t *link = &place.bucket->first[place.at];
    if (*link == number && order->next == FG_ORDER_NONE) {
        release_place(book, hash, &place);
    } else {
        while (*link != number)
            link = &book->orders[*link].next;
        *link = order->next;
    }
    order->state = FG_ORDER_FREE;
    order->next = book->free_first;
    book->free_first = number;
    book->count--;
}

/* The wheel slot for a deadline, seen from the wheel's tick. */
static struct fg_wheel_slot *slot_of(struct fg_book *book, uint32_t deadline_ms, uint32_t *name)
{
    uint32_t ahead = deadline_ms - book->tick_ms;
    unsigned level = 0;

    if ((int32_t)ahead < 0) { /* overdue: the slot of this very tick */
        ahead = 0;
        deadline_ms = book->tick_ms;
    }
    while (level < FG_WHEEL_LEVELS - 1 && ahead >> (8 * (level + 1)) != 0)
        level++;
    uint32_t slot = deadline_ms >> (8 * level) & (FG_WHEEL_SLOTS - 1);
    *name = HEAD_FLAG | level * FG_WHEEL_SLOTS | slot;
    return &book->wheel[level][slot];
}

/* Neighbours name the slot, instead of an order, at either end of its list. */
static struct fg_wheel_slot *slot_named(struct fg_book *book, uint32_t name)
{
    return &book->wheel[(name & ~HEAD_FLAG) / FG_WHEEL_SLOTS][name % FG_WHEEL_SLOTS];
}

void fg_book_disarm(struct fg_book *book, struct fg_order *order)
{
    uint32_t next = order->timer_next, previous = order->timer_previous;

    if (!order->armed)
        return;
    if (previous & HEAD_FLAG)
        slot_named(book, previous)->first = next & HEAD_FLAG ? FG_ORDER_NONE : next;
    else
        book->orders[previous].timer_next = next;
    if (next & HEAD_FLAG)
        slot_named(book, next)->last = previous & HEAD_FLAG ? FG_ORDER_NONE : previous;
    else
        book->orders[next].timer_previous = previous;
    order->armed = 0;
}

void fg_book_arm(struct fg_book *book, struct fg_order *order, uint32_t deadline_ms)
{
    uint32_t name, number = (uint32_t)(order - book->orders);

    fg_book_disarm(book, order);
    order->deadline_ms = deadline_ms;
    struct fg_wheel_slot *slot = slot_of(book, deadline_ms, &name);
    order->timer_next = name;
    if (slot->first == FG_ORDER_NONE) {
        order->timer_previous = name;
        slot->first = number;
    } else {
        order->timer_previous = slot->last;
        book->orders[slot->last].timer_next = number;
    }
    slot->last = number;
    order->armed = 1;
}

/* Spreads the slots of higher levels that begin at this tick over the lower ones. Each order moved
 * goes strictly down, so an interrupted spread is simply begun again. */
static unsigned cascade(struct fg_book *book, unsigned budget)
{
    unsigned used = 0;

    for (unsigned level = FG_WHEEL_LEVELS - 1; level > 0; level--) {
        uint32_t below = (UINT32_C(1) << (8 * level)) - 1;
        if (book->tick_ms & below)
            continue;
        const struct fg_wheel_slot *slot =
            &book->wheel[level][book->tick_ms >> (8 * level) & (FG_WHEEL_SLOTS - 1)];
        while (slot->first != FG_ORDER_NONE && used < budget) {
            struct fg_order *order = &book->orders[slot->first];
            fg_book_arm(book, order, order->deadline_ms);
            used++;
        }
    }
    return used;
}

/* Moves orders of the next slot of each higher level down already, as far as the level below
 * reaches. They come in the order in which they were armed, which for one hold time is that of
 * their deadlines; what stands behind one that is not within reach waits for the cascade. */
static unsigned cascade_ahead(struct fg_book *book, unsigned budget)
{
    unsigned used = 0;

    for (unsigned level = 1; level < FG_WHEEL_LEVELS; level++) {
        uint32_t next = (book->tick_ms >> (8 * level)) + 1;
        const struct fg_wheel_slot *slot = &book->wheel[level][next & (FG_WHEEL_SLOTS - 1)];
        while (slot->first != FG_ORDER_NONE && used < budget) {
            struct fg_order *order = &book->orders[slot->first];
            if ((order->deadline_ms - book->tick_ms) >> (8 * level) != 0)
                break;
            fg_book_arm(book, order, order->deadline_ms);
            used++;
        }
    }
    return used;
}

unsigned fg_book_expire(struct fg_book *book, uint32_t now_ms, unsigned budget,
                        void (*expire)(void *arg, struct fg_order *order), void *arg)
{
    unsigned used = 0;

    for (unsigned ticks = 0; used < budget && ticks < budget; ticks++) {
        used += cascade(book, budget - used);
        const struct fg_wheel_slot *slot = &book->wheel[0][book->tick_ms & (FG_WHEEL_SLOTS - 1)];
        while (slot->first != FG_ORDER_NONE && used < budget) {
            struct fg_order *order = &book->orders[slot->first];
            fg_book_disarm(book, order);
            expire(arg, order);
            used++;
        }
        if (used == budget || (int32_t)(now_ms - book->tick_ms) <= 0)
            break;
        book->tick_ms++;
    }
    return used + cascade_ahead(book, budget - used);
}

bool fg_book_sweep(struct fg_book *book, uint32_t *line, unsigned budget,
                   bool (*gone)(void *arg, const struct fg_order *order), void *arg)
{
    for (; budget > 0 && *line < book->touched; budget--, (*line)++) {
        struct fg_order *order = &book->orders[*line];
        if (order->state != FG_ORDER_FREE && gone(arg, order))
            fg_book_remove(book, order);
    }
    return *line >= book->touched;
}
