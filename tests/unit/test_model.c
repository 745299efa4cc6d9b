/* SPDX-License-Identifier: BSD-3-Clause */
/* The model of sales, what a changed file comes to, and the snapshots made from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/model.h"
#include "control/plan.h"
#include "control/snapshot.h"

struct fixture {
    struct fg_model model;
    struct fg_config config;
    struct fg_plan plan;
    char message[512];
};

static int start(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_int_equal(fg_model_init(&f->model), 0);
    f->config.limit_items = 10;
    f->config.limit_orders = 10000;
    f->config.log_budget = UINT64_C(1) << 30;
    *state = f;
    return 0;
}

static int stop(void **state)
{
    struct fixture *f = *state;
    fg_model_fini(&f->model);
    free(f);
    return 0;
}

/* Two items, 7 (100 units, limit 2) and 8 (50 units, held for a minute). */
static struct fg_sale_item spring_items[] = {
    {.id = 7, .name = "Shoe", .stock = 100, .limit = 2, .max_per_order = 2},
    {.id = 8, .name = "Hat", .stock = 50, .max_per_order = 1, .hold_ms = 60000},
};
static const struct fg_sale spring = {
    .name = "spring", .opens_ns = 1000, .closes_ns = 2000, .items_count = 2, .items = spring_items};

/* A copy to alter. Its items are an allocation that the test frees with fg_model_sale_free. */
static struct fg_sale *copy_of(const struct fg_sale *sale, uint32_t number)
{
    struct fg_sale *copy = fg_model_sale_copy(sale);
    assert_non_null(copy);
    copy->number = number;
    return copy;
}

static void put(struct fixture *f, const struct fg_sale *sale, uint32_t number)
{
    struct fg_sale *copy = copy_of(sale, number);
    assert_int_equal(fg_model_put_sale(&f->model, copy), 0);
    fg_model_sale_free(copy);
}

/* A sale of `count` items with ids from `first`. */
static struct fg_sale *sale_of(const char *name, uint32_t first, uint32_t count)
{
    struct fg_sale *sale = calloc(1, sizeof(*sale));
    snprintf(sale->name, sizeof(sale->name), "%s", name);
    sale->items = calloc(count, sizeof(*sale->items));
    sale->items_count = count;
    for (uint32_t i = 0; i < count; i++)
        sale->items[i] =
            (struct fg_sale_item){.id = first + i, .name = "thing", .stock = 1, .max_per_order = 1};
    return sale;
}

static int plan(struct fixture *f, const struct fg_sale *wanted)
{
    f->message[0] = '\0';
    return fg_plan_sale(&f->plan, &f->model, &f->config, wanted, f->message, sizeof(f->message));
}

static void assert_refused(struct fixture *f, const struct fg_sale *wanted, const char *part)
{
    assert_int_equal(plan(f, wanted), -EPERM);
    if (!strstr(f->message, part))
        fail_msg("\"%s\" does not say \"%s\"", f->message, part);
    fg_plan_free(&f->plan);
}

/* --- model --- */

static void a_sale_is_found_by_name_number_and_item(void **state)
{
    struct fixture *f = *state;
    put(f, &spring, 3);
    assert_string_equal(fg_model_sale(&f->model, "spring")->name, "spring");
    assert_ptr_equal(fg_model_sale_number(&f->model, 3), fg_model_sale(&f->model, "spring"));
    assert_null(fg_model_sale(&f->model, "sprin"));
    assert_null(fg_model_sale_number(&f->model, 1));
    const struct fg_model_item *hat = fg_model_item(&f->model, 8);
    assert_int_equal(hat->item.slot, 1);
    assert_int_equal(hat->item.sale, 3);
    assert_int_equal(hat->item.hold_ms, 60000);
    assert_int_equal(hat->item.opens_ns, 1000);
    assert_int_equal(fg_model_supply(hat), 50);
    assert_null(fg_model_item(&f->model, 9));
    assert_null(fg_model_item(&f->model, 0));
    assert_true(fg_model_name_used(&f->model, "spring"));
    assert_true(fg_model_id_used(&f->model, 7));
    assert_false(fg_model_id_used(&f->model, 9));
    assert_int_equal(fg_model_next_number(&f->model), 4);
}

