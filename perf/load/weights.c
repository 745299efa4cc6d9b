/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/weights.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT_MAX = 10000 };

/* Pairs columns that have too little with those that have too much until none has too little. */
static void fill_columns(struct load_weights *weights, double *shares, uint32_t *poor,
                         uint32_t *rich)
{
    uint32_t poor_count = 0, rich_count = 0;

    for (uint32_t i = 0; i < weights->count; i++) {
        weights->thresholds[i] = UINT32_MAX;
        weights->aliases[i] = i;
        if (shares[i] < 1)
            poor[poor_count++] = i;
        else
            rich[rich_count++] = i;
    }
    /* What is left when one side is empty is 1 but for rounding: a whole column. */
    while (poor_count > 0 && rich_count > 0) {
        uint32_t p = poor[--poor_count], r = rich[rich_count - 1];
        weights->thresholds[p] = (uint32_t)(shares[p] * UINT32_MAX);
        weights->aliases[p] = r;
        shares[r] -= 1 - shares[p];
        if (shares[r] < 1) {
            rich_count--;
            poor[poor_count++] = r;
        }
    }
}

int load_weights_build(struct load_weights *weights, uint32_t count, const uint32_t *values,
                       const uint32_t *shares)
{
    uint32_t *memory = calloc(count, 4 * sizeof(*memory));
    uint32_t *sides = calloc(count, 2 * sizeof(*sides));
    double *scaled = calloc(count, sizeof(*scaled));
    double sum = 0;

    if (!memory || !sides || !scaled) {
        free(memory);
        free(sides);
        free(scaled);
        return -ENOMEM;
    }
    *weights = (struct load_weights){.count = count,
                                     .values = memory,
                                     .weights = memory + count,
                                     .thresholds = memory + 2 * count,
                                     .aliases = memory + 3 * count};
    memcpy(weights->values, values, count * sizeof(*values));
    memcpy(weights->weights, shares, count * sizeof(*shares));
    for (uint32_t i = 0; i < count; i++)
        sum += shares[i];
    for (uint32_t i = 0; i < count; i++)
        scaled[i] = shares[i] * (double)count / sum;
    fill_columns(weights, scaled, sides, sides + count);
    free(sides);
    free(scaled);
    return 0;
}

/* A decimal number 0..most at *at, which moves behind it. */
static bool take_number(const char **at, uint64_t most, uint32_t *number)
{
    uint64_t sum = 0;

    if (!isdigit((unsigned char)**at))
        return false;
    for (; isdigit((unsigned char)**at); (*at)++) {
        sum = sum * 10 + (uint64_t)(**at - '0');
        if (sum > most)
            return false;
    }
    *number = (uint32_t)sum;
    return true;
}

static bool has(const uint32_t *values, uint32_t count, uint32_t value)
{
    for (uint32_t i = 0; i < count; i++)
        if (values[i] == value)
            return true;
    return false;
}

/* Reads the whole list into arrays of COUNT_MAX; how many, or 0 with a message. */
static uint32_t read_list(const char *text, uint32_t most, uint32_t *values, uint32_t *shares,
                          char *message, size_t size)
{
    const char *at = text;
    uint32_t count = 0;

    for (;; at++) {
        uint32_t share = 1;
        if (count == COUNT_MAX) {
            snprintf(message, size, "\"%.40s...\" has more than %d values", text, COUNT_MAX);
            return 0;
        }
        if (!take_number(&at, most, &values[count]) || values[count] == 0 ||
            (*at == ':' && (at++, !take_number(&at, UINT32_MAX, &share))) ||
            (*at != ',' && *at != '\0')) {
            snprintf(message, size,
                     "\"%.80s\" is wrong at its character %zu; write VALUE:WEIGHT,VALUE:WEIGHT,... "
                     "with values from 1 to %u",
                     text, (size_t)(at - text) + 1, most);
            return 0;
        }
        if (has(values, count, values[count])) {
            snprintf(message, size, "\"%.80s\" names %u twice; name each value once", text,
                     values[count]);
            return 0;
        }
        shares[count++] = share;
        if (*at == '\0')
            return count;
    }
}

int load_weights_parse(struct load_weights *weights, const char *text, uint32_t most, char *message,
                       size_t size)
{
    uint32_t *values = calloc(COUNT_MAX, 2 * sizeof(*values));
    uint64_t sum = 0;
    int status = -1;

    if (!values) {
        snprintf(message, size, "no memory for the list \"%.80s\"", text);
        return -1;
    }
    uint32_t *shares = values + COUNT_MAX;
    uint32_t count = read_list(text, most, values, shares, message, size);
    for (uint32_t i = 0; i < count; i++)
        sum += shares[i];
    if (count > 0 && sum == 0)
        snprintf(message, size, "\"%.80s\" has no weight above 0; give at least one", text);
    else if (count > 0 && load_weights_build(weights, count, values, shares) < 0)
        snprintf(message, size, "no memory for the list \"%.80s\"", text);
    else if (count > 0)
        status = 0;
    free(values);
    return status;
}

void load_weights_fini(struct load_weights *weights)
{
    free(weights->values);
    *weights = (struct load_weights){0};
}
