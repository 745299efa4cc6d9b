/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding a stream's place in the log, as a table of streams against logs. */
#include "dataplane/orders/streams.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SALE 3

struct id {
    uint64_t epoch, seq;
};

static struct fg_stream_id make_id(struct id id)
{
    return (struct fg_stream_id){id.epoch, id.seq};
}

static void claim(struct fg_streams *streams, struct fg_stream *stream, struct id last)
{
    stream->asked = true;
    fg_stream_claimed(streams, stream, make_id(last));
}

/* One pass over a log: base, then records of epochs[i] numbered from base + 1. Returns the first
 * number that was to be appended, 0 if none. */
static uint64_t pass(struct fg_streams *streams, struct fg_stream *stream, struct id base,
                     const unsigned *epochs)
{
    uint64_t first = 0;
    fg_stream_based(streams, stream, make_id(base));
    for (uint64_t seq = base.seq + 1; *epochs != 0; seq++, epochs++) {
        struct fg_stream_id id = {*epochs, seq};
        enum fg_stream_verdict verdict = fg_stream_pass(streams, stream, id, true);
        assert_int_not_equal(verdict, FG_STREAM_BROKEN);
        if (verdict == FG_STREAM_TAKE && first == 0)
            first = seq;
        /* Once it takes, it takes all that follow. */
        assert_int_equal(verdict == FG_STREAM_TAKE, first != 0);
    }
    fg_streams_end(streams);
    return first;
}

static void test_place(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct id last, base;
        unsigned epochs[8]; /* of the log's records, up to 0 */
        enum fg_stream_state wanted;
        uint64_t first; /* to be appended */
    } cases[] = {
        {"missing stream, empty log", {0, 0}, {0, 0}, {0}, FG_STREAM_LIVE, 0},
        {"missing stream", {0, 0}, {0, 0}, {1, 1, 2}, FG_STREAM_LIVE, 1},
        {"in the middle", {1, 2}, {0, 0}, {1, 1, 2}, FG_STREAM_LIVE, 3},
        {"all there", {2, 3}, {0, 0}, {1, 1, 2}, FG_STREAM_LIVE, 0},
        {"the base's", {4, 9}, {4, 9}, {4, 5}, FG_STREAM_LIVE, 10},
        {"the base's, nothing after it", {4, 9}, {4, 9}, {0}, FG_STREAM_LIVE, 0},
        {"after the base", {5, 11}, {4, 9}, {4, 5, 5}, FG_STREAM_LIVE, 12},
        {"beyond the log", {2, 4}, {0, 0}, {1, 1, 2}, FG_STREAM_FOREIGN, 0},
        {"beyond an empty log", {1, 1}, {0, 0}, {0}, FG_STREAM_FOREIGN, 0},
        {"number known, epoch too small", {1, 3}, {0, 0}, {1, 1, 2, 2}, FG_STREAM_FOREIGN, 0},
        {"number known, epoch too great", {3, 2}, {0, 0}, {1, 1, 2, 2}, FG_STREAM_FOREIGN, 0},
        {"the base's number, other epoch", {3, 9}, {4, 9}, {4}, FG_STREAM_FOREIGN, 0},
        {"a clock as id", {1753100000000, 0}, {0, 0}, {1, 1}, FG_STREAM_FOREIGN, 0},
        {"a clock as id, with a base", {1753100000000, 0}, {4, 9}, {4}, FG_STREAM_FOREIGN, 0},
        {"greatest id", {UINT64_MAX, UINT64_MAX}, {0, 0}, {1}, FG_STREAM_FOREIGN, 0},
        {"missing, log begins later", {0, 0}, {4, 9}, {4}, FG_STREAM_LOST_BEYOND_LOG, 0},
        {"missing, nothing after base", {0, 0}, {4, 9}, {0}, FG_STREAM_LOST_BEYOND_LOG, 0},
        {"older than the base", {3, 8}, {4, 9}, {4, 4}, FG_STREAM_LOST_BEYOND_LOG, 0},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fg_streams streams;
        assert_int_equal(fg_streams_init(&streams), 0);
        struct fg_stream *stream = fg_streams_insert(&streams, SALE);
        claim(&streams, stream, cases[i].last);
        uint64_t first = pass(&streams, stream, cases[i].base, cases[i].epochs);
        if (stream->state != cases[i].wanted || first != cases[i].first)
            fail_msg("%s: state %d, first %d", cases[i].what, stream->state, (int)first);
        const struct fg_stream_board *board = fg_streams_board(&streams, SALE);
        assert_int_equal(board->state, cases[i].wanted);
        /* What a stream that does not fit holds is never told as delivered. */
        assert_int_equal(board->delivered,
                         cases[i].wanted == FG_STREAM_LIVE ? cases[i].last.seq : 0);
        assert_int_equal(streams.stopped != NULL, cases[i].wanted != FG_STREAM_LIVE);
        fg_streams_fini(&streams);
    }
}

