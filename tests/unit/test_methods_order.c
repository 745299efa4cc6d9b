/* SPDX-License-Identifier: BSD-3-Clause */
/* Orders for customer service: the control protocol's methods on a worker with a real admission. */
#include "tests/unit/fake_commands.h"
#include "tests/unit/fake_engine.h"

#include "control/cli/cli.h"
#include "control/text.h"

static struct fg_lane lane;
static unsigned owner;

/* An order as the log has it, before the worker starts. */
static void restore(const char *buyer, uint64_t request, uint32_t item_id, uint16_t quantity,
                    uint32_t hold_ms)
{
    struct fg_order_event event = {.kind = FG_EVENT_ADMIT,
                                   .quantity = quantity,
                                   .item = item_id,
                                   .sale = 1,
                                   .order = 1000 + request,
                                   .request = request,
                                   .hold_ms = hold_ms};
    int32_t units;
    assert_true(fg_buyer_parse(buyer, event.buyer));
    assert_int_equal(fg_admission_restore(engine->workers[owner]->admission, &event, 60001, &units),
                     0);
}

/* The worker that owns BUYER has a real admission, with orders 1 (final), 2 (held) and 3. */
static int start_orders(void **state)
{
    uint8_t buyer[FG_BUYER_BYTES];
    start(state);
    apply(SPRING SHOE(100) HAT);
    stop_workers();
    assert_true(fg_buyer_parse(BUYER, buyer));
    owner = fg_partition(buyer, 64) % WORKERS;
    assert_int_equal(fg_lane_init(&lane, 64), 0);
    engine->workers[owner]->admission = fg_admission_create(&(struct fg_admission_config){
        .worker = owner,
        .workers = WORKERS,
        .partitions = 64,
        .orders = 1000,
        .orders_per_buyer = 100,
        .parked = 64,
        .lane_records = 64,
        .seed = 1,
        .stock = &engine->stock,
        .counters = engine->workers[owner]->counters,
    });
    assert_non_null(engine->workers[owner]->admission);
    restore(BUYER, 1, 7, 2, 0);
    restore(BUYER, 2, 8, 1, 60000);
    restore(BUYER, 3, 7, 1, 0);
    fg_admission_restored(engine->workers[owner]->admission, engine->catalogue);
    fg_admission_attach(engine->workers[owner]->admission, &lane, 3);
    atomic_store(&admissions_run, true);
    start_workers();
    return 0;
}

static int stop_orders(void **state)
{
    stop_workers();
    fg_admission_destroy(engine->workers[owner]->admission);
    engine->workers[owner]->admission = NULL;
    fg_lane_fini(&lane);
    start_workers();
    return stop(state);
}

/* The journal's side, in a thread of its own: whatever is queued becomes durable. */
static atomic_bool flush_stop;
static _Atomic unsigned flushed;
static struct fg_order_event last_event;

static void *flush(void *arg)
{
    (void)arg;
    while (!atomic_load(&flush_stop)) {
        struct fg_order_event event;
        if (fg_lane_drain(&lane, &event, 1) == 1) {
            last_event = event;
            fg_lane_publish(&lane);
            atomic_fetch_add(&flushed, 1);
        }
        sched_yield();
    }
    return NULL;
}

static pthread_t flusher;

static void start_flusher(void)
{
    atomic_store(&flush_stop, false);
    atomic_store(&flushed, 0);
    pthread_create(&flusher, NULL, flush, NULL);
}

static void stop_flusher(void)
{
    atomic_store(&flush_stop, true);
    pthread_join(flusher, NULL);
}

static json_t *cancel(const char *buyer, const char *request, bool confirmed)
{
    json_t *params = json_pack("{s:s,s:s}", "buyer", buyer, "request", request);
    if (confirmed)
        json_object_set_new(params, "confirmed", json_true());
    return call("order.cancel", params);
}

