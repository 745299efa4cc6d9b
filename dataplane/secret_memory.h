/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory for key rings: on pages of its own between two that nobody may touch, so that an overrun
 * of another's memory ends in a fault and not in a key; in no core dump; not inherited by a child;
 * and not written to swap where RLIMIT_MEMLOCK permits. It is for few and long-lived things: each
 * takes at least three pages and a few system calls.
 *
 * Threads: any. A worker only reads what control has handed it.
 */
#ifndef FG_SECRET_MEMORY_H
#define FG_SECRET_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* `size` bytes, zeroed, at a multiple of 128. NULL (and errno) when memory is short. The caller
 * ends it with fg_secret_free(). */
void *fg_secret_alloc(size_t size);

/* Wipes it and gives it back. NULL does nothing. */
void fg_secret_free(void *memory);

/* Does it stay out of swap? */
bool fg_secret_locked(const void *memory);

#endif
