/* SPDX-License-Identifier: BSD-3-Clause */
/* Delivery of what leaves the log: archived sales, and what the consumer is done with. */
#include "dataplane/admission/catalogue.h"
#include "delivery_fixture.h"

/* --- archived sales ----------------------------------------------------------------------- */

/* A log that begins with its third segment: of "spring" it has the events after 20, of "autumn"
 * only its name; both are archived later on. */
static void open_cut_log(struct fixture *f)
{
    hand_log_close(&f->log);
    hand_log_open(&f->log, 3, EPOCH);
    hand_log_sale(&f->log, 1, "spring");
    hand_log_position(&f->log, 1, 21, 5);
    hand_log_sale(&f->log, 2, "summer");
    hand_log_sale(&f->log, 3, "autumn");
    hand_log_position(&f->log, 3, 31, 6);
    hand_log_frame(&f->log, FG_FRAME_BASE);
    log_orders(f, 1, 21, 23);
    hand_log_state(&f->log, 3, FG_SALE_ARCHIVED);
    hand_log_state(&f->log, 1, FG_SALE_ARCHIVED);
    log_orders(f, 2, 1, 2);
    fg_delivery_destroy(f->delivery);
    make_delivery(f, 4);
}

static void test_archived_sales(void **state)
{
    struct fixture *f = *state;
    open_cut_log(f);
    f->redis->connect_answer = FG_REDIS_LOST;
    assert_int_equal(run_ms(f, 100), 0);
    assert_int_equal(fg_delivery_stream_state(f->delivery, 3), FG_STREAM_DONE);
    assert_int_equal(lag(f), 23 + 2); /* nothing is known of Redis yet */
    f->redis->connect_answer = FG_REDIS_OK;
    fake_add(fake_stream(f->redis, "spring"), (struct fg_stream_id){5, 20}, 1);
    assert_int_equal(run_ms(f, 3000), 0);
    assert_states(f, FG_STREAM_LIVE, FG_STREAM_LIVE);
    assert_int_equal(fake_stream(f->redis, "spring")->count, 4);
    assert_int_equal(fg_delivery_stream_state(f->delivery, 3), FG_STREAM_DONE);
    assert_int_equal(fake_stream(f->redis, "autumn")->fence_epoch, 0); /* not claimed */
    assert_int_equal(lag(f), 0);
    assert_int_equal(fg_delivery_rebuild(f->delivery, 3), -ERANGE);

    /* Redis loses what the log has not any more: an alarm, with the range. */
    fake_lose_tail(fake_stream(f->redis, "spring"), 0);
    assert_int_equal(run_ms(f, 1100), 0);
    assert_states(f, FG_STREAM_LOST_BEYOND_LOG, FG_STREAM_LIVE);
    assert_error(f, "spring: its stream has lost the events after 0, and the log has none before "
                    "21 any more");
    assert_int_equal(fg_delivery_stream(f->delivery, 1).delivered, 0);
    assert_int_equal(fg_delivery_rebuild(f->delivery, 1), -ERANGE);
    assert_int_equal(run_ms(f, 1100), 0);
    assert_int_equal(fake_stream(f->redis, "spring")->asides, 0);

    /* It is restored, as the alarm says: less than the log's beginning is no help, more is. */
    fake_add(fake_stream(f->redis, "spring"), (struct fg_stream_id){5, 19}, 1);
    unsigned claims = f->redis->claims;
    assert_int_equal(run_ms(f, 3000), 0);
    assert_in_range(f->redis->claims - claims, 5, 6); /* the polls' */
    assert_states(f, FG_STREAM_LOST_BEYOND_LOG, FG_STREAM_LIVE);
    fake_add(fake_stream(f->redis, "spring"), (struct fg_stream_id){5, 20}, 1);
    fake_add(fake_stream(f->redis, "spring"), (struct fg_stream_id){EPOCH, 21}, 1);
    assert_int_equal(run_ms(f, 1100), 0);
    assert_states(f, FG_STREAM_LIVE, FG_STREAM_LIVE);
    assert_int_equal(fg_delivery_stream(f->delivery, 1).delivered, 23);
    assert_int_equal(fake_stream(f->redis, "spring")->count, 5);
}

