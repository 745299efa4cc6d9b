/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Goodput over time: a line of CSV for every 100 ms of a run, with what was offered, sent and
 * answered in it. It shows how deep and how long a stall of the engine is, and whether the clients
 * make it worse by sending again.
 */
#ifndef LOAD_GOODPUT_H
#define LOAD_GOODPUT_H

#include <stdio.h>

#include "perf/load/client.h"

#define LOAD_GOODPUT_SLOT_NS (100 * LOAD_MS)

struct load_goodput {
    FILE *file;               /* NULL: nothing is wanted */
    uint64_t slot;            /* the next line's, counted from the start of the load */
    struct load_stats before; /* at the end of the last line's slot */
};

/* Opens the file and writes the columns' names. 0 or a negative errno. */
int load_goodput_open(struct load_goodput *goodput, const char *path);

/* Writes the lines of the slots that are over at now_ns (of the link's clock). When the caller was
 * away for several slots, what happened is told in the first of them. */
void load_goodput_tick(struct load_goodput *goodput, const struct load_client *client,
                       uint64_t now_ns);

/* 0, or a negative errno if any line could not be written. */
int load_goodput_close(struct load_goodput *goodput);

#endif
