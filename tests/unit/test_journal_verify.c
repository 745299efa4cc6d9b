/* SPDX-License-Identifier: BSD-3-Clause */
/* A log that the journal itself wrote, over a change of segments and of epochs, is sound. */
#include "log_fixture.h"

#include "control/journal/check.h"

#define ORDERS 270000 /* a segment holds some 262,000 */

static const char sale_body[] =
    "{\"name\":\"drop\",\"number\":1,\"state\":\"scheduled\",\"opens_ns\":0,\"closes_ns\":0,"
    "\"cancel_final\":false,\"late_confirm\":\"refuse\",\"items\":["
#define ITEM(id)                                                                                   \
    "{\"id\":" #id ",\"name\":\"a\",\"stock\":1000000000,\"limit\":0,\"max_per_order\":9,"         \
    "\"hold_ms\":60000}"
    ITEM(100) "," ITEM(101) "," ITEM(102) "," ITEM(103) "," ITEM(104) "," ITEM(105) "," ITEM(
        106) "]}";

static void write_log(struct log_fixture *fixture)
{
    journal_must_open(fixture);
    assert_int_not_equal(submit(fixture, FG_EVENT_SALE, 1, sale_body, 0, 0), 0);
    assert_int_not_equal(submit(fixture, FG_EVENT_SALE_STATE, 1, NULL, FG_SALE_OPEN, 0), 0);
    assert_int_not_equal(submit(fixture, FG_EVENT_STOCK_ADD, 1, NULL, 5, 103), 0);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    for (uint32_t count = 0; count < ORDERS; count++) {
        if (fg_lane_room(fg_journal_lane(fixture->journal, 0)) == 0)
            assert_int_equal(fg_journal_step(fixture->journal), 1);
        push_order(fixture, 1, 0, count);
    }
    fg_journal_stop(fixture->journal);
    journal_drop(fixture);
}

static void what_the_journal_writes_is_sound(void **state)
{
    struct log_fixture *fixture = *state;
    struct fg_journal_check check;
    struct fg_journal_facts facts;
    char message[MESSAGE_BYTES];

    write_log(fixture);
    journal_must_open(fixture); /* another epoch */
    journal_drop(fixture);
    assert_int_equal(fg_journal_check_log(&check, &fg_disk_files, fixture->dir, &facts), 0);
    if (check.status != FG_EXIT_OK)
        fail_msg("record %llu: %s", (unsigned long long)check.at.lsn, check.problem);
    assert_int_equal(fg_journal_judge(&facts, fixture->dir, message, sizeof(message)), FG_EXIT_OK);
    assert_int_equal(facts.last_segment, 2);
    assert_int_equal(facts.last_epoch, 2);
    assert_int_equal(check.orders.count, ORDERS);
    fg_journal_check_fini(&check);
}

/* Half a copy; and the segments that were prepared, when those with records are gone. */
static void what_no_start_would_take_is_damage(void **state)
{
    struct log_fixture *fixture = *state;
    const struct fg_journal_visitor visitor = {0};
    struct fg_journal_facts facts;
    char message[MESSAGE_BYTES], path[300], name[FG_SEGMENT_NAME_BYTES];

    assert_int_equal(fg_journal_walk(&fg_disk_files, fixture->dir, &visitor, &facts), 0);
    assert_int_equal(fg_journal_judge(&facts, fixture->dir, message, sizeof(message)),
                     FG_EXIT_FAILED);
    snprintf(path, sizeof(path), "%s/" FG_COPY_UNFINISHED, fixture->dir);
    int mark = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
    assert_true(mark >= 0);
    close(mark);
    assert_int_equal(fg_journal_walk(&fg_disk_files, fixture->dir, &visitor, &facts), 0);
    assert_int_equal(fg_journal_judge(&facts, fixture->dir, message, sizeof(message)),
                     FG_EXIT_CORRUPT);
    assert_non_null(strstr(message, "cut short"));
    assert_int_equal(unlink(path), 0);

    fg_segment_name(name, 2);
    snprintf(path, sizeof(path), "%s/%s", fixture->dir, name);
    int file = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
    assert_true(file >= 0);
    assert_int_equal(ftruncate(file, 16 << 20), 0);
    close(file);
    assert_int_equal(fg_journal_walk(&fg_disk_files, fixture->dir, &visitor, &facts), 0);
    assert_int_equal(fg_journal_judge(&facts, fixture->dir, message, sizeof(message)),
                     FG_EXIT_CORRUPT);
    assert_non_null(strstr(message, "number 2, and it is empty"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_the_journal_writes_is_sound, fixture_open,
                                        fixture_close),
        cmocka_unit_test_setup_teardown(what_no_start_would_take_is_damage, fixture_open,
                                        fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
