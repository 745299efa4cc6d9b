/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/stats.h"

#include <stdbool.h>
#include <stdio.h>

static const char *const fault_texts[] = {
#define X(name, text) text,
    SIM_FAULTS(X)
#undef X
};

static const char *const operation_texts[] = {
#define X(name, text) text,
    SIM_OPERATIONS(X)
#undef X
};

void stats_add(struct sim_stats *sum, const struct sim_stats *more)
{
    uint64_t *to = (uint64_t *)sum;
    const uint64_t *from = (const uint64_t *)more;

    for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
        to[i] += from[i];
}

static unsigned long long ull(uint64_t value)
{
    return value;
}

static const char *point_name(unsigned at)
{
#ifdef FG_FAULTS
    return fg_crash_point_name((enum fg_crash_point)at);
#else
    (void)at;
    return "?";
#endif
}

static uint64_t crashes(const struct sim_stats *stats)
{
    return stats->faults[SIM_CRASH_PROCESS] + stats->faults[SIM_CRASH_POWER];
}

void stats_print(const struct sim_stats *stats)
{
    printf("%llu runs, %llu steps, %.1f simulated hours\n", ull(stats->runs), ull(stats->steps),
           (double)stats->simulated_ms / 3.6e6);
    printf(
        "%llu starts, %llu refused, %llu crashes; %llu frames, %llu segments made, %llu retired\n",
        ull(stats->starts), ull(stats->refused_starts), ull(crashes(stats)), ull(stats->frames),
        ull(stats->segments), ull(stats->retired));
    printf("%llu datagrams, %llu answers, %llu times THROTTLED, %llu times of them in %llu "
           "penalties; %llu acknowledgements, %llu SOLD_OUTs and %llu BLOCKEDs checked\n",
           ull(stats->datagrams), ull(stats->answers), ull(stats->throttled), ull(stats->punished),
           ull(stats->penalties), ull(stats->told), ull(stats->sold_out), ull(stats->blocked));
    printf("%llu orders in the logs, %llu stream entries compared with them\n", ull(stats->orders),
           ull(stats->entries));
    for (unsigned i = 0; i < SIM_FAULT_COUNT; i++)
        printf("%10llu %s\n", ull(stats->faults[i]), fault_texts[i]);
    for (unsigned i = 0; i < FG_CRASH_COUNT; i++)
        printf("%10llu crashes at %s\n", ull(stats->crashed_at[i]), point_name(i));
    for (unsigned i = 0; i < SIM_OPERATION_COUNT; i++)
        printf("%10llu %s\n", ull(stats->operations[i]), operation_texts[i]);
    printf("answers:");
    for (unsigned i = 0; i <= FG_VERDICT_MAX; i++)
        if (stats->verdicts[i] > 0)
            printf(" %s %llu", fg_verdict_name(i), ull(stats->verdicts[i]));
    printf("\n");
}

unsigned stats_missing(const struct sim_stats *stats)
{
    unsigned missing = 0;

    for (unsigned i = 0; i < SIM_FAULT_COUNT; i++)
        if (stats->faults[i] == 0 && ++missing)
            printf("not ok never occurred: %s\n", fault_texts[i]);
    for (unsigned i = 0; i < SIM_OPERATION_COUNT; i++)
        if (stats->operations[i] == 0 && ++missing)
            printf("not ok never occurred: %s\n", operation_texts[i]);
    for (unsigned i = 0; i < FG_CRASH_COUNT; i++)
        if (stats->crashed_at[i] == 0 && ++missing)
            printf("not ok never occurred: a crash at %s\n", point_name(i));
    if (stats->punished == 0 && ++missing)
        printf("not ok never occurred: an order refused under a penalty\n");
    if (stats->blocked == 0 && ++missing)
        printf("not ok never occurred: an order of a blocked buyer\n");
    return missing;
}
