/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Room for the few lines that are long. Areas of one size in one piece of memory, reserved at the
 * start and never given back to the kernel: a line that grows in one copies nothing and touches new
 * pages only as fast as it is read, and giving an area back is one bit. One thread.
 */
#ifndef FG_CONTROL_LONG_LINES_H
#define FG_CONTROL_LONG_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FG_LONG_LINES_MAX 64

struct fg_long_lines {
    char *memory;
    size_t each; /* bytes of an area */
    unsigned count;
    uint64_t taken; /* a bit for each */
};

/* Reserves `count` areas (at most FG_LONG_LINES_MAX; 0: none) of `each` bytes. 0 or -ENOMEM. */
int fg_long_lines_init(struct fg_long_lines *lines, unsigned count, size_t each);
void fg_long_lines_fini(struct fg_long_lines *lines);

/* Is there a free one? */
bool fg_long_lines_free(const struct fg_long_lines *lines);
/* An area, or NULL when all are taken. */
char *fg_long_lines_take(struct fg_long_lines *lines);
void fg_long_lines_give(struct fg_long_lines *lines, const char *area);

#endif
