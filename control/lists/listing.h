/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lists in force, with where they come from: the four files that the configuration names. Made
 * whole, or not at all; immutable from then on, and shared by catalogues (shared.h).
 */
#ifndef FG_CONTROL_LISTING_H
#define FG_CONTROL_LISTING_H

#include "control/config/config.h"
#include "control/shared.h"
#include "dataplane/admission/lists.h"

#define FG_LISTING_DIGEST 65 /* SHA-256 as hex digits, as sha256sum prints it */

struct fg_listing_file {
    uint64_t bytes;
    char digest[FG_LISTING_DIGEST]; /* of the file; "" without one */
};

struct fg_listing {
    struct fg_shared shared;
    struct fg_lists *lists;
    struct fg_listing_file files[FG_LIST_COUNT];
    uint64_t loaded_ns; /* wall clock; control fills in this and the next two */
    uint32_t uid, pid;  /* of who had them loaded; UINT32_MAX: the engine's start */
    uint32_t took_ms;   /* reading and making */
};

/* Reads the files and makes the lists; a list without a file is empty. The caller holds them. NULL
 * with "FILE:LINE:COLUMN: ..." or another sentence. Takes a second for a million entries: aside. */
struct fg_listing *fg_listing_load(const struct fg_config *config, char *message, size_t size);
/* The last holder's call frees them, which takes milliseconds for a million. NULL does nothing. */
void fg_listing_drop(struct fg_listing *listing);

/* What workers are to have of it: NULL where nobody is listed. */
static inline const struct fg_lists *fg_listing_lists(const struct fg_listing *listing)
{
    const struct fg_lists *lists = listing ? listing->lists : NULL;
    return lists && (lists->lines_count != 0 || lists->sources) ? lists : NULL;
}

#endif
