/* SPDX-License-Identifier: BSD-3-Clause */
/* The immutable picture of the model that workers read. */
#ifndef FG_CONTROL_SNAPSHOT_H
#define FG_CONTROL_SNAPSHOT_H

#include "control/config/keys.h"
#include "control/sale/model.h"

/* NULL when memory is short. The keys are shared, not copied: they must outlive it. */
struct fg_catalogue *fg_snapshot_create(const struct fg_model *model,
                                        const struct fg_key_file *keys, uint64_t serving_since_ns,
                                        uint64_t freshness_ns);
void fg_snapshot_destroy(struct fg_catalogue *snapshot);

#endif
