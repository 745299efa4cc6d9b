/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A run, from its seed to its verdict:
 *
 *   faults    the sales are applied and opened, clients order, everything that the profile allows
 *             goes wrong, engines die and start
 *   healed    nothing goes wrong any more; every request must be answered to its end
 *   last      somebody wants every unit that is left, and is told so
 *   again     everybody asks once more what became of their order
 *   restart   the engine is stopped, and its successor must know all of it
 *   drained   log, streams, stock and histories are held against each other
 */
#include "tests/sim/world.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "tests/sim/checks.h"
#include "tests/sim/operator.h"
#include "tests/sim/schedule.h"

/* Rounds that a healed world may take to come to rest, and the time that may pass in them. */
#define REST_ROUNDS 3000000
#define REST_NS     (3600 * SIM_S)

struct world *the_world;

void world_fail(struct world *world, const char *format, ...)
{
    if (world->failed)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(world->failure, sizeof(world->failure), format, args);
    va_end(args);
    world->failed = true;
}

void world_crash(struct world *world)
{
    longjmp(world->crash, 1);
}

bool world_crash_due(struct world *world, unsigned per_million, enum sim_fault place)
{
    if (!world->may_crash || world->crashes >= world->profile.crashes_max ||
        !fault_chance(world, per_million))
        return false;
    count_fault(world, place);
    return true;
}

void world_may_crash(struct world *world, unsigned per_million, enum sim_fault place)
{
    if (world_crash_due(world, per_million, place))
        world_crash(world);
}

void world_meanwhile(struct world *world)
{
    struct sim_engine *e = world->engine;

    if (!world->writing || !e || random_below(&world->random, 2))
        return;
    world->writing = false;
    for (uint64_t some = random_below(&world->random, 4); some > 0; some--)
        engine_worker(e, (unsigned)random_below(&world->random, e->engine.config.workers));
    if (random_below(&world->random, 2))
        clients_step(world);
    world->writing = true;
}

#ifdef FG_FAULTS
static void at_crash_point(enum fg_crash_point at)
{
    struct world *world = the_world;

    if (!world->may_crash || world->healed || world->crashes >= world->profile.crashes_max ||
        !(world->profile.crash_points >> at & 1) ||
        !random_chance(&world->random, world->profile.crash_point))
        return;
    world->stats->crashed_at[at]++;
    world_crash(world);
}
#endif

/* The machine's random numbers come from the seed, too: a log's id, a table's hash. */
ssize_t getrandom(void *buffer, size_t length, unsigned flags)
{
    uint8_t *bytes = buffer;
    (void)flags;
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)random_word(&the_world->random);
    return (ssize_t)length;
}

static void begin(struct world *world, uint64_t seed, struct sim_stats *stats, bool print)
{
    memset(world, 0, sizeof(*world));
    world->random.seed = load_mix64(seed);
    world->trace.print = print;
    world->stats = stats;
    world->now_ns = 10 * SIM_S;
    the_world = world;
    json_object_seed(1);
    profile_draw(&world->profile, &world->random);
    world->lists.random.seed = load_mix64(~seed);
    world->disk = disk_create(world);
    world->disk->flushes = random_below(&world->random, 2) == 0;
    /* A frame of few records fits a sector of 512 bytes; with less than any disk has, all tear. */
    world->disk->sector = random_below(&world->random, 4) == 0 ? 512 : 64;
    world->disk->faults = (struct disk_faults){
        .write_eio = world->profile.write_eio,
        .flush_eio = world->profile.flush_eio,
        .read_eio = world->profile.read_eio,
        .full = world->profile.full,
        .crash = world->profile.crash_disk,
        .tear = world->profile.tear,
    };
#ifdef FG_FAULTS
    fg_crash_hook = at_crash_point;
#endif
}

/* --- Coming to rest --- */

static bool answered(const struct world *world)
{
    return world->engine && operator_settled(world->engine) && world->clients.unsettled == 0;
}

