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
        fg_stream_claimed(&streams, stream, make_id(cases[i].last));
        uint64_t first = pass(&streams, stream, cases[i].base, cases[i].epochs);
        if (stream->state != cases[i].wanted || first != cases[i].first)
            fail_msg("%s: state %d, first %d", cases[i].what, stream->state, (int)first);
        assert_int_equal(fg_streams_state(&streams, SALE), cases[i].wanted);
        assert_int_equal(streams.seeking, 0);
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
    assert_int_equal(streams.lag, 6); /* reading again counts nothing twice */
    fg_stream_claimed(&streams, one, (struct fg_stream_id){1, 3});
    fg_stream_claimed(&streams, two, (struct fg_stream_id){1, 1});
    assert_int_equal(streams.lag, 2);
    fg_stream_appended(&streams, one, (struct fg_stream_id){1, 5});
    assert_int_equal(streams.lag, 0);
    fg_stream_pass(&streams, two, (struct fg_stream_id){1, 1}, true);
    fg_stream_claimed(&streams, one, (struct fg_stream_id){9, 9}); /* not the log's */
    fg_streams_end(&streams);
    assert_int_equal(one->state, FG_STREAM_FOREIGN);
    assert_int_equal(streams.lag, 5);
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
    assert_int_equal(fg_streams_state(&streams, UINT32_MAX), FG_STREAM_SEEKING);
    struct fg_stream *stream = fg_streams_insert(&streams, FG_SALES_EVER_MAX);
    assert_non_null(stream);
    assert_ptr_equal(fg_streams_insert(&streams, FG_SALES_EVER_MAX), stream);
    assert_ptr_equal(fg_streams_lookup(&streams, FG_SALES_EVER_MAX), stream);
    assert_null(fg_streams_lookup(&streams, FG_SALES_EVER_MAX - 1));
    fg_streams_fini(&streams);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_place),
        cmocka_unit_test(test_broken_numbering),
        cmocka_unit_test(test_lag),
        cmocka_unit_test(test_numbers_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
