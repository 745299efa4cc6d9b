/* SPDX-License-Identifier: BSD-3-Clause */
/* Results of live changes (methods/live.c), laid out for people. */
#include <stdbool.h>

#include "control/cli/show.h"

#define JSON_D JSON_INTEGER_FORMAT

static void item_name(const json_t *result, FILE *out)
{
    fprintf(out, "Item %" JSON_D " (%s) of sale %s: ", number(result, "item"), text(result, "name"),
            text(result, "sale"));
}

static void revision(const json_t *result, FILE *out)
{
    fprintf(out, ", revision %" JSON_D "\n", number(result, "revision"));
}

static bool changed(const json_t *result)
{
    return json_is_true(json_object_get(result, "changed"));
}

void fg_show_stock(const json_t *result, FILE *out)
{
    json_int_t added = number(result, "added"), removed = number(result, "removed");
    char units[32], asked[32], stock[32], available[32];
    grouped(added + removed, units);
    item_name(result, out);
    if (!changed(result))
        fputs("nothing was removed, for nothing is unsold", out);
    else if (added + removed < number(result, "asked"))
        fprintf(out, "%s of %s units removed, for no more were unsold", units,
                grouped(number(result, "asked"), asked));
    else
        fprintf(out, "%s units %s", units, added ? "added" : "removed");
    fprintf(out, "; stock %s, available %s", grouped(number(result, "stock"), stock),
            grouped(number(result, "available"), available));
    revision(result, out);
}

void fg_show_item(const json_t *result, FILE *out)
{
    item_name(result, out);
    fprintf(out, "%s%s", changed(result) ? "" : "was already ", text(result, "state"));
    revision(result, out);
}

void fg_show_mode(const json_t *result, FILE *out)
{
    fprintf(out, "Engine: %s%s", changed(result) ? "" : "was already ", text(result, "mode"));
    revision(result, out);
}
