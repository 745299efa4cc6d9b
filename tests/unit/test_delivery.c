/* SPDX-License-Identifier: BSD-3-Clause */
/* Delivery: the plain case, fences, and logs that cannot be. */
#include "delivery_fixture.h"

/* --- the plain case ----------------------------------------------------------------------- */

static void test_delivers_in_order(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 10);
    for (uint64_t seq = 1; seq <= 30; seq++) {
        hand_log_order(&f->log, 2, seq);
        hand_log_order(&f->log, 1, 10 + seq);
        if (seq % 7 == 0)
            hand_log_frame(&f->log, 0);
    }
    hand_log_frame(&f->log, FG_FRAME_CLOSING);
    assert_int_equal(run_ms(f, 5), 0);
    assert_spring(40);
    assert_summer(30);
    assert_states(f, FG_STREAM_LIVE, FG_STREAM_LIVE);
    assert_int_equal(f->redis->largest, 4); /* the batch asked for */
    assert_int_equal(fg_delivery_stats(f->delivery)->delivered, 70);
    assert_int_equal(lag(f), 0);
    assert_int_equal(state_of(f), FG_DELIVERY_RUNNING);
    assert_int_equal(fake_stream(f->redis, "summer")->fence_epoch, EPOCH);

    log_orders(f, 2, 31, 31); /* goes out at once, not when a batch is full */
    assert_int_equal(run_ms(f, 1), 0);
    assert_summer(31);
}

static void test_never_past_the_durable_mark(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 3);
    log_orders(f, 1, 4, 6);
    f->log.durable--;
    assert_int_equal(run_ms(f, 2500), 0);
    assert_spring(3);
    f->log.durable++;
    assert_int_equal(run_ms(f, 1), 0);
    assert_spring(6);
}

/* The base names more sales than there are batches, and their records are interleaved. */
static void test_many_sales(void **state)
{
    struct fixture *f = *state;
    char name[16];
    for (uint32_t sale = 3; sale <= 90; sale++) {
        snprintf(name, sizeof(name), "sale-%u", sale);
        hand_log_sale(&f->log, sale, name);
    }
    for (uint64_t seq = 1; seq <= 3; seq++)
        for (uint32_t sale = 3; sale <= 90; sale++)
            hand_log_order(&f->log, sale, seq);
    hand_log_frame(&f->log, 0);
    assert_int_equal(run_ms(f, 3), 0);
    for (uint32_t sale = 3; sale <= 90; sale++) {
        snprintf(name, sizeof(name), "sale-%u", sale);
        assert_stream(f, sale, name, 3, 0);
    }
    assert_int_equal(lag(f), 0);
}

static void test_restart_under_a_new_epoch(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 5);
    assert_int_equal(run_ms(f, 2), 0);
    log_orders(f, 1, 6, 8); /* logged, and not delivered before the crash */

    fg_delivery_destroy(f->delivery);
    f->log.epoch = f->redis->epoch = EPOCH + 1;
    hand_log_frame(&f->log, FG_FRAME_EPOCH);
    log_orders(f, 1, 9, 12);
    make_delivery(f, 4);
    assert_int_equal(run_ms(f, 2), 0);
    assert_stream(f, 1, "spring", 12, 9);
    assert_int_equal(fake_stream(f->redis, "spring")->fence_epoch, EPOCH + 1);
    assert_int_equal(fg_delivery_stats(f->delivery)->delivered, 7);
    assert_int_equal(fg_delivery_stats(f->delivery)->gaps, 0);
}

/* --- fences ------------------------------------------------------------------------------- */

