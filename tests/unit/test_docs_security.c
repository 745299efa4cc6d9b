/* SPDX-License-Identifier: BSD-3-Clause */
/* docs/security.md against the tests: every one that it names exists, with the case if it names
 * one; every row of a table of defences names one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE       "docs/security.md"
#define LENGTH_MAX (1 << 20)
#define NAME_MAX_  128

static char text[LENGTH_MAX], other[LENGTH_MAX];

static bool read_file(const char *path, char *into)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t length = fread(into, 1, LENGTH_MAX - 1, file);
    fclose(file);
    into[length] = '\0';
    return length > 0 && length < LENGTH_MAX - 1;
}

static int start(void **state)
{
    (void)state;
    return read_file(PAGE, text) ? 0 : -1;
}

/* Is the word in the text, and not only as a part of another? */
static bool has_word(const char *in, const char *word)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_0123456789";
    size_t length = strlen(word);
    for (const char *at = in; (at = strstr(at, word)) != NULL; at++)
        if ((at == in || !strchr(letters, at[-1])) && (!at[length] || !strchr(letters, at[length])))
            return true;
    return false;
}

/* "unit/test_frame:random_bytes" between backquotes: does it exist? */
static bool exists(const char *name)
{
    char path[2 * NAME_MAX_], file[NAME_MAX_];
    const char *colon = strchr(name, ':');
    snprintf(file, sizeof(file), "%.*s", (int)(colon ? colon - name : (long)strlen(name)), name);
    snprintf(path, sizeof(path), "tests/%s.%s", file, strncmp(file, "unit/", 5) == 0 ? "c" : "sh");
    return read_file(path, other) && (!colon || has_word(other, colon + 1));
}

/* The tests that are named from `at` up to `end`. */
static unsigned check_names(const char *at, const char *end)
{
    unsigned found = 0;
    while ((at = memchr(at, '`', (size_t)(end - at))) != NULL) {
        const char *close = memchr(at + 1, '`', (size_t)(end - at - 1));
        if (!close)
            break;
        char name[NAME_MAX_];
        snprintf(name, sizeof(name), "%.*s", (int)(close - at - 1), at + 1);
        at = close + 1;
        if ((strncmp(name, "unit/", 5) != 0 && strncmp(name, "smoke/", 6) != 0) ||
            strcmp(name, "unit/NAME") == 0 || strcmp(name, "smoke/NAME") == 0)
            continue;
        if (!exists(name))
            fail_msg("%s: there is no test %s", PAGE, name);
        found++;
    }
    return found;
}

static void tests_that_are_named_exist(void **state)
{
    (void)state;
    assert_in_range(check_names(text, text + strlen(text)), 60, 1000);
}

static void every_defence_names_a_test(void **state)
{
    (void)state;
    static const char head[] = "| defence | by | shown by |\n";
    unsigned rows = 0;
    for (const char *at = text; (at = strstr(at, head)) != NULL;) {
        at = strchr(at + strlen(head), '\n') + 1; /* behind the line of dashes */
        for (const char *end; *at == '|'; at = end + 1, rows++) {
            end = strchr(at, '\n');
            assert_non_null(end);
            if (check_names(at, end) == 0)
                fail_msg("%s: no test is named in \"%.*s\"", PAGE, (int)(end - at), at);
        }
    }
    assert_in_range(rows, 20, 200);
}

/* Links to a heading of the page itself. */
static void links_within_the_page_lead_somewhere(void **state)
{
    (void)state;
    for (const char *at = text; (at = strstr(at, "](#")) != NULL; at++) {
        char wanted[NAME_MAX_], heading[NAME_MAX_];
        bool found = false;
        snprintf(wanted, sizeof(wanted), "%.*s", (int)strcspn(at + 3, ")"), at + 3);
        for (const char *line = text; (line = strstr(line, "\n#")) != NULL && !found; line++) {
            size_t used = 0;
            for (const char *c = line + 1 + strspn(line + 1, "# "); *c != '\n'; c++)
                if (used < sizeof(heading) - 1 && !strchr(",.?'", *c))
                    heading[used++] =
                        *c == ' ' ? '-' : (char)(*c | ((*c >= 'A' && *c <= 'Z') * 32));
            heading[used] = '\0';
            found = strcmp(heading, wanted) == 0;
        }
        if (!found)
            fail_msg("%s has no heading #%s", PAGE, wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tests_that_are_named_exist),
        cmocka_unit_test(every_defence_names_a_test),
        cmocka_unit_test(links_within_the_page_lead_somewhere),
    };
    return cmocka_run_group_tests_name("docs_security", tests, start, NULL);
}
