/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/effort.h"

#define PARTS_ALLOWED 20 /* one of so many */

static void count_slot(struct load_effort *effort, uint64_t now_ns, uint64_t sent)
{
    uint64_t length_ns = now_ns - effort->slot_ns;

    if (length_ns < LOAD_EFFORT_SLOT_NS)
        return;
    uint64_t rate = (uint64_t)((double)(sent - effort->slot_sent) * 1e9 / (double)length_ns);
    if (rate > effort->best)
        effort->best = rate;
    effort->slot_ns = now_ns;
    effort->slot_sent = sent;
}

void load_effort_turn(struct load_effort *effort, uint64_t now_ns, const struct load_turn *turn)
{
    uint64_t ns = now_ns - effort->last_ns;

    if (effort->last_ns == 0) {
        effort->slot_ns = now_ns;
        effort->slot_sent = turn->sent;
        ns = 0;
    }
    effort->last_ns = now_ns;
    effort->total_ns += ns;
    effort->busy_ns += turn->worked ? ns : 0;
    effort->late_ns += turn->late ? ns : 0;
    effort->own_late_ns += turn->late && !turn->held ? ns : 0;
    effort->held_ns += turn->held ? ns : 0;
    count_slot(effort, now_ns, turn->sent);
}

bool load_effort_limited(const struct load_effort *effort)
{
    return effort->flat_out ? effort->held_ns * PARTS_ALLOWED < effort->total_ns
                            : effort->own_late_ns * PARTS_ALLOWED > effort->total_ns;
}

double load_effort_share(const struct load_effort *effort, uint64_t ns)
{
    return effort->total_ns > 0 ? (double)ns / (double)effort->total_ns : 0;
}

uint64_t load_effort_best(const struct load_effort *effort)
{
    return effort->best;
}
