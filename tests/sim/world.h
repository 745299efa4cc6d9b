/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A run: one world with its time, chance, disk, Redis, network, clients, operator and engines.
 * Everything happens in one thread, one step after the other, in an order drawn from the seed.
 *
 * A crash is a longjmp out of whatever the engine is doing, to the step that world.c made; the
 * memory of the engine that died is left alone until the run's process ends.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <setjmp.h>

#include "dataplane/admission/catalogue.h"
#include "tests/sim/clients.h"
#include "tests/sim/clock.h"
#include "tests/sim/disk.h"
#include "tests/sim/network.h"
#include "tests/sim/profile.h"
#include "tests/sim/random.h"
#include "tests/sim/redis.h"
#include "tests/sim/stats.h"
#include "tests/sim/trace.h"

struct sim_engine;

/* Who is on which list, a bit for each buyer's number; who is on both is allowed. */
struct sim_listed {
    uint64_t blocked, allowed;
};

struct world {
    struct sim_random random;
    struct sim_trace trace;
    struct sim_stats *stats;
    struct sim_profile profile;
    uint64_t now_ns; /* the true time */
    int64_t wall_ns; /* by how much the engine's wall clock is ahead */
    bool wall_went_back;

    struct sim_disk *disk;
    struct sim_redis redis;
    struct sim_network network;
    struct sim_clients clients;
    struct sim_engine *engine; /* serves; NULL: none */
    struct sim_engine *zombie; /* was left behind and lives on; NULL: none */
    bool left_behind;          /* there was one */
    bool fence_claimed;        /* by a takeover that may not have come about */
    bool taking_over;          /* the fence's epoch is not used up yet */
    uint64_t start_at_ns;      /* the next engine starts; meaningless while one serves */
    unsigned engines;          /* started so far */
    uint64_t stalled_until_ns[16];
    uint64_t operator_at_ns, late_at_ns;
    /* The engine's mode: as the operator was last told, and as it was last asked for. */
    enum fg_engine_mode mode_told, mode_asked;
    bool to_be_drained; /* once more, when everything is healed */
    struct {
        struct sim_random random;
        struct sim_listed files; /* as they are on the disk */
        uint64_t edit_at_ns;
    } lists;

    /* a crash on the way */
    jmp_buf crash;
    bool may_crash; /* an engine of ours is being stepped */
    bool writing;   /* its journal is: workers go on while it waits for the disk */
    bool starting;
    bool healed;
    unsigned crashes;

    char refusal[512]; /* why the last engine did not start */
    bool failed;
    char failure[1024]; /* the first violation, as a sentence */
};

/* The run whose engine is being stepped: hooks without an argument need it. */
extern struct world *the_world;

/* world.c: a whole run. False: something was violated; world->failure says what. */
bool world_run(struct world *world, uint64_t seed, struct sim_stats *stats, bool print);

/* Notes a violation; the first one is told. The run goes on to its next step and ends. */
__attribute__((format(printf, 2, 3))) void world_fail(struct world *world, const char *format, ...);

/* Whether chance ends the engine's life here; then the caller must do so. `place`: is counted. */
bool world_crash_due(struct world *world, unsigned per_million, enum sim_fault place);
/* Ends it, if chance has it so. */
void world_may_crash(struct world *world, unsigned per_million, enum sim_fault place);

/* The journal waits for the disk: workers and clients go on meanwhile, if chance has it so. */
void world_meanwhile(struct world *world);

/* Ends the engine's life here. */
__attribute__((noreturn)) void world_crash(struct world *world);

static inline void event(struct world *world, enum sim_event what, uint64_t a, uint64_t b,
                         uint64_t c)
{
    trace_event(&world->trace, world->now_ns, what, a, b, c);
}

static inline void count_fault(struct world *world, enum sim_fault fault)
{
    world->stats->faults[fault]++;
}

/* Chance of a fault: none after everything was healed. */
static inline bool fault_chance(struct world *world, unsigned per_million)
{
    return per_million != 0 && !world->healed && random_chance(&world->random, per_million);
}

#endif
