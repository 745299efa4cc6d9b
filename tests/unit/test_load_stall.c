/* SPDX-License-Identifier: BSD-3-Clause */
/* The generator's client and an engine that stalls, dies, or has too much to do. */
#include "tests/unit/load_fixture.h"

/* An engine that stalls for two seconds is not met by all that was asked of it meanwhile at once.
 */
static void what_is_sent_again_keeps_to_the_cap(void **state)
{
    (void)state;
    begin(2000, 1);
    client.resend_cap = 20;
    for (unsigned ms = 0; ms < 2000; ms++) {
        pass_ms(1);
        load_client_offer(&client, 32);
    }
    assert_int_equal(client.stats.offered, 2000); /* fresh demand is never held back */
    assert_true(client.stats.held_back > 1000);
    pass_ms(100); /* the last fresh ones' time runs out */
    for (unsigned ms = 0; ms < 2000; ms++) {
        pass_ms(1);
        assert_true(client.under_way <= 20);
    }
    assert_in_range(client.under_way, 1, 20);
    assert_true(client.stats.retransmissions > 20);

    /* What is answered makes room for others, until all are over. */
    for (unsigned next = 0, ms = 0; !load_client_done(&client); ms++) {
        assert_true(ms < 20000);
        pass_ms(1);
        for (; next < wire.count; next++)
            answer(next, FG_VERDICT_SOLD_OUT);
    }
    assert_int_equal(client.under_way, 0);
    assert_int_equal(client.stats.answered, 2000);
}

/* Told to come back in 5 ms, again and again, an ask comes less and less often. */
static void busy_again_and_again_is_met_by_patience(void **state)
{
    static const unsigned least_ms[] = {5, 25, 50, 100, 200, 400, 500, 500, 500, 500};
    static const unsigned most_ms[] = {7, 77, 152, 302, 602, 1202, 1502, 1502, 1502, 1502};
    const struct answer busy = {.verdict = FG_VERDICT_BUSY, .wait_ms = 5};
    (void)state;
    begin(2, 1);
    load_client_offer(&client, 1);
    for (unsigned i = 0; i < 10; i++) {
        uint64_t told_ns = wire.now_ns;
        answer_all(i, &busy);
        while (wire.count == i + 1)
            pass_ms(1);
        assert_in_range((wire.now_ns - told_ns) / MS, least_ms[i], most_ms[i]);
    }
    assert_int_equal(client.stats.told_to_wait, 10);
    assert_int_equal(client.stats.retransmissions, 0);

    /* PAUSED says when the sale may go on, and is taken at its word. */
    uint64_t told_ns = wire.now_ns;
    answer_all(10, &(struct answer){.verdict = FG_VERDICT_PAUSED, .wait_ms = 5});
    while (wire.count == 11)
        pass_ms(1);
    assert_in_range((wire.now_ns - told_ns) / MS, 5, 7);
}

static void winding_up_ends_with_what_was_offered(void **state)
{
    (void)state;
    begin(100, 1);
    wire.now_ns += 4 * MS;
    assert_int_equal(load_client_offer(&client, 32), 5);
    load_client_wind_up(&client);
    wire.now_ns += 1000 * (uint64_t)MS;
    assert_int_equal(load_client_offer(&client, 32), 0);
    assert_false(load_client_done(&client));
    for (unsigned i = 0; i < 5; i++)
        answer(i, FG_VERDICT_SOLD_OUT);
    assert_true(load_client_done(&client));
    assert_int_equal(client.requests, 5);
}

static void every_epoch_is_a_life(void **state)
{
    static const uint64_t epochs[] = {3, 3, 4, 4, 7};
    (void)state;
    begin(1, 1);
    for (unsigned i = 0; i < 5; i++)
        ping(&(struct fg_reply){.order = epochs[i],
                                .item = 128,
                                .quantity = 20480,
                                .verdict = FG_VERDICT_PONG,
                                .wait_ms = 2});
    assert_int_equal(client.stats.lives, 3);
    assert_int_equal(client.epoch, 7);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, end)
    const struct CMUnitTest tests[] = {
        TEST(what_is_sent_again_keeps_to_the_cap),
        TEST(busy_again_and_again_is_met_by_patience),
        TEST(winding_up_ends_with_what_was_offered),
        TEST(every_epoch_is_a_life),
    };
    return cmocka_run_group_tests_name("load_stall", tests, NULL, NULL);
}
