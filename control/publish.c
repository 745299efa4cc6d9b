/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Putting a catalogue in force. The pointer changes at once; a worker takes it up at the top of
 * its next loop and publishes which issue it then decides by. Once every worker has published the
 * new one, no decision by the old catalogue can come any more: that is what an operator is
 * told, and who does not get there in time can be named. The RCU grace period only guards the
 * free, and ends at once after that. (Revisions count changes that are in the log; an issue may
 * have the revision of the one before it.)
 */
#include <errno.h>
#include <urcu-qsbr.h>

#include "control/internal.h"
#include "control/snapshot.h"

int fg_publish(struct fg_control *control)
{
    assert(!control->retired);
    const struct fg_snapshot_shares shares = {.keys = control->keys, .listing = control->listing};
    struct fg_catalogue *snapshot =
        fg_snapshot_create(&control->model, &shares, control->serving_since_ns,
                           control->engine->config.freshness_ms * UINT64_C(1000000));
    if (!snapshot)
        return -ENOMEM;
    snapshot->issue = ++control->issues;
    /* Publishes with release: pairs with the workers' rcu_dereference(). */
    control->retired = rcu_xchg_pointer(&control->engine->catalogue, snapshot);
    return 0;
}

int fg_publish_laggard(const struct fg_control *control)
{
    const struct fg_engine *engine = control->engine;
    for (unsigned w = 0; w < engine->config.workers; w++) {
        const struct fg_worker *worker = engine->workers[w];
        /* acquire: pairs with the worker's release, so that what it decided before is seen too */
        if (worker &&
            atomic_load_explicit(&worker->state, memory_order_acquire) != FG_WORKER_ENDED &&
            atomic_load_explicit(&worker->seen_issue, memory_order_acquire) < control->issues)
            return (int)w;
    }
    return -1;
}

void fg_publish_reclaim(struct fg_control *control)
{
    if (!control->retired)
        return;
    synchronize_rcu();
    fg_snapshot_destroy(control->retired);
    control->retired = NULL;
}
