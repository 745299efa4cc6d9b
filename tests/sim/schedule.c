/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/schedule.h"

#include <stdio.h>

#include "flashgate/exit_status.h"
#include "tests/sim/checks.h"
#include "tests/sim/operator.h"

/* Who acts in a round; the workers come behind the last. */
enum actor { JOURNAL, STORAGE, DELIVERY, CONTROL, CLIENTS, REDIS, LEFT_BEHIND, WORKERS };

#define SUPPLY_STEPS 8 /* the stock is looked at after one of so many steps */
#define SEGMENT_MIN  (32u << 10)

/* --- Starting --- */

static struct engine_plan draw_plan(struct world *world)
{
    struct sim_random *random = &world->random;
    struct engine_plan plan = {
        .workers = (unsigned)random_between(random, 1, SIM_WORKERS_MAX),
        .lane_records = 16u << random_below(random, 3),
        .parked = (uint32_t)random_between(random, 16, 64),
        .log_budget = 64u << 20,
        .log_segment = SEGMENT_MIN << random_below(random, 3),
        .restart_grace_ms = random_below(random, 4) ? (uint32_t)random_scaled(random, 1, 5000) : 0,
        .instance = random_word(random),
        .batch = (unsigned)random_scaled(random, 1, 64),
        .keep_ns = random_scaled(random, 1, 5 * SIM_S),
    };
    return plan;
}

/* The machine's wall clock is set. */
static void set_wall(struct world *world)
{
    int64_t ahead = (int64_t)random_scaled(&world->random, 1, 6000);
    if (random_below(&world->random, 2))
        ahead = -ahead;
    world->wall_went_back |= ahead * (int64_t)SIM_MS < world->wall_ns;
    count_fault(world, ahead * (int64_t)SIM_MS < world->wall_ns ? SIM_WALL_BACK : SIM_WALL_FORWARD);
    world->wall_ns = ahead * (int64_t)SIM_MS;
    event(world, SIM_EVENT_WALL, (uint64_t)ahead, 0, 0);
}

/* ... under an engine that runs. */
static void step_clock(struct world *world)
{
    set_wall(world);
    count_fault(world, SIM_CLOCK_STEP);
    world->engine->clock.wall_ns = world->wall_ns;
}

static void start_later(struct world *world)
{
    struct sim_random *random = &world->random;
    uint64_t pause_ns = random_scaled(random, SIM_MS, 3 * SIM_S);

    if (fault_chance(world, world->profile.long_pause))
        pause_ns = random_between(random, 10 * SIM_S, 300 * SIM_S);
    world->engine = NULL;
    world->start_at_ns = world->now_ns + pause_ns;
}

/* The process is gone, with all that it had open. */
static void bury(struct world *world)
{
    checks_leave(world);
    disk_process_died(world->disk);
    network_drop(world);
}

/* A start with a turned bit must be refused, and must change nothing. */
static void start_rotten(struct world *world)
{
    struct engine_plan plan = draw_plan(world);
    struct disk_faults faults = world->disk->faults;

    if (!disk_rot(world->disk))
        return;
    uint64_t before = disk_hash(world->disk);
    world->disk->faults = (struct disk_faults){0};
    int status = engine_start(world, &plan);
    world->disk->faults = faults;
    if (status != FG_EXIT_CORRUPT)
        world_fail(world, "a log with a turned bit was met with status %d: %s", status,
                   world->refusal);
    else if (disk_hash(world->disk) != before)
        world_fail(world, "a log that was refused as corrupt was changed");
    bury(world);
    disk_heal_rot(world->disk);
    world->stats->refused_starts++;
}

/* --- Taking over --- */

/* An engine on the copy, for a moment: the fence's epoch is used up. */
static bool use_up_epoch(struct world *world)
{
    struct engine_plan plan = draw_plan(world);
    int status = engine_start(world, &plan);

    if (status == FG_EXIT_OK) {
        engine_stop(world->engine);
        world->engine = NULL;
        world->taking_over = false;
        return true;
    }
    bury(world);
    start_later(world);
    return false;
}

