/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One worker's admission: bursts in, ready replies out, and the housekeeping of a loop.
 *
 * A burst is worked on in groups of about FG_BURST entries. A first pass hashes every buyer and
 * prefetches its bucket, a stranger's only where orders are admitted; a second one, when those
 * lines are on their way, the first order of each buyer that has a place; only then are the entries
 * judged, in order.
 */
#include <stdlib.h>

#include "dataplane/admission/decide.h"
#include "dataplane/faults.h"
#include "dataplane/memory.h"

#define INSERTS_SHARE     8 /* of so many entries one queues a record: orders are being admitted */
#define UNDECIDED_MAX     4096 /* slots are big; more waiting refusals than this are BUSY */
#define REJUDGED_PER_LOOP 64   /* undecided datagrams looked at in one loop */
#define EXPIRED_PER_LOOP  64   /* holds that run out in one loop */
#define FORGET_PERIOD_MS  1000 /* remembered refusals live at most so long */
#define SWEPT_PER_LOOP    16   /* lines of the book looked at for orders of archived sales */
#define BUSY_UNSETTLED_MS 1    /* told to who waited in vain: the model's advice */

static uint64_t power_of_two(uint64_t at_least)
{
    uint64_t power = 1;
    while (power < at_least)
        power *= 2;
    return power;
}

static uint32_t undecided_slots(const struct fg_admission_config *config)
{
    return config->parked < UNDECIDED_MAX ? config->parked : UNDECIDED_MAX;
}

static uint64_t pending_slots(const struct fg_admission_config *config)
{
    return power_of_two(2 * (uint64_t)config->lane_records);
}

struct fg_admission *fg_admission_create(const struct fg_admission_config *config)
{
    struct fg_admission *a = fg_memory_zeroed(1, sizeof(*a));
    if (!a)
        return NULL;
    a->config = *config;
    a->random = config->seed | 1;
    a->loop = 1;
    a->pending_mask = (uint32_t)pending_slots(config) - 1;
    a->parked_mask = (uint32_t)power_of_two(config->parked) - 1;
    a->ready_mask = (uint32_t)power_of_two(config->parked + 2 * FG_BURST) - 1;
    a->undecided_capacity = undecided_slots(config);
    a->pending = fg_memory_zeroed(a->pending_mask + UINT64_C(1), sizeof(*a->pending));
    a->parked = fg_memory_zeroed(a->parked_mask + UINT64_C(1), sizeof(*a->parked));
    a->ready = fg_memory_zeroed(a->ready_mask + UINT64_C(1), sizeof(*a->ready));
    a->undecided = fg_memory_zeroed(a->undecided_capacity, sizeof(*a->undecided));
    if (fg_book_init(&a->book, config->orders, config->seed) != 0 ||
        fg_holds_init(&a->hold_queues, config->stock, config->worker, config->orders) != 0 ||
        fg_rates_init(&a->rates, config->workers, config->buyer_buckets, &config->penalty,
                      config->counters) != 0 ||
        !a->pending || !a->parked || !a->ready || !a->undecided) {
        fg_admission_destroy(a);
        return NULL;
    }
    for (uint32_t i = 0; i < a->undecided_capacity; i++)
        a->undecided[i].next = i + 1 < a->undecided_capacity ? i + 1 : UNDECIDED_NONE;
    return a;
}

void fg_admission_destroy(struct fg_admission *a)
{
    if (!a)
        return;
    fg_book_fini(&a->book);
    fg_holds_fini(&a->hold_queues);
    fg_rates_fini(&a->rates);
    free(a->pending);
    free(a->parked);
    free(a->ready);
    free(a->undecided);
    free(a);
}

void fg_admission_attach(struct fg_admission *a, struct fg_lane *lane, unsigned epoch)
{
    assert(lane->capacity <= a->config.lane_records);
    a->lane = lane;
    a->epoch = FG_PLANTED(REUSE_ORDER_IDS) ? 1 : epoch;
}

