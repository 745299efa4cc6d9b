/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/engine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/admission/rates.h"
#include "dataplane/orders/delivery_internal.h"
#include "flashgate/exit_status.h"
#include "tests/sim/checks.h"
#include "tests/sim/lists.h"

#define BURST 6

static void *zeroed(size_t bytes)
{
    void *memory = aligned_alloc(128, (bytes + 127) / 128 * 128);
    assert(memory);
    return memset(memory, 0, bytes);
}

static void configure(struct sim_engine *e, const struct engine_plan *plan)
{
    e->engine.config = (struct fg_config){
        .workers = plan->workers,
        .partitions = SIM_PARTITIONS,
        .base_port = 20480,
        .unsigned_allowed = true, /* no key file; the key is added by hand */
        .freshness_ms = 30000,
        .log_dir = "log",
        .log_budget = plan->log_budget,
        .log_segment = plan->log_segment,
        .lane_records = plan->lane_records,
        .restart_grace_ms = plan->restart_grace_ms,
        .limit_orders = 4096,
        .limit_items = SIM_SLOTS,
        .orders_per_buyer = 16,
        .limit_parked = plan->parked,
        .redis_socket = "redis",
    };
}

static void make_workers(struct sim_engine *e)
{
    const struct fg_config *config = &e->engine.config;

    e->plan.engine = &e->engine;
    for (unsigned w = 0; w < config->workers; w++) {
        struct fg_counters *counters = zeroed(sizeof(*counters));
        struct fg_admission_config admission = {
            .worker = w,
            .workers = config->workers,
            .node = 5,
            .partitions = config->partitions,
            .base_port = config->base_port,
            .orders = config->limit_orders,
            .orders_per_buyer = config->orders_per_buyer,
            .parked = config->limit_parked,
            .lane_records = config->lane_records,
            .seed = random_word(&e->world->random),
            .penalty = e->world->profile.penalty,
            .stock = &e->engine.stock,
            .counters = counters,
        };
        e->plan.admissions[w] = fg_admission_create(&admission);
        e->engine.workers[w] = zeroed(sizeof(struct fg_worker));
        *e->engine.workers[w] = (struct fg_worker){.engine = &e->engine,
                                                   .index = w,
                                                   .admission = e->plan.admissions[w],
                                                   .counters = counters};
        atomic_store(&e->engine.workers[w]->state, FG_WORKER_RUNNING);
    }
}

static uint64_t durable(void *arg)
{
    return fg_journal_durable(arg);
}

static void fenced(void *arg)
{
    fg_journal_fence(arg);
}

static uint64_t delivered(void *arg, uint32_t sale)
{
    return fg_delivery_stream(arg, sale).delivered;
}

static uint64_t consumed(void *arg, uint32_t sale)
{
    return fg_delivery_stream(arg, sale).consumed;
}

static int make_delivery(struct sim_engine *e, const struct engine_plan *plan)
{
    int error;
    redis_way_init(&e->way, e->world, fg_journal_epoch(e->engine.journal), plan->instance);
    struct fg_delivery_config config = {
        .dir = e->engine.config.log_dir,
        .disk = &e->disk->seam,
        .clock = &e->clock.seam,
        .link = &e->way.seam,
        .batch = plan->batch,
        .durable = durable,
        .durable_arg = e->engine.journal,
        .fenced = fenced,
        .fenced_arg = e->engine.journal,
    };
    e->engine.delivery = fg_delivery_create(&config, &error);
    if (!e->engine.delivery)
        return FG_EXIT_FAILED;
    fg_journal_retain(e->engine.journal, &(struct fg_retention){.arg = e->engine.delivery,
                                                                .delivered = delivered,
                                                                .consumed = consumed,
                                                                .keep_ns = plan->keep_ns});
    return FG_EXIT_OK;
}

/* The page's ticks are nanoseconds here. */
static void write_clock(struct sim_engine *e)
{
    uint64_t monotonic_ns = e->clock.seam.monotonic_ns(&e->clock);

    fg_clock_page_write(&e->engine.clock, monotonic_ns, clock_wall_ns(&e->clock), monotonic_ns);
}

