/* SPDX-License-Identifier: BSD-3-Clause */
/* Large zeroed arrays of the generator: mapped at start, so that the loop never allocates. */
#ifndef LOAD_MEMORY_H
#define LOAD_MEMORY_H

#include <stddef.h>

/* `bytes` zero bytes, or NULL. Memory is taken from the system only as it is touched. */
void *load_memory_map(size_t bytes);
void load_memory_unmap(void *memory, size_t bytes); /* NULL is allowed */

/* Takes the first `bytes` from the system now, so that touching them later costs no page fault. */
void load_memory_prefault(void *memory, size_t bytes);

#endif
