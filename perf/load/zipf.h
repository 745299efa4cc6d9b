/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ranks by Zipf's law, drawn exactly and in constant time however many there are: rank k of 0 to
 * count - 1 has the weight 1 / (offset + k)^exponent. Rejection-inversion: Hoermann and Derflinger,
 * "Rejection-inversion to generate variates from monotone discrete distributions", ACM TOMACS 6(3),
 * 1996, with H(x) written so that it holds near the exponent 1, too. A draw takes 1.1 tries.
 *
 * The offset is 1 for the law itself. Every P-th rank of it, from p on, has the offset (p + 1) / P.
 */
#ifndef LOAD_ZIPF_H
#define LOAD_ZIPF_H

#include <stdint.h>

struct load_zipf {
    double offset, exponent;
    double least, first, most; /* H: where rank 0 begins and ends, where the last rank ends */
    double sure;               /* an x so close below its rank is never rejected */
    uint64_t count;
};

/* offset and exponent above 0, count at least 1. */
void load_zipf_init(struct load_zipf *zipf, uint64_t count, double offset, double exponent);

/* A function of (seed, number) and of nothing else. */
uint64_t load_zipf_draw(const struct load_zipf *zipf, uint64_t seed, uint64_t number);

#endif
