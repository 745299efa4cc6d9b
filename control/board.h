/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What other threads may see of the catalogue: a picture of the model that control paints when it
 * has changed, immutable from then on. Figures that change by themselves (units free, counters) are
 * not on it: they are read where they are published.
 *
 * Threads: control publishes; anyone takes the board in force and returns it when done. The lock is
 * held for a few instructions.
 */
#ifndef FG_CONTROL_BOARD_H
#define FG_CONTROL_BOARD_H

#include <pthread.h>

#include "control/sale/model.h"

struct fg_board_item {
    uint32_t id, slot;
    uint32_t stock;  /* total supply */
    uint32_t pooled; /* units ever put on sale by this process, orders' units included */
};

struct fg_board_sale {
    char name[FG_SALE_NAME_MAX + 1];
    uint32_t number;
    uint8_t state; /* enum fg_sale_state */
    uint64_t opens_ns, closes_ns;
    uint32_t first_item, items_count; /* places in the board's items */
};

/* Of a key nothing but where its figures are. */
struct fg_board_key {
    uint16_t id, place;
};

struct fg_board {
    unsigned holders; /* under the desk's lock */
    uint64_t revision;
    uint8_t mode;              /* enum fg_engine_mode */
    uint64_t started_ms;       /* monotonic */
    uint64_t serving_since_ns; /* wall clock */
    uint32_t keys_generation;
    unsigned keys_count;
    struct fg_board_key keys[FG_KEYS_MAX];
    unsigned sales_count;
    struct fg_board_sale sales[FG_SALES_LIVE_MAX];
    uint32_t items_count;
    struct fg_board_item items[];
};

struct fg_board_desk {
    pthread_mutex_t lock;
    struct fg_board *board; /* NULL before the first */
};

/* Before other threads. */
void fg_board_init(struct fg_board_desk *desk);
/* Nobody holds a board any more. */
void fg_board_fini(struct fg_board_desk *desk);

/* Control: a picture of the model; NULL when memory is short. Its other fields are the caller's to
 * set before it publishes it. */
struct fg_board *fg_board_paint(const struct fg_model *model);
void fg_board_put_keys(struct fg_board *board, const struct fg_keyring *ring);
void fg_board_publish(struct fg_board_desk *desk, struct fg_board *board);

/* Any thread: the board in force, or NULL; returned by who took it. */
const struct fg_board *fg_board_take(struct fg_board_desk *desk);
void fg_board_return(struct fg_board_desk *desk, const struct fg_board *board);

#endif
