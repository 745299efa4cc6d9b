/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Archiving a sale: what refuses it, in which order it is published, settled and journalled, and
 * what is left of it.
 */
#include "dataplane/admission/internal.h"
#include "tests/unit/fake_engine.h"

static json_t *archive_spring(void)
{
    return of_sale("sale.archive", "spring");
}

static int start_closed(void **state)
{
    start(state);
    apply(SPRING SHOE(100) HAT);
    of_sale("sale.open", "spring");
    of_sale("sale.close", "spring");
    assert_int_equal(log_.count, 3);
    return 0;
}

static void only_a_closed_sale_is_archived(void **state)
{
    (void)state;
    apply(SPRING SHOE(100));
    assert_null(archive_spring());
    assert_error(FG_RPC_REFUSED, "sale spring is scheduled; close it first: flashgatectl sale");
    of_sale("sale.open", "spring");
    assert_null(archive_spring());
    assert_error(FG_RPC_REFUSED, "is open; close it first");
    assert_null(of_sale("sale.archive", "winter"));
    assert_error(FG_RPC_NOT_FOUND, "no sale winter");
    assert_int_equal(log_.count, 2);
}

static void held_orders_keep_a_sale(void **state)
{
    (void)state;
    uint32_t available, slot = item(8)->slot;
    assert_int_equal(fg_stock_take(&engine->stock, 1, slot, 1, 1, &available), FG_TOOK);
    fg_stock_hold(&engine->stock, 1, slot, 1000);
    assert_null(archive_spring());
    assert_error(FG_RPC_REFUSED, "1 orders of sale spring are still held");
    assert_int_equal(log_.count, 3);
    assert_non_null(item(8));
    fg_stock_unhold(&engine->stock, 1, slot);
    fg_stock_open_down(&engine->stock, 1, slot);
    assert_non_null(archive_spring());
}

static void names_and_state_are_journalled_after_it_is_gone(void **state)
{
    (void)state;
    const json_t *result = archive_spring();
    assert_string_equal(json_string_value(json_object_get(result, "state")), "archived");
    assert_true(json_is_true(json_object_get(result, "changed")));
    assert_int_equal(log_.count, 5);
    for (unsigned i = 3; i < 5; i++) {
        assert_int_equal(log_.events[i].event.revision, 5);
        assert_int_equal(log_.events[i].revision, 5); /* of the catalogue then in force */
        assert_true(log_.events[i].seen);
        assert_true(log_.events[i].leaving);
        assert_int_equal(log_.events[i].event.uid, 1001);
    }
    assert_int_equal(log_.events[3].event.kind, FG_EVENT_NAMES_USED);
    assert_string_equal(log_.events[3].body, "{\"sales\":[\"spring\"],\"items\":[[7,8]]}");
    assert_int_equal(log_.events[4].event.kind, FG_EVENT_SALE_STATE);
    assert_int_equal(log_.events[4].event.value, FG_SALE_ARCHIVED);
    assert_int_equal(log_.events[4].event.sale, 1);
    assert_null(item(7));
    assert_int_equal(engine->catalogue->archives, 1);
    assert_false(engine->catalogue->leaving); /* it is on record */
    assert_all_seen();
    assert_int_equal(json_array_size(call("sale.list", json_object())), 0);
    /* Asked again, it says so and does nothing; of other commands it is a name of the past. */
    assert_true(json_is_false(json_object_get(archive_spring(), "changed")));
    assert_null(of_sale("sale.show", "spring"));
    assert_error(FG_RPC_NOT_FOUND, "sale spring is archived");
    assert_int_equal(log_.count, 5);
}

