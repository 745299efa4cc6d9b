/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/journal/orders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PLACES_MIN 65536

enum state { EMPTY, HELD, FINAL, CONFIRMED, CANCELLED, EXPIRED, REFUSED };

struct fg_journal_order {
    uint8_t buyer[FG_BUYER_BYTES];
    uint64_t request, id;
    uint32_t item;
    uint16_t quantity;
    uint8_t state; /* enum state */
};

/* X(kind, states that it may follow, state that it makes, units given per unit ordered, reason) */
#define OF(state) (1u << (state))
static const struct {
    unsigned kind, after;
    enum state makes;
    int units;
    const char *reason;
} changes[] = {
    {FG_EVENT_CONFIRM, OF(HELD), CONFIRMED, 0, "it confirms an order that is not held"},
    {FG_EVENT_CANCEL, OF(HELD) | OF(FINAL) | OF(CONFIRMED), CANCELLED, -1,
     "it cancels an order that is over"},
    {FG_EVENT_EXPIRE, OF(HELD), EXPIRED, -1, "it expires an order that is not held"},
    {FG_EVENT_REACQUIRE, OF(EXPIRED), CONFIRMED, 1, "it revives an order that is not expired"},
    {FG_EVENT_REFUSE_LATE, OF(EXPIRED), REFUSED, 0, "it refuses an order that is not expired"},
};
#define CHANGES (sizeof(changes) / sizeof(*changes))

const char fg_journal_never_admitted[] = "it is of an order that was never admitted";

static int reserve(struct fg_journal_orders *orders, uint64_t places)
{
    orders->places = calloc(places, sizeof(*orders->places));
    orders->mask = places - 1;
    return orders->places ? 0 : -ENOMEM;
}

int fg_journal_orders_init(struct fg_journal_orders *orders)
{
    *orders = (struct fg_journal_orders){0};
    return reserve(orders, PLACES_MIN);
}

void fg_journal_orders_fini(struct fg_journal_orders *orders)
{
    free(orders->places);
    orders->places = NULL;
}

/* Buyers choose these words, but a log that somebody made slow to check harms nobody else. */
static uint64_t hash_of(const uint8_t *buyer, uint64_t request)
{
    uint64_t words[2];

    memcpy(words, buyer, sizeof(words));
    uint64_t hash = (words[0] ^ request) * UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ words[1] ^ hash >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return hash ^ hash >> 32;
}

/* The order's place, or the empty one where it would stand. */
static struct fg_journal_order *place_of(const struct fg_journal_orders *orders,
                                         const uint8_t *buyer, uint64_t request)
{
    for (uint64_t at = hash_of(buyer, request);; at++) {
        struct fg_journal_order *order = &orders->places[at & orders->mask];
        if (order->state == EMPTY ||
            (order->request == request && memcmp(order->buyer, buyer, FG_BUYER_BYTES) == 0))
            return order;
    }
}

static int grow(struct fg_journal_orders *orders)
{
    struct fg_journal_orders old = *orders;

    if (reserve(orders, 2 * (old.mask + 1)) != 0) {
        *orders = old;
        return -ENOMEM;
    }
    for (uint64_t i = 0; i <= old.mask; i++)
        if (old.places[i].state != EMPTY)
            *place_of(orders, old.places[i].buyer, old.places[i].request) = old.places[i];
    free(old.places);
    return 0;
}

static const char *admit(struct fg_journal_orders *orders, struct fg_journal_order *order,
                         const struct fg_order_event *event)
{
    if (order->state == EMPTY)
        orders->count++;
    memcpy(order->buyer, event->buyer, sizeof(order->buyer));
    order->request = event->request;
    order->id = event->order;
    order->item = event->item;
    order->quantity = event->quantity;
    order->state = event->hold_ms ? HELD : FINAL;
    return 4 * orders->count > 3 * orders->mask && grow(orders) != 0 ? "memory is short" : NULL;
}

const char *fg_journal_orders_apply(struct fg_journal_orders *orders,
                                    const struct fg_order_event *event,
                                    bool (*live)(void *arg, uint32_t item), void *arg,
                                    int32_t *units)
{
    struct fg_journal_order *order = place_of(orders, event->buyer, event->request);
    bool known = order->state != EMPTY && live(arg, order->item);

    *units = 0;
    if (event->kind == FG_EVENT_ADMIT) {
        *units = event->quantity;
        return known ? "the buyer's request was admitted before" : admit(orders, order, event);
    }
    if (!known)
        return fg_journal_never_admitted;
    if (order->id != event->order || order->quantity != event->quantity ||
        order->item != event->item)
        return "its order, item or quantity is not what was admitted";
    for (unsigned i = 0; i < CHANGES; i++) {
        if (changes[i].kind != event->kind)
            continue;
        if (!(changes[i].after & OF(order->state)))
            return changes[i].reason;
        order->state = changes[i].makes;
        *units = changes[i].units * event->quantity;
        return NULL;
    }
    return "its kind is not known";
}
