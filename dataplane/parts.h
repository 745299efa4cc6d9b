/* SPDX-License-Identifier: BSD-3-Clause */
/* What the engine's process is made of; process.c starts and stops it. Threads: control. */
#ifndef FG_PARTS_H
#define FG_PARTS_H

#include "dataplane/process.h"

struct fg_part {
    const char *name;
    int (*start)(struct fg_process *p); /* FG_EXIT_OK, or an exit status and p->message */
    void (*stop)(struct fg_process *p); /* not called if it has not started */
};

/* In the order in which they start; they stop in reverse. */
extern const struct fg_part fg_parts[];
extern const size_t fg_parts_count;

#endif
