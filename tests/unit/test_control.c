/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changes of the catalogue, schedules, failures and restarts. What matters is the order of things:
 * what gives is durable before it is in force, what takes is in force first.
 */
#include "tests/unit/fake_engine.h"

#include "control/aside.h"

/* --- changes --- */

static void a_new_sale_is_durable_before_it_is_in_force(void **state)
{
    (void)state;
    json_t *result = apply(SPRING SHOE(100) HAT);
    assert_non_null(result);
    assert_true(json_is_true(json_object_get(result, "new")));
    assert_int_equal(number(result, "revision"), 2);
    assert_int_equal(log_.count, 1);
    const struct fg_control_event *event = &log_.events[0].event;
    assert_int_equal(event->kind, FG_EVENT_SALE);
    assert_int_equal(event->revision, 2);
    assert_int_equal(event->sale, 1);
    assert_int_equal(event->uid, 1001);
    assert_int_equal(event->gid, 1002);
    assert_int_equal(event->pid, 1003);
    assert_int_equal(log_.events[0].revision, 1); /* not yet shown when it was journalled */
    assert_all_seen();
    assert_int_equal(engine->catalogue->revision, 2);
    assert_int_equal(item(8)->hold_ms, 60000);
    assert_int_equal(item(7)->state, FG_SALE_SCHEDULED);
    assert_int_equal(fg_stock_free_units(&engine->stock, item(7)->slot), 100);
    assert_int_equal(fg_stock_free_units(&engine->stock, item(8)->slot), 50);
}

static void the_same_file_twice_changes_nothing_and_says_so(void **state)
{
    (void)state;
    assert_non_null(apply(SPRING SHOE(100)));
    json_t *result = apply(SPRING SHOE(100));
    assert_true(json_is_false(json_object_get(result, "changed")));
    assert_int_equal(number(result, "revision"), 2);
    assert_int_equal(log_.count, 1);
    assert_int_equal(engine->catalogue->revision, 2);
}

static void open_gives_and_close_takes(void **state)
{
    (void)state;
    apply(SPRING SHOE(100));
    assert_non_null(of_sale("sale.open", "spring"));
    assert_int_equal(log_.events[1].event.kind, FG_EVENT_SALE_STATE);
    assert_int_equal(log_.events[1].event.value, FG_SALE_OPEN);
    assert_int_equal(log_.events[1].revision, 2);
    assert_int_equal(item(7)->state, FG_SALE_OPEN);
    assert_all_seen();
    assert_true(json_is_false(json_object_get(of_sale("sale.open", "spring"), "changed")));

    assert_non_null(of_sale("sale.close", "spring"));
    assert_int_equal(log_.count, 3);
    assert_int_equal(log_.events[2].event.revision, 4);
    assert_int_equal(log_.events[2].revision, 4); /* in force, in every worker, when journalled */
    assert_true(log_.events[2].seen);
    assert_int_equal(item(7)->state, FG_SALE_CLOSED);
    assert_null(of_sale("sale.open", "spring"));
    assert_error(FG_RPC_REFUSED, "final");
    assert_int_equal(log_.count, 3);
}

static void a_raised_stock_is_put_on_sale_once(void **state)
{
    (void)state;
    uint32_t available;
    apply(SPRING SHOE(100));
    assert_int_equal(fg_stock_take(&engine->stock, 0, item(7)->slot, 30, 1, &available), FG_TOOK);
    assert_non_null(apply(SPRING SHOE(120) HAT));
    assert_int_equal(fg_stock_free_units(&engine->stock, item(7)->slot), 90);
    assert_int_equal(fg_stock_free_units(&engine->stock, item(8)->slot), 50);
    of_sale("sale.open", "spring");
    assert_int_equal(fg_stock_free_units(&engine->stock, item(7)->slot), 90);
    const json_t *sale = of_sale("sale.show", "spring");
    const json_t *shoe = json_array_get(json_object_get(sale, "items"), 0);
    assert_int_equal(number(shoe, "stock"), 120);
    assert_int_equal(number(shoe, "available"), 90);
    assert_int_equal(number(shoe, "given"), 30);
}

