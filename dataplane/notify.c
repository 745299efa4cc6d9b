/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LINES_MAX 1024

/* A socket connected to the path, or to the abstract name that begins with @; or -errno. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);

    if ((*path != '/' && *path != '@') || length < 2)
        return -EINVAL;
    if (length >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, length);
    if (*path == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (connect(fd, (struct sockaddr *)&address, size) == 0)
        return fd;
    int rc = -errno;
    close(fd);
    return rc;
}

/* Half of WATCHDOG_USEC, in ms; 0 where it is not meant for us. */
static uint64_t read_watchdog(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    char *end;

    if (!usec || *usec < '0' || *usec > '9')
        return 0;
    if (pid && strtol(pid, NULL, 10) != (long)getpid())
        return 0;
    errno = 0;
    unsigned long long value = strtoull(usec, &end, 10);
    if (errno != 0 || *end != '\0' || value == 0)
        return 0;
    return value < 2000 ? 1 : value / 2000;
}

void fg_notify_open(struct fg_notify *notify)
{
    const char *path = getenv("NOTIFY_SOCKET");

    *notify = (struct fg_notify){.socket = -1, .hung = -1};
    if (path && *path) {
        int fd = connect_to(path);
        if (fd < 0)
            fprintf(stderr, "NOTIFY_SOCKET: %s: %s; nobody is told of start and stop\n", path,
                    strerror(-fd));
        notify->socket = fd < 0 ? -1 : fd;
    }
    if (notify->socket >= 0)
        notify->watchdog_ms = read_watchdog();
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void fg_notify_close(struct fg_notify *notify)
{
    if (notify->socket >= 0)
        close(notify->socket);
    *notify = (struct fg_notify){.socket = -1, .hung = -1};
}

void fg_notify_send(struct fg_notify *notify, const char *format, ...)
{
    char lines[LINES_MAX];
    va_list arguments;

    if (notify->socket < 0)
        return;
    va_start(arguments, format);
    int length = vsnprintf(lines, sizeof(lines), format, arguments);
    va_end(arguments);
    if (length > 0)
        (void)send(notify->socket, lines,
                   (size_t)length < sizeof(lines) ? (size_t)length : sizeof(lines) - 1,
                   MSG_NOSIGNAL);
}

/* A worker that has not begun another loop since the last ping, or -1. */
static int find_hung(const struct fg_notify *notify, const uint64_t *loops, unsigned workers)
{
    for (unsigned w = 0; w < workers; w++)
        if (loops[w] == notify->loops[w])
            return (int)w;
    return -1;
}

void fg_notify_tick(struct fg_notify *notify, uint64_t now_ms, const uint64_t *loops,
                    unsigned workers)
{
    if (notify->socket < 0 || notify->watchdog_ms == 0 || now_ms < notify->next_ping_ms)
        return;
    int hung = find_hung(notify, loops, workers);
    if (hung >= 0) {
        if (notify->hung != hung)
            fg_notify_send(notify, "STATUS=worker %d makes no progress", hung);
        notify->hung = hung;
        return; /* asked again at the next tick: it may come back before the manager's time is up */
    }
    fg_notify_send(notify, "WATCHDOG=1%s", notify->hung >= 0 ? "\nSTATUS=serving" : "");
    notify->hung = -1;
    memcpy(notify->loops, loops, workers * sizeof(*loops));
    notify->next_ping_ms = now_ms + notify->watchdog_ms;
}
