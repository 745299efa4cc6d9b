/* SPDX-License-Identifier: BSD-3-Clause */
/* The key file read again while workers serve: what changes, when, and that nothing tells a secret.
 */
#include "tests/unit/keys_fixture.h"

static void assert_ids(const json_t *result, const char *name, int id)
{
    const json_t *ids = json_object_get(result, name);
    assert_int_equal(json_array_size(ids), id != 0);
    if (id != 0)
        assert_int_equal(json_integer_value(json_array_get(ids, 0)), id);
}

static const struct fg_key *key_of(uint16_t id)
{
    int place = fg_keyring_find(engine->catalogue->keys, id);
    return place < 0 ? NULL : &engine->catalogue->keys->keys[place];
}

/* Every worker goes by what is in force. */
static void assert_all_go_by_it(void)
{
    for (unsigned w = 0; w < WORKERS; w++)
        assert_int_equal(atomic_load(&engine->workers[w]->seen_issue), engine->catalogue->issue);
}

static void a_key_is_added_and_the_old_one_goes(void **state)
{
    (void)state;
    const struct fg_keyring *first = engine->catalogue->keys;
    json_t *result =
        reload_of("keys:\n" KEY(3, THREE, "") KEY(2, TWO, ", sales: [spring]") KEY(1, ONE, ""));
    assert_non_null(result);
    assert_true(json_is_true(json_object_get(result, "changed")));
    assert_int_equal(number(result, "keys"), 3);
    assert_ids(result, "added", 3);
    assert_ids(result, "removed", 0);
    assert_ids(result, "secrets", 0);
    assert_ids(result, "terms", 0);
    assert_all_go_by_it();
    assert_ptr_not_equal(engine->catalogue->keys, first);
    assert_int_equal(engine->catalogue->keys->generation, 1);
    /* Whatever the order in the file, who was there keeps its place. */
    assert_int_equal(fg_keyring_find(engine->catalogue->keys, 1), 0);
    assert_int_equal(fg_keyring_find(engine->catalogue->keys, 2), 1);
    assert_int_equal(fg_keyring_find(engine->catalogue->keys, 3), 2);
    assert_int_equal(engine->catalogue->revision, 1); /* the log's catalogue is what it was */

    result = reload_of("keys:\n" KEY(2, TWO, ", sales: [spring]") KEY(3, THREE, ""));
    assert_ids(result, "removed", 1);
    assert_ids(result, "added", 0);
    assert_null(key_of(1));
    assert_non_null(key_of(3));
    assert_all_go_by_it();
    /* Its place stays empty as long as there are others. */
    result =
        reload_of("keys:\n" KEY(2, TWO, ", sales: [spring]") KEY(3, THREE, "") KEY(4, ONE, ""));
    assert_int_equal(fg_keyring_find(engine->catalogue->keys, 4), 0);
    assert_int_equal(log_.count, 3);
    for (unsigned i = 0; i < log_.count; i++) {
        assert_int_equal(log_.events[i].event.kind, FG_EVENT_ACT);
        assert_int_equal(log_.events[i].event.uid, caller.uid);
        assert_non_null(strstr(log_.events[i].body, "keys.reload"));
        assert_null(strstr(log_.events[i].body, MARK));
    }
    assert_non_null(strstr(log_.events[1].body, "\"removed\":[1]"));
}

/* One goes and another comes at once: what the old one has left in its place is not the new one's.
 */
static void a_key_instead_of_another_has_a_place_of_its_own(void **state)
{
    (void)state;
    reload_of("keys:\n" KEY(3, THREE, "") KEY(2, TWO, ", sales: [spring]"));
    assert_null(key_of(1));
    assert_int_equal(fg_keyring_find(engine->catalogue->keys, 2), 1);
    assert_int_equal(fg_keyring_find(engine->catalogue->keys, 3), 2);
    assert_int_equal(engine->catalogue->keys->keys[0].ops, 0);
    assert_int_equal(fg_keyring_find(engine->catalogue->keys, 0), -1);
}