static inline void turn_key(struct turn *turn, unsigned key_place)
{
    turn->key = &turn->catalogue->keys->keys[key_place];
    turn->key_place = key_place;
    turn->key_sales = turn->catalogue->key_sales[key_place];
}

static void answer_busy(struct fg_admission *a, uint32_t entries, struct fg_reply *answers)
{
    for (; entries != 0; entries &= entries - 1) {
        struct fg_reply *answer = &answers[__builtin_ctz(entries)];
        answer->verdict = FG_VERDICT_BUSY;
        answer->wait_ms = jitter(a, BUSY_UNSETTLED_MS);
    }
}

/* Judges one in the burst's turn: it is answered, parked, kept to be judged again, or dropped. */
static void decide_datagram(struct fg_admission *a, struct turn *turn,
                            const struct fg_datagram *datagram, const struct subject *subjects)
{
    struct fg_reply answers[FG_ENTRIES_MAX];
    uint32_t all = UINT32_MAX >> (FG_ENTRIES_MAX - datagram->count);

    if (datagram->key_place != turn->key_place)
        turn_key(turn, datagram->key_place);
    turn->packet = datagram->packet;
    turn->ticket = 0;
    fg_rates_datagram(&a->rates, payload_time_ns(datagram->payload), turn->now->wall_ns);
    uint64_t unsettled = decide_entries(a, turn, datagram->payload, all, subjects, answers);
    if (unsettled == ENTRIES_SILENT) {
        waiting_silence(a, datagram);
        return;
    }
    if (unsettled != 0 && waiting_room(a, false) && waiting_undecided_room(a)) {
        struct undecided *slot = waiting_undecided(a, datagram);
        slot->key_id = turn->key->id;
        slot->ring = turn->catalogue->keys->generation;
        slot->since_ms = turn->now->ms;
        slot->entries = (uint32_t)unsettled;
        slot->ticket = turn->ticket;
        memcpy(slot->answers, answers, datagram->count * sizeof(answers[0]));
        fg_count_add(&a->config.counters->count[FG_COUNTER_UNSETTLED],
                     (unsigned)__builtin_popcount(slot->entries));
        return;
    }
    answer_busy(a, (uint32_t)unsettled, answers);
    waiting_finish(a, datagram, turn->key, answers, turn->ticket);
}

/* Hashes every entry's buyer, and fetches what the hash finds. */
static void hash_all(const struct fg_admission *a, const struct fg_catalogue *catalogue,
                     const struct fg_datagram *datagrams, unsigned count, struct subject *subjects)
{
    uint32_t last = 0; /* item of the entry before, mostly this one's too; 0: no item's */

    for (unsigned d = 0; d < count; d++) {
        const uint8_t *payload = datagrams[d].payload;
        for (unsigned i = 0; i < datagrams[d].count; i++, subjects++) {
            uint32_t id = payload_item(payload, i);
            subjects->hash = fg_book_hash(&a->book, payload_buyer(payload, i));
            subjects->partition = fg_partition(payload_buyer(payload, i), a->config.partitions);
            if (a->inserts)
                fg_book_prefetch_insert(&a->book, subjects->hash);
            else
                fg_book_prefetch(&a->book, subjects->hash);
            if (id != last)
                rte_prefetch0(&catalogue->items[fg_item_hash(id) & catalogue->item_mask]);
            last = id;
            subjects->may_be_listed =
                payload_op(payload, i) == FG_OP_ORDER &&
                fg_lists_may_have(catalogue->lists, payload_buyer(payload, i));
        }
    }
}

/* Finds every entry's item, and fetches what is found through it and through the bucket. */
static void look_up_all(const struct fg_admission *a, const struct fg_catalogue *catalogue,
                        const struct fg_datagram *datagrams, unsigned count,
                        struct subject *subjects)
{
    const struct fg_stock *stock = a->config.stock;
    const struct fg_item *item = NULL;
    uint32_t last = 0; /* as above; no item has this number */

