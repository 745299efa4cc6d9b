/* SPDX-License-Identifier: BSD-3-Clause */
/* The delivery thread: steps until it is told to stop, and then until all is delivered. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/orders/delivery_internal.h"

#define IDLE_SLEEP_NS 1000000L

static void *run(void *arg)
{
    struct fg_delivery *delivery = arg;
    const struct fg_clock *clock = delivery->config.clock;
    for (;;) {
        /* acquire: pairs with the release in fg_delivery_stop(). Read before the step, so that
         * "caught up" speaks of a time after the stop. */
        bool stopping = atomic_load_explicit(&delivery->stopping, memory_order_acquire);
        int rc = fg_delivery_step(delivery);
        if (rc < 0)
            return NULL;
        if (stopping &&
            (delivery->caught_up || clock->monotonic_ns(clock->context) >= delivery->deadline_ns))
            return NULL;
        if (rc == 0)
            nanosleep(&(struct timespec){.tv_nsec = IDLE_SLEEP_NS}, NULL);
    }
}

/* Threads inherit the mask of the one that makes them, which may be a worker's core. */
static void choose_cores(cpu_set_t *cores, int core)
{
    CPU_ZERO(cores);
    if (core >= 0)
        CPU_SET(core, cores);
    else
        for (long i = 0; i < sysconf(_SC_NPROCESSORS_CONF) && i < CPU_SETSIZE; i++)
            CPU_SET(i, cores);
}

int fg_delivery_start(struct fg_delivery *delivery, int core)
{
    pthread_attr_t attributes;
    int rc = pthread_attr_init(&attributes);
    if (rc != 0)
        return -rc;
    cpu_set_t cores;
    choose_cores(&cores, core);
    pthread_attr_setaffinity_np(&attributes, sizeof(cores), &cores);
    pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attributes, SCHED_OTHER);

    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&delivery->thread, &attributes, run, delivery);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (rc != 0)
        return -rc;
    pthread_setname_np(delivery->thread, "delivery");
    delivery->started = true;
    return 0;
}

void fg_delivery_stop(struct fg_delivery *delivery, unsigned limit_ms)
{
    if (!delivery->started)
        return;
    const struct fg_clock *clock = delivery->config.clock;
    delivery->deadline_ns = clock->monotonic_ns(clock->context) + limit_ms * UINT64_C(1000000);
    /* release: pairs with the acquire in run(). */
    atomic_store_explicit(&delivery->stopping, true, memory_order_release);
    pthread_join(delivery->thread, NULL);
    delivery->started = false;
}
