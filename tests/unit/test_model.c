/* SPDX-License-Identifier: BSD-3-Clause */
/* The model of sales, its replay from the log, and the snapshots made from it. */
#include "tests/unit/model_fixture.h"

#include "control/snapshot.h"

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
    struct fg_sale *fewer = copy_of(&spring, 1); /* an item is closed, and never gone */
    fewer->items_count = 1;
    assert_int_equal(fg_model_put_sale(&f->model, fewer), -EINVAL);
    fewer->items_count = 2;
    fewer->items[1].id = 9; /* another in its stead */
    assert_int_equal(fg_model_put_sale(&f->model, fewer), -EINVAL);
    fg_model_sale_free(fewer);
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
        {{.kind = FG_EVENT_NAMES_USED}, "{\"sales\":[],\"items\":[[2,1]]}"},
        {{.kind = FG_EVENT_NAMES_USED}, "{\"sales\":[],\"items\":[[-1,1]]}"},
        /* More ids than the sales named can have had: believed, it would take all memory. */
        {{.kind = FG_EVENT_NAMES_USED}, "{\"sales\":[\"a\"],\"items\":[[1,4294967295]]}"},
        {{.kind = FG_EVENT_NAMES_USED}, "{\"sales\":[\"a\"],\"items\":[[1,650000],650001]}"},
    };
    replay_sale(f, &spring, 3, 1);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(replay(f, bad[i].event, bad[i].body), -EINVAL);
    assert_int_equal(f->model.revision, 1);
}

/* --- snapshots --- */

static void a_snapshot_shows_every_item_and_the_rights_of_keys(void **state)
{
    struct fixture *f = *state;
    struct fg_key_file *keys = fg_key_file_empty();
    const struct fg_snapshot_shares shares = {.keys = keys};
    keys->ring.count = 2;
    keys->sales[1] = calloc(2, sizeof(char *));
    keys->sales[1][0] = strdup("second");
    struct fg_sale *second = sale_of("second", 1000, 3000);
    put(f, &spring, 1);
    put(f, second, 2);
    f->model.revision = 12;
    struct fg_catalogue *snapshot = fg_snapshot_create(&f->model, &shares, 55, 66);
    assert_non_null(snapshot);
    assert_int_equal(snapshot->revision, 12);
    assert_int_equal(snapshot->serving_since_ns, 55);
    assert_int_equal(snapshot->freshness_ns, 66);
    assert_ptr_equal(snapshot->keys, &keys->ring);
    assert_int_equal(keys->shared.holders, 2);
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
    assert_int_equal(keys->shared.holders, 1);
    fg_key_file_drop(keys);
}

static void an_empty_snapshot_knows_no_item(void **state)
{
    struct fixture *f = *state;
    struct fg_key_file *keys = fg_key_file_empty();
    const struct fg_snapshot_shares shares = {.keys = keys};
    struct fg_catalogue *snapshot = fg_snapshot_create(&f->model, &shares, 1, 2);
    assert_null(fg_catalogue_item(snapshot, 1));
    fg_snapshot_destroy(snapshot);
    fg_key_file_drop(keys);
}

/* --- archived sales --- */

static struct fg_control_event archive_of(uint32_t number)
{
    return (struct fg_control_event){
        .kind = FG_EVENT_SALE_STATE, .sale = number, .revision = 5, .value = FG_SALE_ARCHIVED};
}

