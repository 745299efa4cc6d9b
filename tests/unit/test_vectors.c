/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The C code against tests/vectors/, which a generator of its own makes in Python from the
 * protocol's page: hashes, macs, partitions, codes, and where every field stands on the wire.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <jansson.h>

#include "dataplane/admission/admission.h"

#define VECTORS "tests/vectors/"

static json_t *load(const char *path)
{
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error);

    if (root == NULL)
        fail_msg("%s:%d: %s (run from the project's top folder)", path, error.line, error.text);
    return root;
}

static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));

    if (value == NULL)
        fail_msg("no string \"%s\"", name);
    return value;
}

/* Integers up to 32 bits are JSON numbers, 64-bit ones hex strings. */
static uint64_t number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    if (json_is_string(value))
        return strtoull(json_string_value(value), NULL, 16);
    if (!json_is_integer(value))
        fail_msg("no number \"%s\"", name);
    return (uint64_t)json_integer_value(value);
}

/* Bytes written as hex, in an allocation of exactly their length. */
static uint8_t *bytes(const json_t *object, const char *name, size_t *length)
{
    const char *hex = text(object, name);
    size_t count = strlen(hex) / 2;
    uint8_t *data = malloc(count);

    assert_true(data != NULL || count == 0);
    for (size_t i = 0; i < count; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
        data[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    if (length != NULL)
        *length = count;
    return data;
}

static void siphash(void **state)
{
    json_t *root = load(VECTORS "siphash.json"), *vectors = json_object_get(root, "vectors"), *one;
    uint8_t *key = bytes(root, "key", NULL);
    size_t i, length;

    (void)state;
    assert_int_equal(json_array_size(vectors), 64);
    json_array_foreach(vectors, i, one)
    {
        uint8_t *input = bytes(one, "input", &length);
        assert_int_equal(fg_siphash(key, input, length), number(one, "hash"));
        free(input);
    }
    free(key);
    json_decref(root);
}

static void crc32c(void **state)
{
    json_t *root = load(VECTORS "crc32c.json"), *vectors = json_object_get(root, "vectors"), *one;
    size_t i, length;

    (void)state;
    assert_true(json_array_size(vectors) > 0);
    json_array_foreach(vectors, i, one)
    {
        uint8_t *input = bytes(one, "input", &length);
        assert_int_equal(fg_crc32c(0, input, length), number(one, "crc"));
        free(input);
    }
    vectors = json_object_get(root, "partitions");
    assert_true(json_array_size(vectors) > 0);
    json_array_foreach(vectors, i, one)
    {
        uint8_t *buyer = bytes(one, "buyer", &length);
        assert_int_equal(length, FG_BUYER_BYTES);
        assert_int_equal(fg_partition(buyer, (uint32_t)number(one, "partitions")),
                         number(one, "partition"));
        free(buyer);
    }
    json_decref(root);
}

/* {"NAME": code} holds exactly the names that `name_of` knows. */
static void check_codes(const json_t *codes, const char *(*name_of)(unsigned code))
{
    size_t known = 0;

    for (unsigned code = 0; code < 256; code++) {
        const char *name = name_of(code);
        if (strcmp(name, "?") == 0)
            continue;
        known++;
        assert_int_equal(number(codes, name), code);
    }
    assert_int_equal(json_object_size(codes), known);
}

/* Header fields and mac of a vector's payload; returns the header. */
static struct fg_header check_header(const json_t *vector, const uint8_t *payload, size_t length)
{
    struct fg_header header;

    assert_true(length >= sizeof(header));
    memcpy(&header, payload, sizeof(header));
    assert_int_equal(header.magic[0], FG_MAGIC_0);
    assert_int_equal(header.magic[1], FG_MAGIC_1);
    assert_int_equal(header.version, FG_VERSION);
    assert_int_equal(header.count, json_array_size(json_object_get(vector, "entries")));
    assert_int_equal(header.reserved, 0);
    assert_int_equal(header.key_id, number(vector, "key_id"));
    assert_int_equal(header.time_ns, number(vector, "time_ns"));
    if (header.key_id == 0) {
        assert_int_equal(header.mac, 0);
    } else {
        uint8_t *secret = bytes(vector, "secret", NULL);
        assert_int_equal(fg_payload_mac(secret, payload, length), header.mac);
        free(secret);
    }
    return header;
}

static void check_request(const json_t *vector, const uint8_t *payload, size_t length)
{
    struct fg_header header = check_header(vector, payload, length);
    const json_t *entries = json_object_get(vector, "entries"), *want;
    size_t i;

    assert_int_equal(header.type, FG_TYPE_REQUEST);
    assert_int_equal(length, FG_REQUEST_BYTES(header.count));
    json_array_foreach(entries, i, want)
    {
        struct fg_request entry;
        memcpy(&entry, payload + FG_REQUEST_BYTES(i), sizeof(entry));
        uint8_t *buyer = bytes(want, "buyer", NULL);
        assert_memory_equal(entry.buyer, buyer, FG_BUYER_BYTES);
        free(buyer);
        assert_int_equal(entry.request, number(want, "request"));
        assert_int_equal(entry.item, number(want, "item"));
        assert_int_equal(entry.quantity, number(want, "quantity"));
        assert_int_equal(entry.op, number(want, "op"));
        assert_int_equal(entry.flags, number(want, "flags"));
        assert_int_equal(entry.order, number(want, "order"));
    }
}

static void check_reply(const json_t *vector, const uint8_t *payload, size_t length)
{
    struct fg_header header = check_header(vector, payload, length);
    const json_t *entries = json_object_get(vector, "entries"), *want;
    size_t i;

    assert_int_equal(header.type, FG_TYPE_REPLY);
    assert_int_equal(length, FG_REPLY_BYTES(header.count));
    json_array_foreach(entries, i, want)
    {
        struct fg_reply entry;
        memcpy(&entry, payload + FG_REPLY_BYTES(i), sizeof(entry));
        assert_int_equal(entry.request, number(want, "request"));
        assert_int_equal(entry.order, number(want, "order"));
        assert_int_equal(entry.item, number(want, "item"));
        assert_int_equal(entry.quantity, number(want, "quantity"));
        assert_int_equal(entry.verdict, number(want, "verdict"));
        assert_int_equal(entry.flags, number(want, "flags"));
        assert_int_equal(entry.wait_ms, number(want, "wait_ms"));
        assert_int_equal(entry.available, number(want, "available"));
    }
}

static void check_datagrams(const json_t *root,
                            void (*check)(const json_t *, const uint8_t *, size_t))
{
    const json_t *vectors = json_object_get(root, "vectors"), *vector;
    size_t i, length;

    assert_true(json_array_size(vectors) > 0);
    json_array_foreach(vectors, i, vector)
    {
        uint8_t *payload = bytes(vector, "payload", &length);
        check(vector, payload, length);
        free(payload);
    }
}

static void requests(void **state)
{
    json_t *root = load(VECTORS "requests.json");

    (void)state;
    check_codes(json_object_get(root, "ops"), fg_op_name);
    check_datagrams(root, check_request);
    json_decref(root);
}

static void replies(void **state)
{
    json_t *root = load(VECTORS "replies.json"), *flags = json_object_get(root, "flags");

    (void)state;
    check_codes(json_object_get(root, "verdicts"), fg_verdict_name);
    assert_int_equal(number(flags, "REPLAY"), FG_REPLAY);
    assert_int_equal(number(flags, "HELD"), FG_HELD);
    check_datagrams(root, check_reply);
    json_decref(root);
}

/* --- What is taken and what is met with silence --- */

struct engine {
    json_t *root;
    struct fg_keyring keys;
    struct fg_catalogue catalogue;
    uint64_t now_ns;
};

static struct fg_ip address(const char *dotted)
{
    struct fg_ip ip;
    unsigned bits;
    bool whole;

    assert_true(fg_ip_parse(dotted, &ip, &bits, &whole));
    return ip;
}

static struct fg_key read_key(const json_t *json)
{
    struct fg_key key = {.id = (uint16_t)number(json, "id"), .ops = 0xFF};
    const json_t *prefixes = json_object_get(json, "prefixes"), *prefix;
    uint8_t *secret = bytes(json, "secret", NULL);
    size_t i;

    memcpy(key.secret, secret, sizeof(key.secret));
    free(secret);
    json_array_foreach(prefixes, i, prefix)
    {
        struct fg_prefix *one = &key.prefixes[key.prefixes_count++];
        unsigned bits;
        bool whole;
        assert_true(fg_ip_parse(json_string_value(prefix), &one->address, &bits, &whole));
        one->mask = fg_ip_mask(bits);
    }
    return key;
}

/* The engine that silent.json speaks of. */
static int set_up(void **state)
{
    struct engine *engine = calloc(1, sizeof(*engine));
    const json_t *one;
    size_t i;

    engine->root = load(VECTORS "silent.json");
    json_array_foreach(json_object_get(engine->root, "keys"), i, one)
        engine->keys.keys[engine->keys.count++] = read_key(one);
    engine->now_ns = number(engine->root, "now_ns");
    engine->catalogue.keys = &engine->keys;
    engine->catalogue.freshness_ns = number(engine->root, "freshness_ns");
    *state = engine;
    return 0;
}

static int tear_down(void **state)
{
    struct engine *engine = *state;

    json_decref(engine->root);
    free(engine);
    return 0;
}

static const char *counter_name(enum fg_counter counter)
{
    static const char *const names[] = {
#define X(name, text, help) text,
        FG_COUNTERS(X)
#undef X
    };
    return names[counter];
}

/* The counter that a worker moves for what authentication found; NULL for what is taken. */
static const char *counted_as(enum fg_authentic found)
{
    switch (found) {
    case FG_AUTHENTIC:
        return NULL;
    case FG_AUTH_UNSIGNED:
        return counter_name(FG_COUNTER_DROP_UNSIGNED);
    case FG_AUTH_UNKNOWN_KEY:
        return counter_name(FG_COUNTER_DROP_UNKNOWN_KEY);
    case FG_AUTH_SOURCE:
        return counter_name(FG_COUNTER_DROP_KEY_SOURCE);
    case FG_AUTH_MAC:
        return counter_name(FG_COUNTER_DROP_MAC);
    case FG_AUTH_STALE:
        return counter_name(FG_COUNTER_DROP_STALE);
    case FG_AUTH_EARLY:
        return counter_name(FG_COUNTER_DROP_EARLY);
    }
    return "?";
}

/* Checks the form of a vector's payload and authenticates it: the counter it moves, or NULL. */
static const char *receive(const struct engine *engine, const json_t *vector)
{
    size_t length;
    uint16_t place = UINT16_MAX;
    uint8_t *payload = bytes(vector, "payload", &length);

    assert_true(fg_payload_check(payload, length));
    enum fg_authentic found =
        fg_payload_authenticate(&engine->catalogue, payload, length,
                                address(text(vector, "source")), engine->now_ns, &place);
    if (found == FG_AUTHENTIC) {
        struct fg_header header;
        memcpy(&header, payload, sizeof(header));
        assert_true(place < engine->keys.count);
        assert_int_equal(engine->keys.keys[place].id, header.key_id);
    }
    free(payload);
    return counted_as(found);
}

/* The counter of a payload that has not the form of a request. */
static const char *unfit_name(const uint8_t *payload, size_t length)
{
    switch (fg_payload_unfit(payload, length)) {
    case FG_UNFIT_MALFORMED:
        return counter_name(FG_COUNTER_DROP_MALFORMED);
    case FG_UNFIT_VERSION:
        return counter_name(FG_COUNTER_DROP_VERSION);
    case FG_UNFIT_REPLY:
        return counter_name(FG_COUNTER_DROP_REPLY);
    }
    return "?";
}

static void malformed(void **state)
{
    const struct engine *engine = *state;
    const json_t *vectors = json_object_get(engine->root, "malformed"), *one;
    size_t i, length;

    assert_true(json_array_size(vectors) > 0);
    json_array_foreach(vectors, i, one)
    {
        uint8_t *payload = bytes(one, "payload", &length);
        if (fg_payload_check(payload, length))
            fail_msg("taken, though malformed: %s", text(one, "name"));
        assert_string_equal(unfit_name(payload, length), text(one, "counter"));
        free(payload);
    }
}

static void unauthentic(void **state)
{
    struct engine *engine = *state;
    const json_t *vectors = json_object_get(engine->root, "unauthentic"), *one;
    size_t i;

    assert_true(json_array_size(vectors) > 0);
    json_array_foreach(vectors, i, one)
    {
        const char *counter = receive(engine, one);
        if (counter == NULL || strcmp(counter, text(one, "counter")) != 0)
            fail_msg("%s: %s, not %s", text(one, "name"), counter ? counter : "taken",
                     text(one, "counter"));
    }
    one = json_object_get(engine->root, "before_serving");
    engine->catalogue.serving_since_ns = number(one, "serving_since_ns");
    assert_string_equal(receive(engine, one), text(one, "counter"));
}

static void authentic(void **state)
{
    const struct engine *engine = *state;
    const json_t *vectors = json_object_get(engine->root, "authentic"), *one;
    size_t i;

    assert_true(json_array_size(vectors) > 0);
    json_array_foreach(vectors, i, one)
    {
        const char *counter = receive(engine, one);
        if (counter != NULL)
            fail_msg("%s: %s", text(one, "name"), counter);
    }
}

/* A reply never parses as a request, so no two engines can answer each other. */
static void replies_are_no_requests(void **state)
{
    json_t *root = load(VECTORS "replies.json"), *one;
    size_t i, length;

    (void)state;
    json_array_foreach(json_object_get(root, "vectors"), i, one)
    {
        uint8_t *payload = bytes(one, "payload", &length);
        assert_false(fg_payload_check(payload, length));
        assert_string_equal(unfit_name(payload, length), "drop_reply");
        free(payload);
    }
    json_decref(root);
}

/* Requests become replies in place, signed with the key they came with. */
static void busy_replies(void **state)
{
    const struct engine *engine = *state;
    json_t *root = load(VECTORS "requests.json"), *one;
    size_t i, length;

    json_array_foreach(json_object_get(root, "vectors"), i, one)
    {
        int place = fg_keyring_find(&engine->keys, (uint16_t)number(one, "key_id"));
        if (place < 0)
            continue;
        uint8_t *payload = bytes(one, "payload", &length);
        size_t count = json_array_size(json_object_get(one, "entries"));
        uint32_t made = fg_payload_busy(&engine->catalogue, payload, (uint16_t)place, 7);
        assert_int_equal(made, FG_REPLY_BYTES(count));
        struct fg_header header = check_header(one, payload, made);
        assert_int_equal(header.type, FG_TYPE_REPLY);
        for (size_t j = 0; j < count; j++) {
            const json_t *asked = json_array_get(json_object_get(one, "entries"), j);
            struct fg_reply reply;
            memcpy(&reply, payload + FG_REPLY_BYTES(j), sizeof(reply));
            assert_int_equal(reply.verdict, FG_VERDICT_BUSY);
            assert_int_equal(reply.request, number(asked, "request"));
            assert_int_equal(reply.item, number(asked, "item"));
            assert_int_equal(reply.quantity, number(asked, "quantity"));
            assert_int_equal(reply.order, 0);
            assert_true(reply.wait_ms >= 7 && reply.wait_ms <= 9);
        }
        free(payload);
    }
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash),
        cmocka_unit_test(crc32c),
        cmocka_unit_test(requests),
        cmocka_unit_test(replies),
        cmocka_unit_test_setup_teardown(malformed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unauthentic, set_up, tear_down),
        cmocka_unit_test_setup_teardown(authentic, set_up, tear_down),
        cmocka_unit_test(replies_are_no_requests),
        cmocka_unit_test_setup_teardown(busy_replies, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
