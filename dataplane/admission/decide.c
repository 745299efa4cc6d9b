/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One entry: the order of checks and the state table of docs/protocol.md.
 *
 * A replay is looked for before anything that costs stock. An order changes its state here, when
 * its record is queued, and nowhere else, so CONFIRM against expiry has one winner: who comes
 * first, and in the millisecond of the deadline it is the CONFIRM. Answers that tell an order's
 * state make the datagram wait for the order's last record.
 */
#include "dataplane/admission/internal.h"
#include "dataplane/faults.h"

#define PAUSED_WAIT_MS   1000 /* what an operator has stopped stands for seconds at least */
#define STOPPED_WAIT_MS  500  /* the same of what is BUSY: with jitter less than CONFIRM_GRACE_MS */
#define BUSY_WAIT_MS     20   /* some flushes: what is full has moved on by then */
#define UNSETTLED_MS     1    /* a flush or two */
#define CONFIRM_GRACE_MS 1000 /* no expiry so long after a CONFIRM that was answered BUSY */
#define EXPIRY_RETRY_MS  5    /* the lane was full: try again */

static unsigned refuse(struct fg_admission *a, struct fg_reply *answer, unsigned verdict,
                       uint32_t wait_ms)
{
    answer->verdict = (uint8_t)verdict;
    answer->wait_ms = wait_ms ? jitter(a, wait_ms) : 0;
    return verdict;
}

static unsigned busy(struct fg_admission *a, struct fg_reply *answer)
{
    return refuse(a, answer, FG_VERDICT_BUSY, BUSY_WAIT_MS);
}

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

/* Tells an order as it is. The datagram waits for the order's last record. */
static unsigned tell(struct turn *turn, const struct fg_order *order, struct fg_reply *answer)
{
    if (order->state != FG_ORDER_VOID) {
        answer->order = order->id;
        answer->item = order->item;
        answer->quantity = order->quantity;
    }
    if (order->state == FG_ORDER_HELD) {
        answer->flags |= FG_HELD;
        answer->wait_ms = left_ms(order, turn->now);
    }
    if (order->ticket > turn->ticket &&
        !(FG_PLANTED(STATE_BEFORE_DURABLE) && (answer->flags & FG_REPLAY)))
        turn->ticket = order->ticket;
    return answer->verdict = order_verdict(order->state);
}

/* Tells an order that was decided earlier. While its record is on the way, few copies wait. */
static unsigned repeat(struct fg_admission *a, struct turn *turn, struct fg_order *order,
                       struct fg_reply *answer)
{
    if (order->ticket > a->settled) {
        if (order->copies >= FG_COPIES_MAX) {
            fg_count(a->config.counters, FG_COUNTER_DROP_COPIES);
            return OUTCOME_SILENT;
        }
        if (!turn->may_park_settle)
            return busy(a, answer);
        order->copies++;
    }
    answer->flags |= FG_REPLAY;
    return tell(turn, order, answer);
}

/* The buyer's order of this request, or NULL. One of an archived sale is none, swept away already
 * or not. */
static struct fg_order *find_order(const struct fg_admission *a, const struct turn *turn,
                                   struct fg_order *first, uint64_t request)
{
    struct fg_order *order = fg_book_find(&a->book, first, request);

    if (order && order->state != FG_ORDER_VOID && !fg_catalogue_item(turn->catalogue, order->item))
        return NULL;
    return order;
}

/* What a buyer already has, as far as it bears on one item. */
struct possession {
    uint32_t units;      /* of the item, given and not returned */
    uint32_t sale_units; /* of all items of its sale */
    uint32_t orders;     /* remembered ones of its sale */
};

static struct possession possession_of(const struct fg_admission *a, const struct turn *turn,
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

static bool within_limits(const struct fg_item *item, const struct possession *has,
                          uint32_t quantity)
{
    return (item->limit == 0 || has->units + quantity <= item->limit) &&
           (item->sale_limit == 0 || has->sale_units + quantity <= item->sale_limit);
}

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
    return tell(turn, order, answer);
}

