/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What would keep the control thread from its ticks: texts of megabytes and sales of thousands of
 * items. Such a piece of work runs on a thread of its own while control waits for it, ticking; so
 * it has all that it reads to itself but for what a tick writes (the clock page, the board, figures
 * of the control thread).
 */
#ifndef FG_CONTROL_ASIDE_H
#define FG_CONTROL_ASIDE_H

#include <stdbool.h>
#include <stddef.h>

struct fg_control;

#define FG_ASIDE_BYTES (64 << 10) /* a text so long ... */
#define FG_ASIDE_ITEMS 200        /* ... or so many items take about a millisecond each */

/* Runs function(arg) and returns when it has. `large`: beside the control thread, on its cores,
 * where a thread can be had; else at once. The function changes nothing but what its argument has.
 */
void fg_control_aside(struct fg_control *control, bool large, void (*function)(void *arg),
                      void *arg);

#endif
