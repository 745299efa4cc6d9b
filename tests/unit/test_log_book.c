/* SPDX-License-Identifier: BSD-3-Clause */
/* The log read into books: logs written by hand, record by record, and one of a real journal.
 * Bases: test_log_book_bases.c. */
#include "tests/unit/log_book_fixture.h"
#include "tests/unit/log_fixture.h"

/* --- what is read --- */

static void orders_and_supply_are_read_in_their_places(void **state)
{
    (void)state;
    struct reading reading;
    begin_sale(&reading);
    put_order(&reading, FG_EVENT_ADMIT, 1, 11);
    put_order(&reading, FG_EVENT_ADMIT, 2, 12);
    put_units(&reading, FG_EVENT_STOCK_ADD, 3, 4, 0);
    put_units(&reading, FG_EVENT_STOCK_ADD, 3, 4, 0); /* told twice: counts once */
    put_order(&reading, FG_EVENT_ADMIT, 3, 13);
    put_units(&reading, FG_EVENT_STOCK_REMOVE, 4, 3, 0);
    put_order(&reading, FG_EVENT_EXPIRE, 4, 11);
    hand_log_frame(&reading.log, 0);
    clean(&reading);

    const struct fg_log_book *book = &reading.book;
    assert_int_equal(book->sales_count, 1);
    assert_string_equal(book->streams[0].sale, "drop");
    assert_int_equal(fg_log_book_sale(book, "drop"), 0);
    assert_int_equal(fg_log_book_sale(book, "drops"), -1);
    assert_int_equal(book->streams[0].count, 4);
    assert_int_equal(book->streams[0].entries[2].event.order, 13);
    assert_int_equal(book->streams[0].entries[2].lsn, 6);
    assert_int_equal(book->streams[0].entries[2].epoch, 1);
    assert_int_equal(book->items_count, 2);
    assert_int_equal(book->items[0].stock, 2);
    assert_int_equal(book->changes_count, 2);
    assert_int_equal(book->changes[0].after, 2);
    assert_int_equal(book->changes[0].stock, 6);
    assert_int_equal(book->changes[0].lsn, 4);
    assert_int_equal(book->changes[1].after, 3);
    assert_int_equal(book->changes[1].stock, 3);
    assert_int_equal(fg_log_book_item(book, 7), 0);
    assert_int_equal(fg_log_book_item(book, 9), UINT32_MAX);
    int64_t given[2];
    fg_log_book_given(book, given);
    assert_int_equal(given[0], 2);
    assert_int_equal(given[1], 0);
    assert_int_equal(book->starts, 1);
    end(&reading);
}

static void a_definition_supersedes_what_was_added(void **state)
{
    (void)state;
    struct reading reading;
    begin_sale(&reading);
    put_units(&reading, FG_EVENT_STOCK_ADD, 3, 4, 0);
    put_sale(&reading, 10, 4, 70);
    put_sale(&reading, 10, 4, 80); /* nothing new */
    hand_log_frame(&reading.log, 0);
    clean(&reading);
    assert_int_equal(reading.book.changes_count, 2);
    assert_int_equal(reading.book.changes[1].stock, 10);
    assert_int_equal(reading.book.changes[1].limit, 4);
    assert_int_equal(reading.book.changes[1].at_ns, 70);
    end(&reading);
}

static void a_log_that_grows_is_read_on(void **state)
{
    (void)state;
    struct reading reading;
    begin_sale(&reading);
    clean(&reading);
    assert_int_equal(reading.book.events, 0);
    put_order(&reading, FG_EVENT_ADMIT, 1, 11);
    hand_log_frame(&reading.log, 0);
    clean(&reading);
    assert_int_equal(reading.book.events, 1);
    put_order(&reading, FG_EVENT_CONFIRM, 2, 11);
    hand_log_frame(&reading.log, 0);
    hand_log_frame(&reading.log, FG_FRAME_CLOSING);
    assert_int_equal(fg_log_book_read(&reading.book, reading.log.sequence - 1, reading.message,
                                      sizeof(reading.message)),
                     FG_LOG_END);
    assert_int_equal(reading.book.events, 2);
    end(&reading);
}

