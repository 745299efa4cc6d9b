/* SPDX-License-Identifier: BSD-3-Clause */
/* The book: buyers and orders found, removed and found again; the wheel fires on time, once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dataplane/admission/book.h"

static void buyer_of(uint32_t number, uint8_t buyer[FG_BUYER_BYTES])
{
    memset(buyer, 0, FG_BUYER_BYTES);
    memcpy(buyer + 3, &number, sizeof(number));
}

static struct fg_order *insert(struct fg_book *book, uint32_t number, uint64_t request)
{
    uint8_t buyer[FG_BUYER_BYTES];
    buyer_of(number, buyer);
    struct fg_order *order = fg_book_insert(book, fg_book_hash(book, buyer), buyer, request);
    if (order)
        order->state = FG_ORDER_FINAL;
    return order;
}

static struct fg_order *find(const struct fg_book *book, uint32_t number, uint64_t request)
{
    uint8_t buyer[FG_BUYER_BYTES];
    buyer_of(number, buyer);
    return fg_book_find(book, fg_book_buyer(book, fg_book_hash(book, buyer), buyer), request);
}

static void orders_hang_on_their_buyer(void **state)
{
    (void)state;
    struct fg_book book;
    assert_int_equal(fg_book_init(&book, 16, 1), 0);
    struct fg_order *a = insert(&book, 1, 10), *b = insert(&book, 1, 11), *c = insert(&book, 2, 10);

    assert_ptr_equal(find(&book, 1, 10), a);
    assert_ptr_equal(find(&book, 1, 11), b);
    assert_ptr_equal(find(&book, 2, 10), c);
    assert_null(find(&book, 2, 11));
    assert_null(find(&book, 3, 10));
    fg_book_remove(&book, b); /* the buyer's first */
    assert_ptr_equal(find(&book, 1, 10), a);
    assert_null(find(&book, 1, 11));
    fg_book_remove(&book, a); /* the buyer's only one: the buyer is forgotten */
    assert_null(find(&book, 1, 10));
    assert_int_equal(book.count, 1);
    fg_book_fini(&book);
}

static void a_full_book_refuses_and_takes_again(void **state)
{
    (void)state;
    enum { capacity = 20000 };
    struct fg_book book;
    assert_int_equal(fg_book_init(&book, capacity, 42), 0);

    for (uint32_t i = 0; i < capacity; i++)
        assert_non_null(insert(&book, i, i));
    assert_null(insert(&book, capacity, 0));
    for (uint32_t i = 0; i < capacity; i++)
        assert_non_null(find(&book, i, i));
    for (uint32_t i = 0; i < capacity; i += 2)
        fg_book_remove(&book, find(&book, i, i));
    for (uint32_t i = 0; i < capacity; i++)
        assert_int_equal(find(&book, i, i) != NULL, i % 2);
    for (uint32_t i = 0; i < capacity; i += 2)
        assert_non_null(insert(&book, i + capacity, 5));
    for (uint32_t i = 1; i < capacity; i += 2)
        assert_non_null(find(&book, i, i));
    /* Emptied, no bucket remembers that anybody went past it. */
    for (uint32_t i = 0; i < capacity; i++)
        fg_book_remove(&book, i % 2 ? find(&book, i, i) : find(&book, i + capacity, 5));
    for (uint32_t i = 0; i <= book.bucket_mask; i++)
        assert_int_equal(book.buckets[i].passed, 0);
    fg_book_fini(&book);
}

/* Firing is checked against the deadlines themselves. */
struct clockwork {
    struct fg_book *book;
    uint32_t now_ms;
    unsigned fired, late, early;
};

static void fire(void *arg, struct fg_order *order)
{
    struct clockwork *clockwork = arg;
    int32_t behind = (int32_t)(clockwork->now_ms - order->deadline_ms);
    clockwork->fired++;
    clockwork->early += behind < 0;
    clockwork->late += behind > 0;
    fg_book_remove(clockwork->book, order);
}