static void test_broken_numbering(void **state)
{
    (void)state;
    static const struct id breaks[] = {{5, 2}, {5, 1}, {5, 4}, {4, 3}};
    for (unsigned i = 0; i < 4; i++) {
        struct fg_streams streams;
        assert_int_equal(fg_streams_init(&streams), 0);
        struct fg_stream *stream = fg_streams_insert(&streams, SALE);
        fg_stream_pass(&streams, stream, (struct fg_stream_id){5, 1}, false);
        fg_stream_pass(&streams, stream, (struct fg_stream_id){5, 2}, false);
        assert_int_equal(fg_stream_pass(&streams, stream, make_id(breaks[i]), i % 2),
                         FG_STREAM_BROKEN);
        fg_streams_fini(&streams);
    }
}

static void test_lag(void **state)
{
    (void)state;
    struct fg_streams streams;
    assert_int_equal(fg_streams_init(&streams), 0);
    struct fg_stream *one = fg_streams_insert(&streams, 1), *two = fg_streams_insert(&streams, 2);
    for (uint64_t seq = 1; seq <= 5; seq++)
        fg_stream_pass(&streams, one, (struct fg_stream_id){1, seq}, false);
    fg_stream_pass(&streams, two, (struct fg_stream_id){1, 1}, false);
    assert_int_equal(streams.lag, 6);
    fg_streams_rewind(&streams);
    fg_stream_defined(&streams, one);
    fg_stream_defined(&streams, two);
    assert_int_equal(streams.lag, 6); /* reading again counts nothing twice */
    claim(&streams, one, (struct id){1, 3});
    claim(&streams, two, (struct id){1, 1});
    assert_int_equal(streams.lag, 2);
    fg_stream_appended(&streams, one, (struct fg_stream_id){1, 5});
    assert_int_equal(streams.lag, 0);
    fg_stream_pass(&streams, two, (struct fg_stream_id){1, 1}, true);
    claim(&streams, one, (struct id){9, 9}); /* not the log's */
    fg_streams_end(&streams);
    assert_int_equal(one->state, FG_STREAM_FOREIGN);
    assert_int_equal(streams.lag, 5);
    fg_streams_fini(&streams);
}

/* --- archived sales ----------------------------------------------------------------------- */

/* An archived sale without an order event in the log is done, whether or not a base or the last
 * pass spoke of it; one with an event is sought. */
static void test_archived(void **state)
{
    (void)state;
    struct fg_streams streams;
    assert_int_equal(fg_streams_init(&streams), 0);
    struct fg_stream *gone = fg_streams_insert(&streams, 1), *left = fg_streams_insert(&streams, 2);
    struct fg_stream *live = fg_streams_insert(&streams, 3);
    fg_stream_name(&streams, gone, "gone");
    fg_stream_name(&streams, left, "left");
    fg_stream_name(&streams, live, "live");
    fg_stream_based(&streams, gone, (struct fg_stream_id){1, 5});
    fg_stream_based(&streams, left, (struct fg_stream_id){1, 7});
    fg_stream_pass(&streams, left, (struct fg_stream_id){1, 8}, true);
    fg_stream_archive(&streams, gone);
    fg_stream_archive(&streams, left);
    assert_ptr_equal(fg_streams_unasked(&streams), live); /* the only one to be claimed anyway */
    claim(&streams, live, (struct id){0, 0});
    assert_null(fg_streams_unasked(&streams));
    fg_streams_end(&streams);
    assert_int_equal(gone->state, FG_STREAM_DONE);
    assert_int_equal(left->state, FG_STREAM_SEEKING);
    assert_int_equal(live->state, FG_STREAM_LIVE);
    assert_int_equal(streams.lag, 8); /* what is done is owed to nobody */

    fg_streams_forget(&streams);
    assert_ptr_equal(fg_streams_unasked(&streams), live);
    fg_streams_rewind(&streams); /* its segment has gone since */
    fg_streams_end(&streams);
    assert_int_equal(left->state, FG_STREAM_DONE);
    assert_int_equal(streams.lag, 0);
    fg_streams_fini(&streams);
}

