/* SPDX-License-Identifier: BSD-3-Clause */
/* What a sale file changed, line by line, for people. */
#include <stdbool.h>

#include "control/show.h"

/* "- item 7: limit 2 units", or "- limit 2 units" of the sale itself. */
static void show_side(char sign, const json_t *change, const char *side, FILE *out)
{
    const char *value = json_string_value(json_object_get(change, side));
    const char *option = text(change, "option");
    if (!value)
        return;
    fprintf(out, "%c ", sign);
    if (json_object_get(change, "item"))
        fprintf(out, "item %" JSON_INTEGER_FORMAT ": ", number(change, "item"));
    if (strcmp(option, "item") == 0)
        fprintf(out, "%s\n", value);
    else
        fprintf(out, "%s: %s\n", option, value);
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
    size_t i;
    json_t *one;
    json_array_foreach(removed, i, one)
    {
        fprintf(out, "item %" JSON_INTEGER_FORMAT ": %" JSON_INTEGER_FORMAT " units taken off\n",
                number(one, "item"), number(one, "units"));
    }
}

void fg_show_apply(const json_t *result, FILE *out)
{
    const json_t *changes = json_object_get(result, "changes");
    bool dry = json_is_true(json_object_get(result, "dry_run"));
    const char *sale = text(result, "sale");
    json_int_t revision = number(result, "revision");
    size_t i;
    json_t *change;
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
                ")\n",
                sale, revision);
    else
        fprintf(out, "Sale %s: in force in every worker, revision %" JSON_INTEGER_FORMAT "\n", sale,
                revision);
    json_array_foreach(changes, i, change)
    {
        if (none)
            break;
        show_side('-', change, "old", out);
        show_side('+', change, "new", out);
    }
    show_removed(json_object_get(result, "removed"), out);
    if (dry)
        show_sentences("takes away: ", json_object_get(result, "takes_away"), out);
    show_sentences("note: ", json_object_get(result, "notices"), out);
}

void fg_show_export(const json_t *result, FILE *out)
{
    fputs(text(result, "text"), out);
}