    for (unsigned d = 0; d < count; d++) {
        for (unsigned i = 0; i < datagrams[d].count; i++, subjects++) {
            uint32_t id = payload_item(datagrams[d].payload, i);
            if (id != last) {
                last = id;
                item = fg_catalogue_item(catalogue, id);
                if (item) {
                    rte_prefetch0(&stock->lines[a->config.worker][item->slot]);
                    rte_prefetch0(&stock->pools[item->slot]);
                }
            }
            subjects->item = item;
            fg_book_prefetch_order(&a->book, subjects->hash);
            if (item)
                fg_rates_prefetch(&a->rates, item, subjects->hash);
        }
    }
}

void fg_admission_decide(struct fg_admission *a, const struct fg_now *now,
                         const struct fg_catalogue *catalogue, const struct fg_datagram *datagrams,
                         unsigned count)
{
    struct subject subjects[FG_BURST + FG_ENTRIES_MAX];
    struct turn turn = {.now = now, .catalogue = catalogue};

    fg_count_add(&a->config.counters->count[FG_COUNTER_REQUESTS], count);
    fg_rates_tick(&a->rates, now->ms);
    a->refusal.what = 0;
    turn_key(&turn, datagrams[0].key_place);
    while (count > 0) {
        unsigned group = 0, entries = 0;
        while (group < count && entries < FG_BURST)
            entries += datagrams[group++].count;
        hash_all(a, catalogue, datagrams, group, subjects);
        look_up_all(a, catalogue, datagrams, group, subjects);
        const struct subject *about = subjects;
        uint64_t queued = a->lane->queued;
        for (unsigned d = 0; d < group; d++) {
            decide_datagram(a, &turn, &datagrams[d], about);
            about += datagrams[d].count;
        }
        a->inserts = (a->lane->queued - queued) * INSERTS_SHARE >= entries;
        datagrams += group;
        count -= group;
    }
}

/* The place of its key, or -1: its key has gone meanwhile, or has another secret. */
static int key_of(struct fg_admission *a, const struct fg_catalogue *catalogue,
                  struct undecided *slot)
{
    bool unknown;

    if (slot->ring == catalogue->keys->generation)
        return fg_keyring_find(catalogue->keys, slot->key_id);
    slot->ring = catalogue->keys->generation;
    int place = fg_payload_still_signed(catalogue, slot->datagram.payload, &unknown);
    if (place < 0)
        fg_count(a->config.counters, unknown ? FG_COUNTER_DROP_UNKNOWN_KEY : FG_COUNTER_DROP_MAC);
    return place;
}

/* Judges one waiting datagram again. */
static void rejudge(struct fg_admission *a, const struct fg_now *now,
                    const struct fg_catalogue *catalogue, struct undecided *slot)
{
    struct subject subjects[FG_ENTRIES_MAX];
    struct turn turn = {.now = now, .catalogue = catalogue, .again = true, .ticket = slot->ticket};
    int place = key_of(a, catalogue, slot);

    if (place < 0) {
        waiting_silence(a, &slot->datagram);
        waiting_decided(a, slot);
        return;
    }
    turn_key(&turn, (unsigned)place);
    a->refusal.what = 0;
    hash_all(a, catalogue, &slot->datagram, 1, subjects);
    look_up_all(a, catalogue, &slot->datagram, 1, subjects);
    uint64_t unsettled =
        decide_entries(a, &turn, slot->datagram.payload, slot->entries, subjects, slot->answers);
    if (unsettled == ENTRIES_SILENT) {
        waiting_silence(a, &slot->datagram);
        waiting_decided(a, slot);
        return;
    }
    slot->ticket = turn.ticket;
    slot->entries = (uint32_t)unsettled;
    if (unsettled != 0) {
        if (now->ms - slot->since_ms < FG_UNSETTLED_WAIT_MS)
            return;
        answer_busy(a, (uint32_t)unsettled, slot->answers);
    }
    /* Its slot is free before the reply is parked: it never counts twice. */
    struct fg_datagram datagram = slot->datagram;
    struct fg_reply answers[FG_ENTRIES_MAX];
    memcpy(answers, slot->answers, datagram.count * sizeof(answers[0]));
    waiting_decided(a, slot);
    waiting_finish(a, &datagram, turn.key, answers, turn.ticket);
}

