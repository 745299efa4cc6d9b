/* SPDX-License-Identifier: BSD-3-Clause */
/* The delivery thread: steps until it is told to stop, and then until all is delivered. */
#include <time.h>

#include "dataplane/orders/delivery_internal.h"
#include "dataplane/orders/thread.h"

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

int fg_delivery_start(struct fg_delivery *delivery, int core)
{
    int rc = fg_thread_start(&delivery->thread, "fg-delivery", run, delivery, core);
    delivery->started = rc == 0;
    return rc;
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
