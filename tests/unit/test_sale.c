/* SPDX-License-Identifier: BSD-3-Clause */
/* Sale files, and a sale's form in the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/config/options.h"
#include "control/sale/sale.h"
#include "control/sale/sale_file.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define NOW         UINT64_C(1790000000000000000) /* 2026-09-21 */
#define S           UINT64_C(1000000000)

static int parse(struct fg_sale *sale, const char *text, char *message, size_t size)
{
    char *copy = strndup(text, strlen(text));
    int result = fg_sale_parse(sale, "s", copy, strlen(text), NOW, message, size);
    free(copy);
    return result;
}

static void accepted(struct fg_sale *sale, const char *text)
{
    char message[512] = "";
    if (parse(sale, text, message, sizeof(message)) != 0)
        fail_msg("%s", message);
}

static void refused(const char *text, const char *wanted)
{
    struct fg_sale sale;
    char message[512] = "";
    assert_int_equal(parse(&sale, text, message, sizeof(message)), -1);
    assert_string_equal(message, wanted);
    assert_null(sale.items); /* nothing is left to free */
}

/* A sale of one item with this field after the required ones. */
static void item_refused(const char *field, const char *wanted)
{
    char text[256], whole[320];
    snprintf(text, sizeof(text), "name: x\nitems:\n- id: 1\n  name: a\n  stock: 5\n%s\n", field);
    snprintf(whole, sizeof(whole), "s:6:%s", wanted);
    refused(text, whole);
}

static void test_defaults(void **state)
{
    (void)state;
    struct fg_sale sale;
    accepted(&sale, "name: x\nitems:\n- {id: 7, name: a thing, stock: 0}\n");
    assert_string_equal(sale.name, "x");
    assert_int_equal(sale.number, 0);
    assert_int_equal(sale.state, FG_SALE_SCHEDULED);
    assert_int_equal(sale.cancel_final, 0);
    assert_int_equal(sale.late_confirm, FG_LATE_REFUSE);
    assert_int_equal(sale.opens_ns, 0);
    assert_int_equal(sale.closes_ns, 0);
    assert_int_equal(sale.items_count, 1);
    assert_int_equal(sale.items[0].id, 7);
    assert_string_equal(sale.items[0].name, "a thing");
    assert_int_equal(sale.items[0].stock, 0);
    assert_int_equal(sale.items[0].limit, 0);
    assert_int_equal(sale.items[0].max_per_order, 1);
    assert_int_equal(sale.items[0].hold_ms, 0);
    fg_sale_free(&sale);
    assert_null(sale.items);
    assert_int_equal(sale.items_count, 0);
}

static void test_whole(void **state)
{
    (void)state;
    struct fg_sale sale;
    accepted(&sale, "name: A.b_c-9\nopens: 2026-11-27T20:00:00+01:00\ncloses: +100d\n"
                    "cancel_final: true\nlate_confirm: reacquire\nitems:\n"
                    "- {id: 4294967295, name: a, stock: 2000000000, limit: 3}\n"
                    "- {id: 1, name: b, stock: 1, limit: 70000}\n"
                    "- {id: 2, name: c, stock: 1, limit: 4, max_per_order: 4, hold: 7d}\n"
                    "- {id: 3, name: d, stock: 1, max_per_order: 65535, hold: 90s}\n");
    assert_int_equal(sale.opens_ns, UINT64_C(1795806000) * S);
    assert_int_equal(sale.closes_ns, NOW + 8640000 * S);
    assert_int_equal(sale.cancel_final, 1);
    assert_int_equal(sale.late_confirm, FG_LATE_REACQUIRE);
    assert_int_equal(sale.items_count, 4);
    assert_int_equal(sale.items[0].id, UINT32_MAX);
    assert_int_equal(sale.items[0].stock, FG_STOCK_MAX);
    assert_int_equal(sale.items[0].max_per_order, 3);
    assert_int_equal(sale.items[1].max_per_order, 65535);
    assert_int_equal(sale.items[2].hold_ms, FG_HOLD_MS_MAX);
    assert_int_equal(sale.items[3].max_per_order, 65535);
    assert_int_equal(sale.items[3].hold_ms, 90000);
    fg_sale_free(&sale);
}

