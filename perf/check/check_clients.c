/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walk along the history. Every answer that tells of an order is held against the order's
 * events (I2) and against every other answer (I4). At the end come the clients' own books (I1): an
 * order is surely somebody's if a client was told so without a hold (ADMITTED, or CONFIRMED) and
 * never asked to cancel it, and it never came back.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "perf/check/internal.h"

/* Does the answer leave the request open, so that the client has to ask again? */
static bool asks_again(unsigned verdict)
{
    return verdict == FG_VERDICT_BUSY || verdict == FG_VERDICT_THROTTLED ||
           verdict == FG_VERDICT_MISROUTED;
}

static bool tells_state(unsigned verdict)
{
    return verdict >= FG_VERDICT_ADMITTED && verdict <= FG_VERDICT_EXPIRED;
}

/* How a request ended: a state of its order beats a refusal, a refusal beats "ask again". */
static void note_outcome(struct request *request, const struct fg_history_record *record)
{
    if (!asks_again(record->verdict))
        request->flags |= REQUEST_ANSWERED;
    bool better = request->verdict == FG_VERDICT_NONE || asks_again(request->verdict);
    if (tells_state(record->verdict) ||
        (!tells_state(request->verdict) && (better || !asks_again(record->verdict))))
        request->verdict = record->verdict;
}

static void note_sent(struct check *check, struct request *request,
                      const struct fg_history_record *record)
{
    struct fg_check_result *result = check->result;

    result->resent += record->attempt > 0;
    if (record->op == FG_OP_CANCEL)
        request->flags |= REQUEST_CANCELLED;
    if (record->op != FG_OP_ORDER)
        return;
    if (request->flags & REQUEST_OFFERED) {
        if (record->sent_ns < request->first_sent_ns)
            request->first_sent_ns = record->sent_ns;
        return;
    }
    request->flags |= REQUEST_OFFERED;
    request->first_sent_ns = record->sent_ns;
    request->item = record->item;
    request->quantity = record->quantity;
    result->requests++;
    uint32_t item = check_item(check, record->item);
    if (item != FG_INDEX_NONE) {
        result->books[item].requests++;
        result->books[item].asked += record->quantity;
    }
}

/* Is the order, told but without an event, one that the log may have forgotten? */
static bool forgotten(const struct check *check, uint32_t place,
                      const struct fg_history_record *record)
{
    uint32_t item = record->item != 0 ? record->item : check->requests[place].item;
    return check_forgotten(check, item);
}

/* I2: is the order by its events what the client was told? Item and quantity are optional in ops
 * that name an order by its request. */
static void compare(struct check *check, uint32_t place, const struct fg_history_record *record,
                    struct order *order)
{
    bool same = order->request == record->request &&
                memcmp(order->buyer, record->buyer, FG_BUYER_BYTES) == 0 &&
                (order->item == record->item || record->item == 0) &&
                (order->quantity == record->quantity || record->quantity == 0);

    if (order->state == ORDER_UNSEEN && forgotten(check, place, record)) {
        check->result->unjudged_answers++;
    } else if (order->state == ORDER_UNSEEN && !(order->told & TOLD_LOST)) {
        order->told |= TOLD_LOST;
        fg_found(check->findings, FG_CHECK_ORDER_LOST,
                 "buyer %s was told %s order %" PRIu64 " for request %" PRIu64
                 ", but there is no event of it",
                 check_buyer_text(record->buyer).text, fg_verdict_name(record->verdict), order->id,
                 record->request);
    } else if (order->state != ORDER_UNSEEN && !same) {
        fg_found(check->findings, FG_CHECK_ORDER_DIFFERS,
                 "buyer %s was told order %" PRIu64 " for request %" PRIu64 ", %u of item %" PRIu32
                 "; by its events it is request %" PRIu64 " of buyer %s, %u of item %" PRIu32,
                 check_buyer_text(record->buyer).text, order->id, record->request, record->quantity,
                 record->item, order->request, check_buyer_text(order->buyer).text, order->quantity,
                 order->item);
    }
}

/* Are the events there that the answer rests on? */
static bool settled(const struct order *order, const struct fg_history_record *record)
{
    switch (record->verdict) {
    case FG_VERDICT_ADMITTED: /* final without a hold: held orders are told with HELD */
        return (record->flags & FG_HELD) != 0 || order->state != ORDER_HELD;
    case FG_VERDICT_CONFIRMED: /* a CONFIRM of an order that never had a hold leaves no record */
        return check_has(order, FG_EVENT_CONFIRM) || check_has(order, FG_EVENT_REACQUIRE) ||
               !order->had_hold;
    case FG_VERDICT_CANCELLED:
        return check_has(order, FG_EVENT_CANCEL);
    default:
        return check_has(order, FG_EVENT_EXPIRE);
    }
}

