/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many workers at once: real admissions on real threads, a journal thread that makes records
 * durable after its own time, and the checker over what was told and what was logged. Stock 1 and
 * quantity 2 are among the cases, and more threads than cores.
 */
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "dataplane/orders/clock.h"
#include "perf/check/check.h"
#include "tests/unit/shop.h"

#define IN_FLIGHT   24 /* datagrams of a worker that are not answered yet */
#define BUYERS      60 /* of each worker: few, so that limits and replays matter */
#define RECORDS_MAX 40000
#define LOG_MAX     40000

static struct shop shop;
static _Atomic bool stopping;

/* The journal: what lies in the lanes becomes durable a while later. */
static struct fg_sale_stream_entry log_entries[LOG_MAX];
static uint64_t logged, sale_seqs[3];

static void flush_lanes(void)
{
    for (unsigned w = 0; w < shop.workers; w++) {
        struct fg_order_event events[64];
        unsigned n = fg_lane_drain(&shop.lanes[w], events, 64);
        for (unsigned i = 0; i < n; i++) {
            assert(logged < LOG_MAX);
            events[i].sale_seq = ++sale_seqs[events[i].sale];
            log_entries[logged++] = (struct fg_sale_stream_entry){.epoch = 9, .event = events[i]};
        }
    }
    sched_yield();
    for (unsigned w = 0; w < shop.workers; w++)
        fg_lane_publish(&shop.lanes[w]);
}

static void *journal(void *arg)
{
    (void)arg;
    while (!atomic_load(&stopping)) {
        flush_lanes();
        nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
    }
    return NULL;
}

/* A datagram under way, and the records of its entries. */
struct flight {
    uint8_t payload[FG_REQUEST_BYTES(4)];
    struct fg_history_record *records;
    unsigned count;
};

struct worker {
    pthread_t thread;
    unsigned w;
    uint64_t random;
    uint64_t time_ns;
    unsigned datagrams; /* still to be sent */
    struct flight flights[IN_FLIGHT];
    struct flight *idle[IN_FLIGHT];
    unsigned idle_count;
    struct fg_history_record *records;
    unsigned records_count;
};

static uint32_t pick(struct worker *worker, uint32_t below)
{
    worker->random = worker->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((worker->random >> 33) % below);
}

static void send(struct worker *worker, const struct fg_request *asks, unsigned count)
{
    struct flight *flight = worker->idle[--worker->idle_count];
    struct fg_header header = {.magic = {FG_MAGIC_0, FG_MAGIC_1},
                               .version = FG_VERSION,
                               .type = FG_TYPE_REQUEST,
                               .count = (uint8_t)count,
                               .key_id = 7,
                               .time_ns = ++worker->time_ns};
    uint64_t now = fg_clock_ns(CLOCK_REALTIME);

    memcpy(flight->payload, &header, sizeof(header));
    memcpy(flight->payload + sizeof(header), asks, count * sizeof(*asks));
    flight->count = count;
    flight->records = &worker->records[worker->records_count];
    worker->records_count += count;
    assert(worker->records_count <= RECORDS_MAX);
    for (unsigned i = 0; i < count; i++) {
        struct fg_history_record *record = &flight->records[i];
        *record = (struct fg_history_record){.sent_ns = now,
                                             .request = asks[i].request,
                                             .item = asks[i].item,
                                             .quantity = asks[i].quantity,
                                             .op = asks[i].op,
                                             /* Copies are told apart by nothing but this. */
                                             .attempt = 0};
        memcpy(record->buyer, asks[i].buyer, FG_BUYER_BYTES);
    }
    struct fg_datagram datagram = {
        .packet = flight, .payload = flight->payload, .count = (uint8_t)count};
    fg_admission_decide(shop.admissions[worker->w], &shop.now, &shop.catalogue, &datagram, 1);
}

static void take_answers(struct worker *worker)
{
    struct fg_ready ready;

    while (fg_admission_ready(shop.admissions[worker->w], &ready, 1) == 1) {
        struct flight *flight = ready.packet;
        uint64_t now = fg_clock_ns(CLOCK_REALTIME);
        for (unsigned i = 0; ready.length > 0 && i < flight->count; i++) {
            struct fg_reply reply = shop_reply(flight->payload, i);
            struct fg_history_record *record = &flight->records[i];
            record->replied_ns = now;
            record->order = reply.order;
            record->verdict = reply.verdict;
            record->flags = reply.flags;
            record->available = reply.available;
        }
        worker->idle[worker->idle_count++] = flight;
    }
}