/* `busy`: it finds out when it appends, else at the poll. */
static void fence_and_run(struct fixture *f, uint64_t epoch, uint64_t instance, bool busy)
{
    log_orders(f, 1, 1, 3);
    assert_int_equal(run_ms(f, 5), 0);
    fake_stream(f->redis, "spring")->fence_epoch = epoch;
    fake_stream(f->redis, "spring")->fence_instance = instance;
    if (busy)
        log_orders(f, 1, 4, 4);
    assert_int_equal(run_ms(f, busy ? 5 : 1100), -1);
    assert_int_equal(state_of(f), FG_DELIVERY_FENCED);
    assert_false(f->redis->connected);
    char error[128];
    fg_delivery_last_error(f->delivery, error, sizeof(error));
    assert_string_equal(error, "spring: a planted fault");

    fake_stream(f->redis, "spring")->fence_epoch = 0; /* that the fence is lost changes nothing */
    assert_int_equal(fg_delivery_step(f->delivery), -1);
    assert_spring(3);
    assert_int_equal(f->fenced, 1);
    assert_int_equal(fg_delivery_stream(f->delivery, 1).delivered, 0);
}

static void test_fenced_by_a_greater_epoch(void **state)
{
    fence_and_run(*state, EPOCH + 1, 1, true);
}

static void test_fenced_by_another_instance(void **state)
{
    fence_and_run(*state, EPOCH, 43, true);
}

static void test_fenced_while_idle(void **state)
{
    fence_and_run(*state, EPOCH + 1, 42, false);
}

/* --- logs that cannot be ------------------------------------------------------------------ */

static void assert_fails(struct fixture *f, const char *what)
{
    char error[256];
    assert_int_equal(run_ms(f, 10), -1);
    assert_int_equal(state_of(f), FG_DELIVERY_FAILED);
    fg_delivery_last_error(f->delivery, error, sizeof(error));
    if (!strstr(error, what))
        fail_msg("the error is: %s", error);
}

static void test_order_of_an_unknown_sale(void **state)
{
    log_orders(*state, 3, 1, 1);
    assert_fails(*state, "before its sale's definition");
}

static void test_gap_in_the_numbering(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 3);
    log_orders(f, 1, 5, 5);
    assert_fails(f, "not numbered");
    assert_int_equal(fake_stream(f->redis, "spring")->count, 0); /* it had gathered only */
}

static void test_sale_without_a_usable_name(void **state)
{
    char longest[FG_SALE_NAME_MAX + 2] = {0};
    struct fixture *f = *state;
    memset(longest, 'n', FG_SALE_NAME_MAX);
    hand_log_sale(&f->log, 3, longest);
    hand_log_frame(&f->log, 0);
    log_orders(f, 3, 1, 1);
    assert_int_equal(run_ms(f, 2), 0);
    assert_stream(f, 3, longest, 1, 0);

    longest[FG_SALE_NAME_MAX] = 'n';
    hand_log_sale(&f->log, 4, longest);
    hand_log_frame(&f->log, 0);
    assert_fails(f, "no name, or one that is too long");
    tear_down(state);
    set_up(state);
    f = *state;
    hand_log_sale(&f->log, 3, "");
    hand_log_frame(&f->log, 0);
    assert_fails(f, "no name, or one that is too long");
}

static void test_damaged_frame(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 3);
    assert_int_equal(run_ms(f, 3), 0);
    log_orders(f, 1, 4, 6);
    uint8_t bad = 0xff;
    assert_int_equal(pwrite(f->log.file, &bad, 1, (off_t)f->log.offset - FG_BLOCK_BYTES + 100), 1);
    assert_fails(f, "damaged");
    assert_spring(3);
}

static void test_create_without_a_log(void **state)
{
    struct fixture *f = *state;
    int error = 0;
    struct fg_delivery_config config = {
        .dir = "/nonexistent/log", .disk = &fg_disk_files, .clock = &f->clock, .batch = 1};
    assert_null(fg_delivery_create(&config, &error));
    assert_int_equal(error, -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_delivers_in_order),
        CASE(test_never_past_the_durable_mark),
        CASE(test_many_sales),
        CASE(test_restart_under_a_new_epoch),
        CASE(test_fenced_by_a_greater_epoch),
        CASE(test_fenced_by_another_instance),
        CASE(test_fenced_while_idle),
        CASE(test_order_of_an_unknown_sale),
        CASE(test_gap_in_the_numbering),
        CASE(test_sale_without_a_usable_name),
        CASE(test_damaged_frame),
        CASE(test_create_without_a_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
