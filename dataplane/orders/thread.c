/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/orders/thread.h"

#include <signal.h>

int fg_thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg, int core)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    int rc = pthread_attr_init(&attributes);

    if (rc != 0)
        return -rc;
    if (core >= 0) {
        cpu_set_t cores;
        CPU_ZERO(&cores);
        CPU_SET((unsigned)core, &cores);
        rc = pthread_attr_setaffinity_np(&attributes, sizeof(cores), &cores);
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (rc == 0)
        rc = pthread_create(thread, &attributes, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0)
        (void)pthread_setname_np(*thread, name);
    pthread_attr_destroy(&attributes);
    return -rc;
}
