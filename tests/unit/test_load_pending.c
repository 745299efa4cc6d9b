/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "perf/load/pending.h"
#include "perf/load/random.h"

static struct load_pending pending;

static int open_table(void **state)
{
    (void)state;
    return load_pending_init(&pending, 48);
}

static int close_table(void **state)
{
    (void)state;
    load_pending_fini(&pending);
    return 0;
}

static void what_is_inserted_is_found_until_removed(void **state)
{
    (void)state;
    assert_null(load_pending_find(&pending, 1000));
    assert_null(load_pending_find(&pending, 0));
    load_pending_insert(&pending, 1000, 7, 3);
    struct load_pending_entry *entry = load_pending_find(&pending, 1000);
    assert_non_null(entry);
    assert_int_equal(entry->record, 7);
    assert_int_equal(entry->count, 3);
    assert_null(load_pending_find(&pending, 1001));
    load_pending_remove(&pending, entry);
    assert_null(load_pending_find(&pending, 1000));
    assert_int_equal(pending.count, 0);
}

static void capacity_is_had_and_full_is_told(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 48; i++) {
        assert_false(load_pending_full(&pending));
        load_pending_insert(&pending, 1 + i, (uint32_t)i, 1);
    }
    assert_true(load_pending_full(&pending));
}

/* Names that share a home, and runs that wrap round the table's end, against a plain array. */
static void random_use_equals_a_plain_list(void **state)
{
    enum { NAMES = 40, STEPS = 200000 };
    uint64_t names[NAMES];
    bool present[NAMES] = {0};
    (void)state;

    for (int i = 0; i < NAMES; i++) /* few homes, near the end of the table of 64 places */
        names[i] = ((UINT64_C(58) + (uint64_t)i / 5) << 6) + (uint64_t)(i % 5) * 3 +
                   ((uint64_t)(i % 3) << 12);
    for (uint64_t step = 0; step < STEPS; step++) {
        int i = (int)(load_word(3, step) % NAMES);
        struct load_pending_entry *entry = load_pending_find(&pending, names[i]);
        assert_int_equal(entry != NULL, present[i]);
        if (entry) {
            assert_int_equal(entry->record, i);
            load_pending_remove(&pending, entry);
        } else {
            load_pending_insert(&pending, names[i], (uint32_t)i, 1);
        }
        present[i] = !present[i];
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_inserted_is_found_until_removed, open_table,
                                        close_table),
        cmocka_unit_test_setup_teardown(capacity_is_had_and_full_is_told, open_table, close_table),
        cmocka_unit_test_setup_teardown(random_use_equals_a_plain_list, open_table, close_table),
    };
    return cmocka_run_group_tests_name("load_pending", tests, NULL, NULL);
}
