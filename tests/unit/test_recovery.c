/* SPDX-License-Identifier: BSD-3-Clause */
/* What the journal makes of a log it finds: whole, or damaged. Tails and bases have tests of their
 * own. */
#include "faulty_disk.h"

static void test_restart_tells_the_same(void **state)
{
    struct log_fixture *fixture = *state;
    uint64_t id = 0;

    for (uint32_t run = 1; run <= 5; run++) {
        journal_must_open(fixture);
        assert_int_equal(fg_journal_epoch(fixture->journal), run);
        assert_int_equal(fixture->found.epoch, run);
        if (run == 1)
            id = fixture->found.journal_id;
        assert_int_equal(fixture->found.journal_id, id);
        assert_int_equal(fixture->found.cut_bytes, 0);
        assert_int_equal(fixture->told.controls_count, run - 1);
        assert_int_equal(fixture->told.orders_count, 2 * (run - 1));
        for (uint32_t i = 0; i < fixture->told.orders_count; i++) {
            struct fg_order_event wanted = an_order(1, i % 2, i / 2 + 1);
            wanted.sale_seq = i + 1;
            assert_memory_equal(&fixture->told.orders[i], &wanted, sizeof(wanted));
        }
        if (run > 1) {
            assert_int_equal(fixture->told.last_epoch, run - 1);
            assert_int_equal(fixture->found.last_wall_ns, an_order(1, 0, run - 1).at_ns);
            assert_string_equal(fixture->told.controls[run - 2].body, "{\"name\": \"x\"}");
            assert_int_equal(fixture->told.controls[run - 2].event.uid, 1000);
            assert_int_equal(fixture->told.controls[run - 2].event.value2, run - 1);
        }
        submit(fixture, FG_EVENT_SALE, 1, "{\"name\": \"x\"}", 0, run);
        push_order(fixture, 1, 0, run);
        push_order(fixture, 1, 1, run);
        assert_int_equal(fg_journal_step(fixture->journal), 1);
        if (run % 2 == 0)
            fg_journal_stop(fixture->journal);
        journal_drop(fixture);
    }
}

static void test_each_sale_has_its_numbers(void **state)
{
    struct log_fixture *fixture = *state;
    uint64_t seen[4] = {0};

    for (uint32_t run = 0; run < 2; run++) {
        journal_must_open(fixture);
        for (uint32_t i = 1; i <= 30; i++)
            push_order(fixture, 1 + i % 3, i % 4, i);
        assert_int_equal(fg_journal_step(fixture->journal), 1);
        journal_drop(fixture);
    }
    journal_must_open(fixture);
    assert_int_equal(fixture->told.orders_count, 60);
    for (size_t i = 0; i < 60; i++) {
        const struct fg_order_event *event = &fixture->told.orders[i];
        assert_int_equal(event->sale_seq, ++seen[event->sale]);
    }
}

/* --- Damage --- */

static void test_damage_is_refused(void **state)
{
    struct log_fixture *fixture = *state;
    char segment[FG_BLOCK_BYTES], again[FG_BLOCK_BYTES];

    journal_must_open(fixture);
    for (uint32_t i = 1; i <= 3; i++) {
        push_order(fixture, 1, 0, i);
        assert_int_equal(fg_journal_step(fixture->journal), 1);
    }
    journal_drop(fixture);
    int file = segment_file(fixture, 1);
    damage(fixture, 1, 3 * FG_BLOCK_BYTES + 100, "?", 1);
    assert_int_equal(pread(file, segment, sizeof(segment), 5 * FG_BLOCK_BYTES), sizeof(segment));
    assert_int_equal(journal_open(fixture), FG_EXIT_CORRUPT);
    assert_non_null(strstr(fixture->message, "segment-00000001.fgl"));
    assert_non_null(strstr(fixture->message, "frame 4 "));
    assert_non_null(strstr(fixture->message, "offset 12288"));
    /* Nothing was written, and the lock is free again. */
    assert_int_equal(pread(file, again, sizeof(again), 5 * FG_BLOCK_BYTES), sizeof(again));
    assert_memory_equal(segment, again, sizeof(segment));
    assert_int_equal(journal_open(fixture), FG_EXIT_CORRUPT);
    close(file);
}

/* Changes the frame at `offset` of segment 1 and makes its CRC right. */
static void forge(const struct log_fixture *fixture, uint64_t offset, uint16_t version,
                  uint32_t epoch, uint64_t sale_seq)
{
    _Alignas(8) uint8_t block[FG_BLOCK_BYTES];
    struct fg_frame *frame = (struct fg_frame *)block;
    int file = segment_file(fixture, 1);

    assert_int_equal(pread(file, block, sizeof(block), (off_t)offset), sizeof(block));
    close(file);
    frame->version = version;
    frame->epoch = epoch;
    if (frame->count > 0)
        ((struct fg_order_event *)(frame + 1))->sale_seq = sale_seq;
    frame->crc = fg_frame_crc(frame);
    damage(fixture, 1, offset, block, sizeof(block));
}