int engine_start(struct world *world, const struct engine_plan *plan)
{
    struct sim_engine *e = zeroed(sizeof(*e));
    int status;

    e->world = world;
    e->number = ++world->engines;
    e->disk = world->disk;
    e->began_ns = world->now_ns;
    clock_init(&e->clock, &world->now_ns);
    e->clock.boot_ns = world->now_ns > SIM_S ? world->now_ns - SIM_S : 0;
    e->clock.wall_ns = world->wall_ns;
    clock_use(&e->clock);
    event(world, SIM_EVENT_START, e->number, plan->workers, e->disk->flushes);
    configure(e, plan);
    fg_clock_page_init(&e->engine.clock, SIM_S);
    write_clock(e);
    e->engine.control = fg_control_create(&e->engine, &status, e->message, sizeof(e->message));
    assert(e->engine.control);
    lists_start(e);
    struct fg_keyring *ring = &e->engine.control->keys->ring;
    ring->count = 1;
    ring->keys[0] = (struct fg_key){.id = SIM_KEY, .ops = 0x7e};
    fg_rates_set_key(&ring->keys[0], world->profile.key_rate, 0);
    memcpy(ring->keys[0].secret, sim_secret, sizeof(sim_secret));
    int rc = fg_stock_init(&e->engine.stock, plan->workers, e->engine.config.limit_items);
    assert(rc == 0);
    (void)rc;
    make_workers(e);
    status =
        fg_recovery_run(&e->plan, &e->disk->seam, &e->clock.seam, e->message, sizeof(e->message));
    if (status == FG_EXIT_OK)
        status = make_delivery(e, plan);
    if (status != FG_EXIT_OK) {
        event(world, SIM_EVENT_REFUSED, e->number, (unsigned)status, 0);
        memcpy(world->refusal, e->message, sizeof(world->refusal));
        return status;
    }
    world->stats->faults[SIM_TAIL_CUT] += e->engine.recovered.cut_bytes > 0;
    event(world, SIM_EVENT_STARTED, e->number, fg_journal_epoch(e->engine.journal),
          e->engine.recovered.records);
    world->engine = e;
    return FG_EXIT_OK;
}

/* --- Workers --- */

struct fg_now engine_now(struct sim_engine *e, unsigned w)
{
    struct fg_time time =
        fg_clock_page_read(&e->engine.clock, e->clock.seam.monotonic_ns(&e->clock));

    if (fg_clock_moves(&time, e->times[w].wall_ns, e->times[w].accepted)) {
        e->times[w].wall_ns = time.wall_ns;
        e->times[w].accepted = time.accepted;
    }
    return (struct fg_now){.wall_ns = e->times[w].wall_ns,
                           .ms = (uint32_t)((e->world->now_ns - e->began_ns) / SIM_MS)};
}

/* As in receive.c: while the machine's clock is held ahead, senders may go by either. */
static bool authentic(const struct sim_engine *e, const struct fg_catalogue *catalogue,
                      const struct sim_packet *packet, uint64_t wall_ns, uint16_t *place)
{
    int64_t ahead_ns = fg_clock_page_ahead(&e->engine.clock);
    enum fg_authentic found = fg_payload_authenticate(catalogue, packet->payload, packet->length,
                                                      (struct fg_ip){0}, wall_ns, place);

    if (found == FG_AUTH_STALE && ahead_ns > 0)
        found = fg_payload_authenticate(catalogue, packet->payload, packet->length,
                                        (struct fg_ip){0}, wall_ns + (uint64_t)ahead_ns, place);
    return found == FG_AUTHENTIC;
}

/* Takes what has arrived, as receive.c does; returns how many are to be decided. */
static unsigned receive(struct sim_engine *e, unsigned w, const struct fg_now *now,
                        const struct fg_catalogue *catalogue, struct fg_datagram *datagrams)
{
    struct world *world = e->world;
    unsigned count = 0, some = (unsigned)random_below(&world->random, BURST + 1);

    for (unsigned i = 0; i < some; i++) {
        struct sim_packet *packet = e == world->zombie
                                        ? network_take_zombie(world, w, e->engine.config.workers)
                                        : network_take(world, true, w, e->engine.config.workers);
        uint16_t place;
        if (!packet)
            break;
        struct fg_header header;
        memcpy(&header, packet->payload, sizeof(header));
        if (!fg_payload_check(packet->payload, packet->length) ||
            !authentic(e, catalogue, packet, now->wall_ns, &place)) {
            free(packet);
            continue;
        }
        event(world, SIM_EVENT_RECEIVE, w, header.time_ns, 0);
        datagrams[count++] = (struct fg_datagram){.packet = packet,
                                                  .payload = packet->payload,
                                                  .key_place = place,
                                                  .count = header.count};
    }
    return count;
}

