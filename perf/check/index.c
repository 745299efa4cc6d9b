/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/check/index.h"

#include <errno.h>
#include <stdlib.h>

int fg_index_init(struct fg_index *index, uint64_t entries)
{
    uint64_t slots = 16;
    while (slots < entries * 2)
        slots *= 2;
    index->mask = slots - 1;
    index->slots = calloc(slots, sizeof(*index->slots));
    return index->slots == NULL ? -ENOMEM : 0;
}

void fg_index_fini(struct fg_index *index)
{
    free(index->slots);
    index->slots = NULL;
}
