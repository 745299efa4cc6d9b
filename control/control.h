/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control plane: socket server, catalogue, schedules, clock page. One thread: the main one.
 *
 * In this order: create, replay (recovery), restored, listen, run, close, destroy. The engine's
 * config comes before create, its journal and stock before restored, its workers before run.
 */
#ifndef FG_CONTROL_CONTROL_H
#define FG_CONTROL_CONTROL_H

#include <signal.h>
#include <stddef.h>

#include "dataplane/admission/catalogue.h"
#include "dataplane/orders/event.h"

struct fg_engine;
struct fg_control;

/* Reads the key file and the lists, and makes an empty catalogue model. NULL with a sentence on
 * failure. */
struct fg_control *fg_control_create(struct fg_engine *engine, int *status, char *message,
                                     size_t size);
void fg_control_destroy(struct fg_control *control);

/* Recovery, in log order: applies a control event (base events included; applying one twice changes
 * nothing). 0 or a negative errno. */
int fg_control_replay(struct fg_control *control, const struct fg_record *record);

/* Recovery: an order event of `item` changed the units given by `units` (may be negative). */
int fg_control_replay_units(struct fg_control *control, uint32_t item, int32_t units);

/* Recovery: looks an item up by id in the model; NULL if it is not (or no longer) known. Valid
 * until the next fg_control_replay(). */
const struct fg_item *fg_control_item(struct fg_control *control, uint32_t id);

/* Recovery: the name of the live sale with this number, or NULL. */
const char *fg_control_sale_name(struct fg_control *control, uint32_t number);

/* After recovery: gives every item its stock (supply less given), builds and publishes the first
 * catalogue. 0, or -1 with a sentence (a limit in the config that the log does not fit). */
int fg_control_restored(struct fg_control *control, char *message, size_t size);

/* Binds the control socket (0660). 0 or an exit status, with a sentence. A socket that a live
 * engine answers on is IN_USE; a stale one is replaced. */
int fg_control_listen(struct fg_control *control, char *message, size_t size);

/* Runs until *stop is not 0, or a part fails: returns an exit status (FG_EXIT_OK for a clean stop),
 * with a sentence in `message` when it is another. Workers are running or are about to. */
int fg_control_run(struct fg_control *control, volatile sig_atomic_t *stop, char *message,
                   size_t size);

/* Has a part of the engine failed? FG_EXIT_OK, or another exit status with a sentence. While there
 * are journal and delivery. */
int fg_control_check(struct fg_control *control, char *message, size_t size);

struct fg_board; /* control/board.h */

/* Any thread, from fg_control_restored() to destroy: what may be seen of the catalogue, or NULL
 * when memory was short; given back when done. */
const struct fg_board *fg_control_board(struct fg_control *control);
void fg_control_board_return(struct fg_control *control, const struct fg_board *board);

/* Stops listening and closes every connection. */
void fg_control_close(struct fg_control *control);

#endif
