/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walk along the events, as the log or the streams have them. Each order goes through the
 * states that its events allow, and the item's and the buyer's units are kept as they were at every
 * prefix: a unit is given from its ADMIT (or REACQUIRE) on, and back from its CANCEL or EXPIRE on.
 * The engine puts a unit back on sale only after its return is durable, and takes it before the
 * next ADMIT is queued, so in a right log no prefix ever gives more than the supply (I1), nor a
 * buyer more than the limits of item and sale (I6). The same holds for units that are added
 * (durable first) and removed (taken first).
 *
 * A limit is different: a lower one is in force before it is journalled, and orders that workers
 * decided by the former one may still lie in their lanes. So it binds only some time after it was
 * decided; a raised one is durable before any worker has it, and binds from its place on.
 *
 * Items belong to one sale, so that the events of several sales may be walked one after the other.
 * Of a sale whose first events went with an old segment, orders without an ADMIT are let pass.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "perf/check/internal.h"

/* Where the walk is. */
struct place {
    const struct fg_sale_stream *stream;
    const struct fg_sale_stream_entry *entry;
    uint32_t number; /* of the stream */
};

/* A place for sentences. */
struct place_text {
    char text[160];
};

static struct place_text place_text(const struct place *at)
{
    struct place_text place;
    int used = snprintf(place.text, sizeof(place.text), "sale %s, event %" PRIu64 "-%" PRIu64,
                        at->stream->sale, at->entry->epoch, at->entry->event.sale_seq);
    if (at->entry->lsn != 0)
        snprintf(place.text + used, sizeof(place.text) - (size_t)used, " (LSN %" PRIu64 ")",
                 at->entry->lsn);
    return place;
}

static void check_sequence(struct check *check, const struct place *at, uint64_t number)
{
    const struct fg_sale_stream_entry *entry = at->entry;
    struct fg_stream_id before = at->stream->passed;

    if (number > 0)
        before = (struct fg_stream_id){entry[-1].epoch, entry[-1].event.sale_seq};
    if (entry->event.sale_seq != before.sale_seq + 1)
        fg_found(check->findings, FG_CHECK_SEQUENCE_BROKEN, "%s follows sale_seq %" PRIu64,
                 place_text(at).text, before.sale_seq);
    else if (entry->epoch < before.epoch)
        fg_found(check->findings, FG_CHECK_SEQUENCE_BROKEN,
                 "%s follows an entry of the later epoch %" PRIu64, place_text(at).text,
                 before.epoch);
}

/* Of an item, or of the sale of a stream. */
static struct holding *holding_of(struct check *check, const uint8_t *buyer, uint32_t of,
                                  bool of_sale)
{
    struct fg_index_probe probe = fg_index_probe(fg_index_hash(buyer, of + (uint64_t)of_sale));
    uint32_t place;
    while ((place = fg_index_next(&check->holding_index, &probe)) != FG_INDEX_NONE) {
        struct holding *holding = &check->holdings[place];
        if (holding->of == of && holding->of_sale == of_sale &&
            memcmp(holding->buyer, buyer, FG_BUYER_BYTES) == 0)
            return holding;
    }
    place = check->holdings_count++;
    check->holdings[place] = (struct holding){.of = of, .of_sale = of_sale};
    memcpy(check->holdings[place].buyer, buyer, FG_BUYER_BYTES);
    fg_index_put(&check->holding_index, &probe, place);
    return &check->holdings[place];
}

/* Units given against the supply, at a place of the walk or where the supply was changed. */
static void check_supply(struct check *check, struct fg_item_books *book, const char *place)
{
    uint64_t given = book->admitted - book->returned;
    if (given <= book->stock)
        return;
    if (book->oversold == 0)
        fg_found(check->findings, FG_CHECK_OVERSOLD,
                 "%s: from here on %" PRIu64 " units of item %" PRIu32
                 " are given, but there were %" PRIu64,
                 place, given, book->id, book->stock);
    if (given - book->stock > book->oversold)
        book->oversold = given - book->stock;
}

/* A buyer has more units of an item, or of a sale. */
static void hold(struct check *check, const struct place *at, const struct limit *limit,
                 uint32_t of, bool of_sale)
{
    const struct fg_order_event *event = &at->entry->event;
    uint64_t most = event->at_ns <= limit->former_until_ns ? limit->former : limit->now;
    struct holding *holding = holding_of(check, event->buyer, of, of_sale);

    holding->units += event->quantity;
    if (holding->units <= most)
        return;
    char what[32] = "the sale";
    if (!of_sale)
        snprintf(what, sizeof(what), "item %" PRIu32, of);
    fg_found(check->findings, FG_CHECK_OVER_LIMIT,
             "%s: buyer %s has %" PRIu64 " units of %s, limit %" PRIu64, place_text(at).text,
             check_buyer_text(event->buyer).text, holding->units, what, most);
}

