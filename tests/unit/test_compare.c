/* SPDX-License-Identifier: BSD-3-Clause */
/* Streams against the log: what differs, what was trimmed, what lags, and what moves meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "perf/check/compare.h"

#define EVENTS 10

struct pair {
    struct fg_sale_stream_entry logged[EVENTS], had[2 * EVENTS];
    struct fg_sale_stream log, stream;
    struct fg_compare compare;
    struct fg_findings findings;
    char sentences[4000];
};

static void found(void *arg, enum fg_check check, const char *sentence)
{
    struct pair *pair = arg;
    size_t used = strlen(pair->sentences);
    snprintf(pair->sentences + used, sizeof(pair->sentences) - used, "%s: %s\n",
             fg_check_name(check), sentence);
}

/* Ten events, the last four of a second epoch, all delivered. */
static void same(struct pair *pair)
{
    memset(pair, 0, sizeof(*pair));
    pair->findings = (struct fg_findings){.found = found, .arg = pair};
    for (unsigned i = 0; i < EVENTS; i++)
        pair->logged[i] = (struct fg_sale_stream_entry){.epoch = i < 6 ? 1 : 2,
                                                        .lsn = 100 + i,
                                                        .event = {.kind = FG_EVENT_ADMIT,
                                                                  .quantity = 1,
                                                                  .item = 5,
                                                                  .sale = 1,
                                                                  .hold_ms = 30,
                                                                  .sale_seq = i + 1,
                                                                  .order = 1000 + i,
                                                                  .buyer = {(uint8_t)i},
                                                                  .request = i,
                                                                  .at_ns = 7}};
    pair->log = (struct fg_sale_stream){
        .sale = "drop", .entries = pair->logged, .count = EVENTS, .capacity = EVENTS};
    memcpy(pair->had, pair->logged, sizeof(pair->logged));
    pair->stream = (struct fg_sale_stream){.sale = "drop", .entries = pair->had, .count = EVENTS};
    pair->stream.last = (struct fg_stream_id){2, EVENTS};
}

/* Takes an entry out of the stream. */
static void drop(struct pair *pair, unsigned at)
{
    memmove(&pair->had[at], &pair->had[at + 1],
            (pair->stream.count - at - 1) * sizeof(pair->had[0]));
    pair->stream.count--;
}

/* Puts one in after `at` others. */
static void add(struct pair *pair, unsigned at, uint64_t epoch, uint64_t sale_seq, uint8_t kind)
{
    memmove(&pair->had[at + 1], &pair->had[at], (pair->stream.count - at) * sizeof(pair->had[0]));
    pair->stream.count++;
    pair->had[at] = (struct fg_sale_stream_entry){
        .epoch = epoch, .event = {.kind = kind, .sale_seq = sale_seq, .order = 77}};
}

static void compare(struct pair *pair, bool drained)
{
    pair->sentences[0] = '\0';
    memset(pair->findings.counts, 0, sizeof(pair->findings.counts));
    pair->findings.total = 0;
    assert_int_equal(
        fg_compare_stream(&pair->compare, &pair->log, &pair->stream, drained, &pair->findings), 0);
}

static void wanted(struct pair *pair, enum fg_check which, unsigned count, const char *words)
{
    compare(pair, true);
    if (pair->findings.counts[which] != count || pair->findings.total != count ||
        !strstr(pair->sentences, words))
        fail_msg("wanted %u x %s with \"%s\", found:\n%s", count, fg_check_name(which), words,
                 pair->sentences);
}

static void passes(struct pair *pair, bool drained, unsigned equal, unsigned trimmed, unsigned lag)
{
    compare(pair, drained);
    assert_string_equal(pair->sentences, "");
    assert_int_equal(pair->compare.entries, pair->stream.count);
    assert_int_equal(pair->compare.equal, equal);
    assert_int_equal(pair->compare.trimmed, trimmed);
    assert_int_equal(pair->compare.lag, lag);
}

static void the_same_passes(void **state)
{
    (void)state;
    struct pair pair;
    same(&pair);
    passes(&pair, true, EVENTS, 0, 0);
    pair.stream.last = (struct fg_stream_id){0}; /* not told: the last entry's */
    passes(&pair, true, EVENTS, 0, 0);
    pair.stream.count = pair.log.count = 0;
    passes(&pair, true, 0, 0, 0);
}

