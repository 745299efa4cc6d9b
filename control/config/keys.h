/* SPDX-License-Identifier: BSD-3-Clause */
/* The key file: who may send what. Mode 0600 or it is refused. Any thread, one at a time. */
#ifndef FG_CONTROL_KEYS_H
#define FG_CONTROL_KEYS_H

#include <stdio.h>

#include "dataplane/admission/catalogue.h"

/* A key ring and, for each key, the names of the sales it may touch. */
struct fg_key_file {
    struct fg_keyring ring;
    char **sales[FG_KEYS_MAX]; /* NULL-terminated; NULL: all sales */
};

/* 0, or -1 with "FILE:LINE:COLUMN: ..." (never a secret). path NULL: no keys. */
int fg_key_file_load(struct fg_key_file *keys, const char *path, bool unsigned_allowed,
                     char *message, size_t size);
void fg_key_file_free(struct fg_key_file *keys); /* wipes the secrets */

/* The options of a key file, as a part of a manual page (scdoc). */
void fg_keys_manual(FILE *out);

/* May this key touch that sale? */
bool fg_key_file_allows(const struct fg_key_file *keys, int place, const char *sale);

#endif
