/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An engine's log written by one engine and read by the next, with the real journal, model and
 * admissions: start(), write, stop(), and start() again.
 */
#ifndef FG_TESTS_RECOVERY_FIXTURE_H
#define FG_TESTS_RECOVERY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/control.h"
#include "control/sale/sale.h"
#include "dataplane/recovery.h"
#include "flashgate/exit_status.h"

#define S          UINT64_C(1000000000)
#define NOW        (1800000000 * S)
#define FINAL_ITEM 7 /* 100 units */
#define HELD_ITEM  8 /* 50 units, held for 10 minutes */
#define HOLD_MS    600000
#define BUYERS     40

/* Whoever has a disk of its own, with other segments. */
#ifndef RECOVERY_DISK
#define RECOVERY_DISK    (&fg_disk_files)
#define RECOVERY_SEGMENT (16 << 20)
#endif

static char dir[] = "/dev/shm/flashgate-recovery-XXXXXX";

/* --- an engine up to the point where its workers would start --- */

struct fixture {
    struct fg_engine engine;
    struct fg_recovery_plan plan;
    struct fg_counters *counters[FG_WORKERS_MAX];
    uint64_t wall_ns;
    struct fg_clock clock;
    int status;
    char message[512];
};

static inline uint64_t wall_ns(void *context)
{
    return ((struct fixture *)context)->wall_ns;
}

static inline void make_admissions(struct fixture *f)
{
    const struct fg_config *config = &f->engine.config;
    for (unsigned w = 0; w < config->workers; w++) {
        f->counters[w] = aligned_alloc(128, sizeof(*f->counters[w]));
        memset(f->counters[w], 0, sizeof(*f->counters[w]));
        struct fg_admission_config admission = {
            .worker = w,
            .workers = config->workers,
            .partitions = config->partitions,
            .orders = config->limit_orders,
            .orders_per_buyer = 16,
            .parked = 64,
            .lane_records = config->lane_records,
            .seed = 1 + w,
            .stock = &f->engine.stock,
            .counters = f->counters[w],
        };
        f->plan.admissions[w] = fg_admission_create(&admission);
        assert_non_null(f->plan.admissions[w]);
    }
}

static inline struct fixture *start_with(unsigned workers, uint64_t now_ns, uint32_t orders)
{
    struct fixture *f = aligned_alloc(128, sizeof(*f));
    assert_non_null(f);
    memset(f, 0, sizeof(*f));
    f->engine.config = (struct fg_config){
        .workers = workers,
        .partitions = 64,
        .base_port = 20480,
        .unsigned_allowed = true,
        .freshness_ms = 30000,
        .log_dir = dir,
        .log_budget = 4 * RECOVERY_SEGMENT,
        .log_segment = RECOVERY_SEGMENT,
        .lane_records = 1024,
        .limit_orders = orders,
        .limit_items = 16,
        .orders_per_buyer = 16,
    };
    f->wall_ns = now_ns;
    f->clock = (struct fg_clock){f, wall_ns, wall_ns};
    f->plan.engine = &f->engine;
    f->engine.control = fg_control_create(&f->engine, &f->status, f->message, sizeof(f->message));
    assert_non_null(f->engine.control);
    assert_int_equal(fg_stock_init(&f->engine.stock, workers, f->engine.config.limit_items), 0);
    make_admissions(f);
    f->status = fg_recovery_run(&f->plan, RECOVERY_DISK, &f->clock, f->message, sizeof(f->message));
    return f;
}

static inline struct fixture *start(unsigned workers, uint64_t now_ns)
{
    struct fixture *f = start_with(workers, now_ns, 1000);
    if (f->status != FG_EXIT_OK)
        print_message("%s\n", f->message);
    assert_int_equal(f->status, FG_EXIT_OK);
    return f;
}

static inline void stop(struct fixture *f)
{
    if (f->engine.journal) {
        while (fg_journal_step(f->engine.journal) > 0)
            ;
        fg_journal_close(f->engine.journal);
    }
    for (unsigned w = 0; w < f->engine.config.workers; w++) {
        fg_admission_destroy(f->plan.admissions[w]);
        free(f->counters[w]);
    }
    fg_stock_fini(&f->engine.stock);
    fg_control_destroy(f->engine.control);
    free(f);
}

/* --- what it writes --- */

static uint32_t sale_number = 1; /* of the events written */