static void rejudge_some(struct fg_admission *a, const struct fg_now *now,
                         const struct fg_catalogue *catalogue)
{
    uint32_t some = a->undecided_count < REJUDGED_PER_LOOP ? a->undecided_count : REJUDGED_PER_LOOP;
    for (uint32_t n = 0; n < some; n++) {
        struct undecided *slot = &a->undecided[a->undecided_cursor];
        a->undecided_cursor = slot->next;
        rejudge(a, now, catalogue, slot);
    }
}

/* Every remembered refusal is forgotten once a second, a few items each millisecond. */
static void forget_some(struct fg_admission *a, const struct fg_now *now)
{
    struct fg_stock *stock = a->config.stock;
    if (now->ms == a->forgotten_ms)
        return;
    a->forgotten_ms = now->ms;
    uint32_t some = stock->slots / FORGET_PERIOD_MS + 1;
    fg_stock_forget(stock, a->config.worker, a->forget_slot, some);
    a->forget_slot += some;
    if (a->forget_slot >= stock->slots)
        a->forget_slot = 0;
}

static bool order_is_gone(void *arg, const struct fg_order *order)
{
    const struct fg_catalogue *const *catalogue = arg;

    return order->state != FG_ORDER_VOID && !fg_catalogue_item(*catalogue, order->item);
}

/* Orders of an archived sale leave the book, a few each loop. Nothing asks for them any more, and a
 * sale is archived only when nothing of it is held or on its way to the log. */
static void sweep_some(struct fg_admission *a, const struct fg_catalogue *catalogue)
{
    if (catalogue->leaving)
        return;
    if (a->archives != catalogue->archives) {
        a->archives = catalogue->archives;
        a->swept = 0;
        a->sweeping = true;
    }
    if (a->sweeping)
        a->sweeping =
            !fg_book_sweep(&a->book, &a->swept, SWEPT_PER_LOOP, order_is_gone, &catalogue);
}

void publish_gauges(struct fg_admission *a)
{
    struct fg_admission_gauges *gauges = &a->gauges;
    atomic_store_explicit(&gauges->orders, a->book.count, memory_order_relaxed);
    atomic_store_explicit(&gauges->holds, a->holds, memory_order_relaxed);
    atomic_store_explicit(&gauges->parked, a->parked_tail - a->parked_head, memory_order_relaxed);
    atomic_store_explicit(&gauges->unsettled, a->undecided_count, memory_order_relaxed);
    atomic_store_explicit(&gauges->queued, a->lane ? a->lane->queued : 0, memory_order_relaxed);
    /* release: pairs with control's acquire, who then finds `open` lowered and units put back */
    atomic_store_explicit(&gauges->settled, a->settled, memory_order_release);
}

void fg_admission_poll(struct fg_admission *a, const struct fg_now *now,
                       const struct fg_catalogue *catalogue)
{
    struct expiry expiry = {a, now, catalogue};

    a->loop++;
    fg_rates_tick(&a->rates, now->ms);
    records_settle(a);
    rejudge_some(a, now, catalogue);
    /* A hold lasts through the millisecond of its deadline: a CONFIRM in that one wins, whichever
     * loop of it comes first. */
    fg_book_expire(&a->book, now->ms - 1, EXPIRED_PER_LOOP, order_expire, &expiry);
    forget_some(a, now);
    fg_suspects_tick(&a->suspect_buyers, now->ms);
    fg_suspects_tick(&a->suspect_keys, now->ms);
    sweep_some(a, catalogue);
    publish_gauges(a);
}

uint32_t fg_admission_jitter(struct fg_admission *a, uint32_t wait_ms)
{
    return jitter(a, wait_ms);
}

struct fg_rates *fg_admission_rates(struct fg_admission *a)
{
    return &a->rates;
}

const struct fg_admission_gauges *fg_admission_gauges(const struct fg_admission *a)
{
    return &a->gauges;
}
