/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The real disk. Log files are opened O_DIRECT|O_DSYNC: a write goes past the page cache and is
 * durable when it returns, one system call instead of two. A file system that cannot do O_DIRECT
 * answers EINVAL; there a write goes through the page cache and flush() is fdatasync.
 */
#include "dataplane/orders/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flashgate/limits.h"

#define LOG_FILE_MODE 0640 /* orders carry buyers' identities: nothing for others */

static int files_open_dir(void *context, const char *path, bool lock)
{
    (void)context;
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0)
        return -errno;
    if (lock && flock(dir, LOCK_EX | LOCK_NB) != 0) {
        int rc = -errno;
        close(dir);
        return rc;
    }
    return dir;
}

static int files_list(void *context, int dir, const char *prefix,
                      void (*each)(void *arg, const char *name), void *arg)
{
    (void)context;
    /* A descriptor of its own: reading a directory moves a position that a dup() would share. */
    int own = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (own < 0)
        return -errno;
    DIR *entries = fdopendir(own);
    if (!entries) {
        int rc = -errno;
        close(own);
        return rc;
    }
    const struct dirent *entry;
    while (errno = 0, (entry = readdir(entries)) != NULL)
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
            each(arg, entry->d_name);
    int rc = -errno;
    closedir(entries);
    return rc;
}

static int files_open(void *context, int dir, const char *name, bool create, bool *flushes)
{
    (void)context;
    int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0);
    int file = openat(dir, name, flags | O_DIRECT | O_DSYNC, LOG_FILE_MODE);

    *flushes = file >= 0;
    if (file < 0 && errno == EINVAL)
        file = openat(dir, name, flags, LOG_FILE_MODE);
    return file < 0 ? -errno : file;
}

static int files_open_read(void *context, int dir, const char *name, bool direct)
{
    (void)context;
    int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW;
    int file = openat(dir, name, flags | (direct ? O_DIRECT : 0));

    if (file < 0 && errno == EINVAL && direct)
        file = openat(dir, name, flags);
    return file < 0 ? -errno : file;
}

static ssize_t files_read(void *context, int file, void *data, size_t length, uint64_t offset)
{
    (void)context;
    size_t done = 0;

    /* A short read may be the end of the file: the next one tells. It must not be tried from an
     * unaligned place, which only an odd file's end has. */
    while (done < length) {
        ssize_t n = pread(file, (char *)data + done, length - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        done += (size_t)n;
        if (n == 0 || n % FG_BLOCK_BYTES != 0)
            break;
    }
    return (ssize_t)done;
}

static int files_write(void *context, int file, const void *data, size_t length, uint64_t offset)
{
    (void)context;
    size_t done = 0;

    /* Going on after a short write is no retry: what was written was written, and whatever cut it
     * short says so at the next call. */
    while (done < length) {
        ssize_t n = pwrite(file, (const char *)data + done, length - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return -EIO;
        done += (size_t)n;
    }
    return 0;
}

static int files_flush(void *context, int file)
{
    (void)context;
    return fdatasync(file) == 0 ? 0 : -errno;
}

static int files_allocate(void *context, int file, uint64_t length)
{
    (void)context;
    if (fallocate(file, 0, 0, (off_t)length) == 0)
        return 0;
    /* Where space cannot be reserved, the zeros that follow take it. */
    return errno == EOPNOTSUPP ? 0 : -errno;
}

static int64_t files_size(void *context, int file)
{
    (void)context;
    struct stat status;

    return fstat(file, &status) == 0 ? status.st_size : -errno;
}

static int files_rename(void *context, int dir, const char *from, const char *to)
{
    (void)context;
    return renameat(dir, from, dir, to) == 0 ? 0 : -errno;
}

static int files_remove(void *context, int dir, const char *name)
{
    (void)context;
    return unlinkat(dir, name, 0) == 0 ? 0 : -errno;
}

static int files_sync_dir(void *context, int dir)
{
    (void)context;
    return fsync(dir) == 0 ? 0 : -errno;
}

static void files_close(void *context, int file)
{
    (void)context;
    close(file);
}

const struct fg_disk fg_disk_files = {
    .open_dir = files_open_dir,
    .list = files_list,
    .open = files_open,
    .open_read = files_open_read,
    .read = files_read,
    .write = files_write,
    .flush = files_flush,
    .allocate = files_allocate,
    .size = files_size,
    .rename = files_rename,
    .remove = files_remove,
    .sync_dir = files_sync_dir,
    .close = files_close,
};
