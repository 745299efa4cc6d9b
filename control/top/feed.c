/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/top/feed.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "control/cli/client.h"
#include "dataplane/orders/clock.h"
#include "flashgate/exit_status.h"

struct fg_top_feed {
    pthread_mutex_t lock; /* over all below */
    pthread_cond_t stopped;
    struct fg_top_answer answer;
    bool fresh; /* `answer` was not taken yet */
    bool stop;
    unsigned users; /* the last one frees */
    int fd;         /* raised with `fresh` */
    char *socket_path;
    uint64_t interval_ms;
};

/* Unlocks, and frees after the last user. */
static void leave(struct fg_top_feed *feed)
{
    bool last = --feed->users == 0;

    pthread_mutex_unlock(&feed->lock);
    if (!last)
        return;
    json_decref(feed->answer.status);
    pthread_cond_destroy(&feed->stopped);
    pthread_mutex_destroy(&feed->lock);
    close(feed->fd);
    free(feed->socket_path);
    free(feed);
}

static void put(struct fg_top_feed *feed, const struct fg_top_answer *answer)
{
    uint64_t one = 1;

    json_decref(feed->answer.status);
    feed->answer = *answer;
    feed->fresh = true;
    if (write(feed->fd, &one, sizeof(one)) < 0)
        return; /* it is raised already */
}

static void *ask(void *arg)
{
    struct fg_top_feed *feed = arg;
    uint64_t next_ns = fg_clock_ns(CLOCK_MONOTONIC);

    pthread_mutex_lock(&feed->lock);
    while (!feed->stop) {
        struct fg_top_answer answer = {0};
        pthread_mutex_unlock(&feed->lock);
        int status = fg_client_call(feed->socket_path, "status", NULL, &answer.status,
                                    answer.message, sizeof(answer.message));
        if (status == FG_EXIT_OK)
            answer.message[0] = '\0';
        answer.at_ns = fg_clock_ns(CLOCK_MONOTONIC);
        pthread_mutex_lock(&feed->lock);
        put(feed, &answer);
        /* By schedule, but never in a burst after a long wait. */
        next_ns += feed->interval_ms * 1000000;
        if (next_ns < answer.at_ns)
            next_ns = answer.at_ns;
        struct timespec until = {.tv_sec = (time_t)(next_ns / 1000000000),
                                 .tv_nsec = (long)(next_ns % 1000000000)};
        while (!feed->stop &&
               pthread_cond_timedwait(&feed->stopped, &feed->lock, &until) != ETIMEDOUT)
            continue;
    }
    leave(feed);
    return NULL;
}

/* The thread takes no signals: they are the reader's. */
static int start(struct fg_top_feed *feed)
{
    pthread_t thread;
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread, NULL, ask, feed);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0)
        pthread_detach(thread);
    return error;
}

struct fg_top_feed *fg_top_feed_create(const char *socket_path, uint64_t interval_ms)
{
    struct fg_top_feed *feed = calloc(1, sizeof(*feed));
    pthread_condattr_t monotonic;

    if (!feed)
        return NULL;
    feed->socket_path = strdup(socket_path);
    feed->fd = feed->socket_path ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
    if (feed->fd < 0) {
        free(feed->socket_path);
        free(feed);
        return NULL;
    }
    feed->interval_ms = interval_ms;
    feed->users = 2;
    pthread_mutex_init(&feed->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&feed->stopped, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int error = start(feed);
    if (error == 0)
        return feed;
    pthread_mutex_lock(&feed->lock);
    feed->users = 1;
    leave(feed);
    errno = error;
    return NULL;
}

int fg_top_feed_fd(const struct fg_top_feed *feed)
{
    return feed->fd;
}

bool fg_top_feed_take(struct fg_top_feed *feed, struct fg_top_answer *answer)
{
    uint64_t raised;

    pthread_mutex_lock(&feed->lock);
    bool fresh = feed->fresh;
    if (fresh) {
        *answer = feed->answer;
        feed->answer.status = NULL;
        feed->fresh = false;
        if (read(feed->fd, &raised, sizeof(raised)) < 0)
            raised = 0; /* nothing was raised: then nothing is lost */
    }
    pthread_mutex_unlock(&feed->lock);
    return fresh;
}

void fg_top_feed_destroy(struct fg_top_feed *feed)
{
    if (!feed)
        return;
    pthread_mutex_lock(&feed->lock);
    feed->stop = true;
    pthread_cond_signal(&feed->stopped);
    leave(feed);
}