static void a_file_that_takes_and_gives_is_two_changes_in_that_order(void **state)
{
    (void)state;
    apply(SPRING SHOE(100));
    assert_non_null(apply(SPRING "  - id: 7\n    name: Shoe\n    stock: 110\n    limit: 1\n"));
    assert_int_equal(log_.count, 3);
    assert_int_equal(log_.events[1].revision, 3); /* the lower limit: in force first */
    assert_true(log_.events[1].seen);
    assert_int_equal(log_.events[2].revision, 3); /* the stock: durable first */
    assert_non_null(strstr(log_.events[1].body, "100"));
    assert_non_null(strstr(log_.events[2].body, "110"));
    assert_int_equal(engine->catalogue->revision, 4);
    assert_int_equal(item(7)->limit, 1);
}

static void refused_files_leave_everything_as_it_was(void **state)
{
    (void)state;
    apply(SPRING SHOE(100));
    assert_null(apply(SPRING SHOE(99)));
    assert_error(FG_RPC_CONFIRM, "item 7: stock 100 units -> 99 units");
    assert_null(apply("name: summer\nitems:\n" SHOE(100)));
    assert_error(FG_RPC_REFUSED, "belongs to sale spring");
    assert_null(apply(SPRING SHOE(100000)));
    assert_error(FG_RPC_REFUSED, "limits.orders");
    assert_null(apply("name: summer\nitmes:\n" SHOE(100)));
    assert_error(FG_RPC_SALE_FILE, "sale.yaml:2:");
    assert_int_equal(log_.count, 1);
    assert_int_equal(engine->catalogue->revision, 2);
    assert_int_equal(control->model.sales_count, 1);
}

static void a_sale_that_the_log_cannot_hold_is_never_journalled(void **state)
{
    (void)state;
    struct fg_sale sale = {.name = "spring", .number = 1, .opens_ns = 2000, .closes_ns = 1000};
    sale.items = &(struct fg_sale_item){.id = 7, .name = "Shoe", .stock = 5, .max_per_order = 1};
    sale.items_count = 1;
    assert_int_equal(fg_change_begin_sale(control, NULL, &sale, false), -EINVAL);
    struct fg_sale_item *many = calloc(FG_ITEMS_PER_SALE_MAX, sizeof(*many));
    for (unsigned i = 0; i < FG_ITEMS_PER_SALE_MAX; i++) {
        many[i] = (struct fg_sale_item){.id = i + 1, .stock = 1, .max_per_order = 1};
        memset(many[i].name, '\\', FG_ITEM_NAME_MAX); /* JSON doubles each */
        memset(many[i].name, '\x01', 90);             /* ... and writes these as six bytes */
    }
    sale = (struct fg_sale){.name = "big", .number = 1, .items = many};
    sale.items_count = FG_ITEMS_PER_SALE_MAX;
    assert_int_equal(fg_change_begin_sale(control, NULL, &sale, false), -E2BIG);
    free(many);
    assert_int_equal(log_.count, 0);
    assert_non_null(apply(SPRING SHOE(100)));
}

static void a_full_queue_refuses_what_gives(void **state)
{
    (void)state;
    log_.full = true;
    assert_null(apply(SPRING SHOE(100)));
    assert_error(FG_RPC_REFUSED, "full");
    assert_int_equal(engine->catalogue->revision, 1);
    log_.full = false;
    assert_non_null(apply(SPRING SHOE(100)));
}

