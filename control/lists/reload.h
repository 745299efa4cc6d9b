/* SPDX-License-Identifier: BSD-3-Clause */
/* The lists of a running engine: read aside, put in force, ended aside. One thread: control. */
#ifndef FG_CONTROL_LISTS_RELOAD_H
#define FG_CONTROL_LISTS_RELOAD_H

#include "control/internal.h"

/* Reads the files that the configuration names, while control ticks. The caller holds what comes of
 * them; NULL with a sentence. `peer` NULL: the engine's start. */
struct fg_listing *fg_lists_read(struct fg_control *control, const struct fg_peer *peer,
                                 char *message, size_t size);
/* From the next catalogue on these are in force, and control holds them. Those that were are the
 * caller's to end, by fg_lists_end(). */
struct fg_listing *fg_lists_put(struct fg_control *control, struct fg_listing *listing);
/* The caller has done with them: where nobody else holds them, their memory is given back aside. */
void fg_lists_end(struct fg_control *control, struct fg_listing *listing);

#endif
