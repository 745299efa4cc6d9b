/* SPDX-License-Identifier: BSD-3-Clause */
/* Every command line of flashgatectl in README.md and docs/ parses: those in blocks as they stand,
 * those in the text (`ctl` is short for it there) as well, or they name a command alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cli/cli.h"
#include "control/cli/table.h"

#define LENGTH_MAX (1 << 20)
#define LINE_MAX   1024
#define WORDS_MAX  64

static char text[LENGTH_MAX];
static unsigned in_blocks, in_text;

struct words {
    char buffer[LINE_MAX];
    char *word[WORDS_MAX];
    int count;
};

/* The words of a shell's line up to what is not the command's any more: a pipe, a comment ... */
static void split(const char *line, size_t length, struct words *words)
{
    char quote = '\0', *out = words->buffer;
    bool inside = false;
    words->count = 0;
    assert_true(length < LINE_MAX);
    for (size_t i = 0; i < length; i++) {
        char c = line[i];
        bool literal = quote != '\0';
        if (!quote && (c == '[' || c == ']'))
            continue; /* what may be left out is tried too */
        if (!quote && c == '\\' && line[i + 1] == '|') {
            c = line[++i]; /* as a table has it: one of several words */
            literal = true;
        } else if (quote ? c == quote : c == '\'' || c == '"') {
            quote = quote ? '\0' : c;
            continue;
        }
        if (!literal && (strchr("|<>;&", c) || (c == '#' && !inside)))
            break;
        if (!literal && c == ' ') {
            if (inside)
                *out++ = '\0';
            inside = false;
            continue;
        }
        if (!inside) {
            assert_true(words->count < WORDS_MAX - 1);
            words->word[words->count++] = out;
        }
        inside = true;
        *out++ = c;
    }
    *out = '\0';
    words->word[words->count] = NULL;
}

/* Where flashgatectl's own words begin: after "sudo -u flashgate", and after its path. 0: not its.
 */
static int command_at(const struct words *words, const char *name)
{
    int i = 0;
    while (i < words->count && (strcmp(words->word[i], "$") == 0 || strchr(words->word[i], '=')))
        i++;
    if (i < words->count && strcmp(words->word[i], "sudo") == 0)
        i += i + 1 < words->count && strcmp(words->word[i + 1], "-u") == 0 ? 3 : 1;
    if (i >= words->count)
        return -1;
    const char *last = strrchr(words->word[i], '/');
    return strcmp(last ? last + 1 : words->word[i], name) == 0 ? i : -1;
}

/* "sale apply", or "sale" alone: a mention. */
static bool names_commands(const struct words *words, int at)
{
    int count = words->count - at - 1;
    for (unsigned i = 0; i < fg_cli_commands_count; i++)
        if (count <= (int)fg_cli_words(&fg_cli_commands[i]) &&
            fg_cli_begins(&fg_cli_commands[i], words->word + at + 1, count))
            return true;
    return false;
}

static void check(const char *path, const char *line, size_t length, struct words *words, int at,
                  bool mention)
{
    char *why = NULL;
    size_t size;
    if (mention && names_commands(words, at))
        return;
    FILE *err = open_memstream(&why, &size);
    int status = fg_cli_check(words->count - at, words->word + at, err);
    fclose(err);
    if (status != FG_EXIT_OK)
        fail_msg("%s: \"%.*s\": %s", path, (int)length, line, why);
    free(why);
}

static void check_block(const char *path, const char *at, const char *end)
{
    struct words words;
    char joined[LINE_MAX];
    while (at < end) {
        /* A line that ends with a backslash goes on in the next one. */
        size_t length = 0;
        for (; at < end && *at != '\n'; at++) {
            assert_true(length < sizeof(joined) - 1);
            if (*at == '\\' && at[1] == '\n')
                at++;
            else
                joined[length++] = *at;
        }
        at++;
        joined[length] = '\0';
        split(joined, length, &words);
        int found = command_at(&words, "flashgatectl");
        if (found < 0 || words.count == found + 1)
            continue;
        check(path, joined, length, &words, found, false);
        in_blocks++;
    }
}

/* `ctl sale show NAME`; what has "..." in it is no whole line. */
static void check_spans(const char *path, const char *at, const char *end)
{
    struct words words;
    while ((at = memchr(at, '`', (size_t)(end - at))) != NULL) {
        const char *close = memchr(at + 1, '`', (size_t)(end - at - 1));
        if (!close)
            return;
        size_t length = (size_t)(close - at - 1);
        char span[LINE_MAX];
        assert_true(length < sizeof(span));
        for (size_t i = 0; i < length; i++)
            span[i] = at[1 + i] == '\n' ? ' ' : at[1 + i];
        span[length] = '\0';
        at = close + 1;
        if (strstr(span, "..."))
            continue;
        split(span, length, &words);
        int found = command_at(&words, "ctl");
        if (found < 0)
            found = command_at(&words, "flashgatectl");
        if (found < 0 || words.count == found + 1)
            continue;
        check(path, span, length, &words, found, true);
        in_text++;
    }
}

static void check_page(const char *path)
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[length] = '\0';
    assert_true(length > 0 && length < sizeof(text) - 1);
    const char *at = text, *end = text + length, *open;
    while ((open = strstr(at, "```")) != NULL) {
        const char *close = strstr(open + 3, "```");
        if (!close)
            fail_msg("%s: a block has no end", path);
        check_spans(path, at, open);
        check_block(path, strchr(open, '\n') + 1, close);
        at = close + 3;
    }
    check_spans(path, at, end);
}

static void every_command_line_parses(void **state)
{
    (void)state;
    char path[512];
    DIR *docs = opendir("docs");
    assert_non_null(docs);
    check_page("README.md");
    for (struct dirent *entry; (entry = readdir(docs)) != NULL;) {
        const char *end = strrchr(entry->d_name, '.');
        if (!end || strcmp(end, ".md") != 0)
            continue;
        snprintf(path, sizeof(path), "docs/%s", entry->d_name);
        check_page(path);
    }
    closedir(docs);
    assert_in_range(in_blocks, 60, 1000);
    assert_in_range(in_text, 60, 1000);
}

/* What the test itself goes by. */
static void lines_are_read_as_a_shell_does(void **state)
{
    (void)state;
    struct words words;
    const char *line = "sudo -u flashgate bin/flashgatectl sale set 'a b' closes +1h # why";
    split(line, strlen(line), &words);
    int at = command_at(&words, "flashgatectl");
    assert_int_equal(at, 3);
    assert_int_equal(words.count, 9);
    assert_string_equal(words.word[6], "a b");
    assert_int_equal(fg_cli_check(words.count - at, words.word + at, stderr), FG_EXIT_OK);
    FILE *err = fopen("/dev/null", "we");
    line = "flashgatectl sale open --yes spring";
    split(line, strlen(line), &words);
    assert_int_equal(fg_cli_check(words.count, words.word, err), FG_EXIT_USAGE);
    line = "flashgatectl sale opens spring";
    split(line, strlen(line), &words);
    assert_int_equal(fg_cli_check(words.count, words.word, err), FG_EXIT_USAGE);
    assert_false(names_commands(&words, 0));
    fclose(err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read_as_a_shell_does),
        cmocka_unit_test(every_command_line_parses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
