/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What applying a sale file comes to: nothing, or up to two definitions to put in force one after
 * the other, with units to take off in between, or a refusal. Pure: looks at the model and changes
 * nothing.
 *
 * What takes from buyers (a lower limit, an earlier closing) is in force before it is journalled,
 * what gives (stock, a higher limit) is durable before it is in force. A file that does both is
 * done in that order: first the running definition with only what takes, then units are taken off,
 * then the whole file.
 */
#ifndef FG_CONTROL_PLAN_H
#define FG_CONTROL_PLAN_H

#include "control/config/config.h"
#include "control/sale/model.h"
#include "dataplane/admission/stock.h"

struct fg_plan_removal {
    uint32_t item;
    uint32_t place; /* of the item, in the items of `gives` */
    bool closes;    /* the item for good, before its units are taken */
    uint32_t units; /* at most so many, as far as they are unsold */
};

struct fg_plan {
    bool new_sale;
    struct fg_sale *takes; /* NULL: the file takes nothing */
    struct fg_sale *gives; /* NULL: the file gives nothing. Its stock is before the removals. */
    struct fg_plan_removal *removals;
    uint32_t removals_count;
    json_t *changes; /* array of {"item": id, "option", "old", "new", "takes"}: one for each
                      * difference, values as people read them, or null; without an item, the sale's
                      * own. "option" is "item" for an item that comes or goes */
    json_t *losses;  /* array of sentences: what stock, and what of an open sale, is taken away */
    json_t *notices; /* array of sentences: what the file says that stays as it is */
};

/* What a plan looks at. */
struct fg_plan_world {
    const struct fg_model *model;
    const struct fg_config *config;
    const struct fg_stock *stock; /* NULL: every unit is unsold */
    uint64_t now_ns;              /* wall clock */
};

/*
 * Compares `wanted` (as parsed) with the model. 0; -EPERM with a sentence when it is refused;
 * -ENOMEM. Freed by fg_plan_free in every case.
 */
int fg_plan_sale(struct fg_plan *plan, const struct fg_plan_world *world,
                 const struct fg_sale *wanted, char *message, size_t size);
void fg_plan_free(struct fg_plan *plan);

/* A copy of a live sale as it is in force: the stock of its items is their supply. NULL when memory
 * is short. Freed by fg_model_sale_free. */
struct fg_sale *fg_plan_in_force(const struct fg_model *model, const struct fg_sale *sale);

/* plan_fit.c: does all that is live fit the configured limits? 0, or -EPERM with a sentence that
 * names the number to raise. `instead` (may be NULL) stands for the live sale of its number, or is
 * added; its items' stock is their supply, as fg_plan_in_force() makes it. */
int fg_plan_fits(const struct fg_model *model, const struct fg_config *config,
                 const struct fg_sale *instead, char *message, size_t size);

/* Does a list of used names of `names_bytes` fit the log's segments, beside what is live? 0, or
 * -EPERM with a sentence. */
int fg_plan_fits_names(const struct fg_model *model, const struct fg_config *config,
                       size_t names_bytes, char *message, size_t size);

#endif
