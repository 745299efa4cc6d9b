/* SPDX-License-Identifier: BSD-3-Clause */
/* The calls of struct fg_disk. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/orders/segment.h"
#include "flashgate/limits.h"
#include "tests/sim/world.h"

/* --- Blocks --- */

static void free_block(struct disk_block *block)
{
    if (block->cache != block->medium)
        free(block->cache);
    free(block->medium);
    *block = (struct disk_block){0};
}

/* Brings the cache to the medium. */
static void flush_block(struct disk_block *block)
{
    if (block->cache != block->medium)
        free(block->medium);
    block->medium = block->cache;
    block->dirty = false;
}

/* The cache of a block that is about to change, no longer shared with the medium. */
static uint8_t *own_cache(struct disk_block *block)
{
    uint8_t *own = calloc(1, FG_BLOCK_BYTES);
    assert(own);
    if (block->cache)
        memcpy(own, block->cache, FG_BLOCK_BYTES);
    if (block->cache != block->medium)
        free(block->cache);
    return block->cache = own;
}

unsigned disk_settle_block(struct sim_disk *disk, struct disk_block *block)
{
    static const uint8_t zeros[FG_BLOCK_BYTES];
    struct sim_random *random = &disk->world->random;
    const uint8_t *written = block->cache ? block->cache : zeros;
    uint8_t *medium = calloc(1, FG_BLOCK_BYTES);
    unsigned lost = 0, mode = (unsigned)random_below(random, 4);

    assert(medium);
    if (block->medium)
        memcpy(medium, block->medium, FG_BLOCK_BYTES);
    for (unsigned at = 0; at < FG_BLOCK_BYTES; at += disk->sector) {
        bool kept = mode == 0 ? false : mode == 1 ? true : random_below(random, 2) == 0;
        if (kept)
            memcpy(medium + at, written + at, disk->sector);
        else
            lost += memcmp(medium + at, written + at, disk->sector) != 0;
    }
    if (block->medium != block->cache)
        free(block->medium);
    block->medium = medium;
    block->dirty = false;
    return lost;
}

static void grow(struct disk_file *file, uint64_t bytes)
{
    uint32_t count = (uint32_t)((bytes + FG_BLOCK_BYTES - 1) / FG_BLOCK_BYTES);

    if (bytes > file->bytes)
        file->bytes = bytes;
    if (count <= file->blocks_count)
        return;
    file->blocks = realloc(file->blocks, count * sizeof(*file->blocks));
    assert(file->blocks);
    memset(file->blocks + file->blocks_count, 0,
           (count - file->blocks_count) * sizeof(*file->blocks));
    file->blocks_count = count;
}

static void free_file(struct disk_file *file)
{
    for (uint32_t i = 0; i < file->blocks_count; i++)
        free_block(&file->blocks[i]);
    free(file->blocks);
    *file = (struct disk_file){0};
}

/* --- Names and open files --- */

static void copy_name(char to[DISK_NAME_BYTES], const char *name)
{
    assert(strlen(name) < DISK_NAME_BYTES);
    snprintf(to, DISK_NAME_BYTES, "%s", name);
}

static struct disk_name *find_name(struct disk_name *names, const char *name)
{
    for (unsigned i = 0; i < DISK_NAMES; i++)
        if (strcmp(names[i].name, name) == 0)
            return &names[i];
    return NULL;
}

static void add_name(struct sim_disk *disk, const char *name, unsigned file)
{
    struct disk_name *place = find_name(disk->names, "");
    assert(place);
    copy_name(place->name, name);
    place->file = file;
}

/* A file system does not wait for a sync for ever: when there are many, the older changes come to
 * the medium by themselves. */
static void commit_older(struct sim_disk *disk)
{
    unsigned half = disk->changes_count / 2;

    for (unsigned i = 0; i < half; i++)
        disk_redo(disk->synced, &disk->changes[i]);
    disk->changes_count -= half;
    memmove(disk->changes, disk->changes + half, disk->changes_count * sizeof(disk->changes[0]));
}

static void note_change(struct sim_disk *disk, const char *name, const char *to, int file)
{
    if (disk->changes_count == DISK_NAMES)
        commit_older(disk);
    struct disk_change *change = &disk->changes[disk->changes_count++];
    copy_name(change->name, name);
    copy_name(change->to, to);
    change->file = file;
}

