/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sales as control knows them: what the log says of them, applied event by event. Workers never
 * see the model, only the immutable snapshots made from it (snapshot.h).
 *
 * An item keeps its place in `items` while its sale is live; that place is the slot of its stock.
 * The places of an archived sale's items are given to other items. Names, item ids and sale numbers
 * are never used twice in one log, so all that ever were are remembered.
 *
 * Supply. A sale's definition tells each item's total supply ever; STOCK_ADD and STOCK_REMOVE
 * change it by a difference, and the next definition tells the total anew. The model keeps the
 * total in both places, so model->sales[i]->items[j].stock is always the supply in force: a file
 * with `stock: X` is compared with it, and a definition made from a copy of the running sale
 * changes no supply that it does not mean to. A definition may raise the supply (fg_change puts the
 * difference on sale). It must never lower it: units are only taken by fg_change_begin_remove(),
 * which knows how many were unsold; what it took is in the model when it is done.
 *
 * What a definition does not tell, it leaves as it is: an item's own state (ITEM_STATE), and that a
 * sale has opened, which is a record.
 * One thread: control.
 */
#ifndef FG_CONTROL_MODEL_H
#define FG_CONTROL_MODEL_H

#include <jansson.h>

#include "control/sale/sale.h"
#include "dataplane/orders/event.h"

struct fg_model_item {
    struct fg_item item; /* as the next snapshot shows it; item.slot is its place here */
    char name[FG_ITEM_NAME_MAX + 1];
    uint32_t place;           /* in its sale's items */
    uint8_t state;            /* enum fg_item_state */
    uint32_t stock;           /* of the sale's latest definition */
    uint64_t added, removed;  /* units since that definition */
    uint64_t supply_revision; /* of the last event counted in `added` or `removed` */
    int64_t given;            /* recovery: units that orders of the log hold or have */
    uint32_t pooled;          /* units ever put on sale by this process, orders' units included */
};

/* Item id -> slot. Open addressing, at most half full; id 0 marks an empty place. */
struct fg_model_ids {
    struct fg_model_id {
        uint32_t id;
        uint32_t slot; /* FG_SLOT_GONE: used once, not on sale any more */
    } * places;
    uint32_t mask, count;
};
#define FG_SLOT_GONE UINT32_MAX

struct fg_model {
    uint64_t revision;                        /* of the last event applied */
    enum fg_engine_mode mode;                 /* of the last ENGINE_STATE */
    struct fg_sale *sales[FG_SALES_LIVE_MAX]; /* the place is the sale's bit in key rights */
    unsigned sales_count;
    struct fg_model_item *items;
    uint32_t items_count, items_room; /* places: of items, and free ones (item.id is 0) */
    uint32_t *free_slots;             /* a stack, with room for all of them */
    uint32_t free_count;
    struct fg_model_ids ids;
    json_t *names;      /* object: every sale name ever used, with its number (0: not known) */
    size_t names_bytes; /* of the last NAMES_USED */
    uint32_t numbers;   /* greatest sale number ever given */
    uint64_t archives;  /* sales archived since the model was made */
    bool leaving;       /* ... and the last of them is not on record yet */
};

/* 0 or -ENOMEM. */
int fg_model_init(struct fg_model *model);
void fg_model_fini(struct fg_model *model);

/*
 * Applies one control event of the log; applying it again changes nothing. 0; -EINVAL when its kind
 * is not known here, its body is not what that kind has, or it contradicts earlier ones; -ENOSPC
 * above FG_SALES_LIVE_MAX; -ENOMEM.
 */
int fg_model_replay(struct fg_model *model, const struct fg_record *record);

/* What events come to. 0 or as fg_model_replay. `opened_ns` is when the sale opened, 0 if it has
 * not: an opening is a record, and becomes the sale's opens_ns if that was later or none. A sale
 * that is archived is gone at once, and so are its items. */
int fg_model_put_sale(struct fg_model *model, const struct fg_sale *sale);
int fg_model_set_state(struct fg_model *model, uint32_t number, enum fg_sale_state state,
                       uint64_t opened_ns);

/* NULL if there is none. */
struct fg_sale *fg_model_sale(const struct fg_model *model, const char *name);
struct fg_sale *fg_model_sale_number(const struct fg_model *model, uint32_t number);
struct fg_model_item *fg_model_item(const struct fg_model *model, uint32_t id);

/* Was it ever used in this log? */
bool fg_model_name_used(const struct fg_model *model, const char *name);
bool fg_model_id_used(const struct fg_model *model, uint32_t id);

/* The number of an archived sale of which the log still has something; 0 if there is none. */
uint32_t fg_model_archived_number(const struct fg_model *model, const char *name);

/* The body of a NAMES_USED event: names and ids of all that is not live, and of `leaving`, a live
 * sale. A new reference; NULL when memory is short. */
json_t *fg_model_names_json(const struct fg_model *model, const struct fg_sale *leaving);

/* After replay, while no slot is in use yet: gives the items the lowest slots. */
void fg_model_compact(struct fg_model *model);

/* The next sale's: numbers are given one to a name, so none is below the count of names. */
uint32_t fg_model_next_number(const struct fg_model *model);

/* Units ever to be sold of an item: its definition's stock, plus added, less removed. */
uint32_t fg_model_supply(const struct fg_model_item *item);

/* A copy with items of its own; NULL when memory is short. Freed by fg_model_sale_free. */
struct fg_sale *fg_model_sale_copy(const struct fg_sale *sale);
void fg_model_sale_free(struct fg_sale *sale);

#endif
