/* SPDX-License-Identifier: BSD-3-Clause */
/* Stock: the rules one by one, then many workers at once (a weak net: the models are the proof). */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dataplane/admission/stock.h"

static uint64_t loops; /* a new loop for every take: nothing is remembered as scanned */

static enum fg_take take(struct fg_stock *stock, unsigned w, uint32_t quantity, uint32_t *available)
{
    return fg_stock_take(stock, w, 0, quantity, ++loops, available);
}

static void make(struct fg_stock *stock, unsigned workers, uint32_t units)
{
    assert_int_equal(fg_stock_init(stock, workers, 1), 0);
    fg_stock_restore(stock, 0, units);
}

static void takes_all_then_refuses(void **state)
{
    (void)state;
    struct fg_stock stock;
    uint32_t available = 99;

    make(&stock, 2, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(take(&stock, i % 2, 1, &available), FG_TOOK);
    assert_int_equal(fg_stock_free_units(&stock, 0), 0);
    /* Nothing is durable yet: a refusal would not be true. */
    assert_int_equal(take(&stock, 0, 1, &available), FG_UNSETTLED);
    fg_stock_open_down(&stock, 0, 0);
    fg_stock_open_down(&stock, 0, 0);
    assert_int_equal(take(&stock, 0, 1, &available), FG_UNSETTLED); /* the other worker's */
    fg_stock_open_down(&stock, 1, 0);
    assert_int_equal(take(&stock, 0, 1, &available), FG_SOLD_OUT);
    assert_int_equal(available, 0);
    fg_stock_fini(&stock);
}

static void units_in_another_cell_are_recalled(void **state)
{
    (void)state;
    struct fg_stock stock;
    uint32_t available;

    make(&stock, 2, 16);
    assert_int_equal(take(&stock, 0, 1, &available), FG_TOOK); /* 4 out, 3 into the cell */
    assert_int_equal(atomic_load(&stock.lines[0][0].cell), 3);
    unsigned took = 0;
    while (take(&stock, 1, 1, &available) == FG_TOOK)
        took++;
    assert_int_equal(took, 15);
    fg_stock_fini(&stock);
}

static void scattered_units_serve_a_large_order(void **state)
{
    (void)state;
    struct fg_stock stock;
    uint32_t available;

    make(&stock, 2, 0);
    atomic_store(&stock.lines[0][0].cell, 1);
    atomic_store(&stock.lines[1][0].cell, 1);
    assert_int_equal(take(&stock, 0, 2, &available), FG_TOOK);
    assert_int_equal(fg_stock_free_units(&stock, 0), 0);
    fg_stock_fini(&stock);
}

static void a_smaller_request_is_judged_anew(void **state)
{
    (void)state;
    struct fg_stock stock;
    uint32_t available;

    make(&stock, 2, 1);
    assert_int_equal(take(&stock, 0, 2, &available), FG_SOLD_OUT);
    assert_int_equal(available, 1);
    assert_int_equal(take(&stock, 0, 3, &available), FG_SOLD_OUT); /* remembered */
    assert_int_equal(take(&stock, 0, 1, &available), FG_TOOK);
    fg_stock_fini(&stock);
}

static void a_return_ends_a_remembered_refusal(void **state)
{
    (void)state;
    struct fg_stock stock;
    uint32_t available;

    make(&stock, 2, 1);
    assert_int_equal(take(&stock, 0, 1, &available), FG_TOOK);
    fg_stock_open_down(&stock, 0, 0);
    assert_int_equal(take(&stock, 1, 1, &available), FG_SOLD_OUT);
    fg_stock_put_back(&stock, 0, 1);
    assert_int_equal(take(&stock, 1, 1, &available), FG_TOOK);
    fg_stock_fini(&stock);
}

static void an_unsettled_item_is_scanned_once_a_loop(void **state)
{
    (void)state;
    struct fg_stock stock;
    uint32_t available;

    make(&stock, 1, 1);
    assert_int_equal(fg_stock_take(&stock, 0, 0, 1, 7, &available), FG_TOOK);
    assert_int_equal(fg_stock_take(&stock, 0, 0, 1, 8, &available), FG_UNSETTLED);
    fg_stock_open_down(&stock, 0, 0);
    assert_int_equal(fg_stock_take(&stock, 0, 0, 1, 8, &available), FG_UNSETTLED);
    assert_int_equal(fg_stock_take(&stock, 0, 0, 1, 9, &available), FG_SOLD_OUT);
    fg_stock_fini(&stock);
}

static void removal_takes_only_what_is_unsold(void **state)
{
    (void)state;
    struct fg_stock stock;
    uint32_t available;

    make(&stock, 2, 10);
    assert_int_equal(take(&stock, 0, 4, &available), FG_TOOK);
    fg_stock_open_down(&stock, 0, 0);
    assert_int_equal(fg_stock_remove(&stock, 0, 100), 6);
    /* Until the removal is durable, nobody is told that the item is sold out. */
    assert_int_equal(take(&stock, 1, 1, &available), FG_UNSETTLED);
    fg_stock_open_down(&stock, 2, 0);
    assert_int_equal(take(&stock, 1, 1, &available), FG_SOLD_OUT);
    fg_stock_fini(&stock);
}

static void holds_tell_when_units_may_return(void **state)
{
    (void)state;
    struct fg_stock stock;
    uint32_t available;

    make(&stock, 2, 2);
    assert_int_equal(take(&stock, 0, 1, &available), FG_TOOK);
    fg_stock_hold(&stock, 0, 0, 500);
    assert_int_equal(take(&stock, 1, 1, &available), FG_TOOK);
    assert_int_equal(take(&stock, 1, 1, &available), FG_UNSETTLED);
    assert_int_equal(fg_stock_wait_ms(&stock, 1, 0, 100), 0); /* the other one is no hold */
    fg_stock_hold(&stock, 1, 0, 300);
    assert_int_equal(take(&stock, 1, 1, &available), FG_UNSETTLED);
    assert_int_equal(fg_stock_wait_ms(&stock, 1, 0, 100), 200);
    fg_stock_fini(&stock);
}

static void the_version_may_wrap(void **state)
{
    (void)state;
    struct fg_stock stock;
    uint32_t available;

    make(&stock, 1, 0);
    atomic_store(&stock.pools[0].word, UINT64_C(0xffffffff00000005));
    fg_stock_put_back(&stock, 0, 2);
    assert_int_equal(fg_stock_free_units(&stock, 0), 7);
    assert_int_equal(take(&stock, 0, 7, &available), FG_TOOK);
    fg_stock_fini(&stock);
}

/* Many workers: each takes random quantities, putting some back, until it is told that not even one
 * unit is left. */
struct racer {
    pthread_t thread;
    struct fg_stock *stock;
    unsigned w;
    uint32_t quantity_max;
    uint64_t sold;
};

static void *race(void *arg)
{
    struct racer *racer = arg;
    uint64_t random = racer->w * 7919 + 1, loop = 0;
    uint32_t available;
    unsigned returns_left = 200;

    for (;;) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint32_t quantity = 1 + (uint32_t)(random >> 33) % racer->quantity_max;
        enum fg_take result =
            fg_stock_take(racer->stock, racer->w, 0, quantity, ++loop, &available);
        if (result == FG_TOOK) {
            if (returns_left > 0 && (random >> 60) == 0) {
                returns_left--;
                fg_stock_put_back(racer->stock, 0, quantity);
            } else {
                racer->sold += quantity;
            }
            fg_stock_open_down(racer->stock, racer->w, 0);
        } else if (result == FG_SOLD_OUT && quantity == 1) {
            return NULL;
        } else if (result == FG_UNSETTLED) {
            sched_yield();
        }
    }
}