/* Files that no name and nobody has are gone. */
static void collect(struct sim_disk *disk)
{
    for (unsigned file = 0; file < DISK_FILES; file++) {
        bool wanted = !disk->files[file].used;
        for (unsigned i = 0; i < DISK_NAMES; i++)
            wanted |= (disk->names[i].name[0] && disk->names[i].file == file) ||
                      (disk->synced[i].name[0] && disk->synced[i].file == file);
        for (unsigned i = 0; i < disk->changes_count; i++)
            wanted |= disk->changes[i].file == (int)file;
        for (unsigned i = 0; i < DISK_OPEN; i++)
            wanted |= disk->open[i].used && !disk->open[i].directory && disk->open[i].file == file;
        if (!wanted)
            free_file(&disk->files[file]);
    }
}

static int new_file(struct sim_disk *disk)
{
    for (unsigned attempt = 0; attempt < 2; attempt++) {
        for (unsigned i = 0; i < DISK_FILES; i++)
            if (!disk->files[i].used) {
                disk->files[i].used = true;
                return (int)i;
            }
        collect(disk);
    }
    assert(!"the simulated disk has too few files");
    return -ENFILE;
}

static int new_handle(struct sim_disk *disk, const struct disk_open *what)
{
    for (int i = 0; i < DISK_OPEN; i++)
        if (!disk->open[i].used) {
            disk->open[i] = *what;
            disk->open[i].used = true;
            return i;
        }
    assert(!"the simulated disk has too few handles: somebody does not close");
    return -EMFILE;
}

static int disk_open_dir(void *context, const char *path, bool lock)
{
    struct sim_disk *disk = context;
    (void)path;
    world_may_crash(disk->world, disk->faults.crash, SIM_CRASH_IN_DISK);
    if (lock && disk->locked)
        return -EWOULDBLOCK;
    disk->locked |= lock;
    return new_handle(disk, &(struct disk_open){.directory = true, .locked = lock});
}

static int disk_list(void *context, int dir, const char *prefix,
                     void (*each)(void *arg, const char *name), void *arg)
{
    struct sim_disk *disk = context;
    assert(disk->open[dir].directory);
    for (unsigned i = 0; i < DISK_NAMES; i++)
        if (disk->names[i].name[0] && strncmp(disk->names[i].name, prefix, strlen(prefix)) == 0)
            each(arg, disk->names[i].name);
    return 0;
}

static int disk_open_write(void *context, int dir, const char *name, bool create, bool *flushes)
{
    struct sim_disk *disk = context;
    assert(disk->open[dir].directory);
    world_may_crash(disk->world, disk->faults.crash, SIM_CRASH_IN_DISK);
    struct disk_name *known = find_name(disk->names, name);
    if (!known && !create)
        return -ENOENT;
    if (!known) {
        int file = new_file(disk);
        add_name(disk, name, (unsigned)file);
        note_change(disk, name, "", file);
        known = find_name(disk->names, name);
    }
    *flushes = disk->flushes;
    return new_handle(disk, &(struct disk_open){
                                .direct = disk->flushes, .flushes = *flushes, .file = known->file});
}

static int disk_open_read(void *context, int dir, const char *name, bool direct)
{
    struct sim_disk *disk = context;
    assert(disk->open[dir].directory);
    const struct disk_name *known = find_name(disk->names, name);
    if (!known)
        return -ENOENT;
    return new_handle(disk, &(struct disk_open){.direct = direct, .file = known->file});
}

static void disk_close(void *context, int handle)
{
    struct sim_disk *disk = context;
    assert(handle >= 0 && disk->open[handle].used);
    if (disk->open[handle].locked)
        disk->locked = false;
    disk->open[handle].used = false;
}

/* --- Data --- */

static struct disk_file *file_of(struct sim_disk *disk, int handle)
{
    assert(handle >= 0 && disk->open[handle].used && !disk->open[handle].directory);
    return &disk->files[disk->open[handle].file];
}

