/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each second, for each sale on the board: the fields that changed since they were last written,
 * and always those that say how the sale is. So a sale of many items costs Redis little. That the
 * hash was gone (Redis lost it, or it expired) shows by fields that are new to it: then all are
 * written again.
 */
#include "control/figures/stock_page.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/control.h"
#include "control/internal.h"
#include "control/text.h"
#include "dataplane/orders/circuit.h"
#include "dataplane/orders/thread.h"
#include "flashgate/exit_status.h"

#define HEAD_FIELDS   5
#define NS_PER_SECOND UINT64_C(1000000000)

struct fg_stock_page {
    struct fg_engine *engine;
    struct fg_redis_link *link;
    uint64_t period_ns;
    bool connected;
    struct fg_circuit circuit; /* its stats: anyone: ro */
    pthread_t thread;
    pthread_mutex_t lock; /* of `stop` and `error` */
    pthread_cond_t wake;
    bool stop;
    char error[256];
    struct fg_stock_page_stats stats; /* the thread: rw, others: ro */

    /* What the hashes hold, as far as this thread knows. */
    uint32_t *written; /* units by slot, UINT32_MAX: not known */
    uint32_t slots;
    uint64_t revision; /* of the board they were written from */
    struct fg_redis_field fields[FG_REDIS_PAGE_MAX];
};

static bool stopping(struct fg_stock_page *page)
{
    pthread_mutex_lock(&page->lock);
    bool stop = page->stop;
    pthread_mutex_unlock(&page->lock);
    return stop;
}

static void note_error(struct fg_stock_page *page, const char *text)
{
    fg_count_add(&page->stats.errors, 1);
    pthread_mutex_lock(&page->lock);
    snprintf(page->error, sizeof(page->error), "%s", text);
    pthread_mutex_unlock(&page->lock);
}

static void forget(struct fg_stock_page *page)
{
    for (uint32_t i = 0; i < page->slots; i++)
        page->written[i] = UINT32_MAX;
}

static void set(struct fg_redis_field *field, const char *name, const char *value)
{
    snprintf(field->name, sizeof(field->name), "%s", name);
    snprintf(field->value, sizeof(field->value), "%s", value);
}

static void set_number(struct fg_redis_field *field, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, value);
    set(field, name, text);
}

/* ms since 1970, as the streams' entries have their times; 0: by hand. */
static void put_head(struct fg_stock_page *page, const struct fg_board_sale *sale)
{
    set(&page->fields[0], "state", fg_sale_state_name(sale->state));
    set_number(&page->fields[1], "opens", sale->opens_ns / 1000000);
    set_number(&page->fields[2], "closes", sale->closes_ns / 1000000);
    set_number(&page->fields[3], "updated", fg_control_wall_ns() / 1000000);
    set_number(&page->fields[4], "epoch", fg_journal_epoch(page->engine->journal));
}

static uint64_t now_ns(void)
{
    return fg_clock_system.monotonic_ns(fg_clock_system.context);
}

/* A call failed. One that is refused is its sale's matter; the others keep the next ones back. */
static void note_answer(struct fg_stock_page *page, enum fg_redis_answer answer)
{
    note_error(page, page->link->error(page->link->context));
    page->connected &= answer != FG_REDIS_LOST && answer != FG_REDIS_RELOAD;
    if (answer != FG_REDIS_REFUSED && answer != FG_REDIS_BAD_KEY)
        fg_circuit_failed(&page->circuit, now_ns());
}

/* Writes `count` fields; false when Redis did not take them. */
static bool write_fields(struct fg_stock_page *page, const struct fg_board_sale *sale,
                         unsigned count, uint64_t *created)
{
    struct fg_redis_page call = {
        .sale = sale->name,
        .fields = page->fields,
        .count = count,
        .expiry_ms = FG_STOCK_PAGE_EXPIRY_MS,
    };
    enum fg_redis_answer answer = page->link->page(page->link->context, &call);
    *created += call.created;
    if (answer == FG_REDIS_OK)
        return true;
    note_answer(page, answer);
    return false;
}

static uint32_t *written_of(struct fg_stock_page *page, const struct fg_board_item *item)
{
    return &page->written[item->slot];
}

/* Refreshes one sale's hash; false when Redis did not take all of it. */
static bool refresh(struct fg_stock_page *page, const struct fg_board *board,
                    const struct fg_board_sale *sale)
{
    const struct fg_board_item *items = &board->items[sale->first_item];
    unsigned count = HEAD_FIELDS;
    uint64_t created = 0, unknown = 0;
    put_head(page, sale);
    for (uint32_t i = 0; i < sale->items_count; i++) {
        char id[12];
        uint32_t units = atomic_load_explicit(&page->engine->stock.available[items[i].slot],
                                              memory_order_relaxed);
        uint32_t *written = written_of(page, &items[i]);
        if (*written == units)
            continue;
        unknown += *written == UINT32_MAX;
        *written = units;
        snprintf(id, sizeof(id), "%" PRIu32, items[i].id);
        set_number(&page->fields[count++], id, units);
        if (count == FG_REDIS_PAGE_MAX) {
            if (!write_fields(page, sale, count, &created))
                return false;
            count = 0;
        }
    }
    if (count > 0 && !write_fields(page, sale, count, &created))
        return false;
    /* Something was new that was written before: the hash had gone, and what did not change is
     * missing in it. */
    if (created > unknown && unknown < sale->items_count)
        for (uint32_t i = 0; i < sale->items_count; i++)
            *written_of(page, &items[i]) = UINT32_MAX;
    fg_count_add(&page->stats.pages, 1);
    return true;
}