static void its_slots_serve_others_its_names_nobody(void **state)
{
    (void)state;
    uint32_t first = item(7)->slot, available;
    assert_int_equal(fg_stock_take(&engine->stock, 0, first, 99, 1, &available), FG_TOOK);
    fg_stock_open_down(&engine->stock, 0, first);
    assert_int_equal(fg_stock_take(&engine->stock, 0, first, 2, 2, &available), FG_SOLD_OUT);
    archive_spring();
    assert_null(apply("name: summer\nitems:\n" SHOE(100)));
    assert_error(FG_RPC_REFUSED, "item 7 was sold in an archived sale");
    assert_null(apply("name: spring\nitems:\n  - {id: 17, name: Coat, stock: 5}\n"));
    assert_error(FG_RPC_REFUSED, "sale spring is archived");
    assert_non_null(apply("name: summer\nitems:\n"
                          "  - {id: 17, name: Coat, stock: 5}\n"
                          "  - {id: 18, name: Boot, stock: 6}\n"));
    assert_int_equal(item(17)->slot + item(18)->slot, 1);
    assert_int_equal(fg_stock_free_units(&engine->stock, item(17)->slot), 5);
    assert_int_equal(fg_stock_free_units(&engine->stock, item(18)->slot), 6);
    uint32_t again = item(17)->slot == first ? 17 : 18;
    assert_int_equal(fg_stock_take(&engine->stock, 0, item(again)->slot, 5, 3, &available),
                     FG_TOOK);
    assert_int_equal(control->model.items_count, 2);
}

/* A worker still has a record of the sale on its way: neither journal nor slots may go on. */
static void it_waits_for_what_workers_have_queued(void **state)
{
    (void)state;
    struct fg_admission *admission = zeroed(sizeof(*admission));
    uint32_t slot = item(7)->slot;
    engine->workers[1]->admission = admission;
    atomic_store(&admission->gauges.queued, 9);
    atomic_store(&admission->gauges.settled, 8);
    assert_null(archive_spring());
    assert_error(FG_RPC_TIME_LIMIT, "revision 5");
    assert_int_equal(log_.count, 3);
    assert_null(item(7));
    assert_int_equal(fg_stock_free_units(&engine->stock, slot), 100);
    atomic_store(&admission->gauges.queued, 12); /* later ones are of other sales */
    atomic_store(&admission->gauges.settled, 9);
    assert_true(json_is_false(json_object_get(archive_spring(), "changed")));
    assert_int_equal(log_.count, 5);
    assert_int_equal(fg_stock_free_units(&engine->stock, slot), 0);
    engine->workers[1]->admission = NULL;
    free(admission);
}

static json_t *archived_after(const char *name)
{
    return call("sale.list", json_pack("{s:s,s:s*}", "archived", "true", "after", name));
}

/* Archived sales are listed by name, a page at a time; of one from before this start only the name
 * may be left. */
static void what_is_archived_can_be_listed(void **state)
{
    (void)state;
    assert_int_equal(json_array_size(archived_after(NULL)), 0);
    archive_spring();
    const json_t *list = archived_after(NULL), *sale = json_array_get(list, 0);
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_string_value(json_object_get(sale, "name")), "spring");
    assert_string_equal(json_string_value(json_object_get(sale, "state")), "archived");
    assert_int_equal(number(sale, "number"), 1);
    for (int i = 0; i < 700; i++) {
        char name[16];
        snprintf(name, sizeof(name), "old-%03d", i);
        json_object_set_new(control->model.names, name, json_integer(0));
    }
    list = archived_after(NULL);
    assert_int_equal(json_array_size(list), 500);
    sale = json_array_get(list, 499);
    assert_string_equal(json_string_value(json_object_get(sale, "name")), "old-499");
    assert_true(json_is_null(json_object_get(sale, "number")));
    list = archived_after("old-499");
    assert_int_equal(json_array_size(list), 201);
    sale = json_array_get(list, 200);
    assert_string_equal(json_string_value(json_object_get(sale, "name")), "spring");
    assert_null(call("sale.list", json_pack("{s:s}", "after", "old")));
    assert_error(FG_RPC_PARAMS, "after goes with archived");
    assert_null(call("sale.list", json_pack("{s:s}", "archived", "1")));
    assert_error(FG_RPC_PARAMS, "archived is \"true\" or \"false\"");
}

int main(void)
{
#define TEST(name, begin) cmocka_unit_test_setup_teardown(name, begin, stop)
    const struct CMUnitTest tests[] = {
        TEST(only_a_closed_sale_is_archived, start),
        TEST(held_orders_keep_a_sale, start_closed),
        TEST(names_and_state_are_journalled_after_it_is_gone, start_closed),
        TEST(its_slots_serve_others_its_names_nobody, start_closed),
        TEST(what_is_archived_can_be_listed, start_closed),
        TEST(it_waits_for_what_workers_have_queued, start_closed),
    };
    return cmocka_run_group_tests(tests, NULL, release_reply);
}
