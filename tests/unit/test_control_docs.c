/* SPDX-License-Identifier: BSD-3-Clause */
/* docs/control.md against the table of methods: each has a heading and an example, examples are
 * JSON and call what there is with parameters that it has, and nothing else has a heading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/methods/methods.h"

#define DOCS       "docs/control.md"
#define LENGTH_MAX (1 << 20)

static char text[LENGTH_MAX];
static unsigned *headings, *examples; /* of each method */

static int find_method(const char *name, size_t length)
{
    for (unsigned i = 0; i < fg_methods_count; i++)
        if (strlen(fg_methods[i].name) == length && memcmp(fg_methods[i].name, name, length) == 0)
            return (int)i;
    return -1;
}

static int start(void **state)
{
    (void)state;
    FILE *file = fopen(DOCS, "re");
    if (!file)
        return -1;
    size_t length = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    headings = calloc(fg_methods_count, sizeof(*headings));
    examples = calloc(fg_methods_count, sizeof(*examples));
    return headings && examples && length > 0 ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    free(headings);
    free(examples);
    return 0;
}

/* "### sale.list, sale.show" under "## Methods" */
static void headings_name_the_methods(void **state)
{
    (void)state;
    const char *at = strstr(text, "\n## Methods\n");
    assert_non_null(at);
    const char *end = strstr(at + 1, "\n## ");
    while ((at = strstr(at + 1, "\n### ")) && (!end || at < end)) {
        const char *name = at + strlen("\n### ");
        for (;;) {
            size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz._");
            int method = find_method(name, length);
            if (method < 0)
                fail_msg("%s: the heading \"%.*s\" names no method", DOCS, (int)strcspn(name, "\n"),
                         name);
            headings[method]++;
            name += length;
            if (strncmp(name, ", ", 2) != 0)
                break;
            name += 2;
        }
    }
    for (unsigned i = 0; i < fg_methods_count; i++)
        if (headings[i] == 0)
            fail_msg("%s: %s has no heading", DOCS, fg_methods[i].name);
}

static void check_request(const json_t *message, const char *name)
{
    int place = find_method(name, strlen(name));
    if (place < 0)
        fail_msg("%s: an example calls \"%s\", which is no method", DOCS, name);
    const struct fg_method *method = &fg_methods[place];
    const json_t *params = json_object_get(message, "params");
    const char *key;
    json_t *value;
    unsigned known = 0, wanted = 0;
    examples[place]++;
    json_object_foreach((json_t *)params, key, value)
    {
        bool confirms = method->asks && strcmp(key, "confirmed") == 0;
        known = 0;
        for (unsigned i = 0; i < FG_CALL_PARAMS_MAX && method->params[i].name; i++)
            known += strcmp(method->params[i].name, key) == 0;
        if (!confirms && (known != 1 || !json_is_string(value)))
            fail_msg("%s: the example of %s has a wrong parameter \"%s\"", DOCS, name, key);
    }
    for (unsigned i = 0; i < FG_CALL_PARAMS_MAX && method->params[i].name; i++)
        if (!method->params[i].optional)
            wanted += !json_object_get(params, method->params[i].name);
    if (wanted > 0)
        fail_msg("%s: the example of %s lacks a parameter", DOCS, name);
}

/* A block between fences holds JSON texts, one after the other. */
static void check_block(const char *at, size_t length)
{
    json_error_t error;
    for (size_t skipped; length > 0; at += skipped, length -= skipped) {
        skipped = 0;
        while (skipped < length && strchr(" \n", at[skipped]))
            skipped++;
        if (skipped == length)
            return;
        at += skipped;
        length -= skipped;
        json_t *message = json_loadb(at, length, JSON_DISABLE_EOF_CHECK, &error);
        if (!message)
            fail_msg("%s: not JSON: %s, at \"%.60s\"", DOCS, error.text, at + error.position);
        const char *name = json_string_value(json_object_get(message, "method"));
        if (name)
            check_request(message, name);
        skipped = (size_t)error.position;
        json_decref(message);
    }
}

static void every_method_has_an_example(void **state)
{
    (void)state;
    for (const char *at = text; (at = strstr(at, "\n```")) != NULL;) {
        const char *begin = strchr(at + 1, '\n') + 1, *end = strstr(begin, "\n```");
        assert_non_null(end);
        if (strncmp(begin, "{\"jsonrpc\"", strlen("{\"jsonrpc\"")) == 0)
            check_block(begin, (size_t)(end - begin));
        at = end + 1;
    }
    for (unsigned i = 0; i < fg_methods_count; i++)
        if (examples[i] == 0)
            fail_msg("%s: %s has no example", DOCS, fg_methods[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headings_name_the_methods),
        cmocka_unit_test(every_method_has_an_example),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