/* --- what others may rely on -------------------------------------------------------------- */

static void test_delivered_is_certain(void **state)
{
    (void)state;
    struct fg_streams streams;
    assert_int_equal(fg_streams_init(&streams), 0);
    struct fg_stream *stream = fg_streams_insert(&streams, SALE);
    const struct fg_stream_board *board = fg_streams_board(&streams, SALE);
    fg_stream_name(&streams, stream, "spring");
    claim(&streams, stream, (struct id){1, 2});
    assert_int_equal(board->delivered, 0); /* what it ends with may be anybody's */
    pass(&streams, stream, (struct id){0, 0}, (const unsigned[]){1, 1, 1, 0});
    assert_int_equal(board->delivered, 2);
    fg_stream_appended(&streams, stream, (struct fg_stream_id){1, 3});
    assert_int_equal(board->delivered, 3);
    assert_int_equal(board->lag, 0);
    fg_streams_forget(&streams); /* as after a GAP and a lost connection */
    assert_int_equal(board->delivered, 0);
    assert_int_equal(board->logged, 3);
    assert_int_equal(board->lag, 0); /* as last seen */
    fg_streams_rewind(&streams);
    claim(&streams, stream, (struct id){1, 1}); /* it has lost its tail */
    pass(&streams, stream, (struct id){0, 0}, (const unsigned[]){1, 1, 1, 0});
    assert_int_equal(board->delivered, 1);
    assert_int_equal(board->lag, 2);
    fg_stream_stop(&streams, stream, FG_STREAM_BAD_KEY);
    assert_int_equal(board->delivered, 0);
    fg_streams_fini(&streams);
}

static void test_consumed(void **state)
{
    (void)state;
    static const struct {
        uint64_t key, told, consumed; /* consumed: after it */
        struct id first;              /* 0-0: nothing to trim */
    } steps[] = {
        {0, 0, 0, {0, 0}},          {2, 0, 2, {1, 3}}, /* record 3 is of epoch 1, 4 of epoch 2 */
        {2, 0, 2, {0, 0}},                             /* done already */
        {2, 3, 3, {1, 4}}, /* the operator tells more; the record after it has a greater epoch */
        {1, 3, 3, {0, 0}}, /* it never moves back */
        {4, 3, 4, {2, 5}},          {999, 3, 5, {2, 6}}, /* nor beyond what is delivered */
        {UINT64_MAX, 3, 5, {0, 0}},
    };
    struct fg_streams streams;
    struct fg_stream_id first;
    assert_int_equal(fg_streams_init(&streams), 0);
    struct fg_stream *stream = fg_streams_insert(&streams, SALE);
    struct fg_stream_board *board = fg_streams_board(&streams, SALE);
    fg_stream_name(&streams, stream, "spring");
    claim(&streams, stream, (struct id){2, 5});
    pass(&streams, stream, (struct id){0, 0}, (const unsigned[]){1, 1, 1, 2, 2, 3, 0});
    for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        board->told = steps[i].told;
        bool trims = fg_stream_consumed(&streams, stream, steps[i].key, &first);
        if (trims != (steps[i].first.seq > 0) || board->consumed != steps[i].consumed)
            fail_msg("step %u: trims %d, consumed %d", i, trims, (int)board->consumed);
        if (!trims)
            continue;
        assert_int_equal(first.epoch, steps[i].first.epoch);
        assert_int_equal(first.sale_seq, steps[i].first.seq);
        fg_stream_trimmed(stream);
    }
    /* Refilled after a loss, it is trimmed anew, up to what is there. */
    fg_streams_forget(&streams);
    fg_streams_rewind(&streams);
    claim(&streams, stream, (struct id){1, 2});
    pass(&streams, stream, (struct id){0, 0}, (const unsigned[]){1, 1, 1, 2, 2, 3, 0});
    assert_true(fg_stream_consumed(&streams, stream, 0, &first));
    assert_int_equal(first.sale_seq, 3);
    assert_int_equal(board->consumed, 5);
    fg_streams_fini(&streams);
}

