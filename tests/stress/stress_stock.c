/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stock and lanes under threads, for the thread sanitizer: W workers take, settle and return the
 * units of one item through the real stock.c and lane.h, while a journal thread makes their records
 * durable and a control thread puts a few units on sale, again and again, and takes some off.
 *
 * Each refusal is checked where it was said: units put on sale before the question, less those
 * given for good by durable records, must be fewer than asked, if the pool has not moved since. At
 * the end of each round all units must be given. This is a weak net: the models are the proof.
 *
 *   stress_stock [WORKERS [MS]]
 *
 * Built with -DPLANT_RELAXED, the marks of the lanes are published without the release: the
 * sanitizer must report that, or it is not looking.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <rte_ring.h>
#include <rte_ring_elem.h>

#ifdef PLANT_RELAXED
#define memory_order_release memory_order_relaxed
#endif
#include "dataplane/orders/clock.h"
#include "dataplane/orders/lane.h"
#undef memory_order_release

#include "dataplane/admission/stock.h"

#define LANE_RECORDS 64
#define LOADED(x)    atomic_load_explicit(&(x), memory_order_relaxed)
#define ADD(x, n)    atomic_fetch_add_explicit(&(x), n, memory_order_relaxed)

struct worker {
    pthread_t thread;
    struct fg_lane lane;
    uint64_t disk[LANE_RECORDS]; /* journal: w, worker: r, each place after its mark */
    uint64_t settled, random, loop;
    _Atomic uint64_t given;  /* units of durable orders that stand */
    _Atomic uint64_t rounds; /* of control's, that ended for this worker with SOLD_OUT */
    uint64_t taken, returned, refused, checked, unsettled, wrong;
} __attribute__((aligned(128)));

static struct fg_stock stock;
static struct worker all[FG_WORKERS_MAX];
static unsigned workers = 4;
static _Atomic uint64_t on_sale; /* counted after the units are there */
static _Atomic uint64_t removed; /* counted before control's `open` comes down */
static _Atomic uint64_t round_now;
static _Atomic bool finished, drained;

static uint64_t next_random(struct worker *self)
{
    self->random = self->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return self->random >> 33;
}

static void queue_record(struct worker *self, unsigned kind, uint32_t quantity)
{
    struct fg_order_event event = {.kind = (uint8_t)kind, .quantity = (uint16_t)quantity};
    event.request = self->lane.queued + 1;
    fg_lane_push(&self->lane, &event);
}

/* What each durable record means to the stock, in order, as admission/records.c has it. */
static void settle(struct worker *self, unsigned w)
{
    uint64_t durable = fg_lane_durable(&self->lane);
    while (self->settled < durable) {
        uint64_t written = self->disk[++self->settled % LANE_RECORDS];
        uint32_t quantity = (uint32_t)(written >> 8) & 0xff;
        if (written >> 16 != self->settled)
            self->wrong++;
        if ((written & 0xff) == FG_EVENT_ADMIT) {
            ADD(self->given, quantity);
        } else {
            fg_stock_put_back(&stock, 0, quantity);
            ADD(self->given, -(uint64_t)quantity);
        }
        fg_stock_open_down(&stock, w, 0);
    }
}

static void check_refusal(struct worker *self, unsigned w, uint32_t quantity, uint64_t before)
{
    uint64_t given = LOADED(removed);
    for (unsigned v = 0; v < workers; v++)
        given += LOADED(all[v].given);
    uint64_t word = atomic_load_explicit(&stock.pools[0].word, memory_order_acquire);
    if ((uint32_t)(word >> 32) != stock.lines[w][0].refused_version)
        return; /* something was put down since: the figures may be of different moments */
    self->checked++;
    if (before >= given + quantity)
        self->wrong++;
}

static void order(struct worker *self, unsigned w, uint64_t round)
{
    uint32_t available, quantity = 1 + (uint32_t)next_random(self) % 3;
    uint64_t before = LOADED(on_sale);

    switch (fg_stock_take(&stock, w, 0, quantity, ++self->loop, &available)) {
    case FG_TOOK:
        self->taken++;
        queue_record(self, FG_EVENT_ADMIT, quantity);
        if (next_random(self) % 8 == 0) { /* changes its mind at once */
            self->returned++;
            fg_stock_open_up(&stock, w, 0);
            queue_record(self, FG_EVENT_CANCEL, quantity);
        }
        return;
    case FG_SOLD_OUT:
        self->refused++;
        check_refusal(self, w, quantity, before);
        if (quantity == 1)
            atomic_store_explicit(&self->rounds, round, memory_order_release);
        return;
    case FG_UNSETTLED:
        self->unsettled++;
        sched_yield();
        return;
    }
}

