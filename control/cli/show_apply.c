/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a sale file changed, line by line, for people. A sale may have thousands of items: of a long
 * list only the first lines are shown, but for --dry-run, which is there to tell them all; and what
 * they come to stands at the end, where somebody sees it.
 */
#include <stdbool.h>

#include "control/cli/show.h"

/* "- item 7: limit 2 units", or "- limit 2 units" of the sale itself. */
static void show_side(const char *mark, char sign, const json_t *change, const char *side,
                      FILE *out)
{
    const char *value = json_string_value(json_object_get(change, side));
    const char *option = text(change, "option");
    if (!value)
        return;
    fprintf(out, "%s%c ", mark, sign);
    if (json_object_get(change, "item"))
        fprintf(out, "item %" JSON_INTEGER_FORMAT ": ", number(change, "item"));
    if (strcmp(option, "item") == 0)
        fprintf(out, "%s\n", value);
    else
        fprintf(out, "%s: %s\n", option, value);
}

#define LINES_MAX 24 /* a terminal's height */

/* `planned`: all of them, with a mark before what takes something away; else the first ones. */
static void show_changes(const json_t *changes, bool planned, FILE *out)
{
    size_t i, count = json_array_size(changes);
    json_t *change;
    json_array_foreach(changes, i, change)
    {
        const char *mark = !planned                                         ? ""
                           : json_is_true(json_object_get(change, "takes")) ? "! "
                                                                            : "  ";
        if (!planned && i == LINES_MAX && count > LINES_MAX + 1)
            break;
        show_side(mark, '-', change, "old", out);
        show_side(mark, '+', change, "new", out);
    }
    if (i < count)
        fprintf(out, "  and %zu more changes, which --json lists\n", count - i);
}

/* "In all: 3 items come, 1 goes, stock of 998 items" */
static void show_tally(const json_t *changes, FILE *out)
{
    static const char *const options[] = {"name", "stock", "limit", "max_per_order", "hold"};
    enum { COUNT = sizeof(options) / sizeof(*options) };
    unsigned come = 0, go = 0, of[COUNT] = {0};
    const char *before = "In all: ";
    size_t i;
    json_t *change;
    if (json_array_size(changes) <= LINES_MAX + 1)
        return;
    json_array_foreach(changes, i, change)
    {
        const char *option = text(change, "option");
        if (strcmp(option, "item") == 0) {
            come += !json_string_value(json_object_get(change, "old"));
            go += !json_string_value(json_object_get(change, "new"));
        }
        for (unsigned k = 0; k < COUNT && json_object_get(change, "item"); k++)
            of[k] += strcmp(option, options[k]) == 0;
    }
    if (come > 0) {
        fprintf(out, "%s%u items come", before, come);
        before = ", ";
    }
    if (go > 0) {
        fprintf(out, "%s%u go", before, go);
        before = ", ";
    }
    for (unsigned k = 0; k < COUNT; k++)
        if (of[k] > 0) {
            fprintf(out, "%s%s of %u items", before, options[k], of[k]);
            before = ", ";
        }
    if (*before == ',')
        fputc('\n', out);
}

static void show_sentences(const char *before, const json_t *sentences, FILE *out)
{
    size_t i;
    json_t *sentence;
    json_array_foreach(sentences, i, sentence)
    {
        fprintf(out, "%s%s\n", before, json_string_value(sentence));
    }
}

static void show_removed(const json_t *removed, FILE *out)
{
    size_t i, count = json_array_size(removed);
    json_int_t units = 0;
    json_t *one;
    json_array_foreach(removed, i, one)
    {
        units += number(one, "units");
        if (i >= LINES_MAX && count > LINES_MAX + 1)
            continue;
        fprintf(out, "item %" JSON_INTEGER_FORMAT ": %" JSON_INTEGER_FORMAT " units taken off\n",
                number(one, "item"), number(one, "units"));
    }
    if (count > LINES_MAX + 1)
        fprintf(out, "%" JSON_INTEGER_FORMAT " units of %zu items taken off in all\n", units,
                count);
}

void fg_show_apply(const json_t *result, FILE *out)
{
    const json_t *changes = json_object_get(result, "changes");
    bool dry = json_is_true(json_object_get(result, "dry_run"));
    const char *sale = text(result, "sale");
    json_int_t revision = number(result, "revision");
    bool none =
        dry ? json_array_size(changes) == 0 : !json_is_true(json_object_get(result, "changed"));
    if (none)
        fprintf(out,
                "Sale %s: unchanged, as the file says already (revision %" JSON_INTEGER_FORMAT
                ")\n",
                sale, revision);
    else if (dry)
        fprintf(out,
                "Sale %s: would change so, nothing was changed (revision %" JSON_INTEGER_FORMAT
                "); ! takes something away\n",
                sale, revision);
    else
        fprintf(out, "Sale %s: in force in every worker, revision %" JSON_INTEGER_FORMAT "\n", sale,
                revision);
    if (!none)
        show_changes(changes, dry, out);
    show_removed(json_object_get(result, "removed"), out);
    if (dry)
        show_sentences("takes away: ", json_object_get(result, "takes_away"), out);
    show_sentences("note: ", json_object_get(result, "notices"), out);
    if (!none)
        show_tally(changes, out);
}

void fg_show_plan(const json_t *plan, FILE *out)
{
    const json_t *changes = json_object_get(plan, "changes");
    const json_t *losses = json_object_get(plan, "takes_away");
    fprintf(out, "Sale %s would change so; ! takes something away:\n", text(plan, "sale"));
    show_changes(changes, true, out);
    show_sentences("note: ", json_object_get(plan, "notices"), out);
    if (json_array_size(losses) <= LINES_MAX) /* more than that the question itself sums up */
        show_sentences("takes away: ", losses, out);
    show_tally(changes, out);
}

void fg_show_export(const json_t *result, FILE *out)
{
    fputs(text(result, "text"), out);
}