static void test_sale_refusals(void **state)
{
    (void)state;
    static const char items[] = "items: [{id: 1, name: a, stock: 5}]\n";
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"name: a b\n", "s:1:7: name: \"a b\" holds other characters than A-Z a-z 0-9 . _ -"},
        {"name: a}b\n", "s:1:7: name: a}b holds other characters than A-Z a-z 0-9 . _ -"},
        {"opens: +1s\n", "s:1:1: name: is missing. The sale's name; never used twice in one log."},
        {"name: x\nopens: +2s\ncloses: +1s\n", "s:3:1: closes: is not after opens"},
        {"name: x\nopens: +2s\ncloses: +2s\n", "s:3:1: closes: is not after opens"},
        {"name: x\nlate_confirm: maybe\n",
         "s:2:15: late_confirm: maybe is not known here, wanted refuse or reacquire"},
        {"name: x\nmatter: open\n", "s:2:1: matter: unknown, wanted one of: name, opens, closes, "
                                    "limit, rate, burst, cancel_final, late_confirm, "
                                    "items"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[256];
        snprintf(text, sizeof(text), "%s%s", cases[i].text, items);
        refused(text, cases[i].wanted);
    }
    refused("", "s:1:1: found nothing, wanted a table with the sale's name and its items");
    refused("name: x\nitems: []\n", "s:2:8: items: found 0, wanted at least 1");
    refused("name: x\n", "s:1:1: items: is missing. What is on sale.");
    char text[256];
    snprintf(text, sizeof(text), "name: %064d\n%s", 0, items);
    struct fg_sale sale;
    char message[512];
    assert_int_equal(parse(&sale, text, message, sizeof(message)), -1);
    assert_non_null(strstr(message, "is too long (64 bytes), wanted 1 to 63 bytes"));
}

static void test_item_refusals(void **state)
{
    (void)state;
    item_refused("- {id: 1, name: b, stock: 5}",
                 "4: items.id: another item of this sale has this id, wanted one for each");
    item_refused("- {id: 0, name: b, stock: 5}",
                 "8: items.id: 0 is out of range, wanted 1 to 4294967295");
    item_refused("- {id: 4294967296, name: b, stock: 5}",
                 "8: items.id: 4294967296 is out of range, wanted 1 to 4294967295");
    item_refused("- {id: 2, name: b, stock: 2000000001}",
                 "27: items.stock: 2000000001 is out of range, wanted 0 to 2000000000");
    item_refused("- {id: 2, name: b, stock: -1}",
                 "27: items.stock: -1 is out of range, wanted 0 to 2000000000");
    item_refused("  max_per_order: 0",
                 "18: items.max_per_order: 0 is out of range, wanted 1 to 65535");
    item_refused("  max_per_order: 65536",
                 "18: items.max_per_order: 65536 is out of range, wanted 1 to 65535");
    item_refused("  hold: 169h", "9: items.hold: 169h is out of range, wanted 0 to 7d");
    item_refused("  hold: 10 min",
                 "9: items.hold: \"10 min\" is not a duration, wanted 0 to 7d (a whole number of "
                 "milliseconds, or one with ms, s, m, h or d)");
}

static void test_limit_and_order(void **state)
{
    (void)state;
    refused("name: x\nitems:\n- id: 1\n  name: a\n  stock: 5\n  limit: 2\n  max_per_order: 3\n",
            "s:7:3: items.max_per_order: stands above limit: no buyer could have an order so "
            "large");
}

static struct fg_sale *example(struct fg_sale *sale)
{
    accepted(sale, "name: x\nopens: +10s\ncloses: +20s\ncancel_final: true\n"
                   "late_confirm: reacquire\nitems:\n"
                   "- {id: 9, name: \"Käse \\\"alt\\\" \\\\\", stock: 3, limit: 2, hold: 5s}\n"
                   "- {id: 4294967295, name: b, stock: 2000000000}\n");
    sale->number = 65535;
    sale->state = FG_SALE_PAUSED;
    sale->limit = 7;
    sale->opens_relative = sale->closes_relative = false; /* no matter of the log */
    return sale;
}