static void what_is_not_delivered_yet_is_lag(void **state)
{
    (void)state;
    struct pair pair;
    same(&pair);
    pair.stream.count = 7;
    pair.stream.last = (struct fg_stream_id){2, 7};
    passes(&pair, false, 7, 0, 3);
    wanted(&pair, FG_CHECK_STREAM_BEHIND, 1, "the log's last 3 events, from 2-8 on");
    pair.stream.count = 0; /* a stream that is not there */
    pair.stream.last = (struct fg_stream_id){0};
    passes(&pair, false, 0, 0, EVENTS);
    wanted(&pair, FG_CHECK_STREAM_BEHIND, 1, "the log's last 10 events");
}

static void what_was_trimmed_is_no_finding(void **state)
{
    (void)state;
    struct pair pair;
    same(&pair);
    for (unsigned i = 0; i < 4; i++)
        drop(&pair, 0);
    passes(&pair, true, 6, 4, 0);
    pair.stream.count = 0; /* all of it: the last id tells */
    passes(&pair, true, 0, EVENTS, 0);
    pair.stream.last = (struct fg_stream_id){2, 8};
    passes(&pair, false, 0, 8, 2);
}

static void a_lost_entry_is_found(void **state)
{
    (void)state;
    struct pair pair;
    same(&pair);
    drop(&pair, 3);
    wanted(&pair, FG_CHECK_STREAM_MISSING, 1,
           "sale drop, entry 1-4: the log has ADMIT of order 1003 of buyer "
           "03000000000000000000000000000000 (LSN 103)");
    drop(&pair, 3);
    drop(&pair, 5);
    drop(&pair, 0); /* this one may have been trimmed */
    wanted(&pair, FG_CHECK_STREAM_MISSING, 3, "entry 1-5");

    same(&pair); /* the last one: its id is remembered */
    drop(&pair, EVENTS - 1);
    wanted(&pair, FG_CHECK_STREAM_MISSING, 1, "entry 2-10");
}

static void an_unknown_entry_is_found(void **state)
{
    (void)state;
    struct pair pair;
    same(&pair);
    add(&pair, 6, 1, 7, FG_EVENT_CONFIRM); /* between the epochs */
    wanted(&pair, FG_CHECK_STREAM_UNKNOWN, 1, "entry 1-7: CONFIRM of order 77");
    same(&pair);
    add(&pair, EVENTS, 2, 11, FG_EVENT_CONFIRM);
    wanted(&pair, FG_CHECK_STREAM_UNKNOWN, 1, "entry 2-11");
    same(&pair);
    add(&pair, EVENTS, 3, 11, 0);
    wanted(&pair, FG_CHECK_STREAM_UNKNOWN, 1, "entry 3-11: not an order event");
    same(&pair);
    add(&pair, 0, 0, 1, FG_EVENT_CONFIRM);
    wanted(&pair, FG_CHECK_STREAM_UNKNOWN, 1, "entry 0-1");
    same(&pair); /* added and deleted: only the last id shows it */
    pair.stream.last = (struct fg_stream_id){9, 9};
    wanted(&pair, FG_CHECK_STREAM_UNKNOWN, 1, "last id is 9-9");
}

static void a_differing_field_is_found(void **state)
{
    (void)state;
    struct pair pair;
#define DIFFERS(field, value, words)                                                               \
    same(&pair);                                                                                   \
    pair.had[2].event.field = (value);                                                             \
    wanted(&pair, FG_CHECK_STREAM_DIFFERS, 1, words);                                              \
    assert_int_equal(pair.compare.equal, EVENTS - 1)

    DIFFERS(kind, FG_EVENT_CANCEL, "event is ADMIT in the log, CANCEL in the stream");
    DIFFERS(order, 5, "order is 1002 in the log, 5 in the stream");
    DIFFERS(buyer[15], 1,
            "buyer is 02000000000000000000000000000000 in the log, 020000000000000000");
    DIFFERS(request, 9, "request is 2 in the log, 9 in the stream");
    DIFFERS(item, 6, "item is 5 in the log, 6 in the stream");
    DIFFERS(quantity, 2, "quantity is 1 in the log, 2 in the stream");
    DIFFERS(at_ns, 8, "at is 7 in the log, 8 in the stream");
    DIFFERS(hold_ms, 31, "hold_ms is 30 in the log, 31 in the stream");
    DIFFERS(kind, 0, "not an order event as delivery writes it; the log has ADMIT of order 1002");
    pair.had[3].event.quantity = 2;
    pair.had[3].event.item = 6;
    pair.had[2] = pair.logged[2];
    wanted(&pair, FG_CHECK_STREAM_DIFFERS, 1, "item is 5 in the log, 6 in the stream; quantity is");
#undef DIFFERS
}