static void items_keep_their_slots_through_changes(void **state)
{
    struct fixture *f = *state;
    struct fg_sale *more = sale_of("autumn", 1000, 5000); /* the tables grow several times */
    put(f, &spring, 1);
    put(f, more, 2);
    put(f, &spring, 1);
    for (uint32_t i = 0; i < 5000; i++)
        assert_int_equal(fg_model_item(&f->model, 1000 + i)->item.slot, 2 + i);
    assert_int_equal(fg_model_item(&f->model, 7)->item.slot, 0);
    assert_int_equal(f->model.items_count, 5002);
    assert_int_equal(fg_model_item(&f->model, 1000)->item.sale_index, 1);
    fg_model_sale_free(more);
}

static void what_contradicts_is_refused_and_changes_nothing(void **state)
{
    struct fixture *f = *state;
    put(f, &spring, 1);
    struct fg_sale *other = sale_of("other", 7, 1); /* an item of spring's */
    other->number = 2;
    assert_int_equal(fg_model_put_sale(&f->model, other), -EINVAL);
    other->items[0].id = 70;
    other->number = 1; /* spring's number */
    assert_int_equal(fg_model_put_sale(&f->model, other), -EINVAL);
    other->number = 0;
    assert_int_equal(fg_model_put_sale(&f->model, other), -EINVAL);
    assert_int_equal(f->model.sales_count, 1);
    assert_int_equal(f->model.items_count, 2);
    assert_int_equal(fg_model_set_state(&f->model, 2, FG_SALE_OPEN, 1000), -EINVAL);
    fg_model_sale_free(other);
}

static void there_is_a_most_of_live_sales(void **state)
{
    struct fixture *f = *state;
    char name[16];
    for (uint32_t i = 1; i <= FG_SALES_LIVE_MAX + 1; i++) {
        snprintf(name, sizeof(name), "sale%u", i);
        struct fg_sale *sale = sale_of(name, i, 1);
        sale->number = i;
        assert_int_equal(fg_model_put_sale(&f->model, sale), i <= FG_SALES_LIVE_MAX ? 0 : -ENOSPC);
        fg_model_sale_free(sale);
    }
}

/* --- replay --- */

static int replay(struct fixture *f, struct fg_control_event event, const char *body)
{
    event.body_length = body ? strlen(body) : 0;
    struct fg_record record = {.lsn = 1, .epoch = 1, .control = &event, .body = body};
    return fg_model_replay(&f->model, &record);
}

static void replay_sale(struct fixture *f, const struct fg_sale *sale, uint32_t number,
                        uint64_t revision)
{
    struct fg_sale *copy = copy_of(sale, number);
    json_t *json = fg_sale_to_json(copy);
    char *body = json_dumps(json, JSON_COMPACT);
    assert_int_equal(replay(f,
                            (struct fg_control_event){
                                .kind = FG_EVENT_SALE, .sale = number, .revision = revision},
                            body),
                     0);
    free(body);
    json_decref(json);
    fg_model_sale_free(copy);
}

static void replay_arrives_at_the_same_state_once_or_twice(void **state)
{
    struct fixture *f = *state;
    struct fg_control_event opened = {
        .kind = FG_EVENT_SALE_STATE, .sale = 5, .revision = 3, .value = FG_SALE_OPEN};
    struct fg_control_event added = {
        .kind = FG_EVENT_STOCK_ADD, .sale = 5, .revision = 4, .value = 30, .value2 = 7};
    struct fg_control_event removed = {
        .kind = FG_EVENT_STOCK_REMOVE, .sale = 5, .revision = 5, .value = 10, .value2 = 7};
    for (int twice = 0; twice < 2; twice++) {
        if (twice == 0)
            replay_sale(f, &spring, 5, 2);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(replay(f, opened, NULL), 0);
            assert_int_equal(replay(f, added, NULL), 0);
            assert_int_equal(replay(f, removed, NULL), 0);
        }
        const struct fg_model_item *shoe = fg_model_item(&f->model, 7);
        assert_int_equal(fg_model_supply(shoe), 120);
        assert_int_equal(shoe->item.state, FG_SALE_OPEN);
        assert_int_equal(f->model.revision, 5);
        assert_int_equal(f->model.sales_count, 1);
    }
    /* A definition supersedes what was added and removed before it. */
    replay_sale(f, &spring, 5, 6);
    assert_int_equal(fg_model_supply(fg_model_item(&f->model, 7)), 100);
    assert_int_equal(fg_model_item(&f->model, 7)->item.state, FG_SALE_SCHEDULED);
}

