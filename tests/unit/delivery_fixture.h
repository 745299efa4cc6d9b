/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Delivery against a log written by hand and a Redis in memory, stepped on a clock of the test's
 * own. Two sales, "spring" and "summer".
 */
#ifndef FG_TESTS_DELIVERY_FIXTURE_H
#define FG_TESTS_DELIVERY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dataplane/orders/delivery.h"
#include "fake_redis.h"
#include "hand_log.h"

#define EPOCH 7

struct fixture {
    struct hand_log log;
    struct fake_redis *redis;
    struct fg_delivery *delivery;
    uint64_t now_ns;
    struct fg_clock clock;
    unsigned fenced; /* calls of the callback */
};

static inline uint64_t test_now(void *context)
{
    return ((struct fixture *)context)->now_ns;
}

/* A log whose base is empty, and two sales in its first frame. */
static inline void open_log(struct fixture *f)
{
    hand_log_open(&f->log, 1, EPOCH);
    hand_log_frame(&f->log, FG_FRAME_BASE);
    hand_log_frame(&f->log, FG_FRAME_EPOCH);
    hand_log_sale(&f->log, 1, "spring");
    hand_log_sale(&f->log, 2, "summer");
    hand_log_frame(&f->log, 0);
}

static inline void note_fenced(void *arg)
{
    ((struct fixture *)arg)->fenced++;
}

static inline void make_delivery(struct fixture *f, unsigned batch)
{
    struct fg_delivery_config config = {.dir = f->log.dir,
                                        .disk = &fg_disk_files,
                                        .clock = &f->clock,
                                        .link = &f->redis->link,
                                        .batch = batch,
                                        .durable = hand_log_durable,
                                        .durable_arg = &f->log,
                                        .fenced = note_fenced,
                                        .fenced_arg = f};
    int error = 0;
    f->delivery = fg_delivery_create(&config, &error);
    assert_non_null(f->delivery);
}

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->clock = (struct fg_clock){f, test_now, test_now};
    f->now_ns = 1000000000;
    open_log(f);
    f->redis = fake_redis_create(EPOCH);
    make_delivery(f, 4);
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    fg_delivery_destroy(f->delivery);
    fake_redis_destroy(f->redis);
    hand_log_close(&f->log);
    free(f);
    return 0;
}

/* Puts sale's records first..last into one frame. */
static inline void log_orders(struct fixture *f, uint32_t sale, uint64_t first, uint64_t last)
{
    for (uint64_t seq = first; seq <= last; seq++)
        hand_log_order(&f->log, sale, seq);
    hand_log_frame(&f->log, 0);
}

/* Steps for so long on the test's clock; a step that does something takes no time. */
static inline int run_ms(struct fixture *f, unsigned ms)
{
    unsigned busy = 0;
    while (ms > 0) {
        int rc = fg_delivery_step(f->delivery);
        if (rc < 0)
            return rc;
        if (rc == 0) {
            f->now_ns += 1000000;
            ms--;
            busy = 0;
        }
        assert_true(++busy < 100000); /* it comes to rest */
    }
    return 0;
}

static inline void assert_stream(struct fixture *f, uint32_t sale, const char *name, unsigned count,
                                 uint64_t first_of_next_epoch)
{
    struct fake_stream *stream = fake_stream(f->redis, name);
    if (stream->count != count)
        fail_msg("%s holds %u entries, not %u", name, stream->count, count);
    for (unsigned i = 0; i < count; i++) {
        uint64_t seq = i + 1;
        assert_int_equal(stream->entries[i].id.sale_seq, seq);
        assert_int_equal(stream->entries[i].id.epoch,
                         first_of_next_epoch && seq >= first_of_next_epoch ? EPOCH + 1 : EPOCH);
        assert_int_equal(stream->entries[i].order, hand_log_order_id(sale, seq));
    }
}

#define assert_spring(count) assert_stream(f, 1, "spring", count, 0)
#define assert_summer(count) assert_stream(f, 2, "summer", count, 0)

static inline void assert_states(struct fixture *f, enum fg_stream_state spring,
                                 enum fg_stream_state summer)
{
    assert_int_equal(fg_delivery_stream_state(f->delivery, 1), spring);
    assert_int_equal(fg_delivery_stream_state(f->delivery, 2), summer);
}

static inline uint64_t lag(struct fixture *f)
{
    return fg_delivery_stats(f->delivery)->lag;
}

static inline void assert_error(struct fixture *f, const char *what)
{
    char error[512];
    fg_delivery_last_error(f->delivery, error, sizeof(error));
    if (!strstr(error, what))
        fail_msg("the error is: %s", error);
}

static inline enum fg_delivery_state state_of(struct fixture *f)
{
    return fg_delivery_stats(f->delivery)->state;
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
