/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An engine's log written by one engine and read by the next, with the real journal, model and
 * admissions: orders, holds and stock are as they were, whatever the number of workers.
 */
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
#include "control/sale.h"
#include "dataplane/recovery.h"
#include "flashgate/exit_status.h"
#include "hand_log.h"

#define S          UINT64_C(1000000000)
#define NOW        (1800000000 * S)
#define FINAL_ITEM 7 /* 100 units */
#define HELD_ITEM  8 /* 50 units, held for 10 minutes */
#define HOLD_MS    600000
#define BUYERS     40

static char dir[] = "/tmp/flashgate-recovery-XXXXXX";

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

static uint64_t wall_ns(void *context)
{
    return ((struct fixture *)context)->wall_ns;
}

static void make_admissions(struct fixture *f)
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

static struct fixture *start_with(unsigned workers, uint64_t now_ns, uint32_t orders)
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
        .log_budget = 64 << 20,
        .log_segment = 16 << 20,
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
    f->status =
        fg_recovery_run(&f->plan, &fg_disk_files, &f->clock, f->message, sizeof(f->message));
    return f;
}

static struct fixture *start(unsigned workers, uint64_t now_ns)
{
    struct fixture *f = start_with(workers, now_ns, 1000);
    if (f->status != FG_EXIT_OK)
        print_message("%s\n", f->message);
    assert_int_equal(f->status, FG_EXIT_OK);
    return f;
}

static void stop(struct fixture *f)
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
static char *sale_body(uint32_t number, const char *name, uint32_t final, uint32_t held)
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

