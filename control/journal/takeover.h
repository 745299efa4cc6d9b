/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of flashgatectl takeover share. One thread. */
#ifndef FG_CONTROL_TAKEOVER_H
#define FG_CONTROL_TAKEOVER_H

#include "control/config/config.h"
#include "control/journal/commands.h"
#include "control/journal/names.h"
#include "control/journal/walk.h"
#include "dataplane/orders/redis_link.h"

/* Sales that a reading of the log told. */
struct sales {
    struct fg_journal_names names;
    uint8_t archived[(FG_SALES_EVER_MAX + 8) / 8]; /* a bit for each */
};

struct takeover {
    const struct fg_cli_call *call;
    const char *from;
    struct fg_config config;
    struct fg_journal_facts source; /* as first read */
    struct sales sales;             /* of the latest reading */
    uint8_t fenced[(FG_SALES_EVER_MAX + 8) / 8];
    unsigned fenced_count;
    struct fg_redis_link *link; /* connected; NULL: without a fence */
    uint64_t instance;
    json_t *steps;
};

/* Sets of sales, by number. */
static inline bool fg_takeover_bit(const uint8_t *bits, uint32_t at)
{
    return bits[at / 8] >> at % 8 & 1;
}

static inline void fg_takeover_set_bit(uint8_t *bits, uint32_t at)
{
    bits[at / 8] |= (uint8_t)(1u << at % 8);
}

/* takeover.c: tells that a step is done, at once. */
__attribute__((format(printf, 3, 4))) void fg_takeover_step(const struct takeover *takeover,
                                                            const char *name, const char *format,
                                                            ...);

/* takeover_fence.c: connects the link, or leaves it NULL where going on without a fence was asked
 * for. FG_EXIT_OK, or another exit status that has been told. */
int fg_takeover_connect(struct takeover *takeover);

/* Fences every sale that the latest reading told and that has no fence yet: *claimed is how many.
 * As fg_takeover_connect. */
int fg_takeover_fence(struct takeover *takeover, unsigned *claimed);

#endif
