/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads a file for fg_options_read(), whole, with a limit on its size; and passwords' files. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/config/options.h"

/* The file is open: may it be read? */
static int check_file(int fd, const char *path, bool private_file, size_t most, struct stat *st,
                      char *message, size_t size)
{
    /* Whoever appends to a file that an engine reads holds its lock, as `lists add` does: half an
     * address would be another one. Where nothing can be locked nothing is. */
    if (flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        snprintf(message, size, "%s: is being written; try again when that is done", path);
    else if (fstat(fd, st) != 0)
        snprintf(message, size, "%s: could not be looked at: %s", path, strerror(errno));
    else if (!S_ISREG(st->st_mode))
        snprintf(message, size, "%s: is not a regular file", path);
    else if (private_file && (st->st_mode & 077) != 0)
        snprintf(message, size,
                 "%s: its mode is %04o, wanted 0600, as it holds secrets: chmod 600 it", path,
                 st->st_mode & 07777);
    else if (st->st_size > (off_t)most)
        snprintf(message, size, "%s: has %lld bytes, wanted at most %zu", path,
                 (long long)st->st_size, most);
    else
        return 0;
    return -1;
}

/* Reads up to `room` bytes; a file that shrinks meanwhile is shorter, one that grows is cut. */
static ssize_t read_whole(int fd, char *text, size_t room)
{
    size_t done = 0;
    while (done < room) {
        ssize_t n = read(fd, text + done, room - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static char *read_file(const char *path, bool private_file, size_t most, size_t *length,
                       char *message, size_t size)
{
    char *text = NULL;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO is refused, not waited for */
    if (fd < 0) {
        snprintf(message, size, "%s: could not be opened: %s", path, strerror(errno));
        return NULL;
    }
    if (check_file(fd, path, private_file, most, &st, message, size) != 0)
        goto close_file;
    text = malloc((size_t)st.st_size + 1);
    ssize_t got = text ? read_whole(fd, text, (size_t)st.st_size) : -1;
    if (got < 0) {
        snprintf(message, size, "%s: could not be read: %s", path, strerror(errno));
        free(text);
        text = NULL;
        goto close_file;
    }
    text[got] = '\0';
    *length = (size_t)got;
close_file:
    close(fd);
    return text;
}

char *fg_options_file(const char *path, bool private_file, size_t *length, char *message,
                      size_t size)
{
    return read_file(path, private_file, FG_OPTIONS_FILE_MAX, length, message, size);
}

char *fg_options_large_file(const char *path, size_t most, size_t *length, char *message,
                            size_t size)
{
    return read_file(path, false, most, length, message, size);
}

char *fg_password_read(const char *path, char *message, size_t size)
{
    size_t length;
    char *password = fg_options_file(path, true, &length, message, size);
    if (password)
        password[strcspn(password, "\r\n")] = '\0';
    return password;
}

void fg_password_free(char *password)
{
    if (password)
        explicit_bzero(password, strlen(password));
    free(password);
}
