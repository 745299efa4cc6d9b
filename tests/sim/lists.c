/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/lists.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "control/lists/reload.h"
#include "tests/sim/operator.h"

#define NUMBERS 64 /* of buyers that can be listed: a bit for each */

/* --- Making them --- */

static uint32_t write_buyers(uint8_t (*buyers)[FG_BUYER_BYTES], uint64_t bits)
{
    uint32_t count = 0;

    memset(buyers, 0, NUMBERS * sizeof(buyers[0]));
    for (uint64_t number = 0; number < NUMBERS; number++)
        if (bits >> number & 1)
            memcpy(buyers[count++], &number, sizeof(number));
    return count;
}

static void end(struct fg_shared *shared)
{
    struct fg_listing *listing = (struct fg_listing *)shared;

    fg_lists_destroy(listing->lists);
    free(listing);
}

/* What reading the files makes; as fg_listing_load(). */
static struct fg_listing *read_files(struct world *world)
{
    uint8_t buyers[2][NUMBERS][FG_BUYER_BYTES];
    struct fg_lists_input input = {
        .buyers = {(const void *)buyers[0], (const void *)buyers[1]},
        .buyers_count = {write_buyers(buyers[0], world->lists.files.blocked),
                         write_buyers(buyers[1], world->lists.files.allowed)},
        .seed = {random_word(&world->lists.random), random_word(&world->lists.random)},
    };
    struct fg_listing *listing = calloc(1, sizeof(*listing));

    assert(listing);
    listing->lists = fg_lists_create(&input);
    assert(listing->lists);
    fg_shared_init(&listing->shared, end);
    return listing;
}

void lists_start(struct sim_engine *e)
{
    fg_listing_drop(fg_lists_put(e->engine.control, read_files(e->world)));
    e->desk.lists.asked = e->desk.lists.told = e->world->lists.files;
}

/* --- The operator --- */

/* Each buyer once in four or eight times. */
static uint64_t some(struct sim_random *random)
{
    uint64_t bits = random_word(random) & random_word(random);

    return random_below(random, 2) ? bits : bits & random_word(random);
}

bool lists_step(struct sim_engine *e)
{
    struct world *world = e->world;
    struct sim_random *random = &world->lists.random;

    if (world->profile.lists_ns == 0 || world->healed || world->now_ns < world->lists.edit_at_ns)
        return false;
    world->lists.edit_at_ns =
        world->now_ns + random_scaled(random, SIM_MS, 2 * world->profile.lists_ns);
    world->lists.files.blocked = random_below(random, 5) ? some(random) : 0;
    world->lists.files.allowed = random_below(random, 2) ? some(random) : 0;
    if (random_below(random, 4) == 0) {
        operator_note(e, SIM_OP_EDIT_LISTS, world->lists.files.blocked, world->lists.files.allowed);
        return false; /* and forgot to have them reloaded */
    }
    operator_note(e, SIM_OP_RELOAD_LISTS, world->lists.files.blocked, world->lists.files.allowed);
    e->desk.lists.asked = world->lists.files;
    e->desk.lists.reloads = true;
    fg_listing_drop(fg_lists_put(e->engine.control, read_files(world)));
    fg_change_begin_reissue(e->engine.control);
    return true;
}

void lists_desk(struct sim_engine *e)
{
    if (!e->desk.lists.reloads || e->engine.control->change.stage != FG_CHANGE_NONE)
        return;
    e->desk.lists.reloads = false;
    e->desk.lists.told = e->desk.lists.asked;
}

bool lists_done(const struct sim_engine *e)
{
    return !e->desk.lists.reloads;
}

/* --- Checks --- */

static bool blocks(const struct sim_listed *listed, const uint8_t *buyer)
{
    uint64_t number;

    memcpy(&number, buyer, sizeof(number));
    return number < NUMBERS && ((listed->blocked & ~listed->allowed) >> number & 1);
}

/* Is the buyer blocked, or not, whichever lists a worker goes by? */
static bool surely(const struct sim_engine *e, const uint8_t *buyer, bool blocked)
{
    return blocks(&e->desk.lists.told, buyer) == blocked &&
           blocks(&e->desk.lists.asked, buyer) == blocked;
}

static unsigned long long number_of(const uint8_t *buyer)
{
    uint64_t number;

    memcpy(&number, buyer, sizeof(number));
    return number;
}

void lists_check_records(const struct sim_engine *e, unsigned w, uint64_t queued)
{
    const struct fg_lane *lane = fg_journal_lane(e->engine.journal, w);
    const struct rte_ring *ring = lane->ring;
    const struct fg_order_event *records = (const void *)(ring + 1);

    for (uint32_t back = 1; back <= lane->queued - queued; back++) {
        const struct fg_order_event *event = &records[(ring->prod.tail - back) & ring->mask];
        if (event->kind == FG_EVENT_ADMIT && surely(e, event->buyer, true))
            world_fail(e->world, "buyer %llu is on the block list, and got order %" PRIu64,
                       number_of(event->buyer), event->order);
    }
}

/* Verdicts on a new order that come after the look at the lists, at the step that decides. An
 * ADMITTED may be told later: its record was looked at. */
static bool comes_after(unsigned verdict)
{
    switch (verdict) {
    case FG_VERDICT_SOLD_OUT:
    case FG_VERDICT_ALL_HELD:
    case FG_VERDICT_LIMIT_REACHED:
    case FG_VERDICT_NOT_OPEN:
    case FG_VERDICT_CLOSED:
    case FG_VERDICT_PAUSED:
    case FG_VERDICT_BAD_QUANTITY:
        return true;
    default:
        return false;
    }
}

void lists_check_reply(const struct sim_engine *e, const struct fg_header *header,
                       const struct fg_reply *reply)
{
    const struct fg_history_record *asked = clients_asked(e->world, header->time_ns);

    if (!asked)
        return;
    if (reply->verdict == FG_VERDICT_BLOCKED) {
        e->world->stats->blocked++;
        if (asked->op != FG_OP_ORDER || surely(e, asked->buyer, false))
            world_fail(e->world, "request %" PRIu64 " of buyer %llu was told BLOCKED, and is not",
                       reply->request, number_of(asked->buyer));
    }
    if (asked->op == FG_OP_ORDER && comes_after(reply->verdict) && surely(e, asked->buyer, true))
        world_fail(e->world,
                   "buyer %llu is on the block list, and was told %s for request %" PRIu64,
                   number_of(asked->buyer), fg_verdict_name(reply->verdict), reply->request);
}
