/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/aside.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "control/internal.h"

struct work {
    void (*function)(void *arg);
    void *arg;
    atomic_bool done;
};

static void *run(void *arg)
{
    struct work *work = arg;
    work->function(work->arg);
    /* release: pairs with the acquire in fg_control_aside() */
    atomic_store_explicit(&work->done, true, memory_order_release);
    return NULL;
}

/* Signals are the main thread's. */
static bool start(pthread_t *thread, struct work *work)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(thread, NULL, run, work) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

void fg_control_aside(struct fg_control *control, bool large, void (*function)(void *arg),
                      void *arg)
{
    struct work work = {.function = function, .arg = arg};
    pthread_t thread;
    if (!large || !start(&thread, &work)) {
        function(arg);
        return;
    }
    while (!atomic_load_explicit(&work.done, memory_order_acquire))
        (void)fg_control_wait(control); /* an engine that must stop waits for it, too */
    pthread_join(thread, NULL);
}
