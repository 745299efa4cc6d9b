/* SPDX-License-Identifier: BSD-3-Clause */
/* The key file: who may send what. Mode 0600 or it is refused. Any thread, one at a time. */
#ifndef FG_CONTROL_KEYS_H
#define FG_CONTROL_KEYS_H

#include <stdio.h>

#include "control/shared.h"
#include "dataplane/admission/catalogue.h"

/* A key ring and, for each key, the names of the sales it may touch. It lies in secret memory. */
struct fg_key_file {
    struct fg_shared shared;
    struct fg_key_terms {
        uint32_t rate, burst; /* as written */
    } terms[FG_KEYS_MAX];
    struct fg_keyring ring;
    char **sales[FG_KEYS_MAX]; /* NULL-terminated; NULL: all sales */
};

/* Held by the caller, or NULL with "FILE:LINE:COLUMN: ..." (never a secret). path NULL: no keys.
 * `unsigned_ops`: bit (1 << op) for each op that unsigned datagrams may use; 0: they are silence.
 * `before`: the ring that it is to take the place of, or NULL; keys of both have one place. */
struct fg_key_file *fg_key_file_load(const char *path, uint8_t unsigned_ops,
                                     const struct fg_key_file *before, char *message, size_t size);
/* The last holder's call wipes the secrets. NULL does nothing. */
void fg_key_file_drop(struct fg_key_file *keys);
/* What has become of a place between two rings. */
enum fg_key_change {
    FG_KEY_SAME,
    FG_KEY_ADDED,
    FG_KEY_REMOVED,
    FG_KEY_REPLACED, /* another key has its place: there was no other */
    FG_KEY_SECRET,   /* the same id, and another secret; its rights may have changed, too */
    FG_KEY_TERMS,    /* the same id and secret; other ops, sales, sources, rate or burst */
};
enum fg_key_change fg_key_file_compare(const struct fg_key_file *before,
                                       const struct fg_key_file *after, unsigned place);

/* Without keys; NULL when memory is short. */
struct fg_key_file *fg_key_file_empty(void);

/* How many keys it has; unsigned datagrams are none. */
unsigned fg_key_file_count(const struct fg_key_file *keys);

/* The options of a key file, as a part of a manual page (scdoc). */
void fg_keys_manual(FILE *out);

/* May this key touch that sale? */
bool fg_key_file_allows(const struct fg_key_file *keys, int place, const char *sale);

#endif
