/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/admission/penalty.h"

#include <errno.h>

#include "dataplane/memory.h"
#include "flashgate/limits.h"

static bool under_penalty(const struct fg_penalties *p, const struct fg_penalty *place)
{
    return place->penalties > 0 && (int32_t)(place->until_ms - p->now_ms) > 0;
}

static bool window_is_over(const struct fg_penalties *p, const struct fg_penalty *place)
{
    return p->now_ms - place->since_ms >= p->rule.within_ms;
}

/* Is the last penalty so long ago that the next is a first one? */
static bool forgiven(const struct fg_penalties *p, const struct fg_penalty *place)
{
    return !under_penalty(p, place) && p->now_ms - place->until_ms >= p->rule.most_ms;
}

/* Takes off a place's record what time has made void. A place without any is free. */
static void refresh(const struct fg_penalties *p, struct fg_penalty *place)
{
    if (place->refused > 0 && window_is_over(p, place))
        place->refused = 0;
    if (place->penalties > 0 && forgiven(p, place))
        place->penalties = 0;
}

/* What is on record of a buyer who is under no penalty. */
static uint32_t record_of(const struct fg_penalties *p, const struct fg_penalty *place)
{
    return place->penalties * p->rule.after + place->refused;
}

uint32_t fg_penalties_left(const struct fg_penalties *p, uint64_t hash)
{
    const struct fg_penalty *set = fg_penalties_set(p, hash);
    uint32_t tag = (uint32_t)(hash >> 32);

    if (!p->any)
        return 0;
    for (unsigned i = 0; i < FG_PENALTY_WAYS; i++)
        if (set[i].tag == tag && under_penalty(p, &set[i]))
            return set[i].until_ms - p->now_ms;
    return 0;
}

/* The buyer's place, or the one that it may have; NULL: all are under penalties. */
static struct fg_penalty *place_of(struct fg_penalties *p, uint64_t hash)
{
    struct fg_penalty *set = fg_penalties_set(p, hash), *least = NULL;
    uint32_t tag = (uint32_t)(hash >> 32);

    for (unsigned i = 0; i < FG_PENALTY_WAYS; i++) {
        refresh(p, &set[i]);
        if (set[i].tag == tag && set[i].refused + set[i].penalties > 0)
            return &set[i];
        if (!under_penalty(p, &set[i]) && (!least || record_of(p, &set[i]) < record_of(p, least)))
            least = &set[i];
    }
    if (least)
        *least = (struct fg_penalty){.tag = tag};
    return least;
}

/* As long as the one before it, twice. */
static uint32_t length_of(const struct fg_penalty_rule *rule, unsigned before)
{
    uint64_t length_ms = (uint64_t)rule->first_ms << (before < 31 ? before : 31);

    return length_ms < rule->most_ms ? (uint32_t)length_ms : rule->most_ms;
}

static uint32_t begin_penalty(struct fg_penalties *p, struct fg_penalty *place)
{
    uint32_t length_ms = length_of(&p->rule, place->penalties);

    place->until_ms = p->now_ms + length_ms;
    place->refused = 0;
    if (place->penalties < UINT16_MAX)
        place->penalties++;
    if (!p->any || (int32_t)(place->until_ms - p->latest_ms) > 0)
        p->latest_ms = place->until_ms;
    p->any = true;
    fg_count(p->counters, FG_COUNTER_PENALTIES);
    return length_ms;
}

uint32_t fg_penalties_refused(struct fg_penalties *p, uint64_t hash)
{
    if (p->rule.after == 0)
        return 0;
    struct fg_penalty *place = place_of(p, hash);
    if (!place) {
        fg_count(p->counters, FG_COUNTER_PENALTIES_FULL);
        return 0;
    }
    if (place->refused++ == 0)
        place->since_ms = p->now_ms;
    return place->refused >= p->rule.after ? begin_penalty(p, place) : 0;
}

/* Stamps that have passed are gone long before they could seem to lie ahead: a set each ms. */
void fg_penalties_tick(struct fg_penalties *p, uint32_t now_ms)
{
    p->now_ms = now_ms;
    if (p->any && (int32_t)(p->latest_ms - now_ms) <= 0)
        p->any = false;
    p->swept = (p->swept + 1) & p->set_mask;
    struct fg_penalty *set = fg_penalties_set(p, p->swept);
    for (unsigned i = 0; i < FG_PENALTY_WAYS; i++)
        refresh(p, &set[i]);
}

int fg_penalties_init(struct fg_penalties *p, const struct fg_penalty_rule *rule,
                      struct fg_counters *counters)
{
    *p = (struct fg_penalties){
        .rule = *rule, .set_mask = FG_PENALTY_PLACES / FG_PENALTY_WAYS - 1, .counters = counters};
    p->places = fg_memory_zeroed(FG_PENALTY_PLACES, sizeof(*p->places));
    return p->places ? 0 : -ENOMEM;
}
static_assert((FG_PENALTY_PLACES & (FG_PENALTY_PLACES - 1)) == 0, "sets are found by a mask");
static_assert(UINT64_C(2) * FG_PENALTY_MS_MAX + FG_PENALTY_PLACES < INT32_MAX,
              "ends of penalties are compared by difference, and swept before they come round");
static_assert(FG_PENALTY_AFTER_MAX <= UINT16_MAX, "a place counts so many");

void fg_penalties_fini(struct fg_penalties *p)
{
    free(p->places);
}