static void what_is_not_durable_in_time_comes_in_force_later_and_nothing_before_it(void **state)
{
    (void)state;
    log_.holds_back = true;
    assert_null(apply(SPRING SHOE(100)));
    assert_error(FG_RPC_TIME_LIMIT, "durable");
    assert_int_equal(engine->catalogue->revision, 1);
    assert_null(apply("name: summer\nitems:\n" HAT));
    assert_error(FG_RPC_TIME_LIMIT, "revision 2");
    assert_int_equal(log_.count, 1);
    log_.holds_back = false;
    log_.durable = 1;
    assert_non_null(apply("name: summer\nitems:\n" HAT));
    assert_int_equal(engine->catalogue->revision, 3);
    assert_int_equal(fg_stock_free_units(&engine->stock, item(7)->slot), 100);
}

static void a_worker_that_lags_is_named(void **state)
{
    (void)state;
    apply(SPRING SHOE(100));
    atomic_store(&frozen[1], true);
    assert_null(of_sale("sale.open", "spring"));
    assert_error(FG_RPC_TIME_LIMIT, "worker 1");
    assert_null(of_sale("sale.close", "spring")); /* what takes is not journalled before it too */
    assert_error(FG_RPC_TIME_LIMIT, "worker 1");
    assert_int_equal(log_.count, 2);
    assert_int_equal(json_array_size(json_object_get(call("status", json_object()), "warnings")),
                     2);
    atomic_store(&frozen[1], false);
    assert_non_null(of_sale("sale.close", "spring"));
    assert_int_equal(log_.count, 3);
    assert_all_seen();
}

static void a_failing_disk_ends_the_wait_and_the_engine(void **state)
{
    (void)state;
    volatile sig_atomic_t stopped = 0;
    log_.holds_back = true;
    log_.failed = -EIO;
    control->limits.durable = 60000;
    assert_null(apply(SPRING SHOE(100)));
    assert_error(FG_RPC_STOPPING, "/a/log");
    assert_int_equal(fg_control_run(control, &stopped, message, sizeof(message)), FG_EXIT_DISK);
    assert_non_null(strstr(message, strerror(EIO)));
}

/* Whoever asked for a stop must not hear of a clean one. */
static void a_disk_that_failed_before_a_stop_is_told(void **state)
{
    (void)state;
    volatile sig_atomic_t stopped = 1;
    assert_true(fg_control_pulse(control));
    log_.failed = -EIO;
    assert_int_equal(fg_control_run(control, &stopped, message, sizeof(message)), FG_EXIT_DISK);
    assert_non_null(strstr(message, "Input/output error"));
}

static void being_fenced_ends_the_engine(void **state)
{
    (void)state;
    volatile sig_atomic_t stopped = 0;
    engine->delivery = (struct fg_delivery *)&delivery_stats; /* never looked into */
    atomic_store(&delivery_stats.state, FG_DELIVERY_FENCED);
    assert_int_equal(fg_control_run(control, &stopped, message, sizeof(message)), FG_EXIT_FENCED);
    assert_non_null(strstr(message, "epoch 9"));
    engine->delivery = NULL;
}

static void schedules_become_records(void **state)
{
    (void)state;
    volatile sig_atomic_t stopped = 0;
    struct fg_sale sale = {.name = "spring", .number = 1};
    sale.items = &(struct fg_sale_item){.id = 7, .name = "Shoe", .stock = 5, .max_per_order = 1};
    sale.items_count = 1;
    sale.opens_ns = fg_control_wall_ns() + 30000000;
    sale.closes_ns = sale.opens_ns + 60000000;
    assert_int_equal(fg_change_begin_sale(control, NULL, &sale, false), 0);
    assert_int_equal(fg_control_listen(control, message, sizeof(message)), 0);
    log_.stop = &stopped;
    assert_int_equal(fg_control_run(control, &stopped, message, sizeof(message)), FG_EXIT_OK);
    fg_control_close(control);
    assert_int_equal(log_.count, 3);
    assert_int_equal(log_.events[1].event.value, FG_SALE_OPEN);
    assert_in_range(log_.events[1].event.at_ns, sale.opens_ns, UINT64_MAX);
    assert_int_equal(log_.events[2].event.value, FG_SALE_CLOSED);
    assert_in_range(log_.events[2].event.at_ns, sale.closes_ns, UINT64_MAX);
    assert_true(log_.events[2].seen);
    assert_int_equal(log_.events[2].event.uid, UINT32_MAX);
}

