/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See stock.h for what lies where. The order of the steps is the proof; each step below that must
 * not be moved says what it is paired with.
 *
 *   take      raise `open`, then take from the own cell by CAS; else take a chunk out of the
 *             pool by CAS and put its rest into the cell, then raise the version.
 *   recall    what lies scattered in cells goes back into the pool with one version step, and
 *             only then is taken: nothing is ever gathered in the hand, or two gatherers would
 *             refuse each other for ever.
 *   refuse    S, every cell, every `open`, S again. If S moved, start over.
 *   put down  whatever puts units down anywhere changes the version in the same step or after
 *             it, and before `open` is lowered; so a reader who saw S unchanged saw every unit.
 *
 * A mark such as [take.3] names a step of tests/models/stock.pml: a change of marked steps, or of
 * their order, is one to the model too, and is to be checked there (docs/models.md).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/admission/stock.h"
#include "dataplane/memory.h"

/* One step of the version, which is high so that its overflow falls off the word. */
#define VERSION_1 (UINT64_C(1) << 32)

#define HELD_WAIT_MS 100 /* the least that is told while only holds are open */

static inline uint32_t units_of(uint64_t word)
{
    return (uint32_t)word;
}

static inline uint32_t version_of(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

int fg_stock_init(struct fg_stock *stock, unsigned workers, uint32_t slots)
{
    memset(stock, 0, sizeof(*stock));
    stock->workers = workers;
    stock->slots = slots;
    stock->pools = fg_memory_zeroed(slots, sizeof(*stock->pools));
    stock->available = fg_memory_zeroed(slots, sizeof(*stock->available));
    bool complete = stock->pools && stock->available;
    for (unsigned w = 0; w <= workers; w++) {
        stock->lines[w] = fg_memory_zeroed(slots, sizeof(*stock->lines[w]));
        complete = complete && stock->lines[w];
    }
    if (!complete) {
        fg_stock_fini(stock);
        return -ENOMEM;
    }
    return 0;
}

void fg_stock_fini(struct fg_stock *stock)
{
    for (unsigned w = 0; w <= stock->workers; w++)
        free(stock->lines[w]);
    free(stock->pools);
    free((void *)stock->available);
    memset(stock, 0, sizeof(*stock));
}

void fg_stock_restore(struct fg_stock *stock, uint32_t slot, uint32_t units)
{
    atomic_fetch_add_explicit(&stock->pools[slot].word, VERSION_1 + units, memory_order_release);
}

/* Written by the line's owner only, so load and store are enough. */
static inline void owner_add(_Atomic uint32_t *counter, uint32_t step, memory_order order)
{
    uint32_t now = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, now + step, order);
}

void fg_stock_open_up(struct fg_stock *stock, unsigned w, uint32_t slot)
{
    /* Always followed by a read-modify-write of cell or pool, whose release carries it. */
    owner_add(&stock->lines[w][slot].open, 1, memory_order_relaxed);
}

void fg_stock_open_down(struct fg_stock *stock, unsigned w, uint32_t slot)
{
    /* release: pairs with the acquire in scan(); what was put down before is seen by who sees 0. */
    owner_add(&stock->lines[w][slot].open, (uint32_t)-1, memory_order_release);
}

void fg_stock_hold(struct fg_stock *stock, unsigned w, uint32_t slot, uint32_t deadline_ms)
{
    struct fg_stock_line *line = &stock->lines[w][slot];
    uint32_t held = atomic_load_explicit(&line->held, memory_order_relaxed);
    uint32_t earliest = atomic_load_explicit(&line->earliest_ms, memory_order_relaxed);

    if (held == 0 || (int32_t)(deadline_ms - earliest) < 0)
        atomic_store_explicit(&line->earliest_ms, deadline_ms, memory_order_relaxed);
    atomic_store_explicit(&line->held, held + 1, memory_order_relaxed);
}

void fg_stock_unhold(struct fg_stock *stock, unsigned w, uint32_t slot)
{
    owner_add(&stock->lines[w][slot].held, (uint32_t)-1, memory_order_relaxed);
}

void fg_stock_earliest(struct fg_stock *stock, unsigned w, uint32_t slot, uint32_t earliest_ms)
{
    /* Who scans the line reads it: write it only when it changes. */
    _Atomic uint32_t *earliest = &stock->lines[w][slot].earliest_ms;
    if (atomic_load_explicit(earliest, memory_order_relaxed) != earliest_ms)
        atomic_store_explicit(earliest, earliest_ms, memory_order_relaxed);
}

