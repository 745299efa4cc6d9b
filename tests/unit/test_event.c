/* SPDX-License-Identifier: BSD-3-Clause */
/* Kinds, sizes and ids of records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dataplane/orders/event.h"

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(fg_event_name(FG_EVENT_ADMIT), "ADMIT");
    assert_string_equal(fg_event_name(FG_EVENT_REFUSE_LATE), "REFUSE_LATE");
    assert_string_equal(fg_event_name(FG_EVENT_NAMES_USED), "NAMES_USED");
    assert_string_equal(fg_event_name(0), "?");
    assert_string_equal(fg_event_name(31), "?");
    assert_string_equal(fg_event_name(255), "?");
}

static void test_order_and_control_kinds_are_apart(void **state)
{
    (void)state;
#define X(name, code, meaning)                                                                     \
    {                                                                                              \
        struct fg_order_event event = {.kind = FG_EVENT_##name};                                   \
        assert_false(fg_event_is_control(&event));                                                 \
        assert_int_equal(fg_record_bytes(&event), 64);                                             \
    }
    FG_ORDER_KINDS(X)
#undef X
#define X(name, code, meaning)                                                                     \
    {                                                                                              \
        struct fg_control_event event = {.kind = FG_EVENT_##name};                                 \
        assert_true(fg_event_is_control(&event));                                                  \
    }
    FG_CONTROL_KINDS(X)
#undef X
}

static void test_control_bodies_fill_whole_units(void **state)
{
    (void)state;
    const struct {
        uint32_t body, bytes;
    } cases[] = {
        {0, 64}, {1, 128}, {63, 128}, {64, 128}, {65, 192}, {4 << 20, 64 + (4 << 20)},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fg_control_event event = {.kind = FG_EVENT_SALE, .body_length = cases[i].body};
        assert_int_equal(fg_record_bytes(&event), cases[i].bytes);
    }
}

static void test_order_ids_do_not_meet(void **state)
{
    (void)state;
    assert_int_equal(fg_order_id(0, 1, 0, 0), UINT64_C(1) << 38);
    /* The greatest of each part is below the least step of the next one. */
    assert_int_equal(fg_order_id(0, 0, 0, UINT32_MAX) + 1, fg_order_id(0, 0, 1, 0));
    assert_int_equal(fg_order_id(0, 0, FG_WORKERS_MAX - 1, UINT32_MAX) + 1,
                     fg_order_id(0, 1, 0, 0));
    assert_int_equal(fg_order_id(0, FG_EPOCH_MAX, FG_WORKERS_MAX - 1, UINT32_MAX) + 1,
                     fg_order_id(1, 0, 0, 0));
    assert_int_equal(fg_order_id(FG_NODE_MAX, FG_EPOCH_MAX, FG_WORKERS_MAX - 1, UINT32_MAX),
                     UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_order_and_control_kinds_are_apart),
        cmocka_unit_test(test_control_bodies_fill_whole_units),
        cmocka_unit_test(test_order_ids_do_not_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