static bool connect_redis(struct fg_stock_page *page)
{
    enum fg_redis_answer answer = page->link->connect(page->link->context);
    page->connected = answer == FG_REDIS_OK;
    if (page->connected)
        forget(page);
    else
        note_answer(page, answer == FG_REDIS_REFUSED ? FG_REDIS_LOST : answer);
    return page->connected;
}

static void refresh_all(struct fg_stock_page *page)
{
    if (!fg_circuit_may_call(&page->circuit, now_ns()) ||
        (!page->connected && !connect_redis(page)))
        return;
    const struct fg_board *board = fg_control_board(page->engine->control);
    bool whole = true;
    if (board && board->revision != page->revision) { /* slots may have other items */
        page->revision = board->revision;
        forget(page);
    }
    for (unsigned i = 0; board && i < board->sales_count && page->connected; i++) {
        if (stopping(page) || !fg_circuit_may_call(&page->circuit, now_ns()))
            break;
        if (!refresh(page, board, &board->sales[i]))
            whole = false;
    }
    if (board)
        fg_control_board_return(page->engine->control, board);
    if (!whole)
        forget(page);
    else
        fg_circuit_worked(&page->circuit);
}

/* Until then, or until the stop. */
static void wait_until(struct fg_stock_page *page, uint64_t until_ns)
{
    struct timespec until = {.tv_sec = (time_t)(until_ns / NS_PER_SECOND),
                             .tv_nsec = (long)(until_ns % NS_PER_SECOND)};
    int rc = 0;
    pthread_mutex_lock(&page->lock);
    while (!page->stop && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&page->wake, &page->lock, &until);
    pthread_mutex_unlock(&page->lock);
}

static void *run(void *arg)
{
    struct fg_stock_page *page = arg;
    uint64_t next_ns = now_ns();
    while (!stopping(page)) {
        refresh_all(page);
        next_ns += page->period_ns;
        if (now_ns() >= next_ns) /* Redis was slow: what is missed is missed */
            next_ns = now_ns() + page->period_ns;
        wait_until(page, next_ns);
    }
    return NULL;
}

static void page_free(struct fg_stock_page *page)
{
    pthread_cond_destroy(&page->wake);
    pthread_mutex_destroy(&page->lock);
    free(page->written);
    free(page);
}

static struct fg_stock_page *page_create(struct fg_engine *engine, struct fg_redis_link *link,
                                         unsigned period_ms)
{
    pthread_condattr_t monotonic;
    struct fg_stock_page *page = calloc(1, sizeof(*page));
    if (!page)
        return NULL;
    page->engine = engine;
    page->link = link;
    page->period_ns = period_ms * UINT64_C(1000000);
    page->slots = engine->stock.slots;
    fg_circuit_init(&page->circuit, engine->config.redis_retry_max_ms * UINT64_C(1000000),
                    (uintptr_t)page);
    pthread_mutex_init(&page->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&page->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    page->written = calloc(page->slots, sizeof(*page->written));
    if (page->written)
        return page;
    page_free(page);
    return NULL;
}

int fg_stock_page_start(struct fg_engine *engine, struct fg_redis_link *link, unsigned period_ms,
                        char *message, size_t size)
{
    struct fg_stock_page *page = page_create(engine, link, period_ms);
    if (!page) {
        snprintf(message, size, "no memory for the stock page");
        return FG_EXIT_MEMORY;
    }
    int rc =
        fg_thread_start(&page->thread, "fg-stock-page", run, page, engine->config.delivery_core);
    if (rc != 0) {
        snprintf(message, size, "the stock page's thread cannot start: %s", strerror(-rc));
        page_free(page);
        return FG_EXIT_FAILED;
    }
    engine->stock_page = page;
    return FG_EXIT_OK;
}

void fg_stock_page_stop(struct fg_engine *engine)
{
    struct fg_stock_page *page = engine->stock_page;
    if (!page)
        return;
    pthread_mutex_lock(&page->lock);
    page->stop = true;
    pthread_cond_signal(&page->wake);
    pthread_mutex_unlock(&page->lock);
    pthread_join(page->thread, NULL);
    engine->stock_page = NULL;
    page_free(page);
}

const struct fg_stock_page_stats *fg_stock_page_stats(const struct fg_stock_page *page)
{
    return &page->stats;
}

const struct fg_circuit_stats *fg_stock_page_circuit(const struct fg_stock_page *page)
{
    return &page->circuit.stats;
}

void fg_stock_page_last_error(struct fg_stock_page *page, char *text, size_t size)
{
    pthread_mutex_lock(&page->lock);
    snprintf(text, size, "%s", page->error);
    pthread_mutex_unlock(&page->lock);
}
