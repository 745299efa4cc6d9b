/* SPDX-License-Identifier: BSD-3-Clause */
/* What operators changed while a sale went on survives a restart, from the whole log or from what a
 * base frame tells of it. */
#include "dataplane/orders/books.h"
#include "tests/unit/live_fixture.h"

static int replay_to_control(void *arg, const struct fg_control_event *event, const char *body)
{
    (void)arg;
    const struct fg_record record = {.control = event, .body = event->body_length ? body : NULL};
    assert_int_equal(fg_control_replay(control, &record), 0);
    return 0;
}

/* A new process, that reads the log: whole, or a base that stands for it. */
static void restart(bool from_base)
{
    struct fg_books books;
    stop_workers();
    fg_control_destroy(control);
    fg_stock_fini(&engine->stock);
    assert_int_equal(fg_stock_init(&engine->stock, WORKERS, engine->config.limit_items), 0);
    create_control();
    assert_int_equal(fg_books_init(&books), 0);
    for (unsigned i = 0; i < log_.count; i++) {
        if (!from_base)
            replay_to_control(NULL, &log_.events[i].event, log_.events[i].body);
        assert_int_equal(fg_books_control(&books, &log_.events[i].event, log_.events[i].body), 0);
    }
    if (from_base)
        assert_int_equal(fg_books_base(&books, 1, replay_to_control, NULL), 0);
    fg_books_fini(&books);
    serve();
}

static void all_of_it_survives_a_restart(void **state)
{
    (void)state;
    uint64_t opened = item(7)->opens_ns;
    stock("stock.add", "7", "30");
    stock("stock.remove", "7", "10");
    set("item.set", "item", "7", "limit", "4");
    stock("stock.remove", "7", "5");
    of_item("item.pause", "7");
    set("sale.set", "name", "spring", "limit", "6");
    set("sale.set", "name", "spring", "rate", "20");
    set("sale.set", "name", "spring", "burst", "3");
    call("item.close", json_pack("{s:s,s:b}", "item", "8", "confirmed", 1));
    of_sale("sale.pause", "spring");
    call("engine.kill", json_pack("{s:b}", "confirmed", 1));
    uint64_t revision = control->model.revision;
    for (int from_base = 0; from_base < 2; from_base++) {
        restart(from_base);
        assert_int_equal(control->model.revision, revision);
        assert_int_equal(engine->catalogue->mode, FG_ENGINE_KILLED);
        assert_int_equal(free_units(7), 115);
        assert_int_equal(item(7)->limit, 4);
        assert_int_equal(item(7)->sale_limit, 6);
        assert_int_equal(item(7)->rate_cost, 64000 / 20);
        assert_int_equal(item(7)->rate_depth, 64000 / 20 * 3);
        assert_int_equal(item(7)->paused, 1);
        assert_int_equal(item(7)->state, FG_SALE_PAUSED);
        assert_int_equal(item(8)->state, FG_SALE_CLOSED);
        assert_int_equal(item(8)->paused, 0);
        assert_int_equal(item(7)->opens_ns, opened);
        assert_false(changed(apply(SPRING "  - id: 7\n    name: Shoe\n    stock: 115\n"
                                          "    limit: 4\n    max_per_order: 2\n" HAT
                                          "limit: 6\nrate: 20\nburst: 3\n")));
    }
    /* It had opened, by hand: so it goes on. */
    assert_text(of_sale("sale.resume", "spring"), "state", "open");
    assert_int_equal(item(7)->opens_ns, opened);
    assert_int_equal(item(8)->state, FG_SALE_CLOSED);
}

/* A definition made during the pause is all that a base tells of the opening before it. */
static void a_base_tells_that_a_paused_sale_has_opened(void **state)
{
    (void)state;
    uint64_t opened = item(7)->opens_ns;
    of_sale("sale.pause", "spring");
    apply(SPRING SHOE(120) HAT);
    restart(true);
    assert_int_equal(item(7)->opens_ns, opened);
    assert_text(of_sale("sale.resume", "spring"), "state", "open");
}

static void a_base_tells_that_a_paused_sale_has_not_opened(void **state)
{
    (void)state;
    apply("name: spring\nopens: +1h\nitems:\n" SHOE(100));
    of_sale("sale.pause", "spring");
    apply("name: spring\nopens: +2h\nitems:\n" SHOE(120));
    restart(true);
    assert_int_equal(item(7)->state, FG_SALE_PAUSED);
    assert_text(of_sale("sale.resume", "spring"), "state", "scheduled");
}

int main(void)
{
#define TEST(name)    cmocka_unit_test_setup_teardown(name, start, stop)
#define SELLING(name) cmocka_unit_test_setup_teardown(name, start_selling, stop)
    const struct CMUnitTest tests[] = {
        SELLING(all_of_it_survives_a_restart),
        SELLING(a_base_tells_that_a_paused_sale_has_opened),
        TEST(a_base_tells_that_a_paused_sale_has_not_opened),
    };
    return cmocka_run_group_tests(tests, NULL, release_reply);
}
