/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The journal thread and the storage helper.
 *
 * The journal thread answers for every acknowledgement's latency, so it asks for real-time priority
 * and, where that is not permitted, for the best nice value. But it shares its core: when nothing
 * waits it sleeps, and with real-time priority at once, for then a yield gives way to nobody; and
 * after a frame it lets records gather for a while (pace.h). A nap and its wake-up cost some 20 us
 * of the core on a virtual machine, so naps are short only as long as the last frame is recent: 50
 * us naps took 29 % of a core, 250 us ones 10 %.
 */
#include <errno.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/orders/journal_state.h"
#include "dataplane/orders/pace.h"
#include "dataplane/orders/thread.h"

#define IDLE_YIELDS    16     /* empty rounds before the first nap, at ordinary priority */
#define BUSY_NAP_NS    50000  /* between frames: adds little to a flush of 100 us and more */
#define QUIET_NAP_NS   250000 /* after the closing frame: what the first order may wait longer */
#define TIMER_SLACK_NS 1      /* else the kernel adds 50 us to each nap */
#define LOOK_AGAIN_S   1      /* for segments that could not be made, or may go by now */
#define NICE_BEST      (-20)
#define NICE_WORST     19

/* Returns whether the thread now runs at real-time priority. Being refused is no failure. */
static bool raise_priority(void)
{
    struct sched_param fifo = {.sched_priority = 1};

    if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &fifo) == 0)
        return true;
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE_BEST);
    return false;
}

static void rest(uint64_t ns)
{
    if (ns > 0)
        (void)nanosleep(&(struct timespec){.tv_nsec = (long)ns}, NULL);
}

/* After a frame: lets records come, and others have the core. */
static void gather(const struct fg_journal *journal)
{
    uint64_t took_ns = atomic_load_explicit(&journal->stats.flush_ns_last, memory_order_relaxed);

    rest(fg_gather_ns(journal->frame->count, took_ns, journal->pressed));
}

static void *journal_main(void *arg)
{
    struct fg_journal *journal = arg;
    const struct timespec busy = {.tv_nsec = BUSY_NAP_NS}, quiet = {.tv_nsec = QUIET_NAP_NS};
    unsigned idle = 0, patience = raise_priority() ? 0 : IDLE_YIELDS;
    int rc;

    (void)prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
    /* acquire: pairs with the release in fg_journal_stop() */
    while (!atomic_load_explicit(&journal->stop, memory_order_acquire)) {
        rc = fg_journal_step(journal);
        if (rc < 0)
            return NULL;
        if (rc > 0) {
            idle = 0;
            gather(journal);
        } else if (idle++ < patience)
            sched_yield();
        else
            (void)nanosleep(journal->unclosed ? &busy : &quiet, NULL);
    }
    (void)fg_journal_finish(journal);
    return NULL;
}

/* Until the journal has turned to another segment, or a while has passed. */
static void wait_until_wanted(struct fg_journal *journal)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LOOK_AGAIN_S;
    while (sem_clockwait(&journal->wanted, CLOCK_MONOTONIC, &until) != 0)
        if (errno == ETIMEDOUT)
            return;
}

struct zeros {
    struct fg_journal *journal;
    uint64_t began_ns; /* monotonic, of the piece being written */
};

/* After a piece of a new segment, which is not wanted as long as another one is ready. */
static void rest_from_zeros(void *arg)
{
    struct zeros *zeros = arg;
    struct fg_journal *journal = zeros->journal;
    const struct fg_clock *clock = journal->clock;
    bool wanted = atomic_load_explicit(&journal->prepared, memory_order_relaxed) <=
                      atomic_load_explicit(&journal->current, memory_order_relaxed) ||
                  atomic_load_explicit(&journal->stop, memory_order_relaxed);

    rest(fg_zeros_rest_ns(clock->monotonic_ns(clock->context) - zeros->began_ns, wanted));
    zeros->began_ns = clock->monotonic_ns(clock->context);
}

static int prepare(struct fg_journal *journal)
{
    struct zeros zeros = {journal, journal->clock->monotonic_ns(journal->clock->context)};

    return fg_journal_prepare_by_pieces(journal, rest_from_zeros, &zeros);
}

/* A segment that is removed may make room for one that could not be made, so both take turns. */
static void *storage_main(void *arg)
{
    struct fg_journal *journal = arg;

    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE_WORST);
    for (;;) {
        /* acquire: pairs with the release in fg_journal_stop() */
        while (!atomic_load_explicit(&journal->stop, memory_order_acquire) &&
               (prepare(journal) > 0 || fg_journal_retire(journal) > 0))
            ;
        /* What could not be made or removed is tried again, for somebody may have freed the disk:
         * until then workers take no new orders, see fg_journal_tell_room(). And what delivery has
         * done meanwhile may let a segment go. */
        wait_until_wanted(journal);
        if (atomic_load_explicit(&journal->stop, memory_order_acquire))
            return NULL;
    }
}

int fg_journal_start(struct fg_journal *journal, int journal_core, int storage_core)
{
    int rc = fg_thread_start(&journal->storage_thread, "fg-storage", storage_main, journal,
                             storage_core);
    journal->storage_runs = rc == 0;
    if (rc == 0) {
        rc = fg_thread_start(&journal->journal_thread, "fg-journal", journal_main, journal,
                             journal_core);
        journal->journal_runs = rc == 0;
    }
    if (rc != 0)
        fg_journal_stop(journal);
    return rc;
}

void fg_journal_stop(struct fg_journal *journal)
{
    /* release: pairs with the acquires in the two threads */
    atomic_store_explicit(&journal->stop, true, memory_order_release);
    if (journal->journal_runs)
        pthread_join(journal->journal_thread, NULL);
    else
        (void)fg_journal_finish(journal);
    journal->journal_runs = false;
    if (journal->storage_runs) {
        sem_post(&journal->wanted);
        pthread_join(journal->storage_thread, NULL);
    }
    journal->storage_runs = false;
}