static void oversold_at_a_prefix_of_the_log_is_found(void **state)
{
    (void)state;
    struct reading reading;
    begin_sale(&reading);
    for (unsigned i = 1; i <= 3; i++)
        put_order(&reading, FG_EVENT_ADMIT, i, 10 + i);
    put_units(&reading, FG_EVENT_STOCK_ADD, 3, 4, 0);
    hand_log_frame(&reading.log, 0);
    struct fg_check_input input = {0};
    struct fg_check_result result;
    assert_int_equal(read_on(&reading), FG_LOG_END);
    fg_log_book_input(&reading.book, &input);
    assert_int_equal(fg_check_run(&input, &result, &reading.findings), 0);
    fg_check_result_free(&result);
    assert_int_equal(reading.findings.counts[FG_CHECK_OVERSOLD], 1);
    assert_non_null(strstr(reading.sentences, "(LSN 4): from here on 3 units of item 7"));
    end(&reading);
}

static void states_are_read(void **state)
{
    (void)state;
    struct reading reading;
    begin_sale(&reading);
    put(&reading,
        (struct fg_control_event){.kind = FG_EVENT_SALE_STATE, .sale = 1, .value = FG_SALE_OPEN},
        NULL);
    hand_log_frame(&reading.log, 0);
    clean(&reading);
    assert_int_equal(reading.book.sales[0].state, FG_SALE_OPEN);
    assert_int_equal(reading.book.sales[0].archived_lsn, 0);
    put(&reading,
        (struct fg_control_event){
            .kind = FG_EVENT_SALE_STATE, .sale = 1, .value = FG_SALE_ARCHIVED, .at_ns = 99},
        NULL);
    hand_log_frame(&reading.log, 0);
    clean(&reading);
    assert_int_equal(reading.book.sales[0].archived_lsn, 3);
    assert_int_equal(reading.book.sales[0].archived_ns, 99);
    end(&reading);
}

/* --- what is wrong --- */

static void an_epoch_that_is_used_again_is_found(void **state)
{
    (void)state;
    struct reading reading;
    begin_sale(&reading);
    reading.log.epoch = 2;
    hand_log_frame(&reading.log, FG_FRAME_EPOCH);
    clean(&reading);
    assert_int_equal(reading.book.starts, 2);
    hand_log_frame(&reading.log, FG_FRAME_EPOCH);
    tells(&reading, FG_CHECK_EPOCH_REUSED, "begins epoch 2, but epoch 2 was used");
}

static void a_record_that_cannot_be_is_refused(void **state)
{
    (void)state;
    struct reading reading;
    begin_sale(&reading);
    hand_log_sale(&reading.log, 2, "nothing");
    hand_log_frame(&reading.log, 0);
    assert_int_equal(read_on(&reading), -EBADMSG);
    assert_non_null(strstr(reading.message, "record 2 (SALE) of frame 4: it is not what"));
    end(&reading);

    begin_sale(&reading);
    put(&reading, (struct fg_control_event){.kind = FG_EVENT_STOCK_ADD, .sale = 1, .value2 = 99},
        NULL);
    hand_log_frame(&reading.log, 0);
    assert_int_equal(read_on(&reading), -EBADMSG);
    end(&reading);
}

static void torn_and_damaged_logs_are_told_apart(void **state)
{
    (void)state;
    struct reading reading;
    begin_sale(&reading);
    off_t last = (off_t)reading.log.offset;
    put_order(&reading, FG_EVENT_ADMIT, 1, 11);
    hand_log_frame(&reading.log, 0);
    assert_int_equal(pwrite(reading.log.file, "x", 1, last + 70), 1);
    assert_int_equal(read_on(&reading), FG_LOG_TORN);
    assert_non_null(strstr(reading.message, "the next start removes it"));
    hand_log_frame(&reading.log, 0);
    assert_int_equal(read_on(&reading), FG_LOG_CORRUPT);
    assert_non_null(strstr(reading.message, "valid ones follow it"));
    assert_int_equal(reading.book.events, 0);
    end(&reading);
}

