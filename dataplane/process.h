/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine's process: its parts, from the first to serving and back. Threads: control. */
#ifndef FG_PROCESS_H
#define FG_PROCESS_H

#include "dataplane/engine.h"
#include "dataplane/notify.h"
#include "dataplane/recovery.h"

struct fg_process {
    struct fg_engine engine; /* its config is filled in before fg_process_run() */
    struct fg_recovery_plan plan;
    struct fg_notify notify;
    struct fg_counters *counters[FG_WORKERS_MAX];
    int status; /* FG_EXIT_OK while nothing failed */
    char message[1024];
};

/* Starts all parts, serves until *stop is not 0 or a part fails, and stops them. Says on stderr
 * what becomes of it. Returns an exit status. */
int fg_process_run(struct fg_process *process, volatile sig_atomic_t *stop);

#endif
