/* SPDX-License-Identifier: BSD-3-Clause */
/* Connecting by name: name servers that do not answer take no longer than the limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dataplane/orders/redis_dial.h"

static const struct timeval limit = {.tv_usec = 50000}, long_limit = {.tv_sec = 20};

/* A port of this machine on which somebody listens; *fd is the listener. */
static uint16_t listening(int *fd)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(at);

    *fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(*fd, 8), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&at, &length), 0);
    return ntohs(at.sin_port);
}

static void connects_by_address_and_by_name(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    char why[256];
    int fd;
    uint16_t port = listening(&fd);

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        redisContext *context = fg_redis_dial(hosts[i], port, long_limit, why, sizeof(why));
        assert_non_null(context);
        assert_int_equal(context->err, 0);
        redisFree(context);
    }
    close(fd);
    redisContext *context = fg_redis_dial("127.0.0.1", port, long_limit, why, sizeof(why));
    assert_non_null(context);
    assert_int_not_equal(context->err, 0);
    redisFree(context);
}

/* --- in a network of its own, with name servers of its own --- */

static int name_server(void)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    char path[] = "/tmp/test-resolv-XXXXXX";
    static const char text[] = "nameserver 127.0.0.1\noptions timeout:25 attempts:5\n";

    if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return -1;
    int fd = socket(AF_INET, SOCK_DGRAM, 0), file = mkstemp(path);
    bool ready = fd >= 0 && file >= 0 && ioctl(fd, SIOCSIFFLAGS, &lo) == 0 &&
                 bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
                 write(file, text, sizeof(text) - 1) == sizeof(text) - 1 &&
                 fchmod(file, 0644) == 0 &&
                 mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0;
    unlink(path);
    return ready ? fd : -1;
}

/* "There is no such name", to the next `count` questions. */
static void answer(int server, unsigned count)
{
    while (count-- > 0) {
        uint8_t question[512];
        struct sockaddr_in from;
        socklen_t length = sizeof(from);
        ssize_t n =
            recvfrom(server, question, sizeof(question), 0, (struct sockaddr *)&from, &length);
        question[2] |= 0x80; /* QR */
        question[3] = 0x83;  /* RA, NXDOMAIN */
        if (n > 4)
            (void)sendto(server, question, (size_t)n, 0, (struct sockaddr *)&from, length);
    }
}

/* The line that fails, or 0. */
static int silent_name_servers(void)
{
    char why[256];
    int server = name_server();

    if (server < 0)
        return 255;
    alarm(20); /* without the limit: two minutes */
    for (int i = 0; i < 3; i++)
        if (fg_redis_dial("redis.test", 6379, limit, why, sizeof(why)) ||
            !strstr(why, "redis.test: the name servers have not answered within 50 ms"))
            return __LINE__;
    answer(server, 2); /* for an address of either kind */
    if (fg_redis_dial("redis.test", 6379, long_limit, why, sizeof(why)) ||
        !strstr(why, "redis.test: ") || strstr(why, "not answered"))
        return __LINE__;
    /* One question was asked all the time. */
    uint8_t more[512];
    return recv(server, more, sizeof(more), MSG_DONTWAIT) >= 0 ? __LINE__ : 0;
}

static void waits_for_name_servers_within_the_limit(void **state)
{
    int status;
    pid_t child;

    (void)state;
    if (geteuid() != 0)
        skip();
    child = fork();
    if (child == 0)
        _exit(silent_name_servers());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* First: its child must not have a thread of the library's in mind that a fork leaves
           behind. */
        cmocka_unit_test(waits_for_name_servers_within_the_limit),
        cmocka_unit_test(connects_by_address_and_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
