/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/schedule.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPIKE_RISE_S 0.010
#define SPIKE_FACTOR 100
#define RATE_MAX     1e9
#define LENGTH_MAX_S 86400.0

enum { STEPS = 10 };

static bool add(struct load_schedule *schedule, double length_s, double from, double to)
{
    if (length_s <= 0)
        return true;
    if (schedule->count == LOAD_SEGMENTS_MAX)
        return false;
    struct load_segment *segment = &schedule->segments[schedule->count];
    *segment = (struct load_segment){.length_s = length_s, .from = from, .to = to};
    if (schedule->count > 0) {
        const struct load_segment *last = segment - 1;
        segment->start_s = last->start_s + last->length_s;
        segment->before = last->before + last->length_s * (last->from + last->to) / 2;
    }
    schedule->count++;
    return true;
}

static void add_spike(struct load_schedule *schedule, double rate, double duration_s)
{
    double base = rate / SPIKE_FACTOR, rest = duration_s / 2 - 2 * SPIKE_RISE_S - duration_s / 5;

    add(schedule, duration_s / 2, base, base);
    add(schedule, SPIKE_RISE_S, base, rate);
    add(schedule, duration_s / 5, rate, rate);
    add(schedule, SPIKE_RISE_S, rate, base);
    add(schedule, rest, base, base);
}

static bool add_named(struct load_schedule *schedule, const char *name, double rate,
                      double duration_s)
{
    if (strcmp(name, "flat") == 0)
        add(schedule, duration_s, rate, rate);
    else if (strcmp(name, "ramp") == 0)
        add(schedule, duration_s, 0, rate);
    else if (strcmp(name, "spike") == 0)
        add_spike(schedule, rate, duration_s);
    else if (strcmp(name, "step") == 0)
        for (int step = 1; step <= STEPS; step++)
            add(schedule, duration_s / STEPS, rate * step / STEPS, rate * step / STEPS);
    else
        return false;
    return true;
}

/* A whole number at *at, which moves behind it and the character `end` (or stays at the text's
 * end). */
static bool take(const char **at, char end, double most, double *value)
{
    char *after;

    if (!isdigit((unsigned char)**at))
        return false;
    *value = strtod(*at, &after);
    if (*after != end && !(end == ',' && *after == '\0'))
        return false;
    *at = *after == '\0' ? after : after + 1;
    return *value <= most;
}

static const char *add_points(struct load_schedule *schedule, const char *text)
{
    double time_ms = 0, rate = 0;
    bool begun = false;

    for (const char *at = text; *at != '\0';) {
        double then_ms, then;
        if (!take(&at, ':', LENGTH_MAX_S * 1e3, &then_ms) || !take(&at, ',', RATE_MAX, &then))
            return "is no profile and no list MS:RATE,MS:RATE,... (a day and 10^9 a "
                   "second at most)";
        if (then_ms < time_ms)
            return "goes back in time; name the points in their order";
        if (!begun && then_ms > 0)
            add(schedule, then_ms / 1e3, 0, 0);
        else if (begun && !add(schedule, (then_ms - time_ms) / 1e3, rate, then))
            return "has too many points";
        begun = true;
        time_ms = then_ms;
        rate = then;
    }
    return NULL;
}

int load_schedule_is_named(const char *text)
{
    return !isdigit((unsigned char)*text);
}

int load_schedule_parse(struct load_schedule *schedule, const char *text, uint64_t rate,
                        double duration_s, char *message, size_t size)
{
    const char *wrong = NULL;

    *schedule = (struct load_schedule){0};
    if (!load_schedule_is_named(text))
        wrong = add_points(schedule, text);
    else if (!add_named(schedule, text, (double)rate, duration_s))
        wrong = "is none of the profiles "
#define X(name, help) #name " "
            LOAD_PROFILES(X)
#undef X
                "and no list MS:RATE,...";
    if (!wrong && schedule->count > 0) {
        const struct load_segment *last = &schedule->segments[schedule->count - 1];
        double requests = last->before + last->length_s * (last->from + last->to) / 2;
        /* The last one of a sum that is whole but for rounding counts. */
        schedule->requests = (uint64_t)(requests + 1e-6);
        schedule->length_ns = (uint64_t)((last->start_s + last->length_s) * 1e9);
    }
    if (!wrong && schedule->requests == 0)
        wrong = "makes no request at all; give it a rate and a length";
    if (wrong)
        snprintf(message, size, "--profile \"%.60s\" %s", text, wrong);
    return wrong ? -1 : 0;
}

uint64_t load_schedule_when_ns(const struct load_schedule *schedule, uint64_t n)
{
    unsigned at = 0;

    if (n >= schedule->requests)
        return UINT64_MAX;
    while (at + 1 < schedule->count && schedule->segments[at + 1].before <= (double)n)
        at++;
    const struct load_segment *segment = &schedule->segments[at];
    double left = (double)n - segment->before;
    double slope = (segment->to - segment->from) / segment->length_s;
    /* left = from t + slope t^2 / 2, solved so that nothing cancels. */
    double square = segment->from * segment->from + 2 * slope * left;
    double divisor = segment->from + sqrt(square > 0 ? square : 0);
    double t = divisor > 0 ? 2 * left / divisor : 0;

    if (t > segment->length_s)
        t = segment->length_s;
    return (uint64_t)((segment->start_s + t) * 1e9);
}
