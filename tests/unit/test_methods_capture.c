/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The methods of a capture, on a fake engine: pages, its ends, and that its memory goes back when
 * the last worker has let go, whoever is stuck or gone.
 */
#include "control/capture.h"
#include "tests/unit/fake_engine.h"

static json_t *begin(const char *count)
{
    return call("capture.start", json_pack("{s:s}", "count", count));
}

static json_t *read_after(const char *number_text, const char *after)
{
    return call("capture.read", json_pack("{s:s,s:s}", "capture", number_text, "after", after));
}

/* A frame of worker w, as it would keep it. */
static void keep(unsigned w, uint16_t length, unsigned lost, bool out)
{
    static const uint8_t bytes[2000] = {0xab, 0x01, 0xff};
    struct fg_capture *capture = atomic_load(&captures[w]);
    bool full = false;
    assert_non_null(capture);
    struct fg_capture_frame *frame =
        fg_capture_take(capture,
                        &(struct fg_capture_look){.bytes = bytes,
                                                  .length = length,
                                                  .present = length,
                                                  .at_ns = UINT64_C(1774123200114208311),
                                                  .port = 0,
                                                  .worker = (uint8_t)w,
                                                  .out = out},
                        &full);
    assert_non_null(frame);
    fg_capture_finish(frame, lost);
}

static void keep_many(unsigned count, uint16_t length)
{
    for (unsigned i = 0; i < count; i++)
        keep(i % WORKERS, length, FG_CAPTURE_NOT_LOST, false);
}

/* Control's rounds, until a capture's memory is free. */
static void wait_freed(void)
{
    for (unsigned i = 0; control->capture.shared; i++) {
        assert_true(i < 100000);
        fg_command_reap(control);
        fg_capture_step(control);
        fg_control_wait(control);
    }
    for (unsigned w = 0; w < WORKERS; w++)
        assert_null(atomic_load(&captures[w]));
}

static json_t *frame_at(size_t i)
{
    return json_array_get(json_object_get(json_object_get(reply, "result"), "frames"), i);
}

static bool is_done(void)
{
    return json_is_true(json_object_get(json_object_get(reply, "result"), "done"));
}

static const char *end_told(void)
{
    return json_string_value(json_object_get(json_object_get(reply, "result"), "end"));
}

/* The last page, as soon as the workers have let go. */
static void read_end(const char *number_text, const char *after)
{
    for (unsigned i = 0; i < 100000; i++) {
        assert_non_null(read_after(number_text, after));
        if (is_done())
            return;
        fg_command_reap(control);
        fg_control_wait(control);
    }
    fail_msg("no end came");
}

static void frames_are_read_page_by_page(void **state)
{
    (void)state;
    json_t *result = begin("300");
    assert_int_equal(number(result, "capture"), 1);
    assert_int_equal(number(result, "count"), 300);
    assert_int_equal(number(result, "seconds"), 10);
    assert_int_equal(number(result, "snap"), FG_CAPTURE_BYTES);
    for (unsigned w = 0; w < WORKERS; w++)
        assert_non_null(atomic_load(&captures[w]));
    result = read_after("1", "0");
    assert_int_equal(number(result, "next"), 0);
    assert_false(is_done());
    assert_null(end_told());

    keep(1, 3, FG_COUNTER_DROP_MAC, false);
    keep(0, 1700, FG_CAPTURE_NOT_LOST, true);
    read_after("1", "0");
    assert_string_equal(json_string_value(json_object_get(frame_at(0), "at_ns")),
                        "1774123200114208311");
    assert_string_equal(json_string_value(json_object_get(frame_at(0), "bytes")), "ab01ff");
    assert_string_equal(json_string_value(json_object_get(frame_at(0), "dropped")), "drop_mac");
    assert_int_equal(number(frame_at(0), "worker"), 1);
    assert_true(json_is_false(json_object_get(frame_at(0), "out")));
    assert_true(json_is_null(json_object_get(frame_at(1), "dropped")));
    assert_true(json_is_true(json_object_get(frame_at(1), "out")));
    assert_int_equal(number(frame_at(1), "length"), 1700);
    assert_int_equal(json_string_length(json_object_get(frame_at(1), "bytes")),
                     2 * FG_CAPTURE_BYTES);

    keep_many(298, 60);
    result = read_after("1", "0");
    assert_int_equal(number(result, "taken"), 300);
    assert_int_equal(number(result, "next"), 128); /* a page */
    assert_false(is_done());
    result = read_after("1", "128");
    assert_int_equal(number(result, "next"), 256);
    read_end("1", "256");
    assert_int_equal(number(json_object_get(reply, "result"), "next"), 300);
    assert_string_equal(end_told(), "full");
    wait_freed();
    read_after("1", "300");
    assert_error(FG_RPC_NOT_FOUND, "capture 1 is over");
}