static void test_round_trip(void **state)
{
    (void)state;
    struct fg_sale sale, back;
    json_t *json = fg_sale_to_json(example(&sale));
    assert_non_null(json);
    char *text = json_dumps(json, JSON_COMPACT);
    assert_string_equal(text,
                        "{\"name\":\"x\",\"number\":65535,\"state\":\"paused\","
                        "\"opens_ns\":1790000010000000000,\"closes_ns\":1790000020000000000,"
                        "\"cancel_final\":true,\"late_confirm\":\"reacquire\",\"items\":["
                        "{\"id\":9,\"name\":\"Käse \\\"alt\\\" \\\\\",\"stock\":3,\"limit\":2,"
                        "\"max_per_order\":2,\"hold_ms\":5000},"
                        "{\"id\":4294967295,\"name\":\"b\",\"stock\":2000000000,\"limit\":0,"
                        "\"max_per_order\":1,\"hold_ms\":0}],\"limit\":7}");
    json_t *read = json_loads(text, 0, NULL);
    assert_int_equal(fg_sale_from_json(&back, read), 0);
    struct fg_sale_item *items = back.items;
    back.items = sale.items;
    assert_memory_equal(&back, &sale, sizeof(sale));
    assert_memory_equal(items, sale.items, 2 * sizeof(*items));
    back.items = items;
    free(text);
    json_decref(read);
    json_decref(json);
    fg_sale_free(&sale);
    fg_sale_free(&back);
}

static void from_json_refused(json_t *json)
{
    struct fg_sale sale;
    assert_int_equal(fg_sale_from_json(&sale, json), -1);
    assert_null(sale.items);
}

/* Any field that is missing, of another type or out of range: a damaged log never gets in. */
static void test_damaged_json(void **state)
{
    (void)state;
    static const char *const damage[] = {
        "null", "-1", "1.5", "true", "[]", "{}", "\"\"", "\"a b\\u0007\"", "9223372036854775807"};
    struct fg_sale sale;
    json_t *good = fg_sale_to_json(example(&sale));
    fg_sale_free(&sale);
    from_json_refused(NULL);
    unsigned refusals = 0;
    for (size_t d = 0; d < COUNT(damage); d++) {
        json_t *bad = json_loads(damage[d], JSON_DECODE_ANY, NULL);
        from_json_refused(bad);
        const char *key;
        json_t *value, *item = json_array_get(json_object_get(good, "items"), 0);
        json_object_foreach(good, key, value)
        {
            /* A boolean may be either; a closing time may be that far. */
            if ((d == 3 && json_is_boolean(value)) || (d == 8 && strcmp(key, "closes_ns") == 0))
                continue;
            json_t *copy = json_deep_copy(good);
            json_object_set(copy, key, bad);
            from_json_refused(copy);
            json_object_del(copy, key);
            if (strcmp(key, "limit") != 0 && strcmp(key, "rate") != 0 &&
                strcmp(key, "burst") != 0) /* of old logs there is none */
                from_json_refused(copy);
            json_decref(copy);
            refusals++;
        }
        json_object_foreach(item, key, value)
        {
            json_t *copy = json_deep_copy(good);
            json_object_set(json_array_get(json_object_get(copy, "items"), 0), key, bad);
            from_json_refused(copy);
            json_decref(copy);
            refusals++;
        }
        json_decref(bad);
    }
    assert_int_equal(refusals, COUNT(damage) * 15 - 2);
    json_decref(good);
}

static void test_damaged_json_rules(void **state)
{
    (void)state;
    struct fg_sale sale;
    json_t *json = fg_sale_to_json(example(&sale));
    json_t *items = json_object_get(json, "items");
    json_object_set_new(json_array_get(items, 1), "id", json_integer(9));
    from_json_refused(json); /* the same id twice */
    json_object_set_new(json_array_get(items, 1), "id", json_integer(10));
    fg_sale_free(&sale);
    assert_int_equal(fg_sale_from_json(&sale, json), 0);
    fg_sale_free(&sale);
    json_object_set_new(json_array_get(items, 0), "max_per_order", json_integer(3));
    from_json_refused(json); /* above limit */
    json_object_set_new(json_array_get(items, 0), "limit", json_integer(3));
    assert_int_equal(fg_sale_from_json(&sale, json), 0);
    fg_sale_free(&sale);
    json_object_set_new(json, "closes_ns", json_integer(1));
    from_json_refused(json);
    json_object_set_new(json, "closes_ns", json_integer(0));
    json_object_set_new(json, "name", json_string("a/b"));
    from_json_refused(json);
    json_object_set_new(json, "name", json_stringn("a\0b", 3));
    from_json_refused(json);
    json_decref(json);
}

