/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A timer wheel over numbered timers: timer i belongs to request i, so a timer needs no allocation
 * and is found by its number.
 *
 * Time comes in ticks (of one millisecond, but the wheel does not care). A timer hangs in the slot
 * of its due tick modulo the slots, in a doubly linked list; one that is due a whole turn or more
 * later stays there when its slot is passed. Expired timers move to a list of their own, and are
 * taken from it one by one, so that a caller may stop at any point, and stop or start any timer in
 * between.
 */
#ifndef LOAD_WHEEL_H
#define LOAD_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#define LOAD_WHEEL_SLOTS 4096
#define LOAD_WHEEL_NONE  UINT32_MAX
/* A `prev` with this bit names a list's head; so there may be 2^31 timers. */
#define LOAD_WHEEL_HEAD UINT32_C(0x80000000)

struct load_timer {
    uint32_t next, prev; /* numbers of timers */
    uint32_t due;        /* tick */
    bool running;
};

struct load_wheel {
    struct load_timer *timers;
    uint32_t tick;                        /* everything due up to it has expired */
    uint32_t heads[LOAD_WHEEL_SLOTS + 1]; /* the last: expired, not yet taken */
};

/* `timers` is zeroed memory of the caller's, a timer for each number; it outlives the wheel. */
void load_wheel_init(struct load_wheel *wheel, struct load_timer *timers);

/* Starts a timer that is not running, to expire when the tick `due` is reached (or at the next
 * load_wheel_advance if that is past). */
void load_wheel_start(struct load_wheel *wheel, uint32_t timer, uint32_t due);

/* Stops a timer; one that is not running stays so. */
void load_wheel_stop(struct load_wheel *wheel, uint32_t timer);

/* Moves the time forward; what is due by `tick` expires. */
void load_wheel_advance(struct load_wheel *wheel, uint32_t tick);

/* Takes an expired timer, which is then no longer running; LOAD_WHEEL_NONE: there is none. */
uint32_t load_wheel_take(struct load_wheel *wheel);

#endif