static void base_events_give_what_they_sum_up(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(replay(f,
                            (struct fg_control_event){.kind = FG_EVENT_NAMES_USED, .revision = 9},
                            "{\"sales\":[\"old\",\"older\"],\"items\":[1,2,4000000000]}"),
                     0);
    replay_sale(f, &spring, 3, 8);
    struct fg_control_event supply = {.kind = FG_EVENT_ITEM_SUPPLY,
                                      .sale = 3,
                                      .revision = 9,
                                      .value = 30,
                                      .value2 = 8,
                                      .value3 = 5};
    assert_int_equal(replay(f, supply, NULL), 0);
    assert_int_equal(replay(f, supply, NULL), 0);
    assert_int_equal(fg_model_supply(fg_model_item(&f->model, 8)), 75);
    assert_int_equal(
        replay(f, (struct fg_control_event){.kind = FG_EVENT_SALE_POSITION, .sale = 3, .value = 8},
               NULL),
        0);
    assert_true(fg_model_name_used(&f->model, "older"));
    assert_true(fg_model_id_used(&f->model, 4000000000));
    assert_null(fg_model_item(&f->model, 1)); /* used, but not on sale */
    assert_int_equal(fg_model_next_number(&f->model), 4);
    assert_int_equal(f->model.revision, 9);
}

static void what_replay_does_not_know_it_refuses(void **state)
{
    struct fixture *f = *state;
    static const struct {
        struct fg_control_event event;
        const char *body;
    } bad[] = {
        {{.kind = 99}, NULL},
        {{.kind = FG_EVENT_BLOCK_LIST}, "{}"},
        {{.kind = FG_EVENT_SALE, .sale = 1}, NULL},
        {{.kind = FG_EVENT_SALE, .sale = 1}, "{"},
        {{.kind = FG_EVENT_SALE, .sale = 1}, "[]"},
        {{.kind = FG_EVENT_SALE_STATE, .sale = 1, .value = FG_SALE_OPEN}, NULL},
        {{.kind = FG_EVENT_SALE_STATE, .sale = 3, .value = FG_SALE_STATE_COUNT}, NULL},
        {{.kind = FG_EVENT_STOCK_ADD, .sale = 3, .revision = 9, .value = 1, .value2 = 99}, NULL},
        {{.kind = FG_EVENT_STOCK_ADD,
          .sale = 3,
          .revision = 9,
          .value = UINT64_C(1) << 32,
          .value2 = 7},
         NULL},
        {{.kind = FG_EVENT_NAMES_USED}, "{\"sales\":[1],\"items\":[]}"},
        {{.kind = FG_EVENT_NAMES_USED}, "{\"sales\":[],\"items\":[0]}"},
    };
    replay_sale(f, &spring, 3, 1);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(replay(f, bad[i].event, bad[i].body), -EINVAL);
    assert_int_equal(f->model.revision, 1);
}

/* --- plans --- */

static void a_new_sale_only_gives(void **state)
{
    struct fixture *f = *state;
    put(f, &spring, 4);
    struct fg_sale *wanted = sale_of("summer", 20, 2);
    assert_int_equal(plan(f, wanted), 0);
    assert_true(f->plan.new_sale);
    assert_null(f->plan.takes);
    assert_int_equal(f->plan.gives->number, 5);
    assert_int_equal(f->plan.gives->state, FG_SALE_SCHEDULED);
    assert_int_equal(f->model.sales_count, 1); /* a plan changes nothing */
    fg_plan_free(&f->plan);
    fg_model_sale_free(wanted);
}

static void the_same_file_again_changes_nothing(void **state)
{
    struct fixture *f = *state;
    put(f, &spring, 1);
    assert_int_equal(plan(f, &spring), 0);
    assert_null(f->plan.takes);
    assert_null(f->plan.gives);
    assert_int_equal(json_array_size(f->plan.changes), 0);
    fg_plan_free(&f->plan);
    /* Also when it has opened and closed since; only then no longer when something differs. */
    fg_model_set_state(&f->model, 1, FG_SALE_CLOSED, 1000);
    assert_int_equal(plan(f, &spring), 0);
    fg_plan_free(&f->plan);
    struct fg_sale *wanted = copy_of(&spring, 0);
    wanted->items[0].stock++;
    assert_refused(f, wanted, "closed");
    fg_model_sale_free(wanted);
}

