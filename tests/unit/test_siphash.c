/* SPDX-License-Identifier: BSD-3-Clause */
/* SipHash-2-4 and the mac of a payload. Many more values are in test_vectors.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flashgate/protocol.h"

static const uint8_t key[FG_SECRET_BYTES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static void known_values(void **state)
{
    uint8_t input[15];

    (void)state;
    for (unsigned i = 0; i < sizeof(input); i++)
        input[i] = (uint8_t)i;
    assert_int_equal(fg_siphash(key, input, 0), UINT64_C(0x726fdb47dd0e0e31));
    assert_int_equal(fg_siphash(key, input, sizeof(input)), UINT64_C(0xa129ca6149be45e5));
}

/* The payload of a frame lies at 2 mod 8. Exact allocations let the sanitizers see overreads. */
static void any_alignment(void **state)
{
    enum { LENGTH = 64 };
    uint8_t input[LENGTH];

    (void)state;
    for (unsigned i = 0; i < LENGTH; i++)
        input[i] = (uint8_t)(i * 37);
    uint64_t expected = fg_siphash(key, input, LENGTH);
    for (unsigned shift = 0; shift < 8; shift++) {
        uint8_t *moved = malloc(shift + LENGTH);
        assert_non_null(moved);
        memcpy(moved + shift, input, LENGTH);
        assert_int_equal(fg_siphash(key, moved + shift, LENGTH), expected);
        free(moved);
    }
}

static void every_key_byte_matters(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FG_SECRET_BYTES; i++) {
        uint8_t other[FG_SECRET_BYTES];
        memcpy(other, key, sizeof(other));
        other[i] ^= 1;
        assert_int_not_equal(fg_siphash(other, "abc", 3), fg_siphash(key, "abc", 3));
    }
}

/* The mac is the hash of the payload with the mac field zero, for every count of entries. */
static void payload_mac_is_the_hash_with_its_field_zero(void **state)
{
    (void)state;
    for (size_t count = 0; count <= FG_ENTRIES_MAX; count++) {
        size_t length = FG_REQUEST_BYTES(count);
        uint8_t *payload = malloc(length);
        assert_non_null(payload);
        for (size_t i = 0; i < length; i++)
            payload[i] = (uint8_t)(i * 31 + count);
        uint64_t mac = fg_payload_mac(key, payload, length);
        memset(payload + offsetof(struct fg_header, mac), 0, sizeof(mac));
        assert_int_equal(fg_siphash(key, payload, length), mac);
        assert_int_equal(fg_payload_mac(key, payload, length), mac);
        free(payload);
    }
}

static void payload_mac_covers_all_but_itself(void **state)
{
    uint8_t payload[FG_REQUEST_BYTES(1)] = {FG_MAGIC_0, FG_MAGIC_1, FG_VERSION};
    uint64_t mac = fg_payload_mac(key, payload, sizeof(payload));

    (void)state;
    for (size_t i = 0; i < sizeof(payload); i++) {
        bool own = i >= offsetof(struct fg_header, mac) && i < sizeof(struct fg_header);
        payload[i] ^= 0x80;
        assert_int_equal(fg_payload_mac(key, payload, sizeof(payload)) == mac, own);
        payload[i] ^= 0x80;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(any_alignment),
        cmocka_unit_test(every_key_byte_matters),
        cmocka_unit_test(payload_mac_is_the_hash_with_its_field_zero),
        cmocka_unit_test(payload_mac_covers_all_but_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
