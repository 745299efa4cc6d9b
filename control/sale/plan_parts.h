/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of a plan share. */
#ifndef FG_CONTROL_PLAN_PARTS_H
#define FG_CONTROL_PLAN_PARTS_H

#include "control/sale/plan.h"

/* The sentence. Returns -EPERM. */
__attribute__((format(printf, 3, 4))) int fg_plan_refuse(char *message, size_t size,
                                                         const char *format, ...);

/* A sale's items in the order of their ids: control does nothing else while it plans, and a search
 * of the list for each of 10,000 items takes seconds. */
struct fg_plan_index {
    struct fg_sale_item **items;
    uint32_t count;
};

/* Of items that stay where they are. 0 or -ENOMEM; freed with free(index->items). */
int fg_plan_index_init(struct fg_plan_index *index, const struct fg_sale *sale);
/* NULL if there is none. */
struct fg_sale_item *fg_plan_item(const struct fg_plan_index *index, uint32_t id);

/* plan_compare.c: writes down how a new sale, and how one that is in force as `old`, comes to be
 * `plan->gives`; sorts it into plan->takes, which is a copy of old, plan->gives and
 * plan->removals, and drops what is not needed. 0 or -ENOMEM. */
int fg_plan_describe(struct fg_plan *plan);
int fg_plan_compare(struct fg_plan *plan, const struct fg_plan_world *world,
                    const struct fg_sale *old);

#endif
