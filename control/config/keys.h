/* SPDX-License-Identifier: BSD-3-Clause */
/* The key file: who may send what. Mode 0600 or it is refused. Any thread, one at a time. */
#ifndef FG_CONTROL_KEYS_H
#define FG_CONTROL_KEYS_H

#include <stdio.h>

#include "control/shared.h"
#include "dataplane/admission/catalogue.h"

/* What unsigned datagrams may do where the configuration does not say: nothing that touches
 * another's order. */
#define FG_UNSIGNED_OPS (1 << FG_OP_ORDER | 1 << FG_OP_QUERY | 1 << FG_OP_STOCK | 1 << FG_OP_PING)

/* A key ring and, for each key, the names of the sales it may touch. It lies in secret memory. */
struct fg_key_file {
    struct fg_shared shared;
    struct fg_keyring ring;
    char **sales[FG_KEYS_MAX]; /* NULL-terminated; NULL: all sales */
};

/* Held by the caller, or NULL with "FILE:LINE:COLUMN: ..." (never a secret). path NULL: no keys.
 * `unsigned_ops`: bit (1 << op) for each op that unsigned datagrams may use; 0: they are silence.
 */
struct fg_key_file *fg_key_file_load(const char *path, uint8_t unsigned_ops, char *message,
                                     size_t size);
/* The last holder's call wipes the secrets. NULL does nothing. */
void fg_key_file_drop(struct fg_key_file *keys);
/* Without keys; NULL when memory is short. */
struct fg_key_file *fg_key_file_empty(void);

/* The options of a key file, as a part of a manual page (scdoc). */
void fg_keys_manual(FILE *out);

/* May this key touch that sale? */
bool fg_key_file_allows(const struct fg_key_file *keys, int place, const char *sale);

#endif
