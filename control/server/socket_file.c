/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A socket file outlives a killed engine, so one that exists says nothing. Two engines that start
 * together must not both find it stale: whoever wants to bind first takes the lock of a file
 * beside the socket and keeps it while it listens. The lock file goes away with its holder; since
 * it may go between another's open and lock, the other checks that what it has locked is still
 * what the path names.
 */
#include "control/server/socket_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "flashgate/exit_status.h"

#define SOCKET_MODE 0660 /* the operators' group may speak to the engine */
#define BACKLOG     1024 /* connections that come while a change is waited for */
#define CONNECT_S   2    /* a full queue of connections must not hang who connects */

static int say(int status, char *message, size_t size, const char *path, const char *what,
               int error)
{
    if (error != 0)
        snprintf(message, size, "%s: %s: %s", path, what, strerror(error));
    else
        snprintf(message, size, "%s: %s", path, what);
    return status;
}

static int fill_address(struct sockaddr_un *address, const char *path)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address->sun_path))
        return -ENAMETOOLONG;
    memcpy(address->sun_path, path, strlen(path) + 1);
    return 0;
}

int fg_socket_connect(const char *path)
{
    struct sockaddr_un address;
    int rc = fill_address(&address, path);
    if (rc != 0)
        return rc;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    struct timeval limit = {.tv_sec = CONNECT_S};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    rc = -errno;
    close(fd);
    return rc;
}

/* Does the path still name the file that was locked? */
static int still_named(int fd, const char *path)
{
    struct stat held, named;
    return fstat(fd, &held) == 0 && stat(path, &named) == 0 && held.st_ino == named.st_ino &&
           held.st_dev == named.st_dev;
}

static int take_lock(struct fg_socket_file *file, char *message, size_t size)
{
    for (;;) {
        int fd = open(file->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return say(FG_EXIT_CONFIG, message, size, file->path,
                       "its lock file cannot be made; create the directory and let the engine's "
                       "user write to it",
                       errno);
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            int error = errno;
            close(fd);
            if (error == EWOULDBLOCK)
                return say(FG_EXIT_IN_USE, message, size, file->path,
                           "another engine has it; stop that one or set another path", 0);
            return say(FG_EXIT_FAILED, message, size, file->path, "cannot be locked", error);
        }
        if (still_named(fd, file->lock_path)) {
            file->lock = fd;
            return 0;
        }
        close(fd);
    }
}

static void drop_lock(struct fg_socket_file *file)
{
    unlink(file->lock_path);
    close(file->lock);
    file->lock = -1;
}

/* Makes way for bind: whoever answers stays, a stale socket goes, anything else is not ours. */
static int clear_path(const char *path, char *message, size_t size)
{
    int fd = fg_socket_connect(path);
    if (fd >= 0) {
        close(fd);
        return say(FG_EXIT_IN_USE, message, size, path,
                   "somebody answers on it; stop that engine or set another path", 0);
    }
    if (fd == -ENOENT)
        return 0;
    struct stat st;
    if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
        return say(FG_EXIT_CONFIG, message, size, path,
                   "exists and is not a socket; remove it or set another path", 0);
    if (fd == -EAGAIN) /* its queue of connections is full: it is alive */
        return say(FG_EXIT_IN_USE, message, size, path,
                   "somebody listens on it; stop that engine or set another path", 0);
    if (fd != -ECONNREFUSED)
        return say(FG_EXIT_FAILED, message, size, path, "cannot be tried", -fd);
    if (unlink(path) != 0 && errno != ENOENT)
        return say(FG_EXIT_FAILED, message, size, path, "is stale and cannot be removed", errno);
    return 0;
}

/* Gives the file to the group; until then its owner alone may connect. */
static int give_to_group(const char *path, gid_t group, char *message, size_t size)
{
    if (group == (gid_t)-1 || chown(path, (uid_t)-1, group) == 0)
        return 0;
    char what[160];
    snprintf(what, sizeof(what),
             "cannot be given to group %u; make the engine's user a member of control.group, or "
             "take control.group out of the configuration",
             (unsigned)group);
    return say(FG_EXIT_CONFIG, message, size, path, what, errno);
}

static int bind_and_listen(struct fg_socket_file *file, gid_t group, char *message, size_t size)
{
    int status = FG_EXIT_FAILED;
    struct sockaddr_un address;
    fill_address(&address, file->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return say(FG_EXIT_FAILED, message, size, file->path, "socket", errno);
    /* The mode set here is the one bind makes the file with, less the umask: it is never wider
     * than wanted, not even for a moment. chmod then gives back what the umask took. */
    if (fchmod(fd, group == (gid_t)-1 ? SOCKET_MODE : SOCKET_MODE & 0600) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        say(FG_EXIT_FAILED, message, size, file->path, "cannot be bound", errno);
        goto close_fd;
    }
    status = give_to_group(file->path, group, message, size);
    if (status != 0)
        goto remove_file;
    status = FG_EXIT_FAILED;
    if (chmod(file->path, SOCKET_MODE) != 0 || listen(fd, BACKLOG) != 0) {
        say(FG_EXIT_FAILED, message, size, file->path, "cannot be listened on", errno);
        goto remove_file;
    }
    file->fd = fd;
    return 0;

remove_file:
    unlink(file->path);
close_fd:
    close(fd);
    return status;
}

int fg_socket_file_open(struct fg_socket_file *file, const char *path, gid_t group, char *message,
                        size_t size)
{
    *file = (struct fg_socket_file){.fd = -1, .lock = -1};
    if (strlen(path) >= sizeof(file->path))
        return say(
            FG_EXIT_CONFIG, message, size, path,
            "the path is longer than the 107 bytes a socket address takes; set a shorter one", 0);
    memcpy(file->path, path, strlen(path) + 1);
    snprintf(file->lock_path, sizeof(file->lock_path), "%s.lock", path);
    int status = take_lock(file, message, size);
    if (status != 0)
        return status;
    status = clear_path(path, message, size);
    if (status == 0)
        status = bind_and_listen(file, group, message, size);
    if (status != 0)
        drop_lock(file);
    return status;
}

void fg_socket_file_close(struct fg_socket_file *file)
{
    unlink(file->path);
    close(file->fd);
    file->fd = -1;
    drop_lock(file);
}
