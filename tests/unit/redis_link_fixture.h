/* SPDX-License-Identifier: BSD-3-Clause */
/* A Redis link to a private Redis, and the test's own connection beside it. The sale is "spring".
 */
#ifndef FG_TESTS_REDIS_LINK_FIXTURE_H
#define FG_TESTS_REDIS_LINK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dataplane/orders/redis_link.h"
#include "private_redis.h"

#define EPOCH    7
#define INSTANCE 42
#define STREAM   "flashgate:{spring}:orders"
#define FENCE    "flashgate:{spring}:fence"

static struct private_redis redis;
static struct fg_redis_link *link_;

static inline struct fg_redis_config plain_config(void)
{
    return (struct fg_redis_config){
        .socket = redis.socket, .timeout_ms = 2000, .epoch = EPOCH, .instance = INSTANCE};
}

/* Asks Redis directly; the caller frees. An error reply fails the test. */
__attribute__((format(printf, 1, 2))) static inline redisReply *admin(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = redisvCommand(redis.admin, format, arguments);
    va_end(arguments);
    assert_non_null(reply);
    if (reply->type == REDIS_REPLY_ERROR)
        fail_msg("%s: %s", format, reply->str);
    return reply;
}

#define ADMIN(...) freeReplyObject(admin(__VA_ARGS__))

static inline long long stream_length(void)
{
    redisReply *reply = admin("XLEN " STREAM);
    long long length = reply->integer;
    freeReplyObject(reply);
    return length;
}

static inline void assert_fence(const char *wanted)
{
    redisReply *reply = admin("GET " FENCE);
    assert_int_equal(reply->type, REDIS_REPLY_STRING);
    assert_string_equal(reply->str, wanted);
    freeReplyObject(reply);
}

static inline struct fg_redis_link *open_link(struct fg_redis_config config)
{
    struct fg_redis_link *link = fg_redis_link_create(&config);
    assert_non_null(link);
    return link;
}

static inline enum fg_redis_answer connect_as(struct fg_redis_config config)
{
    struct fg_redis_link *link = open_link(config);
    enum fg_redis_answer answer = link->connect(link->context);
    fg_redis_link_destroy(link);
    return answer;
}

/* Records of sale "spring" from `first` on, written under `epoch`. */
static inline void make_records(struct fg_record *records, struct fg_order_event *events,
                                unsigned count, uint32_t epoch, uint64_t first)
{
    for (unsigned i = 0; i < count; i++) {
        events[i] = (struct fg_order_event){.kind = FG_EVENT_ADMIT,
                                            .quantity = 1,
                                            .item = 5,
                                            .sale = 1,
                                            .sale_seq = first + i,
                                            .order = 1000 + first + i,
                                            .request = first + i};
        records[i] = (struct fg_record){.epoch = epoch, .order = &events[i]};
    }
}

static inline enum fg_redis_answer append_with(struct fg_redis_link *link,
                                               struct fg_stream_id expected, unsigned count,
                                               uint32_t epoch, struct fg_stream_id *last)
{
    struct fg_record records[FG_REDIS_APPEND_MAX];
    struct fg_order_event events[FG_REDIS_APPEND_MAX];
    make_records(records, events, count, epoch, expected.sale_seq + 1);
    struct fg_redis_append append = {
        .sale = "spring", .expected = expected, .count = count, .records = records};
    enum fg_redis_answer answer = link->append(link->context, &append);
    if (last)
        *last = append.last;
    return answer;
}

static inline enum fg_redis_answer append(uint64_t expected_epoch, uint64_t expected_seq,
                                          unsigned count)
{
    return append_with(link_, (struct fg_stream_id){expected_epoch, expected_seq}, count, EPOCH,
                       NULL);
}

static inline void assert_claim(uint64_t epoch, uint64_t sale_seq)
{
    struct fg_stream_id last;
    assert_int_equal(append_with(link_, (struct fg_stream_id){0}, 0, EPOCH, &last), FG_REDIS_OK);
    assert_int_equal(last.epoch, epoch);
    assert_int_equal(last.sale_seq, sale_seq);
}

static inline int start_server(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    return private_redis_start(&redis);
}

static inline int stop_server(void **state)
{
    (void)state;
    private_redis_stop(&redis);
    return 0;
}

static inline int connect_link(void **state)
{
    (void)state;
    ADMIN("FLUSHALL");
    link_ = open_link(plain_config());
    return link_->connect(link_->context) == FG_REDIS_OK ? 0 : -1;
}

static inline int close_link(void **state)
{
    (void)state;
    fg_redis_link_destroy(link_);
    return 0;
}

#define LINKED(test) cmocka_unit_test_setup_teardown(test, connect_link, close_link)

#endif