/* --- restart --- */

/* Workers open and close by the clock at once, control's record comes some time later: what an
 * operator asks in between finds the sale as buyers found it. */
static void what_time_has_done_comes_before_what_an_operator_asks(void **state)
{
    (void)state;
    assert_non_null(apply("name: spring\nopens: +1h\nitems:\n" SHOE(100)));
    struct fg_sale *sale = fg_model_sale(&control->model, "spring");
    uint64_t opened_ns = sale->opens_ns = fg_control_wall_ns() - 1;
    assert_non_null(apply("name: spring\nopens: +2h\nitems:\n" SHOE(100)));
    assert_int_equal(log_.events[1].event.kind, FG_EVENT_SALE_STATE);
    assert_int_equal(log_.events[1].event.value, FG_SALE_OPEN);
    assert_int_equal(log_.count, 2); /* an opening that happened is not moved */
    assert_int_equal(item(7)->state, FG_SALE_OPEN);
    assert_int_equal(item(7)->opens_ns, opened_ns);

    fg_model_sale(&control->model, "spring")->closes_ns = fg_control_wall_ns() - 1;
    assert_non_null(of_sale("sale.close", "spring"));
    assert_int_equal(log_.count, 3);
    assert_null(of_sale("sale.open", "spring"));
    assert_error(FG_RPC_REFUSED, "final");

    assert_non_null(apply("name: autumn\nopens: +1h\ncloses: +2h\nitems:\n" HAT));
    sale = fg_model_sale(&control->model, "autumn");
    sale->opens_ns = fg_control_wall_ns() - 2;
    sale->closes_ns = sale->opens_ns + 1;
    assert_null(of_sale("sale.open", "autumn"));
    assert_error(FG_RPC_REFUSED, "final");
}

static void a_restart_arrives_at_what_was_running(void **state)
{
    (void)state;
    uint32_t available;
    apply(SPRING SHOE(100) HAT);
    of_sale("sale.open", "spring");
    fg_stock_take(&engine->stock, 0, item(7)->slot, 30, 1, &available);
    stop_workers();
    fg_control_destroy(control);
    fg_stock_fini(&engine->stock);
    assert_int_equal(fg_stock_init(&engine->stock, WORKERS, 10), 0);

    create_control();
    for (unsigned i = 0; i < log_.count; i++) {
        struct fg_record record = {.control = &log_.events[i].event, .body = log_.events[i].body};
        assert_int_equal(fg_control_replay(control, &record), 0);
    }
    assert_int_equal(fg_control_item(control, 8)->hold_ms, 60000);
    assert_null(fg_control_item(control, 9));
    assert_int_equal(fg_control_replay_units(control, 7, 31), 0);
    assert_int_equal(fg_control_replay_units(control, 7, -1), 0);
    assert_int_equal(fg_control_replay_units(control, 9, 1), -EINVAL);
    serve();
    assert_int_equal(engine->catalogue->revision, 3);
    assert_int_equal(item(7)->state, FG_SALE_OPEN);
    assert_int_equal(fg_stock_free_units(&engine->stock, item(7)->slot), 70);
    assert_int_equal(fg_stock_free_units(&engine->stock, item(8)->slot), 50);
    assert_non_null(apply(SPRING SHOE(101) HAT)); /* opens: unchanged; the stock: one more */
    assert_int_equal(fg_stock_free_units(&engine->stock, item(7)->slot), 71);
}

