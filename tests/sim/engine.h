/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An engine of the real parts: admission, stock, journal, recovery, delivery and the control
 * plane's model, changes and publishing, without EAL, threads and sockets. What worker.c, main.c
 * and the control loop do around them is done here, step by step.
 */
#ifndef SIM_ENGINE_H
#define SIM_ENGINE_H

#include "control/internal.h"
#include "dataplane/recovery.h"
#include "tests/sim/world.h"

#define SIM_PARTITIONS  64
#define SIM_WORKERS_MAX 4
#define SIM_SLOTS       16

/* What the operator has under way with an engine. */
struct sim_desk {
    /* An order that is to be cancelled. */
    struct {
        enum { CANCEL_NONE, CANCEL_RECORDED, CANCEL_SETTLES } stage;
        uint64_t ticket; /* of the journal, of the record that says so; then of the worker */
        uint64_t order, request;
        uint8_t buyer[FG_BUYER_BYTES];
    } cancel;
    uint64_t accept_ticket;   /* of the record that the clock is accepted; 0: none */
    enum fg_engine_mode mode; /* the operator was told that it is in force */
    bool drained;             /* ... and that the engine has drained */
    /* Lists of buyers: as the operator was last told, and as last asked for. */
    struct {
        struct sim_listed told, asked;
        bool reloads;
    } lists;
    uint64_t shut_until_ns; /* true time; then it may be resumed */
};

struct sim_engine {
    struct world *world;
    unsigned number; /* 1, 2, 3 ... in the run */
    struct fg_engine engine;
    struct fg_recovery_plan plan;
    struct sim_disk *disk;
    struct sim_clock clock;
    struct redis_way way;
    uint64_t began_ns; /* true time */
    /* Units of each slot whose return was durable, but which were not put back on sale, when the
     * present step of a worker began. */
    int64_t returning[SIM_SLOTS];
    /* What each worker decides by: see begin_loop() in worker.c. */
    struct {
        uint64_t wall_ns;
        uint32_t accepted;
    } times[SIM_WORKERS_MAX];
    struct sim_desk desk;
    uint64_t delivered_frames; /* up to which delivery has found nothing left to do */
    char message[512];
};

/* How it is to be started. */
struct engine_plan {
    unsigned workers;
    uint32_t lane_records, parked;
    uint64_t log_budget, log_segment;
    uint32_t restart_grace_ms;
    uint64_t instance;
    unsigned batch;
    uint64_t keep_ns; /* of what is delivered and not consumed */
};

/* Recovers from the disk and gets ready to serve. An exit status; world->engine is it if OK. May
 * end in a crash. */
int engine_start(struct world *world, const struct engine_plan *plan);

/* The time that the worker decides by now. */
struct fg_now engine_now(struct sim_engine *engine, unsigned w);

/* Where each part may be stepped; what a step does may end in a crash. */
void engine_worker(struct sim_engine *engine, unsigned w);
void engine_journal(struct sim_engine *engine);
void engine_storage(struct sim_engine *engine);
void engine_delivery(struct sim_engine *engine);
void engine_control(struct sim_engine *engine);

/* Has a part ended so that the process must stop? An exit status or FG_EXIT_OK. */
int engine_failed(const struct sim_engine *engine);

/* Nothing waits in it, all is durable and delivered. */
bool engine_quiet(const struct sim_engine *engine);

/* Has Redis lost what the log had forgotten? Then the lag stays, as an alarm. */
bool engine_lost_beyond_log(const struct sim_engine *engine);

/* A clean stop, its memory given back. */
void engine_stop(struct sim_engine *engine);

#endif
