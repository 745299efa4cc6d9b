/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/clock_page.h"

#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "dataplane/faults.h"
#include "dataplane/orders/clock.h"

#define NS_A_SECOND UINT64_C(1000000000)
#define STEP_NS     ((int64_t)NS_A_SECOND) /* more is not followed */

/* Three clocks read within so short a time are one instant. Where none of some tries is (the
 * machine is busy), the page in force goes on, until it is so old that anything is better. */
#define READ_GOOD_NS 1000
#define READ_MAX_NS  5000
#define READ_TRIES   8
#define PAGE_OLD_NS  NS_A_SECOND

/* The rate is measured over at least half of a second, at most the whole of it; over less, when
 * there is no more yet, only if it differs by more than what reading may err by at both ends. */
#define BASE_NS      (NS_A_SECOND / 2)
#define BOTH_ENDS_NS (2 * READ_MAX_NS)
/* A page that was off by more than reading errs: the rate has changed, what was before says
 * nothing. */
#define KINK_NS 20000
/* A rate may differ from what was told by an eighth. No clock is slewed by more; what looks like it
 * is something else. */
#define RATE_SHARE 8

static int64_t magnitude(int64_t ns)
{
    return ns < 0 ? -ns : ns;
}

static uint64_t ticks_ns(uint64_t ticks, uint64_t rate)
{
    return (uint64_t)(((unsigned __int128)ticks * rate) >> 32);
}

/* --- the rate --- */

static bool rate_is_sane(const struct fg_clock_keeper *keeper, uint64_t rate)
{
    uint64_t room = keeper->nominal_rate / RATE_SHARE;

    return rate >= keeper->nominal_rate - room && rate <= keeper->nominal_rate + room;
}

static void measure_anew(struct fg_clock_keeper *keeper, struct fg_clock_instant from)
{
    keeper->base = keeper->middle = from;
}

/* How far the later instant is from what the rate made of the earlier one. */
static int64_t error_of(struct fg_clock_instant from, struct fg_clock_instant to, uint64_t rate)
{
    return (int64_t)(from.monotonic_ns + ticks_ns(to.tsc - from.tsc, rate) - to.monotonic_ns);
}

static void measure_rate(struct fg_clock_keeper *keeper, struct fg_clock_instant now)
{
    struct fg_clock_instant last = keeper->last;

    if (keeper->rough) { /* nothing can be measured from there, but from what is told now */
        measure_anew(keeper, now);
        return;
    }
    if (now.tsc <= last.tsc || now.monotonic_ns <= last.monotonic_ns) {
        measure_anew(keeper, now); /* the machine has moved; or nothing did */
        return;
    }
    if (magnitude(error_of(last, now, keeper->rate)) > KINK_NS)
        measure_anew(keeper, last);
    uint64_t ns = now.monotonic_ns - keeper->base.monotonic_ns;
    uint64_t rate = (uint64_t)(((unsigned __int128)ns << 32) / (now.tsc - keeper->base.tsc));
    bool tells =
        ns >= BASE_NS || magnitude(error_of(keeper->base, now, keeper->rate)) > BOTH_ENDS_NS;
    if (tells && rate_is_sane(keeper, rate)) {
        keeper->rate = rate;
    } else if (tells) {
        keeper->rate = keeper->nominal_rate;
        measure_anew(keeper, now);
    }
    if (now.monotonic_ns - keeper->middle.monotonic_ns >= BASE_NS) {
        keeper->base = keeper->middle;
        keeper->middle = now;
    }
}

/* --- the engine's clock --- */

/* Follows the machine's clock, or holds on to what was. */
static void keep_offset(struct fg_clock_keeper *keeper, int64_t offset_ns)
{
    bool far = magnitude(offset_ns - keeper->offset_ns) > STEP_NS && !FG_PLANTED(FOLLOW_STEP);

    if (far && (!keeper->held || magnitude(offset_ns - keeper->machine_offset_ns) > STEP_NS))
        keeper->steps++;
    keeper->held = far;
    if (!far)
        keeper->offset_ns = offset_ns;
    keeper->machine_offset_ns = offset_ns;
}

