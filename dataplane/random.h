/* SPDX-License-Identifier: BSD-3-Clause */
/* A small generator for jitter. Any thread, each with a state of its own. */
#ifndef FG_RANDOM_H
#define FG_RANDOM_H

#include <stdint.h>

/* The next number (Marsaglia's xorshift64*, 2003): not for secrets. The state is not 0. */
static inline uint64_t fg_random_next(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * UINT64_C(0x2545F4914F6CDD1D);
}

#endif