/* An old engine must have learnt that it is fenced, unless it has no stream to learn it from: no
 * sale at all, or only such as its successor has archived, and Redis has forgotten their fence
 * (docs/reliability.md: a fence is as durable as Redis). */
static bool lives_on(const struct world *world)
{
    if (!world->zombie)
        return false;
    const struct fg_model *old = &world->zombie->engine.control->model;
    for (unsigned i = 0; i < old->sales_count; i++)
        if (!world->engine || !world->redis.fence_lost ||
            fg_model_sale_number(&world->engine->engine.control->model, old->sales[i]->number))
            return true;
    return false;
}

/* Does nothing wait any more, and is no hold left that may run out and bring units back? */
static bool at_rest(const struct world *world)
{
    if (lives_on(world) || !answered(world) || world->network.count > 0 ||
        !engine_quiet(world->engine))
        return false;
    for (unsigned w = 0; w < world->engine->engine.config.workers; w++)
        if (atomic_load(&fg_admission_gauges(world->engine->plan.admissions[w])->holds) > 0)
            return false;
    return true;
}

/* I9: healed, the world comes to rest. */
static bool come_to_rest(struct world *world, const char *what)
{
    uint64_t until_ns = world->now_ns + REST_NS;

    for (unsigned i = 0; !at_rest(world) && !world->failed; i++) {
        schedule_round(world);
        if (world->engine && i % 16 == 0 && engine_quiet(world->engine))
            checks_stock(world->engine);
        if (i > REST_ROUNDS || world->now_ns > until_ns)
            world_fail(world,
                       "I9: %s, but there is no rest: engine %s, %u requests unsettled, %u "
                       "datagrams on their way, old engine %s, operator %s, engine %s",
                       what, world->engine ? "serves" : "is away", world->clients.unsettled,
                       world->network.count, lives_on(world) ? "lives on" : "is gone",
                       world->engine && operator_settled(world->engine) ? "done" : "not done",
                       world->engine && engine_quiet(world->engine) ? "quiet" : "busy");
    }
    return !world->failed;
}

/* Last orders: somebody new for every unit that is left, and a few more. False: none was left. */
static bool ask_for_the_rest(struct world *world)
{
    const struct fg_model *model = &world->engine->engine.control->model;
    bool any = false;

    for (unsigned i = 0; i < world->profile.items; i++) {
        const struct fg_model_item *item = fg_model_item(model, i + 1);
        if (!item || item->item.state != FG_SALE_OPEN || item->state != FG_ITEM_RUNNING)
            continue;
        uint32_t left = fg_stock_free_units(&world->engine->engine.stock, item->item.slot);
        event(world, SIM_EVENT_DRAIN, left, i + 1, 0);
        for (uint32_t n = 0; n < left + 2; n++)
            clients_close_item(world, i + 1, 1);
        any |= left > 0;
    }
    return any;
}

/* A hold may run out on the way, so it is tried again; a unit that nobody gets is checks_end's. */
static bool sell_the_rest(struct world *world)
{
    for (unsigned i = 0; i < 5; i++) {
        bool any = ask_for_the_rest(world);
        if (!come_to_rest(world, "the last units were asked for"))
            return false;
        if (!any)
            break;
    }
    return true;
}

static void restart(struct world *world)
{
    network_drop(world);
    checks_leave(world);
    event(world, SIM_EVENT_STOP, world->engine->number, 0, 0);
    engine_stop(world->engine);
    world->engine = NULL;
    world->start_at_ns = world->now_ns;
}

bool world_run(struct world *world, uint64_t seed, struct sim_stats *stats, bool print)
{
    begin(world, seed, stats, print);
    for (uint32_t i = 0; i < world->profile.rounds && !world->failed; i++)
        schedule_round(world);
    schedule_heal(world);
    if (come_to_rest(world, "healed") && sell_the_rest(world)) {
        restart(world);
        clients_ask_again(world);
        if (come_to_rest(world, "the successor was asked for every order"))
            checks_end(world->engine);
    }
    stats->runs++;
    stats->failed += world->failed;
    stats->simulated_ms += world->now_ns / SIM_MS;
    return !world->failed;
}
