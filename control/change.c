/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One change of the catalogue, from the operator's word to its being in force.
 *
 *   what gives:  to journal -> to flush -> to publish -> to see -> done
 *   what takes:  to publish -> to see (-> to settle) -> to journal -> to flush -> done
 *
 * A crash between the steps then never leaves buyers with more than the log knows of, nor the log
 * with a limit that buyers were not yet held to. There is one change at a time. It is carried on
 * by whoever waits for it and, should that one's patience end, by the loop: it is never left half
 * done, and no other begins before it. change_begin.c has what there is to change.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/internal.h"
#include "dataplane/faults.h"
#include "flashgate/control_api.h"
#include "flashgate/exit_status.h"

void fg_change_clear(struct fg_control *control)
{
    fg_archive_free(&control->change.archive);
    free(control->change.body);
    fg_model_sale_free(control->change.sale);
    control->change = (struct fg_change){0};
}

/* Units that the supply has more than were ever put on sale. Before the catalogue shows them: an
 * item that is on sale with an empty pool would be refused as sold out. */
static void fill_item(struct fg_control *control, struct fg_model_item *item)
{
    uint32_t supply = fg_model_supply(item);
    if (supply <= item->pooled)
        return;
    /* [restock.1] */
    fg_stock_put_back(&control->engine->stock, item->item.slot, supply - item->pooled);
    item->pooled = supply;
}

/* The item of a change of stock; NULL: it is none. */
static struct fg_model_item *stock_item(struct fg_control *control)
{
    const struct fg_control_event *event = &control->change.event;
    bool stock = event->kind == FG_EVENT_STOCK_ADD || event->kind == FG_EVENT_STOCK_REMOVE;
    return stock ? fg_model_item(&control->model, (uint32_t)event->value2) : NULL;
}

static void fill_stock(struct fg_control *control)
{
    const struct fg_change *change = &control->change;
    struct fg_model_item *item = stock_item(control);
    if (item && change->event.kind == FG_EVENT_STOCK_REMOVE)
        item->pooled -= (uint32_t)change->event.value;
    else if (item)
        fill_item(control, item);
    for (uint32_t i = 0; change->sale && i < change->sale->items_count; i++)
        fill_item(control, fg_model_item(&control->model, change->sale->items[i].id));
}

static int put_in_force(struct fg_control *control)
{
    const struct fg_change *change = &control->change;
    const struct fg_record record = {.control = &change->event};
    if (change->reissues)
        return fg_publish(control);
    int rc = change->sale ? fg_model_put_sale(&control->model, change->sale)
                          : fg_model_replay(&control->model, &record);
    assert(rc == 0 || rc == -ENOMEM); /* anything else was checked before it was journalled */
    if (rc != 0)
        return rc;
    control->model.revision = change->event.revision;
    control->model.leaving = change->archives;
    fill_stock(control);
    return fg_publish(control);
}

/* Names before the state, of an archived sale. False: the queue is full. */
static bool submit(struct fg_control *control)
{
    struct fg_change *change = &control->change;
    if (change->archive.names) {
        struct fg_control_event names = change->event;
        names.kind = FG_EVENT_NAMES_USED;
        names.sale = 0;
        names.value = 0;
        names.body_length = strlen(change->archive.names);
        if (fg_events_submit(control->events, control->engine->journal, &names,
                             change->archive.names, NULL) == 0)
            return false;
        control->model.names_bytes = names.body_length;
        free(change->archive.names);
        change->archive.names = NULL;
    }
    change->ticket = fg_events_submit(control->events, control->engine->journal, &change->event,
                                      change->body, change->sale);
    return change->ticket != 0;
}

/* Time opened the sale while its pause was on the way: a worker may have sold. That is on record,
 * too, or the opening could be moved as if it had never been. */
static void note_opening(struct fg_control *control)
{
    struct fg_control_event *event = &control->change.event;
    const struct fg_sale *sale = fg_model_sale_number(&control->model, event->sale);
    if (event->kind != FG_EVENT_SALE_STATE || event->value2 != 0 || !sale || sale->opens_ns == 0 ||
        sale->opens_ns > fg_control_clock_ns(control))
        return;
    event->value2 = sale->opens_ns;
    (void)fg_model_set_state(&control->model, sale->number, (enum fg_sale_state)event->value,
                             event->value2); /* the state is in force: nothing that can fail */
}