static void an_archived_sale_leaves_its_slots_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct fg_sale *second = sale_of("second", 1000, 3), *third = sale_of("third", 50, 2);
    replay_sale(f, &spring, 1, 1);
    replay_sale(f, second, 2, 2);
    assert_int_equal(fg_model_item(&f->model, 1000)->item.sale_index, 1);
    assert_int_equal(replay(f, archive_of(1), NULL), 0);
    assert_int_equal(f->model.sales_count, 1);
    assert_int_equal(f->model.archives, 1);
    assert_null(fg_model_sale(&f->model, "spring"));
    assert_null(fg_model_item(&f->model, 7));
    assert_true(fg_model_id_used(&f->model, 7));
    assert_true(fg_model_name_used(&f->model, "spring"));
    assert_int_equal(fg_model_archived_number(&f->model, "spring"), 1);
    assert_int_equal(fg_model_archived_number(&f->model, "second"), 0);
    assert_int_equal(fg_model_item(&f->model, 1000)->item.sale_index, 0);
    assert_int_equal(fg_model_item(&f->model, 1000)->item.slot, 2);
    assert_int_equal(fg_model_next_number(&f->model), 3);
    /* Seen again: nothing changes. */
    assert_int_equal(replay(f, archive_of(1), NULL), 0);
    replay_sale(f, &spring, 1, 1);
    assert_null(fg_model_sale(&f->model, "spring"));
    /* The next items get its slots before they get new ones. */
    replay_sale(f, third, 3, 6);
    assert_true(fg_model_item(&f->model, 50)->item.slot < 2);
    assert_true(fg_model_item(&f->model, 51)->item.slot < 2);
    assert_int_equal(f->model.items_count, 5);
    fg_model_sale_free(second);
    fg_model_sale_free(third);
}

static void names_ever_used_come_back_from_their_event(void **state)
{
    struct fixture *f = *state;
    struct fg_sale *second = sale_of("second", 1000, 3000), *third = sale_of("third", 1, 2);
    replay_sale(f, &spring, 1, 1);
    replay_sale(f, second, 2, 2);
    replay_sale(f, third, 3, 3);
    assert_int_equal(replay(f, archive_of(1), NULL), 0);
    json_t *names = fg_model_names_json(&f->model, fg_model_sale(&f->model, "second"));
    char *text = json_dumps(names, JSON_COMPACT);
    assert_string_equal(text, "{\"sales\":[\"spring\",\"second\"],"
                              "\"items\":[[7,8],[1000,3999]]}");
    struct fixture other = {0};
    assert_int_equal(fg_model_init(&other.model), 0);
    assert_int_equal(
        replay(&other, (struct fg_control_event){.kind = FG_EVENT_NAMES_USED, .revision = 9}, text),
        0);
    assert_true(fg_model_name_used(&other.model, "second"));
    assert_true(fg_model_id_used(&other.model, 3999));
    assert_false(fg_model_id_used(&other.model, 4000));
    assert_false(fg_model_id_used(&other.model, 1));
    assert_int_equal(fg_model_next_number(&other.model), 3);
    assert_int_equal(other.model.names_bytes, strlen(text));
    /* Said of a sale that is live, it changes nothing but that. */
    assert_int_equal(
        replay(f, (struct fg_control_event){.kind = FG_EVENT_NAMES_USED, .revision = 9}, text), 0);
    assert_non_null(fg_model_item(&f->model, 1000));
    assert_int_equal(fg_model_archived_number(&f->model, "spring"), 1);
    fg_model_fini(&other.model);
    free(text);
    json_decref(names);
    fg_model_sale_free(second);
    fg_model_sale_free(third);
}

static void compaction_gives_the_lowest_slots(void **state)
{
    struct fixture *f = *state;
    struct fg_sale *second = sale_of("second", 1000, 3);
    replay_sale(f, &spring, 1, 1);
    replay_sale(f, second, 2, 2);
    assert_int_equal(replay(f, archive_of(1), NULL), 0);
    fg_model_compact(&f->model);
    assert_int_equal(f->model.items_count, 3);
    bool used[3] = {false};
    for (uint32_t id = 1000; id < 1003; id++) {
        const struct fg_model_item *item = fg_model_item(&f->model, id);
        assert_int_equal(item->item.id, id);
        assert_ptr_equal(item, &f->model.items[item->item.slot]);
        used[item->item.slot] = true;
    }
    assert_true(used[0] && used[1] && used[2]);
    fg_model_sale_free(second);
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
        TEST(a_snapshot_shows_every_item_and_the_rights_of_keys),
        TEST(an_empty_snapshot_knows_no_item),
        TEST(an_archived_sale_leaves_its_slots_and_nothing_else),
        TEST(names_ever_used_come_back_from_their_event),
        TEST(compaction_gives_the_lowest_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