/* Fences every stream for the epoch after the old engine's. False: Redis does not answer. */
static bool fence_all(struct world *world)
{
    const struct sim_engine *old = world->engine;
    struct redis_way way;

    redis_way_init(&way, world, fg_journal_epoch(old->engine.journal) + 1,
                   random_word(&world->random));
    if (way.seam.connect(&way) != FG_REDIS_OK)
        return false;
    for (unsigned s = 0; s < world->profile.sales; s++) {
        char name[FG_SALE_NAME_MAX + 1];
        struct fg_redis_append claim = {.sale = name};
        snprintf(name, sizeof(name), "sale%u", s + 1);
        if (!way.connected || way.seam.append(&way, &claim) != FG_REDIS_OK)
            return false;
        world->fence_claimed = true;
    }
    return true;
}

static void start(struct world *world)
{
    struct engine_plan plan = draw_plan(world);

    if (fault_chance(world, world->profile.wall_step))
        set_wall(world);
    if (fault_chance(world, world->profile.rot))
        start_rotten(world);
    if (world->failed)
        return;
    if (world->taking_over && !use_up_epoch(world))
        return;
    int status = engine_start(world, &plan);
    if (status == FG_EXIT_OK) {
        world->stats->starts++;
        checks_follow(world->engine);
        return;
    }
    world->stats->refused_starts++;
    bury(world);
    start_later(world);
    if (status != FG_EXIT_DISK || world->healed)
        world_fail(world, "a start was refused with status %d: %s", status, world->refusal);
}

/* As flashgatectl takeover does: fence, then copy; the old engine does not know. */
static void take_over(struct world *world)
{
    struct sim_engine *old = world->engine;

    if (world->zombie || !fence_all(world))
        return;
    checks_leave(world);
    event(world, SIM_EVENT_TAKEOVER, old->number, 0, 0);
    count_fault(world, SIM_ZOMBIE);
    world->disk = disk_copy(old->disk);
    world->disk->flushes = random_below(&world->random, 2) == 0;
    world->disk->faults = old->disk->faults;
    world->disk->sector = old->disk->sector;
    world->zombie = old;
    world->left_behind = world->taking_over = true;
    /* It may be cut off from Redis for a while, and hears of its fence when it is not any more. */
    old->way.busy_until_ns = world->now_ns + random_scaled(&world->random, 1, 10 * SIM_S);
    network_drop(world);
    start_later(world);
}

/* A step of the engine that was left behind; it ends when it learns that it is fenced. */
static void act_zombie(struct world *world)
{
    struct sim_engine *e = world->zombie;

    switch (random_below(&world->random, 4)) {
    case 0:
        engine_journal(e);
        break;
    case 1:
        engine_delivery(e);
        break;
    case 2:
        engine_storage(e);
        break;
    default:
        engine_worker(e, (unsigned)random_below(&world->random, e->engine.config.workers));
        break;
    }
    int failed = engine_failed(e);
    if (failed == FG_EXIT_OK)
        return;
    event(world, SIM_EVENT_STOP, e->number, (unsigned)failed, 0);
    world->zombie = NULL;
    network_drop_zombie(world);
}

/* --- Ending --- */

void schedule_death(struct world *world)
{
    bool power = random_below(&world->random, 5) < 3;
    unsigned number = world->engine ? world->engine->number : world->engines;

    event(world, SIM_EVENT_CRASH, number, power, 0);
    count_fault(world, power ? SIM_CRASH_POWER : SIM_CRASH_PROCESS);
    world->crashes++;
    bury(world);
    if (power)
        disk_power_cut(world->disk);
    start_later(world);
}

/* A part has failed for good: the process ends by itself. */
static void end_failed(struct world *world, int status)
{
    event(world, SIM_EVENT_STOP, world->engine->number, (unsigned)status, 0);
    /* A takeover that was begun shuts the engine out, also one that came to nothing. */
    if (world->healed && !(status == FG_EXIT_FENCED && world->fence_claimed))
        world_fail(world, "the engine ended with status %d, with nothing wrong", status);
    bury(world);
    start_later(world);
}

/* --- A round --- */

