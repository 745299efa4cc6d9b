/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The audit trail: every control event that is durable, with who asked and when, in the log's
 * order. Recovery fills it, and whatever control writes to the log goes through fg_events_submit(),
 * so nothing that is done is missing in it. It keeps the last FG_EVENTS_KEPT; the log has all that
 * its segments still hold (flashgatectl journal dump), under the same LSNs.
 *
 * What the journal makes itself for the head of a segment (positions, sums, used names) is no
 * event. A segment's head also repeats events; of a log whose first segments are gone the trail
 * begins with these.
 * One thread: control.
 */
#ifndef FG_CONTROL_EVENTS_H
#define FG_CONTROL_EVENTS_H

#include <jansson.h>

#include "control/sale/sale.h"
#include "control/server/roles.h"
#include "dataplane/orders/event.h"
#include "dataplane/orders/journal.h"

#define FG_EVENTS_KEPT      10000
#define FG_EVENTS_LIMIT_MAX 500 /* told at once: some milliseconds' work */

struct fg_events;

/* NULL when memory is short. */
struct fg_events *fg_events_create(void);
void fg_events_destroy(struct fg_events *events);

/* Recovery, in log order. 0 or -ENOMEM. */
int fg_events_replay(struct fg_events *events, const struct fg_record *record);

/* As fg_journal_submit(); the event is listed once it is durable. `sale`: what the body of a SALE
 * event says; NULL: it is read. */
uint64_t fg_events_submit(struct fg_events *events, struct fg_journal *journal,
                          const struct fg_control_event *event, const char *body,
                          const struct fg_sale *sale);

/* Lists what has become durable. */
void fg_events_collect(struct fg_events *events, const struct fg_journal *journal);

/*
 * Up to `limit` (at most FG_EVENTS_LIMIT_MAX) events after LSN `since`, of a sale or (NULL) of all:
 * {"events": [...], "next": what `since` is next, "more": ..., "begins": ..., "whole": ...}. A new
 * reference; NULL when memory is short.
 */
json_t *fg_events_json(const struct fg_events *events, const struct fg_roles *roles, uint64_t since,
                       unsigned limit, const char *sale);

/* Is any event of this sale kept? */
bool fg_events_has_sale(const struct fg_events *events, const char *sale);

/* events_words.c: what the event says, in words; `before` is the sale's definition before a SALE
 * event, `after` the one it makes; NULL: none. Allocated; NULL when memory is short. */
char *fg_events_words(const struct fg_control_event *event, const char *body,
                      const struct fg_sale *before, const struct fg_sale *after);

#endif
