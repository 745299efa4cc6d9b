/* SPDX-License-Identifier: BSD-3-Clause */
/* What both ways into a sale share: sale.c from YAML, sale_json.c from the log. */
#ifndef FG_CONTROL_SALE_PARTS_H
#define FG_CONTROL_SALE_PARTS_H

#include "control/sale/sale.h"

#define FG_SALE_IDS_PLACES 32768
static_assert(FG_SALE_IDS_PLACES >= 2 * FG_ITEMS_PER_SALE_MAX, "probing ends at an empty place");

/* Item ids: an open-addressing set, at most half full. Empty when zeroed. */
struct fg_sale_ids {
    uint32_t places[FG_SALE_IDS_PLACES]; /* 0: empty; no item has id 0 */
};

/* Rules between fields: NULL, or the name of a field with *wrong the sentence. `ids` has those of
 * the sale's items before this one, and takes its. */
const char *fg_sale_item_fault(const struct fg_sale_item *item, struct fg_sale_ids *ids,
                               const char **wrong);
const char *fg_sale_fault(const struct fg_sale *sale, const char **wrong);

/* By enum fg_late_confirm; ends with NULL. */
extern const char *const fg_sale_late_names[];

#endif
