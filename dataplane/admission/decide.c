/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One entry: the order of checks of docs/protocol.md, for each op, and how units are given.
 *
 * A replay is looked for before anything that costs stock. What becomes of an order that exists is
 * in states.c.
 */
#include "dataplane/admission/decide.h"

#include "dataplane/faults.h"

#define PAUSED_WAIT_MS 1000 /* what an operator has stopped stands for seconds at least */
#define UNSETTLED_MS   1    /* a flush or two */

static bool key_may_touch(const struct turn *turn, const struct fg_item *item)
{
    return turn->key_sales >> item->sale_index & 1;
}

static void note_available(const struct fg_admission *a, const struct fg_item *item,
                           struct fg_reply *answer)
{
    answer->available =
        atomic_load_explicit(&a->config.stock->available[item->slot], memory_order_relaxed);
}

/* A sale's state at this moment: the schedule moves it forward between an operator's steps. */
static unsigned sale_state(const struct fg_item *item, uint64_t wall_ns)
{
    unsigned state = item->state;
    if (state == FG_SALE_SCHEDULED && item->opens_ns != 0 && wall_ns >= item->opens_ns)
        state = FG_SALE_OPEN;
    if (item->closes_ns != 0 && wall_ns >= item->closes_ns && state < FG_SALE_CLOSED)
        state = FG_SALE_CLOSED;
    return state;
}

/* The buyer's order of this request, or NULL. One of an archived sale is none, swept away already
 * or not. *leaving: it is of a sale whose archiving a crash could still undo, and nothing may be
 * told of it. */
static struct fg_order *find_order(const struct fg_admission *a, const struct turn *turn,
                                   struct fg_order *first, uint64_t request, bool *leaving)
{
    struct fg_order *order = fg_book_find(&a->book, first, request);
    bool gone =
        order && order->state != FG_ORDER_VOID && !fg_catalogue_item(turn->catalogue, order->item);

    *leaving = gone && turn->catalogue->leaving;
    return gone ? NULL : order;
}

/* The item is in no sale; or in one whose archiving a crash could still undo. */
static unsigned refuse_unknown(struct fg_admission *a, const struct turn *turn,
                               struct fg_reply *answer)
{
    return turn->catalogue->leaving ? busy(a, answer)
                                    : refuse(a, answer, FG_VERDICT_UNKNOWN_ITEM, 0);
}

/* This was refused for a rate: the buyer's in the sale of the item; or (NULL) the key's, or by what
 * may be a copy, which is not the buyer's doing. */
static void note_suspect(struct fg_admission *a, const struct turn *turn,
                         const struct fg_item *item, uint64_t hash, const uint8_t *buyer)
{
    struct fg_suspect who = {.key = turn->key->id};

    if (a->config.source)
        who.source = a->config.source(turn->packet);
    uint64_t key_hash = (a->config.seed ^ who.key) * UINT64_C(0x9E3779B97F4A7C15);
    fg_suspects_note(&a->suspect_keys, key_hash ^ key_hash >> 32, &who, turn->now->ms);
    if (!item)
        return;
    memcpy(who.buyer, buyer, sizeof(who.buyer));
    who.sale = item->sale;
    fg_suspects_note(&a->suspect_buyers, hash ^ who.sale * UINT64_C(0x9E3779B97F4A7C15), &who,
                     turn->now->ms);
}

/* Tells who asks too often, and notes it. `item`: it is the buyer, in the item's sale; NULL: it is
 * the key, or what may be a copy. False, as its callers return. */
static __attribute__((noinline)) bool refuse_rate(struct fg_admission *a, const struct turn *turn,
                                                  const struct fg_item *item, uint64_t hash,
                                                  uint32_t wait_ms, const uint8_t *buyer,
                                                  struct fg_reply *answer)
{
    note_suspect(a, turn, item, hash, buyer);
    refuse(a, answer, FG_VERDICT_THROTTLED, wait_ms);
    return false;
}

/* May the buyer in the sale of the item (NULL: there is none), and the key, ask once more? Then
 * both pay; what is judged again has paid. `settles`, `exempt`: as for fg_rates_key(). If not, the
 * answer says so. */
