/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One mapping holds a page without rights, the pages that are used, and another page without
 * rights. How long it is stands at the beginning of the used pages, a line before the memory.
 */
#include "dataplane/secret_memory.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LEAD 128 /* keeps the memory on lines of its own, as fg_memory_zeroed() does */

struct lead {
    size_t bytes; /* of the used pages */
    bool locked;
};
static_assert(sizeof(struct lead) <= LEAD, "the lead fits before the memory");

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static struct lead *lead_of(const void *memory)
{
    return (struct lead *)((uintptr_t)memory - LEAD);
}

void *fg_secret_alloc(size_t size)
{
    size_t page = page_bytes();

    if (size > SIZE_MAX / 2) {
        errno = ENOMEM;
        return NULL;
    }
    size_t bytes = (size + LEAD + page - 1) & ~(page - 1);
    uint8_t *whole = mmap(NULL, bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (whole == MAP_FAILED)
        return NULL;
    uint8_t *used = whole + page;
    /* A kernel that cannot keep it out of cores and children must not get it. */
    if (mprotect(used, bytes, PROT_READ | PROT_WRITE) != 0 ||
        madvise(used, bytes, MADV_DONTDUMP) != 0 || madvise(used, bytes, MADV_WIPEONFORK) != 0) {
        munmap(whole, bytes + 2 * page);
        return NULL;
    }
    struct lead *lead = (struct lead *)used;
    lead->bytes = bytes;
    lead->locked = mlock2(used, bytes, 0) == 0; /* sanitizers make nothing of mlock */
    return used + LEAD;
}

void fg_secret_free(void *memory)
{
    if (!memory)
        return;
    size_t page = page_bytes(), bytes = lead_of(memory)->bytes;
    uint8_t *used = (uint8_t *)lead_of(memory);
    explicit_bzero(used, bytes);
    munmap(used - page, bytes + 2 * page);
}

bool fg_secret_locked(const void *memory)
{
    return lead_of(memory)->locked;
}