/* What a field's change comes to. */
enum way { GIVES, TAKES };

static void assert_way(struct fixture *f, const struct fg_sale *wanted, enum way way)
{
    assert_int_equal(plan(f, wanted), 0);
    assert_int_equal(json_array_size(f->plan.changes), 1);
    assert_int_equal(f->plan.gives != NULL, way == GIVES);
    assert_int_equal(f->plan.takes != NULL, way == TAKES);
    fg_plan_free(&f->plan);
}

static void each_change_is_known_as_giving_or_taking(void **state)
{
    struct fixture *f = *state;
    put(f, &spring, 1);
#define CASE(field, value, way)                                                                    \
    do {                                                                                           \
        struct fg_sale *wanted = copy_of(&spring, 0);                                              \
        wanted->field = (value);                                                                   \
        assert_way(f, wanted, way);                                                                \
        fg_model_sale_free(wanted);                                                                \
    } while (0)
    CASE(opens_ns, 999, GIVES);
    CASE(opens_ns, 1001, TAKES);
    CASE(opens_ns, 0, TAKES); /* by hand: later than any time */
    CASE(closes_ns, 2001, GIVES);
    CASE(closes_ns, 1999, TAKES);
    CASE(closes_ns, 0, GIVES);
    CASE(items[0].limit, 3, GIVES);
    CASE(items[0].limit, 1, TAKES);
    CASE(items[0].limit, 0, GIVES); /* no limit at all */
    CASE(items[1].limit, 5, TAKES); /* from none */
    CASE(items[0].max_per_order, 3, GIVES);
    CASE(items[0].max_per_order, 1, TAKES);
    CASE(items[0].stock, 101, GIVES);
    CASE(items[1].hold_ms, 1, GIVES);
#undef CASE
}

static void a_file_that_does_both_is_split(void **state)
{
    struct fixture *f = *state;
    put(f, &spring, 1);
    struct fg_sale *wanted = copy_of(&spring, 0);
    wanted->items[0].limit = 1;
    wanted->items[1].stock = 60;
    assert_int_equal(plan(f, wanted), 0);
    assert_int_equal(f->plan.takes->items[0].limit, 1);
    assert_int_equal(f->plan.takes->items[1].stock, 50);
    assert_int_equal(f->plan.gives->items[0].limit, 1);
    assert_int_equal(f->plan.gives->items[1].stock, 60);
    assert_int_equal(f->plan.takes->number, 1);
    assert_int_equal(f->plan.gives->number, 1);
    assert_int_equal(json_array_size(f->plan.changes), 2);
    fg_plan_free(&f->plan);
    fg_model_sale_free(wanted);
}

static void an_opening_that_happened_is_not_moved(void **state)
{
    struct fixture *f = *state;
    put(f, &spring, 1);
    fg_model_set_state(&f->model, 1, FG_SALE_OPEN, 1000);
    struct fg_sale *wanted = copy_of(&spring, 0);
    wanted->opens_ns = 1500;
    assert_int_equal(plan(f, wanted), 0);
    assert_null(f->plan.gives);
    assert_null(f->plan.takes);
    fg_plan_free(&f->plan);
    wanted->items[0].stock = 200;
    assert_int_equal(plan(f, wanted), 0);
    assert_int_equal(f->plan.gives->opens_ns, 1000);
    assert_int_equal(f->plan.gives->state, FG_SALE_OPEN);
    fg_plan_free(&f->plan);
    fg_model_sale_free(wanted);
}

static void times_moved_whole_go_one_way_and_stay_sound(void **state)
{
    struct fixture *f = *state;
    struct fg_sale *wanted = copy_of(&spring, 0);
    put(f, &spring, 1);
    wanted->opens_ns = 2000;
    wanted->closes_ns = 3000;
    assert_way(f, wanted, TAKES);
    wanted->items[0].stock++; /* with it, something that gives */
    assert_int_equal(plan(f, wanted), 0);
    assert_int_equal(f->plan.takes->opens_ns, 2000);
    assert_int_equal(f->plan.takes->closes_ns, 3000);
    assert_int_equal(f->plan.takes->items[0].stock, 100);
    assert_int_equal(f->plan.gives->items[0].stock, 101);
    fg_plan_free(&f->plan);
    wanted->items[0].stock--;
    wanted->opens_ns = 500;
    wanted->closes_ns = 1000;
    assert_way(f, wanted, GIVES);
    /* An overlap is cut first and widened after it. */
    wanted->closes_ns = 1500;
    assert_int_equal(plan(f, wanted), 0);
    assert_int_equal(f->plan.takes->opens_ns, 1000);
    assert_int_equal(f->plan.takes->closes_ns, 1500);
    assert_int_equal(f->plan.gives->opens_ns, 500);
    fg_plan_free(&f->plan);
    fg_model_sale_free(wanted);
}

