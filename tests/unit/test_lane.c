/* SPDX-License-Identifier: BSD-3-Clause */
/* The ring of order events between a worker and the journal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "dataplane/orders/lane.h"

static void test_tickets_and_marks(void **state)
{
    (void)state;
    struct fg_lane lane;
    struct fg_order_event event = {.kind = FG_EVENT_ADMIT}, out[8];

    assert_int_equal(fg_lane_init(&lane, 8), 0);
    assert_int_equal(lane.capacity, 7);
    assert_int_equal(fg_lane_room(&lane), 7);
    for (uint64_t i = 1; i <= 7; i++) {
        event.request = i;
        assert_int_equal(fg_lane_push(&lane, &event), i);
    }
    assert_int_equal(fg_lane_room(&lane), 0);
    assert_int_equal(fg_lane_drain(&lane, out, 3), 3);
    assert_int_equal(fg_lane_room(&lane), 3);
    assert_int_equal(fg_lane_durable(&lane), 0);
    fg_lane_publish(&lane);
    assert_int_equal(fg_lane_durable(&lane), 3);
    assert_int_equal(fg_lane_drain(&lane, out + 3, 5), 4);
    assert_int_equal(fg_lane_drain(&lane, out, 0), 0);
    assert_int_equal(fg_lane_durable(&lane), 3);
    fg_lane_publish(&lane);
    assert_int_equal(fg_lane_durable(&lane), 7);
    for (uint64_t i = 0; i < 7; i++)
        assert_int_equal(out[i].request, i + 1);
    assert_int_equal(fg_lane_drain(&lane, out, 8), 0);
    fg_lane_fini(&lane);
}

static void test_sizes(void **state)
{
    (void)state;
    struct fg_lane lane;

    assert_int_equal(fg_lane_init(&lane, 1000), -EINVAL);
}

#define MANY 200000

static void *produce(void *arg)
{
    struct fg_lane *lane = arg;
    struct fg_order_event event = {.kind = FG_EVENT_ADMIT};

    for (uint64_t i = 1; i <= MANY;) {
        if (fg_lane_room(lane) == 0) {
            sched_yield();
            continue;
        }
        event.request = event.order = event.at_ns = i++;
        fg_lane_push(lane, &event);
    }
    return NULL;
}

static void test_two_threads_keep_the_order(void **state)
{
    (void)state;
    struct fg_lane lane;
    struct fg_order_event out[64];
    pthread_t thread;

    assert_int_equal(fg_lane_init(&lane, 256), 0);
    assert_int_equal(pthread_create(&thread, NULL, produce, &lane), 0);
    for (uint64_t next = 1; next <= MANY;) {
        unsigned n = fg_lane_drain(&lane, out, 64);
        if (n == 0)
            sched_yield();
        for (unsigned i = 0; i < n; i++, next++) {
            assert_int_equal(out[i].request, next);
            assert_int_equal(out[i].at_ns, next);
        }
        fg_lane_publish(&lane);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(fg_lane_durable(&lane), MANY);
    fg_lane_fini(&lane);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tickets_and_marks),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_two_threads_keep_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
