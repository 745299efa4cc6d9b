/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * After a start: the order events of the log, applied again, one by one. What is in the log is
 * never judged anew; an event that does not follow from the earlier ones is an error of the log.
 */
#include <limits.h>

#include "dataplane/admission/internal.h"

static int restore_admit(struct fg_admission *a, const struct fg_order_event *event, uint64_t hash,
                         uint32_t held_until_ms)
{
    struct fg_order *order = fg_book_insert(&a->book, hash, event->buyer, event->request);
    if (!order)
        return -ENOSPC;
    order->id = event->order;
    order->item = event->item;
    order->quantity = event->quantity;
    order->deadline_ms = held_until_ms;
    order->state = event->hold_ms ? FG_ORDER_HELD : FG_ORDER_FINAL;
    return 0;
}

/* Which states an event may follow, and which it makes. */
static int restore_change(struct fg_order *order, unsigned kind, int32_t *units)
{
    int32_t quantity = order->quantity;

    switch (kind) {
    case FG_EVENT_CONFIRM:
        if (order->state != FG_ORDER_HELD)
            return -EINVAL;
        order->state = FG_ORDER_CONFIRMED;
        return 0;
    case FG_EVENT_CANCEL:
        if (order->state > FG_ORDER_CONFIRMED)
            return -EINVAL;
        order->state = FG_ORDER_CANCELLED;
        *units = -quantity;
        return 0;
    case FG_EVENT_EXPIRE:
        if (order->state != FG_ORDER_HELD)
            return -EINVAL;
        order->state = FG_ORDER_EXPIRED;
        *units = -quantity;
        return 0;
    case FG_EVENT_REACQUIRE:
        if (order->state != FG_ORDER_EXPIRED || order->refused_late)
            return -EINVAL;
        order->state = FG_ORDER_CONFIRMED;
        *units = quantity;
        return 0;
    case FG_EVENT_REFUSE_LATE:
        if (order->state != FG_ORDER_EXPIRED || order->refused_late)
            return -EINVAL;
        order->refused_late = 1;
        return 0;
    default:
        return -EINVAL;
    }
}

void fg_admission_prefetch(const struct fg_admission *a, const uint8_t buyer[FG_BUYER_BYTES])
{
    fg_book_prefetch_insert(&a->book, fg_book_hash(&a->book, buyer));
}

void fg_admission_prefetch_order(const struct fg_admission *a, const uint8_t buyer[FG_BUYER_BYTES])
{
    fg_book_prefetch_order(&a->book, fg_book_hash(&a->book, buyer));
}

int fg_admission_restore(struct fg_admission *a, const struct fg_order_event *event,
                         uint32_t held_until_ms, int32_t *units)
{
    uint64_t hash = fg_book_hash(&a->book, event->buyer);
    struct fg_order *first = fg_book_buyer(&a->book, hash, event->buyer);
    struct fg_order *order = fg_book_find(&a->book, first, event->request);

    *units = 0;
    if (event->kind == FG_EVENT_ADMIT) {
        if (order)
            return order->item != event->item ? -EEXIST : -EINVAL;
        *units = event->quantity;
        return restore_admit(a, event, hash, held_until_ms);
    }
    if (!order || order->id != event->order || order->quantity != event->quantity)
        return -EINVAL;
    return restore_change(order, event->kind, units);
}

void fg_admission_forget_order(struct fg_admission *a, const uint8_t buyer[FG_BUYER_BYTES],
                               uint64_t request)
{
    struct fg_order *first = fg_book_buyer(&a->book, fg_book_hash(&a->book, buyer), buyer);
    struct fg_order *order = fg_book_find(&a->book, first, request);

    assert(order && order->state != FG_ORDER_HELD);
    fg_book_remove(&a->book, order);
}

struct forgetting {
    bool (*gone)(void *arg, uint32_t item);
    void *arg;
};

static bool item_is_gone(void *arg, const struct fg_order *order)
{
    const struct forgetting *forgetting = arg;

    return forgetting->gone(forgetting->arg, order->item);
}

void fg_admission_forget(struct fg_admission *a, bool (*gone)(void *arg, uint32_t item), void *arg)
{
    struct forgetting forgetting = {gone, arg};
    uint32_t line = 0;

    while (!fg_book_sweep(&a->book, &line, UINT_MAX, item_is_gone, &forgetting))
        ;
}

void fg_admission_restored(struct fg_admission *a, const struct fg_catalogue *catalogue)
{
    struct fg_stock *stock = a->config.stock;
    unsigned w = a->config.worker;

    a->archives = catalogue->archives; /* their orders were forgotten with each */
    for (uint32_t i = 0; i < a->book.touched; i++) {
        struct fg_order *order = &a->book.orders[i];
        const struct fg_item *item = fg_catalogue_item(catalogue, order->item);
        if (order->state != FG_ORDER_HELD || !item)
            continue;
        fg_stock_open_up(stock, w, item->slot);
        fg_holds_add(&a->hold_queues, item->slot, i, order->deadline_ms);
        fg_book_arm(&a->book, order, order->deadline_ms);
        a->holds++;
    }
    publish_gauges(a);
}
