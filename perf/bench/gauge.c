/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What two cores' memory costs at this moment, for the benchmark.
 *
 * gauge line CORE CORE MS      one cache line passed to and fro: ns of one way, the median of short
 * rounds. A shared host moves its cores about, and every figure of two cores moves with them: a
 * slice counts only if this stayed what it was. gauge counters CORE CORE MS  a thread on each core
 * counts, first each in a line of its own, then both in one: counts a second of both together.
 *
 * Prints one JSON object.
 */
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/orders/clock.h"

#define HOPS_OF_ROUND                                                                              \
    256 /* there and back: 20 to 100 us, so that most rounds are not interrupted */
#define ROUNDS_MAX    100000
#define COUNT_AT_ONCE 64

/* Two lines apart, for the prefetcher fetches them in pairs. */
struct line {
    alignas(128) _Atomic uint64_t value;
};

static struct line ball, own[2], shared;
static _Atomic bool over;
static _Atomic unsigned ready;

struct player {
    int core;
    unsigned number;
    uint64_t ms;
    struct line *line;
    uint64_t count, ns;
};

static bool pin(int core)
{
    cpu_set_t cores;

    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    return pthread_setaffinity_np(pthread_self(), sizeof(cores), &cores) == 0;
}

static void *give_back(void *context)
{
    const struct player *player = context;

    if (!pin(player->core))
        exit(EXIT_FAILURE);
    for (uint64_t turn = 1; !atomic_load_explicit(&over, memory_order_relaxed); turn += 2) {
        while (atomic_load_explicit(&ball.value, memory_order_acquire) != turn)
            if (atomic_load_explicit(&over, memory_order_relaxed))
                return NULL;
        atomic_store_explicit(&ball.value, turn + 1, memory_order_release);
    }
    return NULL;
}

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static void line(const int cores[2], uint64_t ms)
{
    static double rounds[ROUNDS_MAX];
    struct player other = {.core = cores[1]};
    uint64_t turn = 0, end_ns;
    unsigned count = 0;
    pthread_t thread;

    if (!pin(cores[0]) || pthread_create(&thread, NULL, give_back, &other) != 0)
        exit(EXIT_FAILURE);
    end_ns = fg_clock_ns(CLOCK_MONOTONIC) + ms * 1000000;
    do {
        uint64_t began = fg_clock_ns(CLOCK_MONOTONIC);
        for (unsigned hop = 0; hop < HOPS_OF_ROUND; hop++, turn += 2) {
            atomic_store_explicit(&ball.value, turn + 1, memory_order_release);
            while (atomic_load_explicit(&ball.value, memory_order_acquire) != turn + 2)
                continue;
        }
        rounds[count++] = (double)(fg_clock_ns(CLOCK_MONOTONIC) - began) / (2.0 * HOPS_OF_ROUND);
    } while (count < ROUNDS_MAX && fg_clock_ns(CLOCK_MONOTONIC) < end_ns);
    atomic_store_explicit(&over, true, memory_order_relaxed);
    pthread_join(thread, NULL);
    qsort(rounds, count, sizeof(rounds[0]), by_size);
    printf("{\"line_ns\": %.1f, \"least_ns\": %.1f, \"rounds\": %u}\n", rounds[count / 2],
           rounds[0], count);
}

static void *count_up(void *context)
{
    struct player *player = context;

    if (!pin(player->core))
        exit(EXIT_FAILURE);
    atomic_fetch_add_explicit(&ready, 1, memory_order_relaxed);
    while (atomic_load_explicit(&ready, memory_order_relaxed) < 2)
        continue;
    uint64_t began = fg_clock_ns(CLOCK_MONOTONIC), now;
    do {
        for (unsigned i = 0; i < COUNT_AT_ONCE; i++)
            atomic_fetch_add_explicit(&player->line->value, 1, memory_order_relaxed);
        player->count += COUNT_AT_ONCE;
        now = fg_clock_ns(CLOCK_MONOTONIC);
    } while (now < began + player->ms * 1000000);
    player->ns = now - began;
    return NULL;
}

/* Counts a second, of both threads together. */
static double counters(const int cores[2], struct line *lines[2], uint64_t ms)
{
    struct player players[2];
    pthread_t threads[2];
    double rate = 0;

    atomic_store(&ready, 0);
    for (unsigned i = 0; i < 2; i++) {
        players[i] = (struct player){.core = cores[i], .number = i, .ms = ms, .line = lines[i]};
        if (pthread_create(&threads[i], NULL, count_up, &players[i]) != 0)
            exit(EXIT_FAILURE);
    }
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        rate += (double)players[i].count * 1e9 / (double)players[i].ns;
    }
    return rate;
}

int main(int argc, char **argv)
{
    int cores[2];
    uint64_t ms;

    if (argc != 5 || (strcmp(argv[1], "line") != 0 && strcmp(argv[1], "counters") != 0)) {
        fprintf(stderr, "usage: gauge line|counters CORE CORE MS\n");
        return 2;
    }
    for (int i = 0; i < 2; i++)
        cores[i] = (int)strtol(argv[2 + i], NULL, 10);
    ms = strtoul(argv[4], NULL, 10);
    if (argv[1][0] == 'l') {
        line(cores, ms);
        return 0;
    }
    double apart = counters(cores, (struct line *[2]){&own[0], &own[1]}, ms);
    double together = counters(cores, (struct line *[2]){&shared, &shared}, ms);
    printf("{\"own_per_s\": %.0f, \"shared_per_s\": %.0f}\n", apart, together);
    return 0;
}
