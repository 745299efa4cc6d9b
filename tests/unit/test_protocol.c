/* SPDX-License-Identifier: BSD-3-Clause */
/* The lists of the protocol header: codes and names. Sizes and offsets are static asserts there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flashgate/exit_status.h"
#include "flashgate/limits.h"
#include "flashgate/protocol.h"

static const unsigned op_codes[] = {
#define X(name, code, help) code,
    FG_OPS(X)
#undef X
};

static const unsigned verdict_codes[] = {
#define X(name, code, help) code,
    FG_VERDICTS(X)
#undef X
};

static const unsigned exit_codes[] = {
#define X(name, code, help) code,
    FG_EXIT_STATUSES(X)
#undef X
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static bool ascending(const unsigned *codes, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (codes[i] <= codes[i - 1])
            return false;
    return true;
}

static void codes_are_distinct(void **state)
{
    (void)state;
    assert_true(ascending(op_codes, LENGTH(op_codes)));
    assert_true(ascending(verdict_codes, LENGTH(verdict_codes)));
    assert_true(ascending(exit_codes, LENGTH(exit_codes)));
}

/* Arrays are sized by these two. */
static void greatest_codes(void **state)
{
    (void)state;
    assert_int_equal(op_codes[LENGTH(op_codes) - 1], FG_OP_MAX);
    assert_int_equal(verdict_codes[LENGTH(verdict_codes) - 1], FG_VERDICT_MAX);
    assert_true(FG_OP_MAX < 8); /* a key's ops are bits of one byte */
}

static void only_codes_have_names(void **state)
{
    size_t ops = 0, verdicts = 0;

    (void)state;
    for (unsigned code = 0; code < 256; code++) {
        ops += strcmp(fg_op_name(code), "?") != 0;
        verdicts += strcmp(fg_verdict_name(code), "?") != 0;
    }
    assert_int_equal(ops, LENGTH(op_codes));
    assert_int_equal(verdicts, LENGTH(verdict_codes));
    assert_string_equal(fg_op_name(FG_OP_CONFIRM), "CONFIRM");
    assert_string_equal(fg_verdict_name(FG_VERDICT_SOLD_OUT), "SOLD_OUT");
    assert_string_equal(fg_verdict_name(FG_VERDICT_NONE), "?");
}

static void a_reply_is_never_longer_than_its_request(void **state)
{
    (void)state;
    for (size_t count = 1; count <= FG_ENTRIES_MAX; count++)
        assert_true(FG_REPLY_BYTES(count) <= FG_REQUEST_BYTES(count));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_distinct),
        cmocka_unit_test(greatest_codes),
        cmocka_unit_test(only_codes_have_names),
        cmocka_unit_test(a_reply_is_never_longer_than_its_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
