/* SPDX-License-Identifier: BSD-3-Clause */
/* The record of what an operator did: on disk before the deed, and of no consequence to who reads
 * the log again. */
#include "tests/unit/fake_engine.h"

#include "dataplane/orders/books.h"

static const struct fg_peer peer = {.uid = 1001, .gid = 1002, .pid = 1003};

static int submit(const struct fg_peer *who, json_t *params)
{
    int rc = fg_act_submit(control, who, "order.cancel", params, message, sizeof(message));
    json_decref(params);
    return rc;
}

static void who_did_what_is_in_the_log(void **state)
{
    (void)state;
    apply(SPRING SHOE(100));
    uint64_t revision = control->model.revision;
    unsigned before = log_.count;
    assert_int_equal(submit(&peer, json_pack("{s:s,s:s}", "buyer", BUYER, "method", "mine")), 0);
    assert_int_equal(log_.count, before + 1);
    const struct fg_control_event *event = &log_.events[before].event;
    assert_int_equal(event->kind, FG_EVENT_ACT);
    assert_int_equal(event->uid, 1001);
    assert_int_equal(event->gid, 1002);
    assert_int_equal(event->pid, 1003);
    assert_int_equal(event->sale, 0);
    assert_int_equal(event->revision, revision);
    assert_int_equal(control->model.revision, revision);
    assert_true(event->at_ns > 0);
    assert_int_equal(event->body_length, strlen(log_.events[before].body));
    assert_string_equal(log_.events[before].body,
                        "{\"method\":\"order.cancel\",\"buyer\":\"" BUYER "\"}");
}

static void the_engine_itself_and_no_parameters(void **state)
{
    (void)state;
    assert_int_equal(submit(NULL, NULL), 0);
    assert_int_equal(log_.events[0].event.uid, UINT32_MAX);
    assert_string_equal(log_.events[0].body, "{\"method\":\"order.cancel\"}");
}

static void it_is_durable_or_it_must_not_be_done(void **state)
{
    (void)state;
    log_.holds_back = true;
    assert_int_equal(submit(&peer, NULL), FG_RPC_TIME_LIMIT);
    assert_non_null(strstr(message, "durable within 100 ms"));
    log_.full = true;
    assert_int_equal(submit(&peer, NULL), FG_RPC_REFUSED);
    assert_non_null(strstr(message, "try again"));
    log_.full = log_.holds_back = false;
    log_.failed = -EIO;
    log_.durable = 0;
    log_.holds_back = true;
    assert_int_equal(submit(&peer, NULL), FG_RPC_STOPPING);
}

static int count_records(void *arg, const struct fg_control_event *event, const char *body)
{
    (void)event;
    (void)body;
    ++*(unsigned *)arg;
    return 0;
}

static void recovery_passes_over_it(void **state)
{
    (void)state;
    assert_int_equal(submit(&peer, NULL), 0);
    const struct fg_control_event *event = &log_.events[0].event;
    struct fg_books books;
    unsigned records = 0;
    assert_int_equal(fg_books_init(&books), 0);
    assert_int_equal(fg_books_control(&books, event, log_.events[0].body), 0);
    assert_int_equal(fg_books_base(&books, 1, count_records, &records), 0);
    assert_int_equal(records, 0); /* no base repeats it */
    fg_books_fini(&books);
    const struct fg_record record = {.lsn = 1, .control = event, .body = log_.events[0].body};
    assert_int_equal(fg_model_replay(&control->model, &record), 0);
    assert_int_equal(control->model.sales_count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(who_did_what_is_in_the_log),
        TEST(the_engine_itself_and_no_parameters),
        TEST(it_is_durable_or_it_must_not_be_done),
        TEST(recovery_passes_over_it),
    };
    return cmocka_run_group_tests_name("act", tests, NULL, release_reply);
}
