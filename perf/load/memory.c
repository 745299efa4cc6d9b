/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/memory.h"

#include <sys/mman.h>

void *load_memory_map(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        return NULL;
    /* Fewer TLB misses and faults; where the system has no huge pages it changes nothing. */
    (void)madvise(memory, bytes, MADV_HUGEPAGE);
    return memory;
}

void load_memory_unmap(void *memory, size_t bytes)
{
    if (memory)
        munmap(memory, bytes);
}

void load_memory_prefault(void *memory, size_t bytes)
{
    enum { PAGE_BYTES = 4096 };
    volatile char *at = memory;

    /* Rewriting what is there keeps contents that exist already. */
    for (size_t place = 0; place < bytes; place += PAGE_BYTES)
        at[place] = at[place]; // cppcheck-suppress selfAssignment
}
