/* SPDX-License-Identifier: BSD-3-Clause */
/* One shop for each test: one worker, ten units of each item. */
#ifndef FG_TESTS_ONE_SHOP_H
#define FG_TESTS_ONE_SHOP_H

#include "tests/unit/shop.h"

static struct shop shop;

static int open_shop(void **state)
{
    (void)state;
    shop_open(&shop, 1, 10);
    return 0;
}

static int close_shop(void **state)
{
    (void)state;
    shop_close(&shop);
    return 0;
}

/* One request: op's name, buyer, request, item, quantity. The answer, flushed. */
#define OP(op, buyer, request, item, quantity)                                                     \
    shop_do(&shop, FG_OP_##op, buyer, request, item, quantity)

static inline uint32_t free_units(uint32_t item)
{
    return fg_stock_free_units(&shop.stock, item - 1);
}

#endif