static inline __attribute__((always_inline)) bool ask_rates(
    struct fg_admission *a, const struct turn *turn, const struct fg_item *item, uint64_t hash,
    bool settles, bool exempt, const uint8_t *buyer, struct fg_reply *answer)
{
    uint32_t wait_ms;

    if (turn->again)
        return true;
    bool named = item && item->rate_cost != 0;
    if (named && !fg_rates_buyer(&a->rates, item, hash, settles, exempt, &wait_ms))
        return refuse_rate(a, turn, fg_rates_copy(&a->rates) ? NULL : item, hash, wait_ms, buyer,
                           answer);
    if (turn->key->rate_cost == 0 ||
        fg_rates_key_again(&a->rates, turn->key, turn->key_place, settles, named, &wait_ms))
        return true;
    if (named)
        fg_rates_buyer_back(&a->rates);
    return refuse_rate(a, turn, NULL, hash, wait_ms, buyer, answer);
}

/* ask_rates(), where it need not be inlined. */
static bool within_rates(struct fg_admission *a, const struct turn *turn,
                         const struct fg_item *item, uint64_t hash, bool settles, bool exempt,
                         const struct fg_request *ask, struct fg_reply *answer)
{
    return ask_rates(a, turn, item, hash, settles, exempt, ask->buyer, answer);
}

struct possession possession_of(const struct fg_admission *a, const struct turn *turn,
                                const struct fg_order *first, const struct fg_item *item)
{
    struct possession has = {0};

    for (const struct fg_order *order = first; order; order = fg_book_next(&a->book, order)) {
        if (order->state == FG_ORDER_VOID)
            continue;
        const struct fg_item *its =
            order->item == item->id ? item : fg_catalogue_item(turn->catalogue, order->item);
        if (!its || its->sale != item->sale)
            continue;
        has.orders++;
        if (order->state > FG_ORDER_CONFIRMED)
            continue;
        has.sale_units += order->quantity;
        if (its == item)
            has.units += order->quantity;
    }
    return has;
}
static_assert(FG_ORDER_HELD < FG_ORDER_CONFIRMED && FG_ORDER_FINAL < FG_ORDER_CONFIRMED &&
                  FG_ORDER_CANCELLED > FG_ORDER_CONFIRMED,
              "states up to CONFIRMED hold units");

/* Units were taken for a new order: writes it down. */
static unsigned admit(struct fg_admission *a, struct turn *turn, const struct fg_item *item,
                      struct fg_order *order, struct fg_reply *answer)
{
    const struct fg_admission_config *config = &a->config;

    order->id = fg_order_id(config->node, a->epoch, config->worker, ++a->last_count);
    order->state = item->hold_ms ? FG_ORDER_HELD : FG_ORDER_FINAL;
    if (item->hold_ms) {
        fg_book_arm(&a->book, order, turn->now->ms + item->hold_ms);
        fg_holds_add(&a->hold_queues, item->slot, order_number(a, order), order->deadline_ms);
        a->holds++;
    }
    records_queue(a, FG_EVENT_ADMIT, order, item, turn->now,
                  item->hold_ms ? SETTLE_NOTHING : SETTLE_GIVEN); /* [admit.1] */
    return order_tell(turn, order, answer);
}

/* So much of the item is sold out: the next who asks the same may be told by refused_as_before().
 */
static void note_refusal(struct fg_admission *a, const struct turn *turn,
                         const struct fg_request *ask, const struct fg_item *item,
                         const struct fg_reply *answer)
{
    a->refusal = (struct refusal){.key_place = turn->key_place, .item = item, .answer = *answer};
    memcpy(&a->refusal.what, (const uint8_t *)ask + offsetof(struct fg_request, item),
           sizeof(a->refusal.what));
}

