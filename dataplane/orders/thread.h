/* SPDX-License-Identifier: BSD-3-Clause */
/* Helper threads: journal, storage, delivery. */
#ifndef FG_ORDERS_THREAD_H
#define FG_ORDERS_THREAD_H

#include <pthread.h>

/*
 * Starts a thread with every signal blocked (signals are for the main thread), on `core` alone, or
 * with -1 on the cores of its maker. `name` is shown by ps and top, at most 15 bytes. Control's
 * thread. 0 or a negative errno.
 */
int fg_thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg, int core);

#endif
