/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/admission/suspects.h"

#include <string.h>

static bool same(const struct fg_suspect *a, const struct fg_suspect *b)
{
    return a->sale == b->sale && memcmp(a->buyer, b->buyer, sizeof(a->buyer)) == 0 &&
           (a->sale != 0 || a->key == b->key);
}

/* Its place in the set, or the one that it takes. */
static unsigned way_of(const struct fg_suspects *s, unsigned set, uint32_t tag,
                       const struct fg_suspect *who)
{
    const uint32_t *tags = s->tags[set], *counts = s->counts[set];
    unsigned least = 0;

    for (unsigned i = 0; i < FG_SUSPECT_WAYS; i++) {
        if (tags[i] == tag && counts[i] > 0 && same(&s->places[set][i], who))
            return i;
        if (counts[i] < counts[least])
            least = i;
    }
    return least;
}

void fg_suspects_note(struct fg_suspects *s, uint64_t hash, const struct fg_suspect *who,
                      uint32_t now_ms)
{
    unsigned set = hash % FG_SUSPECT_SETS;
    uint32_t tag = (uint32_t)(hash >> 32);
    unsigned way = way_of(s, set, tag, who);
    struct fg_suspect *place = &s->places[set][way];
    uint32_t *count = &s->counts[set][way];

    if (*count == 0 || s->tags[set][way] != tag || !same(place, who)) {
        *place = *who;
        place->error = *count;
        place->first_ms = now_ms;
        s->tags[set][way] = tag;
    }
    if (*count < UINT32_MAX)
        ++*count;
    place->source = who->source;
    place->key = who->key;
    place->last_ms = now_ms;
}

void fg_suspects_tick(struct fg_suspects *s, uint32_t now_ms)
{
    if (now_ms - s->halved_ms < FG_SUSPECT_HALVED_MS / FG_SUSPECT_SETS)
        return;
    /* Who stood still for long does not make up for it: what is old then stays a little. */
    s->halved_ms = now_ms;
    for (unsigned i = 0; i < FG_SUSPECT_WAYS; i++) {
        s->counts[s->next_set][i] /= 2;
        s->places[s->next_set][i].error /= 2;
    }
    s->next_set = (s->next_set + 1) % FG_SUSPECT_SETS;
}

unsigned fg_suspects_list(const struct fg_suspects *s, struct fg_suspect list[FG_SUSPECTS_MAX])
{
    unsigned count = 0;

    for (unsigned set = 0; set < FG_SUSPECT_SETS; set++)
        for (unsigned i = 0; i < FG_SUSPECT_WAYS; i++)
            if (s->counts[set][i] > 0) {
                list[count] = s->places[set][i];
                list[count++].count = s->counts[set][i];
            }
    return count;
}