/* Fills the slot that is not in force, and puts it in force. */
static void publish(struct fg_clock_page *page)
{
    const struct fg_clock_keeper *keeper = &page->keeper;
    uint32_t sequence = atomic_load_explicit(&page->sequence, memory_order_relaxed);
    struct fg_clock_slot *slot = &page->slots[(sequence + 1) & 1];
    int64_t ahead_ns = fg_clock_page_ahead(page);
    uint64_t monotonic_ns = keeper->last.monotonic_ns;

    /* release: who reads a field written below, in a slot that was in force, sees that it no longer
     * is. Pairs with the acquire that ends a read */
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&slot->tsc, keeper->last.tsc, memory_order_relaxed);
    atomic_store_explicit(&slot->wall_ns, monotonic_ns + (uint64_t)keeper->offset_ns,
                          memory_order_relaxed);
    atomic_store_explicit(&slot->elapsed_ns, monotonic_ns - keeper->started_ns,
                          memory_order_relaxed);
    atomic_store_explicit(&slot->ns_per_tsc_32, keeper->rate, memory_order_relaxed);
    atomic_store_explicit(&slot->ahead_ns, ahead_ns > 0 ? (uint64_t)ahead_ns : 0,
                          memory_order_relaxed);
    atomic_store_explicit(&slot->accepted, keeper->accepted, memory_order_relaxed);
    /* release: pairs with the acquire that begins a read */
    atomic_store_explicit(&page->sequence, sequence + 1, memory_order_release);
}

void fg_clock_page_write(struct fg_clock_page *page, uint64_t tsc, uint64_t wall_ns,
                         uint64_t monotonic_ns)
{
    struct fg_clock_keeper *keeper = &page->keeper;
    struct fg_clock_instant now = {tsc, monotonic_ns};
    int64_t offset_ns = (int64_t)(wall_ns - monotonic_ns);

    if (!keeper->begun) {
        keeper->begun = true;
        keeper->offset_ns = keeper->machine_offset_ns = offset_ns;
        measure_anew(keeper, now);
    } else {
        keep_offset(keeper, offset_ns);
        measure_rate(keeper, now);
    }
    keeper->last = now;
    publish(page);
}

void fg_clock_page_accept(struct fg_clock_page *page)
{
    struct fg_clock_keeper *keeper = &page->keeper;

    keeper->offset_ns = keeper->machine_offset_ns;
    keeper->held = false;
    keeper->accepted++;
    publish(page);
}

int64_t fg_clock_page_ahead(const struct fg_clock_page *page)
{
    const struct fg_clock_keeper *keeper = &page->keeper;

    return keeper->held ? keeper->machine_offset_ns - keeper->offset_ns : 0;
}

uint64_t fg_clock_page_wall(const struct fg_clock_page *page, uint64_t monotonic_ns,
                            uint64_t wall_ns)
{
    return page->keeper.begun ? monotonic_ns + (uint64_t)page->keeper.offset_ns : wall_ns;
}

/* --- reading the machine's clocks --- */

struct reading {
    uint64_t tsc, wall_ns, monotonic_ns, took_ns;
};

/* The shortest of some readings: the others had something come between. */
static struct reading read_clocks(uint64_t rate)
{
    const struct fg_clock *clock = &fg_clock_system;
    struct reading best = {.took_ns = UINT64_MAX};

    for (unsigned tries = READ_TRIES; tries > 0 && best.took_ns > READ_GOOD_NS; tries--) {
        uint64_t began = rte_rdtsc_precise();
        uint64_t monotonic_ns = clock->monotonic_ns(clock->context);
        uint64_t wall_ns = clock->wall_ns(clock->context);
        uint64_t ticks = rte_rdtsc_precise() - began;
        uint64_t took_ns = ticks_ns(ticks, rate);
        if (took_ns < best.took_ns)
            best = (struct reading){began + ticks / 2, wall_ns, monotonic_ns, took_ns};
    }
    return best;
}