/* The log's only segment goes, and another one, which continues it, takes its place: its base, and
 * the orders `first` to `last` of "summer", are what the log has then. */
static void replace_segment(struct fixture *f, uint64_t first, uint64_t last)
{
    struct hand_log old = f->log;
    char path[128];

    hand_log_open(&f->log, old.segment + 1, EPOCH);
    f->log.sequence = old.sequence;
    f->log.previous_crc = old.previous_crc;
    f->log.lsn = old.lsn;
    hand_log_sale(&f->log, 2, "summer");
    hand_log_position(&f->log, 2, first, EPOCH);
    hand_log_frame(&f->log, FG_FRAME_BASE);
    log_orders(f, 2, first, last);
    snprintf(path, sizeof(path), "%s/segment-%08u.fgl", old.dir, f->log.segment);
    assert_int_equal(rename(f->log.path, path), 0);
    assert_int_equal(unlink(old.path), 0);
    assert_int_equal(rmdir(f->log.dir), 0);
    snprintf(f->log.dir, sizeof(f->log.dir), "%s", old.dir);
    snprintf(f->log.path, sizeof(f->log.path), "%s", path);
    close(old.file);
    free(old.frame);
}

/* Its last segment goes while delivery runs; whatever becomes of the stream is no concern then. */
static void test_archived_sale_leaves_the_log(void **state)
{
    struct fixture *f = *state;
    open_cut_log(f);
    fake_add(fake_stream(f->redis, "spring"), (struct fg_stream_id){5, 20}, 1);
    assert_int_equal(run_ms(f, 100), 0);
    assert_states(f, FG_STREAM_LIVE, FG_STREAM_LIVE);
    assert_int_equal(fg_delivery_stream(f->delivery, 1).delivered, 23);

    replace_segment(f, 3, 4);

    fake_lose_tail(fake_stream(f->redis, "spring"), 0);
    assert_int_equal(run_ms(f, 1100), 0);
    assert_int_equal(fg_delivery_stream_state(f->delivery, 1), FG_STREAM_DONE);
    assert_int_equal(fake_stream(f->redis, "spring")->count, 0);
    unsigned claims = f->redis->claims;
    assert_int_equal(run_ms(f, 3000), 0);
    assert_in_range(f->redis->claims - claims, 2, 3); /* of summer alone */
    assert_int_equal(lag(f), 0);
}

/* Segments go while delivery runs, and it does not read them again: a rebuild must look for itself
 * whether the log can still refill what it would move away. */
static void test_rebuild_of_what_has_left_the_log(void **state)
{
    struct fixture *f = *state;
    struct fake_stream *spring = fake_stream(f->redis, "spring");
    log_orders(f, 1, 1, 5);
    log_orders(f, 2, 1, 2);
    hand_log_state(&f->log, 1, FG_SALE_ARCHIVED);
    hand_log_frame(&f->log, 0);
    assert_int_equal(run_ms(f, 5), 0);
    assert_states(f, FG_STREAM_LIVE, FG_STREAM_LIVE);
    replace_segment(f, 3, 4);
    assert_int_equal(run_ms(f, 5), 0);
    assert_states(f, FG_STREAM_LIVE, FG_STREAM_LIVE);
    (void)fg_delivery_rebuild(f->delivery, 1);
    assert_int_equal(run_ms(f, 3000), 0);
    assert_int_equal(spring->asides, 0);
    assert_int_equal(spring->count, 5);
    assert_states(f, FG_STREAM_DONE, FG_STREAM_LIVE);
    assert_int_equal(fg_delivery_rebuild(f->delivery, 1), -ERANGE);
    assert_int_equal(lag(f), 0);
    assert_error(f, "spring: not rebuilt");

    /* And of what lives on, whose first part is gone. */
    (void)fg_delivery_rebuild(f->delivery, 2);
    assert_int_equal(run_ms(f, 3000), 0);
    assert_int_equal(fake_stream(f->redis, "summer")->asides, 0);
    assert_summer(4);
}

/* --- what the consumer is done with ------------------------------------------------------- */