/* Takes a chunk out of the pool: what is asked, and more for the cell while there is plenty. */
static bool take_from_pool(struct fg_stock *stock, unsigned w, uint32_t slot, uint32_t quantity,
                           uint64_t seen)
{
    struct fg_pool *pool = &stock->pools[slot];
    uint32_t share = units_of(seen) / (2 * stock->workers);
    uint32_t chunk = share > quantity ? share : quantity;

    fg_stock_open_up(stock, w, slot); /* [chunk.1] */
    /* [chunk.2] */
    if (!atomic_compare_exchange_strong_explicit(&pool->word, &seen, seen - chunk,
                                                 memory_order_acq_rel, memory_order_relaxed)) {
        fg_stock_open_down(stock, w, slot); /* [chunk.3] */
        return false;
    }
    if (chunk > quantity) {
        /* Put down first, version after: a scan between the two starts over. */
        atomic_fetch_add_explicit(&stock->lines[w][slot].cell, chunk - quantity,
                                  memory_order_release);                         /* [chunk.4] */
        atomic_fetch_add_explicit(&pool->word, VERSION_1, memory_order_acq_rel); /* [chunk.5] */
    }
    return true;
}

/* Empties every cell into the pool, with one version step. */
static void recall(struct fg_stock *stock, unsigned w, uint32_t slot)
{
    uint32_t gathered = 0;

    fg_stock_open_up(stock, w, slot); /* [recall.1] */
    for (unsigned v = 0; v < stock->workers; v++) {
        _Atomic uint32_t *cell = &stock->lines[v][slot].cell;
        if (atomic_load_explicit(cell, memory_order_relaxed) != 0)
            gathered += atomic_exchange_explicit(cell, 0, memory_order_acq_rel); /* [recall.2] */
    }
    /* [recall.3] */
    atomic_fetch_add_explicit(&stock->pools[slot].word, VERSION_1 + gathered, memory_order_acq_rel);
    fg_stock_open_down(stock, w, slot); /* [recall.4] after the version step */
}

static uint32_t sum_cells(const struct fg_stock *stock, uint32_t slot)
{
    uint32_t sum = 0;
    for (unsigned v = 0; v < stock->workers; v++)
        /* [cells.1] */
        sum += atomic_load_explicit(&stock->lines[v][slot].cell, memory_order_acquire);
    return sum;
}

/* Reads every `open`, control's included, and notes in line w when units may come back. */
static bool anything_open(struct fg_stock *stock, unsigned w, uint32_t slot)
{
    struct fg_stock_line *own = &stock->lines[w][slot];
    bool any = false, any_held = false;

    own->scanned_settling = 0;
    own->scanned_earliest_ms = 0;
    for (unsigned v = 0; v <= stock->workers; v++) {
        struct fg_stock_line *line = &stock->lines[v][slot];
        /* acquire: pairs with the release in fg_stock_open_down() */
        uint32_t open = atomic_load_explicit(&line->open, memory_order_acquire); /* [opens.1] */
        if (open == 0)
            continue;
        any = true;
        uint32_t held = atomic_load_explicit(&line->held, memory_order_relaxed);
        if (open > held)
            own->scanned_settling = 1;
        if (held == 0)
            continue;
        uint32_t earliest = atomic_load_explicit(&line->earliest_ms, memory_order_relaxed);
        if (!any_held || (int32_t)(earliest - own->scanned_earliest_ms) < 0)
            own->scanned_earliest_ms = earliest;
        any_held = true;
    }
    return any;
}

