/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/snapshot.h"

#include <stdlib.h>
#include <string.h>

#define PLACES_MIN 16

/* What workers see, and what it holds. */
struct snapshot {
    struct fg_catalogue catalogue; /* first: the one is found by the other */
    struct fg_snapshot_shares shares;
};

static void hold_shares(struct snapshot *snapshot, const struct fg_snapshot_shares *shares)
{
    snapshot->shares = *shares;
    fg_shared_hold(&shares->keys->shared);
    if (shares->listing)
        fg_shared_hold(&shares->listing->shared);
}

static void drop_shares(struct snapshot *snapshot)
{
    fg_shared_drop(&snapshot->shares.keys->shared);
    fg_listing_drop(snapshot->shares.listing);
}

/* A power of two, at least twice the items: a look-up ends soon, and always ends. */
static uint32_t places_for(uint32_t items)
{
    uint32_t places = PLACES_MIN;
    while (places < items * UINT64_C(2))
        places *= 2;
    return places;
}

static void put_item(struct fg_catalogue *snapshot, const struct fg_item *item)
{
    uint32_t at = fg_item_hash(item->id);
    while (snapshot->items[at & snapshot->item_mask].id != 0)
        at++;
    snapshot->items[at & snapshot->item_mask] = *item;
}

/* Which live sales the key at this place of the ring may touch. */
static uint64_t sales_of_key(const struct fg_model *model, const struct fg_key_file *keys,
                             int place)
{
    uint64_t sales = 0;
    for (unsigned i = 0; i < model->sales_count; i++)
        if (fg_key_file_allows(keys, place, model->sales[i]->name))
            sales |= UINT64_C(1) << i;
    return sales;
}

/* The first opening that is not on record yet; 0: none has a time. */
static uint64_t next_opening(const struct fg_model *model)
{
    uint64_t next_ns = 0;
    for (unsigned i = 0; i < model->sales_count; i++) {
        const struct fg_sale *sale = model->sales[i];
        if (sale->state == FG_SALE_SCHEDULED && sale->opens_ns != 0 &&
            (next_ns == 0 || sale->opens_ns < next_ns))
            next_ns = sale->opens_ns;
    }
    return next_ns;
}

struct fg_catalogue *fg_snapshot_create(const struct fg_model *model,
                                        const struct fg_snapshot_shares *shares,
                                        uint64_t serving_since_ns, uint64_t freshness_ns)
{
    const struct fg_key_file *keys = shares->keys;
    struct snapshot *whole = calloc(1, sizeof(*whole));
    if (!whole)
        return NULL;
    struct fg_catalogue *snapshot = &whole->catalogue;
    uint32_t places = places_for(model->items_count);
    snapshot->items = aligned_alloc(sizeof(struct fg_item), places * sizeof(struct fg_item));
    if (!snapshot->items) {
        free(whole);
        return NULL;
    }
    hold_shares(whole, shares);
    memset(snapshot->items, 0, places * sizeof(struct fg_item));
    snapshot->item_mask = places - 1;
    snapshot->revision = model->revision;
    snapshot->archives = model->archives;
    snapshot->leaving = model->leaving;
    snapshot->mode = (uint8_t)model->mode;
    snapshot->serving_since_ns = serving_since_ns;
    snapshot->freshness_ns = freshness_ns;
    snapshot->keys = &keys->ring;
    snapshot->lists = fg_listing_lists(shares->listing);
    snapshot->next_opens_ns = next_opening(model);
    for (uint32_t i = 0; i < model->items_count; i++)
        if (model->items[i].item.id != 0)
            put_item(snapshot, &model->items[i].item);
    for (int place = 0; place < keys->ring.count; place++)
        snapshot->key_sales[place] = sales_of_key(model, keys, place);
    return snapshot;
}

void fg_snapshot_destroy(struct fg_catalogue *snapshot)
{
    struct snapshot *whole = (struct snapshot *)snapshot;
    if (!snapshot)
        return;
    drop_shares(whole);
    free(snapshot->items);
    free(whole);
}