static void no_unit_is_sold_twice_or_left(void **state)
{
    (void)state;
    static const struct {
        unsigned workers;
        uint32_t units, quantity_max;
    } cases[] = {
        {1, 1000, 2}, {2, 1, 2},    {4, 1, 2},    {8, 1, 2},
        {2, 5, 2},    {4, 2000, 2}, {8, 2000, 3}, {2, 100000, 1},
    };
    for (unsigned c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        for (unsigned round = 0; round < 20; round++) {
            struct racer racers[8] = {0};
            struct fg_stock stock;
            uint64_t sold = 0;

            make(&stock, cases[c].workers, cases[c].units);
            for (unsigned w = 0; w < cases[c].workers; w++) {
                racers[w] =
                    (struct racer){.stock = &stock, .w = w, .quantity_max = cases[c].quantity_max};
                assert_int_equal(pthread_create(&racers[w].thread, NULL, race, &racers[w]), 0);
            }
            for (unsigned w = 0; w < cases[c].workers; w++) {
                pthread_join(racers[w].thread, NULL);
                sold += racers[w].sold;
            }
            /* SOLD_OUT was true whenever it was said, so the last one to hear it left nothing. */
            assert_int_equal(fg_stock_free_units(&stock, 0), 0);
            assert_int_equal(sold, cases[c].units);
            fg_stock_fini(&stock);
        }
    }
}