enum fg_take fg_stock_take_units(struct fg_stock *stock, unsigned w, uint32_t slot,
                                 uint32_t quantity, uint64_t loop, uint32_t *available)
{
    struct fg_pool *pool = &stock->pools[slot];
    struct fg_stock_line *own = &stock->lines[w][slot];

    /* Every turn of this loop that starts over does so because another worker made progress. */
    for (;;) {
        uint64_t seen = atomic_load_explicit(&pool->word, memory_order_acquire); /* [take.1] */
        if (fg_stock_remembers(own, seen, quantity)) {                           /* [take.2] */
            *available = own->refused_available;
            return FG_SOLD_OUT;
        }
        uint32_t cell = atomic_load_explicit(&own->cell, memory_order_relaxed); /* [take.3] */
        if (cell >= quantity) {
            fg_stock_open_up(stock, w, slot); /* [take.4] before the take */
            if (atomic_compare_exchange_strong_explicit(&own->cell, &cell, cell - quantity,
                                                        memory_order_acq_rel, memory_order_relaxed))
                return FG_TOOK; /* [take.5] */
            fg_stock_open_down(stock, w, slot);
            continue;
        }
        if (units_of(seen) >= quantity) {
            if (take_from_pool(stock, w, slot, quantity, seen))
                return FG_TOOK; /* [take.6] */
            continue;
        }
        if (own->scanned_loop == loop && quantity >= own->scanned_quantity)
            return FG_UNSETTLED;
        uint32_t sum = units_of(seen) + sum_cells(stock, slot); /* [take.7] 1. every cell */
        if (sum >= quantity) {
            recall(stock, w, slot); /* [take.8] */
            continue;
        }
        bool open = anything_open(stock, w, slot); /* [take.9] 2. then every open */
        if (atomic_load_explicit(&pool->word, memory_order_acquire) != seen) /* 3. then S again */
            continue;                                                        /* [take.10] */
        if (open) {
            own->scanned_loop = loop;
            own->scanned_quantity = quantity;
            return FG_UNSETTLED; /* [take.11] */
        }
        own->refused = 1;
        own->refused_version = version_of(seen); /* [take.12] */
        own->refused_available = sum;
        *available = sum;
        return FG_SOLD_OUT; /* [take.13] */
    }
}

uint32_t fg_stock_wait_ms(const struct fg_stock *stock, unsigned w, uint32_t slot, uint32_t now_ms)
{
    const struct fg_stock_line *own = &stock->lines[w][slot];
    int32_t wait = (int32_t)(own->scanned_earliest_ms - now_ms);

    if (own->scanned_settling)
        return 0;
    /* Now, or so soon that everybody who is refused would be back at once. */
    return wait < HELD_WAIT_MS ? HELD_WAIT_MS : (uint32_t)wait;
}

void fg_stock_put_back(struct fg_stock *stock, uint32_t slot, uint32_t quantity)
{
    /* [return.1] */
    atomic_fetch_add_explicit(&stock->pools[slot].word, VERSION_1 + quantity, memory_order_acq_rel);
}

uint32_t fg_stock_remove(struct fg_stock *stock, uint32_t slot, uint32_t quantity)
{
    unsigned control = stock->workers;
    _Atomic uint64_t *word = &stock->pools[slot].word;

    fg_stock_open_up(stock, control, slot); /* [remove.1] */
    recall(stock, control, slot);           /* [remove.2] */
    uint64_t seen = atomic_load_explicit(word, memory_order_acquire);
    for (;;) {
        uint32_t taken = units_of(seen) < quantity ? units_of(seen) : quantity;
        if (atomic_compare_exchange_weak_explicit(word, &seen, seen - taken, memory_order_acq_rel,
                                                  memory_order_acquire))
            return taken; /* [remove.3] */
    }
}

void fg_stock_clear(struct fg_stock *stock, uint32_t slot)
{
    uint64_t word = atomic_load_explicit(&stock->pools[slot].word, memory_order_relaxed);

    for (unsigned v = 0; v <= stock->workers; v++) {
        assert(atomic_load_explicit(&stock->lines[v][slot].open, memory_order_relaxed) == 0);
        atomic_store_explicit(&stock->lines[v][slot].cell, 0, memory_order_relaxed);
    }
    /* release: pairs with the acquire in fg_stock_take(), of who takes units of the next item */
    atomic_store_explicit(&stock->pools[slot].word, word - units_of(word) + VERSION_1,
                          memory_order_release);
}

uint32_t fg_stock_held(const struct fg_stock *stock, uint32_t slot)
{
    uint32_t held = 0;

    for (unsigned v = 0; v < stock->workers; v++)
        held += atomic_load_explicit(&stock->lines[v][slot].held, memory_order_relaxed);
    return held;
}

uint32_t fg_stock_free_units(const struct fg_stock *stock, uint32_t slot)
{
    return units_of(atomic_load_explicit(&stock->pools[slot].word, memory_order_acquire)) +
           sum_cells(stock, slot);
}

void fg_stock_publish(struct fg_stock *stock, uint32_t slots)
{
    for (uint32_t slot = 0; slot < slots; slot++) {
        uint32_t units = fg_stock_free_units(stock, slot);
        /* Workers read this line: write it only when it changes. */
        if (atomic_load_explicit(&stock->available[slot], memory_order_relaxed) != units)
            atomic_store_explicit(&stock->available[slot], units, memory_order_relaxed);
    }
}

void fg_stock_forget(struct fg_stock *stock, unsigned w, uint32_t first_slot, uint32_t count)
{
    for (uint32_t slot = first_slot; slot < first_slot + count && slot < stock->slots; slot++)
        stock->lines[w][slot].refused = 0;
}
