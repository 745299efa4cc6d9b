/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What others do with the journal while it runs: control hands events in; all who wait look at how
 * far the log is durable, and at the first failure, after which no mark moves.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/orders/journal_state.h"

struct fg_lane *fg_journal_lane(struct fg_journal *journal, unsigned worker)
{
    assert(worker < journal->workers);
    return &journal->lanes[worker];
}

uint64_t fg_journal_submit(struct fg_journal *journal, const struct fg_control_event *event,
                           const void *body)
{
    assert(fg_event_is_control(event) && event->body_length <= FG_CONTROL_BODY_MAX);
    struct fg_message *message = malloc(sizeof(*message) + event->body_length);

    if (!message)
        return 0;
    message->event = *event;
    if (event->body_length > 0)
        memcpy(message->body, body, event->body_length);
    if (rte_ring_sp_enqueue(journal->queue, message) != 0) {
        free(message);
        return 0;
    }
    return ++journal->submitted;
}

int fg_journal_fail(struct fg_journal *journal, int rc)
{
    int first = 0;

    /* release: pairs with the acquire in fg_journal_failed() */
    return atomic_compare_exchange_strong_explicit(&journal->failed, &first, rc,
                                                   memory_order_acq_rel, memory_order_acquire)
               ? rc
               : first;
}

void fg_journal_fence(struct fg_journal *journal)
{
    (void)fg_journal_fail(journal, -ESTALE);
    for (unsigned w = 0; w < journal->workers; w++)
        fg_lane_fence(&journal->lanes[w]);
}

uint64_t fg_journal_submitted_lsn(const struct fg_journal *journal, uint64_t ticket)
{
    return journal->control_lsns[ticket % FG_SUBMITTED_KEPT];
}

uint64_t fg_journal_submitted_durable(const struct fg_journal *journal)
{
    /* acquire: pairs with the release in journal.c's publish() */
    return atomic_load_explicit(&journal->control_durable, memory_order_acquire);
}

uint64_t fg_journal_durable(const struct fg_journal *journal)
{
    /* acquire: pairs with the release in journal.c's publish() */
    return atomic_load_explicit(&journal->durable, memory_order_acquire);
}

int fg_journal_failed(const struct fg_journal *journal)
{
    /* acquire: pairs with the release in fg_journal_fail() */
    return atomic_load_explicit(&journal->failed, memory_order_acquire);
}

unsigned fg_journal_epoch(const struct fg_journal *journal)
{
    return journal->epoch;
}

uint64_t fg_journal_id(const struct fg_journal *journal)
{
    return journal->journal_id;
}

const struct fg_journal_stats *fg_journal_stats(const struct fg_journal *journal)
{
    return &journal->stats;
}
