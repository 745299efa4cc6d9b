/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Archiving a sale. It takes: the sale leaves the catalogue first, and is on record after it. Until
 * it is, a crash could bring the sale back: the catalogue says that it is leaving, and workers
 * answer BUSY where they would tell that an item or an order is none. Then the catalogue is
 * published anew.
 *
 * Between the two nothing of the sale may be on its way any more. Its last order events must reach
 * the log before the record, for nobody numbers them after it; and the slots of its stock can only
 * be given to other items when no worker will touch them again. So control waits until every worker
 * is done with all that it had queued when it took up the catalogue without the sale.
 *
 * The record is two events: NAMES_USED with all that may never be used again, and the state. A
 * crash between them does no harm, as the sale is then live and its name is known as used, too.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/internal.h"
#include "control/sale/plan.h"

static uint32_t held_orders(const struct fg_control *control, const struct fg_sale *sale)
{
    uint32_t held = 0;
    for (uint32_t i = 0; i < sale->items_count; i++)
        held += fg_stock_held(&control->engine->stock,
                              fg_model_item(&control->model, sale->items[i].id)->item.slot);
    return held;
}

int fg_archive_check(const struct fg_control *control, const struct fg_sale *sale, char *message,
                     size_t size)
{
    if (sale->state != FG_SALE_CLOSED) {
        snprintf(message, size, "sale %s is %s; close it first: flashgatectl sale close %s",
                 sale->name, fg_sale_state_name(sale->state), sale->name);
        return -EPERM;
    }
    /* No new hold can come: every worker has seen that the sale is closed. */
    uint32_t held = held_orders(control, sale);
    if (held > 0) {
        snprintf(message, size,
                 "%" PRIu32 " orders of sale %s are still held; archive it when they are confirmed "
                 "or have run out",
                 held, sale->name);
        return -EPERM;
    }
    return 0;
}

static uint32_t *slots_of(const struct fg_control *control, const struct fg_sale *sale)
{
    uint32_t *slots = malloc((sale->items_count + UINT64_C(1)) * sizeof(*slots));
    for (uint32_t i = 0; slots && i < sale->items_count; i++)
        slots[i] = fg_model_item(&control->model, sale->items[i].id)->item.slot;
    return slots;
}

int fg_archive_prepare(const struct fg_control *control, const struct fg_sale *sale,
                       struct fg_archive *archive, char *message, size_t size)
{
    json_t *names = fg_model_names_json(&control->model, sale);
    *archive = (struct fg_archive){
        .names = names ? json_dumps(names, JSON_COMPACT) : NULL,
        .slots = slots_of(control, sale),
        .slots_count = sale->items_count,
    };
    json_decref(names);
    int rc = 0;
    if (!archive->names || !archive->slots) {
        snprintf(message, size, "memory is short; nothing was changed");
        rc = -ENOMEM;
    } else {
        /* Each segment begins with the list, too. */
        size_t length = strlen(archive->names);
        rc = length > FG_CONTROL_BODY_MAX
                 ? -E2BIG
                 : fg_plan_fits_names(&control->model, &control->engine->config, length, message,
                                      size);
        if (rc == -E2BIG)
            snprintf(message, size,
                     "all names and item ids ever used would take %zu bytes, more than the %d that "
                     "one log can remember; start an engine with a new log",
                     length, FG_CONTROL_BODY_MAX);
    }
    if (rc != 0)
        fg_archive_free(archive);
    return rc;
}

void fg_archive_free(struct fg_archive *archive)
{
    free(archive->names);
    free(archive->slots);
    *archive = (struct fg_archive){0};
}

static const struct fg_admission_gauges *gauges_of(const struct fg_control *control, unsigned w)
{
    const struct fg_worker *worker = control->engine->workers[w];
    return worker && worker->admission ? fg_admission_gauges(worker->admission) : NULL;
}

void fg_archive_unlinked(struct fg_control *control)
{
    struct fg_archive *archive = &control->change.archive;
    for (unsigned w = 0; w < control->engine->config.workers; w++) {
        const struct fg_admission_gauges *gauges = gauges_of(control, w);
        /* The worker wrote it before it published that it has seen the revision. */
        archive->queued[w] =
            gauges ? atomic_load_explicit(&gauges->queued, memory_order_relaxed) : 0;
    }
}

bool fg_archive_settled(struct fg_control *control)
{
    const struct fg_archive *archive = &control->change.archive;
    for (unsigned w = 0; w < control->engine->config.workers; w++) {
        const struct fg_admission_gauges *gauges = gauges_of(control, w);
        /* acquire: pairs with the release in publish_gauges(); its stock lines are at rest */
        if (gauges &&
            atomic_load_explicit(&gauges->settled, memory_order_acquire) < archive->queued[w])
            return false;
    }
    for (uint32_t i = 0; i < archive->slots_count; i++)
        fg_stock_clear(&control->engine->stock, archive->slots[i]);
    return true;
}
