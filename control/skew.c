/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/skew.h"

#include <stdlib.h>

#define LOOK_MS   1000
#define AGING_MIN 3 /* seconds that must lie between what is compared */
#define NS        INT64_C(1000000000)

struct fg_skew_second *fg_skew_next(struct fg_skew *skew)
{
    struct fg_skew_second *second = &skew->seconds[++skew->looks % FG_SKEW_SECONDS];
    *second = (struct fg_skew_second){.count = 0};
    return second;
}

void fg_skew_add(struct fg_skew_second *second, uint64_t accepted,
                 const struct fg_skew_sample *sample)
{
    second->accepted += accepted;
    second->stale += sample->stale;
    if (sample->stale > 0 && second->count < FG_SKEW_SAMPLES)
        second->samples[second->count++] = *sample;
}

/* --- judging --- */

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t median(int64_t *values, unsigned count)
{
    qsort(values, count, sizeof(*values), compare);
    return values[count / 2];
}

/* The second that began so many before the last one; NULL: there was none yet. */
static const struct fg_skew_second *second_of(const struct fg_skew *skew, unsigned before)
{
    return before < skew->looks ? &skew->seconds[(skew->looks - before) % FG_SKEW_SECONDS] : NULL;
}

static int64_t median_of(const struct fg_skew_second *second)
{
    int64_t values[FG_SKEW_SAMPLES] = {0};
    for (unsigned i = 0; i < second->count; i++)
        values[i] = second->samples[i].skew_ns;
    return median(values, second->count);
}

static int64_t median_of_all(const struct fg_skew *skew)
{
    int64_t values[FG_SKEW_SECONDS * FG_SKEW_SAMPLES] = {0};
    unsigned count = 0;
    for (unsigned s = 0; s < FG_SKEW_SECONDS; s++)
        for (unsigned i = 0; i < skew->seconds[s].count; i++)
            values[count++] = skew->seconds[s].samples[i].skew_ns;
    return count ? median(values, count) : 0;
}

/* Do stale datagrams get older as time goes by? By at least half of it: a capture is sent again in
 * any order. */
static bool is_aging(const struct fg_skew *skew)
{
    const struct fg_skew_second *last = NULL, *first = NULL;
    unsigned last_before = 0, first_before = 0;
    for (unsigned before = 0; before < FG_SKEW_SECONDS; before++) {
        const struct fg_skew_second *second = second_of(skew, before);
        if (!second || second->count == 0)
            continue;
        first = second;
        first_before = before;
        if (!last) {
            last = second;
            last_before = before;
        }
    }
    if (!first || first_before - last_before < AGING_MIN)
        return false;
    int64_t older_ns = median_of(first) / 2 - median_of(last) / 2; /* halves: no overflow */
    return older_ns > (int64_t)(first_before - last_before) * NS / 4;
}

/* Is there another sender than this one? */
static bool has_another(const struct fg_skew *skew, const struct fg_skew_sample *one)
{
    for (unsigned s = 0; s < FG_SKEW_SECONDS; s++)
        for (unsigned i = 0; i < skew->seconds[s].count; i++) {
            const struct fg_skew_sample *sample = &skew->seconds[s].samples[i];
            if (sample->id != one->id || !fg_ip_same(sample->source, one->source))
                return true;
        }
    return false;
}

static uint64_t stale_of(const struct fg_skew *skew, uint16_t id)
{
    uint64_t stale = 0;
    for (unsigned s = 0; s < FG_SKEW_SECONDS; s++)
        for (unsigned i = 0; i < skew->seconds[s].count; i++)
            if (skew->seconds[s].samples[i].id == id)
                stale += skew->seconds[s].samples[i].stale;
    return stale;
}

/* The last sample of the key that has the most stale datagrams, or NULL. */
static const struct fg_skew_sample *worst_of(const struct fg_skew *skew)
{
    const struct fg_skew_sample *worst = NULL;
    uint64_t most = 0;
    for (unsigned before = 0; before < FG_SKEW_SECONDS; before++) {
        const struct fg_skew_second *second = second_of(skew, before);
        for (unsigned i = 0; second && i < second->count; i++) {
            uint64_t stale = stale_of(skew, second->samples[i].id);
            if (stale > most) {
                most = stale;
                worst = &second->samples[i];
            }
        }
    }
    return worst;
}

struct fg_skew_finding fg_skew_judge(const struct fg_skew *skew)
{
    struct fg_skew_finding finding = {.kind = FG_SKEW_NONE};
    for (unsigned s = 0; s < FG_SKEW_SECONDS; s++) {
        finding.accepted += skew->seconds[s].accepted;
        finding.stale += skew->seconds[s].stale;
    }
    const struct fg_skew_sample *worst = worst_of(skew);
    if (!worst || finding.stale < FG_SKEW_SENDER)
        return finding;
    finding.id = worst->id;
    finding.source = worst->source;
    finding.skew_ns = median_of_all(skew);
    if (is_aging(skew)) {
        finding.kind = FG_SKEW_COPIES;
    } else if (finding.stale >= FG_SKEW_ENGINE && finding.stale > finding.accepted &&
               (finding.accepted == 0 || has_another(skew, worst))) {
        finding.kind = FG_SKEW_OF_ENGINE;
    } else {
        finding.kind = FG_SKEW_OF_SENDER;
        finding.skew_ns = worst->skew_ns;
    }
    return finding;
}

/* --- looking --- */

/* What has come since the last look, of one worker and key. */
static void look_at(struct fg_skew_second *second, struct fg_skew_seen *seen, uint16_t id,
                    const struct fg_key_watch *line)
{
    struct fg_key_sight sight = {.accepted = 0};
    fg_key_watch_read(line, id, &sight);
    if (seen->id != id || seen->accepted > sight.accepted || seen->stale > sight.stale)
        *seen = (struct fg_skew_seen){.id = id};
    const struct fg_skew_sample sample = {
        .id = id,
        .stale = sight.stale - seen->stale,
        .skew_ns = sight.skew_ns,
        .source = sight.source,
    };
    fg_skew_add(second, sight.accepted - seen->accepted, &sample);
    seen->accepted = sight.accepted;
    seen->stale = sight.stale;
}

static void tell(struct fg_clock_figures *figures, const struct fg_skew_finding *finding)
{
    bool suspect = finding->kind == FG_SKEW_OF_ENGINE;
    atomic_store_explicit(&figures->suspect, suspect, memory_order_relaxed);
    atomic_store_explicit(&figures->suspect_skew_ns, suspect ? (uint64_t)finding->skew_ns : 0,
                          memory_order_relaxed);
}

void fg_skew_look(struct fg_skew *skew, const struct fg_keyring *ring, struct fg_engine *engine,
                  uint64_t now_ms)
{
    if (now_ms < skew->next_ms)
        return;
    skew->next_ms = now_ms + LOOK_MS;
    struct fg_skew_second *second = fg_skew_next(skew);
    for (unsigned place = 0; place < ring->count; place++)
        for (unsigned w = 0; w < engine->config.workers; w++)
            if (ring->keys[place].ops != 0 && engine->workers[w] && engine->workers[w]->keys)
                look_at(second, &skew->seen[place][w], ring->keys[place].id,
                        &engine->workers[w]->keys[place]);
    struct fg_skew_finding finding = fg_skew_judge(skew);
    tell(&engine->clock_figures, &finding);
}