static void opening_by_hand_is_the_opening(void **state)
{
    struct fixture *f = *state;
    put(f, &spring, 1);
    assert_int_equal(fg_model_set_state(&f->model, 1, FG_SALE_OPEN, 700), 0);
    assert_int_equal(fg_model_sale(&f->model, "spring")->opens_ns, 700);
    assert_int_equal(fg_model_item(&f->model, 8)->item.opens_ns, 700);
    assert_int_equal(fg_model_set_state(&f->model, 1, FG_SALE_OPEN, 600), 0);
    assert_int_equal(fg_model_sale(&f->model, "spring")->opens_ns, 700);
    struct fg_sale *wanted = copy_of(&spring, 0);
    wanted->opens_ns = 100; /* does not matter any more */
    wanted->closes_ns = 700;
    assert_refused(f, wanted, "sale close spring");
    wanted->closes_ns = 701;
    assert_way(f, wanted, TAKES);
    fg_model_sale_free(wanted);
}

static void what_may_not_change_is_refused(void **state)
{
    struct fixture *f = *state;
    struct fg_sale *other = sale_of("other", 20, 1);
    put(f, &spring, 1);
    put(f, other, 2);
    fg_model_sale_free(other);

    struct fg_sale *wanted = copy_of(&spring, 0);
    wanted->items[0].stock = 99;
    assert_refused(f, wanted, "not lowered");
    wanted->items[0].stock = 100;
    snprintf(wanted->items[1].name, sizeof(wanted->items[1].name), "Cap");
    assert_refused(f, wanted, "\"Cap\"");
    wanted->items_count = 1;
    assert_refused(f, wanted, "item 8");
    wanted->items_count = 2;
    snprintf(wanted->items[1].name, sizeof(wanted->items[1].name), "Hat");
    wanted->cancel_final = 1;
    assert_refused(f, wanted, "cancel_final");
    fg_model_sale_free(wanted);

    wanted = sale_of("autumn", 7, 1);
    assert_refused(f, wanted, "belongs to sale spring");
    fg_model_sale_free(wanted);
    wanted = copy_of(&spring, 0);
    wanted->items[1].id = 20;
    assert_refused(f, wanted, "item 8");
    fg_model_sale_free(wanted);
}

static void names_and_ids_of_archived_sales_stay_used(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(replay(f, (struct fg_control_event){.kind = FG_EVENT_NAMES_USED},
                            "{\"sales\":[\"old\"],\"items\":[77]}"),
                     0);
    struct fg_sale *wanted = sale_of("old", 1, 1);
    assert_refused(f, wanted, "archived");
    fg_model_sale_free(wanted);
    wanted = sale_of("new", 76, 2);
    assert_refused(f, wanted, "item 77");
    wanted->items_count = 1;
    assert_int_equal(plan(f, wanted), 0);
    fg_plan_free(&f->plan);
    fg_model_sale_free(wanted);
}

static void what_does_not_fit_names_the_number_to_raise(void **state)
{
    struct fixture *f = *state;
    put(f, &spring, 1); /* 2 items; 100 + 50 x 1.5 = 175 orders; 100 + 150 = 250 events */
    struct fg_sale *wanted = sale_of("summer", 20, 9);
    assert_refused(f, wanted, "limits.items is 10");
    wanted->items_count = 8;
    f->config.limit_orders = 182;
    assert_refused(f, wanted, "raise it to 183");
    f->config.limit_orders = 183;
    assert_int_equal(plan(f, wanted), 0);
    fg_plan_free(&f->plan);
    f->config.log_budget = 258 * 512 - 1;
    assert_refused(f, wanted, "log.budget");
    f->config.log_budget++;
    assert_int_equal(plan(f, wanted), 0);
    fg_plan_free(&f->plan);
    fg_model_sale_free(wanted);
    /* A changed sale counts once, not twice. */
    f->config.limit_orders = 185;
    f->config.log_budget *= 2;
    wanted = copy_of(&spring, 0);
    wanted->items[0].stock = 110;
    assert_int_equal(plan(f, wanted), 0);
    fg_plan_free(&f->plan);
    wanted->items[0].stock = 111;
    assert_refused(f, wanted, "raise it to 186");
    fg_model_sale_free(wanted);
}

