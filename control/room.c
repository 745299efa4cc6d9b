/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Room in the log for what operators do. Whoever writes the last of it stops the engine, and none
 * starts again on a log without room; so what is left when it runs short is kept, as for orders:
 * first for what settles them, then for what ends sales and thereby frees the log.
 */
#include <stdio.h>

#include "control/internal.h"

/* Of the budget is kept: from definitions of sales, what settling orders has; from all else that is
 * not to stop selling, half of what not even settling orders gets. */
#define KEPT_FROM_DEFINITIONS FG_SETTLE_SHARE
#define KEPT_FROM_OTHERS      64

int fg_room_check(const struct fg_control *control, uint64_t definition_bytes, char *message,
                  size_t size)
{
    const struct fg_config *config = &control->engine->config;
    const struct fg_journal_stats *stats = fg_journal_stats(control->engine->journal);
    uint64_t room = atomic_load_explicit(&stats->room_bytes, memory_order_relaxed);
    uint64_t available = config->log_budget;
    /* The disk gives no more segments: then the last one is what an eighth of the budget was. */
    if (atomic_load_explicit(&stats->stuck, memory_order_relaxed) != 0 &&
        config->log_segment < available / FG_SETTLE_SHARE)
        available = config->log_segment * FG_SETTLE_SHARE;
    uint64_t kept = available / (definition_bytes ? KEPT_FROM_DEFINITIONS : KEPT_FROM_OTHERS);
    /* Twice: a record that does not fit the rest of a segment begins the next one. */
    if (room >= kept + 2 * definition_bytes)
        return 0;
    snprintf(message, size,
             "the log has %llu MiB left of %llu, which are kept for %s; nothing was changed: "
             "archive sales that are over, raise log.budget or free the disk",
             (unsigned long long)room >> 20, (unsigned long long)config->log_budget >> 20,
             definition_bytes ? "orders under way" : "closing and archiving sales");
    return -1;
}