static void send_ready(struct sim_engine *e, unsigned w)
{
    struct world *world = e->world;
    struct fg_ready ready[16];
    unsigned n;

    while ((n = fg_admission_ready(e->plan.admissions[w], ready, 16)) > 0) {
        for (unsigned i = 0; i < n; i++) {
            struct sim_packet *packet = ready[i].packet;
            struct fg_header header;
            memcpy(&header, packet->payload, sizeof(header));
            event(world, SIM_EVENT_REPLY, w, header.time_ns, ready[i].length);
            if (ready[i].length > 0)
                checks_reply(e, packet->payload);
            if (ready[i].length > 0 && e == world->engine)
                network_send(world, false, packet->payload, ready[i].length);
            free(packet);
        }
        FG_CRASH_POINT(REPLY_SENT); /* as in worker.c, which is not here */
    }
}

void engine_worker(struct sim_engine *e, unsigned w)
{
    struct fg_worker *worker = e->engine.workers[w];
    const struct fg_catalogue *catalogue = e->engine.catalogue;
    struct fg_datagram datagrams[BURST];
    struct fg_now now = engine_now(e, w);
    uint64_t queued = fg_journal_lane(e->engine.journal, w)->queued;

    clock_use(&e->clock);
    atomic_store(&worker->seen_revision, catalogue->revision);
    atomic_store(&worker->seen_issue, catalogue->issue);
    checks_before_worker(e);
    unsigned count = receive(e, w, &now, catalogue, datagrams);
    if (count > 0)
        fg_admission_decide(worker->admission, &now, catalogue, datagrams, count);
    fg_admission_poll(worker->admission, &now, catalogue);
    checks_mode(e, w, queued);
    if (e == e->world->engine)
        lists_check_records(e, w, queued);
    e->world->stats->faults[SIM_LOG_FULL] +=
        atomic_load(&fg_journal_lane(e->engine.journal, w)->log_room) != FG_LOG_OPEN;
    send_ready(e, w);
}

/* --- The other threads --- */

void engine_journal(struct sim_engine *e)
{
    struct world *world = e->world;
    uint64_t before = fg_journal_durable(e->engine.journal);

    if (fg_journal_failed(e->engine.journal) != 0)
        return;
    int rc = fg_journal_step(e->engine.journal);
    if (rc < 0)
        event(world, SIM_EVENT_FAILED, (uint64_t)-rc, 0, 0);
    uint64_t after = fg_journal_durable(e->engine.journal);
    world->stats->frames += after - before;
    if (after != before)
        event(world, SIM_EVENT_FRAME, after, (uint64_t)rc, 0);
    if (e == world->engine)
        checks_durable(e);
}

void engine_storage(struct sim_engine *e)
{
    int rc = fg_journal_prepare(e->engine.journal);
    if (rc != 0)
        event(e->world, SIM_EVENT_PREPARED, (uint64_t)(int64_t)rc, 0, 0);
    e->world->stats->segments += rc == 1;
    rc = fg_journal_retire(e->engine.journal);
    if (rc != 0)
        event(e->world, SIM_EVENT_RETIRED, (uint64_t)(int64_t)rc, 0, 0);
    e->world->stats->retired += rc == 1;
}

/*
 * A stream that has stopped needs an operator, and a reason. FOREIGN: another engine wrote, which
 * only a fence that Redis has lost allows. LOST_BEYOND_LOG: Redis lost what the log forgot, of a
 * sale that is archived.
 */
static void look_at_streams(struct sim_engine *e)
{
    struct world *world = e->world;

    for (uint32_t sale = 1; sale <= SIM_SALES_MAX && e == world->engine; sale++) {
        enum fg_stream_state state = fg_delivery_stream_state(e->engine.delivery, sale);
        if (state != FG_STREAM_FOREIGN && state != FG_STREAM_LOST_BEYOND_LOG)
            continue;
        bool live = fg_model_sale_number(&e->engine.control->model, sale) != NULL;
        if (state == FG_STREAM_FOREIGN && !(world->left_behind && world->redis.fence_lost))
            world_fail(world, "I3: sale %u's stream is foreign, but nobody else can have written",
                       sale);
        if (state == FG_STREAM_LOST_BEYOND_LOG && live)
            world_fail(world, "I3: the log has forgotten what sale %u's stream lost", sale);
        if (state == FG_STREAM_FOREIGN && random_below(&world->random, 16) == 0)
            world->stats->operations[SIM_OP_REBUILD] +=
                fg_delivery_rebuild(e->engine.delivery, sale) == 0;
    }
}