/* Takes the units and writes the order down. Nothing is recorded before both have succeeded. */
static unsigned take(struct fg_admission *a, struct turn *turn, const struct fg_request *ask,
                     const struct subject *about, struct fg_reply *answer)
{
    const struct fg_item *item = about->item;
    struct fg_stock *stock = a->config.stock;
    unsigned w = a->config.worker;
    uint32_t available = 0;

    switch (fg_stock_take(stock, w, item->slot, ask->quantity, a->loop, &available)) {
    case FG_SOLD_OUT:
        answer->available = available;
        refuse(a, answer, FG_VERDICT_SOLD_OUT, 0);
        note_refusal(a, turn, ask, item, answer);
        return FG_VERDICT_SOLD_OUT;
    case FG_UNSETTLED: {
        /* ALL_HELD is true at once; what only waits for a flush is worth waiting for. An item whose
         * hold time was set to 0 may have holds from before. */
        uint32_t wait_ms = fg_stock_wait_ms(stock, w, item->slot, turn->now->ms);
        if (item->hold_ms == 0 && wait_ms == 0)
            return OUTCOME_UNSETTLED;
        return refuse(a, answer, FG_VERDICT_ALL_HELD, wait_ms ? wait_ms : UNSETTLED_MS);
    }
    case FG_TOOK:
        break;
    }
    struct fg_order *order = fg_book_insert(&a->book, about->hash, ask->buyer, ask->request);
    if (!order) { /* this buyer's buckets are all full: nothing was recorded, so give back */
        fg_stock_put_back(stock, item->slot, ask->quantity); /* [full.1] */
        fg_stock_open_down(stock, w, item->slot);            /* [full.2] */
        return busy(a, answer);
    }
    order->item = item->id;
    order->quantity = ask->quantity;
    return admit(a, turn, item, order, answer);
}

/* May it be bought now? If not, the answer says why. */
static bool on_sale(struct fg_admission *a, const struct turn *turn, const struct fg_item *item,
                    struct fg_reply *answer)
{
    switch (sale_state(item, turn->now->wall_ns)) {
    case FG_SALE_OPEN:
        if (!item->paused && turn->catalogue->mode != FG_ENGINE_PAUSED)
            return true;
        refuse(a, answer, FG_VERDICT_PAUSED, PAUSED_WAIT_MS);
        return false;
    case FG_SALE_SCHEDULED:
        answer->verdict = FG_VERDICT_NOT_OPEN;
        if (item->opens_ns) { /* rounded up: who waits so long finds it open */
            uint64_t wait_ms = (item->opens_ns - turn->now->wall_ns + 999999) / 1000000;
            answer->wait_ms = wait_ms < UINT32_MAX ? (uint32_t)wait_ms : UINT32_MAX;
        }
        return false;
    case FG_SALE_PAUSED:
        refuse(a, answer, FG_VERDICT_PAUSED, PAUSED_WAIT_MS);
        return false;
    default:
        refuse(a, answer, FG_VERDICT_CLOSED, 0);
        return false;
    }
}

/* Most who ask for what is sold out are strangers, one after the other. What one of the burst was
 * told after all checks is right for every stranger behind it who asks for as much of the same
 * item, with the same key, and is surely in no list: all of them had asked before it was found, so
 * that the item was sold out while each of them waited. Rates are asked of everybody. The caller
 * has compared payload_what(). False: nothing was done, all checks are needed. */
static inline bool refused_as_before(struct fg_admission *a, const struct turn *turn,
                                     const uint8_t *payload, unsigned index,
                                     const struct subject *about, struct fg_reply *answer)
{
    const struct refusal *before = &a->refusal;

    if (before->what == 0 || turn->key_place != before->key_place ||
        (int)about->partition != turn->partition || about->may_be_listed ||
        fg_book_buyer(&a->book, about->hash, payload_buyer(payload, index)))
        return false;
    *answer = before->answer;
    answer->request = payload_request(payload, index);
    (void)ask_rates(a, turn, before->item, about->hash, false, false, payload_buyer(payload, index),
                    answer);
    return true;
}

static unsigned decide_order(struct fg_admission *a, struct turn *turn,
                             const struct fg_request *ask, const struct subject *about,
                             struct fg_reply *answer)
{
    const struct fg_item *item = about->item;
    if (item && !key_may_touch(turn, item))
        return refuse(a, answer, FG_VERDICT_FORBIDDEN, 0);
    if (item)
        note_available(a, item, answer);

