/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Recovery of a log with archived sales: their orders are forgotten, their requests may be used
 * again, and what is left of them when segments went is passed over.
 */
#include "recovery_fixture.h"

#include "hand_log.h"

/* Its orders are forgotten when the record comes: there is room for those that follow, and a buyer
 * may have used a request again. */
static void archived_sales_are_forgotten(void **state)
{
    (void)state;
    enum { SALES = 6, ROOM = 175 }; /* as much as one sale needs by its stock */
    struct fixture *f = start(2, NOW);
    struct fg_order_view view;

    for (sale_number = 1; sale_number <= SALES; sale_number++) {
        char name[] = {'s', (char)('0' + sale_number), '\0'};
        write_sale(f, sale_number, name, 100 * sale_number, 100 * sale_number + 1);
        for (unsigned n = 0; n < BUYERS; n++)
            write_event(f, FG_EVENT_ADMIT, n, 100 * sale_number, NOW);
        write_down(f);
        if (sale_number < SALES)
            write_state(f, sale_number, FG_SALE_ARCHIVED);
    }
    sale_number = 1;
    stop(f);
    f = start_with(1, NOW, ROOM);
    assert_int_equal(f->status, FG_EXIT_OK);
    assert_null(fg_control_item(f->engine.control, 100));
    assert_null(fg_control_sale_name(f->engine.control, 1));
    assert_string_equal(fg_control_sale_name(f->engine.control, SALES), "s6");
    assert_int_equal(f->engine.catalogue->archives, SALES - 1);
    assert_int_equal(look_up(f, 1, &view), 0);
    assert_int_equal(view.item, 100 * SALES);
    assert_int_equal(free_units(f, 100 * SALES), 100 - (BUYERS / 3 * 6 + 1));
    assert_true(fg_control_item(f->engine.control, 100 * SALES)->slot < 2);
    assert_int_equal(fg_admission_gauges(f->plan.admissions[0])->orders, BUYERS);
    stop(f);
    empty_directory();
}

/* A sale leaves the catalogue before the record that archives it is durable. Meanwhile a buyer may
 * use a request of it for another sale; and the engine may die before the record is there. */
static void a_request_used_again_while_its_sale_is_archived(void **state)
{
    (void)state;
    for (unsigned archived = 0; archived < 2; archived++) {
        struct fixture *f = start(2, NOW);
        struct fg_order_view view;

        write_sale(f, 1, "s1", 100, 101);
        write_sale(f, 2, "s2", 200, 201);
        for (unsigned n = 0; n < BUYERS; n++)
            write_event(f, FG_EVENT_ADMIT, n, 100, NOW);
        write_down(f);
        write_state(f, 1, FG_SALE_CLOSED);
        sale_number = 2;
        write_event(f, FG_EVENT_ADMIT, 7, 200, NOW);
        write_down(f);
        sale_number = 1;
        if (archived)
            write_state(f, 1, FG_SALE_ARCHIVED);
        stop(f);
        f = start(1, NOW);
        assert_int_equal(look_up(f, 7, &view), 0);
        assert_int_equal(view.item, 200);
        assert_int_equal(free_units(f, 200), 100 - 2);
        assert_int_equal(fg_admission_gauges(f->plan.admissions[0])->orders,
                         archived ? 1 : BUYERS); /* one gave way */
        if (!archived)
            assert_int_equal(free_units(f, 100), 100 - (BUYERS / 3 * 6 + 1));
        stop(f);
        empty_directory();
    }

    /* Of a sale that goes on it is damage. */
    struct fixture *f = start(2, NOW);
    write_sale(f, 1, "s1", 100, 101);
    write_event(f, FG_EVENT_ADMIT, 7, 100, NOW);
    write_event(f, FG_EVENT_ADMIT, 7, 101, NOW);
    stop(f);
    assert_refused(start_with(1, NOW, 1000), "damaged");
    empty_directory();
}

static void hand_sale(struct hand_log *log, uint32_t number, const char *name, uint32_t final)
{
    char *body = sale_body(number, name, final, final + 1);
    struct fg_control_event event = {
        .kind = FG_EVENT_SALE, .sale = number, .body_length = (uint32_t)strlen(body)};
    uint8_t *unit = hand_log_unit(log, fg_record_bytes(&event));

    memcpy(unit, &event, sizeof(event));
    memcpy(unit + sizeof(event), body, event.body_length);
    free(body);
}

static void hand_event(struct hand_log *log, unsigned kind, uint32_t sale, uint64_t seq, unsigned n)
{
    struct fg_order_event event = {.kind = (uint8_t)kind,
                                   .quantity = 2,
                                   .item = 100 * sale,
                                   .sale = sale,
                                   .sale_seq = seq,
                                   .order = 1000 + n,
                                   .request = 5,
                                   .at_ns = NOW};
    buyer_of(n, event.buyer);
    memcpy(hand_log_unit(log, sizeof(event)), &event, sizeof(event));
}

/* The log's first segments are gone, with the ADMITs of sale 1; of its later events some are left.
 */
static void write_beheaded(bool archived)
{
    struct hand_log log;
    char path[128];

    hand_log_open(&log, 3, 4);
    hand_sale(&log, 1, "s1", 100);
    hand_sale(&log, 2, "s2", 200);
    hand_log_position(&log, 1, 41, 2);
    hand_log_frame(&log, FG_FRAME_BASE);
    hand_event(&log, FG_EVENT_CANCEL, 1, 41, 3);
    hand_event(&log, FG_EVENT_ADMIT, 1, 42, 4);
    hand_event(&log, FG_EVENT_ADMIT, 2, 1, 7);
    hand_event(&log, FG_EVENT_CANCEL, 1, 43, 4);
    hand_log_frame(&log, 0);
    if (archived) {
        hand_log_state(&log, 1, FG_SALE_ARCHIVED);
        hand_log_frame(&log, 0);
    }
    snprintf(path, sizeof(path), "%s/segment-00000003.fgl", dir);
    assert_int_equal(rename(log.path, path), 0);
    hand_log_close(&log);
}

/* What is left of an archived sale's orders is passed over, and nothing else. */
static void remains_of_an_archived_sale(void **state)
{
    (void)state;
    struct fg_order_view view;

    write_beheaded(true);
    for (unsigned starts = 0; starts < 2; starts++) {
        struct fixture *f = start(2, NOW);
        assert_null(fg_control_sale_name(f->engine.control, 1));
        assert_int_equal(look_up(f, 3, &view), -ENOENT);
        assert_int_equal(look_up(f, 4, &view), -ENOENT);
        assert_int_equal(look_up(f, 7, &view), 0);
        assert_int_equal(view.item, 200);
        assert_int_equal(free_units(f, 200), 100 - 2);
        stop(f);
    }
    empty_directory();
}

/* A live sale's orders never go: somebody took its segments away. */
static void a_live_sale_without_its_first_orders_is_damage(void **state)
{
    (void)state;
    write_beheaded(false);
    struct fixture *f = start_with(2, NOW, 1000);
    assert_int_equal(f->status, FG_EXIT_CORRUPT);
    assert_non_null(strstr(f->message, "orders of sale s1, which is not archived"));
    stop(f);
    empty_directory();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(archived_sales_are_forgotten),
        cmocka_unit_test(a_request_used_again_while_its_sale_is_archived),
        cmocka_unit_test(remains_of_an_archived_sale),
        cmocka_unit_test(a_live_sale_without_its_first_orders_is_damage),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