static void test_unknown_version_is_refused(void **state)
{
    struct log_fixture *fixture = *state;

    journal_must_open(fixture);
    journal_drop(fixture);
    forge(fixture, FG_BLOCK_BYTES, 3, 1, 0);
    assert_int_equal(journal_open(fixture), FG_EXIT_CORRUPT);
    assert_non_null(strstr(fixture->message, "version"));
}

static void test_epochs_end(void **state)
{
    struct log_fixture *fixture = *state;

    journal_must_open(fixture);
    journal_drop(fixture);
    forge(fixture, FG_BLOCK_BYTES, FG_FRAME_VERSION, FG_EPOCH_MAX - 1, 0);
    journal_must_open(fixture);
    assert_int_equal(fg_journal_epoch(fixture->journal), FG_EPOCH_MAX);
    journal_drop(fixture);
    assert_int_equal(journal_open(fixture), FG_EXIT_CORRUPT);
    assert_non_null(strstr(fixture->message, "epoch"));
}

static void test_gap_in_sale_seq_is_refused(void **state)
{
    struct log_fixture *fixture = *state;

    journal_must_open(fixture);
    push_order(fixture, 1, 0, 1);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    journal_drop(fixture);
    forge(fixture, 2 * FG_BLOCK_BYTES, FG_FRAME_VERSION, 1, 2);
    assert_int_equal(journal_open(fixture), FG_EXIT_CORRUPT);
    assert_non_null(strstr(fixture->message, "record 1 (ADMIT)"));
}

static void test_what_apply_refuses(void **state)
{
    struct log_fixture *fixture = *state;
    const struct {
        int answer;
        enum fg_exit_status status;
    } cases[] = {{-ENOSPC, FG_EXIT_CONFIG}, {-ENOMEM, FG_EXIT_MEMORY}, {-EINVAL, FG_EXIT_CORRUPT}};

    journal_must_open(fixture);
    for (uint32_t i = 1; i <= 3; i++)
        push_order(fixture, 1, 0, i);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    journal_drop(fixture);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture->told.answer = cases[i].answer;
        fixture->told.answer_at = 2;
        assert_int_equal(journal_open(fixture), cases[i].status);
        assert_int_equal(fixture->told.orders_count, 2);
    }
    /* None of these raised the epoch. */
    fixture->told.answer = 0;
    journal_must_open(fixture);
    assert_int_equal(fg_journal_epoch(fixture->journal), 2);
}

/* Every record is expected before it is told, in the same order; what is not told is not expected.
 */
struct expected {
    struct fg_record next[64];
    unsigned count, at;
    unsigned told, great; /* and the most at a time */
};

static void expect(void *arg, const struct fg_record *records, unsigned count)
{
    struct expected *expected = arg;

    assert_int_equal(expected->at, expected->count);
    assert_in_range(count, 1, sizeof(expected->next) / sizeof(expected->next[0]));
    memcpy(expected->next, records, count * sizeof(records[0]));
    expected->count = count;
    expected->at = 0;
    if (count > expected->great)
        expected->great = count;
}

static int tell_expected(void *arg, const struct fg_record *record)
{
    struct expected *expected = arg;

    assert_true(expected->at < expected->count);
    assert_ptr_equal(expected->next[expected->at].unit, record->unit);
    assert_int_equal(expected->next[expected->at].lsn, record->lsn);
    expected->at++;
    expected->told++;
    return 0;
}

static void test_records_are_expected(void **state)
{
    struct log_fixture *fixture = *state;
    struct expected expected = {0};

    journal_must_open(fixture);
    submit(fixture, FG_EVENT_SALE, 1, "{\"name\": \"x\"}", 0, 1);
    for (uint32_t i = 1; i <= 100; i++)
        push_order(fixture, 1, 0, i);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    uint32_t more = rotate(fixture, 1); /* the second segment's base is not news */
    journal_drop(fixture);

    fixture->config.expect = expect;
    fixture->journal =
        fg_journal_open(&fixture->config, tell_expected, &expected, &fixture->found,
                        &fixture->status, fixture->message, sizeof(fixture->message));
    assert_non_null(fixture->journal);
    assert_int_equal(expected.at, expected.count);
    assert_int_equal(expected.told, 1 + 100 + more);
    assert_true(fixture->found.records > expected.told);
    assert_true(expected.great > 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_restart_tells_the_same),
        CASE(test_each_sale_has_its_numbers),
        CASE(test_damage_is_refused),
        CASE(test_unknown_version_is_refused),
        CASE(test_epochs_end),
        CASE(test_gap_in_sale_seq_is_refused),
        CASE(test_what_apply_refuses),
        CASE(test_records_are_expected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
