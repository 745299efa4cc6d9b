/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stock for product pages: for each live sale a Redis hash that is refreshed every second and goes
 * away by itself when nobody refreshes it. It is for show: nothing is decided by it, and with Redis
 * away there is none.
 *
 *   flashgate:{SALE}:stock   state opens closes epoch updated, and for each item: id -> units on
 * sale
 *
 * Threads: started and stopped by control; it has a thread and a connection of its own, so nothing
 * waits for it. Figures are read by anyone.
 */
#ifndef FG_CONTROL_STOCK_PAGE_H
#define FG_CONTROL_STOCK_PAGE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define FG_STOCK_PAGE_PERIOD_MS 1000
#define FG_STOCK_PAGE_EXPIRY_MS 10000

struct fg_circuit_stats;
struct fg_engine;
struct fg_redis_link;
struct fg_stock_page;

struct fg_stock_page_stats {
    _Atomic uint64_t pages, errors;
};

/* Starts its thread, which refreshes every `period_ms`: engine->stock_page. The link, not
 * connected, is the thread's until the stop, and stays the caller's. FG_EXIT_OK, or another exit
 * status with a sentence. */
int fg_stock_page_start(struct fg_engine *engine, struct fg_redis_link *link, unsigned period_ms,
                        char *message, size_t size);
void fg_stock_page_stop(struct fg_engine *engine);

/* Figures of its thread; read relaxed by anyone. */
const struct fg_stock_page_stats *fg_stock_page_stats(const struct fg_stock_page *page);
/* The circuit breaker before its link. */
const struct fg_circuit_stats *fg_stock_page_circuit(const struct fg_stock_page *page);
/* Copies what the last failing refresh said, "" if none failed. */
void fg_stock_page_last_error(struct fg_stock_page *page, char *text, size_t size);

#endif