static void note_told(struct check *check, uint32_t place, const struct fg_history_record *record)
{
    struct order *order = &check->orders[check_order(check, record->order)];
    struct request *request = &check->requests[place];

    if (order->told_place == FG_INDEX_NONE) {
        order->told_place = place;
        check->result->admitted++;
    } else if (order->told_place != place) {
        fg_found(check->findings, FG_CHECK_SHARED_ORDER,
                 "order %" PRIu64 " was told to buyer %s for request %" PRIu64
                 " and to buyer %s for request %" PRIu64,
                 order->id, check_buyer_text(request->buyer).text, request->request,
                 check_buyer_text(check->requests[order->told_place].buyer).text,
                 check->requests[order->told_place].request);
    }
    check_bind(check, place, record->order, "told to a client,");
    compare(check, place, record, order);
    if (order->state != ORDER_UNSEEN && !settled(order, record))
        fg_found(check->findings, FG_CHECK_SETTLEMENT_LOST,
                 "buyer %s was told %s for order %" PRIu64 ", but there is no such event",
                 check_buyer_text(record->buyer).text, fg_verdict_name(record->verdict), order->id);

    if (record->replied_ns < request->told_ns)
        request->told_ns = record->replied_ns;
    if (record->verdict == FG_VERDICT_CONFIRMED ||
        (record->verdict == FG_VERDICT_ADMITTED && !(record->flags & FG_HELD)))
        order->told |= TOLD_OWNED;
    if (record->verdict == FG_VERDICT_CANCELLED || record->verdict == FG_VERDICT_EXPIRED) {
        order->told |= TOLD_RETURNED;
        if (record->replied_ns < order->returned_ns)
            order->returned_ns = record->replied_ns;
    }
}

static void walk_record(struct check *check, uint64_t at)
{
    const struct fg_history_record *record = &check->input->records[at];
    struct fg_check_result *result = check->result;
    bool answered = record->replied_ns != 0;

    result->sent++;
    result->sends_answered += answered;
    if (record->op <= FG_OP_MAX)
        result->sent_by_op[record->op]++;
    if (result->first_sent_ns == 0 || record->sent_ns < result->first_sent_ns)
        result->first_sent_ns = record->sent_ns;
    if (answered && record->replied_ns > result->last_replied_ns)
        result->last_replied_ns = record->replied_ns;

    check->request_of[at] = FG_INDEX_NONE;
    if (record->op < FG_OP_ORDER || record->op > FG_OP_QUERY)
        return;
    uint32_t place = check_request(check, record->buyer, record->request);
    check->request_of[at] = place;
    note_sent(check, &check->requests[place], record);
    if (answered && record->op == FG_OP_ORDER)
        note_outcome(&check->requests[place], record);
    if (answered && record->order != 0 && tells_state(record->verdict))
        note_told(check, place, record);
}

static void count_outcomes(struct check *check)
{
    struct fg_check_result *result = check->result;
    for (uint32_t i = 0; i < check->requests_count; i++) {
        const struct request *request = &check->requests[i];
        if (!(request->flags & REQUEST_OFFERED))
            continue;
        result->answered += (request->flags & REQUEST_ANSWERED) != 0;
        if (request->verdict <= FG_VERDICT_MAX)
            result->outcomes[request->verdict]++;
    }
    result->lost = result->requests - result->answered;
}

static bool surely_owned(const struct check *check, const struct order *order)
{
    bool returned = (order->told & TOLD_RETURNED) || order->state == ORDER_CANCELLED ||
                    order->state == ORDER_EXPIRED;
    return (order->told & TOLD_OWNED) && !returned &&
           !(check->requests[order->told_place].flags & REQUEST_CANCELLED);
}

static void check_owned(struct check *check)
{
    uint64_t *owned = calloc(check->result->books_count + UINT64_C(1), sizeof(*owned));
    for (uint32_t i = 0; owned != NULL && i < check->orders_count; i++) {
        if (!surely_owned(check, &check->orders[i]))
            continue;
        const struct request *request = &check->requests[check->orders[i].told_place];
        uint32_t item = check_item(check, request->item);
        if (item == FG_INDEX_NONE)
            continue;
        /* An operator's cancellation may have gone with the order's events. */
        if (check->orders[i].state == ORDER_UNSEEN && !check_whole(check, item))
            continue;
        owned[item] += request->quantity;
    }
    for (uint32_t i = 0; owned != NULL && i < check->result->books_count; i++) {
        const struct fg_item_books *book = &check->result->books[i];
        if (owned[i] > book->stock)
            fg_found(check->findings, FG_CHECK_OVERSOLD_TO_CLIENTS,
                     "item %" PRIu32 ": clients own %" PRIu64 " units, but there were %" PRIu64,
                     book->id, owned[i], book->stock);
    }
    free(owned);
}

void check_clients(struct check *check)
{
    for (uint64_t at = 0; at < check->input->records_count; at++)
        walk_record(check, at);
    count_outcomes(check);
    check_owned(check);
}
