/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A struct of operators' options, written as a file by its table in the plainest way, and two of
 * them compared: what option_write.c writes reads back the same.
 */
#ifndef FG_TESTS_FUZZ_OPTIONS_AGAIN_H
#define FG_TESTS_FUZZ_OPTIONS_AGAIN_H

#include "control/config/options.h"
#include "tests/fuzz/fuzz.h"

#define AGAIN_TEXT (64 << 10) /* more than any text, with each character as an escape */

static inline const char *again_field(const struct fg_option *option, const void *target)
{
    return (const char *)target + option->offset;
}

/* The elements of a list. */
static inline const char *again_elements(const struct fg_option *option, const void *target,
                                         unsigned *count)
{
    memcpy(count, (const char *)target + option->second, sizeof(*count));
    return option->allocated ? *(char *const *)again_field(option, target)
                             : again_field(option, target);
}

/* A scalar that nobody gave, and that has no value of its own. */
static inline bool again_missing(const struct fg_option *option, const void *target)
{
    if (option->required || option->standard)
        return false;
    if (option->kind == FG_OPTION_TEXT)
        return !*(char *const *)again_field(option, target);
    if (option->kind == FG_OPTION_ADDRESS)
        return fg_ip_is_zero(*(const struct fg_ip *)again_field(option, target));
    return option->kind < FG_OPTION_TEXT && fg_option_number(option, target) == 0;
}

static inline void again_scalar(const struct fg_option *option, const void *target, FILE *out)
{
    static char text[AGAIN_TEXT];

    fprintf(out, " %s\n", fg_option_yaml(option, target, text, sizeof(text)));
}

static inline void again_table(const struct fg_option_table *table, const void *target, int indent,
                               FILE *out);

static inline void again_list(const struct fg_option *option, const void *target, int indent,
                              FILE *out)
{
    unsigned count;
    const char *elements = again_elements(option, target, &count);

    if (count == 0)
        return;
    fprintf(out, "%*s%s:\n", indent, "", option->name);
    for (unsigned i = 0; i < count; i++) {
        const char *element = elements + (size_t)i * option->size;
        fprintf(out, "%*s-", indent + 2, "");
        if (option->element->kind != FG_OPTION_SECTION) {
            again_scalar(option->element, element, out);
            continue;
        }
        fputc('\n', out);
        again_table(option->element->table, element, indent + 4, out);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static inline void again_table(const struct fg_option_table *table, const void *target, int indent,
                               FILE *out)
{
    for (unsigned i = 0; i < table->count; i++) {
        const struct fg_option *option = &table->options[i];
        if (option->kind == FG_OPTION_LIST) {
            again_list(option, target, indent, out);
        } else if (option->kind == FG_OPTION_SECTION) {
            fprintf(out, "%*s%s:\n", indent, "", option->name);
            again_table(option->table, again_field(option, target), indent + 2, out);
        } else if (!again_missing(option, target)) {
            fprintf(out, "%*s%s:", indent, "", option->name);
            again_scalar(option, target, out);
        }
    }
}

/* --- compared --- */

static inline bool again_same_scalar(const struct fg_option *option, const void *a, const void *b)
{
    if (option->kind == FG_OPTION_ADDRESS &&
        ((const uint8_t *)a)[option->second] != ((const uint8_t *)b)[option->second])
        return false;
    if (option->kind != FG_OPTION_TEXT)
        return fg_option_same(option, a, b);
    const char *x = *(char *const *)again_field(option, a);
    const char *y = *(char *const *)again_field(option, b);
    return !x == !y && (!x || strcmp(x, y) == 0);
}

/* The first option by which they differ, or NULL. NOLINTNEXTLINE(misc-no-recursion) */
static inline const struct fg_option *again_differs(const struct fg_option_table *table,
                                                    const void *a, const void *b);

/* NOLINTNEXTLINE(misc-no-recursion) */
static inline const struct fg_option *again_list_differs(const struct fg_option *option,
                                                         const void *a, const void *b)
{
    unsigned count, other;
    const char *x = again_elements(option, a, &count), *y = again_elements(option, b, &other);
    const struct fg_option *differs = count == other ? NULL : option;

    for (size_t at = 0; !differs && at < (size_t)count * option->size; at += option->size) {
        if (option->element->kind == FG_OPTION_SECTION)
            differs = again_differs(option->element->table, x + at, y + at);
        else if (!again_same_scalar(option->element, x + at, y + at))
            differs = option;
    }
    return differs;
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static inline const struct fg_option *again_differs(const struct fg_option_table *table,
                                                    const void *a, const void *b)
{
    const struct fg_option *differs = NULL;

    for (unsigned i = 0; !differs && i < table->count; i++) {
        const struct fg_option *option = &table->options[i];
        if (option->kind == FG_OPTION_SECTION)
            differs = again_differs(option->table, again_field(option, a), again_field(option, b));
        else if (option->kind == FG_OPTION_LIST)
            differs = again_list_differs(option, a, b);
        else if (!again_same_scalar(option, a, b))
            differs = option;
    }
    return differs;
}

/* Nothing that is compared may differ; says what does. */
static inline void again_check_same(const struct fg_option_table *table, const void *a,
                                    const void *b, const char *text)
{
    const struct fg_option *differs = again_differs(table, a, b);

    if (differs) {
        fprintf(stderr, "does not hold: %s is the same\n%s", differs->name ? differs->name : "",
                text);
        abort();
    }
}

/* As a file; the caller frees it. */
static inline char *again_text(const struct fg_option_table *table, const void *target)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    FUZZ_CHECK(out);
    again_table(table, target, 0, out);
    FUZZ_CHECK(fclose(out) == 0 && text);
    return text;
}

#endif