static void test_consumed_is_trimmed(void **state)
{
    struct fixture *f = *state;
    struct fake_stream *spring = fake_stream(f->redis, "spring");
    log_orders(f, 1, 1, 10);
    assert_int_equal(fg_delivery_consumed(f->delivery, 1, 1), -ENOENT); /* not read yet */
    assert_int_equal(run_ms(f, 5), 0);
    assert_int_equal(fg_delivery_consumed(f->delivery, 9, 1), -ENOENT);
    assert_int_equal(fg_delivery_consumed(f->delivery, UINT32_MAX, 1), -ENOENT);
    assert_int_equal(fg_delivery_consumed(f->delivery, 1, 11), -ERANGE);
    assert_int_equal(fg_delivery_consumed(f->delivery, 1, 4), 0);
    assert_int_equal(fg_delivery_consumed(f->delivery, 1, 2), 0);     /* it does not go back */
    assert_int_equal(fg_delivery_stream(f->delivery, 1).consumed, 4); /* at once */
    assert_int_equal(run_ms(f, 1100), 0);
    assert_int_equal(spring->count, 6);
    assert_int_equal(spring->entries[0].id.sale_seq, 5);
    assert_int_equal(spring->trims, 1);
    assert_int_equal(fg_delivery_stream(f->delivery, 1).consumed, 4);

    spring->consumed = 8; /* the key tells more */
    assert_int_equal(run_ms(f, 1100), 0);
    assert_int_equal(spring->count, 2);
    spring->consumed = 1000; /* and more than there is */
    log_orders(f, 1, 11, 12);
    assert_int_equal(run_ms(f, 5000), 0);
    assert_int_equal(spring->count, 0);
    assert_int_equal(spring->trims, 3); /* once a second at most, and only if it moved */
    assert_int_equal(fg_delivery_stream(f->delivery, 1).consumed, 12);
    assert_states(f, FG_STREAM_LIVE, FG_STREAM_LIVE);
    spring->consumed = 0;
    log_orders(f, 1, 13, 14);
    assert_int_equal(run_ms(f, 1100), 0);
    assert_int_equal(spring->count, 2);
    assert_int_equal(fg_delivery_stream(f->delivery, 1).consumed, 12);

    fake_lose_tail(spring, 0); /* refilled whole, and trimmed again */
    assert_int_equal(run_ms(f, 2200), 0);
    assert_int_equal(spring->count, 2);
    assert_int_equal(spring->last.sale_seq, 14);
}

static void test_odd_key_is_told_once(void **state)
{
    struct fixture *f = *state;
    struct fake_stream *spring = fake_stream(f->redis, "spring");
    log_orders(f, 1, 1, 10);
    spring->consumed = 5;
    spring->consumed_odd = true;
    assert_int_equal(run_ms(f, 2200), 0);
    assert_error(f, "spring: a planted fault");
    assert_spring(10);
    fake_stream(f->redis, "summer")->wrong_type = true; /* a later error is not hidden by it */
    assert_int_equal(run_ms(f, 2200), 0);
    assert_error(f, "summer: a planted fault");
    assert_int_equal(fg_delivery_stream(f->delivery, 1).consumed, 0);
}

/* A user who may append and not trim: delivery goes on, and says so. */
static void test_trim_refused(void **state)
{
    struct fixture *f = *state;
    struct fake_stream *spring = fake_stream(f->redis, "spring");
    log_orders(f, 1, 1, 10);
    spring->consumed = 5;
    f->redis->trim_answer = FG_REDIS_REFUSED;
    assert_int_equal(run_ms(f, 3300), 0);
    log_orders(f, 1, 11, 12);
    assert_int_equal(run_ms(f, 5), 0);
    assert_spring(12);
    assert_int_equal(spring->trims, 3);
    assert_int_equal(fg_delivery_stats(f->delivery)->errors, 3);
    f->redis->trim_answer = FG_REDIS_LOST;
    assert_int_equal(run_ms(f, 1100), 0);
    f->redis->trim_answer = FG_REDIS_OK;
    assert_int_equal(run_ms(f, 2200), 0);
    assert_int_equal(spring->count, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_archived_sales),
        CASE(test_archived_sale_leaves_the_log),
        CASE(test_rebuild_of_what_has_left_the_log),
        CASE(test_consumed_is_trimmed),
        CASE(test_odd_key_is_told_once),
        CASE(test_trim_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
