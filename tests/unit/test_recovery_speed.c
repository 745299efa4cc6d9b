/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How fast a start reads its log: one engine writes orders of as many buyers, the next one recovers
 * them into its books, stock and tables. The figure is printed, never asserted. Short here, so that
 * it cannot rot; FLASHGATE_RECORDS=4000000 is the long form.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/control.h"
#include "control/sale/sale.h"
#include "dataplane/orders/segment.h"
#include "dataplane/recovery.h"
#include "flashgate/exit_status.h"

#define ITEM          7
#define SHORT_RECORDS 200000
#define LANE_RECORDS  16384
#define BURST         8000 /* orders of one frame */

static char dir[] = "/tmp/flashgate-speed-XXXXXX";
static uint32_t records;

struct fixture {
    struct fg_engine engine;
    struct fg_recovery_plan plan;
    struct fg_counters *counters;
};

static struct fixture *start(void)
{
    struct fixture *f = aligned_alloc(128, sizeof(*f));
    int status;
    char message[512] = "";

    assert_non_null(f);
    memset(f, 0, sizeof(*f));
    f->engine.config = (struct fg_config){
        .workers = 1,
        .partitions = 64,
        .base_port = 20480,
        .unsigned_allowed = true,
        .freshness_ms = 30000,
        .log_dir = dir,
        .log_budget = UINT64_C(4) << 30,
        .log_segment = 64 << 20,
        .lane_records = LANE_RECORDS,
        .limit_orders = 2 * records,
        .limit_items = 16,
        .orders_per_buyer = 16,
    };
    f->plan.engine = &f->engine;
    f->engine.control = fg_control_create(&f->engine, &status, message, sizeof(message));
    assert_non_null(f->engine.control);
    assert_int_equal(fg_stock_init(&f->engine.stock, 1, f->engine.config.limit_items), 0);
    f->counters = aligned_alloc(128, sizeof(*f->counters));
    memset(f->counters, 0, sizeof(*f->counters));
    struct fg_admission_config admission = {
        .workers = 1,
        .partitions = 64,
        .orders = 2 * records,
        .orders_per_buyer = 16,
        .parked = 64,
        .lane_records = LANE_RECORDS,
        .seed = 1,
        .stock = &f->engine.stock,
        .counters = f->counters,
    };
    f->plan.admissions[0] = fg_admission_create(&admission);
    assert_non_null(f->plan.admissions[0]);
    status = fg_recovery_run(&f->plan, &fg_disk_files, &fg_clock_system, message, sizeof(message));
    if (status != FG_EXIT_OK)
        fail_msg("%s", message);
    return f;
}

static void stop(struct fixture *f)
{
    fg_journal_stop(f->engine.journal);
    assert_int_equal(fg_journal_failed(f->engine.journal), 0);
    fg_journal_close(f->engine.journal);
    fg_admission_destroy(f->plan.admissions[0]);
    free(f->counters);
    fg_stock_fini(&f->engine.stock);
    fg_control_destroy(f->engine.control);
    free(f);
}

static void write_sale(struct fixture *f)
{
    struct fg_sale_item item = {.id = ITEM, .name = "Shoe", .stock = records, .max_per_order = 5};
    struct fg_sale sale = {
        .number = 1, .name = "speed", .state = FG_SALE_OPEN, .items_count = 1, .items = &item};
    json_t *json = fg_sale_to_json(&sale);
    char *body = json_dumps(json, JSON_COMPACT);
    struct fg_control_event event = {.kind = FG_EVENT_SALE,
                                     .body_length = (uint32_t)strlen(body),
                                     .revision = 2,
                                     .sale = 1,
                                     .at_ns = 1};
    assert_true(fg_journal_submit(f->engine.journal, &event, body) > 0);
    assert_int_equal(fg_journal_step(f->engine.journal), 1);
    free(body);
    json_decref(json);
}

/* Every tenth order is held and then confirmed, the others are final; each is another buyer's. */
static void write_orders(struct fixture *f)
{
    struct fg_lane *lane = fg_journal_lane(f->engine.journal, 0);

    for (uint32_t n = 0; n < records; n++) {
        bool confirms = n % 10 == 1;
        uint32_t order = confirms ? n - 1 : n;
        uint64_t mixed = (order + 1) * UINT64_C(0x9E3779B97F4A7C15);
        struct fg_order_event event = {.kind = confirms ? FG_EVENT_CONFIRM : FG_EVENT_ADMIT,
                                       .quantity = 1,
                                       .item = ITEM,
                                       .sale = 1,
                                       .hold_ms = n % 10 == 0 ? 600000 : 0,
                                       .order = order + 1,
                                       .request = 5,
                                       .at_ns = UINT64_C(1800000000000000000) + n};
        memcpy(event.buyer, &mixed, sizeof(mixed));
        fg_lane_push(lane, &event);
        if (n % BURST == BURST - 1)
            while (fg_journal_step(f->engine.journal) > 0)
                ;
    }
}

static void test_speed(void **state)
{
    (void)state;
    struct fixture *f = start();
    write_sale(f);
    write_orders(f);
    stop(f);

    f = start();
    const struct fg_recovery *found = &f->engine.recovered;
    assert_in_range(found->records, records + 1, records + 1000); /* and those of bases */
    print_message("recovery: %llu records in %u segments, %.3f s, %.0f records/s\n",
                  (unsigned long long)found->records, found->segments, found->seconds,
                  (double)found->records / found->seconds);
    stop(f);
}

static int make_dir(void **state)
{
    (void)state;
    const char *asked = getenv("FLASHGATE_RECORDS");

    records = asked ? (uint32_t)strtoul(asked, NULL, 10) : SHORT_RECORDS;
    return mkdtemp(dir) ? 0 : -1;
}

static void remove_name(void *arg, const char *name)
{
    int rc = unlinkat(*(int *)arg, name, 0);
    (void)rc;
}

static int remove_dir(void **state)
{
    (void)state;
    int handle = open(dir, O_RDONLY | O_DIRECTORY);

    fg_disk_files.list(NULL, handle, FG_SEGMENT_PREFIX, remove_name, &handle);
    close(handle);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_speed)};

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
