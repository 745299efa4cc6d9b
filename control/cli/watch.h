/* SPDX-License-Identifier: BSD-3-Clause */
/* Asking the engine the same again and again: what top and --watch share, and --watch itself. */
#ifndef FG_CONTROL_WATCH_H
#define FG_CONTROL_WATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

extern const struct fg_cli_local fg_top_command;

struct fg_watch {
    const char *socket, *method;
    json_t *params;                                /* read only; NULL: none */
    void (*show)(const json_t *result, FILE *out); /* NULL: JSON */
    bool json;                                     /* one object a line */
    uint64_t interval_ms;
    FILE *out, *err;
};

/* The value of --interval; NULL: a second. False with a sentence. */
bool fg_watch_interval(const char *text, uint64_t *interval_ms, char *message, size_t size);

/* Shows answers until the process is ended or `out` takes no more. An engine that goes away after
 * its first answer is told on `err`, and asked on. Returns an exit status. */
int fg_watch(const struct fg_watch *watch);

#endif
