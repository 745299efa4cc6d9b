/* SPDX-License-Identifier: BSD-3-Clause */
/* The immutable picture of the model that workers read. */
#ifndef FG_CONTROL_SNAPSHOT_H
#define FG_CONTROL_SNAPSHOT_H

#include "control/config/keys.h"
#include "control/lists/listing.h"
#include "control/sale/model.h"

/* What it shares with other snapshots (shared.h). It holds each until it is destroyed. */
struct fg_snapshot_shares {
    struct fg_key_file *keys;
    struct fg_listing *listing; /* NULL: nobody is listed */
};

/* NULL when memory is short. */
struct fg_catalogue *fg_snapshot_create(const struct fg_model *model,
                                        const struct fg_snapshot_shares *shares,
                                        uint64_t serving_since_ns, uint64_t freshness_ns);
void fg_snapshot_destroy(struct fg_catalogue *snapshot);

#endif
