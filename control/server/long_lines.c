/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/server/long_lines.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

int fg_long_lines_init(struct fg_long_lines *lines, unsigned count, size_t each)
{
    assert(count <= FG_LONG_LINES_MAX);
    *lines = (struct fg_long_lines){.each = each, .count = count};
    if (count == 0)
        return 0;
    /* Small pages: a huge one is cleared whole at its first byte, within a round. */
    void *memory = mmap(NULL, count * each, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    madvise(memory, count * each, MADV_NOHUGEPAGE);
    lines->memory = memory;
    return 0;
}

void fg_long_lines_fini(struct fg_long_lines *lines)
{
    if (lines->memory)
        munmap(lines->memory, lines->count * lines->each);
    *lines = (struct fg_long_lines){0};
}

/* The first that is free, or count. */
static unsigned free_place(const struct fg_long_lines *lines)
{
    unsigned place = 0;
    while (place < lines->count && lines->taken & UINT64_C(1) << place)
        place++;
    return place;
}

bool fg_long_lines_free(const struct fg_long_lines *lines)
{
    return free_place(lines) < lines->count;
}

char *fg_long_lines_take(struct fg_long_lines *lines)
{
    unsigned place = free_place(lines);
    if (place == lines->count)
        return NULL;
    lines->taken |= UINT64_C(1) << place;
    return lines->memory + place * lines->each;
}

void fg_long_lines_give(struct fg_long_lines *lines, const char *area)
{
    size_t place = (size_t)(area - lines->memory) / lines->each;
    assert(place < lines->count);
    lines->taken &= ~(UINT64_C(1) << place);
}
