/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine's process is a list of parts (parts.c), started in order and stopped in reverse; when
 * one fails to start, those before it are stopped again.
 */
#include "dataplane/process.h"

#include <stdio.h>

#include "control/control.h"
#include "dataplane/parts.h"
#include "flashgate/exit_status.h"

static void start_parts(struct fg_process *p, size_t *started, const volatile sig_atomic_t *stop)
{
    while (*started < fg_parts_count && !*stop) {
        const struct fg_part *part = &fg_parts[*started];
        fg_notify_send(&p->notify, "STATUS=starting: %s", part->name);
        p->status = part->start(p);
        if (p->status != FG_EXIT_OK) {
            fprintf(stderr, "flashgated: %s: %s\n", part->name, p->message);
            return;
        }
        (*started)++;
    }
}

static void warn_of_unsigned(uint8_t ops)
{
    fprintf(stderr, "flashgated: UNSIGNED: datagrams without a signature are taken:");
#define X(name, code, help)                                                                        \
    if (ops & (1 << (code)))                                                                       \
        fprintf(stderr, " %s", #name);
    FG_OPS(X)
#undef X
    fprintf(stderr, "; anyone who reaches the port can send them. For rehearsals only\n");
}

static void serve(struct fg_process *p, volatile sig_atomic_t *stop)
{
    if (p->engine.config.unsigned_allowed)
        warn_of_unsigned(fg_config_unsigned_ops(&p->engine.config));
    fprintf(stderr, "flashgated: serving\n");
    fg_notify_send(&p->notify, "READY=1\nSTATUS=serving");
    p->engine.notify = &p->notify;
    p->status = fg_control_run(p->engine.control, stop, p->message, sizeof(p->message));
    p->engine.notify = NULL;
    if (p->status != FG_EXIT_OK)
        fprintf(stderr, "flashgated: %s\n", p->message);
}

int fg_process_run(struct fg_process *p, volatile sig_atomic_t *stop)
{
    size_t started = 0;

    fg_notify_open(&p->notify);
    start_parts(p, &started, stop);
    if (started == fg_parts_count)
        serve(p, stop);
    fg_notify_send(&p->notify, "STOPPING=1\nSTATUS=%s",
                   p->status == FG_EXIT_OK ? "stopping" : p->message);
    while (started > 0)
        fg_parts[--started].stop(p);
    fg_notify_close(&p->notify);
    if (p->status == FG_EXIT_OK)
        fprintf(stderr, "flashgated: stopped\n");
    return p->status;
}
