/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Linux may promise memory that it does not have, and ends some process when the promise is taken
 * at its word. So what the machine has left is asked before much is touched.
 */
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>

#include "dataplane/memory.h"

#define HUGE_PAGE  (UINT64_C(2) << 20)  /* of x86-64 */
#define ASKED_FROM (UINT64_C(16) << 20) /* less is not worth reading a file for */

/* Does the machine have so much left, without swapping? Yes, if it does not tell. */
static bool available(uint64_t bytes)
{
    char line[128];
    uint64_t left_kib = UINT64_MAX;
    FILE *file = bytes >= ASKED_FROM ? fopen("/proc/meminfo", "re") : NULL;

    if (!file)
        return true;
    while (left_kib == UINT64_MAX && fgets(line, sizeof(line), file))
        if (strncmp(line, "MemAvailable:", strlen("MemAvailable:")) == 0)
            left_kib = strtoull(line + strlen("MemAvailable:"), NULL, 10);
    fclose(file);
    return bytes / 1024 < left_kib;
}

/* `count` things of `size` bytes at a multiple of `alignment`, not touched yet. *bytes: of whole
 * multiples. */
static void *reserve(uint64_t count, size_t size, uint64_t alignment, uint64_t *bytes)
{
    if (__builtin_mul_overflow(count, size, bytes) || *bytes > SIZE_MAX - alignment)
        return NULL;
    *bytes = (*bytes + alignment - 1) & ~(alignment - 1);
    return available(*bytes) ? aligned_alloc(alignment, *bytes) : NULL;
}

void *fg_memory_zeroed(uint64_t count, size_t size)
{
    uint64_t bytes;
    void *memory = reserve(count, size, FG_MEMORY_ALIGNMENT, &bytes);

    return memory ? memset(memory, 0, bytes) : NULL;
}

void *fg_memory_large(uint64_t count, size_t size)
{
    uint64_t bytes;
    if (size == 0 || count < HUGE_PAGE / size)
        return fg_memory_zeroed(count, size);
    void *memory = reserve(count, size, HUGE_PAGE, &bytes);
    if (!memory)
        return NULL;
    (void)madvise(memory, bytes, MADV_HUGEPAGE); /* a kernel without them says no: as well */
    return memset(memory, 0, bytes);
}