static void poll(struct worker *worker)
{
    /* The shop's clock stands still: nothing expires, and who waits is never told BUSY for time. */
    fg_admission_poll(shop.admissions[worker->w], &shop.now, &shop.catalogue);
    take_answers(worker);
}

/* Random entries of one buyer: orders of 1 or 2 units, copies, CONFIRM, CANCEL, QUERY. */
static void send_some(struct worker *worker)
{
    static const uint8_t ops[] = {FG_OP_ORDER, FG_OP_ORDER,   FG_OP_ORDER,  FG_OP_ORDER,
                                  FG_OP_ORDER, FG_OP_CONFIRM, FG_OP_CANCEL, FG_OP_QUERY};
    struct fg_request asks[4];
    unsigned count = 1 + pick(worker, 4);
    uint32_t buyer = pick(worker, BUYERS);

    for (unsigned i = 0; i < count; i++) {
        uint64_t request = 1 + pick(worker, 40);
        /* What a request asks for follows from its name, so that copies are copies. */
        uint32_t item = 1 + (uint32_t)(request % 3);
        uint16_t quantity = 1 + request / 3 % 2;
        uint8_t op = ops[pick(worker, sizeof(ops))];
        asks[i] = shop_request(&shop, worker->w, op, buyer, request, item, quantity);
    }
    send(worker, asks, count);
}

static void *work(void *arg)
{
    struct worker *worker = arg;

    for (; worker->datagrams > 0; worker->datagrams--) {
        while (worker->idle_count == 0) {
            poll(worker);
            sched_yield();
        }
        send_some(worker);
        take_answers(worker);
        if (pick(worker, 4) == 0)
            poll(worker);
    }
    while (worker->idle_count < IN_FLIGHT) {
        poll(worker);
        sched_yield();
    }
    return NULL;
}

/* When all is quiet, every unit that came back must still be there to be had. */
static void sweep(struct worker *workers)
{
    for (uint32_t item = 1; item <= 3; item++) {
        bool refused = false;
        for (uint32_t n = 0; !refused; n++) {
            struct worker *worker = &workers[n % shop.workers];
            struct fg_request ask =
                shop_request(&shop, worker->w, FG_OP_ORDER, 1000 + n, 1000 + item, item, 1);
            send(worker, &ask, 1);
            while (worker->idle_count < IN_FLIGHT) {
                flush_lanes();
                for (unsigned w = 0; w < shop.workers; w++)
                    poll(&workers[w]);
            }
            uint8_t verdict = worker->records[worker->records_count - 1].verdict;
            refused = verdict == FG_VERDICT_SOLD_OUT || verdict == FG_VERDICT_ALL_HELD;
            assert_true(refused || verdict == FG_VERDICT_ADMITTED);
        }
    }
}

static void complain(void *arg, enum fg_check check, const char *sentence)
{
    (void)arg;
    print_error("%s: %s\n", fg_check_name(check), sentence);
}

static void check_books(const struct worker *workers, uint32_t stock)
{
    static struct fg_history_record records[SHOP_WORKERS_MAX * RECORDS_MAX];
    static struct fg_sale_stream_entry by_sale[2][LOG_MAX];
    struct fg_sale_stream streams[2] = {{.entries = by_sale[0]}, {.entries = by_sale[1]}};
    struct fg_history_item items[3];
    struct fg_check_result result;
    struct fg_findings findings = {.found = complain};
    uint64_t count = 0;

    for (unsigned w = 0; w < shop.workers; w++) {
        memcpy(&records[count], workers[w].records, workers[w].records_count * sizeof(records[0]));
        count += workers[w].records_count;
    }
    for (uint64_t i = 0; i < logged; i++) {
        struct fg_sale_stream *stream = &streams[log_entries[i].event.sale - 1];
        stream->entries[stream->count++] = log_entries[i];
    }
    for (uint32_t id = 1; id <= 3; id++) {
        const struct fg_item *item = shop_item(&shop, id);
        items[id - 1] = (struct fg_history_item){id, stock, item->limit, item->hold_ms};
    }
    struct fg_check_input input = {.items = items,
                                   .items_count = 3,
                                   .records = records,
                                   .records_count = count,
                                   .streams = streams,
                                   .streams_count = 2,
                                   .sell_out_expected = true};
    assert_int_equal(fg_check_run(&input, &result, &findings), 0);
    assert_int_equal(findings.total, 0);
    assert_true(result.redis_orders > 0);
    fg_check_result_free(&result);
}

