/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/control.h"
#include "dataplane/recovery.h"
#include "dataplane/redis.h"
#include "flashgate/exit_status.h"

#define GRACE_MS_MIN 60000 /* clients retry for less: whoever was about to confirm gets through */
#define NS_PER_MS    UINT64_C(1000000)

struct engine_recovery {
    const struct fg_recovery_plan *plan;
    const struct fg_disk *disk;
    uint64_t now_ns;  /* wall clock of this start */
    uint64_t last_ns; /* wall clock of the log's last record; 0: not looked up yet */
    /* Sales of which the log has lost orders, with segments that nobody needed any more: such a
     * sale is archived further on, and what is left of its orders is not looked at. */
    bool beheaded[FG_SALES_EVER_MAX + 1];
    char *message; /* why `apply` refused a record */
    size_t size;
};

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

uint32_t fg_recovery_held_until_ms(const struct fg_order_event *admit, uint64_t last_ns,
                                   uint64_t now_ns, uint32_t grace_ms)
{
    uint64_t hold_ns = admit->hold_ms * NS_PER_MS;
    uint64_t ends_ns = admit->at_ns + hold_ns;
    /* A clock that stands before the log's last record tells nothing of the down time, and must
     * not make a hold longer than it was. */
    uint64_t down_ns = now_ns > last_ns ? now_ns - last_ns : 0;
    uint64_t left_ns = ends_ns > now_ns ? min_u64(ends_ns - now_ns, hold_ns) : 0;
    uint64_t grace_ns = grace_ms ? grace_ms * NS_PER_MS
                                 : max_u64(min_u64(down_ns, hold_ns), GRACE_MS_MIN * NS_PER_MS);

    return (uint32_t)(max_u64(left_ns, grace_ns) / NS_PER_MS);
}

static uint64_t record_wall_ns(const struct fg_record *record)
{
    return fg_event_is_control(record->unit) ? record->control->at_ns : record->order->at_ns;
}

/* The wall time of the log's last record. Holds need it before the journal, which is still reading,
 * has come so far. Only the last segment that has records is read for it. */
static int find_last_ns(struct engine_recovery *recovery)
{
    uint32_t first, last;
    int rc;
    struct fg_log_reader *reader =
        fg_log_reader_open(recovery->disk, recovery->plan->engine->config.log_dir, true, &rc);
    const struct fg_frame *frame;
    struct fg_record record;

    if (!reader)
        return rc;
    rc = fg_log_reader_range(reader, &first, &last);
    for (; rc == 0 && recovery->last_ns == 0 && last > 0 && last >= first; last--) {
        fg_log_reader_seek(reader, last);
        while (fg_log_reader_next(reader, UINT64_MAX, &frame) == FG_LOG_MORE)
            while (fg_log_reader_record(reader, &record))
                recovery->last_ns = max_u64(recovery->last_ns, record_wall_ns(&record));
    }
    fg_log_reader_close(reader);
    return rc;
}

static int refuse_order(struct engine_recovery *recovery, const struct fg_record *record, int rc)
{
    const struct fg_config *config = &recovery->plan->engine->config;

    if (rc == -ENOSPC)
        snprintf(recovery->message, recovery->size,
                 "limits.orders is %u, and the log in %s holds more; raise it",
                 config->limit_orders, config->log_dir);
    else
        snprintf(recovery->message, recovery->size,
                 "record %llu of the log in %s (%s of order %llu) does not follow from those "
                 "before it (%s); the log is damaged",
                 (unsigned long long)record->lsn, config->log_dir,
                 fg_event_name(record->order->kind), (unsigned long long)record->order->order,
                 strerror(-rc));
    return rc;
}

/* Of the worker that the buyer belongs to. */
static struct fg_admission *admission_of(const struct engine_recovery *recovery,
                                         const uint8_t *buyer)
{
    const struct fg_config *config = &recovery->plan->engine->config;

    return recovery->plan->admissions[fg_partition(buyer, config->partitions) % config->workers];
}

/*
 * A request may be used again when its sale is archived. Workers see that before it is on record,
 * and the engine may have died in between: so an order of a closed sale, with nothing left to do,
 * gives way here as it did there. False: it is none, and the log is damaged.
 */
