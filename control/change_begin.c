/* SPDX-License-Identifier: BSD-3-Clause */
/* The changes there are, each made whole before the first step is taken; change.c carries them on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/aside.h"
#include "control/internal.h"
#include "dataplane/faults.h"

static struct fg_control_event event_of(const struct fg_control *control,
                                        const struct fg_peer *peer, enum fg_event_kind kind,
                                        uint32_t sale)
{
    return (struct fg_control_event){
        .kind = kind,
        .revision = control->model.revision + 1,
        .uid = peer ? peer->uid : UINT32_MAX,
        .gid = peer ? peer->gid : UINT32_MAX,
        .pid = peer ? peer->pid : UINT32_MAX,
        .sale = sale,
        .at_ns = fg_control_clock_ns(control),
    };
}

static void begin(struct fg_control *control, const struct fg_change *change)
{
    assert(control->change.stage == FG_CHANGE_NONE);
    control->change = *change;
    control->change.stage = change->takes ? FG_CHANGE_TO_PUBLISH : FG_CHANGE_TO_JOURNAL;
}

/* The record as the next start will read it. A record that it could not read must never be written,
 * whatever made it so: the engine would not start again. */
static int check_body(const char *body)
{
    struct fg_sale again;
    if (strlen(body) > FG_CONTROL_BODY_MAX)
        return -E2BIG;
    json_t *json = json_loads(body, 0, NULL);
    int rc = json && fg_sale_from_json(&again, json) == 0 ? 0 : -EINVAL;
    if (rc == 0)
        fg_sale_free(&again);
    json_decref(json);
    return rc;
}

/* Its record tells alone what is in force, the opening included that a file knows nothing of. */
static struct fg_sale *sale_as_recorded(const struct fg_control *control,
                                        const struct fg_sale *sale)
{
    const struct fg_sale *old = fg_model_sale_number(&control->model, sale->number);
    struct fg_sale *copy = fg_model_sale_copy(sale);
    if (copy && old && old->opened) {
        copy->opened = true;
        copy->opens_ns = old->opens_ns;
    }
    return copy;
}

struct recording {
    const struct fg_sale *sale;
    char *body;
    int rc;
};

static void write_body(void *arg)
{
    struct recording *r = arg;
    json_t *json = fg_sale_to_json(r->sale);
    r->body = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    r->rc = r->body ? check_body(r->body) : -ENOMEM;
}

int fg_change_begin_sale(struct fg_control *control, const struct fg_peer *peer,
                         const struct fg_sale *sale, bool takes)
{
    struct fg_change change = {
        .takes = takes,
        .event = event_of(control, peer, FG_EVENT_SALE, sale->number),
        .sale = sale_as_recorded(control, sale),
    };
    struct recording r = {.sale = change.sale, .rc = -ENOMEM};
    if (r.sale)
        fg_control_aside(control, sale->items_count > FG_ASIDE_ITEMS, write_body, &r);
    if (r.rc != 0) {
        free(r.body);
        fg_model_sale_free(change.sale);
        return r.rc;
    }
    change.body = r.body;
    change.event.body_length = strlen(change.body);
    begin(control, &change);
    return 0;
}

/* When the sale opened, if it has or now does; 0: it has not. */
static uint64_t opening_of(const struct fg_sale *sale, enum fg_sale_state state, uint64_t at_ns)
{
    if (!sale->opened && state != FG_SALE_OPEN)
        return 0;
    return sale->opens_ns != 0 && (sale->opened || sale->opens_ns < at_ns) ? sale->opens_ns : at_ns;
}

void fg_change_begin_state(struct fg_control *control, const struct fg_peer *peer, uint32_t number,
                           enum fg_sale_state state)
{
    const struct fg_sale *sale = fg_model_sale_number(&control->model, number);
    struct fg_change change = {
        .takes = state == FG_SALE_PAUSED || state == FG_SALE_CLOSED,
        .event = event_of(control, peer, FG_EVENT_SALE_STATE, number),
    };
    change.event.value = state;
    change.event.value2 = opening_of(sale, state, change.event.at_ns);
    begin(control, &change);
}

void fg_change_begin_item(struct fg_control *control, const struct fg_peer *peer,
                          const struct fg_model_item *item, enum fg_item_state state)
{
    struct fg_change change = {
        .takes = state != FG_ITEM_RUNNING,
        .event = event_of(control, peer, FG_EVENT_ITEM_STATE, item->item.sale),
    };
    change.event.value = state;
    change.event.value2 = item->item.id;
    begin(control, &change);
}

void fg_change_begin_mode(struct fg_control *control, const struct fg_peer *peer,
                          enum fg_engine_mode mode)
{
    struct fg_change change = {
        .takes = mode != FG_ENGINE_RUNNING,
        .event = event_of(control, peer, FG_EVENT_ENGINE_STATE, 0),
    };
    change.event.value = mode;
    begin(control, &change);
}

void fg_change_begin_add(struct fg_control *control, const struct fg_peer *peer,
                         const struct fg_model_item *item, uint32_t units)
{
    struct fg_change change = {
        .event = event_of(control, peer, FG_EVENT_STOCK_ADD, item->item.sale),
    };
    change.event.value = units;
    change.event.value2 = item->item.id;
    begin(control, &change);
}

uint32_t fg_change_begin_remove(struct fg_control *control, const struct fg_peer *peer,
                                const struct fg_model_item *item, uint32_t units)
{
    struct fg_stock *stock = &control->engine->stock;
    uint32_t taken = fg_stock_remove(stock, item->item.slot, units);
    if (FG_PLANTED(REMOVE_SOLD))
        taken = units < fg_model_supply(item) ? units : fg_model_supply(item);
    if (taken == 0) { /* nothing that a refusal would have to wait for */
        fg_stock_open_down(stock, stock->workers, item->item.slot);
        return 0;
    }
    struct fg_change change = {
        .takes = true,
        .event = event_of(control, peer, FG_EVENT_STOCK_REMOVE, item->item.sale),
    };
    change.event.value = taken;
    change.event.value2 = item->item.id;
    begin(control, &change);
    return taken;
}

void fg_change_begin_reissue(struct fg_control *control)
{
    struct fg_change change = {.reissues = true};
    change.event.revision = control->model.revision;
    begin(control, &change);
    control->change.stage = FG_CHANGE_TO_PUBLISH;
}

void fg_change_begin_archive(struct fg_control *control, const struct fg_peer *peer,
                             uint32_t number, struct fg_archive *archive)
{
    struct fg_change change = {
        .takes = true,
        .event = event_of(control, peer, FG_EVENT_SALE_STATE, number),
        .archives = true,
        .archive = *archive,
    };
    change.event.value = FG_SALE_ARCHIVED;
    *archive = (struct fg_archive){0};
    begin(control, &change);
}
