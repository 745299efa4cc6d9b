/* SPDX-License-Identifier: BSD-3-Clause */
/* The link to a real Redis, with an append sent behind another. */
#include "redis_link_fixture.h"

#define BATCH 100

/* Two batches of sale "spring", the second after the first. */
static struct {
    struct fg_record records[2 * BATCH];
    struct fg_order_event events[2 * BATCH];
    struct fg_redis_append first, second;
    bool breaks; /* the server drops its clients before the second is sent */
} calls;

static void send_second(void *arg)
{
    (void)arg;
    if (calls.breaks)
        ADMIN("CLIENT KILL TYPE normal SKIPME yes");
    link_->follow(link_->context, &calls.second);
}

static void make_calls(uint64_t expected)
{
    make_records(calls.records, calls.events, 2 * BATCH, EPOCH, expected + 1);
    calls.first = (struct fg_redis_append){.sale = "spring",
                                           .expected = {expected ? EPOCH : 0, expected},
                                           .count = BATCH,
                                           .records = calls.records,
                                           .meanwhile = send_second};
    calls.second = (struct fg_redis_append){.sale = "spring",
                                            .expected = {EPOCH, expected + BATCH},
                                            .count = BATCH,
                                            .records = calls.records + BATCH};
    calls.breaks = false;
}

static enum fg_redis_answer append_call(struct fg_redis_append *append)
{
    return link_->append(link_->context, append);
}

/* Calls of the function so far, those that failed among them. */
static unsigned long fcalls(void)
{
    redisReply *info = admin("INFO commandstats");
    const char *line = strstr(info->str, "cmdstat_fcall:calls=");
    unsigned long count = line ? strtoul(strchr(line, '=') + 1, NULL, 10) : 0;
    freeReplyObject(info);
    return count;
}

static void test_second_is_sent_once(void **state)
{
    (void)state;
    make_calls(0);
    unsigned long before = fcalls();
    assert_int_equal(append_call(&calls.first), FG_REDIS_OK);
    assert_int_equal(calls.first.last.sale_seq, BATCH);
    assert_int_equal(append_call(&calls.second), FG_REDIS_OK);
    assert_int_equal(calls.second.last.sale_seq, 2 * BATCH);
    assert_int_equal(fcalls() - before, 2);
    assert_int_equal(stream_length(), 2 * BATCH);
    assert_claim(EPOCH, 2 * BATCH);
}

/* Neither is done, and the second one's answer is nobody else's. */
static void test_first_is_refused(void **state)
{
    (void)state;
    make_calls(7);
    assert_int_equal(append_call(&calls.first), FG_REDIS_GAP);
    assert_int_equal(calls.first.last.sale_seq, 0);
    assert_claim(0, 0);
    assert_int_equal(stream_length(), 0);

    make_calls(0);
    ADMIN("CONFIG SET maxmemory 1");
    assert_int_equal(append_call(&calls.first), FG_REDIS_RETRY);
    assert_non_null(strstr(link_->error(link_->context), "OOM"));
    ADMIN("CONFIG SET maxmemory 0");
    assert_int_equal(append_call(&calls.first), FG_REDIS_OK); /* the same again, both anew */
    assert_int_equal(append_call(&calls.second), FG_REDIS_OK);
    assert_int_equal(stream_length(), 2 * BATCH);

    ADMIN("SET " FENCE " 8:1");
    make_calls(2 * BATCH);
    assert_int_equal(append_call(&calls.first), FG_REDIS_FENCED);
    assert_int_equal(stream_length(), 2 * BATCH);
}

/* The first was done before, and its answer lost: GAP, and the second is done. A claim tells. */
static void test_first_was_done(void **state)
{
    (void)state;
    assert_int_equal(append(0, 0, BATCH), FG_REDIS_OK);
    make_calls(0);
    assert_int_equal(append_call(&calls.first), FG_REDIS_GAP);
    assert_claim(EPOCH, 2 * BATCH);
    assert_int_equal(stream_length(), 2 * BATCH);
}

/* Whoever asks something else in between gets the answer to that. */
static void test_something_else_in_between(void **state)
{
    (void)state;
    struct fg_stream_id last;
    make_calls(0);
    assert_int_equal(append_call(&calls.first), FG_REDIS_OK);
    assert_int_equal(link_->last(link_->context, "spring", &last), FG_REDIS_OK);
    assert_int_equal(last.sale_seq, 2 * BATCH);
    assert_int_equal(append_call(&calls.second), FG_REDIS_GAP); /* it is done already */
    make_calls(2 * BATCH);
    assert_int_equal(append_call(&calls.first), FG_REDIS_OK);
    assert_claim(EPOCH, 4 * BATCH);
    assert_int_equal(stream_length(), 4 * BATCH);
}

static void test_lost_while_it_is_sent(void **state)
{
    (void)state;
    make_calls(0);
    calls.breaks = true;
    assert_int_equal(append_call(&calls.first), FG_REDIS_LOST);
    assert_int_equal(append_call(&calls.second), FG_REDIS_LOST);
    assert_int_equal(link_->connect(link_->context), FG_REDIS_OK);
    long long length = stream_length();
    assert_true(length == 0 || length == BATCH || length == 2 * BATCH);
    assert_claim(length ? EPOCH : 0, (uint64_t)length);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINKED(test_second_is_sent_once),   LINKED(test_first_is_refused),
        LINKED(test_first_was_done),        LINKED(test_something_else_in_between),
        LINKED(test_lost_while_it_is_sent),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