static bool gives_way(const struct engine_recovery *recovery, struct fg_admission *admission,
                      const struct fg_order_event *event)
{
    struct fg_order_view view;
    const struct fg_now now = {0};

    if (fg_admission_order(admission, &now, event->buyer, event->request, &view) != 0)
        return false;
    const struct fg_item *item = fg_control_item(recovery->plan->engine->control, view.item);
    if (!item || item->sale == event->sale || item->state != FG_SALE_CLOSED || view.held)
        return false;
    fg_admission_forget_order(admission, event->buyer, event->request);
    return true;
}

/* A big book misses the cache with every order: here the misses of a few orders overlap. */
static void expect(void *arg, const struct fg_record *records, unsigned count)
{
    const struct engine_recovery *recovery = arg;

    for (unsigned i = 0; i < count; i++)
        if (!fg_event_is_control(records[i].unit))
            fg_admission_prefetch(admission_of(recovery, records[i].order->buyer),
                                  records[i].order->buyer);
    for (unsigned i = 0; i < count; i++)
        if (!fg_event_is_control(records[i].unit))
            fg_admission_prefetch_order(admission_of(recovery, records[i].order->buyer),
                                        records[i].order->buyer);
}

static int apply_order(struct engine_recovery *recovery, const struct fg_record *record)
{
    const struct fg_order_event *event = record->order;
    struct fg_engine *engine = recovery->plan->engine;
    const struct fg_config *config = &engine->config;
    struct fg_admission *admission = admission_of(recovery, event->buyer);
    uint32_t held_until_ms = 0;
    int32_t units;
    int rc;

    if (event->sale <= FG_SALES_EVER_MAX && recovery->beheaded[event->sale])
        return 0;
    if (!fg_control_item(engine->control, event->item))
        return refuse_order(recovery, record, -ENOENT);
    if (event->kind == FG_EVENT_ADMIT && event->hold_ms != 0) {
        if (recovery->last_ns == 0 && (rc = find_last_ns(recovery)) != 0)
            return rc;
        held_until_ms = fg_recovery_held_until_ms(event, recovery->last_ns, recovery->now_ns,
                                                  config->restart_grace_ms);
    }
    rc = fg_admission_restore(admission, event, held_until_ms, &units);
    if (rc == -EEXIST && gives_way(recovery, admission, event))
        rc = fg_admission_restore(admission, event, held_until_ms, &units);
    if (rc == 0)
        rc = fg_control_replay_units(engine->control, event->item, units);
    return rc == 0 ? 0 : refuse_order(recovery, record, rc);
}

static bool item_is_gone(void *control, uint32_t item)
{
    return !fg_control_item(control, item);
}

/* What a control event means for orders that were or will be read. */
static void apply_to_orders(struct engine_recovery *recovery, const struct fg_control_event *event)
{
    const struct fg_recovery_plan *plan = recovery->plan;

    /* Only bases have positions, and of bases only the log's first one gets here. */
    if (event->kind == FG_EVENT_SALE_POSITION && event->value > 1 &&
        event->sale <= FG_SALES_EVER_MAX)
        recovery->beheaded[event->sale] = true;
    if (event->kind != FG_EVENT_SALE_STATE || event->value != FG_SALE_ARCHIVED)
        return;
    for (unsigned w = 0; w < plan->engine->config.workers; w++)
        fg_admission_forget(plan->admissions[w], item_is_gone, plan->engine->control);
}

static int apply(void *arg, const struct fg_record *record)
{
    struct engine_recovery *recovery = arg;

    if (!fg_event_is_control(record->unit))
        return apply_order(recovery, record);
    int rc = fg_control_replay(recovery->plan->engine->control, record);
    if (rc == 0)
        apply_to_orders(recovery, record->control);
    else
        snprintf(recovery->message, recovery->size,
                 "record %llu of the log in %s (%s) cannot be applied: %s",
                 (unsigned long long)record->lsn, recovery->plan->engine->config.log_dir,
                 fg_event_name(record->control->kind), strerror(-rc));
    return rc;
}

/* A live sale whose first orders are missing: no engine removes such segments. */
static int check_beheaded(const struct engine_recovery *recovery)
{
    const struct fg_engine *engine = recovery->plan->engine;

    for (uint32_t sale = 1; sale <= FG_SALES_EVER_MAX; sale++) {
        const char *name =
            recovery->beheaded[sale] ? fg_control_sale_name(engine->control, sale) : NULL;
        if (!name)
            continue;
        snprintf(recovery->message, recovery->size,
                 "the log in %s lacks its first segments, and with them orders of sale %s, which "
                 "is not archived; restore the missing segments",
                 engine->config.log_dir, name);
        return FG_EXIT_CORRUPT;
    }
    return FG_EXIT_OK;
}

