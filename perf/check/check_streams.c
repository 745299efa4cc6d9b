/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walk along the streams. Each order goes through the states that its events allow, and the
 * item's and the buyer's units are kept as they were at every prefix: a unit is given from its
 * ADMIT (or REACQUIRE) on, and back from its CANCEL or EXPIRE on. The engine puts a unit back on
 * sale only after its return is durable, and takes it before the next ADMIT is queued, so in a
 * right log no prefix ever gives more than the supply (I1), nor a buyer more than the limit (I6).
 *
 * Items belong to one sale, so that streams of several sales may be walked one after the other.
 */
#include <inttypes.h>

#include "perf/check/internal.h"

/* Where the walk is, for sentences. */
struct place {
    const struct fg_sale_stream *stream;
    const struct fg_sale_stream_entry *entry;
};

#define PLACE_FORMAT "sale %s, entry %" PRIu64 "-%" PRIu64
#define PLACE_ARGS(place)                                                                          \
    (place)->stream->sale, (place)->entry->epoch, (place)->entry->event.sale_seq

static const char *kind_name(unsigned kind)
{
    switch (kind) {
#define X(name, code, meaning)                                                                     \
    case code:                                                                                     \
        return #name;
        FG_ORDER_KINDS(X)
#undef X
    default:
        return "?";
    }
}

static void check_sequence(struct check *check, const struct place *at, uint64_t number)
{
    const struct fg_sale_stream_entry *entry = at->entry;
    if (entry->event.sale_seq != number + 1)
        fg_found(check->findings, FG_CHECK_SEQUENCE_BROKEN,
                 PLACE_FORMAT " is number %" PRIu64 " of its stream", PLACE_ARGS(at), number + 1);
    else if (number > 0 && entry->epoch < entry[-1].epoch)
        fg_found(check->findings, FG_CHECK_SEQUENCE_BROKEN,
                 PLACE_FORMAT " follows an entry of the later epoch %" PRIu64, PLACE_ARGS(at),
                 entry[-1].epoch);
}

static struct holding *holding_of(struct check *check, const struct fg_order_event *event)
{
    struct fg_index_probe probe = fg_index_probe(fg_index_hash(event->buyer, event->item));
    uint32_t place;
    while ((place = fg_index_next(&check->holding_index, &probe)) != FG_INDEX_NONE) {
        struct holding *holding = &check->holdings[place];
        if (holding->item == event->item &&
            memcmp(holding->buyer, event->buyer, FG_BUYER_BYTES) == 0)
            return holding;
    }
    place = check->holdings_count++;
    check->holdings[place] = (struct holding){.item = event->item};
    memcpy(check->holdings[place].buyer, event->buyer, FG_BUYER_BYTES);
    fg_index_put(&check->holding_index, &probe, place);
    return &check->holdings[place];
}

static void give(struct check *check, const struct place *at)
{
    const struct fg_order_event *event = &at->entry->event;
    uint32_t item = check_item(check, event->item);
    if (item == FG_INDEX_NONE)
        return;

    struct fg_item_books *book = &check->result->books[item];
    book->admitted += event->quantity;
    uint64_t given = book->admitted - book->returned;
    if (given > book->stock && book->peak <= book->stock)
        fg_found(check->findings, FG_CHECK_OVERSOLD,
                 PLACE_FORMAT ": from here on %" PRIu64 " units of item %" PRIu32
                              " are given, but there were %" PRIu64,
                 PLACE_ARGS(at), given, book->id, book->stock);
    if (given > book->peak)
        book->peak = given;

    uint32_t limit = check->input->items[item].limit;
    struct holding *holding = holding_of(check, event);
    holding->units += event->quantity;
    if (limit != 0 && holding->units > limit)
        fg_found(
            check->findings, FG_CHECK_OVER_LIMIT,
            PLACE_FORMAT ": buyer %s has %" PRIu64 " units of item %" PRIu32 ", limit %" PRIu32,
            PLACE_ARGS(at), check_buyer_text(event->buyer).text, holding->units, book->id, limit);
}

static void take_back(struct check *check, const struct fg_order_event *event)
{
    uint32_t item = check_item(check, event->item);
    if (item == FG_INDEX_NONE)
        return;
    check->result->books[item].returned += event->quantity;
    holding_of(check, event)->units -= event->quantity;
}

static void admit(struct check *check, const struct place *at, struct order *order)
{
    const struct fg_order_event *event = &at->entry->event;
    uint32_t item = check_item(check, event->item);

    order->place = check_request(check, event->buyer, event->request);
    memcpy(order->buyer, event->buyer, FG_BUYER_BYTES);
    order->request = event->request;
    order->item = event->item;
    order->quantity = event->quantity;
    order->had_hold = event->hold_ms != 0;
    order->state = order->had_hold ? ORDER_HELD : ORDER_FINAL;
    check_bind(check, order->place, event->order, "in a stream");
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

/* The state that the event leads to, or ORDER_UNSEEN if it may not come now. */
static enum order_state next_state(const struct order *order, unsigned kind)
{
    if (kind == FG_EVENT_REACQUIRE && check_has(order, FG_EVENT_REFUSE_LATE))
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
    enum order_state state = next_state(order, event->kind);

    if (state == ORDER_UNSEEN || !same_order(order, event)) {
        fg_found(check->findings, FG_CHECK_EVENT_IMPOSSIBLE,
                 PLACE_FORMAT ": %s of order %" PRIu64 " does not follow from %s", PLACE_ARGS(at),
                 kind_name(event->kind), event->order,
                 state == ORDER_UNSEEN ? "its earlier events" : "its ADMIT: it names another");
        return;
    }
    order->state = (uint8_t)state;
    if (event->kind == FG_EVENT_REACQUIRE)
        give(check, at);
    else if (state == ORDER_CANCELLED || event->kind == FG_EVENT_EXPIRE)
        take_back(check, event);
}

/* The same event once more, or an order id that was already given to another request. */
static void repeated(struct check *check, const struct place *at, const struct order *order)
{
    const struct fg_order_event *event = &at->entry->event;

    if (event->kind == FG_EVENT_ADMIT &&
        (order->request != event->request ||
         memcmp(order->buyer, event->buyer, FG_BUYER_BYTES) != 0)) {
        fg_found(check->findings, FG_CHECK_SHARED_ORDER,
                 PLACE_FORMAT ": order %" PRIu64 " is admitted for request %" PRIu64
                              " of buyer %s, but it is request %" PRIu64 "'s",
                 PLACE_ARGS(at), event->order, event->request, check_buyer_text(event->buyer).text,
                 order->request);
        return;
    }
    check->result->duplicate_orders += event->kind == FG_EVENT_ADMIT;
    fg_found(check->findings, FG_CHECK_EVENT_REPEATED,
             PLACE_FORMAT ": %s of order %" PRIu64 " is there a second time", PLACE_ARGS(at),
             kind_name(event->kind), event->order);
}

static void walk_entry(struct check *check, const struct place *at)
{
    const struct fg_order_event *event = &at->entry->event;
    struct order *order = &check->orders[check_order(check, event->order)];

    if (check_item(check, event->item) == FG_INDEX_NONE)
        check->result->unjudged_events++;
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
    for (unsigned i = 0; i < check->input->streams_count; i++) {
        const struct fg_sale_stream *stream = &check->input->streams[i];
        for (uint64_t number = 0; number < stream->count; number++) {
            struct place at = {.stream = stream, .entry = &stream->entries[number]};
            check_sequence(check, &at, number);
            walk_entry(check, &at);
        }
    }
}
