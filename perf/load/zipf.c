/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/zipf.h"

#include <math.h>

#include "perf/load/random.h"

#define NEAR_ZERO 1e-8
#define TRIES     64 /* that all are rejected has a chance below 2^-64 */

/* The weight of x, which need not be whole. */
static double weigh(const struct load_zipf *zipf, double x)
{
    return exp(-zipf->exponent * log(zipf->offset + x));
}

/* The integral of weigh(), 0 where offset + x is 1: ((offset + x)^(1 - s) - 1) / (1 - s). */
static double integral(const struct load_zipf *zipf, double x)
{
    double logarithm = log(zipf->offset + x), power = (1 - zipf->exponent) * logarithm;

    return fabs(power) > NEAR_ZERO ? logarithm * expm1(power) / power : logarithm * (1 + power / 2);
}

/* The x at which integral() has that value. */
static double inverse(const struct load_zipf *zipf, double value)
{
    double power = (1 - zipf->exponent) * value;

    if (power < -1) /* by rounding alone */
        power = -1;
    double logarithm =
        fabs(power) > NEAR_ZERO ? value * log1p(power) / power : value * (1 - power / 2);
    return exp(logarithm) - zipf->offset;
}

void load_zipf_init(struct load_zipf *zipf, uint64_t count, double offset, double exponent)
{
    *zipf = (struct load_zipf){.offset = offset, .exponent = exponent, .count = count};
    zipf->first = integral(zipf, 0.5);
    zipf->least = zipf->first - weigh(zipf, 0);
    zipf->most = integral(zipf, (double)count - 0.5);
    zipf->sure = 1 - inverse(zipf, integral(zipf, 1.5) - weigh(zipf, 1));
}

uint64_t load_zipf_draw(const struct load_zipf *zipf, uint64_t seed, uint64_t number)
{
    for (uint64_t try = 0; try < TRIES; try++) {
        uint64_t word = load_word(load_mix64(seed + try), number);
        double share = (double)(word >> 11) * 0x1p-53;
        double value = zipf->least + share * (zipf->most - zipf->least);

        /* Rank 0 has just its own weight. */
        if (value <= zipf->first)
            return 0;
        double x = inverse(zipf, value), rank = floor(x + 0.5);
        if (rank < 1)
            rank = 1;
        if (rank > (double)(zipf->count - 1))
            rank = (double)(zipf->count - 1);
        if (rank - x <= zipf->sure || value >= integral(zipf, rank + 0.5) - weigh(zipf, rank))
            return (uint64_t)rank;
    }
    return 0;
}