/* The most items, in both forms; and what fits a control record. */
static void test_most_items(void **state)
{
    (void)state;
    size_t size = 4 << 20, used;
    char *text = malloc(size);
    assert_non_null(text);
    used = (size_t)snprintf(text, size, "name: x\nitems:\n");
    size_t last = 0; /* where the item that is too many begins */
    for (unsigned i = 0; i <= FG_ITEMS_PER_SALE_MAX; i++) {
        last = used;
        used +=
            (size_t)snprintf(text + used, size - used,
                             "- {id: %u, name: \"%095u\", stock: 2000000000, limit: 2000000000, "
                             "hold: 604799999}\n",
                             UINT32_MAX - i, 0);
    }
    struct fg_sale sale, back;
    char message[256];
    assert_int_equal(fg_sale_parse(&sale, "s", text, used, NOW, message, sizeof(message)), -1);
    assert_string_equal(message, "s:10003:3: items: too many, wanted at most 10000");
    assert_int_equal(fg_sale_parse(&sale, "s", text, last, NOW, message, sizeof(message)), 0);
    assert_int_equal(sale.items_count, FG_ITEMS_PER_SALE_MAX);
    json_t *json = fg_sale_to_json(&sale);
    char *dump = json_dumps(json, JSON_COMPACT);
    assert_true(strlen(dump) <= FG_CONTROL_BODY_MAX);
    assert_int_equal(fg_sale_from_json(&back, json), 0);
    assert_int_equal(back.items_count, sale.items_count);
    free(dump);
    json_decref(json);
    fg_sale_free(&sale);
    fg_sale_free(&back);
    free(text);
}

/* conf/sale.yaml is what the template prints, and a sale with every option. */
static void test_sample(void **state)
{
    (void)state;
    struct fg_sale sale;
    char message[512] = "", *template = NULL;
    size_t length = 0, template_length;
    char *text = fg_options_file("conf/sale.yaml", false, &length, message, sizeof(message));
    assert_non_null(text);
    FILE *out = open_memstream(&template, &template_length);
    fg_sale_file_template(out);
    fclose(out);
    if (strcmp(text, template) != 0)
        fail_msg("conf/sale.yaml is not what flashgatectl sale template prints");
    free(template);
    if (fg_sale_parse(&sale, "conf/sale.yaml", text, length, NOW, message, sizeof(message)) != 0)
        fail_msg("%s", message);
    assert_int_equal(sale.items_count, 3);
    assert_int_equal(sale.opens_ns, NOW + 30 * S);
    assert_true(sale.opens_relative);
    assert_int_equal(sale.limit, 6);
    assert_int_equal(sale.items[0].max_per_order, 2);
    assert_int_equal(sale.items[1].hold_ms, 600000);
    fg_sale_free(&sale);
    free(text);
}

/* What is written reads back the same: item by item, field by field. */
static void reads_back(const struct fg_sale *sale)
{
    struct fg_sale back;
    char *text = fg_sale_file_text(sale, 7);
    assert_non_null(text);
    accepted(&back, text);
    assert_string_equal(back.name, sale->name);
    assert_int_equal(back.opens_ns, sale->opens_ns);
    assert_int_equal(back.closes_ns, sale->closes_ns);
    assert_int_equal(back.limit, sale->limit);
    assert_int_equal(back.cancel_final, sale->cancel_final);
    assert_int_equal(back.late_confirm, sale->late_confirm);
    assert_int_equal(back.items_count, sale->items_count);
    for (uint32_t i = 0; i < back.items_count; i++) {
        assert_string_equal(back.items[i].name, sale->items[i].name);
        assert_int_equal(back.items[i].id, sale->items[i].id);
        assert_int_equal(back.items[i].stock, sale->items[i].stock);
        assert_int_equal(back.items[i].limit, sale->items[i].limit);
        assert_int_equal(back.items[i].max_per_order, sale->items[i].max_per_order);
        assert_int_equal(back.items[i].hold_ms, sale->items[i].hold_ms);
    }
    fg_sale_free(&back);
    free(text);
}

