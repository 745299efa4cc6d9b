/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rings between threads, for the thread sanitizer: W workers hand plain memory to one another
 * over single-producer rings as receive.c and send.c do, and queue each item they are given in
 * their lane of a real journal, whose threads write it to a log in memory (/dev/shm). Whoever owns
 * an item writes to it without any other protection; a record's mark must not come before the
 * record.
 *
 *   stress_rings WORKERS ITEMS DIRECTORY
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_ring.h>

#include "dataplane/orders/journal.h"

#define RING   64
#define MAX    8
#define PLACES (RING / 4) /* items of each: all of two workers fit one ring */

struct item {
    uint64_t number, hops;
    unsigned from;
};

static unsigned workers;
static uint64_t items;
static struct rte_ring *rings[MAX][MAX]; /* [to][from] */
static struct fg_journal *journal;
static struct item pool[MAX][PLACES];
static uint64_t wrong[MAX];
static _Atomic unsigned busy;

static struct rte_ring *make_ring(void)
{
    ssize_t bytes = rte_ring_get_memsize(RING);
    struct rte_ring *ring = aligned_alloc(128, RTE_ALIGN_CEIL((size_t)bytes, 128));
    if (ring && rte_ring_init(ring, "ring", RING, RING_F_SP_ENQ | RING_F_SC_DEQ) == 0)
        return ring;
    return NULL;
}

/* An item that is home again is sent on its next way; a foreign one is logged and sent home. */
static void take_item(unsigned self, struct item *item, struct fg_lane *lane, uint64_t *sent)
{
    item->hops++;
    unsigned to = item->from;
    if (item->from == self) {
        if (item->hops % 2 != 0)
            wrong[self]++;
        if (*sent == items)
            return;
        item->number = ++*sent;
        to = (self + 1 + (unsigned)(item->number % (workers - 1))) % workers;
    } else {
        struct fg_order_event event = {.kind = FG_EVENT_CANCEL,
                                       .sale = 1,
                                       .order = (uint64_t)item->from << 32 | item->number,
                                       .request = item->hops};
        while (fg_lane_room(lane) == 0)
            sched_yield();
        fg_lane_push(lane, &event);
    }
    if (rte_ring_sp_enqueue(rings[to][self], item) != 0)
        wrong[self]++; /* they all fit */
}

static void *work(void *arg)
{
    unsigned self = (unsigned)(uintptr_t)arg;
    struct fg_lane *lane = fg_journal_lane(journal, self);
    uint64_t sent = 0, durable = 0;
    bool counted = false;

    for (unsigned i = 0; i < PLACES; i++) {
        pool[self][i] = (struct item){.from = self, .hops = 1};
        take_item(self, &pool[self][i], lane, &sent);
    }
    while (atomic_load_explicit(&busy, memory_order_acquire) > 0) {
        unsigned got = 0;
        for (unsigned from = 0; from < workers; from++) {
            void *burst[8];
            unsigned n = rte_ring_sc_dequeue_burst(rings[self][from], burst, 8, NULL);
            for (unsigned i = 0; i < n; i++)
                take_item(self, burst[i], lane, &sent);
            got += n;
        }
        uint64_t mark = fg_lane_durable(lane);
        if (mark < durable || mark > lane->queued)
            wrong[self]++;
        durable = mark;
        if (sent == items && !counted) {
            counted = true;
            atomic_fetch_sub_explicit(&busy, 1, memory_order_release);
        }
        if (got == 0)
            sched_yield();
    }
    return NULL;
}

static int count_record(void *arg, const struct fg_record *record)
{
    uint64_t *count = arg;
    *count += !fg_event_is_control(record->unit);
    return 0;
}

static int open_journal(const char *dir, uint64_t *count)
{
    struct fg_journal_config config = {
        .dir = dir,
        .budget_bytes = 12ull * FG_SEGMENT_MIN,
        .segment_bytes = FG_SEGMENT_MIN,
        .workers = workers,
        .lane_records = 256,
        .disk = &fg_disk_files,
        .clock = &fg_clock_system,
    };
    struct fg_recovery found;
    char message[512] = "";
    int status;

    journal =
        fg_journal_open(&config, count_record, count, &found, &status, message, sizeof(message));
    if (!journal)
        fprintf(stderr, "%s\n", message);
    return journal ? 0 : -1;
}

/* The log takes order events of a sale that it knows. */
static int start_journal(void)
{
    static const char body[] = "{\"number\":1,\"name\":\"stress\",\"items\":[]}";
    struct fg_control_event sale = {
        .kind = FG_EVENT_SALE, .sale = 1, .body_length = sizeof(body) - 1};

    if (fg_journal_start(journal, -1, -1) != 0 || fg_journal_submit(journal, &sale, body) == 0)
        return -1;
    while (fg_journal_submitted_durable(journal) == 0 && fg_journal_failed(journal) == 0)
        sched_yield();
    return fg_journal_failed(journal);
}

int main(int argc, char **argv)
{
    pthread_t threads[MAX];
    uint64_t sum = 0, logged = 0, found = 0, all;

    if (argc != 4)
        return 2;
    workers = (unsigned)strtoul(argv[1], NULL, 10);
    items = strtoull(argv[2], NULL, 10);
    if (workers < 2 || workers > MAX || open_journal(argv[3], &found) != 0 || start_journal() != 0)
        return 2;
    for (unsigned to = 0; to < workers; to++)
        for (unsigned from = 0; from < workers; from++)
            if (!(rings[to][from] = make_ring()))
                return 2;
    atomic_store(&busy, workers);
    for (uintptr_t w = 0; w < workers; w++)
        if (pthread_create(&threads[w], NULL, work, (void *)w) != 0)
            return 2;
    for (unsigned w = 0; w < workers; w++) {
        pthread_join(threads[w], NULL);
        sum += wrong[w];
    }
    fg_journal_stop(journal);
    bool failed = fg_journal_failed(journal) != 0;
    for (unsigned w = 0; w < workers; w++) {
        struct fg_lane *lane = fg_journal_lane(journal, w);
        sum += fg_lane_durable(lane) != lane->queued;
        logged += lane->queued;
    }
    fg_journal_close(journal);
    failed = failed || found != 0 || open_journal(argv[3], &found) != 0;
    if (!failed)
        fg_journal_close(journal);
    for (unsigned to = 0; to < workers; to++)
        for (unsigned from = 0; from < workers; from++)
            free(rings[to][from]);
    all = workers * items;
    bool ok = sum == 0 && !failed && found == logged && logged + (uint64_t)MAX * RING >= all;
    printf(
        "%s - rings, %u workers: %llu items, %llu records durable, %llu in the log, %llu wrong%s\n",
        ok ? "ok" : "not ok", workers, (unsigned long long)all, (unsigned long long)logged,
        (unsigned long long)found, (unsigned long long)sum, failed ? "; the log failed" : "");
    return ok ? 0 : 1;
}
