/* SPDX-License-Identifier: BSD-3-Clause */
/* Group commit, rotation and recovery of the journal, on real files. */
#include "log_fixture.h"

static void test_new_log(void **state)
{
    struct log_fixture *fixture = *state;

    journal_must_open(fixture);
    assert_int_equal(fg_journal_epoch(fixture->journal), 1);
    assert_int_equal(fixture->found.epoch, 1);
    assert_int_equal(fixture->found.records, 0);
    assert_int_equal(fixture->found.cut_bytes, 0);
    assert_true(fg_journal_durable(fixture->journal) > 0);
    assert_int_equal(fg_journal_step(fixture->journal), 0);
}

static void test_records_come_back(void **state)
{
    struct log_fixture *fixture = *state;

    journal_must_open(fixture);
    uint64_t id = fg_journal_id(fixture->journal);
    assert_int_equal(submit(fixture, FG_EVENT_SALE, 1, "{\"name\":\"first\"}", 0, 0), 1);
    assert_int_equal(push_order(fixture, 1, 2, 1), 1);
    assert_int_equal(push_order(fixture, 1, 2, 2), 2);
    assert_int_equal(fg_lane_durable(fg_journal_lane(fixture->journal, 2)), 0);
    assert_int_equal(fg_journal_submitted_durable(fixture->journal), 0);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    assert_int_equal(fg_lane_durable(fg_journal_lane(fixture->journal, 2)), 2);
    assert_int_equal(fg_journal_submitted_durable(fixture->journal), 1);
    assert_int_equal(fg_journal_step(fixture->journal), 0);
    journal_drop(fixture);

    journal_must_open(fixture);
    assert_int_equal(fg_journal_epoch(fixture->journal), 2);
    assert_int_equal(fg_journal_id(fixture->journal), id);
    assert_int_equal(fixture->found.records, 3);
    assert_int_equal(fixture->told.controls_count, 1);
    assert_string_equal(fixture->told.controls[0].body, "{\"name\":\"first\"}");
    assert_int_equal(fixture->told.controls[0].event.uid, 1000);
    assert_int_equal(fixture->told.orders_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        struct fg_order_event wanted = an_order(1, 2, i + 1);
        wanted.sale_seq = i + 1;
        assert_memory_equal(&fixture->told.orders[i], &wanted, sizeof(wanted));
    }
    assert_int_equal(fixture->told.last_epoch, 1);
    assert_int_equal(fixture->found.last_wall_ns, an_order(1, 2, 2).at_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_new_log, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_records_come_back, fixture_open, fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
