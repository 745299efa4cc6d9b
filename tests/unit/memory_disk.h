/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A disk in memory that counts its calls and fails the one it is told to, once: everything before
 * and after it succeeds. A call that changes something may have its effect although it fails.
 */
#ifndef FG_TESTS_MEMORY_DISK_H
#define FG_TESTS_MEMORY_DISK_H

#include <sys/mman.h>

#include "log_fixture.h"

#define MEMORY_FILES     16
#define MEMORY_FILE_MAX  FG_SEGMENT_MIN
#define MEMORY_DIRECTORY 1000 /* its handle */

struct memory_disk {
    struct memory_file {
        char name[32];        /* "": free */
        uint8_t *data;        /* MEMORY_FILE_MAX bytes, kept for the next file of this place */
        uint64_t size, dirty; /* all bytes from `dirty` on are zero */
    } files[MEMORY_FILES];
    struct fg_disk disk;
    bool buffered;      /* writes need a flush */
    bool effect;        /* the failing call does what it was asked all the same */
    int error;          /* what it answers */
    unsigned fail_at;   /* the call that fails, from 1; 0: none */
    unsigned calls;     /* so far */
    const char *failed; /* name of the call that failed */
};

/* Counts a call; its answer is 0, or the error if it is the one to fail. */
static inline int memory_call(struct memory_disk *disk, const char *name)
{
    if (++disk->calls != disk->fail_at)
        return 0;
    disk->failed = name;
    return disk->error;
}

static inline struct memory_file *memory_find(struct memory_disk *disk, const char *name)
{
    for (unsigned i = 0; i < MEMORY_FILES; i++)
        if (strcmp(disk->files[i].name, name) == 0)
            return &disk->files[i];
    return NULL;
}

static inline int memory_open_dir(void *context, const char *path, bool lock)
{
    (void)path, (void)lock;
    int rc = memory_call(context, "open_dir");
    return rc != 0 ? rc : MEMORY_DIRECTORY;
}

static inline int memory_list(void *context, int dir, const char *prefix,
                              void (*each)(void *arg, const char *name), void *arg)
{
    struct memory_disk *disk = context;
    int rc = memory_call(disk, "list");

    assert_int_equal(dir, MEMORY_DIRECTORY);
    for (unsigned i = 0; rc == 0 && i < MEMORY_FILES; i++)
        if (disk->files[i].name[0] != '\0' &&
            strncmp(disk->files[i].name, prefix, strlen(prefix)) == 0)
            each(arg, disk->files[i].name);
    return rc;
}

static inline int memory_open_read(void *context, int dir, const char *name, bool direct)
{
    struct memory_disk *disk = context;
    int rc = memory_call(disk, "open_read");
    struct memory_file *file = memory_find(disk, name);

    (void)dir, (void)direct;
    return rc != 0 ? rc : file ? (int)(file - disk->files) : -ENOENT;
}

static inline int memory_open(void *context, int dir, const char *name, bool create, bool *flushes)
{
    struct memory_disk *disk = context;
    int rc = memory_call(disk, "open");
    struct memory_file *file = memory_find(disk, name);

    (void)dir;
    *flushes = !disk->buffered;
    if (rc != 0)
        return rc;
    if (!file && create) {
        file = memory_find(disk, "");
        assert_non_null(file);
        snprintf(file->name, sizeof(file->name), "%s", name);
        if (!file->data)
            file->data = mmap(NULL, MEMORY_FILE_MAX, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(file->data != MAP_FAILED);
        memset(file->data, 0, file->dirty);
        file->size = file->dirty = 0;
    }
    return file ? (int)(file - disk->files) : -ENOENT;
}

static inline ssize_t memory_read(void *context, int handle, void *data, size_t length,
                                  uint64_t offset)
{
    struct memory_disk *disk = context;
    const struct memory_file *file = &disk->files[handle];
    int rc = memory_call(disk, "read");

    if (rc != 0)
        return rc;
    if (offset >= file->size)
        return 0;
    if (length > file->size - offset)
        length = file->size - offset;
    memcpy(data, file->data + offset, length);
    return (ssize_t)length;
}

static inline int memory_write(void *context, int handle, const void *data, size_t length,
                               uint64_t offset)
{
    struct memory_disk *disk = context;
    struct memory_file *file = &disk->files[handle];
    /* The zeros of a new segment are many writes of one kind: they count as one. */
    bool fills = offset > 0 && offset >= file->dirty && fg_all_zero(data, length);
    int rc = fills ? 0 : memory_call(disk, "write");

    assert_true(offset + length <= MEMORY_FILE_MAX);
    if (rc != 0 && !disk->effect)
        return rc;
    if (offset + length > file->size)
        file->size = offset + length;
    if (!fills) {
        memcpy(file->data + offset, data, length);
        if (offset + length > file->dirty)
            file->dirty = offset + length;
    }
    return rc;
}

static inline int memory_flush(void *context, int file)
{
    (void)file;
    return memory_call(context, "flush");
}

static inline int memory_allocate(void *context, int file, uint64_t length)
{
    struct memory_disk *disk = context;
    int rc = memory_call(disk, "allocate");

    if (rc == 0)
        disk->files[file].size = length;
    return rc;
}

static inline int64_t memory_size(void *context, int file)
{
    struct memory_disk *disk = context;
    int rc = memory_call(disk, "size");
    return rc != 0 ? rc : (int64_t)disk->files[file].size;
}

static inline int memory_rename(void *context, int dir, const char *from, const char *to)
{
    struct memory_disk *disk = context;
    int rc = memory_call(disk, "rename");
    struct memory_file *file = memory_find(disk, from);

    (void)dir;
    if (file && (rc == 0 || disk->effect))
        snprintf(file->name, sizeof(file->name), "%s", to);
    return rc != 0 ? rc : file ? 0 : -ENOENT;
}

static inline int memory_remove(void *context, int dir, const char *name)
{
    struct memory_disk *disk = context;
    int rc = memory_call(disk, "remove");
    struct memory_file *file = memory_find(disk, name);

    (void)dir;
    if (file && (rc == 0 || disk->effect))
        file->name[0] = '\0';
    return rc != 0 ? rc : file ? 0 : -ENOENT;
}

static inline int memory_sync_dir(void *context, int dir)
{
    (void)dir;
    return memory_call(context, "sync_dir");
}

static inline void memory_close(void *context, int file)
{
    (void)context, (void)file;
}

/* Empties the disk: no files, no fault, calls counted from 0. `*disk` begins as zeros. */
static inline void memory_disk_reset(struct memory_disk *disk)
{
    for (unsigned i = 0; i < MEMORY_FILES; i++)
        disk->files[i].name[0] = '\0';
    disk->calls = disk->fail_at = 0;
    disk->failed = NULL;
    disk->disk = (struct fg_disk){
        .context = disk,
        .open_dir = memory_open_dir,
        .list = memory_list,
        .open = memory_open,
        .open_read = memory_open_read,
        .read = memory_read,
        .write = memory_write,
        .flush = memory_flush,
        .allocate = memory_allocate,
        .size = memory_size,
        .rename = memory_rename,
        .remove = memory_remove,
        .sync_dir = memory_sync_dir,
        .close = memory_close,
    };
}

static inline void memory_disk_fini(struct memory_disk *disk)
{
    for (unsigned i = 0; i < MEMORY_FILES; i++)
        if (disk->files[i].data)
            munmap(disk->files[i].data, MEMORY_FILE_MAX);
    *disk = (struct memory_disk){0};
}

#endif