static void deadlines_fire_on_their_millisecond(void **state)
{
    (void)state;
    static const uint32_t deadlines[] = {1,     2,     255,   256,   257,    511,     512, 65535,
                                         65536, 65537, 65792, 70000, 131072, 1000000, 300, 299};
    struct fg_book book;
    struct clockwork clockwork = {.book = &book};
    enum { count = sizeof(deadlines) / sizeof(deadlines[0]) };

    assert_int_equal(fg_book_init(&book, 64, 1), 0);
    for (uint32_t i = 0; i < count; i++)
        fg_book_arm(&book, insert(&book, i, i), deadlines[i]);
    for (uint32_t now = 0; now <= 1000000; now++) {
        clockwork.now_ms = now;
        do
            fg_book_expire(&book, now, 64, fire, &clockwork);
        while (book.tick_ms != now);
    }
    assert_int_equal(clockwork.fired, count);
    assert_int_equal(clockwork.early, 0);
    assert_int_equal(clockwork.late, 0);
    fg_book_fini(&book);
}

static void a_small_budget_loses_nothing(void **state)
{
    (void)state;
    enum { count = 5000 };
    struct fg_book book;
    struct clockwork clockwork = {.book = &book};

    assert_int_equal(fg_book_init(&book, count, 3), 0);
    srandom(7);
    for (uint32_t i = 0; i < count; i++)
        fg_book_arm(&book, insert(&book, i, i), 1 + (uint32_t)random() % 3000);
    for (uint32_t now = 0; now < 40000; now++) {
        clockwork.now_ms = now;
        assert_true(fg_book_expire(&book, now, 3, fire, &clockwork) <= 3);
    }
    assert_int_equal(clockwork.fired, count);
    assert_int_equal(clockwork.early, 0);
    fg_book_fini(&book);
}

static void a_disarmed_or_moved_deadline_does_not_fire(void **state)
{
    (void)state;
    struct fg_book book;
    struct clockwork clockwork = {.book = &book, .now_ms = 100};

    assert_int_equal(fg_book_init(&book, 8, 3), 0);
    struct fg_order *a = insert(&book, 1, 1), *b = insert(&book, 2, 1), *c = insert(&book, 3, 1);
    fg_book_arm(&book, a, 50);
    fg_book_arm(&book, b, 50);
    fg_book_arm(&book, c, 50);
    fg_book_disarm(&book, b);
    fg_book_arm(&book, c, 150);
    for (int i = 0; i < 10; i++)
        fg_book_expire(&book, 100, 64, fire, &clockwork);
    assert_int_equal(clockwork.fired, 1);
    assert_non_null(find(&book, 2, 1));
    assert_non_null(find(&book, 3, 1));
    fg_book_fini(&book);
}

static bool is_odd(void *arg, const struct fg_order *order)
{
    ++*(unsigned *)arg;
    return order->request % 2;
}

static void a_sweep_goes_over_every_line_a_few_at_a_time(void **state)
{
    (void)state;
    enum { orders = 1000 };
    struct fg_book book;
    uint32_t line = 0;
    unsigned looked = 0, calls = 1;

    assert_int_equal(fg_book_init(&book, orders, 5), 0);
    for (uint32_t i = 0; i < orders; i++) /* three of a buyer: the last, the middle, the first */
        fg_book_arm(&book, insert(&book, i / 3, i), 100 + i);
    while (!fg_book_sweep(&book, &line, 16, is_odd, &looked)) {
        assert_true(looked <= 16 * calls);
        calls++;
    }
    assert_int_equal(calls, (orders + 15) / 16);
    assert_int_equal(looked, orders);
    assert_int_equal(book.count, orders / 2);
    for (uint32_t i = 0; i < orders; i++)
        assert_int_equal(find(&book, i / 3, i) != NULL, i % 2 == 0);
    /* Nothing that was removed is in the wheel any more, nor looked at again. */
    struct clockwork clockwork = {.book = &book, .now_ms = 5000};
    for (int i = 0; i < 1000; i++)
        fg_book_expire(&book, 5000, 64, fire, &clockwork);
    assert_int_equal(clockwork.fired, orders / 2);
    fg_book_fini(&book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_hang_on_their_buyer),
        cmocka_unit_test(a_full_book_refuses_and_takes_again),
        cmocka_unit_test(deadlines_fire_on_their_millisecond),
        cmocka_unit_test(a_small_budget_loses_nothing),
        cmocka_unit_test(a_disarmed_or_moved_deadline_does_not_fire),
        cmocka_unit_test(a_sweep_goes_over_every_line_a_few_at_a_time),
    };
    return cmocka_run_group_tests_name("book", tests, NULL, NULL);
}
