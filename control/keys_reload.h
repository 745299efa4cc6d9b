/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The key file read again while the engine serves. The new ring is made aside and checked whole;
 * only then it takes the old one's place (shared.h), with one catalogue that every worker takes up:
 * at no moment does a worker go by a part of it.
 *
 * What becomes of a datagram whose key goes, or gets another secret:
 *
 *   not received yet                  silence, from the answer on
 *   handed over, and not decided      silence: it must be signed by the ring in force (receive.c)
 *   waits for others' orders          the same, when it is judged again (admission.c)
 *   decided, and its reply is parked  the reply is signed already, with the secret that it came by,
 *                                     and leaves when its order is durable
 *
 * An order that was admitted stays one, whatever becomes of the key. The old ring is wiped when the
 * grace period of the last catalogue with it is over.
 *
 * One thread: control.
 */
#ifndef FG_CONTROL_KEYS_RELOAD_H
#define FG_CONTROL_KEYS_RELOAD_H

#include "control/internal.h"

/* Reads the configured key file, beside the control thread: held by the caller, or NULL with a
 * sentence, "FILE:LINE:COLUMN: ..." where the file is wrong. */
struct fg_key_file *fg_keys_read(struct fg_control *control, char *message, size_t size);

/* Begins to put it in force; no change may be under way. The caller's hold of it becomes control's.
 */
void fg_keys_put(struct fg_control *control, struct fg_key_file *keys);

#endif
