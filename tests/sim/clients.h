/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The clients: one gateway that asks for a few buyers, by the retry rule of docs/protocol.md (rule
 * 4), and writes down what it sent and heard as perf/check reads it.
 *
 * A request goes through the ops of its plan: ORDER until told, then perhaps CONFIRM, CANCEL or
 * QUERY, now and then the same ORDER again. Who hears nothing ten times, or is told to wait too
 * often, gives up and sends CANCEL until that is answered.
 */
#ifndef SIM_CLIENTS_H
#define SIM_CLIENTS_H

#include "perf/check/history.h"
#include "tests/sim/network.h"

struct world;

enum request_plan { PLAN_LEAVE, PLAN_CONFIRM, PLAN_CONFIRM_LATE, PLAN_CANCEL, PLAN_QUERY };

struct client_request {
    uint8_t buyer[FG_BUYER_BYTES];
    uint64_t request;
    uint32_t item; /* id */
    uint16_t quantity;
    uint8_t plan;    /* enum request_plan */
    uint8_t op;      /* asked now; 0: settled */
    uint8_t told;    /* the last verdict that tells a state; 0: none */
    uint8_t refusal; /* the last other verdict */
    bool held, gave_up, told_void, closing;
    uint32_t copies;   /* of the present op, sent since it was last answered */
    uint32_t refusals; /* told to wait so often */
    uint32_t repeats;  /* that it will still ask again after it is settled */
    uint32_t attempts[FG_OP_MAX + 1];
    uint64_t order;
    uint64_t send_at_ns; /* the next copy leaves */
};

/* A datagram that was sent: its name is time_ns, which only grows. */
struct client_datagram {
    uint64_t time_ns;
    uint64_t record; /* of its first entry; the others follow */
    uint32_t requests[NET_ENTRIES_MAX];
    uint8_t count;
    bool answered;
};

struct sim_clients {
    struct fg_history history;
    struct client_request *requests;
    uint32_t requests_count, requests_capacity;
    struct client_datagram *datagrams;
    uint32_t datagrams_count, datagrams_capacity;
    uint64_t last_time_ns;
    uint64_t next_request_ns;
    uint32_t unsettled;
};

/* Takes answers, sends what is due, begins new requests. */
void clients_step(struct world *world);

/* One more request of a buyer of its own; the last orders of a run. */
void clients_close_item(struct world *world, uint32_t item, uint16_t quantity);

/* Every request that was told an order asks once more what became of it. */
void clients_ask_again(struct world *world);

/* The first entry of the datagram with this name; NULL: no such was sent. */
const struct fg_history_record *clients_asked(struct world *world, uint64_t time_ns);

/* When the next copy is due; UINT64_MAX: nothing is. */
uint64_t clients_next_ns(const struct world *world);

#endif
