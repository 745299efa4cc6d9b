/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands: what control asks of a worker's private state. They go to the worker on a ring and come
 * back, answered, on another; a worker takes at most FG_COMMANDS_PER_LOOP a loop and never waits
 * for anything on their behalf.
 */
#ifndef FG_COMMAND_H
#define FG_COMMAND_H

#include "dataplane/admission/admission.h"
#include "dataplane/capture.h"

enum fg_command_kind {
    FG_COMMAND_ORDER_SHOW,
    FG_COMMAND_ORDER_LIST,
    FG_COMMAND_ORDER_CANCEL,
    FG_COMMAND_CAPTURE, /* the loop's own: see loop_capture.c */
    FG_COMMAND_SUSPECTS,
};

#define FG_COMMAND_ORDERS_MAX 64 /* orders in one answer: what a person looks through */

/* A command and, on its way back, its answer. Control owns it but while it is on a ring. */
struct fg_command {
    enum fg_command_kind kind;
    uint8_t buyer[FG_BUYER_BYTES];
    uint64_t request;          /* SHOW, CANCEL */
    struct fg_order_page page; /* LIST; answered in place */

    struct fg_capture *capture; /* CAPTURE: what to keep frames in ... */
    bool withdrawn;             /* ... or to let go of */

    int result; /* 0 or a negative errno, as admission's functions have it */
    uint32_t count;
    union {
        struct fg_order_view orders[FG_COMMAND_ORDERS_MAX]; /* SHOW, CANCEL: one */
        struct fg_suspects_view suspects;                   /* SUSPECTS */
    };
};

/* Worker: carries a command out. A CANCEL is queued, and on disk when the worker's `settled` has
 * reached the order's ticket. */
void fg_command_run(struct fg_command *command, struct fg_admission *admission,
                    const struct fg_now *now, const struct fg_catalogue *catalogue);

#endif