static void test_written(void **state)
{
    (void)state;
    struct fg_sale_item items[] = {
        {.id = 9, .name = "Käse \"alt\" \\ # : {}", .stock = 3, .limit = 2, .max_per_order = 1},
        {.id = UINT32_MAX,
         .name = "- \xc2\x85\xe2\x80\xa8\xef\xbb\xbf\xf0\x9f\x91\x9f\xef\xbf\xbe",
         .stock = FG_STOCK_MAX,
         .limit = FG_STOCK_MAX,
         .max_per_order = 65535,
         .hold_ms = FG_HOLD_MS_MAX - 1},
        {.id = 1, .name = "' \xe2\x80\xa8 \xe2\x80\xa9 b", .max_per_order = 1, .hold_ms = 3600000},
    };
    struct fg_sale sale = {.name = "x",
                           .opens_ns = NOW,
                           .closes_ns = NOW + 1,
                           .limit = 5,
                           .cancel_final = 1,
                           .late_confirm = FG_LATE_REACQUIRE,
                           .items = items,
                           .items_count = COUNT(items)};
    reads_back(&sale);
    sale.opens_ns = UINT64_C(1795806000) * S;
    sale.closes_ns = 0;
    sale.limit = 0;
    sale.cancel_final = 0;
    sale.late_confirm = FG_LATE_REFUSE;
    reads_back(&sale);
    sale.opens_ns = 0;
    static const char *const names[] = {"-", "---", "...", ".5", "null", "true", "1e3", "007", "_"};
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(sale.name, sizeof(sale.name), "%s", names[i]);
        reads_back(&sale);
    }
    sale.closes_ns = UINT64_C(1795806000500000000);
    char text[FG_OPTION_TEXT_MAX];
    const struct fg_option *closes = fg_sale_option(&fg_sale_options, "closes");
    assert_string_equal(fg_option_yaml(closes, &sale, text, sizeof(text)),
                        "2026-11-27T19:00:00.5Z");
}

/* UTF-8 of one character; how many bytes. */
static size_t encode(uint32_t c, char *text)
{
    unsigned more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
    text[0] = (char)(lead[more] | c >> 6 * more);
    for (unsigned i = 1; i <= more; i++)
        text[i] = (char)(0x80 | (c >> 6 * (more - i) & 63));
    return more + 1;
}

/* Every character that a name can have, 16 a name. */
static void test_written_names(void **state)
{
    (void)state;
    struct fg_sale_item item = {.id = 1, .stock = 1, .max_per_order = 1};
    struct fg_sale sale = {.name = "x", .items = &item, .items_count = 1};
    for (uint32_t first = 0x20; first < 0x11000; first += 16) {
        size_t used = 0;
        if (first >= 0xd800 && first < 0xe000)
            continue;
        for (uint32_t c = first; c < first + 16; c++)
            if (c != 0x7f)
                used += encode(c, item.name + used);
        item.name[used] = '\0';
        reads_back(&sale);
    }
}

static void what_is_set_is_told_in_print(void **state)
{
    (void)state;
    char told[256];
    struct fg_sale sale = {.name = "spring"};
    assert_int_equal(fg_sale_set(&sale, NULL, "li\x1b[2Jmit", "3", 0, told, sizeof(told)), -1);
    assert_null(strchr(told, '\x1b'));
    assert_non_null(strstr(told, "of a sale cannot be set"));
    assert_int_equal(fg_sale_set(&sale, NULL, "limit", "3\x1b[2J", 0, told, sizeof(told)), -1);
    assert_null(strchr(told, '\x1b'));
    assert_non_null(strstr(told, "limit: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_set_is_told_in_print),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_sale_refusals),
        cmocka_unit_test(test_item_refusals),
        cmocka_unit_test(test_limit_and_order),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_damaged_json),
        cmocka_unit_test(test_damaged_json_rules),
        cmocka_unit_test(test_most_items),
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_written_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
