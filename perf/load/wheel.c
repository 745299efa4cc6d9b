/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/wheel.h"

#include <assert.h>

static_assert((LOAD_WHEEL_SLOTS & (LOAD_WHEEL_SLOTS - 1)) == 0, "slots are found by masking");

static inline void hang(struct load_wheel *wheel, uint32_t timer, uint32_t head)
{
    struct load_timer *t = &wheel->timers[timer];
    uint32_t first = wheel->heads[head];

    t->next = first;
    t->prev = LOAD_WHEEL_HEAD | head;
    if (first != LOAD_WHEEL_NONE)
        wheel->timers[first].prev = timer;
    wheel->heads[head] = timer;
}

static inline void unhang(struct load_wheel *wheel, uint32_t timer)
{
    struct load_timer *t = &wheel->timers[timer];

    if (t->prev & LOAD_WHEEL_HEAD)
        wheel->heads[t->prev & ~LOAD_WHEEL_HEAD] = t->next;
    else
        wheel->timers[t->prev].next = t->next;
    if (t->next != LOAD_WHEEL_NONE)
        wheel->timers[t->next].prev = t->prev;
}

void load_wheel_init(struct load_wheel *wheel, struct load_timer *timers)
{
    wheel->timers = timers;
    wheel->tick = 0;
    for (uint32_t head = 0; head <= LOAD_WHEEL_SLOTS; head++)
        wheel->heads[head] = LOAD_WHEEL_NONE;
}

void load_wheel_start(struct load_wheel *wheel, uint32_t timer, uint32_t due)
{
    struct load_timer *t = &wheel->timers[timer];

    assert(!t->running);
    if ((int32_t)(due - wheel->tick) <= 0)
        due = wheel->tick + 1;
    t->due = due;
    t->running = true;
    hang(wheel, timer, due & (LOAD_WHEEL_SLOTS - 1));
}

void load_wheel_stop(struct load_wheel *wheel, uint32_t timer)
{
    struct load_timer *t = &wheel->timers[timer];

    if (!t->running)
        return;
    unhang(wheel, timer);
    t->running = false;
}

void load_wheel_advance(struct load_wheel *wheel, uint32_t tick)
{
    while ((int32_t)(tick - wheel->tick) > 0) {
        wheel->tick++;
        uint32_t timer = wheel->heads[wheel->tick & (LOAD_WHEEL_SLOTS - 1)];
        while (timer != LOAD_WHEEL_NONE) {
            uint32_t next = wheel->timers[timer].next;
            if (wheel->timers[timer].due == wheel->tick) {
                unhang(wheel, timer);
                hang(wheel, timer, LOAD_WHEEL_SLOTS);
            }
            timer = next;
        }
    }
}

uint32_t load_wheel_take(struct load_wheel *wheel)
{
    uint32_t timer = wheel->heads[LOAD_WHEEL_SLOTS];

    if (timer != LOAD_WHEEL_NONE)
        load_wheel_stop(wheel, timer);
    return timer;
}
