/* SPDX-License-Identifier: BSD-3-Clause */
/* CRC-32C and partitions. More values are in test_vectors.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flashgate/protocol.h"

static void known_values(void **state)
{
    (void)state;
    assert_int_equal(fg_crc32c(0, "", 0), 0);
    assert_int_equal(fg_crc32c(0, "123456789", 9), 0xE3069283);
}

/* A sum taken in two parts is the sum of the whole, wherever it is cut. */
static void continues(void **state)
{
    uint8_t data[40];

    (void)state;
    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 73 + 5);
    uint32_t whole = fg_crc32c(0, data, sizeof(data));
    for (unsigned cut = 0; cut <= sizeof(data); cut++)
        assert_int_equal(fg_crc32c(fg_crc32c(0, data, cut), data + cut, sizeof(data) - cut), whole);
}

static void any_alignment(void **state)
{
    enum { LENGTH = 23 };

    (void)state;
    for (unsigned shift = 0; shift < 8; shift++) {
        uint8_t *data = malloc(shift + LENGTH);
        assert_non_null(data);
        memset(data + shift, 0xA5, LENGTH);
        uint8_t plain[LENGTH];
        memset(plain, 0xA5, LENGTH);
        assert_int_equal(fg_crc32c(0, data + shift, LENGTH), fg_crc32c(0, plain, LENGTH));
        free(data);
    }
}

static void every_bit_matters(void **state)
{
    uint8_t data[FG_BUYER_BYTES] = {0};
    uint32_t sum = fg_crc32c(0, data, sizeof(data));

    (void)state;
    for (unsigned bit = 0; bit < sizeof(data) * 8; bit++) {
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(fg_crc32c(0, data, sizeof(data)), sum);
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* The partition is the sum's low bits, so it is below P and P's halves nest. */
static void partitions(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t buyer[FG_BUYER_BYTES] = {(uint8_t)i, (uint8_t)(i >> 8)};
        uint32_t sum = fg_crc32c(0, buyer, sizeof(buyer));
        for (uint32_t count = FG_PARTITIONS_MIN; count <= 32768; count *= 2)
            assert_int_equal(fg_partition(buyer, count), sum % count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),  cmocka_unit_test(continues),
        cmocka_unit_test(any_alignment), cmocka_unit_test(every_bit_matters),
        cmocka_unit_test(partitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