static const char *member(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

/* --- tests --- */

static void an_order_tells_its_sale(void **state)
{
    (void)state;
    const json_t *order =
        call("order.show", json_pack("{s:s,s:s}", "buyer", BUYER, "request", "1"));
    assert_string_equal(member(order, "sale"), "spring");
    assert_string_equal(member(order, "item_name"), "Shoe");
    assert_string_equal(member(order, "order"), "1001");
    assert_int_equal(number(order, "quantity"), 2);
}

static void a_buyers_orders_are_listed(void **state)
{
    (void)state;
    const json_t *list = call("order.list", json_pack("{s:s}", "buyer", BUYER));
    const json_t *orders = json_object_get(list, "orders");
    assert_int_equal(json_array_size(orders), 3);
    assert_false(json_is_true(json_object_get(list, "more")));
    assert_string_equal(member(json_array_get(orders, 0), "request"), "3");
    assert_string_equal(member(json_array_get(orders, 1), "state"), "ADMITTED");
    assert_int_equal(number(json_array_get(orders, 1), "left_ms"), 60000);
    list = call("order.list", json_pack("{s:s,s:s}", "buyer", BUYER, "sale", "spring"));
    assert_int_equal(json_array_size(json_object_get(list, "orders")), 3);
    list = call("order.list", json_pack("{s:s,s:s}", "buyer", BUYER, "sale", "1"));
    assert_int_equal(json_array_size(json_object_get(list, "orders")), 3);
    assert_null(call("order.list", json_pack("{s:s,s:s}", "buyer", BUYER, "sale", "2")));
    assert_error(FG_RPC_NOT_FOUND, "no live sale 2");
    assert_null(call("order.list", json_pack("{s:s}", "buyer", "me")));
    assert_error(FG_RPC_PARAMS, "32 hex digits");
}

static void a_long_list_goes_on_page_by_page(void **state)
{
    (void)state;
    stop_workers();
    for (uint64_t request = 10; request < 10 + FG_COMMAND_ORDERS_MAX; request++)
        restore(BUYER, request, 7, 1, 0);
    start_workers();
    const json_t *list = call("order.list", json_pack("{s:s}", "buyer", BUYER));
    assert_int_equal(json_array_size(json_object_get(list, "orders")), FG_COMMAND_ORDERS_MAX);
    assert_true(json_is_true(json_object_get(list, "more")));
    assert_string_equal(member(list, "next"), "10");
    list = call("order.list", json_pack("{s:s,s:s}", "buyer", BUYER, "after", "10"));
    const json_t *orders = json_object_get(list, "orders");
    assert_int_equal(json_array_size(orders), 3);
    assert_string_equal(member(json_array_get(orders, 0), "request"), "3");
    assert_false(json_is_true(json_object_get(list, "more")));
    assert_true(json_is_null(json_object_get(list, "next")));
    assert_null(call("order.list", json_pack("{s:s,s:s}", "buyer", BUYER, "after", "9999")));
    assert_error(FG_RPC_NOT_FOUND, "no order with that request");
    assert_null(call("order.list", json_pack("{s:s,s:s}", "buyer", BUYER, "after", "ten")));
    assert_error(FG_RPC_PARAMS, "after \"ten\" is not a request's number");
}

static void a_cancel_asks_is_recorded_and_waits(void **state)
{
    (void)state;
    uint32_t slot = fg_model_item(&control->model, 7)->item.slot;
    uint32_t units = fg_stock_free_units(&engine->stock, slot);
    unsigned events = log_.count;
    assert_null(cancel(BUYER, "1", false));
    assert_error(FG_RPC_CONFIRM, "order 1001, 2 x item 7, is ADMITTED: the buyer would lose it");
    assert_null(cancel(BUYER, "2", false));
    assert_error(FG_RPC_CONFIRM, "is ADMITTED and held");
    assert_int_equal(log_.count, events);

    /* Nothing is flushed: it is on its way, and says so. */
    assert_null(cancel(BUYER, "1", true));
    assert_error(FG_RPC_TIME_LIMIT, "is on its way");
    assert_int_equal(log_.count, events + 1);
    assert_string_equal(
        log_.events[events].body,
        "{\"method\":\"order.cancel\",\"buyer\":\"00112233445566778899aabbccddeeff\","
        "\"request\":\"1\",\"order\":\"1001\"}");
    assert_int_equal(log_.events[events].event.uid, 1001);
    assert_int_equal(fg_stock_free_units(&engine->stock, slot), units);

    start_flusher();
    const json_t *order = cancel(BUYER, "1", true); /* asked again: waits for the same record */
    assert_non_null(order);
    assert_false(json_is_true(json_object_get(order, "changed")));
    assert_true(json_is_true(json_object_get(order, "durable")));
    assert_int_equal(log_.count, events + 1);
    assert_int_equal(fg_stock_free_units(&engine->stock, slot), units + 2);
    order = cancel(BUYER, "2", true);
    assert_true(json_is_true(json_object_get(order, "changed")));
    assert_string_equal(member(order, "state"), "CANCELLED");
    assert_false(json_is_true(json_object_get(order, "held")));
    stop_flusher();
    assert_int_equal(atomic_load(&flushed), 2);
    assert_int_equal(last_event.kind, FG_EVENT_CANCEL);
    assert_int_equal(last_event.order, 1002);
    assert_int_equal(log_.count, events + 2);
}

/* Without the record of who did it nothing is done. */
static void no_record_no_cancel(void **state)
{
    (void)state;
    log_.full = true;
    assert_null(cancel(BUYER, "1", true));
    assert_error(FG_RPC_REFUSED, "queue is full");
    log_.full = false;
    log_.holds_back = true;
    assert_null(cancel(BUYER, "1", true));
    assert_error(FG_RPC_TIME_LIMIT, "nothing was changed");
    assert_int_equal(fg_lane_count(&lane), 0);
}

static void what_cannot_be_cancelled_is_told(void **state)
{
    (void)state;
    assert_null(cancel(BUYER, "99", true));
    assert_error(FG_RPC_NOT_FOUND, "no order with that request");
    assert_null(cancel(BUYER, "x", true));
    assert_error(FG_RPC_PARAMS, "request");
    assert_null(cancel("12", "1", true));
    assert_error(FG_RPC_PARAMS, "buyer");
    atomic_store(&lane.log_room, FG_LOG_SHUT);
    assert_null(cancel(BUYER, "1", true));
    assert_error(FG_RPC_REFUSED, "try again");
}

/* Its EXPIRE is queued, not durable: a crash now would leave it held, and perhaps confirmed. */
static void that_a_hold_has_run_out_is_told_when_it_is_durable(void **state)
{
    (void)state;
    uint32_t slot = fg_model_item(&control->model, 8)->item.slot;
    uint32_t units = fg_stock_free_units(&engine->stock, slot);
    atomic_store(&admissions_ms, 60100);
    for (const json_t *order = NULL; !order || strcmp(member(order, "state"), "EXPIRED") != 0;)
        order = call("order.show", json_pack("{s:s,s:s}", "buyer", BUYER, "request", "2"));
    assert_null(cancel(BUYER, "2", true));
    assert_error(FG_RPC_TIME_LIMIT, "the end of the order's hold is on its way");
    assert_int_equal(fg_stock_free_units(&engine->stock, slot), units);
    start_flusher();
    assert_null(cancel(BUYER, "2", true));
    assert_error(FG_RPC_REFUSED, "has run out: it is void, and its units are back");
    assert_int_equal(fg_stock_free_units(&engine->stock, slot), units + 1);
    stop_flusher();
}

/* A worker that comes to it later withdraws the order all the same. */
static void a_late_worker_still_has_the_cancellation(void **state)
{
    (void)state;
    uint8_t buyer[FG_BUYER_BYTES];
    struct fg_order_view view;
    bool changed;
    assert_true(fg_buyer_parse(BUYER, buyer));
    atomic_store(&frozen[owner], true);
    int rc = fg_command_cancel(control, buyer, 1, &view, &changed, message, sizeof(message));
    assert_int_equal(rc, FG_RPC_TIME_LIMIT);
    assert_non_null(strstr(message, "will carry it out when it comes to it"));
    atomic_store(&frozen[owner], false);
    const json_t *order =
        call("order.show", json_pack("{s:s,s:s}", "buyer", BUYER, "request", "1"));
    assert_string_equal(member(order, "state"), "CANCELLED");
    assert_int_equal(control->commands_late, 0);
}

/* Somebody else of the same worker. */
static const char *stranger(void)
{
    static char text[FG_BUYER_TEXT];
    uint8_t buyer[FG_BUYER_BYTES] = {0};
    while (fg_partition(buyer, 64) % WORKERS != owner)
        buyer[0]++;
    fg_buyer_format(buyer, text);
    return text;
}

static void people_are_shown_orders(void **state)
{
    (void)state;
    char text[4096] = "";
    FILE *out = fmemopen(text, sizeof(text), "w");
    fg_show_orders(call("order.list", json_pack("{s:s}", "buyer", BUYER)), out);
    fg_show_orders(call("order.list", json_pack("{s:s}", "buyer", stranger())), out);
    start_flusher();
    fg_show_order_cancel(cancel(BUYER, "1", true), out);
    fg_show_order_cancel(cancel(BUYER, "1", true), out);
    stop_flusher();
    fg_show_order(call("order.show", json_pack("{s:s,s:s}", "buyer", BUYER, "request", "2")), out);
    fclose(out);
    static const char *const parts[] = {"   3                  1003  ADMITTED ",
                                        "  60.0 ",
                                        "  spring\n",
                                        "has no order\n",
                                        "Order 1001 is cancelled: 2 of item 7 are back on sale\n",
                                        "Order 1001 was already cancelled\n",
                                        "Item      1 x 8  Hat\n",
                                        "State     ADMITTED, held\n"};
    for (unsigned i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (!strstr(text, parts[i]))
            fail_msg("no \"%s\" in\n%s", parts[i], text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_orders, stop_orders)
    const struct CMUnitTest tests[] = {
        TEST(an_order_tells_its_sale),
        TEST(a_buyers_orders_are_listed),
        TEST(a_long_list_goes_on_page_by_page),
        TEST(a_cancel_asks_is_recorded_and_waits),
        TEST(no_record_no_cancel),
        TEST(what_cannot_be_cancelled_is_told),
        TEST(that_a_hold_has_run_out_is_told_when_it_is_durable),
        TEST(a_late_worker_still_has_the_cancellation),
        TEST(people_are_shown_orders),
    };
    return cmocka_run_group_tests_name("methods_order", tests, NULL, release_reply);
}
