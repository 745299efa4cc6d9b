/* SPDX-License-Identifier: BSD-3-Clause */
/* A log that is short of room: what operators do must not write the last of it, and what ends
 * sales, which frees it, must still be possible. */
#include "tests/unit/fake_engine.h"

#define MIB UINT64_C(1048576)

static int start_selling(void **state)
{
    start(state);
    assert_non_null(apply(SPRING SHOE(100) HAT));
    assert_non_null(of_sale("sale.open", "spring"));
    return 0;
}

static void leave(uint64_t bytes)
{
    atomic_store(&log_.stats.room_bytes, bytes);
}

static json_t *set_limit(const char *value)
{
    return call("item.set",
                json_pack("{s:s,s:s,s:s}", "item", "7", "field", "limit", "value", value));
}

static json_t *add_stock(void)
{
    return call("stock.add", json_pack("{s:s,s:s}", "item", "7", "units", "1"));
}

/* Every change of one field is a record of the whole sale. Of 1 GiB an eighth is kept. */
static void definitions_leave_what_settling_needs(void **state)
{
    (void)state;
    unsigned count = log_.count;
    leave(129 * MIB);
    assert_non_null(set_limit("20"));
    assert_int_equal(log_.count, count + 1);
    leave(128 * MIB);
    assert_null(set_limit("30"));
    assert_error(FG_RPC_REFUSED, "the log has 128 MiB left of 1024");
    assert_null(apply("name: autumn\nitems:\n  - id: 9\n    name: Coat\n    stock: 5\n"));
    assert_error(FG_RPC_REFUSED, "nothing was changed: archive sales that are over");
    assert_int_equal(log_.count, count + 1);
    assert_non_null(add_stock());
    assert_int_equal(log_.count, count + 2);
}

/* Both records of a change are looked at before the first is written. */
static void no_half_of_a_change_is_written(void **state)
{
    (void)state;
    unsigned count = log_.count;
    leave(128 * MIB + 3 * 2 * 2 * FG_ITEM_NAME_MAX);
    assert_null(call("sale.apply",
                     json_pack("{s:s,s:s,s:b}", "text",
                               "name: spring\nlimit: 1\nitems:\n  - id: 7\n    name: Shoe\n    "
                               "stock: 101\n    limit: 2\n" HAT,
                               "source", "sale.yaml", "confirmed", true)));
    assert_error(FG_RPC_REFUSED, "nothing was changed");
    assert_int_equal(log_.count, count);
}

static void the_last_of_it_is_for_what_frees_it(void **state)
{
    (void)state;
    unsigned count = log_.count;
    leave(16 * MIB - 1);
    assert_null(add_stock());
    assert_error(FG_RPC_REFUSED, "kept for closing and archiving sales");
    assert_null(call("item.pause", json_pack("{s:s}", "item", "7")));
    assert_null(of_sale("sale.resume", "spring"));
    assert_null(call("engine.resume", json_object()));
    assert_error(FG_RPC_REFUSED, "the log has 15 MiB left of 1024");
    assert_int_equal(log_.count, count);
    assert_non_null(call("sale.list", json_object()));
    assert_non_null(of_sale("sale.pause", "spring"));
    assert_non_null(of_sale("sale.close", "spring"));
    assert_non_null(of_sale("sale.archive", "spring"));
    assert_int_equal(log_.count, count + 4);
}

/* What the budget still allows is no room when the disk gives none. */
static void a_full_disk_counts_from_its_last_segment(void **state)
{
    (void)state;
    leave(65 * MIB);
    assert_null(set_limit("20"));
    atomic_store(&log_.stats.stuck, ENOSPC);
    assert_non_null(set_limit("20"));
    leave(64 * MIB);
    assert_null(set_limit("30"));
    leave(8 * MIB);
    assert_non_null(add_stock());
    leave(8 * MIB - 1);
    assert_null(add_stock());
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_selling, stop)
    const struct CMUnitTest tests[] = {
        TEST(definitions_leave_what_settling_needs),
        TEST(no_half_of_a_change_is_written),
        TEST(the_last_of_it_is_for_what_frees_it),
        TEST(a_full_disk_counts_from_its_last_segment),
    };
    return cmocka_run_group_tests_name("room", tests, NULL, release_reply);
}
