/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory of the packet path. All of it is had at start. */
#ifndef FG_MEMORY_H
#define FG_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FG_MEMORY_ALIGNMENT UINT64_C(128) /* processors fetch lines of 64 bytes in pairs */

/* `count` things of `size` bytes on lines of their own, zeroed and so touched: no page fault comes
 * later. NULL when memory is short. The caller ends it with free(). */
void *fg_memory_zeroed(uint64_t count, size_t size);

/* The same for large tables that are looked up at random, also while the engine runs: on huge pages
 * where the kernel gives some (transparent_hugepage is always or madvise). */
void *fg_memory_large(uint64_t count, size_t size);

#endif