/* A slot given to another item: a refusal that was remembered of the old one is not the new one's.
 */
static void a_cleared_slot_is_as_new(void **state)
{
    (void)state;
    struct fg_stock stock;
    uint32_t available;

    make(&stock, 2, 9);
    assert_int_equal(take(&stock, 0, 1, &available), FG_TOOK); /* the rest of a chunk in its cell */
    fg_stock_open_down(&stock, 0, 0);
    assert_int_equal(take(&stock, 1, 9, &available), FG_SOLD_OUT);
    uint64_t version = atomic_load(&stock.pools[0].word) >> 32;
    fg_stock_clear(&stock, 0);
    assert_int_equal(fg_stock_free_units(&stock, 0), 0);
    assert_true(atomic_load(&stock.pools[0].word) >> 32 > version);
    assert_int_equal(take(&stock, 1, 9, &available), FG_SOLD_OUT);
    assert_int_equal(available, 0); /* and not the old item's 8 */
    fg_stock_put_back(&stock, 0, 9);
    assert_int_equal(take(&stock, 1, 9, &available), FG_TOOK);
    fg_stock_fini(&stock);
}

static void held_orders_are_counted_over_all_workers(void **state)
{
    (void)state;
    struct fg_stock stock;
    uint32_t available;

    make(&stock, 2, 9);
    assert_int_equal(fg_stock_held(&stock, 0), 0);
    for (unsigned w = 0; w < 2; w++) {
        assert_int_equal(take(&stock, w, 1, &available), FG_TOOK);
        fg_stock_hold(&stock, w, 0, 100);
    }
    assert_int_equal(fg_stock_held(&stock, 0), 2);
    fg_stock_unhold(&stock, 0, 0);
    assert_int_equal(fg_stock_held(&stock, 0), 1);
    fg_stock_fini(&stock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_all_then_refuses),
        cmocka_unit_test(units_in_another_cell_are_recalled),
        cmocka_unit_test(scattered_units_serve_a_large_order),
        cmocka_unit_test(a_smaller_request_is_judged_anew),
        cmocka_unit_test(a_return_ends_a_remembered_refusal),
        cmocka_unit_test(an_unsettled_item_is_scanned_once_a_loop),
        cmocka_unit_test(removal_takes_only_what_is_unsold),
        cmocka_unit_test(holds_tell_when_units_may_return),
        cmocka_unit_test(the_version_may_wrap),
        cmocka_unit_test(no_unit_is_sold_twice_or_left),
        cmocka_unit_test(a_cleared_slot_is_as_new),
        cmocka_unit_test(held_orders_are_counted_over_all_workers),
    };
    return cmocka_run_group_tests_name("stock", tests, NULL, NULL);
}