static void note_fault(struct sim_disk *disk, enum sim_fault fault, int handle, uint64_t offset)
{
    count_fault(disk->world, fault);
    event(disk->world, SIM_EVENT_DISK_FAULT, fault, disk->open[handle].file, offset);
}

static ssize_t disk_read(void *context, int handle, void *data, size_t length, uint64_t offset)
{
    struct sim_disk *disk = context;
    const struct disk_file *file = file_of(disk, handle);
    assert(offset % FG_BLOCK_BYTES == 0 && length % FG_BLOCK_BYTES == 0);
    if (fault_chance(disk->world, disk->faults.read_eio)) {
        note_fault(disk, SIM_DISK_READ_EIO, handle, offset);
        return -EIO;
    }
    if (offset >= file->bytes)
        return 0;
    if (length > file->bytes - offset)
        length = file->bytes - offset;
    for (size_t at = 0; at < length; at += FG_BLOCK_BYTES) {
        const struct disk_block *block = &file->blocks[(offset + at) / FG_BLOCK_BYTES];
        /* Past the page cache: what is dirty is brought out first. */
        bool cached = block->dirty || !disk->open[handle].direct;
        const uint8_t *from = cached ? block->cache : block->medium;
        if (from)
            memcpy((uint8_t *)data + at, from, FG_BLOCK_BYTES);
        else
            memset((uint8_t *)data + at, 0, FG_BLOCK_BYTES);
    }
    return (ssize_t)length;
}

static void write_block(struct disk_block *block, const uint8_t *data, bool flushes)
{
    if (!block->cache && !block->medium && fg_all_zero(data, FG_BLOCK_BYTES))
        return;
    memcpy(own_cache(block), data, FG_BLOCK_BYTES);
    block->dirty = true;
    if (flushes)
        flush_block(block);
}

/* A write that ends early: of some blocks some sectors. */
static void tear(struct sim_disk *disk, struct disk_file *file, const uint8_t *data, size_t length,
                 uint64_t offset)
{
    uint64_t whole = random_below(&disk->world->random, length / FG_BLOCK_BYTES + 1);

    count_fault(disk->world, SIM_DISK_TORN);
    for (size_t at = 0; at < length; at += FG_BLOCK_BYTES) {
        struct disk_block *block = &file->blocks[(offset + at) / FG_BLOCK_BYTES];
        if (at / FG_BLOCK_BYTES > whole && random_below(&disk->world->random, 2))
            continue;
        write_block(block, data + at, false);
        if (at / FG_BLOCK_BYTES >= whole && block->dirty)
            disk_settle_block(disk, block);
    }
}

static int disk_write(void *context, int handle, const void *data, size_t length, uint64_t offset)
{
    struct sim_disk *disk = context;
    struct disk_file *file = file_of(disk, handle);
    assert(offset % FG_BLOCK_BYTES == 0 && length % FG_BLOCK_BYTES == 0 && length > 0);
    world_may_crash(disk->world, disk->faults.crash, SIM_CRASH_IN_DISK);
    grow(file, offset + length);
    world_meanwhile(disk->world);
    if (world_crash_due(disk->world, disk->faults.tear, SIM_CRASH_IN_DISK)) {
        tear(disk, file, data, length, offset);
        world_crash(disk->world);
    }
    if (fault_chance(disk->world, disk->faults.write_eio)) {
        note_fault(disk, SIM_DISK_WRITE_EIO, handle, offset);
        tear(disk, file, data, length, offset);
        return -EIO;
    }
    for (size_t at = 0; at < length; at += FG_BLOCK_BYTES)
        write_block(&file->blocks[(offset + at) / FG_BLOCK_BYTES], (const uint8_t *)data + at,
                    disk->open[handle].flushes);
    if (disk->open[handle].flushes)
        file->medium_bytes = file->bytes;
    world_may_crash(disk->world, disk->faults.crash, SIM_CRASH_IN_DISK);
    return 0;
}

