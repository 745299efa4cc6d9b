/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loop of a worker:
 *
 *   receive and decide (or hand over) -> decide what others handed over -> commands ->
 *   settle what is durable, run out holds -> replies that are ready -> send
 *
 * Every step takes a bounded piece of what there is, so that none waits long for another.
 */
#include <sched.h>
#include <sys/prctl.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_pause.h>
#include <urcu-qsbr.h>

#include "dataplane/faults.h"
#include "dataplane/loop.h"

#define YIELD_AFTER 8    /* empty loops before the core is offered to others */
#define SLEEP_AFTER 256  /* empty loops before a sleep: some 100 us without a datagram */
#define NAP_EVERY   1024 /* empty loops of who yields: a millisecond or so */
#define SLEEP_NS    50000
/* Each end of a sleep costs some 25 us of a virtual machine's core: whoever has had nothing to do
 * for so many loops, about 0.1 s, sleeps longer. */
#define LONG_SLEEP_AFTER 1500
#define LONG_SLEEP_NS    1000000
#define NAP_NS           20000 /* a virtual machine is back from a shorter one before it has slept */

/* A receiver that has lost its core for so long has lost what is sent meanwhile, like one that is
 * gone; from then on a port is not waited for, until it takes something. */
#define PORT_PATIENCE_MS 20

/* Around an opening nobody sleeps. */
#define OPENING_BEFORE_NS UINT64_C(1000000000)
#define OPENING_AFTER_NS  UINT64_C(100000000)

static unsigned do_commands(struct loop *loop)
{
    void *commands[FG_COMMANDS_PER_LOOP];
    unsigned n =
        rte_ring_sc_dequeue_burst(loop->self->commands, commands, FG_COMMANDS_PER_LOOP, NULL);

    if (n > 0)
        loop_stage(loop, FG_STAGE_OTHER);
    for (unsigned i = 0; i < n; i++) {
        struct fg_command *command = commands[i];
        if (command->kind == FG_COMMAND_CAPTURE)
            loop_captures_command(loop, command);
        else
            fg_command_run(command, loop->self->admission, &loop->now, loop->catalogue);
        /* Both rings have one size, and an answer takes the place of its question. */
        rte_ring_sp_enqueue(loop->self->results, command);
    }
    fg_count_add(&loop->counters->count[FG_COUNTER_COMMANDS], n);
    return n;
}

/* This loop is the first one after the instant at which a sale opens. */
static void note_opening(struct fg_opening *opening, uint64_t opens_ns, uint64_t closed_ns,
                         uint64_t open_ns)
{
    atomic_store_explicit(&opening->opens_ns, 0, memory_order_relaxed);
    /* release: who reads a figure written below sees that the opening is no longer the old one */
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&opening->closed_ns, closed_ns, memory_order_relaxed);
    atomic_store_explicit(&opening->open_ns, open_ns, memory_order_relaxed);
    /* release: pairs with the acquire in fg_worker_opening() */
    atomic_store_explicit(&opening->opens_ns, opens_ns, memory_order_release);
}

/* Is it between the loop before and this one? */
static bool passed(const struct loop *loop, uint64_t before_ns, uint64_t opens_ns)
{
    return before_ns != 0 && before_ns < opens_ns && opens_ns <= loop->now.wall_ns;
}

/* The catalogue that the next loop decides by. Before its time is read: whoever is off the core
 * between the two knows the opening that passes meanwhile. */
static void take_catalogue(struct loop *loop)
{
    struct fg_worker *self = loop->self;

    rcu_quiescent_state();
    loop->catalogue = rcu_dereference(loop->engine->catalogue);
    if (atomic_load_explicit(&self->seen_issue, memory_order_relaxed) != loop->catalogue->issue) {
        atomic_store_explicit(&self->seen_revision, loop->catalogue->revision,
                              memory_order_relaxed);
        /* release: what was decided by the old catalogue comes before; pairs with the acquire in
         * control's publishing */
        atomic_store_explicit(&self->seen_issue, loop->catalogue->issue, memory_order_release);
    }
}

