/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/profile.h"

#include "tests/sim/clock.h"
#include "tests/sim/random.h"

/* Left out in `out_of_ten` of ten runs; else `most`, or a half, a quarter ... of it. */
static unsigned chance(struct sim_random *random, unsigned out_of_ten, unsigned most)
{
    unsigned value = most >> random_below(random, 6);
    return random_below(random, 10) < out_of_ten ? 0 : value;
}

static void draw_sales(struct sim_profile *p, struct sim_random *random)
{
    p->sales = (unsigned)random_between(random, 1, SIM_SALES_MAX);
    p->items = (unsigned)random_between(random, p->sales, SIM_ITEMS_MAX);
    for (unsigned s = 0; s < p->sales; s++) {
        p->cancel_final[s] = random_below(random, 2) == 0;
        p->reacquire[s] = random_below(random, 2) == 0;
        p->opens[s] = random_below(random, 3) == 0;
        p->limit[s] = random_below(random, 3) ? 0 : (uint32_t)random_between(random, 4, 12);
    }
    for (unsigned i = 0; i < p->items; i++) {
        p->item[i].sale = i < p->sales ? i : (uint32_t)random_below(random, p->sales);
        p->item[i].stock = (uint32_t)random_scaled(random, 1, 60);
        p->item[i].limit = random_below(random, 2) ? (uint32_t)random_between(random, 1, 4) : 0;
        p->item[i].hold_ms =
            random_below(random, 2) ? (uint32_t)random_scaled(random, 100, 20000) : 0;
        p->item[i].max_per_order =
            (uint16_t)random_between(random, 1, p->item[i].limit ? p->item[i].limit : 4);
    }
}

static void draw_crashes(struct sim_profile *p, struct sim_random *random)
{
    p->crashes_max = random_below(random, 8) ? (unsigned)random_scaled(random, 1, 12) : 0;
    p->crash_between = chance(random, 3, 2000);
    p->crash_disk = chance(random, 4, 20000);
    p->tear =
        8 * p->crash_disk; /* most calls are reads; but what a start has to deal with is this */
    p->crash_redis = chance(random, 6, 50000);
    p->crash_point = chance(random, 3, 200000);
    p->crash_points = random_word(random);
    p->zombie = chance(random, 7, 3000);
    p->clock_step = chance(random, 6, 3000);
    p->wall_step = chance(random, 6, 600000);
    p->rot = chance(random, 5, 700000);
    p->long_pause = chance(random, 5, 500000);
    p->stall = chance(random, 5, 10000);
    if (random_below(random, 6) > 0)
        return;
    /* Now and then it is one point at which everything dies, the rare ones as often as the others;
     * a tail is only cut where a write was torn. */
    p->crashes_max = (unsigned)random_between(random, 2, 12);
    p->crash_points = UINT64_C(1) << random_below(random, FG_CRASH_COUNT);
    p->crash_point = 500000;
    p->crash_disk = 100000;
    p->tear = 800000;
    if (random_below(random, 3) > 0)
        return;
    p->crashes_max = 20;
    p->crash_points = UINT64_C(1) << FG_CRASH_TAIL_CUT;
    p->crash_disk = 0;
    p->tear = (unsigned)random_scaled(random, 20000, 400000);
}

/* With chances of its own: runs without rates go as they would if there were none. */
static void draw_rates(struct sim_profile *p, const struct sim_random *random)
{
    struct sim_random own = *random;

    if (random_below(&own, 3) > 0)
        return;
    for (unsigned s = 0; s < p->sales; s++) {
        p->rate[s] = random_below(&own, 3) ? (uint32_t)random_between(&own, 4, 40) : 0;
        p->burst[s] = p->rate[s] ? (uint32_t)random_below(&own, 6) : 0;
    }
    p->key_rate = random_below(&own, 3) ? 0 : (uint32_t)random_scaled(&own, 50, 2000);
    p->hammering = (unsigned)random_below(&own, 11);
    if (random_below(&own, 2))
        return;
    p->penalty = (struct fg_penalty_rule){
        .after = (uint32_t)random_between(&own, 1, 8),
        .within_ms = (uint32_t)random_scaled(&own, 20, 2000),
        .first_ms = (uint32_t)random_scaled(&own, 5, 500),
    };
    p->penalty.most_ms = p->penalty.first_ms << random_below(&own, 4);
}

static void draw_lists(struct sim_profile *p, const struct sim_random *random)
{
    struct sim_random own = {.seed = load_mix64(random->seed), .drawn = random->drawn};

    p->lists_ns = random_below(&own, 3) ? 0 : random_scaled(&own, 5 * SIM_MS, 5 * SIM_S);
}

void profile_draw(struct sim_profile *p, struct sim_random *random)
{
    *p = (struct sim_profile){0};
    p->rounds = (uint32_t)random_between(random, 200, 2000);
    p->requests = (uint32_t)random_scaled(random, 10, 150);
    p->buyers = (uint32_t)random_scaled(random, 1, 40);
    p->arrival_ns = random_scaled(random, 10000, 20 * SIM_MS);
    p->round_ns = random_scaled(random, 20000, 10 * SIM_MS);
    draw_sales(p, random);
    p->operator_ns = random_below(random, 3) ? random_scaled(random, 20 * SIM_MS, 5 * SIM_S) : 0;
    p->drains = random_below(random, 2);
    p->net_loss = chance(random, 4, 400000);
    p->net_double = chance(random, 4, 400000);
    p->net_late = chance(random, 6, 50000);
    p->net_delay_ns = random_scaled(random, 50000, 100 * SIM_MS);
    draw_crashes(p, random);
    p->write_eio = chance(random, 8, 5000);
    p->flush_eio = chance(random, 8, 5000);
    p->read_eio = chance(random, 8, 10000);
    p->full = chance(random, 8, 300000);
    p->no_room = chance(random, 8, 10000);
    p->redis_loss = chance(random, 5, 300000);
    p->redis_retry = chance(random, 7, 300000);
    p->redis_refused = chance(random, 9, 300000);
    p->redis_strike = chance(random, 4, 20000);
    p->redis_kinds = random_word(random);
    p->consume = chance(random, 5, 50000);
    draw_rates(p, random);
    draw_lists(p, random);
}