static void act(struct world *world, unsigned actor)
{
    struct sim_engine *e = world->engine;

    world->stats->steps++;
    if (actor == CLIENTS) {
        clients_step(world);
        return;
    }
    if (actor == REDIS) {
        redis_step(world);
        return;
    }
    if (actor == LEFT_BEHIND && world->zombie) {
        act_zombie(world);
        return;
    }
    if (!e || actor == LEFT_BEHIND)
        return;
    if (actor == CONTROL && fault_chance(world, world->profile.zombie)) {
        take_over(world);
        return;
    }
    if (actor == CONTROL && fault_chance(world, world->profile.clock_step))
        step_clock(world);
    if (actor == STORAGE && fault_chance(world, world->profile.no_room)) {
        count_fault(world, SIM_DISK_NO_ROOM);
        world->disk->full_until_ns =
            world->now_ns + random_scaled(&world->random, SIM_MS, 20 * SIM_S);
    }
    world->may_crash = true;
    switch (actor) {
    case JOURNAL:
        world->writing = true;
        engine_journal(e);
        world->writing = false;
        break;
    case STORAGE:
        engine_storage(e);
        break;
    case DELIVERY:
        engine_delivery(e);
        break;
    case CONTROL:
        engine_control(e);
        operator_step(e);
        break;
    default:
        engine_worker(e, actor - WORKERS);
        if (world->stats->steps % SUPPLY_STEPS == 0)
            checks_supply(e);
        break;
    }
    if (fault_chance(world, world->profile.crash_between) &&
        world->crashes < world->profile.crashes_max) {
        count_fault(world, SIM_CRASH_BETWEEN);
        world_crash(world);
    }
    world->may_crash = false;
    int failed = engine_failed(e);
    if (failed != FG_EXIT_OK)
        end_failed(world, failed);
}

static bool stands_still(struct world *world, unsigned actor)
{
    uint64_t *until = &world->stalled_until_ns[actor];

    if (*until > world->now_ns && !world->healed)
        return true;
    if (!fault_chance(world, world->profile.stall))
        return false;
    uint64_t ns = random_scaled(&world->random, SIM_MS / 10, SIM_S);
    *until = world->now_ns + ns;
    count_fault(world, SIM_STALL);
    event(world, SIM_EVENT_STALL, actor, ns / 1000, 0);
    return true;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Mostly a little; when nothing but waiting is left, up to what is next. */
static void pass_time(struct world *world)
{
    uint64_t ns = random_scaled(&world->random, 1000, world->profile.round_ns);
    uint64_t next = min_u64(network_next_ns(world), clients_next_ns(world));

    if (!world->engine)
        next = world->start_at_ns;
    if (next != UINT64_MAX && next > world->now_ns + ns && random_below(&world->random, 4) == 0)
        ns = min_u64(next - world->now_ns, 500 * SIM_MS);
    else if (next == UINT64_MAX)
        ns += random_below(&world->random, 100 * SIM_MS);
    world->now_ns += ns;
    event(world, SIM_EVENT_TIME, ns / 1000, 0, 0);
}

static void act_all(struct world *world)
{
    unsigned workers = world->engine ? world->engine->engine.config.workers : 0;
    unsigned count = WORKERS + workers;
    unsigned order[WORKERS + SIM_WORKERS_MAX];

    for (unsigned i = 0; i < count; i++) {
        unsigned at = (unsigned)random_below(&world->random, i + 1);
        order[i] = order[at];
        order[at] = i;
    }
    for (unsigned i = 0; i < count && !world->failed; i++) {
        bool idle = random_below(&world->random, 4) == 0;
        if (!idle && !stands_still(world, order[i]) && (order[i] < WORKERS || world->engine))
            act(world, order[i]);
    }
}

void schedule_round(struct world *world)
{
    if (setjmp(world->crash) == 0) {
        if (!world->engine && world->now_ns >= world->start_at_ns) {
            world->may_crash = world->starting = true;
            start(world);
            world->may_crash = world->starting = false;
        }
        act_all(world);
    } else {
        if (world->starting)
            count_fault(world, SIM_CRASH_IN_START);
        world->may_crash = world->starting = world->writing = false;
        schedule_death(world);
    }
    pass_time(world);
}

void schedule_heal(struct world *world)
{
    world->healed = true;
    world->to_be_drained = world->profile.drains;
    event(world, SIM_EVENT_HEAL, 0, 0, 0);
    redis_heal(world);
    world->disk->faults = (struct disk_faults){0};
    if (world->zombie)
        world->zombie->disk->faults = (struct disk_faults){0};
    world->profile.net_delay_ns = min_u64(world->profile.net_delay_ns, SIM_MS);
    world->profile.round_ns = 2 * SIM_MS;
}
