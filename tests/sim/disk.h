/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A simulated disk behind struct fg_disk: one directory of sparse files.
 *
 * Each block has what programs see (the cache) and what is on the medium. A write changes the
 * cache; a flush, or a file opened so that every write is flushed, brings it to the medium. A power
 * cut keeps of every block that was not flushed each sector or not, as chance has it, and
 * of the names that were not synced the first few, or any. A dying process loses nothing that was
 * written, but its last write may be half done. After a failed write or flush nobody knows what the
 * medium has, and the cache goes on showing what was written, as a page cache does: whoever reads
 * past it sees the medium.
 */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include "dataplane/orders/disk.h"

#define DISK_FILES      400
#define DISK_NAMES      320
#define DISK_NAME_BYTES 32
#define DISK_OPEN       64

struct world;

struct disk_block {
    uint8_t *cache, *medium; /* NULL: zeros; the same pointer where both are the same */
    bool dirty;              /* the cache is to be brought to the medium by the next flush */
};

struct disk_file {
    bool used;
    uint64_t bytes, medium_bytes;
    struct disk_block *blocks;
    uint32_t blocks_count;
};

struct disk_name {
    char name[DISK_NAME_BYTES]; /* empty: none */
    unsigned file;
};

/* One change of the directory that is not synced. */
struct disk_change {
    char name[DISK_NAME_BYTES];
    char to[DISK_NAME_BYTES]; /* renamed to; empty: `name` was made (file) or removed (no file) */
    int file;
};

struct disk_open {
    bool used, directory, direct, flushes, locked;
    unsigned file;
};

/* Chances per million of a call. */
struct disk_faults {
    unsigned write_eio, flush_eio, read_eio, full, crash;
    unsigned tear; /* of a write: it is torn by a crash */
};

struct sim_disk {
    struct world *world;
    struct fg_disk seam; /* its context is this struct */
    struct disk_faults faults;
    unsigned sector; /* bytes that are written whole or not at all */
    bool flushes;    /* files opened to write flush every write */
    bool locked;
    uint64_t full_until_ns; /* true time: nothing is allocated before */
    struct disk_file files[DISK_FILES];
    struct disk_name names[DISK_NAMES], synced[DISK_NAMES];
    struct disk_change changes[DISK_NAMES];
    unsigned changes_count;
    struct disk_open open[DISK_OPEN];
    uint8_t *rotten; /* medium of the block with a turned bit; NULL: none */
    uint32_t rotten_bit;
};

struct sim_disk *disk_create(struct world *world);
/* What another machine finds in a copy of the directory, taken while an engine runs. */
struct sim_disk *disk_copy(const struct sim_disk *disk);
void disk_destroy(struct sim_disk *disk);

/* disk_crash.c */
/* The process that used it has died: its files are closed and its lock is free. */
void disk_process_died(struct sim_disk *disk);
/* ... and all that only the cache had is lost or kept by chance. */
void disk_power_cut(struct sim_disk *disk);
/* Turns a bit within a frame of the log that is not its last. False: the log has no such. */
bool disk_rot(struct sim_disk *disk);
void disk_heal_rot(struct sim_disk *disk);
/* Of all that is on the medium, names included. */
uint64_t disk_hash(const struct sim_disk *disk);

/* What both files of the disk share. */
/* Brings a change to names on the medium. */
void disk_redo(struct disk_name *names, const struct disk_change *change);
/* Some of a block's sectors, as chance has it, come to `block->medium`, which is the block's own
 * afterwards. Returns how many did not. */
unsigned disk_settle_block(struct sim_disk *disk, struct disk_block *block);

#endif