/* A line of figures is one key's, whatever the next key in its place sends first. */
static void figures_begin_anew_with_another_key(void **state)
{
    (void)state;
    struct fg_key_watch *line = &engine->workers[0]->keys[5];
    struct fg_key_sight old = {0}, new = {0};
    fg_key_watch_accepted(line, 8, 1000);
    fg_key_watch_stale(line, 8, 1, 1000, fg_ip_of_v4(1));
    fg_key_watch_stale(line, 9, 2000, 1000, fg_ip_of_v4(2));
    fg_key_watch_read(line, 8, &old);
    fg_key_watch_read(line, 9, &new);
    assert_int_equal(old.accepted + old.stale + old.seen_ns + old.stale_ns, 0);
    assert_int_equal(new.accepted + new.seen_ns, 0);
    assert_int_equal(new.stale, 1);
    assert_int_equal(new.skew_ns, 1000);
    assert_int_equal(new.source.low &UINT32_MAX, 2);
}

static void a_secret_and_terms_change_under_one_id(void **state)
{
    (void)state;
    const uint8_t last = key_of(1)->secret[15];
    json_t *result = reload_of("keys:\n" KEY(1, THREE, ", rate: 5") KEY(2, TWO, ", rate: 7"));
    assert_ids(result, "secrets", 1);
    assert_ids(result, "terms", 2);
    assert_ids(result, "added", 0);
    assert_ids(result, "removed", 0);
    assert_int_equal(last, 1);
    assert_int_equal(key_of(1)->secret[15], 3);
    assert_int_not_equal(key_of(2)->rate_cost, 0);
    static const char *const others[] = {
        KEY(2, TWO, ""),
        KEY(2, TWO, ", sales: [spring]"),
        KEY(2, TWO, ", sales: [spring, autumn]"),
        KEY(2, TWO, ", sales: [autumn, spring]"),
        KEY(2, TWO, ", sources: [10.0.0.0/8]"),
        KEY(2, TWO, ", sources: [10.0.0.0/9]"),
        KEY(2, TWO, ", sources: [\"2001:db8::/32\"]"),
        KEY(2, TWO, ", rate: 7, burst: 9"),
        "  - {id: 2, secret: " TWO ", ops: all}\n",
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        char text[512];
        snprintf(text, sizeof(text), "keys:\n" KEY(1, THREE, ", rate: 5") "%s", others[i]);
        assert_ids(reload_of(text), "terms", 2);
        assert_false(json_is_true(json_object_get(reload_of(text), "changed")));
    }
}

static void as_it_was_changes_nothing(void **state)
{
    (void)state;
    const struct fg_catalogue *before = engine->catalogue;
    json_t *result = reload(false);
    assert_true(json_is_false(json_object_get(result, "changed")));
    assert_int_equal(number(result, "keys"), 2);
    assert_ptr_equal(engine->catalogue, before);
    assert_int_equal(log_.count, 0);
}

static void a_bad_file_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } bad[] = {
        {"keys:\n" KEY(1, ONE, "") "  - {id: 1, secret: " TWO ", ops: all}\n",
         "keys.yaml:3:6: keys.id: another key has this id"},
        {"keys:\n  - {id: 3, secret: " MARK ", ops: all}\n", "keys.yaml:2:21: keys.secret: "},
        {"keys: []\n", "keys.yaml:1:7: keys: "},
        {"", "keys.yaml:1:1: "},
        {"keys: [" MARK, "keys.yaml:1:"},
    };
    const struct fg_catalogue *before = engine->catalogue;
    const struct fg_key_file *keys = control->keys;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_null(reload_of(bad[i].text));
        assert_error(FG_RPC_REFUSED, bad[i].part);
        assert_null(strstr(
            json_string_value(json_object_get(json_object_get(reply, "error"), "message")), MARK));
        assert_ptr_equal(engine->catalogue, before);
        assert_ptr_equal(control->keys, keys);
    }
    assert_int_equal(chmod(path, 0640), 0);
    assert_null(reload(false));
    assert_error(FG_RPC_REFUSED, "wanted 0600");
    assert_error(FG_RPC_REFUSED, "; the keys in force stay");
    unlink(path);
    assert_null(reload(false));
    assert_error(FG_RPC_REFUSED, "could not be opened");
    assert_int_equal(log_.count, 0);
    assert_ptr_equal(engine->catalogue, before);
    engine->config.key_file = NULL;
    assert_null(reload(false));
    assert_error(FG_RPC_REFUSED, "names no key_file");
    engine->config.key_file = path;
}

