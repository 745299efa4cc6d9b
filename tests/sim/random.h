/* SPDX-License-Identifier: BSD-3-Clause */
/* The one source of chance of a run: everything follows from its seed. */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdbool.h>

#include "perf/load/random.h"

struct sim_random {
    uint64_t seed, drawn;
};

static inline uint64_t random_word(struct sim_random *random)
{
    return load_word(random->seed, random->drawn++);
}

/* 0..count-1 */
static inline uint64_t random_below(struct sim_random *random, uint64_t count)
{
    return load_reduce(random_word(random), count);
}

/* low..high, both included */
static inline uint64_t random_between(struct sim_random *random, uint64_t low, uint64_t high)
{
    return low + random_below(random, high - low + 1);
}

/* True once in a million / `per_million` times. */
static inline bool random_chance(struct sim_random *random, uint64_t per_million)
{
    return random_below(random, 1000000) < per_million;
}

/* low..high, small ones far more often: as even over the powers of two between them as may be. */
static inline uint64_t random_scaled(struct sim_random *random, uint64_t low, uint64_t high)
{
    uint64_t span = high - low, top = 1;
    unsigned bits = 0;
    while (top <= span && bits < 63) {
        top *= 2;
        bits++;
    }
    uint64_t reach = UINT64_C(1) << random_below(random, bits + 1);
    uint64_t value = random_below(random, reach);
    return low + (value > span ? span : value);
}

#endif