/* The body of a SALE event; the caller frees it. */
static inline char *sale_body(uint32_t number, const char *name, uint32_t final, uint32_t held)
{
    struct fg_sale_item items[] = {
        {.id = final, .name = "Shoe", .stock = 100, .max_per_order = 5},
        {.id = held, .name = "Hat", .stock = 50, .max_per_order = 5, .hold_ms = HOLD_MS},
    };
    struct fg_sale sale = {
        .number = number, .state = FG_SALE_OPEN, .items_count = 2, .items = items};
    snprintf(sale.name, sizeof(sale.name), "%s", name);
    json_t *json = fg_sale_to_json(&sale);
    char *body = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return body;
}

static inline void write_sale(struct fixture *f, uint32_t number, const char *name, uint32_t final,
                              uint32_t held)
{
    char *body = sale_body(number, name, final, held);
    struct fg_control_event event = {
        .kind = FG_EVENT_SALE,
        .body_length = (uint32_t)strlen(body),
        .revision = 2,
        .sale = number,
        .at_ns = f->wall_ns,
    };
    assert_true(fg_journal_submit(f->engine.journal, &event, body) > 0);
    assert_int_equal(fg_journal_step(f->engine.journal), 1);
    free(body);
}

static inline void apply_sale(struct fixture *f)
{
    write_sale(f, 1, "spring", FINAL_ITEM, HELD_ITEM);
}

static inline void buyer_of(unsigned n, uint8_t buyer[FG_BUYER_BYTES])
{
    memset(buyer, 0, FG_BUYER_BYTES);
    uint64_t mixed = (n + 1) * UINT64_C(0x9E3779B97F4A7C15);
    memcpy(buyer, &mixed, sizeof(mixed));
}

static inline unsigned owner_of(const struct fixture *f, const uint8_t *buyer)
{
    return fg_partition(buyer, f->engine.config.partitions) % f->engine.config.workers;
}

/* Buyer n's only order, of n % 3 + 1 units. */
static inline void write_event(struct fixture *f, unsigned kind, unsigned n, uint32_t item,
                               uint64_t at_ns)
{
    struct fg_order_event event = {
        .kind = (uint8_t)kind,
        .quantity = (uint16_t)(n % 3 + 1),
        .item = item,
        .sale = sale_number,
        .hold_ms = kind == FG_EVENT_ADMIT && item == HELD_ITEM ? HOLD_MS : 0,
        .order = 1000 + n,
        .request = 5,
        .at_ns = at_ns,
    };
    buyer_of(n, event.buyer);
    fg_lane_push(fg_journal_lane(f->engine.journal, owner_of(f, event.buyer)), &event);
}

static inline void write_down(struct fixture *f)
{
    while (fg_journal_step(f->engine.journal) > 0)
        ;
}

/* --- what the next one knows --- */

static inline int look_up(struct fixture *f, unsigned n, struct fg_order_view *view)
{
    uint8_t buyer[FG_BUYER_BYTES];
    struct fg_now now = {.wall_ns = f->wall_ns, .ms = 0};
    buyer_of(n, buyer);
    return fg_admission_order(f->plan.admissions[owner_of(f, buyer)], &now, buyer, 5, view);
}

static inline uint32_t free_units(struct fixture *f, uint32_t item)
{
    const struct fg_item *known = fg_control_item(f->engine.control, item);
    assert_non_null(known);
    return fg_stock_free_units(&f->engine.stock, known->slot);
}

static inline void empty_directory(void)
{
    char path[512];
    DIR *entries = opendir(dir);
    assert_non_null(entries);
    for (const struct dirent *entry; (entry = readdir(entries));) {
        snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        if (entry->d_name[0] != '.')
            assert_int_equal(unlink(path), 0);
    }
    closedir(entries);
}

static inline void assert_refused(struct fixture *f, const char *words)
{
    assert_int_not_equal(f->status, FG_EXIT_OK);
    assert_null(f->engine.journal);
    if (!strstr(f->message, words))
        fail_msg("\"%s\" does not say \"%s\"", f->message, words);
    stop(f);
}

static inline void write_state(struct fixture *f, uint32_t sale, enum fg_sale_state to)
{
    struct fg_control_event event = {
        .kind = FG_EVENT_SALE_STATE, .revision = 3, .sale = sale, .value = to, .at_ns = NOW};
    assert_true(fg_journal_submit(f->engine.journal, &event, NULL) > 0);
    assert_int_equal(fg_journal_step(f->engine.journal), 1);
}

static inline int make_directory(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static inline int remove_directory(void **state)
{
    (void)state;
    return rmdir(dir);
}

#endif
