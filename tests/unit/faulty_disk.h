/* SPDX-License-Identifier: BSD-3-Clause */
/* The real disk with faults on demand: a write that fails after writing only some of its blocks, a
 * flush that fails, and files whose writes do not flush by themselves. */
#ifndef FG_TESTS_FAULTY_DISK_H
#define FG_TESTS_FAULTY_DISK_H

#include "log_fixture.h"

struct faults {
    bool no_direct;          /* writes need a flush */
    unsigned writes;         /* that still succeed, if `fail_write` */
    _Atomic bool fail_write; /* the write after them fails */
    uint64_t torn_kept;      /* bit per block of the failing write: it reaches the disk */
    _Atomic bool fail_flush; /* every flush fails */
    int fail_remove;         /* negative errno of every removal of a segment, or 0 */
    int fail_sync;           /* negative errno of every sync of a directory, or 0 */
    int fail_allocate;       /* negative errno of every allocation, or 0 */
    unsigned writes_seen, flushes_seen;
};

static inline int faulty_open(void *context, int dir, const char *name, bool create, bool *flushes)
{
    const struct faults *faults = context;
    int file = fg_disk_files.open(NULL, dir, name, create, flushes);

    *flushes = *flushes && !faults->no_direct;
    return file;
}

static inline int faulty_write(void *context, int file, const void *data, size_t length,
                               uint64_t offset)
{
    struct faults *faults = context;

    faults->writes_seen++;
    if (!faults->fail_write || faults->writes-- > 0)
        return fg_disk_files.write(NULL, file, data, length, offset);
    for (size_t block = 0; block * FG_BLOCK_BYTES < length && block < 64; block++)
        if (faults->torn_kept >> block & 1)
            assert_int_equal(fg_disk_files.write(NULL, file,
                                                 (const char *)data + block * FG_BLOCK_BYTES,
                                                 FG_BLOCK_BYTES, offset + block * FG_BLOCK_BYTES),
                             0);
    faults->writes = 0;
    return -EIO;
}

static inline int faulty_flush(void *context, int file)
{
    struct faults *faults = context;

    faults->flushes_seen++;
    return faults->fail_flush ? -EIO : fg_disk_files.flush(NULL, file);
}

static inline int faulty_remove(void *context, int dir, const char *name)
{
    const struct faults *faults = context;
    bool segment = strcmp(name, FG_SEGMENT_UNFINISHED) != 0;

    return faults->fail_remove && segment ? faults->fail_remove
                                          : fg_disk_files.remove(NULL, dir, name);
}

static inline int faulty_sync_dir(void *context, int dir)
{
    const struct faults *faults = context;

    return faults->fail_sync ? faults->fail_sync : fg_disk_files.sync_dir(NULL, dir);
}

static inline int faulty_allocate(void *context, int file, uint64_t length)
{
    const struct faults *faults = context;

    return faults->fail_allocate ? faults->fail_allocate
                                 : fg_disk_files.allocate(NULL, file, length);
}

/* Gives the fixture such a disk, without faults yet. It lives as long as the test's fixture. */
static inline struct faults *use_faulty_disk(struct log_fixture *fixture)
{
    static struct faults faults;
    static struct fg_disk disk;

    faults = (struct faults){0};
    disk = fg_disk_files;
    disk.context = &faults;
    disk.open = faulty_open;
    disk.write = faulty_write;
    disk.flush = faulty_flush;
    disk.remove = faulty_remove;
    disk.sync_dir = faulty_sync_dir;
    disk.allocate = faulty_allocate;
    fixture->config.disk = &disk;
    return &faults;
}

#endif
