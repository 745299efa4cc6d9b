/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the engine tells the service manager that started it (sd_notify's protocol: a datagram of
 * NAME=VALUE lines to the Unix socket that NOTIFY_SOCKET names). Without one, nothing happens.
 *
 * The watchdog is told that the engine lives only while every worker makes progress: one that hangs
 * has the manager end the engine and start it again.
 *
 * Threads: control.
 */
#ifndef FG_NOTIFY_H
#define FG_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "flashgate/limits.h"

struct fg_notify {
    int socket;                     /* -1: nobody wants to know */
    uint64_t watchdog_ms;           /* between two pings at most; 0: no watchdog */
    uint64_t next_ping_ms;          /* monotonic; the first tick pings */
    uint64_t loops[FG_WORKERS_MAX]; /* of each worker at the last ping */
    int hung;                       /* a worker that keeps the ping back, or -1 */
};

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and takes them out of the environment. What
 * is there but not usable is told on stderr, once. */
void fg_notify_open(struct fg_notify *notify);
void fg_notify_close(struct fg_notify *notify);

/* Sends one or more lines, like "READY=1\nSTATUS=serving". Never blocks; what the manager does not
 * take is lost. */
__attribute__((format(printf, 2, 3))) void fg_notify_send(struct fg_notify *notify,
                                                          const char *format, ...);

/* Every tick: pings at half of the watchdog's time, if each of `loops` has moved since the last
 * ping. The manager is told of the worker that has not, once. */
void fg_notify_tick(struct fg_notify *notify, uint64_t now_ms, const uint64_t *loops,
                    unsigned workers);

#endif
