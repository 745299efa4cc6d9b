/* SPDX-License-Identifier: BSD-3-Clause */
/* Recovery of a log whose last frame was being written: what is cut, and what is kept. */
#include "faulty_disk.h"

/* Writes one frame, then one that is torn: of its five blocks those in `kept` reach the disk. */
static void tear(struct log_fixture *fixture, uint64_t kept)
{
    struct faults *faults = use_faulty_disk(fixture);

    journal_must_open(fixture);
    push_order(fixture, 1, 0, 1);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    for (uint32_t i = 2; i <= 300; i++)
        push_order(fixture, 1, 0, i);
    faults->fail_write = true;
    faults->torn_kept = kept;
    assert_int_equal(fg_journal_step(fixture->journal), -EIO);
    faults->fail_write = false;
    journal_drop(fixture);
}

static void test_torn_frames_are_cut(void **state)
{
    struct log_fixture *fixture = *state;

    for (uint64_t kept = 0; kept < 31; kept++) {
        int blocks = __builtin_popcountll(kept);
        tear(fixture, kept);
        journal_must_open(fixture);
        assert_int_equal(fixture->found.cut_bytes, blocks * FG_BLOCK_BYTES);
        assert_int_equal(fixture->told.orders_count, 1);
        assert_int_equal(fixture->found.end.offset, 3 * FG_BLOCK_BYTES);
        assert_int_equal(fg_journal_epoch(fixture->journal), 2);
        /* It goes on where the torn frame stood, and nothing of that is left behind. */
        push_order(fixture, 1, 0, 2);
        assert_int_equal(fg_journal_step(fixture->journal), 1);
        journal_drop(fixture);
        journal_must_open(fixture);
        assert_int_equal(fixture->found.cut_bytes, 0);
        assert_int_equal(fixture->told.orders_count, 2);
        assert_int_equal(fixture->told.orders[1].sale_seq, 2);
        journal_drop(fixture);
        assert_int_equal(fixture_close(state), 0);
        assert_int_equal(fixture_open(state), 0);
        fixture = *state;
    }
    /* All its blocks are there: it was written, only its answer was lost. */
    tear(fixture, 31);
    journal_must_open(fixture);
    assert_int_equal(fixture->found.cut_bytes, 0);
    assert_int_equal(fixture->told.orders_count, 300);
}

/* --- The streams' word on a torn tail --- */

/* What the streams say, by sale number (names are sale-N), and what they were asked. */
static struct asked {
    int answers[4];
    unsigned calls[4];
    struct fg_stream_id last[4];
} asked;

static int tail_known(void *arg, const char *sale, struct fg_stream_id last)
{
    struct asked *to = arg;
    unsigned number;

    assert_int_equal(sscanf(sale, "sale-%u", &number), 1);
    assert_in_range(number, 1, 3);
    to->calls[number]++;
    to->last[number] = last;
    return to->answers[number];
}

/* Two epochs, three live sales and an archived one, then a torn frame of sale 1. */
static void tear_with_sales(struct log_fixture *fixture)
{
    struct faults *faults = use_faulty_disk(fixture);

    journal_must_open(fixture);
    submit(fixture, FG_EVENT_SALE, 1, "{\"number\": 1, \"name\": \"sale-1\"}", 0, 0);
    submit(fixture, FG_EVENT_SALE, 2, "{\"name\": \"sale-2\"}", 0, 0);
    submit(fixture, FG_EVENT_SALE, 3, "{\"name\": \"sale-3\"}", 0, 0);
    submit(fixture, FG_EVENT_SALE, 4, "{\"name\": \"sale-4\"}", 0, 0);
    submit(fixture, FG_EVENT_SALE_STATE, 4, NULL, FG_SALE_ARCHIVED, 0);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    push_order(fixture, 1, 0, 1);
    push_order(fixture, 2, 0, 2);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    journal_drop(fixture);
    journal_must_open(fixture);
    push_order(fixture, 1, 0, 3);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    for (uint32_t i = 4; i <= 300; i++)
        push_order(fixture, 1, 0, i);
    faults->fail_write = true;
    faults->torn_kept = 3;
    assert_int_equal(fg_journal_step(fixture->journal), -EIO);
    faults->fail_write = false;
    journal_drop(fixture);
}

