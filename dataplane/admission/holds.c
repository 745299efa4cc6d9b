/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "dataplane/admission/book.h"
#include "dataplane/admission/holds.h"
#include "dataplane/memory.h"

#define STEPS_BACK 16 /* holds looked at for a new one's place */

int fg_holds_init(struct fg_holds *holds, struct fg_stock *stock, unsigned worker, uint32_t orders)
{
    *holds = (struct fg_holds){.stock = stock, .worker = worker};
    holds->holds = fg_memory_zeroed(orders, sizeof(*holds->holds));
    holds->queues = fg_memory_zeroed(stock->slots, sizeof(*holds->queues));
    if (!holds->holds || !holds->queues) {
        fg_holds_fini(holds);
        return -ENOMEM;
    }
    for (uint32_t slot = 0; slot < stock->slots; slot++)
        holds->queues[slot].first = holds->queues[slot].last = FG_ORDER_NONE;
    return 0;
}

void fg_holds_fini(struct fg_holds *holds)
{
    free(holds->holds);
    free(holds->queues);
    *holds = (struct fg_holds){0};
}

static bool is_before(uint32_t a_ms, uint32_t b_ms)
{
    return (int32_t)(a_ms - b_ms) < 0;
}

/* Says when the next unit may come back. Nothing is held and nothing returns: nobody asks. */
static void publish(struct fg_holds *holds, uint32_t slot)
{
    const struct fg_hold_queue *queue = &holds->queues[slot];

    if (queue->returning > 0 || queue->first == FG_ORDER_NONE)
        return; /* said already: now */
    uint32_t earliest_ms = holds->holds[queue->first].deadline_ms;
    if (queue->unsorted && is_before(queue->least_ms, earliest_ms))
        earliest_ms = queue->least_ms;
    fg_stock_earliest(holds->stock, holds->worker, slot, earliest_ms);
}

/* The hold that a new one goes behind, or FG_ORDER_NONE: it is the first. */
static uint32_t place_for(struct fg_holds *holds, struct fg_hold_queue *queue, uint32_t deadline_ms)
{
    uint32_t before = queue->last;

    for (unsigned steps = 0; before != FG_ORDER_NONE; steps++) {
        if (!is_before(deadline_ms, holds->holds[before].deadline_ms))
            return before;
        if (steps == STEPS_BACK)
            break;
        before = holds->holds[before].previous;
    }
    if (before == FG_ORDER_NONE)
        return before;
    if (!queue->unsorted || is_before(deadline_ms, queue->least_ms))
        queue->least_ms = deadline_ms;
    queue->unsorted = 1;
    return queue->last;
}

void fg_holds_add(struct fg_holds *holds, uint32_t slot, uint32_t order, uint32_t deadline_ms)
{
    struct fg_hold_queue *queue = &holds->queues[slot];
    struct fg_hold *hold = &holds->holds[order];

    hold->deadline_ms = deadline_ms;
    hold->previous = place_for(holds, queue, deadline_ms);
    uint32_t *link =
        hold->previous == FG_ORDER_NONE ? &queue->first : &holds->holds[hold->previous].next;
    hold->next = *link;
    *link = order;
    *(hold->next == FG_ORDER_NONE ? &queue->last : &holds->holds[hold->next].previous) = order;
    fg_stock_hold(holds->stock, holds->worker, slot, deadline_ms);
    publish(holds, slot);
}

static void take_out(struct fg_holds *holds, struct fg_hold_queue *queue, uint32_t order)
{
    const struct fg_hold *hold = &holds->holds[order];

    *(hold->previous == FG_ORDER_NONE ? &queue->first : &holds->holds[hold->previous].next) =
        hold->next;
    *(hold->next == FG_ORDER_NONE ? &queue->last : &holds->holds[hold->next].previous) =
        hold->previous;
    if (queue->first == FG_ORDER_NONE)
        queue->unsorted = 0;
}

void fg_holds_confirmed(struct fg_holds *holds, uint32_t slot, uint32_t order, uint32_t now_ms)
{
    struct fg_hold_queue *queue = &holds->queues[slot];

    take_out(holds, queue, order);
    if (queue->first == FG_ORDER_NONE) /* the flush decides what the next one is told */
        fg_stock_earliest(holds->stock, holds->worker, slot, now_ms);
    publish(holds, slot);
}

void fg_holds_returning(struct fg_holds *holds, uint32_t slot, uint32_t order, uint32_t now_ms)
{
    struct fg_hold_queue *queue = &holds->queues[slot];

    take_out(holds, queue, order);
    queue->returning++;
    fg_stock_earliest(holds->stock, holds->worker, slot, now_ms);
}

void fg_holds_returned(struct fg_holds *holds, uint32_t slot)
{
    holds->queues[slot].returning--;
    publish(holds, slot);
}