static int open_log(struct engine_recovery *recovery, const struct fg_clock *clock)
{
    struct fg_engine *engine = recovery->plan->engine;
    const struct fg_config *config = &engine->config;
    struct fg_journal_config journal = {
        .dir = config->log_dir,
        .budget_bytes = config->log_budget,
        .segment_bytes = config->log_segment,
        .workers = config->workers,
        .lane_records = config->lane_records,
        .disk = recovery->disk,
        .clock = clock,
        .expect = expect,
        .ack_memory = config->ack == FG_ACK_MEMORY,
    };
    struct fg_redis_question question = {.config = config};
    char why[512] = "";
    int status = FG_EXIT_FAILED;

    if (fg_config_delivers(config)) {
        journal.tail_known = fg_redis_tail_known;
        journal.tail_arg = &question;
    }
    engine->journal =
        fg_journal_open(&journal, apply, recovery, &engine->recovered, &status, why, sizeof(why));
    fg_redis_question_end(&question);
    if (engine->journal)
        return FG_EXIT_OK;
    /* What `apply` said names the cause; the journal only knows that it refused. */
    if (recovery->message[0] == '\0')
        snprintf(recovery->message, recovery->size, "%s", why);
    return status;
}

static int run(struct engine_recovery *recovery, const struct fg_clock *clock)
{
    const struct fg_recovery_plan *plan = recovery->plan;
    struct fg_engine *engine = plan->engine;
    int status = open_log(recovery, clock);

    if (status == FG_EXIT_OK)
        status = check_beheaded(recovery);
    if (status != FG_EXIT_OK)
        return status;
    for (unsigned w = 0; w < engine->config.workers; w++)
        fg_admission_attach(plan->admissions[w], fg_journal_lane(engine->journal, w),
                            fg_journal_epoch(engine->journal));
    if (fg_control_restored(engine->control, recovery->message, recovery->size) != 0)
        return FG_EXIT_CONFIG;
    for (unsigned w = 0; w < engine->config.workers; w++)
        fg_admission_restored(plan->admissions[w], engine->catalogue);
    return FG_EXIT_OK;
}

int fg_recovery_run(struct fg_recovery_plan *plan, const struct fg_disk *disk,
                    const struct fg_clock *clock, char *message, size_t size)
{
    struct engine_recovery *recovery = calloc(1, sizeof(*recovery));

    message[0] = '\0';
    if (!recovery) {
        snprintf(message, size, "no memory to read the log");
        return FG_EXIT_MEMORY;
    }
    recovery->plan = plan;
    recovery->disk = disk;
    recovery->now_ns = clock->wall_ns(clock->context);
    recovery->message = message;
    recovery->size = size;
    int status = run(recovery, clock);
    free(recovery);
    return status;
}

void fg_recovery_tell(const struct fg_engine *engine, FILE *out)
{
    const struct fg_recovery *found = &engine->recovered;
    const char *dir = engine->config.log_dir;

    fprintf(out,
            "log %s: %" PRIu64 " records in %" PRIu64 " frames of %" PRIu32
            " segments read in %.2f s (%.0f records/s), epoch %u\n",
            dir, found->records, found->frames, found->segments, found->seconds,
            found->seconds > 0 ? (double)found->records / found->seconds : 0, found->epoch);
    if (found->cut_bytes > 0)
        fprintf(out, "log %s: a torn tail of %" PRIu64 " bytes was cut%s\n", dir, found->cut_bytes,
                engine->config.ack == FG_ACK_MEMORY ? "; with ack: memory, orders of it may have "
                                                      "been acknowledged"
                                                    : "; none of it was acknowledged");
    if (found->tail_unasked && fg_config_delivers(&engine->config))
        fprintf(out,
                "log %s: WARNING: the tail was cut without asking Redis, which could not be "
                "reached; should a sale's stream turn out FOREIGN, see docs/operations.md\n",
                dir);
    if (engine->config.ack == FG_ACK_MEMORY)
        fprintf(out, "WARNING: ack: memory: orders are answered before they are on disk, and a "
                     "crash forgets them; for rehearsals only\n");
}
