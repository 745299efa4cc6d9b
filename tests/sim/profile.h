/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What kind of run this is, drawn from the seed. Each kind of fault is left out of many runs, and
 * frequent in some: a fault that always happens hides what the others would have shown.
 *
 * Chances are per million of an opportunity.
 */
#ifndef SIM_PROFILE_H
#define SIM_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/admission/penalty.h"

#include "dataplane/faults.h"

#define SIM_SALES_MAX 3
#define SIM_ITEMS_MAX 6

struct sim_profile {
    /* length */
    uint32_t rounds;   /* of the schedule before everything is healed */
    uint32_t requests; /* of clients */
    uint32_t buyers;
    uint64_t arrival_ns; /* between two new requests, about */
    uint64_t round_ns;   /* that pass in a round, about */

    /* the sales */
    unsigned sales, items;
    struct {
        uint32_t sale; /* 0 .. sales - 1 */
        uint32_t stock, limit, hold_ms;
        uint16_t max_per_order;
    } item[SIM_ITEMS_MAX];
    bool cancel_final[SIM_SALES_MAX], reacquire[SIM_SALES_MAX];
    uint32_t limit[SIM_SALES_MAX]; /* of a buyer over all items */
    bool opens[SIM_SALES_MAX];     /* by the clock */
    bool drains;                   /* the operator drains the engine when everything is healed */
    uint32_t rate[SIM_SALES_MAX], burst[SIM_SALES_MAX]; /* of a buyer */
    uint32_t key_rate;                                  /* of everybody; 0: none */
    unsigned hammering; /* of ten who are THROTTLED, so many ask again at once */
    struct fg_penalty_rule penalty;
    uint64_t lists_ns;    /* between two changes of the lists of buyers, about; 0: none */
    uint64_t operator_ns; /* between two things that the operator does, about; 0: only opens */

    /* network */
    unsigned net_loss, net_double, net_late;
    uint64_t net_delay_ns;

    /* crashes */
    unsigned crashes_max;
    unsigned crash_between, crash_disk, crash_redis, crash_point;
    uint64_t crash_points; /* bit per point */
    unsigned zombie;       /* of a step of control: another machine takes over */
    unsigned wall_step;    /* of a start */
    unsigned clock_step;   /* of a step of control */
    unsigned rot;          /* of a start */
    unsigned long_pause;   /* of a start: minutes, not moments */
    unsigned stall;        /* of a round */

    /* disk and Redis */
    unsigned write_eio, flush_eio, read_eio, full;
    unsigned tear;    /* of a write */
    unsigned no_room; /* of a step of storage: the disk is full for a while */
    unsigned redis_loss, redis_retry, redis_refused, redis_strike;
    uint64_t redis_kinds; /* bit per fault that may strike */
    unsigned consume;     /* of a round: the consumer is done with some */
};

struct sim_random;
void profile_draw(struct sim_profile *profile, struct sim_random *random);

#endif