void engine_delivery(struct sim_engine *e)
{
    if (e->world->now_ns < e->way.busy_until_ns)
        return;
    uint64_t durable_frames = fg_journal_durable(e->engine.journal);
    fg_delivery_step(e->engine.delivery);
    if (e->engine.delivery->caught_up)
        e->delivered_frames = durable_frames;
    look_at_streams(e);
}

/* As fg_control_clock_update() does. A step of the machine's clock moves the engine's by a second
 * at most, unless that is accepted. */
static void update_clock(struct sim_engine *e)
{
    struct fg_control *control = e->engine.control;
    uint64_t before_ns = control->clock_floor_ns = fg_control_clock_ns(control);

    write_clock(e);
    uint64_t now_ns = fg_control_clock_ns(control);
    if (now_ns > before_ns + SIM_S)
        world_fail(e->world,
                   "the engine's clock moved by %" PRIu64 " ns at once, and nobody had said so",
                   now_ns - before_ns);
}

void engine_control(struct sim_engine *e)
{
    struct fg_control *control = e->engine.control;

    clock_use(&e->clock);
    update_clock(e);
    fg_stock_publish(&e->engine.stock, control->model.items_count);
    fg_key_shares_step(&control->key_shares, &control->keys->ring, &e->engine,
                       e->world->now_ns / SIM_MS);
    (void)fg_control_run_schedules(control);
    if (control->change.stage != FG_CHANGE_NONE) {
        fg_change_step(control);
        event(e->world, SIM_EVENT_CHANGE, control->change.event.revision, control->change.stage, 0);
    }
}

int engine_failed(const struct sim_engine *e)
{
    int failed = fg_journal_failed(e->engine.journal);
    uint32_t state = atomic_load(&fg_delivery_stats(e->engine.delivery)->state);

    if (failed == -ESTALE || state == FG_DELIVERY_FENCED)
        return FG_EXIT_FENCED;
    if (failed != 0 || state == FG_DELIVERY_FAILED)
        return FG_EXIT_DISK;
    return e->engine.control->status;
}

bool engine_lost_beyond_log(const struct sim_engine *e)
{
    for (uint32_t sale = 1; sale <= SIM_SALES_MAX; sale++)
        if (fg_delivery_stream_state(e->engine.delivery, sale) == FG_STREAM_LOST_BEYOND_LOG)
            return true;
    return false;
}

bool engine_quiet(const struct sim_engine *e)
{
    const struct fg_delivery_stats *stats = fg_delivery_stats(e->engine.delivery);

    for (unsigned w = 0; w < e->engine.config.workers; w++) {
        const struct fg_lane *lane = fg_journal_lane(e->engine.journal, w);
        const struct fg_admission_gauges *gauges = fg_admission_gauges(e->plan.admissions[w]);
        if (fg_admission_waiting(e->plan.admissions[w]) > 0 ||
            atomic_load(&gauges->settled) < lane->queued)
            return false;
    }
    return e->engine.control->change.stage == FG_CHANGE_NONE &&
           atomic_load(&stats->state) == FG_DELIVERY_RUNNING &&
           (atomic_load(&stats->lag) == 0 || engine_lost_beyond_log(e)) &&
           e->delivered_frames == fg_journal_durable(e->engine.journal);
}

void engine_stop(struct sim_engine *e)
{
    clock_use(&e->clock);
    fg_delivery_destroy(e->engine.delivery);
    fg_journal_stop(e->engine.journal);
    fg_journal_close(e->engine.journal);
    for (unsigned w = 0; w < e->engine.config.workers; w++) {
        struct fg_counters *counters = e->engine.workers[w]->counters;
        e->world->stats->penalties += fg_count_read(&counters->count[FG_COUNTER_PENALTIES]);
        e->world->stats->punished += fg_count_read(&counters->count[FG_COUNTER_THROTTLED_PENALTY]);
        fg_admission_destroy(e->plan.admissions[w]);
        free(counters);
        free(e->engine.workers[w]);
    }
    fg_stock_fini(&e->engine.stock);
    fg_control_destroy(e->engine.control);
    free(e);
}
