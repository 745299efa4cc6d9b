/* SPDX-License-Identifier: BSD-3-Clause */
/* A model, a sale "spring" to put into it, and what units of the model and of plans do with them.
 */
#ifndef TESTS_MODEL_FIXTURE_H
#define TESTS_MODEL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/sale/model.h"
#include "control/sale/plan.h"

struct fixture {
    struct fg_model model;
    struct fg_config config;
    struct fg_plan plan;
    uint64_t now_ns;
    char message[512];
};

static inline int start(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_int_equal(fg_model_init(&f->model), 0);
    f->config.limit_items = 10;
    f->config.limit_orders = 10000;
    f->config.log_budget = UINT64_C(1) << 30;
    f->config.log_segment = 64 << 20;
    *state = f;
    return 0;
}

static inline int stop(void **state)
{
    struct fixture *f = *state;
    fg_model_fini(&f->model);
    free(f);
    return 0;
}

/* Two items, 7 (100 units, limit 2) and 8 (50 units, held for a minute). */
static struct fg_sale_item spring_items[] = {
    {.id = 7, .name = "Shoe", .stock = 100, .limit = 2, .max_per_order = 2},
    {.id = 8, .name = "Hat", .stock = 50, .max_per_order = 1, .hold_ms = 60000},
};
static const struct fg_sale spring = {
    .name = "spring", .opens_ns = 1000, .closes_ns = 2000, .items_count = 2, .items = spring_items};

/* A copy to alter. Its items are an allocation that the test frees with fg_model_sale_free. */
static inline struct fg_sale *copy_of(const struct fg_sale *sale, uint32_t number)
{
    struct fg_sale *copy = fg_model_sale_copy(sale);
    assert_non_null(copy);
    copy->number = number;
    return copy;
}

static inline void put(struct fixture *f, const struct fg_sale *sale, uint32_t number)
{
    struct fg_sale *copy = copy_of(sale, number);
    assert_int_equal(fg_model_put_sale(&f->model, copy), 0);
    fg_model_sale_free(copy);
}

/* A sale of `count` items with ids from `first`. */
static inline struct fg_sale *sale_of(const char *name, uint32_t first, uint32_t count)
{
    struct fg_sale *sale = calloc(1, sizeof(*sale));
    snprintf(sale->name, sizeof(sale->name), "%s", name);
    sale->items = calloc(count, sizeof(*sale->items));
    sale->items_count = count;
    for (uint32_t i = 0; i < count; i++)
        sale->items[i] =
            (struct fg_sale_item){.id = first + i, .name = "thing", .stock = 1, .max_per_order = 1};
    return sale;
}

static inline int replay(struct fixture *f, struct fg_control_event event, const char *body)
{
    event.body_length = body ? strlen(body) : 0;
    struct fg_record record = {.lsn = 1, .epoch = 1, .control = &event, .body = body};
    return fg_model_replay(&f->model, &record);
}

#endif
