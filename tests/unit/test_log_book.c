/* SPDX-License-Identifier: BSD-3-Clause */
/* The log read into books: logs written by hand, record by record, and one of a real journal. */
#include "tests/unit/log_fixture.h"

#include "control/sale/sale.h"
#include "perf/check/log_book.h"
#include "tests/unit/hand_log.h"

struct reading {
    struct hand_log log;
    struct fg_log_book book;
    struct fg_findings findings;
    char sentences[4000], message[512];
    uint32_t sale_limit; /* of the next definition */
};

static void found(void *arg, enum fg_check check, const char *sentence)
{
    struct reading *reading = arg;
    size_t used = strlen(reading->sentences);
    snprintf(reading->sentences + used, sizeof(reading->sentences) - used, "%s: %s\n",
             fg_check_name(check), sentence);
}

static void begin(struct reading *reading, uint32_t segment)
{
    memset(reading, 0, sizeof(*reading));
    reading->findings = (struct fg_findings){.found = found, .arg = reading};
    hand_log_open(&reading->log, segment, 1);
    assert_int_equal(fg_log_book_open(&reading->book, &fg_disk_files, reading->log.dir,
                                      &reading->findings, reading->message,
                                      sizeof(reading->message)),
                     0);
}

static int read_on(struct reading *reading)
{
    return fg_log_book_read(&reading->book, UINT64_MAX, reading->message, sizeof(reading->message));
}

static void end(struct reading *reading)
{
    fg_log_book_close(&reading->book);
    hand_log_close(&reading->log);
}

/* --- records --- */

static void put(struct reading *reading, struct fg_control_event event, const char *body)
{
    event.body_length = body ? (uint32_t)strlen(body) : 0;
    uint8_t *unit = hand_log_unit(&reading->log, fg_record_bytes(&event));
    memcpy(unit, &event, sizeof(event));
    if (body)
        memcpy(unit + sizeof(event), body, event.body_length);
}

/* Sale 1, "drop", of items 7 (held for a second) and 8. */
static void put_sale(struct reading *reading, uint32_t stock, uint32_t limit, uint64_t at_ns)
{
    struct fg_sale_item items[] = {{.id = 7,
                                    .name = "mug",
                                    .stock = stock,
                                    .limit = limit,
                                    .max_per_order = 1,
                                    .hold_ms = 1000},
                                   {.id = 8, .name = "hat", .stock = 5, .max_per_order = 1}};
    struct fg_sale sale = {.name = "drop",
                           .number = 1,
                           .limit = reading->sale_limit,
                           .items = items,
                           .items_count = 2};
    json_t *json = fg_sale_to_json(&sale);
    char *body = json_dumps(json, JSON_COMPACT);
    put(reading,
        (struct fg_control_event){.kind = FG_EVENT_SALE, .sale = 1, .revision = 2, .at_ns = at_ns},
        body);
    free(body);
    json_decref(json);
}

static void put_units(struct reading *reading, enum fg_event_kind kind, uint64_t revision,
                      uint64_t units, uint64_t removed)
{
    put(reading,
        (struct fg_control_event){.kind = (uint8_t)kind,
                                  .sale = 1,
                                  .revision = revision,
                                  .value = units,
                                  .value2 = 7,
                                  .value3 = removed},
        NULL);
}

static void put_position(struct reading *reading, uint64_t next, uint32_t epoch)
{
    hand_log_position(&reading->log, 1, next, epoch);
}

static void put_order(struct reading *reading, enum fg_event_kind kind, uint64_t sale_seq,
                      uint64_t order)
{
    struct fg_order_event event = {.kind = (uint8_t)kind,
                                   .quantity = 1,
                                   .item = 7,
                                   .sale = 1,
                                   .hold_ms = kind == FG_EVENT_ADMIT ? 1000 : 0,
                                   .sale_seq = sale_seq,
                                   .order = order,
                                   .request = order};
    memcpy(hand_log_unit(&reading->log, sizeof(event)), &event, sizeof(event));
}