/* --- a real journal's --- */

/* Orders of two sales, `count` more with each of two starts: two segments and more. */
static void fill_journal(struct log_fixture *fixture, uint32_t count)
{
    uint32_t done = 0;
    for (unsigned start = 1; start <= 2; start++) {
        journal_must_open(fixture);
        while (done < count * start) {
            for (unsigned i = 0; i < 16000; i++, done++)
                push_order(fixture, 1 + done % 2, done % 4, done);
            while (fg_journal_prepare(fixture->journal) > 0)
                ;
            while (fg_journal_step(fixture->journal) > 0)
                ;
        }
        fg_journal_stop(fixture->journal);
        journal_drop(fixture);
    }
}

static void a_journals_log_is_read_over_segments_and_starts(void **state)
{
    struct log_fixture *fixture = *state;
    struct fg_log_book book;
    struct fg_findings findings = {0};
    char message[512];

    fill_journal(fixture, 200000);
    assert_int_equal(
        fg_log_book_open(&book, &fg_disk_files, fixture->dir, &findings, message, sizeof(message)),
        0);
    assert_int_equal(fg_log_book_read(&book, UINT64_MAX, message, sizeof(message)), FG_LOG_END);
    assert_int_equal(book.starts, 2);
    assert_true(book.bases >= 2);
    assert_int_equal(book.sales_count, 2);
    assert_int_equal(book.streams[0].count + book.streams[1].count, book.events);
    assert_true(book.events >= 400000);
    for (uint64_t i = 0; i < book.streams[1].count; i++)
        assert_int_equal(book.streams[1].entries[i].event.sale_seq, i + 1);
    assert_int_equal(findings.total, 0);
    fg_log_book_close(&book);
}

/* The engine removes the first two segments of three when the audit is at the beginning: it reads
 * the one that it has open to its end, and begins anew with the third. */
static void segments_that_go_while_they_are_read_are_forgotten(void **state)
{
    struct log_fixture *fixture = *state;
    struct fg_log_book book, whole;
    struct fg_findings findings = {0};
    char message[512], path[128];

    fill_journal(fixture, 300000);
    fg_log_book_open(&whole, &fg_disk_files, fixture->dir, &findings, message, sizeof(message));
    assert_int_equal(fg_log_book_read(&whole, UINT64_MAX, message, sizeof(message)), FG_LOG_END);
    assert_int_equal(whole.segment, 3);
    fg_log_book_open(&book, &fg_disk_files, fixture->dir, &findings, message, sizeof(message));
    assert_int_equal(fg_log_book_read(&book, 3, message, sizeof(message)), FG_LOG_END);
    assert_int_equal(book.sequence, 3);
    for (unsigned segment = 1; segment <= 2; segment++) {
        snprintf(path, sizeof(path), "%s/segment-%08u.fgl", fixture->dir, segment);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(fg_log_book_read(&book, UINT64_MAX, message, sizeof(message)), FG_LOG_END);
    assert_int_equal(book.begun, 1);
    assert_int_equal(book.first_segment, 3);
    assert_int_equal(book.sales_count, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(book.streams[i].passed.sale_seq > 0);
        assert_int_equal(book.streams[i].passed.sale_seq + book.streams[i].count,
                         whole.streams[i].count);
    }
    assert_int_equal(findings.total, 0);
    fg_log_book_close(&book);
    fg_log_book_close(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_and_supply_are_read_in_their_places),
        cmocka_unit_test(a_definition_supersedes_what_was_added),
        cmocka_unit_test(a_log_that_grows_is_read_on),
        cmocka_unit_test(oversold_at_a_prefix_of_the_log_is_found),
        cmocka_unit_test(states_are_read),
        cmocka_unit_test(an_epoch_that_is_used_again_is_found),
        cmocka_unit_test(a_record_that_cannot_be_is_refused),
        cmocka_unit_test(torn_and_damaged_logs_are_told_apart),
        cmocka_unit_test_setup_teardown(a_journals_log_is_read_over_segments_and_starts,
                                        fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(segments_that_go_while_they_are_read_are_forgotten,
                                        fixture_open, fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
