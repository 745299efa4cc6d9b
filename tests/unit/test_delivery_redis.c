/* SPDX-License-Identifier: BSD-3-Clause */
/* Delivery as a thread against a real Redis. */
#include "delivery_fixture.h"
#include "private_redis.h"

/* --- the thread, against a real Redis ----------------------------------------------------- */

static void start_real(struct fixture *f, struct fg_redis_link **link, const char *socket)
{
    struct fg_redis_config redis = {
        .socket = socket, .timeout_ms = 1000, .epoch = EPOCH, .instance = 1};
    *link = fg_redis_link_create(&redis);
    struct fg_delivery_config config = {.dir = f->log.dir,
                                        .disk = &fg_disk_files,
                                        .clock = &fg_clock_system,
                                        .link = *link,
                                        .batch = 512,
                                        .durable = hand_log_durable,
                                        .durable_arg = &f->log};
    int error;
    fg_delivery_destroy(f->delivery);
    f->delivery = fg_delivery_create(&config, &error);
    assert_non_null(f->delivery);
    assert_int_equal(fg_delivery_start(f->delivery, 0), 0);
}

static void command(struct private_redis *redis, const char *text)
{
    redisReply *reply = redisCommand(redis->admin, text);
    assert_non_null(reply);
    assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
    freeReplyObject(reply);
}

