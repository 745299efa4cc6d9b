/* SPDX-License-Identifier: BSD-3-Clause */
/* What becomes of the disk when its user dies, when the power goes, and when it rots. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/orders/frame.h"
#include "tests/sim/world.h"

void disk_process_died(struct sim_disk *disk)
{
    memset(disk->open, 0, sizeof(disk->open));
    disk->locked = false;
}

/* --- Names --- */

static struct disk_name *find(struct disk_name *names, const char *name)
{
    for (unsigned i = 0; i < DISK_NAMES; i++)
        if (strcmp(names[i].name, name) == 0)
            return &names[i];
    return NULL;
}

void disk_redo(struct disk_name *names, const struct disk_change *change)
{
    struct disk_name *known = find(names, change->name);

    if (change->file < 0) {
        if (known)
            known->name[0] = '\0';
        return;
    }
    const char *name = change->to[0] ? change->to : change->name;
    if (change->to[0] && known)
        known->name[0] = '\0';
    struct disk_name *place = find(names, name);
    if (!place)
        place = find(names, "");
    assert(place);
    snprintf(place->name, sizeof(place->name), "%s", name);
    place->file = (unsigned)change->file;
}

/* Of the changes since the last sync the first few are kept, now and then any of them. */
static unsigned cut_names(struct sim_disk *disk)
{
    struct sim_random *random = &disk->world->random;
    uint64_t kept = random_below(random, disk->changes_count + 1);
    bool any = random_below(random, 4) == 0;
    unsigned lost = 0;

    for (unsigned i = 0; i < disk->changes_count; i++) {
        if (any ? random_below(random, 2) == 0 : i < kept)
            disk_redo(disk->synced, &disk->changes[i]);
        else
            lost++;
    }
    memcpy(disk->names, disk->synced, sizeof(disk->names));
    disk->changes_count = 0;
    return lost;
}

/* --- Data --- */

static unsigned cut_file(struct sim_disk *disk, struct disk_file *file)
{
    unsigned lost = 0;

    for (uint32_t i = 0; i < file->blocks_count; i++) {
        struct disk_block *block = &file->blocks[i];
        if (block->dirty)
            lost += disk_settle_block(disk, block);
        if (block->cache != block->medium)
            free(block->cache);
        block->cache = block->medium;
    }
    if (file->medium_bytes < file->bytes && random_below(&disk->world->random, 2))
        file->bytes = file->medium_bytes;
    file->medium_bytes = file->bytes;
    return lost;
}

void disk_power_cut(struct sim_disk *disk)
{
    unsigned sectors = 0, names;

    for (unsigned i = 0; i < DISK_FILES; i++)
        if (disk->files[i].used)
            sectors += cut_file(disk, &disk->files[i]);
    names = cut_names(disk);
    disk->world->stats->faults[SIM_DISK_LOST] += sectors > 0;
    disk->world->stats->faults[SIM_DISK_NAME_LOST] += names > 0;
    event(disk->world, SIM_EVENT_POWER, sectors, names, 0);
}

/* --- Rot --- */

/* The frame whose header begins this block, or NULL. */
static const struct fg_frame *frame_at(const struct disk_file *file, uint32_t block)
{
    const struct fg_frame *frame = (const void *)file->blocks[block].medium;
    return frame && frame->magic == FG_FRAME_MAGIC ? frame : NULL;
}

/* Is the whole frame that begins at this block as it was written? */
static bool sound(const struct disk_file *file, uint32_t block)
{
    const struct fg_frame *head = frame_at(file, block);
    uint64_t span = head ? fg_frame_span(head->length) : 0;

    if (!head || block + span / FG_BLOCK_BYTES > file->blocks_count)
        return false;
    struct fg_frame *whole = calloc(1, span);
    assert(whole);
    for (uint64_t at = 0; at < span; at += FG_BLOCK_BYTES) {
        const uint8_t *medium = file->blocks[block + at / FG_BLOCK_BYTES].medium;
        if (medium)
            memcpy((uint8_t *)whole + at, medium, FG_BLOCK_BYTES);
    }
    bool right = fg_frame_crc(whole) == whole->crc;
    free(whole);
    return right;
}

/* Greatest sequence of any sound frame. */
static uint64_t last_sequence(const struct sim_disk *disk)
{
    uint64_t last = 0;
    for (unsigned i = 0; i < DISK_NAMES; i++) {
        const struct disk_file *file = &disk->files[disk->names[i].file];
        for (uint32_t b = 0; disk->names[i].name[0] && b < file->blocks_count; b++)
            if (frame_at(file, b) && frame_at(file, b)->sequence > last && sound(file, b))
                last = frame_at(file, b)->sequence;
    }
    return last;
}

bool disk_rot(struct sim_disk *disk)
{
    struct sim_random *random = &disk->world->random;
    uint64_t last = last_sequence(disk);

    for (unsigned attempt = 0; attempt < 100; attempt++) {
        const struct disk_name *name = &disk->names[random_below(random, DISK_NAMES)];
        struct disk_file *file = &disk->files[name->file];
        if (!name->name[0] || strncmp(name->name, "segment-", 8) != 0 || file->blocks_count == 0)
            continue;
        uint32_t b = (uint32_t)random_below(random, file->blocks_count);
        const struct fg_frame *frame = frame_at(file, b);
        if (!frame || frame->sequence >= last)
            continue;
        /* The first block of the frame, header included; what pads it is nobody's. */
        uint64_t bytes = sizeof(*frame) + frame->length;
        uint64_t limit = bytes < FG_BLOCK_BYTES ? bytes : FG_BLOCK_BYTES;
        disk->rotten_bit = (uint32_t)random_below(random, limit * 8);
        disk->rotten = file->blocks[b].medium;
        disk->rotten[disk->rotten_bit / 8] ^= (uint8_t)(1 << disk->rotten_bit % 8);
        count_fault(disk->world, SIM_DISK_ROT);
        event(disk->world, SIM_EVENT_DISK_FAULT, SIM_DISK_ROT, name->file,
              (uint64_t)b * FG_BLOCK_BYTES + disk->rotten_bit / 8);
        return true;
    }
    return false;
}

void disk_heal_rot(struct sim_disk *disk)
{
    disk->rotten[disk->rotten_bit / 8] ^= (uint8_t)(1 << disk->rotten_bit % 8);
    disk->rotten = NULL;
}

uint64_t disk_hash(const struct sim_disk *disk)
{
    uint64_t hash = 0;

    for (unsigned i = 0; i < DISK_NAMES; i++) {
        if (!disk->names[i].name[0])
            continue;
        const struct disk_file *file = &disk->files[disk->names[i].file];
        hash ^= load_mix64(fg_crc32c(i, disk->names[i].name, DISK_NAME_BYTES));
        for (uint32_t b = 0; b < file->blocks_count; b++)
            if (file->blocks[b].medium)
                hash = load_mix64(hash ^ b ^ fg_crc32c(0, file->blocks[b].medium, FG_BLOCK_BYTES));
    }
    return hash;
}
