/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values drawn by weight in constant time: Walker's alias table (built as Vose, 1991, does). Each
 * of the n columns holds one value up to its threshold and another one above it.
 */
#ifndef LOAD_WEIGHTS_H
#define LOAD_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

struct load_weights {
    uint32_t count;
    uint32_t *values;
    uint32_t *weights;
    uint32_t *thresholds; /* of 2^32 */
    uint32_t *aliases;    /* places */
};

/* Reads "VALUE:WEIGHT,VALUE:WEIGHT,...", a missing weight being 1; values are distinct, 1..most.
 * 0; or -1 with a sentence in `message` that says what is wrong with `text`. */
int load_weights_parse(struct load_weights *weights, const char *text, uint32_t most, char *message,
                       size_t size);

/* From arrays of `count` values and weights (their sum above 0), which are copied. 0 or -ENOMEM. */
int load_weights_build(struct load_weights *weights, uint32_t count, const uint32_t *values,
                       const uint32_t *shares);
void load_weights_fini(struct load_weights *weights);

/* The place (0..count-1) of the value that a random word draws. */
static inline uint32_t load_weights_draw(const struct load_weights *weights, uint64_t word)
{
    uint32_t column = (uint32_t)(((word >> 32) * weights->count) >> 32);

    return (uint32_t)word < weights->thresholds[column] ? column : weights->aliases[column];
}

#endif