/* A new log: an empty base, the first epoch, the sale with two mugs. */
static void begin_sale(struct reading *reading)
{
    begin(reading, 1);
    hand_log_frame(&reading->log, FG_FRAME_BASE);
    hand_log_frame(&reading->log, FG_FRAME_EPOCH);
    put_sale(reading, 2, 3, 50);
    hand_log_frame(&reading->log, 0);
}

static void clean(struct reading *reading)
{
    struct fg_check_input input = {0};
    struct fg_check_result result;
    assert_int_equal(read_on(reading), FG_LOG_END);
    fg_log_book_input(&reading->book, &input);
    assert_int_equal(fg_check_run(&input, &result, &reading->findings), 0);
    fg_check_result_free(&result);
    assert_string_equal(reading->sentences, "");
}

static void tells(struct reading *reading, enum fg_check check, const char *words)
{
    assert_int_equal(read_on(reading), FG_LOG_END);
    if (reading->findings.counts[check] != 1 || reading->findings.total != 1 ||
        !strstr(reading->sentences, words))
        fail_msg("wanted %s with \"%s\", found:\n%s", fg_check_name(check), words,
                 reading->sentences);
    end(reading);
}

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

/* --- bases --- */

/* A log whose first segments are gone. */
static void begin_late(struct reading *reading)
{
    begin(reading, 3);
    put(reading, (struct fg_control_event){.kind = FG_EVENT_NAMES_USED},
        "{\"sales\": [\"old\"], \"items\": [5, 3]}");
    put_sale(reading, 2, 3, 50);
    put_units(reading, FG_EVENT_ITEM_SUPPLY, 9, 7, 1);
    put_position(reading, 4, 1);
    hand_log_frame(&reading->log, FG_FRAME_BASE);
}

/* More ids than there can have been would take all memory. */
static void runs_of_ids_have_a_bound(void **state)
{
    (void)state;
    struct reading reading;
    begin(&reading, 3);
    put(&reading, (struct fg_control_event){.kind = FG_EVENT_NAMES_USED},
        "{\"sales\": [\"old\"], \"items\": [[1, 4294967295], [1, 4294967295]]}");
    hand_log_frame(&reading.log, FG_FRAME_BASE);
    assert_int_equal(read_on(&reading), -EBADMSG);
    assert_int_equal(reading.book.gone_count, 0);
    end(&reading);
}

static void what_operators_did_is_passed_over(void **state)
{
    (void)state;
    struct reading reading;
    begin(&reading, 1);
    put_sale(&reading, 2, 3, 50);
    hand_log_frame(&reading.log, FG_FRAME_BASE);
    put(&reading, (struct fg_control_event){.kind = FG_EVENT_ACT}, "{\"method\": \"consumed\"}");
    put(&reading, (struct fg_control_event){.kind = FG_EVENT_ACT},
        "{\"method\": \"order.cancel\", \"order\": \"18446744073709551615\"}");
    put(&reading, (struct fg_control_event){.kind = FG_EVENT_ACT},
        "{\"method\": \"order.cancel\", \"order\": \"7\"}");
    hand_log_frame(&reading.log, 0);
    assert_int_equal(read_on(&reading), FG_LOG_END);
    assert_string_equal(reading.sentences, "");
    struct fg_check_input input = {0}; /* but for the orders that they cancelled */
    fg_log_book_input(&reading.book, &input);
    assert_int_equal(input.cancelled_count, 2);
    assert_int_equal(input.cancelled[0], 7);
    assert_int_equal(input.cancelled[1], UINT64_MAX);
    end(&reading);
}

