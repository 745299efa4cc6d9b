/* SPDX-License-Identifier: BSD-3-Clause */
/* Two models of what is on sale, compared by all that a buyer would meet. */
#ifndef FG_TESTS_FUZZ_MODELS_H
#define FG_TESTS_FUZZ_MODELS_H

#include "control/sale/model.h"
#include "tests/fuzz/fuzz.h"

/* The sale as one text. An opening is a record of its own: `openings` compares it, too. */
static inline char *models_definition(const struct fg_sale *sale, bool openings)
{
    struct fg_sale shown = *sale;

    if (!openings)
        shown.opens_ns = shown.opened = 0;
    json_t *json = fg_sale_to_json(&shown);
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);

    json_decref(json);
    FUZZ_CHECK(text);
    return text;
}

static inline void models_check_item(const struct fg_model_item *a, const struct fg_model *other)
{
    const struct fg_model_item *b = fg_model_item(other, a->item.id);

    FUZZ_CHECK(b && a->state == b->state && a->item.sale == b->item.sale);
    FUZZ_CHECK(fg_model_supply(a) == fg_model_supply(b));
    FUZZ_CHECK(fg_model_supply(a) <= FG_STOCK_MAX);
}

/* What buyers would meet is the same in both. */
static inline void models_check_same(const struct fg_model *a, const struct fg_model *b,
                                     bool openings)
{
    FUZZ_CHECK(a->sales_count == b->sales_count && a->mode == b->mode);
    for (unsigned i = 0; i < a->sales_count; i++) {
        const struct fg_sale *sale = a->sales[i];
        const struct fg_sale *other = fg_model_sale_number(b, sale->number);
        FUZZ_CHECK(other);
        char *x = models_definition(sale, openings), *y = models_definition(other, openings);
        if (strcmp(x, y) != 0) {
            fprintf(stderr, "%s\n%s\n", x, y);
            abort();
        }
        free(x);
        free(y);
        FUZZ_CHECK(sale->state == other->state);
    }
    for (uint32_t i = 0; i < a->items_count; i++)
        if (a->items[i].item.id != 0)
            models_check_item(&a->items[i], b);
}

#endif
