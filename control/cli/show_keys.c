/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys, laid out for people. */
#include <stdbool.h>

#include "control/cli/show.h"

/* "ORDER, PING", or the one word that stands for a list. */
static void put_list(const json_t *list, FILE *out)
{
    size_t i;
    json_t *one;
    if (json_is_string(list))
        fputs(json_string_value(list), out);
    json_array_foreach(list, i, one)
    {
        fprintf(out, "%s%s", i > 0 ? ", " : "", json_string_value(one));
    }
}

/* A typing error in a key file shows when its gateways are answered FORBIDDEN, or here. */
static void put_absent(json_int_t id, const json_t *names, FILE *out)
{
    if (json_array_size(names) == 0)
        return;
    fprintf(out, "WARNING   key %" JSON_INTEGER_FORMAT " is for ", id);
    put_list(names, out);
    fputs(", and no sale in force has that name: apply it, or mend the key file\n", out);
}

static void put_key(const json_t *key, FILE *out)
{
    char id[24];
    json_int_t rate = number(key, "rate");
    snprintf(id, sizeof(id), "%" JSON_INTEGER_FORMAT, number(key, "id"));
    fprintf(out, "%8s", number(key, "id") == 0 ? "unsigned" : id);
    cell(out, 13, number(key, "datagrams"));
    fprintf(out, "  %-24s", text(key, "last_seen"));
    cell(out, 10, number(key, "stale"));
    if (json_is_null(json_object_get(key, "skew_ms")))
        fprintf(out, "  %10s  %-15s", "-", "-");
    else
        fprintf(out, "  %+10.3f  %-15s", (double)number(key, "skew_ms") / 1000,
                text(key, "stale_source"));
    fputs("\n          ops ", out);
    put_list(json_object_get(key, "ops"), out);
    fputs("; sales ", out);
    put_list(json_object_get(key, "sales"), out);
    fputs("; sources ", out);
    put_list(json_object_get(key, "sources"), out);
    if (rate > 0)
        fprintf(out,
                "; rate %" JSON_INTEGER_FORMAT "/s, burst %" JSON_INTEGER_FORMAT
                ": asked %" JSON_INTEGER_FORMAT ", throttled %" JSON_INTEGER_FORMAT,
                rate, number(key, "burst"), number(key, "asked"), number(key, "throttled"));
    fputc('\n', out);
    put_absent(number(key, "id"), json_object_get(key, "absent_sales"), out);
}

void fg_show_keys(const json_t *result, FILE *out)
{
    size_t i;
    json_t *key;
    fprintf(out, "%8s  %13s  %-24s  %10s  %10s  %-15s\n", "KEY", "DATAGRAMS", "LAST SEEN", "STALE",
            "BY s", "FROM");
    json_array_foreach(json_object_get(result, "keys"), i, key)
    {
        put_key(key, out);
    }
}

static void put_ids(const json_t *result, const char *name, const char *words, FILE *out)
{
    const json_t *ids = json_object_get(result, name);
    size_t i;
    json_t *id;
    if (json_array_size(ids) == 0)
        return;
    fprintf(out, "%s ", words);
    json_array_foreach(ids, i, id)
    {
        fprintf(out, "%s%" JSON_INTEGER_FORMAT, i > 0 ? ", " : "", json_integer_value(id));
    }
    fputc('\n', out);
}

void fg_show_keys_reload(const json_t *result, FILE *out)
{
    size_t i;
    json_t *key;
    json_array_foreach(json_object_get(result, "absent_sales"), i, key)
    {
        put_absent(number(key, "key"), json_object_get(key, "sales"), out);
    }
    if (!json_is_true(json_object_get(result, "changed"))) {
        fprintf(out, "The key file is as it was: nothing was changed\n");
        return;
    }
    put_ids(result, "added", "Added:      ", out);
    put_ids(result, "removed", "Removed:    ", out);
    put_ids(result, "secrets", "New secret: ", out);
    put_ids(result, "terms", "New terms:  ", out);
    fprintf(out, "Every worker goes by %" JSON_INTEGER_FORMAT " key%s now\n",
            number(result, "keys"), number(result, "keys") == 1 ? "" : "s");
}