/* More epochs than are remembered: what is too old is not trimmed, and nothing else goes wrong. */
static void test_many_epochs(void **state)
{
    (void)state;
    struct fg_streams streams;
    struct fg_stream_id first;
    assert_int_equal(fg_streams_init(&streams), 0);
    struct fg_stream *stream = fg_streams_insert(&streams, SALE);
    const uint64_t records = 3 * FG_STREAM_RUNS;
    claim(&streams, stream, (struct id){records, records});
    for (uint64_t seq = 1; seq <= records; seq++)
        fg_stream_pass(&streams, stream, (struct fg_stream_id){seq, seq}, true);
    assert_false(fg_stream_consumed(&streams, stream, records - FG_STREAM_RUNS, &first));
    assert_true(fg_stream_consumed(&streams, stream, records - FG_STREAM_RUNS + 1, &first));
    assert_int_equal(first.epoch, records - FG_STREAM_RUNS + 1);
    assert_int_equal(first.sale_seq, first.epoch + 1);
    fg_streams_fini(&streams);
}

static void test_numbers_out_of_range(void **state)
{
    (void)state;
    struct fg_streams streams;
    assert_int_equal(fg_streams_init(&streams), 0);
    assert_null(fg_streams_insert(&streams, 0));
    assert_null(fg_streams_insert(&streams, FG_SALES_EVER_MAX + 1));
    assert_null(fg_streams_lookup(&streams, UINT32_MAX));
    assert_null(fg_streams_board(&streams, UINT32_MAX));
    assert_int_equal(fg_streams_board(&streams, 7)->state, FG_STREAM_SEEKING);
    struct fg_stream *stream = fg_streams_insert(&streams, FG_SALES_EVER_MAX);
    assert_non_null(stream);
    assert_ptr_equal(fg_streams_insert(&streams, FG_SALES_EVER_MAX), stream);
    assert_ptr_equal(fg_streams_lookup(&streams, FG_SALES_EVER_MAX), stream);
    assert_null(fg_streams_lookup(&streams, FG_SALES_EVER_MAX - 1));
    fg_streams_fini(&streams);
}

/* The log's oldest segments went before this pass, with the record that archived the sale: whoever
 * is not named any more is archived. */
static void test_archived_unseen(void **state)
{
    (void)state;
    struct fg_streams streams;
    assert_int_equal(fg_streams_init(&streams), 0);
    struct fg_stream *gone = fg_streams_insert(&streams, 1), *live = fg_streams_insert(&streams, 2);
    fg_stream_name(&streams, gone, "gone");
    fg_stream_name(&streams, live, "live");
    claim(&streams, gone, (struct id){1, 7});
    claim(&streams, live, (struct id){0, 0});

    fg_streams_rewind(&streams);
    fg_stream_defined(&streams, live);
    fg_streams_end(&streams);
    assert_int_equal(gone->state, FG_STREAM_DONE);
    assert_int_equal(live->state, FG_STREAM_LIVE);
    fg_streams_fini(&streams);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_place),
        cmocka_unit_test(test_broken_numbering),
        cmocka_unit_test(test_lag),
        cmocka_unit_test(test_archived),
        cmocka_unit_test(test_archived_unseen),
        cmocka_unit_test(test_delivered_is_certain),
        cmocka_unit_test(test_consumed),
        cmocka_unit_test(test_many_epochs),
        cmocka_unit_test(test_numbers_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
