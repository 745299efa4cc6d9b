/* SPDX-License-Identifier: BSD-3-Clause */
/* conf/flashgate.lua has each code and size of the protocol's header, and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flashgate/protocol.h"

#define DISSECTOR  "conf/flashgate.lua"
#define LENGTH_MAX (1 << 18)

static char text[LENGTH_MAX];

static int start(void **state)
{
    (void)state;
    FILE *file = fopen(DISSECTOR, "re");
    if (!file)
        return -1;
    size_t length = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    return length > 0 && length < sizeof(text) - 1 ? 0 : -1;
}

/* The codes of "local NAME = {": each line "[code] = "NAME"," is one of the header's, and all are
 * there. */
static void check_table(const char *name, const char *(*name_of)(unsigned), unsigned count)
{
    char head[64], found_name[64];
    unsigned code, found = 0;
    snprintf(head, sizeof(head), "\nlocal %s = {\n", name);
    const char *at = strstr(text, head);
    if (!at)
        fail_msg("%s has no table %s", DISSECTOR, name);
    at += strlen(head);
    for (const char *end = strstr(at, "\n}"); at < end; at = strchr(at, '\n') + 1, found++) {
        if (sscanf(at, "\t[%u] = \"%63[A-Z_]\",\n", &code, found_name) != 2)
            fail_msg("%s: \"%.*s\" is no code", DISSECTOR, (int)strcspn(at, "\n"), at);
        if (strcmp(name_of(code), found_name) != 0)
            fail_msg("%s: %s %u is %s, not %s", DISSECTOR, name, code, name_of(code), found_name);
    }
    if (found != count)
        fail_msg("%s has %u %s of %u", DISSECTOR, found, name, count);
}

static void ops_are_those_of_the_header(void **state)
{
    (void)state;
#define X(name, code, help) +1
    check_table("ops", fg_op_name, FG_OPS(X));
#undef X
}

static void verdicts_are_those_of_the_header(void **state)
{
    (void)state;
#define X(name, code, help) +1
    check_table("verdicts", fg_verdict_name, FG_VERDICTS(X));
#undef X
}

static void assert_says(const char *format, ...)
{
    char line[128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (!strstr(text, line))
        fail_msg("%s does not say \"%s\"", DISSECTOR, line);
}

static void sizes_and_numbers_are(void **state)
{
    (void)state;
    assert_says("local VERSION, REQUEST, REPLY = %d, %d, %d\n", FG_VERSION, FG_TYPE_REQUEST,
                FG_TYPE_REPLY);
    assert_says("local HEADER_BYTES, REQUEST_BYTES, REPLY_BYTES, ENTRIES_MAX = %zu, %zu, %zu, %d\n",
                sizeof(struct fg_header), sizeof(struct fg_request), sizeof(struct fg_reply),
                FG_ENTRIES_MAX);
    assert_says("local MAGIC = 0x%02x%02x ", FG_MAGIC_0, FG_MAGIC_1);
    assert_says("local FLAG_REPLAY, FLAG_HELD = 0x%02x, 0x%02x\n", FG_REPLAY, FG_HELD);
    assert_says("local PONG = %d\n", FG_VERDICT_PONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ops_are_those_of_the_header),
        cmocka_unit_test(verdicts_are_those_of_the_header),
        cmocka_unit_test(sizes_and_numbers_are),
    };
    return cmocka_run_group_tests_name("dissector", tests, start, NULL);
}