static void the_65th_live_sale_is_refused(void **state)
{
    struct fixture *f = *state;
    char name[16];
    f->config.limit_items = 1000;
    for (uint32_t i = 1; i <= FG_SALES_LIVE_MAX; i++) {
        snprintf(name, sizeof(name), "sale%u", i);
        struct fg_sale *sale = sale_of(name, i, 1);
        put(f, sale, i);
        fg_model_sale_free(sale);
    }
    struct fg_sale *wanted = sale_of("one-more", 1000, 1);
    assert_refused(f, wanted, "64 live sales");
    fg_model_sale_free(wanted);
}

/* --- snapshots --- */

static void a_snapshot_shows_every_item_and_the_rights_of_keys(void **state)
{
    struct fixture *f = *state;
    char *only_second[] = {"second", NULL};
    struct fg_key_file *keys = calloc(1, sizeof(*keys));
    keys->ring.count = 2;
    keys->sales[1] = only_second;
    struct fg_sale *second = sale_of("second", 1000, 3000);
    put(f, &spring, 1);
    put(f, second, 2);
    f->model.revision = 12;
    struct fg_catalogue *snapshot = fg_snapshot_create(&f->model, keys, 55, 66);
    assert_non_null(snapshot);
    assert_int_equal(snapshot->revision, 12);
    assert_int_equal(snapshot->serving_since_ns, 55);
    assert_int_equal(snapshot->freshness_ns, 66);
    assert_ptr_equal(snapshot->keys, &keys->ring);
    assert_int_equal(snapshot->key_sales[0], 3);
    assert_int_equal(snapshot->key_sales[1], 2);
    assert_int_equal((uintptr_t)snapshot->items % 64, 0);
    assert_true(snapshot->item_mask + 1 >= 2 * 3002);
    for (uint32_t i = 0; i < 3000; i++)
        assert_int_equal(fg_catalogue_item(snapshot, 1000 + i)->slot, 2 + i);
    assert_int_equal(fg_catalogue_item(snapshot, 7)->limit, 2);
    assert_null(fg_catalogue_item(snapshot, 9));
    /* Later changes of the model do not show in it. */
    fg_model_set_state(&f->model, 1, FG_SALE_OPEN, 1000);
    assert_int_equal(fg_catalogue_item(snapshot, 7)->state, FG_SALE_SCHEDULED);
    fg_snapshot_destroy(snapshot);
    fg_model_sale_free(second);
    free(keys);
}

static void an_empty_snapshot_knows_no_item(void **state)
{
    struct fixture *f = *state;
    struct fg_key_file *keys = calloc(1, sizeof(*keys));
    struct fg_catalogue *snapshot = fg_snapshot_create(&f->model, keys, 1, 2);
    assert_null(fg_catalogue_item(snapshot, 1));
    fg_snapshot_destroy(snapshot);
    free(keys);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_sale_is_found_by_name_number_and_item),
        TEST(items_keep_their_slots_through_changes),
        TEST(what_contradicts_is_refused_and_changes_nothing),
        TEST(there_is_a_most_of_live_sales),
        TEST(replay_arrives_at_the_same_state_once_or_twice),
        TEST(base_events_give_what_they_sum_up),
        TEST(what_replay_does_not_know_it_refuses),
        TEST(a_new_sale_only_gives),
        TEST(the_same_file_again_changes_nothing),
        TEST(each_change_is_known_as_giving_or_taking),
        TEST(a_file_that_does_both_is_split),
        TEST(an_opening_that_happened_is_not_moved),
        TEST(times_moved_whole_go_one_way_and_stay_sound),
        TEST(opening_by_hand_is_the_opening),
        TEST(what_may_not_change_is_refused),
        TEST(names_and_ids_of_archived_sales_stay_used),
        TEST(what_does_not_fit_names_the_number_to_raise),
        TEST(the_65th_live_sale_is_refused),
        TEST(a_snapshot_shows_every_item_and_the_rights_of_keys),
        TEST(an_empty_snapshot_knows_no_item),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
