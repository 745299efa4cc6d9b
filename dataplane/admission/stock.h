/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stock: who gets the units of an item, over any number of workers, without a lock.
 *
 * Units of an item lie in a pool word S = version (high 32 bits) | units (low 32), and in a cell of
 * each worker. `open` of a worker says how much of the item it has unsettled: it goes up before a
 * take and comes down when the order's record is durable (and a held order's when it is confirmed
 * or its units are back). A refusal is true only if all cells, then all opens, were seen with S
 * unchanged. The rules were model-checked; docs/architecture.md gives them with the reasons.
 *
 * Threads: fg_stock_take and the open functions by the owner of line w only; fg_stock_put_back by
 * anyone whose record is durable; restore before any worker runs.
 */
#ifndef FG_ADMISSION_STOCK_H
#define FG_ADMISSION_STOCK_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "flashgate/limits.h"

enum fg_take {
    FG_TOOK,      /* the units are the caller's; its `open` is up */
    FG_SOLD_OUT,  /* fewer units than asked, and nothing unsettled */
    FG_UNSETTLED, /* fewer units than asked, but something is unsettled */
};

/* The pool word of one item, alone on its line. */
struct fg_pool {
    _Atomic uint64_t word; /* workers, control: rw */
} __attribute__((aligned(64)));

/* Worker w's line of one item. */
struct fg_stock_line {
    _Atomic uint32_t cell;        /* owner: rw; others may empty it (recall) */
    _Atomic uint32_t open;        /* owner: rw, others: ro. Orders of the item that are unsettled */
    _Atomic uint32_t held;        /* owner: rw, others: ro. How many of them are holds */
    _Atomic uint32_t earliest_ms; /* owner: rw, others: ro. No hold of this line returns before
                                     it, engine ms; meaningless while held is 0 */
    /* owner only: the remembered refusal */
    uint32_t refused;           /* 0: nothing remembered */
    uint32_t refused_version;   /* version of S that was read first */
    uint32_t refused_available; /* units there were; a request for more is refused */
    /* owner only: the last scan that said UNSETTLED */
    uint32_t scanned_quantity;
    uint64_t scanned_loop;
    uint32_t scanned_earliest_ms; /* least earliest_ms of the lines with holds */
    uint32_t scanned_settling;    /* some open order was no hold: it settles with the next flush */
    uint32_t reserved[4];
} __attribute__((aligned(64)));
static_assert(sizeof(struct fg_stock_line) == 64, "a stock line is one cache line");

struct fg_stock {
    uint32_t workers; /* lines of workers; control's line is number `workers` */
    uint32_t slots;
    struct fg_pool *pools;                           /* [slots] */
    struct fg_stock_line *lines[FG_WORKERS_MAX + 1]; /* [slots] each, one run per owner */
    _Atomic uint32_t *available; /* [slots], control: rw every 10 ms, workers: ro */
};

/* 0 or -ENOMEM. Memory is zeroed and touched. */
int fg_stock_init(struct fg_stock *stock, unsigned workers, uint32_t slots);
void fg_stock_fini(struct fg_stock *stock);

/* Before workers run: puts `units` into the pool. */
void fg_stock_restore(struct fg_stock *stock, uint32_t slot, uint32_t units);

/* Was so much refused by this line when the pool's word had the same version? Then so it is still.
 */
static inline bool fg_stock_remembers(const struct fg_stock_line *own, uint64_t word,
                                      uint32_t quantity)
{
    return own->refused && own->refused_version == (uint32_t)(word >> 32) &&
           quantity > own->refused_available;
}

/* fg_stock_take() of what is not remembered as refused. */
enum fg_take fg_stock_take_units(struct fg_stock *stock, unsigned w, uint32_t slot,
                                 uint32_t quantity, uint64_t loop, uint32_t *available);

/* Takes `quantity` units for line w. `loop` is the caller's loop count: within one loop an item
 * that was UNSETTLED is not scanned again. On SOLD_OUT *available says how many there were. */
static inline enum fg_take fg_stock_take(struct fg_stock *stock, unsigned w, uint32_t slot,
                                         uint32_t quantity, uint64_t loop, uint32_t *available)
{
    const struct fg_stock_line *own = &stock->lines[w][slot];
    /* acquire: as in fg_stock_take_units(), which this is the first step of */
    uint64_t seen = atomic_load_explicit(&stock->pools[slot].word, memory_order_acquire);

    if (!fg_stock_remembers(own, seen, quantity))
        return fg_stock_take_units(stock, w, slot, quantity, loop, available);
    *available = own->refused_available;
    return FG_SOLD_OUT;
}

/* Units go back on sale; their record is durable. */
void fg_stock_put_back(struct fg_stock *stock, uint32_t slot, uint32_t quantity);

/* One more, one fewer unsettled order of line w. Open goes up by itself in a take. */
void fg_stock_open_up(struct fg_stock *stock, unsigned w, uint32_t slot);
void fg_stock_open_down(struct fg_stock *stock, unsigned w, uint32_t slot);

/* The order just taken is a hold until deadline_ms; a hold is a hold no more (its `open` stays). */
void fg_stock_hold(struct fg_stock *stock, unsigned w, uint32_t slot, uint32_t deadline_ms);
void fg_stock_unhold(struct fg_stock *stock, unsigned w, uint32_t slot);
/* The owner knows better: this is when the first of its holds may return. */
void fg_stock_earliest(struct fg_stock *stock, unsigned w, uint32_t slot, uint32_t earliest_ms);

/* After UNSETTLED: ms until units may come back; 0: with the next flush. */
uint32_t fg_stock_wait_ms(const struct fg_stock *stock, unsigned w, uint32_t slot, uint32_t now_ms);

/* Control (line `workers`): takes up to `quantity` unsold units; returns how many. Its `open` is up
 * from before the take: the caller lowers it once the removal is durable. */
uint32_t fg_stock_remove(struct fg_stock *stock, uint32_t slot, uint32_t quantity);

/* Control: nobody uses the slot's item any more, and nothing of it is unsettled: the slot is made
 * fit for another item. Its version goes on, so that no refusal remembered of the old item is ever
 * taken for one of the new. */
void fg_stock_clear(struct fg_stock *stock, uint32_t slot);

/* Held orders of the item, as their workers last said. Any thread. */
uint32_t fg_stock_held(const struct fg_stock *stock, uint32_t slot);

/* Pool and cells, advisory while workers run, exact at rest. Any thread. */
uint32_t fg_stock_free_units(const struct fg_stock *stock, uint32_t slot);

/* Control, every 10 ms: publishes `available` of these slots. */
void fg_stock_publish(struct fg_stock *stock, uint32_t slots);

/* Worker: forgets remembered refusals, once a second, long before a version can wrap. */
void fg_stock_forget(struct fg_stock *stock, unsigned w, uint32_t first_slot, uint32_t count);

#endif