static int disk_flush(void *context, int handle)
{
    struct sim_disk *disk = context;
    struct disk_file *file = file_of(disk, handle);
    world_meanwhile(disk->world);
    world_may_crash(disk->world, disk->faults.crash, SIM_CRASH_IN_DISK);
    bool fails = fault_chance(disk->world, disk->faults.flush_eio);
    for (uint32_t i = 0; i < file->blocks_count; i++) {
        struct disk_block *block = &file->blocks[i];
        if (block->dirty && fails)
            disk_settle_block(disk, block); /* clean now, whatever the medium has */
        else if (block->dirty)
            flush_block(block);
    }
    if (fails) {
        note_fault(disk, SIM_DISK_FLUSH_EIO, handle, 0);
        return -EIO;
    }
    file->medium_bytes = file->bytes;
    world_may_crash(disk->world, disk->faults.crash, SIM_CRASH_IN_DISK);
    return 0;
}

static int disk_allocate(void *context, int handle, uint64_t length)
{
    struct sim_disk *disk = context;
    struct disk_file *file = file_of(disk, handle);
    world_may_crash(disk->world, disk->faults.crash, SIM_CRASH_IN_DISK);
    bool full = disk->world->now_ns < disk->full_until_ns && !disk->world->healed;
    if (full || fault_chance(disk->world, disk->faults.full)) {
        note_fault(disk, SIM_DISK_FULL, handle, length);
        return -ENOSPC;
    }
    grow(file, length);
    return 0;
}

static int64_t disk_size(void *context, int handle)
{
    return (int64_t)file_of(context, handle)->bytes;
}

static int disk_rename(void *context, int dir, const char *from, const char *to)
{
    struct sim_disk *disk = context;
    assert(disk->open[dir].directory);
    world_may_crash(disk->world, disk->faults.crash, SIM_CRASH_IN_DISK);
    struct disk_name *known = find_name(disk->names, from), *old = find_name(disk->names, to);
    if (!known)
        return -ENOENT;
    if (old)
        old->name[0] = '\0';
    copy_name(known->name, to);
    note_change(disk, from, to, (int)known->file);
    return 0;
}

static int disk_remove(void *context, int dir, const char *name)
{
    struct sim_disk *disk = context;
    assert(disk->open[dir].directory);
    world_may_crash(disk->world, disk->faults.crash, SIM_CRASH_IN_DISK);
    struct disk_name *known = find_name(disk->names, name);
    if (!known)
        return -ENOENT;
    known->name[0] = '\0';
    note_change(disk, name, "", -1);
    return 0;
}

static int disk_sync_dir(void *context, int dir)
{
    struct sim_disk *disk = context;
    assert(disk->open[dir].directory);
    world_may_crash(disk->world, disk->faults.crash, SIM_CRASH_IN_DISK);
    memcpy(disk->synced, disk->names, sizeof(disk->synced));
    disk->changes_count = 0;
    return 0;
}

/* --- Life --- */

struct sim_disk *disk_create(struct world *world)
{
    struct sim_disk *disk = calloc(1, sizeof(*disk));
    assert(disk);
    disk->world = world;
    disk->seam = (struct fg_disk){
        .context = disk,
        .open_dir = disk_open_dir,
        .list = disk_list,
        .open = disk_open_write,
        .open_read = disk_open_read,
        .read = disk_read,
        .write = disk_write,
        .flush = disk_flush,
        .allocate = disk_allocate,
        .size = disk_size,
        .rename = disk_rename,
        .remove = disk_remove,
        .sync_dir = disk_sync_dir,
        .close = disk_close,
    };
    return disk;
}

struct sim_disk *disk_copy(const struct sim_disk *disk)
{
    struct sim_disk *copy = disk_create(disk->world);

    for (unsigned i = 0; i < DISK_FILES; i++) {
        const struct disk_file *file = &disk->files[i];
        copy->files[i].used = file->used;
        grow(&copy->files[i], file->bytes);
        copy->files[i].medium_bytes = file->bytes;
        for (uint32_t b = 0; b < file->blocks_count; b++)
            if (file->blocks[b].cache)
                write_block(&copy->files[i].blocks[b], file->blocks[b].cache, true);
    }
    memcpy(copy->names, disk->names, sizeof(copy->names));
    memcpy(copy->synced, disk->names, sizeof(copy->synced));
    return copy;
}

void disk_destroy(struct sim_disk *disk)
{
    for (unsigned i = 0; i < DISK_FILES; i++)
        free_file(&disk->files[i]);
    free(disk);
}