static void test_streams_are_asked_before_a_cut(void **state)
{
    struct log_fixture *fixture = *state;
    char first[FG_BLOCK_BYTES], again[FG_BLOCK_BYTES];

    tear_with_sales(fixture);
    fixture->config.tail_known = tail_known;
    fixture->config.tail_arg = &asked;
    asked = (struct asked){.answers = {0, -ETIMEDOUT, 0, 1}};
    int file = segment_file(fixture, 1);
    const off_t torn = 6 * FG_BLOCK_BYTES; /* base, epoch, sales, orders, epoch, order */
    assert_int_equal(pread(file, first, sizeof(first), torn), sizeof(first));
    /* One stream that knows more is enough, though another cannot be asked; nothing is written. */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(journal_open(fixture), FG_EXIT_CORRUPT);
        assert_non_null(strstr(fixture->message, "segment-00000001.fgl: frame 7 at offset 24576"));
        assert_non_null(strstr(fixture->message, "sale sale-3"));
        assert_non_null(strstr(fixture->message, "Restore the log"));
        assert_int_equal(pread(file, again, sizeof(again), torn), sizeof(again));
        assert_memory_equal(first, again, sizeof(first));
    }
    close(file);
    for (unsigned sale = 1; sale <= 3; sale++)
        assert_int_equal(asked.calls[sale], 2);
    const struct fg_stream_id wanted[] = {{0}, {2, 2}, {1, 1}, {0, 0}};
    assert_memory_equal(&asked.last[1], &wanted[1], 3 * sizeof(wanted[0]));

    /* Nobody knows more, but not everybody was asked: it is cut, and said. */
    asked = (struct asked){.answers = {0, -ETIMEDOUT, 0, 0}};
    journal_must_open(fixture);
    assert_int_equal(fixture->found.cut_bytes, 2 * FG_BLOCK_BYTES);
    assert_true(fixture->found.tail_unasked);
    assert_int_equal(fixture->told.orders_count, 3);
    journal_drop(fixture);
    /* A whole tail is nobody's question. */
    asked = (struct asked){.answers = {0, 1, 1, 1}};
    journal_must_open(fixture);
    assert_int_equal(asked.calls[1], 0);
    assert_false(fixture->found.tail_unasked);
}

static void test_streams_that_know_nothing_let_it_be_cut(void **state)
{
    struct log_fixture *fixture = *state;

    tear_with_sales(fixture);
    fixture->config.tail_known = tail_known;
    fixture->config.tail_arg = &asked;
    asked = (struct asked){0};
    journal_must_open(fixture);
    assert_int_equal(fixture->found.cut_bytes, 2 * FG_BLOCK_BYTES);
    assert_false(fixture->found.tail_unasked);
    assert_int_equal(asked.calls[1] + asked.calls[2] + asked.calls[3], 3);
}

/* The very first frame of a log, torn: the log is as good as new. */
static void test_torn_first_frame(void **state)
{
    struct log_fixture *fixture = *state;
    uint8_t noise[FG_BLOCK_BYTES];

    journal_must_open(fixture);
    uint64_t id = fixture->found.journal_id;
    journal_drop(fixture);
    memset(noise, 0x46, sizeof(noise));
    damage(fixture, 1, 0, noise, sizeof(noise));
    memset(noise, 0, sizeof(noise));
    damage(fixture, 1, FG_BLOCK_BYTES, noise, sizeof(noise));
    journal_must_open(fixture);
    assert_int_equal(fixture->found.cut_bytes, FG_BLOCK_BYTES);
    assert_int_equal(fg_journal_epoch(fixture->journal), 1);
    assert_true(fixture->found.journal_id != id);
    push_order(fixture, 1, 0, 1);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    journal_drop(fixture);
    journal_must_open(fixture);
    assert_int_equal(fixture->told.orders_count, 1);
}

/* The last frame may be in the file and not on the disk: it is flushed before anything follows it,
 * and a log whose end cannot be flushed is not gone on with. */
static void test_the_end_is_flushed_first(void **state)
{
    struct log_fixture *fixture = *state;
    struct faults *faults = use_faulty_disk(fixture);

    faults->no_direct = true;
    journal_must_open(fixture);
    push_order(fixture, 1, 1, 1);
    faults->fail_flush = true;
    assert_int_equal(fg_journal_step(fixture->journal), -EIO);
    journal_drop(fixture);

    faults->writes_seen = 0;
    assert_int_equal(journal_open(fixture), FG_EXIT_DISK);
    assert_int_equal(faults->writes_seen, 0);
    faults->fail_flush = false;
    journal_must_open(fixture);
    assert_int_equal(fixture->told.orders_count, 1);
}

static void test_names_are_synced_first(void **state)
{
    struct log_fixture *fixture = *state;
    struct faults *faults = use_faulty_disk(fixture);

    journal_must_open(fixture);
    journal_drop(fixture);
    faults->fail_sync = -EIO;
    faults->writes_seen = 0;
    assert_int_equal(journal_open(fixture), FG_EXIT_DISK);
    assert_int_equal(faults->writes_seen, 0);
    faults->fail_sync = 0;
    journal_must_open(fixture);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_torn_frames_are_cut),
        CASE(test_streams_are_asked_before_a_cut),
        CASE(test_streams_that_know_nothing_let_it_be_cut),
        CASE(test_torn_first_frame),
        CASE(test_the_end_is_flushed_first),
        CASE(test_names_are_synced_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
