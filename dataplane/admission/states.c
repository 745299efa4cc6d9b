/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What becomes of an order that exists: the state table of docs/protocol.md.
 *
 * An order changes its state here, when its record is queued, and nowhere else, so CONFIRM against
 * expiry has one winner: who comes first, and in the millisecond of the deadline it is the CONFIRM.
 * Answers that tell an order's state make the datagram wait for the order's last record.
 */
#include "dataplane/admission/decide.h"
#include "dataplane/faults.h"

#define EXPIRY_RETRY_MS 5 /* the lane was full: try again */

unsigned order_tell(struct turn *turn, const struct fg_order *order, struct fg_reply *answer)
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

unsigned order_repeat(struct fg_admission *a, struct turn *turn, struct fg_order *order,
                      struct fg_reply *answer)
{
    if (order->ticket > a->settled) {
        if (order->copies >= FG_COPIES_MAX) {
            fg_count(a->config.counters, FG_COUNTER_DROP_COPIES);
            return OUTCOME_SILENT;
        }
        if (!may_park(a, turn, true))
            return busy(a, answer);
        order->copies++;
    }
    answer->flags |= FG_REPLAY;
    return order_tell(turn, order, answer);
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
    return order_tell(turn, order, answer);
}

void order_respite(struct fg_admission *a, const struct fg_now *now, struct fg_order *order)
{
    if ((int32_t)(order->deadline_ms - now->ms) < CONFIRM_GRACE_MS)
        fg_book_arm(&a->book, order, now->ms + CONFIRM_GRACE_MS);
}

unsigned order_confirm(struct fg_admission *a, struct turn *turn, const struct fg_item *item,
                       const struct fg_order *first, struct fg_order *order,
                       struct fg_reply *answer)
{
    bool room = may_park(a, turn, true) && records_room(a, true);

    if (order->state == FG_ORDER_HELD) {
        if (!room) {
            order_respite(a, turn->now, order);
            return busy(a, answer);
        }
        fg_book_disarm(&a->book, order);
        order->state = FG_ORDER_CONFIRMED; /* [confirm.1] */
        fg_holds_confirmed(&a->hold_queues, item->slot, order_number(a, order), turn->now->ms);
        a->holds--;
        records_queue(a, FG_EVENT_CONFIRM, order, item, turn->now, SETTLE_UNHOLD); /* [confirm.2] */
        return order_tell(turn, order, answer);
    }
    if (order->state == FG_ORDER_EXPIRED && !order->refused_late)
        return room ? confirm_late(a, turn, item, first, order, answer) : busy(a, answer);
    unsigned outcome = order_repeat(a, turn, order, answer);
    if (order->state == FG_ORDER_FINAL && outcome == FG_VERDICT_ADMITTED)
        return answer->verdict = FG_VERDICT_CONFIRMED; /* it never needed one */
    return outcome;
}

void order_withdraw(struct fg_admission *a, const struct fg_now *now, const struct fg_item *item,
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

unsigned order_cancel(struct fg_admission *a, struct turn *turn, const struct fg_item *item,
                      struct fg_order *order, struct fg_reply *answer)
{
    if (order->state > FG_ORDER_CONFIRMED)
        return order_repeat(a, turn, order, answer);
    if (order->state != FG_ORDER_HELD && !item->cancel_final) {
        /* Says that the order stands: so it waits for the record as a repetition does. */
        const struct fg_reply echo = *answer;
        unsigned outcome = order_repeat(a, turn, order, answer);
        if (outcome != FG_VERDICT_ADMITTED && outcome != FG_VERDICT_CONFIRMED)
            return outcome;
        *answer = echo;
        return refuse(a, answer, FG_VERDICT_FORBIDDEN, 0);
    }
    if (!may_park(a, turn, true) || !records_room(a, true))
        return busy(a, answer);
    order_withdraw(a, turn->now, item, order);
    return order_tell(turn, order, answer);
}

void order_keep_void(struct fg_admission *a, const struct turn *turn, struct fg_order *order)
{
    uint64_t keep_ms = 2 * turn->catalogue->freshness_ns / 1000000;
    fg_book_arm(&a->book, order, turn->now->ms + (uint32_t)keep_ms);
}

/* Needs no record: copies sent before a restart are silence after it. */
unsigned order_void(struct fg_admission *a, const struct turn *turn, uint64_t hash,
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
    order_keep_void(a, turn, order);
    return answer->verdict = FG_VERDICT_CANCELLED;
}

void order_expire(void *arg, struct fg_order *order)
{
    const struct expiry *expiry = arg;
    struct fg_admission *a = expiry->admission;

    if (order->state == FG_ORDER_VOID) {
        a->voids--;
        fg_book_remove(&a->book, order);
        return;
    }
    assert(order->state == FG_ORDER_HELD);
    if (expiry->catalogue->mode == FG_ENGINE_KILLED && !FG_PLANTED(KILL_LETS_EXPIRE)) {
        /* nobody could confirm it */
        order_respite(a, expiry->now, order);
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
