/* SPDX-License-Identifier: BSD-3-Clause */
/* Who asks too often, laid out for people. */
#include "control/cli/columns.h"
#include "control/cli/show.h"

#define SALE_COLUMNS 16

/* "1,234", or "1,234 (- 56)" where it may be too high by so much. */
static const char *refused(const json_t *suspect, char out[72])
{
    char count[32], error[32];

    if (number(suspect, "error") == 0)
        snprintf(out, 72, "%s", grouped(number(suspect, "refused"), count));
    else
        snprintf(out, 72, "%s (- %s)", grouped(number(suspect, "refused"), count),
                 grouped(number(suspect, "error"), error));
    return out;
}

static const char *span(const json_t *suspect, const char *key, char out[FG_SPAN_TEXT])
{
    return fg_span_rough((double)number(suspect, key) / 1000, out);
}

static void show_buyer(const json_t *buyer, FILE *out)
{
    char sale[4 * SALE_COLUMNS + 1], count[72], first[FG_SPAN_TEXT], last[FG_SPAN_TEXT],
        penalty[FG_SPAN_TEXT];

    fg_columns_fit(sale, sizeof(sale), text(buyer, "sale"), SALE_COLUMNS, 1, 0);
    fprintf(out, "%-32s  %s  %16s  %9s  %9s  %9s  %5" JSON_INTEGER_FORMAT "  %s\n",
            text(buyer, "buyer"), sale, refused(buyer, count), span(buyer, "first_ago_ms", first),
            span(buyer, "last_ago_ms", last),
            number(buyer, "penalty_ms") > 0 ? span(buyer, "penalty_ms", penalty) : "-",
            number(buyer, "key"), text(buyer, "source"));
}

static void show_key(const json_t *key, FILE *out)
{
    char count[72], first[FG_SPAN_TEXT], last[FG_SPAN_TEXT];

    fprintf(out, "key %-5" JSON_INTEGER_FORMAT "  %16s  %9s  %9s  %s\n", number(key, "key"),
            refused(key, count), span(key, "first_ago_ms", first), span(key, "last_ago_ms", last),
            text(key, "source"));
}

static void show_late(const json_t *late, FILE *out)
{
    size_t i;
    json_t *worker;
    json_array_foreach(late, i, worker)
    {
        fprintf(out,
                "Worker %" JSON_INTEGER_FORMAT " has not answered in time: what it knows is "
                "missing\n",
                json_integer_value(worker));
    }
}

void fg_show_suspects(const json_t *result, FILE *out)
{
    const json_t *buyers = json_object_get(result, "buyers");
    const json_t *keys = json_object_get(result, "keys");
    char halved[FG_SPAN_TEXT];
    size_t i;
    json_t *suspect;

    if (json_array_size(keys) == 0)
        fprintf(out, "Nobody has been refused for asking too often of late\n");
    if (json_array_size(buyers) > 0)
        fprintf(out, "%-32s  %-*s  %16s  %9s  %9s  %9s  %5s  %s\n", "BUYER", SALE_COLUMNS, "SALE",
                "REFUSED", "SINCE", "LAST", "PENALTY", "KEY", "SOURCE");
    json_array_foreach(buyers, i, suspect)
    {
        show_buyer(suspect, out);
    }
    if (json_array_size(keys) > 0)
        fprintf(out, "%s%-9s  %16s  %9s  %9s  %s\n", json_array_size(buyers) > 0 ? "\n" : "", "BY",
                "REFUSED", "SINCE", "LAST", "SOURCE");
    json_array_foreach(keys, i, suspect)
    {
        show_key(suspect, out);
    }
    if (json_array_size(keys) > 0)
        fprintf(out, "What was refused counts half after %s, a quarter after twice that ...\n",
                span(result, "halved_each_ms", halved));
    show_late(json_object_get(result, "late_workers"), out);
}
