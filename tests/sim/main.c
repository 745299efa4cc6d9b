/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flashgate-sim: runs seeds one after the other, each in a process of its own, so that a run that
 * crashes or hangs is a failed run, and what a crashed engine leaves in memory is gone with it.
 */
#include <assert.h>
#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dataplane/orders/clock.h"
#include "flashgate/exit_status.h"
#include "tests/sim/world.h"

#define RUN_LIMIT_S 60 /* of real time: a run takes well under one second */

/* What a run's process tells the one that started it. */
struct outcome {
    struct sim_stats stats;
    uint64_t hash;
    bool done, failed;
    char failure[1024];
};

struct options {
    uint64_t seed, runs;
    double seconds; /* 0: no limit */
    bool trace, coverage, twice;
};

static const char usage[] =
    "usage: flashgate-sim [--seed N] [--runs N] [--seconds S] [--trace] [--coverage] [--twice]\n"
    "Runs the seeds N, N+1 ...; the first violation ends it with status 1 and the line that\n"
    "replays it. --seed now begins with one taken from the clock. --trace prints every event.\n"
    "--coverage fails if some fault never occurred. --twice runs each seed a second time and\n"
    "compares the traces.\n";

static struct outcome *outcome;

static void run_here(uint64_t seed, bool trace)
{
    static struct world world;

    /* What a crash leaves is given back by the end of the process alone; until then memory goes
     * round without asking the kernel. */
    mallopt(M_MMAP_THRESHOLD, 64 << 20);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    alarm(RUN_LIMIT_S);
    world_run(&world, seed, &outcome->stats, trace);
    outcome->failed = world.failed;
    memcpy(outcome->failure, world.failure, sizeof(outcome->failure));
    outcome->hash = world.trace.hash;
    outcome->done = true;
    fflush(stdout);
    _exit(0);
}

/* False: it failed, and *failure says how. */
static bool run(uint64_t seed, bool trace)
{
    int status = 0;

    memset(outcome, 0, sizeof(*outcome));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        run_here(seed, trace);
    waitpid(child, &status, 0);
    if (!outcome->done)
        snprintf(outcome->failure, sizeof(outcome->failure), "%s",
                 WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "the run's process ended");
    return outcome->done && !outcome->failed;
}

static void tell_failure(uint64_t seed)
{
    printf("not ok seed %" PRIu64 ": %s\n", seed, outcome->failure);
    printf("replay: make sim SEED=%" PRIu64 " RUNS=1\n", seed);
}

/* The same seed a second time must go the same way. */
static bool run_twice(uint64_t seed)
{
    uint64_t hash = outcome->hash;

    if (run(seed, false) && outcome->hash == hash)
        return true;
    printf("not ok seed %" PRIu64 ": a second run went another way (%016" PRIx64
           ", then %016" PRIx64 ")\n",
           seed, hash, outcome->hash);
    return false;
}

static double now_s(void)
{
    return (double)fg_clock_ns(CLOCK_MONOTONIC) / 1e9;
}

static int run_all(const struct options *options)
{
    static struct sim_stats sum;
    double until = now_s() + options->seconds;
    uint64_t seed = options->seed, done = 0;

    for (; done < options->runs && (options->seconds == 0 || now_s() < until); done++, seed++) {
        bool right = run(seed, options->trace);
        stats_add(&sum, &outcome->stats);
        if (!right) {
            tell_failure(seed);
            return FG_EXIT_FAILED;
        }
        if (options->twice && !run_twice(seed))
            return FG_EXIT_FAILED;
    }
    stats_print(&sum);
    printf("ok seeds %" PRIu64 " to %" PRIu64 "\n", options->seed, seed - 1);
    return options->coverage && stats_missing(&sum) > 0 ? FG_EXIT_FAILED : FG_EXIT_OK;
}

static uint64_t number(const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 0);

    if (*text == '\0' || *end != '\0') {
        fprintf(stderr, "flashgate-sim: %s is no number\n%s", text, usage);
        exit(FG_EXIT_USAGE);
    }
    return value;
}

int main(int argc, char **argv)
{
    static const struct option names[] = {
        {"seed", required_argument, NULL, 's'},    {"runs", required_argument, NULL, 'r'},
        {"seconds", required_argument, NULL, 'S'}, {"trace", no_argument, NULL, 't'},
        {"coverage", no_argument, NULL, 'c'},      {"twice", no_argument, NULL, '2'},
        {"help", no_argument, NULL, 'h'},          {0}};
    struct options options = {.seed = 1, .runs = UINT64_MAX};
    int option;

    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (option) {
        case 's':
            options.seed =
                strcmp(optarg, "now") == 0 ? (uint64_t)time(NULL) * 1000 : number(optarg);
            break;
        case 'r':
            options.runs = number(optarg);
            break;
        case 'S':
            options.seconds = (double)number(optarg);
            break;
        case 't':
            options.trace = true;
            break;
        case 'c':
            options.coverage = true;
            break;
        case '2':
            options.twice = true;
            break;
        default:
            fputs(usage, option == 'h' ? stdout : stderr);
            return option == 'h' ? FG_EXIT_OK : FG_EXIT_USAGE;
        }
    }
    if (options.runs == UINT64_MAX && options.seconds == 0)
        options.runs = 1;
    outcome =
        mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert(outcome != MAP_FAILED);
    return run_all(&options);
}
