/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which segments may go. Segments go in order, oldest first, so the log is always a run of them
 * without gaps, and the base of the first that is left stands for those before it. A segment goes
 * when nobody can ask for anything in it: each sale with order events in it is archived, and the
 * record that says so is durable; the sale's stream has all these events; and the stream's consumer
 * is done with them, or they are old. The segment being written is never handed over, and one is
 * handed over only when the base of its successor is durable.
 */
#include "dataplane/orders/retention.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/faults.h"
#include "dataplane/orders/journal_state.h"
#include "dataplane/orders/segment.h"

int fg_uses_init(struct fg_uses *uses)
{
    *uses = (struct fg_uses){0};
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&uses->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    uses->place = calloc(FG_SALES_EVER_MAX + 1, sizeof(*uses->place));
    uses->archived_at = calloc(FG_SALES_EVER_MAX + 1, sizeof(*uses->archived_at));
    return uses->place && uses->archived_at ? 0 : -ENOMEM;
}

static void free_use(struct fg_use *use)
{
    if (use)
        free(use->sales);
    free(use);
}

void fg_uses_fini(struct fg_uses *uses)
{
    while (uses->oldest)
        fg_uses_drop(uses);
    free_use(uses->current);
    free(uses->place);
    free((void *)uses->archived_at);
    pthread_mutex_destroy(&uses->lock);
    *uses = (struct fg_uses){0};
}

/* --- The journal thread's side --- */

/* Something could not be noted, so nothing is known for certain any more. */
static void give_up(struct fg_uses *uses)
{
    pthread_mutex_lock(&uses->lock);
    uses->broken = true;
    pthread_mutex_unlock(&uses->lock);
}

static void hand_over(struct fg_uses *uses, struct fg_use *use)
{
    for (unsigned i = 0; i < use->count; i++)
        uses->place[use->sales[i].sale] = 0;
    pthread_mutex_lock(&uses->lock);
    if (uses->newest)
        uses->newest->next = use;
    else
        uses->oldest = use;
    uses->newest = use;
    pthread_mutex_unlock(&uses->lock);
}

void fg_uses_begin(struct fg_uses *uses, uint32_t number)
{
    struct fg_use *use = calloc(1, sizeof(*use));

    if (!use) {
        give_up(uses);
        return;
    }
    if (uses->current)
        hand_over(uses, uses->current);
    use->segment = number;
    uses->current = use;
}

/* A place for a sale that has had no event in the current segment; NULL if memory is short. */
static struct fg_use_sale *new_place(struct fg_uses *uses, uint32_t sale)
{
    struct fg_use *use = uses->current;

    if (use->count == use->room) {
        unsigned room = use->room ? 2 * use->room : 16;
        struct fg_use_sale *bigger = realloc(use->sales, room * sizeof(*bigger));
        if (!bigger)
            return NULL;
        use->sales = bigger;
        use->room = room;
    }
    use->sales[use->count].sale = sale;
    uses->place[sale] = ++use->count;
    return &use->sales[use->count - 1];
}

void fg_uses_order(struct fg_uses *uses, const struct fg_order_event *event)
{
    struct fg_use *use = uses->current;

    if (!use)
        return;
    uint32_t place = uses->place[event->sale];
    struct fg_use_sale *sale = place ? &use->sales[place - 1] : new_place(uses, event->sale);
    if (sale)
        sale->last_seq = event->sale_seq;
    else
        give_up(uses);
    if (event->at_ns > use->last_at_ns) /* the wall clock may have been set back */
        use->last_at_ns = event->at_ns;
}

void fg_uses_archived(struct fg_uses *uses, uint32_t sale, uint64_t sequence)
{
    /* relaxed: the helper believes it once `sequence` is durable, which it reads with acquire */
    atomic_store_explicit(&uses->archived_at[sale], sequence, memory_order_relaxed);
}

/* --- The storage helper's side --- */

const struct fg_use *fg_uses_oldest(struct fg_uses *uses)
{
    pthread_mutex_lock(&uses->lock);
    const struct fg_use *use = uses->broken ? NULL : uses->oldest;
    pthread_mutex_unlock(&uses->lock);
    return use;
}

void fg_uses_drop(struct fg_uses *uses)
{
    pthread_mutex_lock(&uses->lock);
    struct fg_use *use = uses->oldest;
    uses->oldest = use->next;
    if (!uses->oldest)
        uses->newest = NULL;
    pthread_mutex_unlock(&uses->lock);
    free_use(use);
}

/* Whether nothing in a segment is needed any more. */
static bool may_go(const struct fg_journal *journal, const struct fg_use *use)
{
    const struct fg_retention *keep = &journal->retention;
    uint64_t durable = fg_journal_durable(journal);
    uint64_t now = journal->clock->wall_ns(journal->clock->context);
    bool old = now >= use->last_at_ns && now - use->last_at_ns >= keep->keep_ns;

    for (unsigned i = 0; i < use->count; i++) {
        const struct fg_use_sale *sale = &use->sales[i];
        uint64_t archived =
            atomic_load_explicit(&journal->uses.archived_at[sale->sale], memory_order_relaxed);
        if (((archived == 0 || archived > durable) && !FG_PLANTED(DELETE_LIVE_SEGMENT)) ||
            keep->delivered(keep->arg, sale->sale) < sale->last_seq ||
            (!old && keep->consumed(keep->arg, sale->sale) < sale->last_seq))
            return false;
    }
    return true;
}

/* Takes a segment off the disk, for good. 0 or a negative errno. */
static int remove_segment(struct fg_journal *journal, uint32_t number)
{
    const struct fg_disk *disk = journal->disk;
    char name[FG_SEGMENT_NAME_BYTES];
    uint64_t bytes;

    fg_segment_name(name, number);
    int rc = fg_segment_bytes(disk, journal->dir, number, number, &bytes);
    if (rc == 0)
        rc = disk->remove(disk->context, journal->dir, name);
    atomic_store_explicit(&journal->stats.retire_error, rc < 0 ? (uint64_t)-rc : 0,
                          memory_order_relaxed);
    if (rc != 0)
        return rc;
    FG_CRASH_POINT(SEGMENT_REMOVED);
    /* An older segment that came back after a crash, while a younger one is gone, would be a gap in
     * the log. So a directory that cannot be synced is a failed flush. */
    rc = disk->sync_dir(disk->context, journal->dir);
    if (rc != 0)
        return fg_journal_fail(journal, rc);
    pthread_mutex_lock(&journal->preparing);
    uint64_t made = atomic_load_explicit(&journal->stats.log_bytes, memory_order_relaxed);
    atomic_store_explicit(&journal->stats.log_bytes, made - bytes, memory_order_relaxed);
    pthread_mutex_unlock(&journal->preparing);
    atomic_store_explicit(&journal->stats.oldest_segment, number + 1, memory_order_relaxed);
    return 0;
}

void fg_journal_retain(struct fg_journal *journal, const struct fg_retention *retention)
{
    journal->retention = *retention;
}

int fg_journal_retire(struct fg_journal *journal)
{
    int rc = fg_journal_failed(journal);

    if (rc != 0 || !journal->retention.delivered)
        return rc;
    const struct fg_use *use = fg_uses_oldest(&journal->uses);
    if (!use || !may_go(journal, use))
        return 0;
    rc = remove_segment(journal, use->segment);
    if (rc != 0)
        return rc;
    fg_uses_drop(&journal->uses);
    return 1;
}