static void await_lag(struct fixture *f, bool (*reached)(uint64_t lag))
{
    for (int tries = 0; tries < 10000 && !reached(lag(f)); tries++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_true(reached(lag(f)));
}

static bool some(uint64_t lag)
{
    return lag > 0;
}

static bool none(uint64_t lag)
{
    return lag == 0;
}

static void assert_real_stream(struct private_redis *redis, unsigned count)
{
    redisReply *reply = redisCommand(redis->admin, "XRANGE flashgate:{spring}:orders - +");
    assert_int_equal(reply->elements, count);
    for (unsigned i = 0; i < count; i++) {
        char id[32];
        snprintf(id, sizeof(id), "%u-%u", EPOCH, i + 1);
        assert_string_equal(reply->element[i]->element[0]->str, id);
    }
    freeReplyObject(reply);
}

static void test_thread_with_a_real_redis(void **state)
{
    static const char *const faults[][2] = {
        {"CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"},
        {"FUNCTION FLUSH", "PING"},
        {"CLIENT KILL TYPE normal SKIPME yes", "PING"},
        {"DEL flashgate:{spring}:orders", "PING"},
    };
    struct fixture *f = *state;
    struct private_redis redis;
    struct fg_redis_link *link;
    unsigned next = 1;
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(private_redis_start(&redis), 0);
    start_real(f, &link, redis.socket);
    for (unsigned i = 0; i < 4; i++, next += 500) {
        command(&redis, faults[i][0]);
        log_orders(f, 1, next, next + 499);
        await_lag(f, i == 0 ? some : none);
        command(&redis, faults[i][1]);
        await_lag(f, none);
    }
    log_orders(f, 1, next, next + 1999);
    fg_delivery_stop(f->delivery, 5000); /* drains */
    assert_real_stream(&redis, next + 1999);
    fg_redis_link_destroy(link);
    private_redis_stop(&redis);
}

/* Stop waits for a Redis that is away, but only so long. */
static void test_stop_has_a_limit(void **state)
{
    struct fixture *f = *state;
    struct fg_redis_link *link;
    struct timespec begin, end;
    start_real(f, &link, "/nonexistent/redis.sock");
    log_orders(f, 1, 1, 5);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    fg_delivery_stop(f->delivery, 50);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds = (double)(end.tv_sec - begin.tv_sec) + (end.tv_nsec - begin.tv_nsec) * 1e-9;
    assert_true(seconds >= 0.05 && seconds < 2);
    fg_delivery_stop(f->delivery, 50); /* a second time does nothing */
    fg_redis_link_destroy(link);
}

/* --- what happens to streams -------------------------------------------------------------- */

static void await_stream(struct fixture *f, enum fg_stream_state state, uint64_t delivered,
                         uint64_t consumed)
{
    struct fg_stream_view view = {0};
    for (int tries = 0; tries < 20000; tries++) {
        view = fg_delivery_stream(f->delivery, 1);
        if (view.state == state && view.delivered == delivered && view.consumed == consumed)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    fail_msg("state %d, delivered %d, consumed %d", view.state, (int)view.delivered,
             (int)view.consumed);
}

static long long number_of(struct private_redis *redis, const char *text)
{
    redisReply *reply = redisCommand(redis->admin, text);
    long long number = reply->integer;
    freeReplyObject(reply);
    return number;
}

static void test_streams_of_a_real_redis(void **state)
{
    struct fixture *f = *state;
    struct private_redis redis;
    struct fg_redis_link *link;
    char text[256];
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(private_redis_start(&redis), 0);
    log_orders(f, 1, 1, 600);
    start_real(f, &link, redis.socket);
    await_stream(f, FG_STREAM_LIVE, 600, 0);

    command(&redis, "XADD flashgate:{spring}:orders * junk 1");
    await_stream(f, FG_STREAM_FOREIGN, 0, 0);
    assert_int_equal(fg_delivery_rebuild(f->delivery, 1), 0);
    await_stream(f, FG_STREAM_LIVE, 600, 0);
    assert_real_stream(&redis, 600);
    fg_delivery_last_aside(f->delivery, text, sizeof(text));
    assert_int_equal(strncmp(text, "flashgate:{spring}:orders:aside:7:1.", 36), 0);
    char length[300];
    snprintf(length, sizeof(length), "XLEN %s", text);
    assert_int_equal(number_of(&redis, length), 601);

    command(&redis, "SET flashgate:{spring}:consumed 100");
    await_stream(f, FG_STREAM_LIVE, 600, 100);
    assert_int_equal(fg_delivery_consumed(f->delivery, 1, 590), 0);
    await_stream(f, FG_STREAM_LIVE, 600, 590);
    for (int tries = 0; tries < 5000 && number_of(&redis, "XLEN flashgate:{spring}:orders") != 10;
         tries++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(number_of(&redis, "XLEN flashgate:{spring}:orders"), 10);

    private_redis_kill(&redis); /* all is gone, and the consumer's key with it */
    log_orders(f, 1, 601, 700);
    assert_int_equal(private_redis_run(&redis), 0);
    await_stream(f, FG_STREAM_LIVE, 700, 590);
    await_lag(f, none);

    fg_delivery_stop(f->delivery, 5000);
    fg_redis_link_destroy(link);
    private_redis_stop(&redis);
}

/* --- two engines -------------------------------------------------------------------------- */

static void count_fenced(void *arg)
{
    atomic_fetch_add((_Atomic unsigned *)arg, 1);
}

static struct fg_delivery *start_engine(struct fixture *f, struct fg_redis_link *link,
                                        _Atomic unsigned *fenced)
{
    struct fg_delivery_config config = {.dir = f->log.dir,
                                        .disk = &fg_disk_files,
                                        .clock = &fg_clock_system,
                                        .link = link,
                                        .batch = 512,
                                        .durable = hand_log_durable,
                                        .durable_arg = &f->log,
                                        .fenced = count_fenced,
                                        .fenced_arg = fenced};
    int error;
    struct fg_delivery *delivery = fg_delivery_create(&config, &error);
    assert_non_null(delivery);
    assert_int_equal(fg_delivery_start(delivery, -1), 0);
    return delivery;
}

/* An engine delivers until one of a greater epoch comes; whoever comes with a smaller one, or with
 * the same as another, is fenced at once. Each is told once. */
static void test_two_engines(void **state)
{
    static const unsigned epochs[] = {EPOCH, EPOCH + 1, EPOCH + 1, EPOCH};
    struct fixture *f = *state;
    struct private_redis redis;
    struct fg_redis_link *links[4];
    struct fg_delivery *engines[4];
    _Atomic unsigned fenced[4] = {0};
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(private_redis_start(&redis), 0);
    log_orders(f, 1, 1, 100);
    for (unsigned i = 0; i < 4; i++) {
        struct fg_redis_config config = {
            .socket = redis.socket, .timeout_ms = 1000, .epoch = epochs[i], .instance = i};
        links[i] = fg_redis_link_create(&config);
        engines[i] = start_engine(f, links[i], &fenced[i]);
        struct fg_delivery *loser = i == 0 ? NULL : engines[i == 1 ? 0 : i];
        for (int tries = 0;
             loser && tries < 20000 && fg_delivery_stats(loser)->state != FG_DELIVERY_FENCED;
             tries++)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        if (i == 0)
            for (int tries = 0; tries < 20000 && fg_delivery_stream(engines[0], 1).delivered != 100;
                 tries++)
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    log_orders(f, 1, 101, 200);
    for (int tries = 0; tries < 20000 && fg_delivery_stream(engines[1], 1).delivered != 200;
         tries++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_real_stream(&redis, 200);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(fenced[i], i != 1);
        assert_int_equal(fg_delivery_stats(engines[i])->state,
                         i == 1 ? FG_DELIVERY_RUNNING : FG_DELIVERY_FENCED);
        fg_delivery_stop(engines[i], 1000);
        fg_delivery_destroy(engines[i]);
        fg_redis_link_destroy(links[i]);
    }
    private_redis_stop(&redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_thread_with_a_real_redis),
        CASE(test_stop_has_a_limit),
        CASE(test_streams_of_a_real_redis),
        CASE(test_two_engines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
