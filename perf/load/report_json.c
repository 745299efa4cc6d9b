/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/report_json.h"

#include <errno.h>

/* X(json name, per million) */
#define QUANTILES(X)                                                                               \
    X(p50_us, 500000)                                                                              \
    X(p90_us, 900000)                                                                              \
    X(p99_us, 990000)                                                                              \
    X(p999_us, 999000)

static double us(uint64_t ns)
{
    return (double)ns / 1000;
}

void load_json_quantiles(json_t *root, const struct load_histogram *latency)
{
#define X(name, per_million)                                                                       \
    json_object_set_new(root, #name, json_real(us(load_histogram_quantile(latency, per_million))));
    QUANTILES(X)
#undef X
    json_object_set_new(root, "max_us", json_real(us(latency->max)));
}

void load_print_quantiles(const struct load_histogram *latency, FILE *out)
{
#define X(name, per_million)                                                                       \
    fprintf(out, " " #name " %.1f,", us(load_histogram_quantile(latency, per_million)));
    QUANTILES(X)
#undef X
    fprintf(out, " max %.1f\n", us(latency->max));
}

json_t *load_json_verdicts(const uint64_t *counts)
{
    json_t *object = json_object();

    for (unsigned code = 1; code <= FG_VERDICT_MAX; code++)
        if (counts[code] > 0)
            json_object_set_new(object, fg_verdict_name(code),
                                json_integer((json_int_t)counts[code]));
    return object;
}

json_t *load_json_drops(const uint64_t *drops)
{
    json_t *object = json_object();

#define X(name, text)                                                                              \
    json_object_set_new(object, text, json_integer((json_int_t)drops[LOAD_DROP_##name]));
    LOAD_DROPS(X)
#undef X
    return object;
}

void load_print_drops(const uint64_t *drops, FILE *out)
{
    static const char *const names[] = {
#define X(name, text) text,
        LOAD_DROPS(X)
#undef X
    };

    for (unsigned drop = 0; drop < LOAD_DROP_COUNT; drop++)
        if (drops[drop] > 0)
            fprintf(out, "dropped (%s): %lu\n", names[drop], drops[drop]);
}

json_t *load_json_effort(const struct load_effort *effort)
{
    return json_pack(
        "{s:b, s:f, s:f, s:f, s:f, s:I, s:I, s:I}", "limited", load_effort_limited(effort),
        "busy_share", load_effort_share(effort, effort->busy_ns), "late_share",
        load_effort_share(effort, effort->late_ns), "own_late_share",
        load_effort_share(effort, effort->own_late_ns), "held_share",
        load_effort_share(effort, effort->held_ns), "best_per_s", (json_int_t)effort->best,
        "bursts", (json_int_t)effort->bursts, "wire_full_bursts", (json_int_t)effort->full_bursts);
}

void load_print_effort(const struct load_effort *effort, FILE *out)
{
    fprintf(
        out,
        "generator: busy %.1f %% of its time, late %.1f %% (by itself %.1f %%), held by the wire "
        "%.1f %%; %lu of %lu bursts met a full wire; at best %lu requests/s\n",
        100 * load_effort_share(effort, effort->busy_ns),
        100 * load_effort_share(effort, effort->late_ns),
        100 * load_effort_share(effort, effort->own_late_ns),
        100 * load_effort_share(effort, effort->held_ns), effort->full_bursts, effort->bursts,
        effort->best);
    if (load_effort_limited(effort))
        fprintf(out, "the GENERATOR limited the rate, and not what it measured\n");
}

int load_json_write(json_t *root, const char *path)
{
    errno = 0;
    int status = json_dump_file(root, path, JSON_INDENT(2)) == 0 ? 0 : errno ? -errno : -EIO;

    json_decref(root);
    return status;
}
