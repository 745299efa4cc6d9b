/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The client history: everything a client sent and heard, one record for each entry of each
 * datagram sent. The checker proves the invariants from it. docs/history.md describes the file:
 * a struct fg_history_header, `items` structs fg_history_item, then `records` structs
 * fg_history_record, all little-endian.
 */
#ifndef FG_CHECK_HISTORY_H
#define FG_CHECK_HISTORY_H

#include <stdbool.h>
#include <stdio.h>

#include "flashgate/protocol.h"

#define FG_HISTORY_MAGIC "FGHIST01"

struct fg_history_header {
    char magic[8];
    uint64_t records;
    uint64_t seed;
    uint64_t began_ns; /* CLOCK_REALTIME of the run's start */
    uint32_t items;
    uint32_t reserved[7];
};
static_assert(sizeof(struct fg_history_header) == 64, "file layout");

/* An item as it was when the run began. */
struct fg_history_item {
    uint32_t id;
    uint32_t stock; /* supply */
    uint32_t limit; /* units per buyer; 0: none */
    uint32_t hold_ms;
};

struct fg_history_record {
    uint64_t sent_ns;    /* CLOCK_REALTIME just before this datagram was sent */
    uint64_t replied_ns; /* when its answer was received; 0: none came */
    uint8_t buyer[FG_BUYER_BYTES];
    uint64_t request;
    uint64_t order; /* of the answer */
    uint32_t item;
    uint16_t quantity;
    uint8_t op;
    uint8_t verdict; /* of the answer */
    uint8_t flags;   /* of the answer */
    uint8_t attempt; /* 0: first send of this op for (buyer, request); 1, 2 ...: retries */
    uint16_t reserved;
    uint32_t available; /* of the answer */
};
static_assert(sizeof(struct fg_history_record) == 64, "file layout");

/* A history in memory: the generator fills it, the checker reads it. */
struct fg_history {
    struct fg_history_header header;
    struct fg_history_item *items;
    struct fg_history_record *records; /* header.records are in use */
    uint64_t capacity;
};

/* 0 or a negative errno; load says what is wrong with a file in `message`. */
int fg_history_save(const struct fg_history *history, const char *path);
int fg_history_load(struct fg_history *history, const char *path, char *message, size_t size);

/*
 * Adds the records of another file, of another client or of the same one started again. Items that
 * both list must be the same, unless `supply_known`: then what the files say of items is of no
 * account. 0, or a negative errno with a sentence and nothing added.
 */
int fg_history_add(struct fg_history *history, const char *path, bool supply_known, char *message,
                   size_t size);
void fg_history_free(struct fg_history *history);

#endif