static void a_log_that_does_not_fit_or_gives_too_much_is_told(void **state)
{
    (void)state;
    apply(SPRING SHOE(100));
    stop_workers();
    fg_control_destroy(control);
    create_control();
    struct fg_record record = {.control = &log_.events[0].event, .body = log_.events[0].body};
    assert_int_equal(fg_control_replay(control, &record), 0);
    engine->config.limit_orders = 99;
    assert_int_equal(fg_control_restored(control, message, sizeof(message)), -1);
    assert_non_null(strstr(message, "limits.orders is 99"));
    engine->config.limit_orders = 1000;
    fg_control_replay_units(control, 7, 101);
    assert_int_equal(fg_control_restored(control, message, sizeof(message)), -1);
    assert_non_null(strstr(message, "item 7"));
    fg_control_replay_units(control, 7, -1);
    serve();
}

struct aside {
    pthread_t thread;
    uint64_t ticks; /* that came while it ran */
};

static void take_a_while(void *arg)
{
    struct aside *aside = arg;
    aside->thread = pthread_self();
    nanosleep(&(struct timespec){.tv_nsec = 80000000}, NULL);
}

static void long_work_is_done_aside_and_ticks_go_on(void **state)
{
    (void)state;
    struct aside aside = {0};
    uint64_t before = control->ticks;
    fg_control_aside(control, false, take_a_while, &aside);
    assert_true(pthread_equal(aside.thread, pthread_self()));
    assert_int_equal(control->ticks, before);
    fg_control_aside(control, true, take_a_while, &aside);
    assert_false(pthread_equal(aside.thread, pthread_self()));
    assert_true(control->ticks >= before + 2); /* 8, but for a busy machine */
}

/* A long file and one of many items: read and planned aside, and nothing is lost on the way. */
static void large_files_are_read_aside(void **state)
{
    (void)state;
    enum { COMMENT = FG_ASIDE_BYTES + 10, ITEMS = 3 * FG_ASIDE_ITEMS };
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    fprintf(file, "#%0*d\n%s%s", COMMENT, 0, SPRING, SHOE(100));
    fclose(file);
    assert_non_null(apply(text));
    assert_int_equal(fg_stock_free_units(&engine->stock, item(7)->slot), 100);
    text[1] = '\n'; /* no comment any more */
    assert_null(apply(text));
    assert_error(FG_RPC_SALE_FILE, "sale.yaml:2:1");
    free(text);

    file = open_memstream(&text, &size);
    fprintf(file, "name: large\nitems:\n");
    for (int i = 101; i <= 100 + ITEMS; i++)
        fprintf(file, "  - {id: %d, name: Thing, stock: 1}\n", i);
    fclose(file);
    assert_null(apply(text));
    assert_error(FG_RPC_REFUSED, "601"); /* of 10 */
    free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_new_sale_is_durable_before_it_is_in_force),
        TEST(the_same_file_twice_changes_nothing_and_says_so),
        TEST(open_gives_and_close_takes),
        TEST(a_raised_stock_is_put_on_sale_once),
        TEST(a_file_that_takes_and_gives_is_two_changes_in_that_order),
        TEST(refused_files_leave_everything_as_it_was),
        TEST(a_sale_that_the_log_cannot_hold_is_never_journalled),
        TEST(a_full_queue_refuses_what_gives),
        TEST(what_is_not_durable_in_time_comes_in_force_later_and_nothing_before_it),
        TEST(a_worker_that_lags_is_named),
        TEST(a_failing_disk_ends_the_wait_and_the_engine),
        TEST(a_disk_that_failed_before_a_stop_is_told),
        TEST(being_fenced_ends_the_engine),
        TEST(schedules_become_records),
        TEST(what_time_has_done_comes_before_what_an_operator_asks),
        TEST(a_restart_arrives_at_what_was_running),
        TEST(a_log_that_does_not_fit_or_gives_too_much_is_told),
        TEST(long_work_is_done_aside_and_ticks_go_on),
        TEST(large_files_are_read_aside),
    };
    return cmocka_run_group_tests(tests, NULL, release_reply);
}