static void give(struct check *check, const struct place *at)
{
    const struct fg_order_event *event = &at->entry->event;
    uint32_t item = check_item(check, event->item);
    if (item == FG_INDEX_NONE)
        return;

    struct fg_item_books *book = &check->result->books[item];
    book->admitted += event->quantity;
    if (book->admitted - book->returned > book->peak)
        book->peak = book->admitted - book->returned;
    if (book->admitted - book->returned > book->stock)
        check_supply(check, book, place_text(at).text);

    hold(check, at, &check->limits[item], book->id, false);
    hold(check, at, &check->sale_limits[at->number], at->number, true);
}

static void change_limit(const struct check *check, struct limit *limit,
                         const struct fg_supply_change *change)
{
    uint64_t now = change->limit ? change->limit : UINT64_MAX;
    if (now < limit->now) {
        if (change->at_ns > limit->former_until_ns || limit->former < limit->now)
            limit->former = limit->now;
        limit->former_until_ns = change->at_ns + check->input->settle_ns;
    } else if (limit->former < now) {
        limit->former = now;
    }
    limit->now = now;
}

/* The supply or the limit of an item, or the limit of a sale, is another from here on. */
static void change_supply(struct check *check, const struct fg_supply_change *change)
{
    uint32_t item = check_item(check, change->item);
    if (change->item == 0)
        change_limit(check, &check->sale_limits[change->stream], change);
    if (item == FG_INDEX_NONE)
        return;
    change_limit(check, &check->limits[item], change);

    char place[64];
    snprintf(place, sizeof(place), "stock %" PRIu32 " set at LSN %" PRIu64, change->stock,
             change->lsn);
    check->result->books[item].stock = change->stock;
    check_supply(check, &check->result->books[item], place);
}

static void take_back(struct check *check, const struct place *at)
{
    const struct fg_order_event *event = &at->entry->event;
    uint32_t item = check_item(check, event->item);
    if (item == FG_INDEX_NONE)
        return;
    check->result->books[item].returned += event->quantity;
    holding_of(check, event->buyer, event->item, false)->units -= event->quantity;
    holding_of(check, event->buyer, at->number, true)->units -= event->quantity;
}

static void admit(struct check *check, const struct place *at, struct order *order)
{
    const struct fg_order_event *event = &at->entry->event;
    uint32_t item = check_item(check, event->item);

    order->place = check_request(check, event->buyer, event->request);
    order->stream = at->number;
    order->lsn = at->entry->lsn;
    memcpy(order->buyer, event->buyer, FG_BUYER_BYTES);
    order->request = event->request;
    order->item = event->item;
    order->quantity = event->quantity;
    order->had_hold = event->hold_ms != 0;
    order->state = order->had_hold ? ORDER_HELD : ORDER_FINAL;
    check_bind(check, order->place, event->order, "by its events");
    check->result->redis_orders++;
    if (item != FG_INDEX_NONE)
        check->result->books[item].orders++;
    give(check, at);
}

/* Is the event about the order that ADMIT described? */
static bool same_order(const struct order *order, const struct fg_order_event *event)
{
    return order->request == event->request && order->item == event->item &&
           order->quantity == event->quantity &&
           memcmp(order->buyer, event->buyer, FG_BUYER_BYTES) == 0;
}

/*
 * X(kind, state it may come in, another such state, state it leads to). Only ADMIT stands apart.
 * REFUSE_LATE says that an expired order stays so: nothing may follow it.
 */
#define TRANSITIONS(X)                                                                             \
    X(CONFIRM, ORDER_HELD, ORDER_HELD, ORDER_FINAL)                                                \
    X(CANCEL, ORDER_HELD, ORDER_FINAL, ORDER_CANCELLED)                                            \
    X(EXPIRE, ORDER_HELD, ORDER_HELD, ORDER_EXPIRED)                                               \
    X(REACQUIRE, ORDER_EXPIRED, ORDER_EXPIRED, ORDER_FINAL)                                        \
    X(REFUSE_LATE, ORDER_EXPIRED, ORDER_EXPIRED, ORDER_EXPIRED)