/* How far the page in force is off at the end of its life; from what is held, while it is. */
static void note_sample(struct fg_clock_page *page, const struct reading *now)
{
    struct fg_clock_keeper *keeper = &page->keeper;
    uint64_t told_ns = fg_clock_page_read(page, now->tsc).wall_ns;
    int64_t offset_ns = (int64_t)(now->wall_ns - now->monotonic_ns);
    bool follows = magnitude(offset_ns - keeper->offset_ns) <= STEP_NS;
    uint64_t right_ns = follows ? now->wall_ns : now->monotonic_ns + (uint64_t)keeper->offset_ns;
    uint64_t error_ns = (uint64_t)magnitude((int64_t)(told_ns - right_ns));
    uint64_t age_us = (now->monotonic_ns - keeper->last.monotonic_ns) / 1000;

    keeper->sample[keeper->samples++ % FG_CLOCK_SAMPLES] = (struct fg_clock_sample){
        .error_ns = error_ns < UINT32_MAX ? (uint32_t)error_ns : UINT32_MAX,
        .age_us = age_us < UINT32_MAX ? (uint32_t)age_us : UINT32_MAX,
    };
}

void fg_clock_page_update(struct fg_clock_page *page)
{
    struct fg_clock_keeper *keeper = &page->keeper;
    struct reading now = read_clocks(keeper->rate);
    bool good = now.took_ns <= READ_MAX_NS;

    if (keeper->begun && !good && now.monotonic_ns - keeper->last.monotonic_ns < PAGE_OLD_NS)
        return;
    if (keeper->begun && good && !keeper->rough)
        note_sample(page, &now);
    fg_clock_page_write(page, now.tsc, now.wall_ns, now.monotonic_ns);
    keeper->rough = !good;
}

void fg_clock_page_init(struct fg_clock_page *page, uint64_t tsc_hz)
{
    uint64_t rate = (uint64_t)(((unsigned __int128)NS_A_SECOND << 32) / tsc_hz);

    memset(page, 0, sizeof(*page));
    page->keeper.nominal_rate = page->keeper.rate = rate;
    page->keeper.started_ns = fg_clock_system.monotonic_ns(fg_clock_system.context);
    fg_clock_page_update(page);
}

void fg_clock_page_serve(struct fg_clock_page *page)
{
    struct fg_clock_keeper *keeper = &page->keeper;

    fg_clock_page_update(page);
    keeper->samples = 0;
    keeper->started_ns = keeper->last.monotonic_ns;
    publish(page);
}

/* --- how well --- */

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

struct fg_clock_quality fg_clock_page_quality(const struct fg_clock_page *page)
{
    const struct fg_clock_keeper *keeper = &page->keeper;
    uint32_t errors[FG_CLOCK_SAMPLES];
    struct fg_clock_quality quality = {0};

    quality.samples =
        keeper->samples < FG_CLOCK_SAMPLES ? (unsigned)keeper->samples : FG_CLOCK_SAMPLES;
    if (quality.samples == 0)
        return quality;
    for (unsigned i = 0; i < quality.samples; i++) {
        errors[i] = keeper->sample[i].error_ns;
        if (keeper->sample[i].age_us > quality.age_us_max)
            quality.age_us_max = keeper->sample[i].age_us;
    }
    qsort(errors, quality.samples, sizeof(*errors), compare);
    /* Nearest rank: the least that 999 of 1000 are not above. */
    quality.error_ns_p999 = errors[(quality.samples * UINT64_C(999) + 999) / 1000 - 1];
    quality.error_ns_max = errors[quality.samples - 1];
    return quality;
}