/* Takes the units and writes the order down. Nothing is recorded before both have succeeded. */
static unsigned take(struct fg_admission *a, struct turn *turn, const struct fg_request *ask,
                     const struct fg_item *item, struct fg_reply *answer)
{
    struct fg_stock *stock = a->config.stock;
    unsigned w = a->config.worker;
    uint32_t available = 0;

    switch (fg_stock_take(stock, w, item->slot, ask->quantity, a->loop, &available)) {
    case FG_SOLD_OUT:
        answer->available = available;
        return refuse(a, answer, FG_VERDICT_SOLD_OUT, 0);
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
    uint64_t hash = fg_book_hash(&a->book, ask->buyer);
    struct fg_order *order = fg_book_insert(&a->book, hash, ask->buyer, ask->request);
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

static unsigned decide_order(struct fg_admission *a, struct turn *turn,
                             const struct fg_request *ask, struct fg_reply *answer)
{
    const struct fg_item *item = fg_catalogue_item(turn->catalogue, ask->item);
    if (item && !key_may_touch(turn, item))
        return refuse(a, answer, FG_VERDICT_FORBIDDEN, 0);
    if (item)
        note_available(a, item, answer);

    uint64_t hash = fg_book_hash(&a->book, ask->buyer);
    struct fg_order *first = fg_book_buyer(&a->book, hash, ask->buyer);
    struct fg_order *order = find_order(a, turn, first, ask->request);
    if (order) {
        if (order->state != FG_ORDER_VOID &&
            (order->item != ask->item || order->quantity != ask->quantity))
            return refuse(a, answer, FG_VERDICT_CONFLICT, 0);
        return repeat(a, turn, order, answer);
    }
    if (!item)
        return refuse(a, answer, FG_VERDICT_UNKNOWN_ITEM, 0);
    if (!on_sale(a, turn, item, answer))
        return answer->verdict;
    if (ask->quantity == 0 || ask->quantity > item->max_per_order)
        return refuse(a, answer, FG_VERDICT_BAD_QUANTITY, 0);
    struct possession has = possession_of(a, turn, first, item);
    if (has.orders >= a->config.orders_per_buyer || !within_limits(item, &has, ask->quantity))
        return refuse(a, answer, FG_VERDICT_LIMIT_REACHED, 0);
    if (turn->catalogue->mode == FG_ENGINE_DRAINING)
        return refuse(a, answer, FG_VERDICT_BUSY, STOPPED_WAIT_MS);
    if (!turn->may_park || !records_room(a, false) || !fg_book_room(&a->book))
        return busy(a, answer);
    return take(a, turn, ask, item, answer);
}

/* A CONFIRM of an expired hold, the first one: takes units anew where the sale says so and they are
 * there; else EXPIRED, recorded, so that it stays the answer. */
static unsigned confirm_late(struct fg_admission *a, struct turn *turn, const struct fg_item *item,
                             const struct fg_order *first, struct fg_order *order,
                             struct fg_reply *answer)
{
    enum fg_take result = FG_SOLD_OUT;
    uint32_t available;

    struct possession has = possession_of(a, turn, first, item);
    if (item->late_confirm == FG_LATE_REACQUIRE && within_limits(item, &has, order->quantity)) {
        struct fg_stock *stock = a->config.stock;
        unsigned w = a->config.worker;
        if (order->ticket > a->settled) /* its own units come back with the next flush */
            return busy(a, answer);
        result = fg_stock_take(stock, w, item->slot, order->quantity, a->loop, &available);
        if (result == FG_UNSETTLED && fg_stock_wait_ms(stock, w, item->slot, turn->now->ms) == 0)
            return busy(a, answer); /* a flush will tell, and what is said here is for good */
    }
    if (result == FG_TOOK) {
        order->state = FG_ORDER_CONFIRMED;
        records_queue(a, FG_EVENT_REACQUIRE, order, item, turn->now, SETTLE_GIVEN);
    } else {
        order->refused_late = 1;
        records_queue(a, FG_EVENT_REFUSE_LATE, order, item, turn->now, SETTLE_NOTHING);
    }
    return tell(turn, order, answer);
}

/* The CONFIRM of a hold was told BUSY: its next try comes in time. */
static void give_respite(struct fg_admission *a, const struct fg_now *now, struct fg_order *order)
{
    if ((int32_t)(order->deadline_ms - now->ms) < CONFIRM_GRACE_MS)
        fg_book_arm(&a->book, order, now->ms + CONFIRM_GRACE_MS);
}

static unsigned decide_confirm(struct fg_admission *a, struct turn *turn,
                               const struct fg_item *item, const struct fg_order *first,
                               struct fg_order *order, struct fg_reply *answer)
{
    bool room = turn->may_park_settle && records_room(a, true);

    if (order->state == FG_ORDER_HELD) {
        if (!room) {
            give_respite(a, turn->now, order);
            return busy(a, answer);
        }
        fg_book_disarm(&a->book, order);
        order->state = FG_ORDER_CONFIRMED; /* [confirm.1] */
        fg_holds_confirmed(&a->hold_queues, item->slot, order_number(a, order), turn->now->ms);
        a->holds--;
        records_queue(a, FG_EVENT_CONFIRM, order, item, turn->now, SETTLE_UNHOLD); /* [confirm.2] */
        return tell(turn, order, answer);
    }
    if (order->state == FG_ORDER_EXPIRED && !order->refused_late)
        return room ? confirm_late(a, turn, item, first, order, answer) : busy(a, answer);
    unsigned outcome = repeat(a, turn, order, answer);
    if (order->state == FG_ORDER_FINAL && outcome == FG_VERDICT_ADMITTED)
        return answer->verdict = FG_VERDICT_CONFIRMED; /* it never needed one */
    return outcome;
}

void decide_withdraw(struct fg_admission *a, const struct fg_now *now, const struct fg_item *item,
                     struct fg_order *order)
{
    bool held = order->state == FG_ORDER_HELD;

    if (held) {
        fg_book_disarm(&a->book, order);
        fg_holds_returning(&a->hold_queues, item->slot, order_number(a, order), now->ms);
        a->holds--;
    } else {
        /* Unsettled again until its units are back. */
        fg_stock_open_up(a->config.stock, a->config.worker, item->slot); /* [cancel.1] */
    }
    order->state = FG_ORDER_CANCELLED; /* [cancel.2] */
    records_queue(a, FG_EVENT_CANCEL, order, item, now,
                  held ? SETTLE_RELEASE : SETTLE_RETURN); /* [cancel.3] */
}

static unsigned decide_cancel(struct fg_admission *a, struct turn *turn, const struct fg_item *item,
                              struct fg_order *order, struct fg_reply *answer)
{
    if (order->state > FG_ORDER_CONFIRMED)
        return repeat(a, turn, order, answer);
    if (order->state != FG_ORDER_HELD && !item->cancel_final) {
        /* Says that the order stands: so it waits for the record as a repetition does. */
        const struct fg_reply echo = *answer;
        unsigned outcome = repeat(a, turn, order, answer);
        if (outcome != FG_VERDICT_ADMITTED && outcome != FG_VERDICT_CONFIRMED)
            return outcome;
        *answer = echo;
        return refuse(a, answer, FG_VERDICT_FORBIDDEN, 0);
    }
    if (!turn->may_park_settle || !records_room(a, true))
        return busy(a, answer);
    decide_withdraw(a, turn->now, item, order);
    return tell(turn, order, answer);
}

/* From now on, because copies may be under way that were sent just before this CANCEL. */
static void keep_void(struct fg_admission *a, const struct turn *turn, struct fg_order *order)
{
    uint64_t keep_ms = 2 * turn->catalogue->freshness_ns / 1000000;
    fg_book_arm(&a->book, order, turn->now->ms + (uint32_t)keep_ms);
}

/* A CANCEL without an order: whoever gave up must be sure that no late copy is admitted. Needs no
 * record: copies sent before a restart are silence after it. */
static unsigned void_request(struct fg_admission *a, const struct turn *turn, uint64_t hash,
                             const struct fg_order *first, const struct fg_request *ask,
                             struct fg_reply *answer)
{
    uint32_t voids = 0; /* of this buyer; all of them take an eighth of the book at most */
    for (const struct fg_order *order = first; order; order = fg_book_next(&a->book, order))
        voids += order->state == FG_ORDER_VOID;
    bool may = voids < a->config.orders_per_buyer && a->voids < a->config.orders / FG_SETTLE_SHARE;
    struct fg_order *order = may ? fg_book_insert(&a->book, hash, ask->buyer, ask->request) : NULL;
    if (!order)
        return busy(a, answer);
    order->state = FG_ORDER_VOID;
    a->voids++;
    keep_void(a, turn, order);
    return answer->verdict = FG_VERDICT_CANCELLED;
}

/* CONFIRM, CANCEL and QUERY: all begin with an existing order. */
static unsigned decide_existing(struct fg_admission *a, struct turn *turn,
                                const struct fg_request *ask, struct fg_reply *answer)
{
    uint64_t hash = fg_book_hash(&a->book, ask->buyer);
    struct fg_order *first = fg_book_buyer(&a->book, hash, ask->buyer);
    struct fg_order *order = find_order(a, turn, first, ask->request);

    if (!order && ask->op == FG_OP_CANCEL)
        return void_request(a, turn, hash, first, ask, answer);
    if (!order)
        return refuse(a, answer, FG_VERDICT_NOT_FOUND, 0);
    if (order->state == FG_ORDER_VOID) {
        if (ask->op == FG_OP_CANCEL)
            keep_void(a, turn, order);
        return repeat(a, turn, order, answer);
    }
    const struct fg_item *item = fg_catalogue_item(turn->catalogue, order->item);
    if (!key_may_touch(turn, item))
        return refuse(a, answer, FG_VERDICT_FORBIDDEN, 0);
    note_available(a, item, answer);
    if (ask->op == FG_OP_QUERY)
        return repeat(a, turn, order, answer);
    if (ask->order != 0 && ask->order != order->id)
        return refuse(a, answer, FG_VERDICT_CONFLICT, 0);
    if (ask->op == FG_OP_CONFIRM)
        return decide_confirm(a, turn, item, first, order, answer);
    return decide_cancel(a, turn, item, order, answer);
}

static unsigned decide_stock(struct fg_admission *a, const struct turn *turn,
                             const struct fg_request *ask, struct fg_reply *answer)
{
    const struct fg_item *item = fg_catalogue_item(turn->catalogue, ask->item);
    if (!item)
        return refuse(a, answer, FG_VERDICT_UNKNOWN_ITEM, 0);
    if (!key_may_touch(turn, item))
        return refuse(a, answer, FG_VERDICT_FORBIDDEN, 0);
    note_available(a, item, answer);
    return answer->verdict = FG_VERDICT_STOCK;
}

static unsigned decide_ping(const struct fg_admission *a, struct fg_reply *answer)
{
    answer->order = a->epoch;
    answer->item = a->config.partitions;
    answer->quantity = a->config.base_port;
    answer->wait_ms = a->config.workers;
    return answer->verdict = FG_VERDICT_PONG;
}

/* An operator has thrown the kill switch. */
static unsigned refuse_killed(struct fg_admission *a, const struct turn *turn,
                              const struct fg_request *ask, struct fg_reply *answer)
{
    if (ask->op == FG_OP_CONFIRM) {
        struct fg_order *first =
            fg_book_buyer(&a->book, fg_book_hash(&a->book, ask->buyer), ask->buyer);
        struct fg_order *order = fg_book_find(&a->book, first, ask->request);
        if (order && order->state == FG_ORDER_HELD)
            give_respite(a, turn->now, order);
    }
    return refuse(a, answer, FG_VERDICT_BUSY, STOPPED_WAIT_MS);
}

/* Entries of one datagram share the partition of the first one that has any. */
static bool misrouted(const struct fg_admission *a, const struct turn *turn,
                      const struct fg_request *ask)
{
    return ask->op <= FG_OP_QUERY &&
           (int)fg_partition(ask->buyer, a->config.partitions) != turn->partition;
}

unsigned decide_entry(struct fg_admission *a, struct turn *turn, const struct fg_request *ask,
                      struct fg_reply *answer)
{
    *answer = (struct fg_reply){
        .request = ask->request,
        .item = ask->item,
        .quantity = ask->quantity,
    };
    if (ask->op < FG_OP_ORDER || ask->op > FG_OP_MAX || ask->flags != 0)
        return refuse(a, answer, FG_VERDICT_UNSUPPORTED, 0);
    if (misrouted(a, turn, ask))
        return refuse(a, answer, FG_VERDICT_MISROUTED, 0);
    if (!(turn->key->ops >> ask->op & 1))
        return refuse(a, answer, FG_VERDICT_FORBIDDEN, 0);
    if (turn->catalogue->mode == FG_ENGINE_KILLED)
        return refuse_killed(a, turn, ask, answer);
    if (fg_lane_fenced(a->lane))
        return busy(a, answer);
    switch (ask->op) {
    case FG_OP_ORDER:
        return decide_order(a, turn, ask, answer);
    case FG_OP_STOCK:
        return decide_stock(a, turn, ask, answer);
    case FG_OP_PING:
        return decide_ping(a, answer);
    default:
        return decide_existing(a, turn, ask, answer);
    }
}

void decide_expiry(void *arg, struct fg_order *order)
{
    const struct expiry *expiry = arg;
    struct fg_admission *a = expiry->admission;

    if (order->state == FG_ORDER_VOID) {
        a->voids--;
        fg_book_remove(&a->book, order);
        return;
    }
    assert(order->state == FG_ORDER_HELD);
    if (expiry->catalogue->mode == FG_ENGINE_KILLED) { /* nobody could confirm it */
        give_respite(a, expiry->now, order);
        return;
    }
    const struct fg_item *item = fg_catalogue_item(expiry->catalogue, order->item);
    if (!item || !records_room(a, true)) {
        fg_book_arm(&a->book, order, expiry->now->ms + EXPIRY_RETRY_MS);
        return;
    }
    order->state = FG_ORDER_EXPIRED; /* [expire.1] */
    fg_holds_returning(&a->hold_queues, item->slot, order_number(a, order), expiry->now->ms);
    a->holds--;
    records_queue(a, FG_EVENT_EXPIRE, order, item, expiry->now, SETTLE_RELEASE); /* [expire.2] */
    fg_count(a->config.counters, FG_COUNTER_HOLDS_EXPIRED);
}
