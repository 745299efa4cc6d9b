/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the model share.
 *
 *   model.c         sales and items, live, and what changes them
 *   model_names.c   names and ids that were ever used
 *   model_replay.c  the control events of a log
 */
#ifndef FG_CONTROL_MODEL_PARTS_H
#define FG_CONTROL_MODEL_PARTS_H

#include "control/sale/model.h"

/* model_names.c */
/* Where the id is, or would be: places[].id tells. Until the next id is added. */
struct fg_model_id *fg_model_id_place(const struct fg_model_ids *ids, uint32_t id);
/* Of an id known to be gone, the slot is set anew. 0 or -ENOMEM. */
int fg_model_id_add(struct fg_model_ids *ids, uint32_t id, uint32_t slot);
/* Of a name known already, the number is set anew. 0: it is not known. 0 or -ENOMEM. */
int fg_model_name_add(struct fg_model *model, const char *name, uint32_t number);

/* model.c: the line that workers read shows what states its sale and itself have. */
void fg_model_show_state(struct fg_model_item *entry, const struct fg_sale *sale);

#endif