static void *work(void *arg)
{
    struct worker *self = arg;
    unsigned w = (unsigned)(self - all);
    self->random = w * 7919 + 1;
    for (uint64_t turn = 0; !atomic_load_explicit(&finished, memory_order_acquire); turn++) {
        uint64_t round = atomic_load_explicit(&round_now, memory_order_acquire);
        settle(self, w);
        bool idle = LOADED(self->rounds) == round && self->settled == self->lane.queued;
        if (idle && turn % 16 != 0)
            sched_yield();
        else if (self->lane.queued - self->settled + 2 < LANE_RECORDS)
            order(self, w, round);
        if (turn % 1024 == 0)
            fg_stock_forget(&stock, w, 0, 1);
    }
    while (self->settled < self->lane.queued) {
        settle(self, w);
        sched_yield();
    }
    return NULL;
}

/* Writes what it drained where its owner will look, and only then publishes the mark. */
static void *write_journal(void *arg)
{
    struct fg_order_event events[LANE_RECORDS];
    (void)arg;
    while (!atomic_load_explicit(&drained, memory_order_acquire)) {
        unsigned wrote = 0;
        for (unsigned w = 0; w < workers; w++) {
            unsigned n = fg_lane_drain(&all[w].lane, events, LANE_RECORDS / 4);
            for (unsigned i = 0; i < n; i++)
                all[w].disk[events[i].request % LANE_RECORDS] =
                    events[i].request << 16 | (uint64_t)events[i].quantity << 8 | events[i].kind;
            wrote += n;
        }
        for (unsigned w = 0; w < workers; w++)
            fg_lane_publish(&all[w].lane);
        if (wrote == 0)
            sched_yield();
    }
    return NULL;
}

static uint64_t now_ms(void)
{
    return fg_clock_ns(CLOCK_MONOTONIC) / 1000000;
}

/* Every worker has heard SOLD_OUT for a single unit since the round began. */
static bool round_over(uint64_t round)
{
    for (unsigned w = 0; w < workers; w++)
        if (atomic_load_explicit(&all[w].rounds, memory_order_acquire) != round)
            return false;
    return true;
}

static uint64_t control(uint64_t until_ms)
{
    uint64_t round = 0;
    while (now_ms() < until_ms) {
        uint32_t units = 1 + (uint32_t)(round * 7 % 40);
        fg_stock_put_back(&stock, 0, units);
        ADD(on_sale, units);
        if (round % 4 == 0) {
            uint32_t gone = fg_stock_remove(&stock, 0, 2);
            ADD(removed, gone);
            fg_stock_open_down(&stock, workers, 0);
        }
        atomic_store_explicit(&round_now, ++round, memory_order_release);
        while (!round_over(round) && now_ms() < until_ms + 10000)
            sched_yield();
    }
    return round;
}

int main(int argc, char **argv)
{
    pthread_t journal;
    uint64_t ms = 1000, given = 0, taken = 0, returned = 0, checked = 0, wrong = 0;

    if (argc > 1)
        workers = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        ms = strtoul(argv[2], NULL, 10);
    if (workers < 1 || workers > 16 || fg_stock_init(&stock, workers, 1) != 0)
        return 2;
    for (unsigned w = 0; w < workers; w++)
        if (fg_lane_init(&all[w].lane, LANE_RECORDS) != 0)
            return 2;
    if (pthread_create(&journal, NULL, write_journal, NULL) != 0)
        return 2;
    for (unsigned w = 0; w < workers; w++)
        if (pthread_create(&all[w].thread, NULL, work, &all[w]) != 0)
            return 2;
    uint64_t rounds = control(now_ms() + ms);
    atomic_store_explicit(&finished, true, memory_order_release);
    for (unsigned w = 0; w < workers; w++) {
        pthread_join(all[w].thread, NULL);
        given += LOADED(all[w].given);
        taken += all[w].taken;
        returned += all[w].returned;
        checked += all[w].checked;
        wrong += all[w].wrong;
    }
    atomic_store_explicit(&drained, true, memory_order_release);
    pthread_join(journal, NULL);
    for (unsigned w = 0; w < workers; w++)
        fg_lane_fini(&all[w].lane);
    uint64_t left = fg_stock_free_units(&stock, 0), sale = LOADED(on_sale), off = LOADED(removed);
    fg_stock_fini(&stock);
    bool ok = wrong == 0 && given + off + left == sale && rounds > 0 && checked > 0;
    printf("%s - stock, %u workers: %llu rounds, %llu takes, %llu returns, %llu refusals checked, "
           "%llu wrong; %llu units on sale, %llu given, %llu removed, %llu left\n",
           ok ? "ok" : "not ok", workers, (unsigned long long)rounds, (unsigned long long)taken,
           (unsigned long long)returned, (unsigned long long)checked, (unsigned long long)wrong,
           (unsigned long long)sale, (unsigned long long)given, (unsigned long long)off,
           (unsigned long long)left);
    return ok ? 0 : 1;
}