/* A worker that stands still keeps the old ring from its end, not the others from the new. */
static void the_old_ring_lives_as_long_as_a_worker_reads_it(void **state)
{
    (void)state;
    struct fg_key_file *old = control->keys;
    fg_shared_hold(&old->shared);
    assert_int_equal(old->shared.holders, 3);
    atomic_store(&frozen[1], true);
    assert_null(reload_of("keys:\n" KEY(3, THREE, "")));
    assert_error(FG_RPC_TIME_LIMIT, "worker 1 has not taken it up");
    assert_int_equal(old->shared.holders, 2);
    assert_int_equal(control->keys->shared.holders, 2);
    atomic_store(&frozen[1], false);
    control->limits.seen = 10000;
    assert_int_equal(fg_change_finish(control, message, sizeof(message)), 0);
    assert_int_equal(old->shared.holders, 1);
    assert_all_go_by_it();
    fg_key_file_drop(old);
}

static void without_the_record_nothing_changes(void **state)
{
    (void)state;
    const struct fg_key_file *keys = control->keys;
    log_.holds_back = true;
    assert_null(reload_of("keys:\n" KEY(3, THREE, "")));
    assert_error(FG_RPC_TIME_LIMIT, "nothing was changed");
    assert_ptr_equal(control->keys, keys);
    log_.holds_back = false;
    log_.durable = log_.count;
    assert_non_null(reload(false));
    assert_int_equal(log_.count, 2);
}

static void a_key_in_use_goes_only_when_it_is_confirmed(void **state)
{
    (void)state;
    uint64_t now_ns = fg_control_clock_ns(control);
    const struct fg_key_file *keys = control->keys;
    fg_key_watch_accepted(&engine->workers[1]->keys[0], 1, now_ns - UINT64_C(1500000000));
    assert_null(reload_of("keys:\n" KEY(2, TWO, ", sales: [spring]")));
    assert_error(FG_RPC_CONFIRM, "key 1 has signed a datagram 1.5 s ago");
    assert_ptr_equal(control->keys, keys);
    assert_null(reload_of("keys:\n" KEY(1, THREE, "") KEY(2, TWO, ", sales: [spring]")));
    assert_error(FG_RPC_CONFIRM, "key 1 has signed");
    assert_non_null(reload(true));
    /* What it may do, and who else may, is no question. */
    assert_non_null(reload_of("keys:\n" KEY(1, THREE, ", rate: 3") KEY(4, ONE, "")));
    fg_key_watch_accepted(&engine->workers[0]->keys[0], 1, now_ns - UINT64_C(120000000000));
    engine->workers[1]->keys[0] = (struct fg_key_watch){.id = 0};
    assert_non_null(reload_of("keys:\n" KEY(4, ONE, "")));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_key_is_added_and_the_old_one_goes),
        TEST(a_key_instead_of_another_has_a_place_of_its_own),
        TEST(figures_begin_anew_with_another_key),
        TEST(a_secret_and_terms_change_under_one_id),
        TEST(as_it_was_changes_nothing),
        TEST(a_bad_file_changes_nothing),
        TEST(the_old_ring_lives_as_long_as_a_worker_reads_it),
        TEST(without_the_record_nothing_changes),
        TEST(a_key_in_use_goes_only_when_it_is_confirmed),
    };
    return cmocka_run_group_tests_name("keys reload", tests, NULL, release_reply);
}
