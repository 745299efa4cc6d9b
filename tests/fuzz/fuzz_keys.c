/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Key files, with and without unsigned requests (the first byte), and a second one that is read
 * live in place of the first, behind a zero byte.
 *
 * Holds: a ring that is taken can be relied on by the packet path; a key of both has one place; a
 * refusal is one sentence, and nothing that could be a part of a secret is in it.
 */
#include "control/config/config.h"
#include "control/config/keys.h"
#include "tests/fuzz/fuzz.h"

#define SECRET_PART 8 /* hex digits in a row that a message must not repeat */

/* ctype would have each of them depend on a locale. */
static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static void check_refusal(const char *message, const uint8_t *data, size_t size)
{
    char part[SECRET_PART + 1] = "";
    size_t run = 0;

    for (size_t i = 0; i < size; i++) {
        run = is_hex(data[i]) ? run + 1 : 0;
        if (run < SECRET_PART)
            continue;
        memcpy(part, &data[i + 1 - SECRET_PART], SECRET_PART);
        FUZZ_CHECK(!strstr(message, part));
    }
}

static void check_key(const struct fg_key_file *keys, unsigned place)
{
    const struct fg_key *key = &keys->ring.keys[place];

    FUZZ_CHECK(fg_keyring_find(&keys->ring, key->id) == (int)place);
    FUZZ_CHECK((key->ops & 1) == 0 && key->ops >> (FG_OP_MAX + 1) == 0);
    FUZZ_CHECK(key->prefixes_count <= FG_KEY_PREFIXES_MAX);
    for (unsigned i = 0; i < key->prefixes_count; i++) {
        const struct fg_prefix *prefix = &key->prefixes[i];
        FUZZ_CHECK(fg_prefix_holds(prefix, prefix->address));
    }
    FUZZ_CHECK(fg_key_file_allows(keys, (int)place, "spring") || keys->sales[place]);
}

/* One file; NULL: it is refused. */
static struct fg_key_file *load(const uint8_t *bytes, size_t length, uint8_t unsigned_ops,
                                const struct fg_key_file *before)
{
    static char message[512];
    struct fg_key_file *keys =
        fg_key_file_load(fuzz_file(bytes, length), unsigned_ops, before, message, sizeof(message));

    if (!keys) {
        fuzz_check_sentence(message, sizeof(message));
        check_refusal(message, bytes, length);
    }
    return keys;
}

/* Workers know a key by its place, whichever ring they have. */
static void check_places(const struct fg_key_file *before, const struct fg_key_file *after)
{
    unsigned most = before->ring.count > after->ring.count ? before->ring.count : after->ring.count;

    for (unsigned place = 0; place < before->ring.count; place++) {
        uint16_t id = before->ring.keys[place].id;
        int now = id ? fg_keyring_find(&after->ring, id) : -1;
        FUZZ_CHECK(now < 0 || now == (int)place);
    }
    for (unsigned place = 0; place < most; place++)
        FUZZ_CHECK(fg_key_file_compare(before, after, place) <= FG_KEY_TERMS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    uint8_t unsigned_ops = fuzz_u8(&input) & 1 ? FG_UNSIGNED_OPS : 0;
    size_t length;
    const uint8_t *bytes = fuzz_until(&input, 0, &length);
    struct fg_key_file *keys = load(bytes, length, unsigned_ops, NULL), *later;

    if (!keys)
        return 0;
    FUZZ_CHECK(keys->ring.count > 0 && keys->ring.count <= FG_KEYS_MAX);
    FUZZ_CHECK(!unsigned_ops || keys->ring.keys[0].id == 0);
    for (unsigned i = 0; i < keys->ring.count; i++)
        check_key(keys, i);
    later = input.left ? load(input.at, input.left, unsigned_ops, keys) : NULL;
    if (later)
        check_places(keys, later);
    fg_key_file_drop(later);
    fg_key_file_drop(keys);
    return 0;
}