    uint64_t hash = about->hash;
    struct fg_order *first = fg_book_buyer(&a->book, hash, ask->buyer);
    bool leaving = false;
    struct fg_order *order = first ? find_order(a, turn, first, ask->request, &leaving) : NULL;
    enum fg_listed listed = about->may_be_listed
                                ? fg_lists_find_buyer(turn->catalogue->lists, ask->buyer)
                                : FG_LISTED_NOT;
    if (!within_rates(a, turn, item, hash, order != NULL, listed == FG_LISTED_ALLOWED, ask, answer))
        return answer->verdict;
    if (leaving)
        return busy(a, answer);
    if (order) {
        if (order->state != FG_ORDER_VOID &&
            (order->item != ask->item || order->quantity != ask->quantity))
            return refuse(a, answer, FG_VERDICT_CONFLICT, 0);
        return order_repeat(a, turn, order, answer);
    }
    if (!item)
        return refuse_unknown(a, turn, answer);
    if (listed == FG_LISTED_BLOCKED && !FG_PLANTED(IGNORE_LISTS))
        return refuse(a, answer, FG_VERDICT_BLOCKED, 0);
    if (!on_sale(a, turn, item, answer))
        return answer->verdict;
    if (ask->quantity == 0 || ask->quantity > item->max_per_order)
        return refuse(a, answer, FG_VERDICT_BAD_QUANTITY, 0);
    struct possession has = {0};
    if (first)
        has = possession_of(a, turn, first, item);
    if (has.orders >= a->config.orders_per_buyer || !within_limits(item, &has, ask->quantity))
        return refuse(a, answer, FG_VERDICT_LIMIT_REACHED, 0);
    if (turn->catalogue->mode == FG_ENGINE_DRAINING)
        return refuse(a, answer, FG_VERDICT_BUSY, STOPPED_WAIT_MS);
    if (!may_park(a, turn, false) || !records_room(a, false) || !fg_book_room(&a->book))
        return busy(a, answer);
    return take(a, turn, ask, about, answer);
}

/* CONFIRM, CANCEL and QUERY: all begin with an existing order. */
static unsigned decide_existing(struct fg_admission *a, struct turn *turn,
                                const struct fg_request *ask, const struct subject *about,
                                struct fg_reply *answer)
{
    uint64_t hash = about->hash;
    struct fg_order *first = fg_book_buyer(&a->book, hash, ask->buyer);
    bool leaving;
    struct fg_order *order = find_order(a, turn, first, ask->request, &leaving);
    bool known = order && order->state != FG_ORDER_VOID;
    const struct fg_item *item =
        known ? fg_catalogue_item(turn->catalogue, order->item) : about->item;

    if (item && !key_may_touch(turn, item)) {
        if (known)
            return refuse(a, answer, FG_VERDICT_FORBIDDEN, 0);
        item = NULL; /* named without need: another's sale is left alone */
    }
    if (!within_rates(a, turn, item, hash, true, false, ask, answer))
        return answer->verdict;
    if (leaving)
        return busy(a, answer);
    if (!order && ask->op == FG_OP_CANCEL)
        return order_void(a, turn, hash, first, ask, answer);
    if (!order)
        return refuse(a, answer, FG_VERDICT_NOT_FOUND, 0);
    if (order->state == FG_ORDER_VOID) {
        if (ask->op == FG_OP_CANCEL)
            order_keep_void(a, turn, order);
        return order_repeat(a, turn, order, answer);
    }
    note_available(a, item, answer);
    if (ask->op == FG_OP_QUERY)
        return order_repeat(a, turn, order, answer);
    if (ask->order != 0 && ask->order != order->id)
        return refuse(a, answer, FG_VERDICT_CONFLICT, 0);
    if (ask->op == FG_OP_CONFIRM)
        return order_confirm(a, turn, item, first, order, answer);
    return order_cancel(a, turn, item, order, answer);
}

static unsigned decide_stock(struct fg_admission *a, const struct turn *turn,
                             const struct fg_request *ask, const struct subject *about,
                             struct fg_reply *answer)
{
    const struct fg_item *item = about->item;
    if (item && !key_may_touch(turn, item))
        return refuse(a, answer, FG_VERDICT_FORBIDDEN, 0);
    if (!within_rates(a, turn, NULL, 0, false, false, ask, answer))
        return answer->verdict;
    if (!item)
        return refuse_unknown(a, turn, answer);
    note_available(a, item, answer);
    return answer->verdict = FG_VERDICT_STOCK;
}

