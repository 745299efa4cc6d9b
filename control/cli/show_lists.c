/* SPDX-License-Identifier: BSD-3-Clause */
/* Results of the methods on lists, laid out for people. */
#include "control/cli/columns.h"
#include "control/cli/show.h"

#define JSON_D JSON_INTEGER_FORMAT

static void show_list(const json_t *list, FILE *out)
{
    const char *digest = text_or(list, "sha256", "-");
    fprintf(out, "%-14s", text(list, "list"));
    cell(out, 11, number(list, "entries"));
    cell(out, 10, number(list, "duplicates"));
    cell(out, 9, number(list, "overruled"));
    fprintf(out, "  %-12.12s  %s\n", digest, text_or(list, "file", "no file"));
}

void fg_show_lists(const json_t *result, FILE *out)
{
    const json_t *by = json_object_get(result, "by");
    char age[FG_SPAN_TEXT], blocked[32], silent[32], memory[32];
    size_t i;
    json_t *list;
    fprintf(out, "%-14s  %11s  %10s  %9s  %-12s  %s\n", "LIST", "ENTRIES", "REPEATED", "OVERRULED",
            "SHA256", "FILE");
    json_array_foreach(json_object_get(result, "lists"), i, list)
    {
        show_list(list, out);
    }
    fprintf(out, "Loaded %s, %s ago, in %" JSON_D " ms, by ", text(result, "loaded"),
            fg_span_rough((double)number(result, "age_ms") / 1000, age), number(result, "took_ms"));
    if (json_is_object(by))
        fprintf(out, "%s (uid %" JSON_D ")", text_or(by, "user", "somebody"), number(by, "uid"));
    else
        fputs("the engine's start", out);
    fprintf(out, "; %s KiB of memory\n", grouped(number(result, "memory_bytes") / 1024, memory));
    fprintf(out,
            "Refused since the start: %s orders of blocked buyers, %s datagrams of blocked "
            "sources\n",
            grouped(number(result, "orders_blocked"), blocked),
            grouped(number(result, "datagrams_blocked"), silent));
}

void fg_show_lists_check(const json_t *result, FILE *out)
{
    const char *buyer = json_string_value(json_object_get(result, "buyer"));
    const char *list = json_string_value(json_object_get(result, "list"));
    if (buyer)
        fprintf(out, "Buyer %s: ", buyer);
    else
        fprintf(out, "Source %s: ", text(result, "source"));
    if (list)
        fprintf(out, "%s, by %s of %s\n", text(result, "listed"), text(result, "entry"), list);
    else
        fputs("on no list\n", out);
}

void fg_show_lists_line(const json_t *lists, FILE *out)
{
    char buyers[32], sources[32], exempt[32];
    json_int_t allowed = number(lists, "allow_buyers") + number(lists, "allow_sources");
    if (number(lists, "block_buyers") + number(lists, "block_sources") + allowed == 0)
        return;
    fprintf(out, "Lists     %s buyer%s and %s source%s blocked, %s exempt; loaded %s\n",
            grouped(number(lists, "block_buyers"), buyers),
            number(lists, "block_buyers") == 1 ? "" : "s",
            grouped(number(lists, "block_sources"), sources),
            number(lists, "block_sources") == 1 ? "" : "s", grouped(allowed, exempt),
            text(lists, "loaded"));
}
