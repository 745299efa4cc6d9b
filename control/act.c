/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The record of what an operator did that changes no catalogue: an ACT event, durable before the
 * deed. Whoever cancels an order or marks a stream as consumed is known, whatever happens next.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/internal.h"
#include "flashgate/control_api.h"

/* {"method": ..., its parameters}; NULL when memory is short. */
static char *body_of(const char *method, const json_t *params)
{
    json_t *body = json_pack("{s:s}", "method", method);
    char *text = NULL;
    if (body && (!params || json_object_update_missing(body, (json_t *)params) == 0))
        text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text;
}

static int wait_durable(struct fg_control *control, uint64_t ticket, const char *method,
                        char *message, size_t size)
{
    uint64_t deadline = fg_control_now_ms() + control->limits.durable;
    while (fg_journal_submitted_durable(control->engine->journal) < ticket) {
        if (!fg_control_wait(control)) {
            snprintf(message, size, "the engine is stopping: %.400s", control->reason);
            return FG_RPC_STOPPING;
        }
        if (fg_control_now_ms() >= deadline) {
            snprintf(message, size,
                     "the log has not made the record of this %s durable within %u ms; nothing was "
                     "changed, though the record may still come",
                     method, control->limits.durable);
            return FG_RPC_TIME_LIMIT;
        }
    }
    return 0;
}

/* The journal's ticket; 0: its queue is full, or (*memory) memory is short. */
static uint64_t submit(struct fg_control *control, const struct fg_peer *peer, const char *method,
                       const json_t *params, bool *memory)
{
    char *body = body_of(method, params);
    *memory = !body;
    if (!body)
        return 0;
    struct fg_control_event event = {
        .kind = FG_EVENT_ACT,
        .body_length = (uint32_t)strlen(body),
        .revision = control->model.revision, /* it makes none */
        .uid = peer ? peer->uid : UINT32_MAX,
        .gid = peer ? peer->gid : UINT32_MAX,
        .pid = peer ? peer->pid : UINT32_MAX,
        .at_ns = fg_control_clock_ns(control),
    };
    uint64_t ticket =
        strlen(body) <= FG_CONTROL_BODY_MAX
            ? fg_events_submit(control->events, control->engine->journal, &event, body, NULL)
            : 0;
    free(body);
    return ticket;
}

int fg_act_submit(struct fg_control *control, const struct fg_peer *peer, const char *method,
                  const json_t *params, char *message, size_t size)
{
    bool memory;
    uint64_t ticket = submit(control, peer, method, params, &memory);
    if (memory) {
        snprintf(message, size, "memory is short; nothing was changed");
        return FG_RPC_INTERNAL;
    }
    if (ticket == 0) {
        snprintf(message, size, "the log's queue is full; nothing was changed, try again");
        return FG_RPC_REFUSED;
    }
    return wait_durable(control, ticket, method, message, size);
}

void fg_act_note(struct fg_control *control, const struct fg_peer *peer, const char *method,
                 const json_t *params)
{
    bool memory;
    (void)submit(control, peer, method, params, &memory);
}
