/* SPDX-License-Identifier: BSD-3-Clause */
/* A Redis of a test's own: in a directory of its own, on a Unix socket only, gone with the test. */
#ifndef FG_TESTS_PRIVATE_REDIS_H
#define FG_TESTS_PRIVATE_REDIS_H

#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct private_redis {
    char dir[64], socket[80];
    pid_t pid;
    redisContext *admin; /* the test's own connection */
};

static inline void private_redis_stop(struct private_redis *redis)
{
    if (redis->admin)
        redisFree(redis->admin);
    if (redis->pid > 0) {
        kill(redis->pid, SIGKILL);
        waitpid(redis->pid, NULL, 0);
    }
    unlink(redis->socket);
    rmdir(redis->dir);
}

/* Starts it, anew after private_redis_kill(). 0, or -1 when there is no server after 10 s. */
static inline int private_redis_run(struct private_redis *redis)
{
    redis->pid = fork();
    if (redis->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", redis->socket,
               "--unixsocketperm", "700", "--dir", redis->dir, "--save", "", "--appendonly", "no",
               "--loglevel", "warning", "--logfile", "/dev/null", (char *)NULL);
        _exit(127);
    }
    for (int tries = 0; redis->pid > 0 && tries < 1000; tries++) {
        redis->admin = redisConnectUnix(redis->socket);
        if (redis->admin && !redis->admin->err)
            return 0;
        redisFree(redis->admin);
        redis->admin = NULL;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    private_redis_stop(redis);
    return -1;
}

static inline int private_redis_start(struct private_redis *redis)
{
    *redis = (struct private_redis){.dir = "/tmp/flashgate-redis-XXXXXX"};
    if (!mkdtemp(redis->dir))
        return -1;
    snprintf(redis->socket, sizeof(redis->socket), "%s/socket", redis->dir);
    return private_redis_run(redis);
}

/* As kill -9 does: what it knew is gone. */
static inline void private_redis_kill(struct private_redis *redis)
{
    redisFree(redis->admin);
    redis->admin = NULL;
    kill(redis->pid, SIGKILL);
    waitpid(redis->pid, NULL, 0);
    redis->pid = 0;
    unlink(redis->socket);
}

#endif