/* At rest nothing is unsettled but holds, and pool, cells, held and final add up (I5). */
static void check_rest(uint32_t stock)
{
    int64_t given[SHOP_ITEMS + 1] = {0}, held[SHOP_ITEMS + 1] = {0};

    for (uint64_t i = 0; i < logged; i++) {
        const struct fg_order_event *event = &log_entries[i].event;
        int admits = event->kind == FG_EVENT_ADMIT, cancels = event->kind == FG_EVENT_CANCEL;
        given[event->item] += (admits - cancels) * (int)event->quantity;
    }
    for (uint32_t id = 1; id <= 3; id++) {
        for (unsigned w = 0; w <= shop.workers; w++) {
            struct fg_stock_line *line = &shop.stock.lines[w][id - 1];
            assert_int_equal(atomic_load(&line->open), atomic_load(&line->held));
            held[id] += atomic_load(&line->held);
        }
        assert_int_equal(given[id] + fg_stock_free_units(&shop.stock, id - 1), stock);
        assert_true(id == ITEM_HELD || held[id] == 0);
    }
}

static void run(unsigned count, uint32_t stock, unsigned datagrams)
{
    static struct worker workers[SHOP_WORKERS_MAX];
    pthread_t journal_thread;

    memset(workers, 0, sizeof(workers));
    logged = sale_seqs[1] = sale_seqs[2] = 0;
    shop_open(&shop, count, stock);
    shop_item(&shop, ITEM_PLAIN)->cancel_final = 1;
    atomic_store(&stopping, false);
    assert_int_equal(pthread_create(&journal_thread, NULL, journal, NULL), 0);
    for (unsigned w = 0; w < count; w++) {
        struct worker *worker = &workers[w];
        worker->w = w;
        worker->random = w + 100 * stock;
        worker->time_ns = SHOP_NOW_NS;
        worker->datagrams = datagrams / count;
        worker->records = calloc(RECORDS_MAX, sizeof(*worker->records));
        assert_non_null(worker->records);
        for (unsigned i = 0; i < IN_FLIGHT; i++)
            worker->idle[worker->idle_count++] = &worker->flights[i];
    }
    for (unsigned w = 0; w < count; w++)
        assert_int_equal(pthread_create(&workers[w].thread, NULL, work, &workers[w]), 0);
    for (unsigned w = 0; w < count; w++)
        pthread_join(workers[w].thread, NULL);
    atomic_store(&stopping, true);
    pthread_join(journal_thread, NULL);
    sweep(workers);
    check_books(workers, stock);
    check_rest(stock);
    for (unsigned w = 0; w < count; w++)
        free(workers[w].records);
    shop_close(&shop);
}

static void one_worker(void **state)
{
    (void)state;
    run(1, 1, 2000);
    run(1, 50, 4000);
}

static void two_workers(void **state)
{
    (void)state;
    for (uint32_t stock = 1; stock <= 3; stock++)
        run(2, stock, 3000);
    run(2, 100, 6000);
}

static void four_workers(void **state)
{
    (void)state;
    run(4, 1, 3000);
    run(4, 2, 3000);
    run(4, 150, 6000);
}

static void eight_workers(void **state)
{
    (void)state;
    run(8, 1, 3000);
    run(8, 3, 3000);
    run(8, 200, 6000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_worker),
        cmocka_unit_test(two_workers),
        cmocka_unit_test(four_workers),
        cmocka_unit_test(eight_workers),
    };
    return cmocka_run_group_tests_name("workers", tests, NULL, NULL);
}
