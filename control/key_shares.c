/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/key_shares.h"

#include <string.h>

#include "dataplane/admission/rates.h"

#define ONE          256       /* a request in a round */
#define LEAST        (ONE / 8) /* of demand, of every worker: a few requests say little */
#define LEAST_SHARES 16        /* ... and a 16th of all demand between them */
#define SMOOTH       4         /* rounds that a demand is made of, about */

void fg_key_shares_split(uint64_t cost, const uint64_t *demand, unsigned workers, uint64_t *costs)
{
    uint64_t all = 0, least;
    for (unsigned w = 0; w < workers; w++)
        all += demand[w];
    least = LEAST + all / LEAST_SHARES / workers;
    all += least * workers;
    for (unsigned w = 0; w < workers; w++) {
        uint64_t part = demand[w] + least;
        unsigned __int128 rounded_up = ((unsigned __int128)cost * all + part - 1) / part;
        costs[w] = (uint64_t)rounded_up;
    }
}

static void note_use(struct fg_key_use *use, uint64_t asked)
{
    uint64_t fresh = asked >= use->asked ? asked - use->asked : asked;
    use->asked = asked;
    use->demand += fresh * ONE / SMOOTH - use->demand / SMOOTH;
}

/* NULL: it decides nothing yet. */
static struct fg_rates *rates_of(const struct fg_engine *engine, unsigned w)
{
    const struct fg_worker *worker = engine->workers[w];
    return worker && worker->admission ? fg_admission_rates(worker->admission) : NULL;
}

static void move_shares(struct fg_key_shares *shares, const struct fg_key *key, unsigned place,
                        const struct fg_engine *engine)
{
    unsigned workers = engine->config.workers;
    uint64_t demand[FG_WORKERS_MAX] = {0}, costs[FG_WORKERS_MAX];
    struct fg_rates *rates[FG_WORKERS_MAX];
    for (unsigned w = 0; w < workers; w++) {
        rates[w] = rates_of(engine, w);
        if (!rates[w])
            return;
        note_use(&shares->use[place][w], fg_rates_asked(rates[w], place, key->id));
        demand[w] = shares->use[place][w].demand;
    }
    fg_key_shares_split(key->rate_cost, demand, workers, costs);
    for (unsigned w = 0; w < workers; w++)
        if (costs[w] > fg_rates_share(rates[w], key, place))
            fg_rates_give(rates[w], place, costs[w]);
    for (unsigned w = 0; w < workers; w++)
        if (costs[w] < fg_rates_share(rates[w], key, place))
            fg_rates_give(rates[w], place, costs[w]);
}

void fg_key_shares_renew(struct fg_key_shares *shares, const struct fg_keyring *before,
                         const struct fg_keyring *after, const struct fg_engine *engine)
{
    for (unsigned place = 0; place < FG_KEYS_MAX; place++) {
        const struct fg_key *from = &before->keys[place], *to = &after->keys[place];
        if (from->id == to->id && from->rate_cost == to->rate_cost)
            continue;
        if (from->id != to->id)
            memset(shares->use[place], 0, sizeof(shares->use[place]));
        for (unsigned w = 0; w < engine->config.workers; w++)
            if (rates_of(engine, w))
                fg_rates_give(rates_of(engine, w), place, 0);
    }
    shares->next_ms = 0;
}

void fg_key_shares_step(struct fg_key_shares *shares, const struct fg_keyring *ring,
                        const struct fg_engine *engine, uint64_t now_ms)
{
    if (now_ms < shares->next_ms)
        return;
    shares->next_ms = now_ms + FG_KEY_SHARES_MS;
    for (unsigned place = 0; place < ring->count; place++)
        if (ring->keys[place].rate_cost != 0)
            move_shares(shares, &ring->keys[place], place, engine);
}
