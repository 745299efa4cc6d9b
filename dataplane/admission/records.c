/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of this worker on their way to the log. An order's state changes when its record is
 * queued; what the record means for the stock is done when it is durable, in the lane's order.
 */
#include "dataplane/admission/internal.h"
#include "dataplane/faults.h"

/* Bounds one loop; a frame holds more, the next loops do the rest. */
#define SETTLED_PER_LOOP 1024

void records_queue(struct fg_admission *a, enum fg_event_kind kind, struct fg_order *order,
                   const struct fg_item *item, const struct fg_now *now, enum settlement settlement)
{
    struct fg_order_event event = {
        .kind = kind,
        .quantity = order->quantity,
        .item = order->item,
        .sale = item->sale,
        .hold_ms = kind == FG_EVENT_ADMIT ? item->hold_ms : 0,
        .order = order->id,
        .request = order->request,
        .at_ns = now->wall_ns,
    };
    memcpy(event.buyer, order->buyer, sizeof(event.buyer));
    order->ticket = fg_lane_push(a->lane, &event);
    FG_CRASH_POINT(RECORD_QUEUED);
    order->copies = 0;
    a->pending[order->ticket & a->pending_mask] = (struct pending){
        .slot = item->slot,
        .quantity = order->quantity,
        .settlement = (uint16_t)settlement,
    };
    if (FG_PLANTED(RETURN_BEFORE_DURABLE) && settlement >= SETTLE_RETURN)
        fg_stock_put_back(a->config.stock, item->slot, order->quantity);
    if (FG_PLANTED(OPEN_LOWERED_EARLY) && settlement == SETTLE_GIVEN)
        fg_stock_open_down(a->config.stock, a->config.worker, item->slot);
}

void records_settle(struct fg_admission *a)
{
    struct fg_stock *stock = a->config.stock;
    unsigned w = a->config.worker;
    uint64_t durable = fg_lane_durable(a->lane); /* [settle.1] */

    for (unsigned n = 0; n < SETTLED_PER_LOOP && a->settled < durable; n++) {
        const struct pending *record = &a->pending[++a->settled & a->pending_mask];
        switch ((enum settlement)record->settlement) {
        case SETTLE_NOTHING:
            break;
        case SETTLE_RELEASE:
        case SETTLE_RETURN:
            if (!FG_PLANTED(RETURN_BEFORE_DURABLE))
                fg_stock_put_back(stock, record->slot, record->quantity); /* [settle.2] */
            if (FG_PLANTED(RELEASE_TWICE) && record->settlement == SETTLE_RELEASE)
                fg_stock_put_back(stock, record->slot, record->quantity);
            if (record->settlement == SETTLE_RELEASE) {
                fg_stock_unhold(stock, w, record->slot);
                fg_holds_returned(&a->hold_queues, record->slot);
            }
            fg_stock_open_down(stock, w, record->slot); /* [settle.3] */
            break;
        case SETTLE_UNHOLD:
            fg_stock_unhold(stock, w, record->slot);
            fg_stock_open_down(stock, w, record->slot); /* [settle.4] */
            break;
        case SETTLE_GIVEN:
            if (!FG_PLANTED(OPEN_LOWERED_EARLY))
                fg_stock_open_down(stock, w, record->slot); /* [settle.5] */
            break;
        }
    }
}