/* The time that this loop decides by. */
static void begin_loop(struct loop *loop, uint64_t tsc)
{
    struct fg_time time = fg_clock_page_read(&loop->engine->clock, tsc);
    uint32_t ms = (uint32_t)(time.elapsed_ns / 1000000);
    uint64_t before_ns = loop->now.wall_ns;

    /* A page written anew may lie a little behind what the old one made of the same instant. */
    if ((int32_t)(ms - loop->now.ms) > 0)
        loop->now.ms = ms;
    if (fg_clock_moves(&time, before_ns, loop->accepted)) {
        loop->now.wall_ns = time.wall_ns;
        loop->accepted = time.accepted;
    }
    loop->ahead_ns = time.ahead_ns;
    /* Control, which waits for no worker here, may have put the opening on record already: then it
     * is the one that the loop before awaited. */
    uint64_t next_ns = loop->catalogue->next_opens_ns;
    uint64_t opens_ns = passed(loop, before_ns, next_ns) ? next_ns : loop->opens_ns;
    if (passed(loop, before_ns, opens_ns))
        note_opening(&loop->self->opening, opens_ns, before_ns, loop->now.wall_ns);
    loop->opens_ns = next_ns;
}

/* One round; returns pieces of work done. What cannot have anything to do is no stage of its own:
 * to say so takes a reading of the TSC, and a dozen of them cost a loop with a frame or two, or
 * with none, more than what it does. */
static unsigned run_loop(struct loop *loop, bool receiving)
{
    unsigned work = 0;

    for (unsigned p = 0; receiving && p < loop->ports; p++)
        if (loop->self->index < loop->engine->ports[p].queues)
            work += loop_receive(loop, &loop->engine->ports[p]);
    if (loop->workers > 1) {
        loop_stage(loop, FG_STAGE_HAND_OVER);
        work += loop_take_over(loop);
    }
    work += do_commands(loop);
    bool waits = loop->workers > 1 || fg_admission_waiting(loop->self->admission) > 0;
    if (waits || work > 0)
        loop_stage(loop, FG_STAGE_SETTLE);
    fg_admission_poll(loop->self->admission, &loop->now, loop->catalogue);
    if (waits)
        loop_stage(loop, FG_STAGE_SIGN);
    fg_admission_sign(loop->self->admission);
    if (waits || work > 0)
        loop_stage(loop, FG_STAGE_SEND);
    unsigned ready = loop_send_parked(loop);
    work += ready + loop_send_for_others(loop);
    for (unsigned p = 0; p < loop->ports; p++)
        if (loop->out[p].count > 0)
            loop_flush(loop, p);
    if (ready > 0)
        FG_CRASH_POINT(REPLY_SENT);
    return work;
}

static bool near_opening(const struct loop *loop)
{
    uint64_t opens_ns = loop->catalogue->next_opens_ns, now_ns = loop->now.wall_ns;

    return now_ns + OPENING_BEFORE_NS >= opens_ns && now_ns < opens_ns + OPENING_AFTER_NS;
}

/*
 * After many loops without work. Who sleeps does so also while orders wait for a flush, and who
 * yields naps now and then: yielding all the time starves the kernel's own threads on some kernels
 * (seen on Linux 6.18: the loop device's worker and ksoftirqd stood runnable for seconds), and with
 * them the flush that is waited for. Around an opening a worker polls, or takes turns with those
 * that share its core.
 */
static void idle(struct loop *loop)
{
    enum fg_idle policy = loop->engine->config.idle;
    bool opening = near_opening(loop);

    if (policy == FG_IDLE_POLL || loop->empty < YIELD_AFTER || (opening && loop->self->alone))
        rte_pause();
    else if (policy == FG_IDLE_SLEEP && loop->empty >= SLEEP_AFTER && !opening)
        nanosleep(&(struct timespec){.tv_nsec = loop->empty >= LONG_SLEEP_AFTER ? LONG_SLEEP_NS
                                                                                : SLEEP_NS},
                  NULL);
    else if (loop->empty % NAP_EVERY == 0)
        nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
    else
        sched_yield();
}

