/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The disk seam: the only way the log reaches storage. The real one is fg_disk_files; a simulator
 * brings its own. All calls return 0 (or a count, or a descriptor) or a negative errno; none
 * retries. Any thread, but each file has one user at a time.
 */
#ifndef FG_ORDERS_DISK_H
#define FG_ORDERS_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct fg_disk {
    void *context;
    /* Opens a directory and takes its exclusive lock (flock); -EWOULDBLOCK if another has it. */
    int (*open_dir)(void *context, const char *path, bool lock);
    /* Lists names with this prefix through `each`; order is any. */
    int (*list)(void *context, int dir, const char *prefix,
                void (*each)(void *arg, const char *name), void *arg);
    /* Opens a file for writing past the page cache where the file system can, creating it if
     * asked. `*flushes` tells that each write is durable when it returns (O_DSYNC). */
    int (*open)(void *context, int dir, const char *name, bool create, bool *flushes);
    /* Opens a file to read; `direct` asks to read past the page cache where that can be. */
    int (*open_read)(void *context, int dir, const char *name, bool direct);
    /* Whole-buffer transfers; offset, length and address are multiples of FG_BLOCK_BYTES. A
     * read past the end returns what there is. */
    ssize_t (*read)(void *context, int file, void *data, size_t length, uint64_t offset);
    int (*write)(void *context, int file, const void *data, size_t length, uint64_t offset);
    int (*flush)(void *context, int file); /* fdatasync */
    int (*allocate)(void *context, int file, uint64_t length);
    int64_t (*size)(void *context, int file);
    int (*rename)(void *context, int dir, const char *from, const char *to);
    int (*remove)(void *context, int dir, const char *name);
    int (*sync_dir)(void *context, int dir);
    void (*close)(void *context, int file);
};

extern const struct fg_disk fg_disk_files;

#endif