static void what_went_with_old_segments_is_not_compared(void **state)
{
    (void)state;
    struct pair pair;
    same(&pair);
    memmove(pair.logged, &pair.logged[4], 6 * sizeof(pair.logged[0]));
    pair.log.count = 6;
    pair.log.passed = (struct fg_stream_id){1, 4};
    passes(&pair, true, 6, 0, 0);
    assert_int_equal(pair.compare.forgotten, 4);
    add(&pair, EVENTS, 2, 11, FG_EVENT_CONFIRM);
    wanted(&pair, FG_CHECK_STREAM_UNKNOWN, 1, "entry 2-11");
}

/* The log was read to its eighth event, the stream has ten, then the log has them too. */
static void a_stream_ahead_of_the_log_is_judged_at_the_end(void **state)
{
    (void)state;
    struct pair pair;
    same(&pair);
    pair.log.count = 8;
    fg_compare_begin(&pair.compare, &pair.log, pair.stream.last, &pair.findings);
    assert_int_equal(fg_compare_entries(&pair.compare, &pair.log, pair.had, 5), 0);
    assert_int_equal(fg_compare_entries(&pair.compare, &pair.log, pair.had + 5, 5), 0);
    pair.log.count = 10;
    assert_int_equal(fg_compare_end(&pair.compare, &pair.log, (struct fg_stream_id){1, 1}, true),
                     0);
    assert_string_equal(pair.sentences, "");
    assert_int_equal(pair.compare.equal, 10);

    pair.log.count = 8; /* ... or does not */
    fg_compare_begin(&pair.compare, &pair.log, pair.stream.last, &pair.findings);
    assert_int_equal(fg_compare_entries(&pair.compare, &pair.log, pair.had, 10), 0);
    pair.log.count = 9;
    assert_int_equal(fg_compare_end(&pair.compare, &pair.log, (struct fg_stream_id){1, 1}, true),
                     0);
    assert_int_equal(pair.findings.counts[FG_CHECK_STREAM_UNKNOWN], 1);
    assert_int_equal(pair.findings.total, 1);
}

/* What is logged after the stream was asked can be neither lost nor late. */
static void a_log_that_grows_makes_no_lag(void **state)
{
    (void)state;
    struct pair pair;
    same(&pair);
    pair.log.count = 8;
    fg_compare_begin(&pair.compare, &pair.log, (struct fg_stream_id){2, 7}, &pair.findings);
    assert_int_equal(fg_compare_entries(&pair.compare, &pair.log, pair.had, 7), 0);
    pair.log.count = 10;
    assert_int_equal(fg_compare_end(&pair.compare, &pair.log, (struct fg_stream_id){1, 1}, false),
                     0);
    assert_string_equal(pair.sentences, "");
    assert_int_equal(pair.compare.lag, 1);
}

/* Between two pages the consumer trims all up to the seventh. */
static void trimming_while_the_stream_is_read_is_no_loss(void **state)
{
    (void)state;
    struct pair pair;
    same(&pair);
    fg_compare_begin(&pair.compare, &pair.log, pair.stream.last, &pair.findings);
    assert_int_equal(fg_compare_entries(&pair.compare, &pair.log, pair.had, 3), 0);
    assert_int_equal(fg_compare_entries(&pair.compare, &pair.log, pair.had + 7, 3), 0);
    assert_int_equal(fg_compare_end(&pair.compare, &pair.log, (struct fg_stream_id){2, 8}, true),
                     0);
    assert_string_equal(pair.sentences, "");
    assert_int_equal(pair.compare.equal, 6);
    assert_int_equal(pair.compare.trimmed, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_passes),
        cmocka_unit_test(what_is_not_delivered_yet_is_lag),
        cmocka_unit_test(what_was_trimmed_is_no_finding),
        cmocka_unit_test(a_lost_entry_is_found),
        cmocka_unit_test(an_unknown_entry_is_found),
        cmocka_unit_test(a_differing_field_is_found),
        cmocka_unit_test(what_went_with_old_segments_is_not_compared),
        cmocka_unit_test(a_stream_ahead_of_the_log_is_judged_at_the_end),
        cmocka_unit_test(a_log_that_grows_makes_no_lag),
        cmocka_unit_test(trimming_while_the_stream_is_read_is_no_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
