/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The books of a fuzzed shop, kept from its durable order events alone and in the plainest way: who
 * has what, and what must hold at every prefix of the log.
 */
#ifndef FG_TESTS_FUZZ_LEDGER_H
#define FG_TESTS_FUZZ_LEDGER_H

#include "dataplane/orders/event.h"
#include "tests/fuzz/fuzz.h"

#define LEDGER_ORDERS 512
#define LEDGER_ITEMS  8

struct ledger_order {
    struct fg_order_event admit;
    bool held, gives, expired;
};

struct ledger {
    uint32_t supply;                   /* of each item, units */
    uint32_t limits[LEDGER_ITEMS + 1]; /* units of a buyer, by item; 0: none */
    uint32_t given[LEDGER_ITEMS + 1];
    unsigned count;
    struct ledger_order orders[LEDGER_ORDERS];
};

static inline struct ledger_order *ledger_find(struct ledger *ledger, uint64_t order)
{
    for (unsigned i = 0; i < ledger->count; i++)
        if (ledger->orders[i].admit.order == order)
            return &ledger->orders[i];
    return NULL;
}

static inline bool ledger_same_request(const struct fg_order_event *a, const uint8_t *buyer,
                                       uint64_t request)
{
    return a->request == request && memcmp(a->buyer, buyer, FG_BUYER_BYTES) == 0;
}

static inline const struct ledger_order *ledger_find_request(const struct ledger *ledger,
                                                             const uint8_t *buyer, uint64_t request)
{
    for (unsigned i = 0; i < ledger->count; i++)
        if (ledger_same_request(&ledger->orders[i].admit, buyer, request))
            return &ledger->orders[i];
    return NULL;
}

/* Units change hands: no oversell, and no buyer above a limit. */
static inline void ledger_give(struct ledger *ledger, const struct fg_order_event *event)
{
    uint32_t limit = ledger->limits[event->item], has = 0;

    ledger->given[event->item] += event->quantity;
    FUZZ_CHECK(ledger->given[event->item] <= ledger->supply);
    for (unsigned i = 0; i < ledger->count; i++) {
        const struct ledger_order *order = &ledger->orders[i];
        if (order->gives && order->admit.item == event->item &&
            memcmp(order->admit.buyer, event->buyer, FG_BUYER_BYTES) == 0)
            has += order->admit.quantity;
    }
    FUZZ_CHECK(limit == 0 || has + event->quantity <= limit);
}

static inline void ledger_admit(struct ledger *ledger, const struct fg_order_event *event)
{
    FUZZ_CHECK(event->quantity > 0 && !ledger_find(ledger, event->order));
    FUZZ_CHECK(!ledger_find_request(ledger, event->buyer, event->request));
    ledger_give(ledger, event);
    FUZZ_CHECK(ledger->count < LEDGER_ORDERS);
    ledger->orders[ledger->count++] =
        (struct ledger_order){.admit = *event, .gives = true, .held = event->hold_ms != 0};
}

static inline void ledger_return(struct ledger *ledger, struct ledger_order *order)
{
    FUZZ_CHECK(order->gives);
    order->gives = order->held = false;
    ledger->given[order->admit.item] -= order->admit.quantity;
}

static inline void ledger_apply(struct ledger *ledger, const struct fg_order_event *event)
{
    struct ledger_order *order = ledger_find(ledger, event->order);

    FUZZ_CHECK(event->item >= 1 && event->item <= LEDGER_ITEMS);
    if (event->kind == FG_EVENT_ADMIT)
        return ledger_admit(ledger, event);
    FUZZ_CHECK(order && ledger_same_request(&order->admit, event->buyer, event->request));
    FUZZ_CHECK(event->quantity == order->admit.quantity && event->item == order->admit.item);
    switch (event->kind) {
    case FG_EVENT_CONFIRM:
        FUZZ_CHECK(order->held);
        order->held = false;
        break;
    case FG_EVENT_EXPIRE:
        FUZZ_CHECK(order->held);
        order->expired = true;
        ledger_return(ledger, order);
        break;
    case FG_EVENT_CANCEL:
        ledger_return(ledger, order);
        break;
    case FG_EVENT_REACQUIRE:
        FUZZ_CHECK(order->expired && !order->gives);
        ledger_give(ledger, event);
        order->gives = true;
        break;
    case FG_EVENT_REFUSE_LATE:
        FUZZ_CHECK(order->expired && !order->gives);
        break;
    default:
        FUZZ_CHECK(!"an order event of an unknown kind");
    }
}

#endif