/* A sale's own limit: the one it began with, and where it was changed. */
static void a_sales_limit_is_followed(void **state)
{
    (void)state;
    struct reading reading;
    struct fg_check_input input = {0};
    begin(&reading, 1);
    reading.sale_limit = 5;
    put_sale(&reading, 2, 3, 50);
    hand_log_frame(&reading.log, FG_FRAME_BASE);
    put_sale(&reading, 2, 3, 60);
    reading.sale_limit = 4;
    put_sale(&reading, 2, 3, 70);
    hand_log_frame(&reading.log, 0);
    clean(&reading);
    fg_log_book_input(&reading.book, &input);
    assert_int_equal(input.sales[0].limit, 5);
    assert_int_equal(input.changes_count, 1);
    assert_int_equal(input.changes[0].item, 0);
    assert_int_equal(input.changes[0].limit, 4);
    assert_int_equal(input.changes[0].at_ns, 70);
    end(&reading);
}

static void the_first_base_stands_for_what_is_gone(void **state)
{
    (void)state;
    struct reading reading;
    struct fg_check_input input = {0};
    begin_late(&reading);
    assert_int_equal(read_on(&reading), FG_LOG_END);
    fg_log_book_input(&reading.book, &input);
    assert_int_equal(reading.book.first_segment, 3);
    assert_int_equal(input.streams[0].passed.sale_seq, 3);
    assert_int_equal(input.streams[0].passed.epoch, 1);
    assert_int_equal(input.changes_count, 1);
    assert_int_equal(input.changes[0].stock, 8);
    assert_int_equal(input.gone_count, 2);
    assert_int_equal(input.gone[0], 3);
    assert_int_equal(input.gone[1], 5);
    assert_true(input.sales[0].cancel_final && input.sales[0].reacquires);
    end(&reading);
}

/* The sale and one order, then a base as X changes it. */
#define LATER_BASE(stock, added, next, epoch)                                                      \
    begin_sale(&reading);                                                                          \
    put_units(&reading, FG_EVENT_STOCK_ADD, 3, 4, 0);                                              \
    put_order(&reading, FG_EVENT_ADMIT, 1, 11);                                                    \
    hand_log_frame(&reading.log, 0);                                                               \
    put_sale(&reading, stock, 3, 50);                                                              \
    put_units(&reading, FG_EVENT_ITEM_SUPPLY, 3, added, 0);                                        \
    put_position(&reading, next, epoch);                                                           \
    hand_log_frame(&reading.log, FG_FRAME_BASE)

static void a_later_base_must_say_what_the_log_says(void **state)
{
    (void)state;
    struct reading reading;
    LATER_BASE(2, 4, 2, 1);
    clean(&reading);
    assert_int_equal(reading.book.changes_count, 1); /* it tells nothing new */
    end(&reading);
    LATER_BASE(3, 4, 2, 1);
    tells(&reading, FG_CHECK_BASE_DIFFERS, "item 7 has stock 3");
    LATER_BASE(2, 5, 2, 1);
    tells(&reading, FG_CHECK_BASE_DIFFERS, "has 5 units added and 0 removed");
    LATER_BASE(2, 4, 3, 1);
    tells(&reading, FG_CHECK_BASE_DIFFERS, "goes on with sale_seq 3 after epoch 1");
    LATER_BASE(2, 4, 2, 2);
    tells(&reading, FG_CHECK_BASE_DIFFERS, "goes on with sale_seq 2 after epoch 2");

    begin_sale(&reading);
    hand_log_frame(&reading.log, FG_FRAME_BASE);
    tells(&reading, FG_CHECK_BASE_DIFFERS, "sale drop is left out");
    begin_sale(&reading);
    put_order(&reading, FG_EVENT_ADMIT, 1, 11);
    hand_log_frame(&reading.log, 0);
    put_sale(&reading, 2, 3, 50);
    hand_log_frame(&reading.log, FG_FRAME_BASE);
    tells(&reading, FG_CHECK_BASE_DIFFERS, "the position of sale drop is left out");
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
        cmocka_unit_test(runs_of_ids_have_a_bound),
        cmocka_unit_test(what_operators_did_is_passed_over),
        cmocka_unit_test(a_sales_limit_is_followed),
        cmocka_unit_test(the_first_base_stands_for_what_is_gone),
        cmocka_unit_test(a_later_base_must_say_what_the_log_says),
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