/* Long frames: fewer to a page. */
static void a_page_has_a_bound(void **state)
{
    (void)state;
    begin("1000");
    keep_many(200, FG_CAPTURE_BYTES);
    json_t *result = read_after("1", "0");
    assert_in_range(number(result, "next"), 60, 70);
}

static void who_captures_is_on_record(void **state)
{
    (void)state;
    call("capture.start", json_pack("{s:s,s:s,s:s,s:s}", "count", "2", "seconds", "7", "dropped",
                                    "true", "source", "10.1.2.3/16"));
    assert_int_equal(log_.count, 1);
    assert_int_equal(log_.events[0].event.kind, FG_EVENT_ACT);
    assert_int_equal(log_.events[0].event.uid, caller.uid);
    assert_string_equal(log_.events[0].body,
                        "{\"method\":\"capture.start\",\"count\":2,\"seconds\":7,"
                        "\"dropped\":true,\"source\":\"10.1.0.0/16\"}");
    struct fg_capture *shared = control->capture.shared;
    assert_true(shared->lost_only);
    assert_true(shared->filtered);
    call("capture.stop", json_pack("{s:s}", "capture", "1"));
    read_end("1", "0");
    assert_string_equal(end_told(), "stopped");
    assert_int_equal(log_.count, 2);
    assert_string_equal(log_.events[1].body,
                        "{\"method\":\"capture.read\",\"frames\":0,\"end\":\"stopped\"}");
    assert_int_equal(log_.events[1].event.uid, caller.uid);
    wait_freed();
}

/* What cannot be put on record is not done. */
static void without_a_record_there_is_none(void **state)
{
    (void)state;
    log_.full = true;
    begin("10");
    assert_error(FG_RPC_REFUSED, "the log's queue is full");
    assert_null(control->capture.shared);
    log_.full = false;
}

static void wrong_wishes_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *says;
    } wrong[] = {
        {"count", "0", "count \"0\" is not a number from 1 to 10000"},
        {"count", "10001", "from 1 to 10000"},
        {"count", "many", "from 1 to 10000"},
        {"seconds", "0", "from 1 to 3600"},
        {"seconds", "3601", "from 1 to 3600"},
        {"dropped", "yes", "dropped is \"true\" or \"false\""},
        {"source", "10.1.2", "source \"10.1.2\" is no address"},
        {"source", "10.1.2.3/33", "is no address"},
    };
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        call("capture.start", json_pack("{s:s}", wrong[i].name, wrong[i].value));
        assert_error(FG_RPC_PARAMS, wrong[i].says);
    }
    assert_int_equal(log_.count, 0);
    assert_null(control->capture.shared);
    read_after("1", "0");
    assert_error(FG_RPC_NOT_FOUND, "capture 1 is over");
    begin("10");
    read_after("2", "0");
    assert_error(FG_RPC_NOT_FOUND, "capture 2 is over");
    read_after("1", "1");
    assert_error(FG_RPC_PARAMS, "after \"1\" is not a number from 0 to 0");
}

static void only_an_owner_may(void **state)
{
    (void)state;
    caller.rank = FG_ROLE_OPERATOR;
    begin("10");
    assert_error(FG_RPC_FORBIDDEN, "capture.start needs the role owner");
    caller.rank = FG_ROLE_OWNER;
    begin("10");
    caller.rank = FG_ROLE_OPERATOR;
    read_after("1", "0");
    assert_error(FG_RPC_FORBIDDEN, "capture.read needs the role owner");
    call("capture.stop", json_pack("{s:s}", "capture", "1"));
    assert_error(FG_RPC_FORBIDDEN, "capture.stop needs the role owner");
    caller.rank = FG_ROLE_OWNER;
}

