/* SPDX-License-Identifier: BSD-3-Clause */
/* The buckets of keys, by themselves: their shares, and what passes. */
#include "tests/unit/rates_fixture.h"

static struct fg_key key_of(uint32_t rate, uint32_t burst)
{
    struct fg_key key = {.id = 7};
    fg_rates_set_key(&key, rate, burst);
    return key;
}

/* By a datagram of its own, where no buyer's bucket is asked. */
static bool ask_key(const struct fg_key *key, bool settles, uint32_t *wait_ms)
{
    datagram();
    return fg_rates_key(&rates, key, 3, settles, false, wait_ms);
}

static bool copy_key(const struct fg_key *key, uint64_t time_ns, bool settles)
{
    uint32_t wait_ms;

    fg_rates_datagram(&rates, time_ns, wall_ns());
    return fg_rates_key(&rates, key, 3, settles, false, &wait_ms);
}

static uint64_t use_key(const struct fg_key *key, uint64_t asks, bool settles)
{
    uint64_t passed = 0;
    uint32_t wait_ms;
    while (asks-- > 0)
        passed += ask_key(key, settles, &wait_ms);
    return passed;
}

/* Of one worker of four: an even part, until control says something else. */
static void test_a_key_has_an_even_part(void **state)
{
    (void)state;
    struct fg_key key = key_of(4000000, 400000);
    uint32_t wait_ms;
    begin(UINT32_MAX - 500, 1024, 4);
    assert_int_equal(use_key(&key, 300000, false), 100000);
    for (int ms = 0; ms < 1000; ms++) {
        pass(1);
        assert_in_range(use_key(&key, 5000, false), 998, 1001);
    }
    assert_false(ask_key(&key, false, &wait_ms));
    assert_int_equal(wait_ms, 1);
    assert_int_equal(use_key(&key, 300000, true), 100000); /* half a depth more, at half the cost */
    assert_int_equal(fg_count_read(&rates.keys[3].asked), 300000 + 5000 * 1000 + 1 + 300000);
    assert_int_equal(count(FG_COUNTER_THROTTLED_KEY), fg_count_read(&rates.keys[3].throttled));
    key = key_of(0, 0);
    assert_int_equal(use_key(&key, 300000, false), 300000);
    end();
}

static void test_a_share_has_room_for_one(void **state)
{
    (void)state;
    struct fg_key key = key_of(1, 1);
    uint32_t wait_ms;
    begin(5, 1024, 4);
    assert_true(ask_key(&key, false, &wait_ms));
    assert_false(ask_key(&key, false, &wait_ms));
    assert_int_equal(wait_ms, 4000);
    pass(3999);
    assert_false(ask_key(&key, false, &wait_ms));
    pass(1);
    assert_true(ask_key(&key, false, &wait_ms));
    end();
}

/* Shares that move to and fro make nothing; what is in the bucket stays. */
static void test_changed_shares_make_nothing(void **state)
{
    (void)state;
    struct fg_key key = key_of(100000, 10000);
    uint64_t passed = 0, fair;
    begin(5, 1024, 1);
    for (int turn = 0; turn < 4000; turn++) {
        uint64_t part = 1 + (uint64_t)(turn & 1) * 9; /* a tenth of the rate, and all */
        atomic_store(&rates.costs[3], key.rate_cost * part);
        passed += use_key(&key, draw(300), false);
        pass(1);
    }
    fair = 4 * 100000 * 55 / 100;
    assert_in_range(passed, fair - fair / 50, fair + 10000 + fair / 50);
    /* ... and of another key in that place nothing is known */
    key.id = 8;
    atomic_store(&rates.costs[3], key.rate_cost);
    assert_int_equal(use_key(&key, 20000, false), 10000);
    atomic_store(&rates.costs[3], key.rate_cost * 2);
    assert_int_equal(use_key(&key, 20000, false), 0);
    atomic_store(&rates.costs[3], key.rate_cost);
    assert_int_equal(use_key(&key, 20000, false), 0);
    end();
}

/* Copies get what is left, and shares that move make nothing of their debt either. */
static void test_copies_leave_a_key_its_rate(void **state)
{
    (void)state;
    struct fg_key key = key_of(100000, 10000);
    uint64_t passed = 0, copies = 0, last_ns = 0;
    uint32_t wait_ms;
    begin(5, 1024, 1);
    for (int ms = 0; ms < 2000; ms++) {
        unsigned asks = ms % 1000 == 0 ? 9901 : ms % 1000 < 100 ? 0 : 100;
        while (asks-- > 0) {
            last_ns = datagram();
            assert_true(fg_rates_key(&rates, &key, 3, asks % 2, false, &wait_ms));
            passed++;
        }
        for (int n = 0; n < 300; n++)
            copies += copy_key(&key, last_ns, n % 2);
        pass(1);
    }
    assert_in_range(passed, 195000, 200000);
    assert_in_range(copies, 1, 2 * 2 * 10000);
    assert_int_equal(fg_count_read(&rates.keys[3].asked), passed);
    assert_int_equal(fg_count_read(&rates.keys[3].throttled), 0);
    assert_int_equal(count(FG_COUNTER_THROTTLED_KEY), 0);
    assert_int_equal(count(FG_COUNTER_THROTTLED_COPIES), 2000 * 300 - copies);
    end();
}

/* Old and new times together: one rate, and two bursts; with shares that move, too. */
static void test_no_times_make_a_key_s_rate_greater(void **state)
{
    (void)state;
    struct fg_key key = key_of(100000, 10000);
    for (unsigned part = 1; part <= 4; part += 3) {
        uint64_t passed = 0, time_ns;
        uint32_t wait_ms;
        begin(5, 1024, 1);
        time_ns = datagram();
        for (unsigned ms = 0; ms < 2000; ms++) {
            atomic_store(&rates.costs[3], key.rate_cost * (ms & 1 ? 1 : part));
            for (int n = 0; n < 500; n++)
                if (draw(2))
                    passed += copy_key(&key, time_ns, false);
                else
                    passed += ask_key(&key, false, &wait_ms);
            pass(1);
        }
        uint64_t fair = part == 1 ? 200000 : 200000 * 5 / 8;
        assert_in_range(passed, fair, fair + 2 * 10000 + fair / 50);
        end();
    }
}

/* On a worker that has seen nothing of a key, what is late is taken for a copy. */
static void test_what_comes_late_may_be_a_copy(void **state)
{
    (void)state;
    struct fg_key key = key_of(1000, 100);
    begin(5, 1024, 1);
    uint64_t now_ns = wall_ns();
    for (uint64_t n = 0; n < 1000; n++) /* the last window's, in their order */
        copy_key(&key, now_ns - 30 * FG_KEY_LATE_NS + n * (29 * FG_KEY_LATE_NS / 999), false);
    assert_int_equal(fg_count_read(&rates.keys[3].asked), 0);
    assert_true(copy_key(&key, now_ns - FG_KEY_LATE_NS + 1, false));
    assert_int_equal(fg_count_read(&rates.keys[3].asked), 1);
    assert_int_equal(use_key(&key, 200, false), 99);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_key_has_an_even_part),
        cmocka_unit_test(test_a_share_has_room_for_one),
        cmocka_unit_test(test_changed_shares_make_nothing),
        cmocka_unit_test(test_copies_leave_a_key_its_rate),
        cmocka_unit_test(test_no_times_make_a_key_s_rate_greater),
        cmocka_unit_test(test_what_comes_late_may_be_a_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