static unsigned decide_ping(struct fg_admission *a, const struct turn *turn,
                            const struct fg_request *ask, struct fg_reply *answer)
{
    if (!within_rates(a, turn, NULL, 0, false, false, ask, answer))
        return answer->verdict;
    answer->order = a->epoch;
    answer->item = a->config.partitions;
    answer->quantity = a->config.base_port;
    answer->wait_ms = a->config.workers;
    return answer->verdict = FG_VERDICT_PONG;
}

/* An operator has thrown the kill switch. */
static unsigned refuse_killed(struct fg_admission *a, const struct turn *turn,
                              const struct fg_request *ask, const struct subject *about,
                              struct fg_reply *answer)
{
    if (ask->op == FG_OP_CONFIRM) {
        struct fg_order *first = fg_book_buyer(&a->book, about->hash, ask->buyer);
        struct fg_order *order = fg_book_find(&a->book, first, ask->request);
        if (order && order->state == FG_ORDER_HELD)
            order_respite(a, turn->now, order);
    }
    return refuse(a, answer, FG_VERDICT_BUSY, STOPPED_WAIT_MS);
}

/* Entries of one datagram share the partition of the first one that has any. */
static bool misrouted(const struct turn *turn, const struct fg_request *ask,
                      const struct subject *about)
{
    return ask->op <= FG_OP_QUERY && (int)about->partition != turn->partition;
}

/* Judges one entry: fills `answer` and returns its verdict, or an OUTCOME. */
static inline unsigned decide_entry(struct fg_admission *a, struct turn *turn,
                                    const struct fg_request *ask, const struct subject *about,
                                    struct fg_reply *answer)
{
    *answer = (struct fg_reply){
        .request = ask->request,
        .item = ask->item,
        .quantity = ask->quantity,
    };
    if (ask->op < FG_OP_ORDER || ask->op > FG_OP_MAX || ask->flags != 0)
        return refuse(a, answer, FG_VERDICT_UNSUPPORTED, 0);
    if (misrouted(turn, ask, about))
        return refuse(a, answer, FG_VERDICT_MISROUTED, 0);
    if (!(turn->key->ops >> ask->op & 1))
        return refuse(a, answer, FG_VERDICT_FORBIDDEN, 0);
    if (turn->catalogue->mode == FG_ENGINE_KILLED)
        return refuse_killed(a, turn, ask, about, answer);
    if (fg_lane_fenced(a->lane))
        return busy(a, answer);
    switch (ask->op) {
    case FG_OP_ORDER:
        return decide_order(a, turn, ask, about, answer);
    case FG_OP_STOCK:
        return decide_stock(a, turn, ask, about, answer);
    case FG_OP_PING:
        return decide_ping(a, turn, ask, answer);
    default:
        return decide_existing(a, turn, ask, about, answer);
    }
}

uint64_t decide_entries(struct fg_admission *a, struct turn *turn, const uint8_t *payload,
                        uint32_t entries, const struct subject *subjects, struct fg_reply *answers)
{
    uint32_t unsettled = 0;

    /* The datagram's partition is its first partitioned entry's, judged before or not. */
    uint8_t op = payload_op(payload, 0);
    bool first = op >= FG_OP_ORDER && op <= FG_OP_QUERY; /* as nearly always */
    turn->partition =
        first ? (int)subjects[0].partition : fg_payload_partition(payload, a->config.partitions);
    for (; entries != 0; entries &= entries - 1) {
        unsigned i = (unsigned)__builtin_ctz(entries);
        if (payload_what(payload, i) == a->refusal.what &&
            refused_as_before(a, turn, payload, i, &subjects[i], &answers[i]))
            continue;
        struct fg_request ask = payload_entry(payload, i);
        unsigned outcome = decide_entry(a, turn, &ask, &subjects[i], &answers[i]);
        if (outcome == OUTCOME_SILENT)
            return ENTRIES_SILENT;
        if (outcome == OUTCOME_UNSETTLED)
            unsettled |= UINT32_C(1) << i;
    }
    return unsettled;
}