static int by_order(const void *id, const void *other)
{
    uint64_t a = *(const uint64_t *)id, b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

/* Did an operator cancel it? Then its sale need not allow it. */
static bool operator_cancelled(const struct check *check, const struct order *order)
{
    const struct fg_check_input *input = check->input;
    return input->cancelled_count > 0 &&
           bsearch(&order->id, input->cancelled, input->cancelled_count, sizeof(*input->cancelled),
                   by_order) != NULL;
}

/* Does the sale's definition, or an operator, allow it? */
static bool allowed(const struct check *check, const struct order *order, unsigned kind)
{
    const struct fg_sale_facts *facts = check_facts(check, order->stream);

    if (!facts || !facts->defined)
        return true;
    if (kind == FG_EVENT_CANCEL && order->state == ORDER_FINAL)
        return facts->cancel_final || operator_cancelled(check, order);
    return kind != FG_EVENT_REACQUIRE || facts->reacquires;
}

/* The state that the event leads to, or ORDER_UNSEEN if it may not come now. */
static enum order_state next_state(const struct check *check, const struct order *order,
                                   unsigned kind)
{
    if (kind == FG_EVENT_REACQUIRE && check_has(order, FG_EVENT_REFUSE_LATE))
        return ORDER_UNSEEN;
    if (!allowed(check, order, kind))
        return ORDER_UNSEEN;
    switch (kind) {
#define X(name, from, or_from, leads_to)                                                           \
    case FG_EVENT_##name:                                                                          \
        return order->state == (from) || order->state == (or_from) ? (leads_to) : ORDER_UNSEEN;
        TRANSITIONS(X)
#undef X
    default:
        return ORDER_UNSEEN;
    }
}

static void settle(struct check *check, const struct place *at, struct order *order)
{
    const struct fg_order_event *event = &at->entry->event;

    if (order->state == ORDER_UNSEEN && at->stream->passed.sale_seq > 0) {
        check->result->unjudged_events++; /* its ADMIT went with an old segment */
        return;
    }
    enum order_state state = next_state(check, order, event->kind);
    if (state == ORDER_UNSEEN || !same_order(order, event)) {
        fg_found(check->findings, FG_CHECK_EVENT_IMPOSSIBLE,
                 "%s: %s of order %" PRIu64 " of buyer %s does not follow from %s",
                 place_text(at).text, fg_event_name(event->kind), event->order,
                 check_buyer_text(event->buyer).text,
                 state == ORDER_UNSEEN ? "its earlier events" : "its ADMIT: it names another");
        return;
    }
    order->state = (uint8_t)state;
    if (event->kind == FG_EVENT_REACQUIRE)
        give(check, at);
    else if (state == ORDER_CANCELLED || event->kind == FG_EVENT_EXPIRE)
        take_back(check, at);
}

/* The same event once more, or an order id that was already given to another request. */
static void repeated(struct check *check, const struct place *at, const struct order *order)
{
    const struct fg_order_event *event = &at->entry->event;

    if (event->kind == FG_EVENT_ADMIT &&
        (order->request != event->request ||
         memcmp(order->buyer, event->buyer, FG_BUYER_BYTES) != 0)) {
        fg_found(check->findings, FG_CHECK_SHARED_ORDER,
                 "%s: order %" PRIu64 " is admitted for request %" PRIu64
                 " of buyer %s, but it is request %" PRIu64 "'s",
                 place_text(at).text, event->order, event->request,
                 check_buyer_text(event->buyer).text, order->request);
        return;
    }
    check->result->duplicate_orders += event->kind == FG_EVENT_ADMIT;
    fg_found(check->findings, FG_CHECK_EVENT_REPEATED,
             "%s: %s of order %" PRIu64 " is there a second time", place_text(at).text,
             fg_event_name(event->kind), event->order);
}

/* Is the item one of this sale? What no definition is left of cannot be said to be wrong. */
static void check_member(struct check *check, const struct place *at)
{
    const struct fg_order_event *event = &at->entry->event;
    const struct fg_sale_facts *facts = check_facts(check, at->number);
    uint32_t item = check_item(check, event->item);
    bool known = facts && facts->defined && check->input->item_streams;

    if (known && (item == FG_INDEX_NONE || check->input->item_streams[item] != at->number))
        fg_found(check->findings, FG_CHECK_EVENT_IMPOSSIBLE,
                 "%s: %s of order %" PRIu64 " of buyer %s is of item %" PRIu32
                 ", which is not the sale's",
                 place_text(at).text, fg_event_name(event->kind), event->order,
                 check_buyer_text(event->buyer).text, event->item);
    else if (item == FG_INDEX_NONE)
        check->result->unjudged_events++;
}

static void walk_entry(struct check *check, const struct place *at)
{
    const struct fg_order_event *event = &at->entry->event;
    struct order *order = &check->orders[check_order(check, event->order)];

    check_member(check, at);
    if (check_has(order, event->kind)) {
        repeated(check, at, order);
        return;
    }
    if (event->kind == FG_EVENT_ADMIT && order->state == ORDER_UNSEEN)
        admit(check, at, order);
    else
        settle(check, at, order);
    order->kinds |= (uint8_t)(1u << event->kind);
}

void check_streams(struct check *check)
{
    const struct fg_check_input *input = check->input;
    const struct fg_supply_change *change = input->changes, *end = change + input->changes_count;

    for (uint32_t i = 0; i < input->streams_count; i++) {
        const struct fg_sale_stream *stream = &input->streams[i];
        for (uint64_t number = 0; number < stream->count; number++) {
            for (; change < end && change->stream == i && change->after <= number; change++)
                change_supply(check, change);
            struct place at = {.stream = stream, .entry = &stream->entries[number], .number = i};
            check_sequence(check, &at, number);
            walk_entry(check, &at);
        }
        for (; change < end && change->stream == i; change++)
            change_supply(check, change);
    }
}
