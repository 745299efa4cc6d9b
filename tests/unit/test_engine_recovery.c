/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An engine's log written by one engine and read by the next, with the real journal, model and
 * admissions: orders, holds and stock are as they were, whatever the number of workers.
 */
#include "recovery_fixture.h"

/* --- tests --- */

static void orders_and_stock_come_back(void **state)
{
    (void)state;
    static const unsigned workers[] = {1, 4, 3, 8};
    struct fixture *f = start(2, NOW);
    unsigned taken = 0;

    assert_int_equal(f->engine.recovered.epoch, 1);
    apply_sale(f);
    for (unsigned n = 0; n < BUYERS; n++)
        write_event(f, FG_EVENT_ADMIT, n, FINAL_ITEM, NOW + n);
    for (unsigned n = 0; n < BUYERS; n += 2)
        write_event(f, FG_EVENT_CANCEL, n, FINAL_ITEM, NOW + n);
    for (unsigned n = 1; n < BUYERS; n += 2)
        taken += n % 3 + 1;
    stop(f);

    for (unsigned i = 0; i < sizeof(workers) / sizeof(workers[0]); i++) {
        f = start(workers[i], NOW + S);
        assert_int_equal(f->engine.recovered.epoch, 2 + i);
        assert_int_equal(f->engine.catalogue->revision, 2);
        assert_int_equal(free_units(f, FINAL_ITEM), 100 - taken);
        assert_int_equal(free_units(f, HELD_ITEM), 50);
        for (unsigned n = 0; n < BUYERS; n++) {
            struct fg_order_view view;
            assert_int_equal(look_up(f, n, &view), 0);
            assert_int_equal(view.order, 1000 + n);
            assert_int_equal(view.quantity, n % 3 + 1);
            assert_int_equal(view.verdict, n % 2 ? FG_VERDICT_ADMITTED : FG_VERDICT_CANCELLED);
            assert_int_equal(view.held, 0);
        }
        struct fg_order_view view;
        assert_int_equal(look_up(f, BUYERS, &view), -ENOENT);
        stop(f);
    }
    empty_directory();
}

static void holds_go_on(void **state)
{
    (void)state;
    struct fixture *f = start(2, NOW);
    struct fg_order_view view;

    apply_sale(f);
    write_event(f, FG_EVENT_ADMIT, 0, HELD_ITEM, NOW);           /* stays held */
    write_event(f, FG_EVENT_ADMIT, 1, HELD_ITEM, NOW);           /* confirmed */
    write_event(f, FG_EVENT_ADMIT, 2, HELD_ITEM, NOW);           /* expires */
    write_event(f, FG_EVENT_ADMIT, 4, HELD_ITEM, NOW + 400 * S); /* stays held; the last record */
    write_event(f, FG_EVENT_CONFIRM, 1, HELD_ITEM, NOW + S);
    write_event(f, FG_EVENT_EXPIRE, 2, HELD_ITEM, NOW + S);
    stop(f);

    /* Down from 400 s to 500 s: no hold ends for the next 100 s. */
    f = start(3, NOW + 500 * S);
    assert_int_equal(free_units(f, HELD_ITEM), 50 - 1 - 2 - 2);
    assert_int_equal(look_up(f, 0, &view), 0);
    assert_int_equal(view.verdict, FG_VERDICT_ADMITTED);
    assert_int_equal(view.held, 1);
    assert_int_equal(view.left_ms, 100000);
    assert_int_equal(look_up(f, 4, &view), 0);
    assert_int_equal(view.left_ms, 500000);
    assert_int_equal(look_up(f, 1, &view), 0);
    assert_int_equal(view.verdict, FG_VERDICT_CONFIRMED);
    assert_int_equal(look_up(f, 2, &view), 0);
    assert_int_equal(view.verdict, FG_VERDICT_EXPIRED);

    /* Held units are unsettled: a request for more than there is must not be told SOLD_OUT. */
    uint32_t slot = fg_control_item(f->engine.control, HELD_ITEM)->slot, available;
    assert_int_equal(fg_stock_take(&f->engine.stock, 0, slot, 46, 1, &available), FG_UNSETTLED);
    stop(f);
    empty_directory();
}

