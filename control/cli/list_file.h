/* SPDX-License-Identifier: BSD-3-Clause */
/* A list's file, as `lists add` writes it. One thread. */
#ifndef FG_CONTROL_CLI_LIST_FILE_H
#define FG_CONTROL_CLI_LIST_FILE_H

#include <stdbool.h>

#include "dataplane/admission/lists.h"

struct fg_list_addition {
    enum fg_list list;
    const char *path;
    const char *lines; /* to be appended: one entry and its comment each, every line ended */
    size_t length;

    unsigned added; /* set by fg_list_file_add() */
    unsigned there; /* were in the file already, or came twice */
};

/* Appends those of the lines whose entry the file does not have yet, all or none, and has them on
 * disk. How an entry is written does not matter: an address and its whole prefix are one. Where
 * nothing is new the file is left alone. False with a sentence that names the file: it cannot be
 * read or written, or something in it is wrong, with the place. */
bool fg_list_file_add(struct fg_list_addition *addition, char *message, size_t size);

#endif