/* Nothing of this worker's waits, and nothing is on its way to it. */
static bool drained(const struct loop *loop)
{
    if (fg_admission_waiting(loop->self->admission) > 0)
        return false;
    for (unsigned p = 0; p < loop->ports; p++)
        if (loop->out[p].count > 0)
            return false;
    for (unsigned v = 0; v < loop->workers; v++)
        if ((loop->self->handover[v] && !rte_ring_empty(loop->self->handover[v])) ||
            (loop->self->replies[v] && !rte_ring_empty(loop->self->replies[v])))
            return false;
    return true;
}

/* From one TSC to the other, the catalogue of the next one with it. */
static void count_loop(struct loop *loop, unsigned work, uint64_t began, uint64_t ended)
{
    struct fg_counters *counters = loop->counters;

    fg_count_add(&counters->loops, 1);
    fg_count_add(&counters->total_cycles, ended - began);
    if (work > 0) {
        fg_count_add(&counters->busy_cycles, ended - began);
        fg_stages_count(&loop->stages, counters, ended);
    }
    if (ended - began > loop->queue_age && loop->queue_age > 0)
        fg_count(counters, FG_COUNTER_LATE_LOOPS);
}

static void set_state(struct fg_worker *self, enum fg_worker_state state)
{
    /* release: pairs with control's acquire; what came before the state is seen with it */
    atomic_store_explicit(&self->state, state, memory_order_release);
}

static uint64_t ticks_of_ms(uint32_t ms, uint64_t ns_per_tsc_32)
{
    return (uint64_t)(((unsigned __int128)ms * 1000000 << 32) / ns_per_tsc_32);
}

static void loop_init(struct loop *loop, struct fg_worker *self)
{
    struct fg_engine *engine = self->engine;

    *loop = (struct loop){
        .self = self,
        .engine = engine,
        .counters = self->counters,
        .workers = engine->config.workers,
        .ports = engine->config.ports_count,
        .partitions = engine->config.partitions,
        .ns_per_tsc_32 = engine->clock.keeper.nominal_rate,
    };
    loop->patience = ticks_of_ms(PORT_PATIENCE_MS, loop->ns_per_tsc_32);
    loop->queue_age = ticks_of_ms(engine->config.queue_age_ms, loop->ns_per_tsc_32);
    for (unsigned p = 0; p < loop->ports; p++)
        loop->port_index[engine->ports[p].id] = (uint8_t)p;
}

int fg_worker_main(void *arg)
{
    struct fg_worker *self = arg;
    struct loop loop;

    loop_init(&loop, self);
    prctl(PR_SET_TIMERSLACK, 1UL);
    rcu_register_thread();
    take_catalogue(&loop);
    uint64_t began = rte_rdtsc();
    set_state(self, FG_WORKER_RUNNING);
    for (;;) {
        /* acquire: pairs with control's release */
        uint32_t stop = atomic_load_explicit(&loop.engine->stop, memory_order_acquire);
        if (stop == FG_STOP_NOW)
            break;
        fg_stages_begin(&loop.stages, began);
        begin_loop(&loop, began);
        unsigned work = run_loop(&loop, stop == FG_RUN);
        loop.empty = work > 0 ? 0 : loop.empty + 1;
        if (stop != FG_RUN)
            set_state(self, work == 0 && drained(&loop)
                                ? FG_WORKER_DRAINED + (stop - FG_STOP_RECEIVING)
                                : FG_WORKER_RUNNING);
        if (work == 0)
            idle(&loop);
        take_catalogue(&loop);
        uint64_t ended = rte_rdtsc();
        count_loop(&loop, work, began, ended);
        began = ended;
    }
    rcu_unregister_thread();
    set_state(self, FG_WORKER_ENDED);
    return 0;
}