/* Every worker has seen it. */
static void seen(struct fg_control *control)
{
    struct fg_change *change = &control->change;
    fg_publish_reclaim(control);
    if (change->archives) {
        fg_archive_unlinked(control);
        change->stage = FG_CHANGE_TO_SETTLE;
    } else if (change->takes) {
        note_opening(control);
        FG_CRASH_POINT(CHANGE_PUBLISHED);
        change->stage = FG_CHANGE_TO_JOURNAL;
    } else {
        fg_change_clear(control);
    }
}

static void flushed(struct fg_control *control)
{
    if (control->change.archives) { /* now its orders may be told to be none */
        control->model.leaving = control->change.archives = control->change.takes = false;
        control->change.reissues = true;
        control->change.stage = FG_CHANGE_TO_PUBLISH;
        return;
    }
    if (control->change.takes) {
        const struct fg_model_item *item = stock_item(control);
        if (item)
            /* [removed.1] its units are gone for good: a refusal may say so now */
            fg_stock_open_down(&control->engine->stock, control->engine->stock.workers,
                               item->item.slot);
        fg_change_clear(control);
        return;
    }
    FG_CRASH_POINT(CHANGE_DURABLE);
    control->change.stage = FG_CHANGE_TO_PUBLISH;
}

/* One stage. 1: it is done; 0: it has to wait; negative: the change or the engine ends. */
static int step_stage(struct fg_control *control)
{
    struct fg_change *change = &control->change;
    switch (change->stage) {
    case FG_CHANGE_NONE:
        return 0;
    case FG_CHANGE_TO_JOURNAL:
        if (!submit(control))
            return change->takes ? 0 : -EAGAIN; /* [stage.1] */
        change->stage = FG_CHANGE_TO_FLUSH;
        return 1;
    case FG_CHANGE_TO_FLUSH:
        if (fg_journal_submitted_durable(control->engine->journal) < change->ticket)
            return 0; /* [stage.2] */
        flushed(control);
        return 1;
    case FG_CHANGE_TO_PUBLISH:
        if (put_in_force(control) != 0)
            return -ENOMEM; /* [stage.3] */
        change->stage = FG_CHANGE_TO_SEE;
        return 1;
    case FG_CHANGE_TO_SEE:
        if (fg_publish_laggard(control) >= 0)
            return 0;
        seen(control);
        return 1;
    case FG_CHANGE_TO_SETTLE:
        if (!fg_archive_settled(control))
            return 0;
        FG_CRASH_POINT(CHANGE_PUBLISHED);
        change->stage = FG_CHANGE_TO_JOURNAL;
        return 1;
    }
    return 0;
}

int fg_change_step(struct fg_control *control)
{
    int rc;
    do {
        rc = step_stage(control);
    } while (rc > 0);
    if (rc == -EAGAIN)
        fg_change_clear(control);
    else if (rc == -ENOMEM)
        fg_control_fail(control, FG_EXIT_MEMORY,
                        "memory is short: revision %" PRIu64 " could not be put in force; what is "
                        "in the log of it holds from the next start",
                        control->change.event.revision);
    return rc == -EAGAIN ? rc : 0;
}

/* Why a change is not done in its time. */
static int tell_wait(const struct fg_control *control, char *message, size_t size)
{
    int laggard = fg_publish_laggard(control);
    if (control->change.stage == FG_CHANGE_TO_SEE && laggard >= 0)
        snprintf(message, size,
                 "revision %" PRIu64 " is published, but worker %d has not taken it up within %u "
                 "ms; it goes on in the background, see status",
                 control->model.revision, laggard, control->limits.seen);
    else
        snprintf(message, size,
                 "the log has not made revision %" PRIu64 " durable within %u ms; it goes on in "
                 "the background, see status",
                 control->change.event.revision, control->limits.durable);
    return FG_RPC_TIME_LIMIT;
}

int fg_change_finish(struct fg_control *control, char *message, size_t size)
{
    enum fg_change_stage stage = FG_CHANGE_NONE;
    uint64_t stage_ms = 0;
    for (;;) {
        if (fg_change_step(control) != 0) {
            snprintf(message, size, "the log's queue is full; nothing was changed, try again");
            return FG_RPC_REFUSED;
        }
        if (control->change.stage == FG_CHANGE_NONE)
            return 0;
        uint64_t now = fg_control_now_ms();
        if (control->change.stage != stage) {
            stage = control->change.stage;
            stage_ms = now;
        }
        uint64_t limit = stage == FG_CHANGE_TO_SEE ? control->limits.seen : control->limits.durable;
        if (now - stage_ms > limit)
            return tell_wait(control, message, size);
        if (!fg_control_wait(control)) {
            snprintf(message, size, "the engine is stopping: %.400s", control->reason);
            return FG_RPC_STOPPING;
        }
    }
}