static void there_is_one_at_a_time(void **state)
{
    (void)state;
    begin("10");
    begin("10");
    assert_error(FG_RPC_REFUSED, "capture 1 of uid 1001 is under way");
    call("capture.stop", json_pack("{s:s}", "capture", "1"));
    begin("10");
    assert_error(FG_RPC_REFUSED, "is under way"); /* not read yet */
    read_end("1", "0");
    wait_freed();
    assert_int_equal(number(begin("10"), "capture"), 2);
}

static void its_time_ends_it(void **state)
{
    (void)state;
    begin("10");
    keep(0, 60, FG_CAPTURE_NOT_LOST, false);
    control->capture.until_ms = fg_control_now_ms();
    read_end("1", "1");
    assert_string_equal(end_told(), "time");
    wait_freed();
}

static void a_reader_that_goes_leaves_nothing(void **state)
{
    (void)state;
    begin("10");
    keep(0, 60, FG_CAPTURE_NOT_LOST, false);
    control->limits.unheard = 1;
    wait_freed();
    assert_string_equal(log_.events[log_.count - 1].body,
                        "{\"method\":\"capture.read\",\"frames\":1,\"end\":\"left\"}");
    assert_int_equal(log_.events[log_.count - 1].event.uid, UINT32_MAX);
    read_after("1", "0");
    assert_error(FG_RPC_NOT_FOUND, "capture 1 is over");
}

/* From now on worker w does nothing: what it had begun is over. */
static void freeze(unsigned w)
{
    atomic_store(&frozen[w], true);
    synchronize_rcu();
}

/* A worker that is stuck has the memory, and may still write there, until it has let go. */
static void a_stuck_worker_keeps_the_memory(void **state)
{
    (void)state;
    begin("10");
    keep(1, 60, FG_CAPTURE_NOT_LOST, false);
    freeze(0);
    call("capture.stop", json_pack("{s:s}", "capture", "1"));
    read_after("1", "0");
    assert_false(is_done()); /* it may only be late */
    read_end("1", "0");
    assert_int_equal(number(json_object_get(reply, "result"), "stuck"), 0);
    assert_non_null(frame_at(0));
    for (unsigned i = 0; i < 10; i++) {
        fg_command_reap(control);
        fg_capture_step(control);
    }
    assert_non_null(control->capture.shared);
    begin("10");
    assert_error(FG_RPC_REFUSED, "worker 0 has not given back the memory of capture 1");
    keep(0, 60, FG_CAPTURE_NOT_LOST, false); /* late, and harmless */
    atomic_store(&frozen[0], false);
    wait_freed();
    assert_int_equal(number(begin("10"), "capture"), 2);
}

/* One that takes it up late, after its end: the command to let go is behind the other one. */
static void a_worker_that_was_stuck_before_lets_go_too(void **state)
{
    (void)state;
    freeze(1);
    assert_non_null(begin("10"));
    assert_int_equal(atomic_load(&control->capture.shared->hands[1]), FG_CAPTURE_OFFERED);
    call("capture.stop", json_pack("{s:s}", "capture", "1"));
    read_end("1", "0");
    assert_int_equal(number(json_object_get(reply, "result"), "stuck"), 1);
    assert_non_null(control->capture.shared);
    atomic_store(&frozen[1], false);
    wait_freed();
}

/* The engine stops while there is one, with workers that have it: nothing leaks. */
static void an_engine_that_stops_frees_it(void **state)
{
    (void)state;
    begin("10");
    assert_non_null(control->capture.shared);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(frames_are_read_page_by_page),
        TEST(a_page_has_a_bound),
        TEST(who_captures_is_on_record),
        TEST(without_a_record_there_is_none),
        TEST(wrong_wishes_are_refused),
        TEST(only_an_owner_may),
        TEST(there_is_one_at_a_time),
        TEST(its_time_ends_it),
        TEST(a_reader_that_goes_leaves_nothing),
        TEST(a_stuck_worker_keeps_the_memory),
        TEST(a_worker_that_was_stuck_before_lets_go_too),
        TEST(an_engine_that_stops_frees_it),
    };
    return cmocka_run_group_tests_name("methods_capture", tests, NULL, release_reply);
}
