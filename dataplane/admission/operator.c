/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What control asks of a worker on behalf of customer service: an order, a buyer's orders, an
 * order's end; and who asks too often. A bounded piece of work each; nothing here waits.
 */
#include <errno.h>

#include "dataplane/admission/decide.h"

#define LOOKED_AT_MAX 256 /* orders of a buyer gone over for one list */

static struct fg_order_view view_of(const struct fg_admission *a, const struct fg_now *now,
                                    const struct fg_order *order)
{
    return (struct fg_order_view){
        .order = order->id,
        .request = order->request,
        .ticket = order->ticket,
        .item = order->item,
        .quantity = order->quantity,
        .verdict = order_verdict(order->state),
        .held = order->state == FG_ORDER_HELD,
        .durable = order->ticket <= a->settled,
        .left_ms = order->state == FG_ORDER_HELD ? left_ms(order, now) : 0,
    };
}

static struct fg_order *first_of(const struct fg_admission *a, const uint8_t *buyer)
{
    return fg_book_buyer(&a->book, fg_book_hash(&a->book, buyer), buyer);
}

int fg_admission_order(const struct fg_admission *a, const struct fg_now *now,
                       const uint8_t buyer[FG_BUYER_BYTES], uint64_t request,
                       struct fg_order_view *view)
{
    const struct fg_order *order = fg_book_find(&a->book, first_of(a, buyer), request);

    if (!order)
        return -ENOENT;
    *view = view_of(a, now, order);
    return 0;
}

/* Where a page begins. False: there is no such request. */
static bool begin_page(const struct fg_admission *a, const uint8_t *buyer,
                       const struct fg_order_page *page, const struct fg_order **order)
{
    struct fg_order *first = first_of(a, buyer);
    const struct fg_order *last = page->goes_on ? fg_book_find(&a->book, first, page->after) : NULL;

    *order = last ? fg_book_next(&a->book, last) : first;
    return last || !page->goes_on;
}

int fg_admission_orders(const struct fg_admission *a, const struct fg_now *now,
                        const struct fg_catalogue *catalogue, const uint8_t buyer[FG_BUYER_BYTES],
                        struct fg_order_page *page, struct fg_order_view *views, unsigned max)
{
    const struct fg_order *order;
    unsigned count = 0, looked_at = 0;

    if (!begin_page(a, buyer, page, &order))
        return -ENOENT;
    for (; order && looked_at < LOOKED_AT_MAX; order = fg_book_next(&a->book, order)) {
        const struct fg_item *item = fg_catalogue_item(catalogue, order->item);
        bool listed =
            order->state != FG_ORDER_VOID && item && (page->sale == 0 || item->sale == page->sale);
        if (listed && count == max)
            break;
        if (listed)
            views[count++] = view_of(a, now, order);
        page->after = order->request;
        looked_at++;
    }
    page->more = order != NULL;
    return (int)count;
}

int fg_admission_cancel(struct fg_admission *a, const struct fg_now *now,
                        const struct fg_catalogue *catalogue, const uint8_t buyer[FG_BUYER_BYTES],
                        uint64_t request, struct fg_order_view *view)
{
    struct fg_order *order = fg_book_find(&a->book, first_of(a, buyer), request);
    const struct fg_item *item = order ? fg_catalogue_item(catalogue, order->item) : NULL;
    int rc = 0;

    if (!item || order->state == FG_ORDER_VOID) /* none, or of an archived sale */
        return -ENOENT;
    if (order->state == FG_ORDER_CANCELLED)
        rc = -EALREADY;
    else if (order->state == FG_ORDER_EXPIRED)
        rc = -ESTALE;
    else if (!records_room(a, true))
        rc = -EBUSY;
    else
        order_withdraw(a, now, item, order);
    *view = view_of(a, now, order);
    return rc;
}

void fg_admission_suspects(const struct fg_admission *a, const struct fg_now *now,
                           struct fg_suspects_view *view)
{
    view->now_ms = now->ms;
    view->keys_count = fg_suspects_list(&a->suspect_keys, view->keys);
    view->buyers_count = fg_suspects_list(&a->suspect_buyers, view->buyers);
    for (uint32_t i = 0; i < view->buyers_count; i++) {
        struct fg_suspect *suspect = &view->buyers[i];
        uint64_t hash = fg_book_hash(&a->book, suspect->buyer);
        suspect->penalty_ms = fg_rates_penalty(&a->rates, suspect->sale, hash);
    }
}