static void write_sale(struct fixture *f, uint32_t number, const char *name, uint32_t final,
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

static void apply_sale(struct fixture *f)
{
    write_sale(f, 1, "spring", FINAL_ITEM, HELD_ITEM);
}

static void buyer_of(unsigned n, uint8_t buyer[FG_BUYER_BYTES])
{
    memset(buyer, 0, FG_BUYER_BYTES);
    uint64_t mixed = (n + 1) * UINT64_C(0x9E3779B97F4A7C15);
    memcpy(buyer, &mixed, sizeof(mixed));
}

static unsigned owner_of(const struct fixture *f, const uint8_t *buyer)
{
    return fg_partition(buyer, f->engine.config.partitions) % f->engine.config.workers;
}

/* Buyer n's only order, of n % 3 + 1 units. */
static void write_event(struct fixture *f, unsigned kind, unsigned n, uint32_t item, uint64_t at_ns)
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

static void write_down(struct fixture *f)
{
    while (fg_journal_step(f->engine.journal) > 0)
        ;
}

/* --- what the next one knows --- */

static int look_up(struct fixture *f, unsigned n, struct fg_order_view *view)
{
    uint8_t buyer[FG_BUYER_BYTES];
    struct fg_now now = {.wall_ns = f->wall_ns, .ms = 0};
    buyer_of(n, buyer);
    return fg_admission_order(f->plan.admissions[owner_of(f, buyer)], &now, buyer, 5, view);
}

static uint32_t free_units(struct fixture *f, uint32_t item)
{
    const struct fg_item *known = fg_control_item(f->engine.control, item);
    assert_non_null(known);
    return fg_stock_free_units(&f->engine.stock, known->slot);
}

static void empty_directory(void)
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

/* --- tests --- */

static void orders_and_stock_come_back(void **state)
{
    (void)state;
    static const unsigned workers[] = {1, 4, 3, 8};
    struct fixture *f = start(2, NOW);
    unsigned taken = 0;

    assert_int_equal(f->engine.recovered.epoch, 1);
    apply_sale(f);
    for (unsigned n = 0; n < BUYERS; n++)
        write_event(f, FG_EVENT_ADMIT, n, FINAL_ITEM, NOW + n);
    for (unsigned n = 0; n < BUYERS; n += 2)
        write_event(f, FG_EVENT_CANCEL, n, FINAL_ITEM, NOW + n);
    for (unsigned n = 1; n < BUYERS; n += 2)
        taken += n % 3 + 1;
    stop(f);

    for (unsigned i = 0; i < sizeof(workers) / sizeof(workers[0]); i++) {
        f = start(workers[i], NOW + S);
        assert_int_equal(f->engine.recovered.epoch, 2 + i);
        assert_int_equal(f->engine.catalogue->revision, 2);
        assert_int_equal(free_units(f, FINAL_ITEM), 100 - taken);
        assert_int_equal(free_units(f, HELD_ITEM), 50);
        for (unsigned n = 0; n < BUYERS; n++) {
            struct fg_order_view view;
            assert_int_equal(look_up(f, n, &view), 0);
            assert_int_equal(view.order, 1000 + n);
            assert_int_equal(view.quantity, n % 3 + 1);
            assert_int_equal(view.verdict, n % 2 ? FG_VERDICT_ADMITTED : FG_VERDICT_CANCELLED);
            assert_int_equal(view.held, 0);
        }
        struct fg_order_view view;
        assert_int_equal(look_up(f, BUYERS, &view), -ENOENT);
        stop(f);
    }
    empty_directory();
}

static void holds_go_on(void **state)
{
    (void)state;
    struct fixture *f = start(2, NOW);
    struct fg_order_view view;

    apply_sale(f);
    write_event(f, FG_EVENT_ADMIT, 0, HELD_ITEM, NOW);           /* stays held */
    write_event(f, FG_EVENT_ADMIT, 1, HELD_ITEM, NOW);           /* confirmed */
    write_event(f, FG_EVENT_ADMIT, 2, HELD_ITEM, NOW);           /* expires */
    write_event(f, FG_EVENT_ADMIT, 4, HELD_ITEM, NOW + 400 * S); /* stays held; the last record */
    write_event(f, FG_EVENT_CONFIRM, 1, HELD_ITEM, NOW + S);
    write_event(f, FG_EVENT_EXPIRE, 2, HELD_ITEM, NOW + S);
    stop(f);

    /* Down from 400 s to 500 s: no hold ends for the next 100 s. */
    f = start(3, NOW + 500 * S);
    assert_int_equal(free_units(f, HELD_ITEM), 50 - 1 - 2 - 2);
    assert_int_equal(look_up(f, 0, &view), 0);
    assert_int_equal(view.verdict, FG_VERDICT_ADMITTED);
    assert_int_equal(view.held, 1);
    assert_int_equal(view.left_ms, 100000);
    assert_int_equal(look_up(f, 4, &view), 0);
    assert_int_equal(view.left_ms, 500000);
    assert_int_equal(look_up(f, 1, &view), 0);
    assert_int_equal(view.verdict, FG_VERDICT_CONFIRMED);
    assert_int_equal(look_up(f, 2, &view), 0);
    assert_int_equal(view.verdict, FG_VERDICT_EXPIRED);

    /* Held units are unsettled: a request for more than there is must not be told SOLD_OUT. */
    uint32_t slot = fg_control_item(f->engine.control, HELD_ITEM)->slot, available;
    assert_int_equal(fg_stock_take(&f->engine.stock, 0, slot, 46, 1, &available), FG_UNSETTLED);
    stop(f);
    empty_directory();
}

static void new_events_follow(void **state)
{
    (void)state;
    struct fixture *f = start(1, NOW);

    apply_sale(f);
    for (unsigned restart = 0; restart < 4; restart++) {
        write_event(f, FG_EVENT_ADMIT, restart, FINAL_ITEM, NOW);
        write_down(f);
        stop(f);
        f = start(1 + restart % 3, NOW + S);
        for (unsigned n = 0; n <= restart; n++) {
            struct fg_order_view view;
            assert_int_equal(look_up(f, n, &view), 0);
        }
    }
    assert_int_equal(free_units(f, FINAL_ITEM), 100 - (1 + 2 + 3 + 1));
    stop(f);
    empty_directory();
}

static void assert_refused(struct fixture *f, const char *words)
{
    assert_int_not_equal(f->status, FG_EXIT_OK);
    assert_null(f->engine.journal);
    if (!strstr(f->message, words))
        fail_msg("\"%s\" does not say \"%s\"", f->message, words);
    stop(f);
}

static void write_state(struct fixture *f, uint32_t sale, enum fg_sale_state to)
{
    struct fg_control_event event = {
        .kind = FG_EVENT_SALE_STATE, .revision = 3, .sale = sale, .value = to, .at_ns = NOW};
    assert_true(fg_journal_submit(f->engine.journal, &event, NULL) > 0);
    assert_int_equal(fg_journal_step(f->engine.journal), 1);
}

/* Its orders are forgotten when the record comes: there is room for those that follow, and a buyer
 * may have used a request again. */
static void archived_sales_are_forgotten(void **state)
{
    (void)state;
    enum { SALES = 6, ROOM = 175 }; /* as much as one sale needs by its stock */
    struct fixture *f = start(2, NOW);
    struct fg_order_view view;

    for (sale_number = 1; sale_number <= SALES; sale_number++) {
        char name[] = {'s', (char)('0' + sale_number), '\0'};
        write_sale(f, sale_number, name, 100 * sale_number, 100 * sale_number + 1);
        for (unsigned n = 0; n < BUYERS; n++)
            write_event(f, FG_EVENT_ADMIT, n, 100 * sale_number, NOW);
        write_down(f);
        if (sale_number < SALES)
            write_state(f, sale_number, FG_SALE_ARCHIVED);
    }
    sale_number = 1;
    stop(f);
    f = start_with(1, NOW, ROOM);
    assert_int_equal(f->status, FG_EXIT_OK);
    assert_null(fg_control_item(f->engine.control, 100));
    assert_null(fg_control_sale_name(f->engine.control, 1));
    assert_string_equal(fg_control_sale_name(f->engine.control, SALES), "s6");
    assert_int_equal(f->engine.catalogue->archives, SALES - 1);
    assert_int_equal(look_up(f, 1, &view), 0);
    assert_int_equal(view.item, 100 * SALES);
    assert_int_equal(free_units(f, 100 * SALES), 100 - (BUYERS / 3 * 6 + 1));
    assert_true(fg_control_item(f->engine.control, 100 * SALES)->slot < 2);
    assert_int_equal(fg_admission_gauges(f->plan.admissions[0])->orders, BUYERS);
    stop(f);
    empty_directory();
}

/* A sale leaves the catalogue before the record that archives it is durable. Meanwhile a buyer may
 * use a request of it for another sale; and the engine may die before the record is there. */
static void a_request_used_again_while_its_sale_is_archived(void **state)
{
    (void)state;
    for (unsigned archived = 0; archived < 2; archived++) {
        struct fixture *f = start(2, NOW);
        struct fg_order_view view;

        write_sale(f, 1, "s1", 100, 101);
        write_sale(f, 2, "s2", 200, 201);
        for (unsigned n = 0; n < BUYERS; n++)
            write_event(f, FG_EVENT_ADMIT, n, 100, NOW);
        write_down(f);
        write_state(f, 1, FG_SALE_CLOSED);
        sale_number = 2;
        write_event(f, FG_EVENT_ADMIT, 7, 200, NOW);
        write_down(f);
        sale_number = 1;
        if (archived)
            write_state(f, 1, FG_SALE_ARCHIVED);
        stop(f);
        f = start(1, NOW);
        assert_int_equal(look_up(f, 7, &view), 0);
        assert_int_equal(view.item, 200);
        assert_int_equal(free_units(f, 200), 100 - 2);
        assert_int_equal(fg_admission_gauges(f->plan.admissions[0])->orders,
                         archived ? 1 : BUYERS); /* one gave way */
        if (!archived)
            assert_int_equal(free_units(f, 100), 100 - (BUYERS / 3 * 6 + 1));
        stop(f);
        empty_directory();
    }

    /* Of a sale that goes on it is damage. */
    struct fixture *f = start(2, NOW);
    write_sale(f, 1, "s1", 100, 101);
    write_event(f, FG_EVENT_ADMIT, 7, 100, NOW);
    write_event(f, FG_EVENT_ADMIT, 7, 101, NOW);
    stop(f);
    assert_refused(start_with(1, NOW, 1000), "damaged");
    empty_directory();
}

static void hand_sale(struct hand_log *log, uint32_t number, const char *name, uint32_t final)
{
    char *body = sale_body(number, name, final, final + 1);
    struct fg_control_event event = {
        .kind = FG_EVENT_SALE, .sale = number, .body_length = (uint32_t)strlen(body)};
    uint8_t *unit = hand_log_unit(log, fg_record_bytes(&event));

    memcpy(unit, &event, sizeof(event));
    memcpy(unit + sizeof(event), body, event.body_length);
    free(body);
}

static void hand_event(struct hand_log *log, unsigned kind, uint32_t sale, uint64_t seq, unsigned n)
{
    struct fg_order_event event = {.kind = (uint8_t)kind,
                                   .quantity = 2,
                                   .item = 100 * sale,
                                   .sale = sale,
                                   .sale_seq = seq,
                                   .order = 1000 + n,
                                   .request = 5,
                                   .at_ns = NOW};
    buyer_of(n, event.buyer);
    memcpy(hand_log_unit(log, sizeof(event)), &event, sizeof(event));
}

/* The log's first segments are gone, with the ADMITs of sale 1; of its later events some are left.
 */
static void write_beheaded(bool archived)
{
    struct hand_log log;
    char path[128];

    hand_log_open(&log, 3, 4);
    hand_sale(&log, 1, "s1", 100);
    hand_sale(&log, 2, "s2", 200);
    hand_log_position(&log, 1, 41, 2);
    hand_log_frame(&log, FG_FRAME_BASE);
    hand_event(&log, FG_EVENT_CANCEL, 1, 41, 3);
    hand_event(&log, FG_EVENT_ADMIT, 1, 42, 4);
    hand_event(&log, FG_EVENT_ADMIT, 2, 1, 7);
    hand_event(&log, FG_EVENT_CANCEL, 1, 43, 4);
    hand_log_frame(&log, 0);
    if (archived) {
        hand_log_state(&log, 1, FG_SALE_ARCHIVED);
        hand_log_frame(&log, 0);
    }
    snprintf(path, sizeof(path), "%s/segment-00000003.fgl", dir);
    assert_int_equal(rename(log.path, path), 0);
    hand_log_close(&log);
}

/* What is left of an archived sale's orders is passed over, and nothing else. */
static void remains_of_an_archived_sale(void **state)
{
    (void)state;
    struct fg_order_view view;

    write_beheaded(true);
    for (unsigned starts = 0; starts < 2; starts++) {
        struct fixture *f = start(2, NOW);
        assert_null(fg_control_sale_name(f->engine.control, 1));
        assert_int_equal(look_up(f, 3, &view), -ENOENT);
        assert_int_equal(look_up(f, 4, &view), -ENOENT);
        assert_int_equal(look_up(f, 7, &view), 0);
        assert_int_equal(view.item, 200);
        assert_int_equal(free_units(f, 200), 100 - 2);
        stop(f);
    }
    empty_directory();
}

/* A live sale's orders never go: somebody took its segments away. */
static void a_live_sale_without_its_first_orders_is_damage(void **state)
{
    (void)state;
    write_beheaded(false);
    struct fixture *f = start_with(2, NOW, 1000);
    assert_int_equal(f->status, FG_EXIT_CORRUPT);
    assert_non_null(strstr(f->message, "orders of sale s1, which is not archived"));
    stop(f);
    empty_directory();
}

/* Nothing is sold before its sale is in the log. */
static void an_unknown_item_is_damage(void **state)
{
    (void)state;
    struct fixture *f = start(1, NOW);

    apply_sale(f);
    write_event(f, FG_EVENT_ADMIT, 0, 99, NOW);
    stop(f);
    assert_refused(start_with(1, NOW, 1000), "damaged");
    empty_directory();
}

static void what_cannot_be_applied_is_named(void **state)
{
    (void)state;
    struct fixture *f = start(1, NOW);

    apply_sale(f);
    for (unsigned n = 0; n < BUYERS; n++)
        write_event(f, FG_EVENT_ADMIT, n, FINAL_ITEM, NOW);
    stop(f);
    assert_refused(start_with(1, NOW, 4), "limits.orders is 4");

    f = start(1, NOW);
    write_event(f, FG_EVENT_CONFIRM, 3, FINAL_ITEM, NOW); /* of an order that was never held */
    stop(f);
    assert_refused(start_with(1, NOW, 1000), "CONFIRM of order 1003");
    empty_directory();
}

static void second_engine_is_refused(void **state)
{
    (void)state;
    struct fixture *f = start(1, NOW);
    struct fixture *second = start_with(1, NOW, 1000);
    assert_int_equal(second->status, FG_EXIT_IN_USE);
    assert_refused(second, dir);
    stop(f);
    empty_directory();
}

/* Times in seconds: admitted at 1000, held for `hold`, last record at `last`, restart at `now`. */
static void restart_grace(void **state)
{
    (void)state;
    static const struct {
        uint64_t hold, last, now, grace, held_until;
    } cases[] = {
        {600, 1000, 1001, 0, 599},     /* nearly all is left */
        {600, 1500, 1510, 0, 90},      /* little down time: what is left */
        {600, 1590, 1595, 0, 60},      /* at least a minute */
        {600, 1100, 1400, 0, 300},     /* the down time */
        {600, 1100, 1650, 0, 550},     /* it ran out meanwhile */
        {600, 1100, 9000, 0, 600},     /* at most the hold */
        {30, 1000, 9000, 0, 60},       /* but a minute */
        {600, 1100, 9000, 5, 5},       /* as the operator says */
        {600, 1000, 1001, 5, 599},     /* but never less than was left */
        {600, 1590, 1595, 3600, 3600}, /* or more */
        {600, 1100, 1050, 0, 550},     /* the clock went back: no down time */
        {600, 1100, 500, 0, 600},      /* never longer than the hold */
        {604800, 1000, 1000, 0, 604800},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fg_order_event admit = {
            .kind = FG_EVENT_ADMIT, .hold_ms = (uint32_t)(cases[i].hold * 1000), .at_ns = 1000 * S};
        uint32_t until = fg_recovery_held_until_ms(&admit, cases[i].last * S, cases[i].now * S,
                                                   (uint32_t)(cases[i].grace * 1000));
        if (until != cases[i].held_until * 1000)
            fail_msg("case %u: %u ms, wanted %llu s", i, until,
                     (unsigned long long)cases[i].held_until);
    }
}

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(restart_grace),
        cmocka_unit_test(orders_and_stock_come_back),
        cmocka_unit_test(holds_go_on),
        cmocka_unit_test(new_events_follow),
        cmocka_unit_test(archived_sales_are_forgotten),
        cmocka_unit_test(a_request_used_again_while_its_sale_is_archived),
        cmocka_unit_test(remains_of_an_archived_sale),
        cmocka_unit_test(a_live_sale_without_its_first_orders_is_damage),
        cmocka_unit_test(an_unknown_item_is_damage),
        cmocka_unit_test(what_cannot_be_applied_is_named),
        cmocka_unit_test(second_engine_is_refused),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