static void new_events_follow(void **state)
{
    (void)state;
    struct fixture *f = start(1, NOW);

    apply_sale(f);
    for (unsigned restart = 0; restart < 4; restart++) {
        write_event(f, FG_EVENT_ADMIT, restart, FINAL_ITEM, NOW);
        write_down(f);
        stop(f);
        f = start(1 + restart % 3, NOW + S);
        for (unsigned n = 0; n <= restart; n++) {
            struct fg_order_view view;
            assert_int_equal(look_up(f, n, &view), 0);
        }
    }
    assert_int_equal(free_units(f, FINAL_ITEM), 100 - (1 + 2 + 3 + 1));
    stop(f);
    empty_directory();
}

/* Nothing is sold before its sale is in the log. */
static void an_unknown_item_is_damage(void **state)
{
    (void)state;
    struct fixture *f = start(1, NOW);

    apply_sale(f);
    write_event(f, FG_EVENT_ADMIT, 0, 99, NOW);
    stop(f);
    assert_refused(start_with(1, NOW, 1000), "damaged");
    empty_directory();
}

static void what_cannot_be_applied_is_named(void **state)
{
    (void)state;
    struct fixture *f = start(1, NOW);

    apply_sale(f);
    for (unsigned n = 0; n < BUYERS; n++)
        write_event(f, FG_EVENT_ADMIT, n, FINAL_ITEM, NOW);
    stop(f);
    assert_refused(start_with(1, NOW, 4), "limits.orders is 4");

    f = start(1, NOW);
    write_event(f, FG_EVENT_CONFIRM, 3, FINAL_ITEM, NOW); /* of an order that was never held */
    stop(f);
    assert_refused(start_with(1, NOW, 1000), "CONFIRM of order 1003");
    empty_directory();
}

static void second_engine_is_refused(void **state)
{
    (void)state;
    struct fixture *f = start(1, NOW);
    struct fixture *second = start_with(1, NOW, 1000);
    assert_int_equal(second->status, FG_EXIT_IN_USE);
    assert_refused(second, dir);
    stop(f);
    empty_directory();
}

/* Times in seconds: admitted at 1000, held for `hold`, last record at `last`, restart at `now`. */
static void restart_grace(void **state)
{
    (void)state;
    static const struct {
        uint64_t hold, last, now, grace, held_until;
    } cases[] = {
        {600, 1000, 1001, 0, 599},     /* nearly all is left */
        {600, 1500, 1510, 0, 90},      /* little down time: what is left */
        {600, 1590, 1595, 0, 60},      /* at least a minute */
        {600, 1100, 1400, 0, 300},     /* the down time */
        {600, 1100, 1650, 0, 550},     /* it ran out meanwhile */
        {600, 1100, 9000, 0, 600},     /* at most the hold */
        {30, 1000, 9000, 0, 60},       /* but a minute */
        {600, 1100, 9000, 5, 5},       /* as the operator says */
        {600, 1000, 1001, 5, 599},     /* but never less than was left */
        {600, 1590, 1595, 3600, 3600}, /* or more */
        {600, 1100, 1050, 0, 550},     /* the clock went back: no down time */
        {600, 1100, 500, 0, 600},      /* never longer than the hold */
        {604800, 1000, 1000, 0, 604800},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fg_order_event admit = {
            .kind = FG_EVENT_ADMIT, .hold_ms = (uint32_t)(cases[i].hold * 1000), .at_ns = 1000 * S};
        uint32_t until = fg_recovery_held_until_ms(&admit, cases[i].last * S, cases[i].now * S,
                                                   (uint32_t)(cases[i].grace * 1000));
        if (until != cases[i].held_until * 1000)
            fail_msg("case %u: %u ms, wanted %llu s", i, until,
                     (unsigned long long)cases[i].held_until);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(restart_grace),
        cmocka_unit_test(orders_and_stock_come_back),
        cmocka_unit_test(holds_go_on),
        cmocka_unit_test(new_events_follow),
        cmocka_unit_test(an_unknown_item_is_damage),
        cmocka_unit_test(what_cannot_be_applied_is_named),
        cmocka_unit_test(second_engine_is_refused),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
