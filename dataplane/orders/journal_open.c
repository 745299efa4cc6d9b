/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening and closing the journal: configuration, lock, memory; recovery.c does the rest. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/orders/journal_state.h"
#include "dataplane/orders/segment.h"
#include "flashgate/exit_status.h"

#define JOURNAL_ALIGNMENT 128

static int refuse_config(const struct fg_journal_config *config, char *message, size_t size)
{
    if (config->workers == 0 || config->workers > FG_WORKERS_MAX)
        snprintf(message, size, "%u workers: between 1 and %d are possible", config->workers,
                 FG_WORKERS_MAX);
    else if (config->segment_bytes < FG_SEGMENT_MIN || config->segment_bytes % FG_BLOCK_BYTES != 0)
        snprintf(message, size,
                 "log segments of %" PRIu64 " bytes: a multiple of %d, at least %d, is wanted",
                 config->segment_bytes, FG_BLOCK_BYTES, FG_SEGMENT_MIN);
    else if (config->budget_bytes / config->segment_bytes < FG_SEGMENTS_AHEAD + 1)
        snprintf(message, size,
                 "a log budget of %" PRIu64 " bytes holds fewer than %d segments of %" PRIu64
                 " bytes: raise it, or make segments smaller",
                 config->budget_bytes, FG_SEGMENTS_AHEAD + 1, config->segment_bytes);
    else
        return FG_EXIT_OK;
    return FG_EXIT_CONFIG;
}

static int take_lock(struct fg_journal *journal, const char *dir, char *message, size_t size)
{
    int status = FG_EXIT_OK;

    journal->dir = journal->disk->open_dir(journal->disk->context, dir, true);
    if (journal->dir == -EWOULDBLOCK) {
        snprintf(message, size, "another engine has the log in %s: stop it first", dir);
        status = FG_EXIT_IN_USE;
    } else if (journal->dir == -ENOENT || journal->dir == -ENOTDIR) {
        snprintf(message, size, "%s is no directory: create it, or correct the log directory", dir);
        status = FG_EXIT_CONFIG;
    } else if (journal->dir < 0) {
        snprintf(message, size, "the log directory %s cannot be opened: %s", dir,
                 strerror(-journal->dir));
        status = FG_EXIT_DISK;
    }
    return status;
}

/* A copy of a log that was cut short must not be served from, nor a new log be begun among its
 * remains, which the next copy removes. */
static int refuse_unfinished(const struct fg_journal *journal, const char *dir, char *message,
                             size_t size)
{
    int file =
        journal->disk->open_read(journal->disk->context, journal->dir, FG_COPY_UNFINISHED, false);

    if (file < 0)
        return FG_EXIT_OK;
    journal->disk->close(journal->disk->context, file);
    snprintf(message, size,
             "%s: a copy of a log into it was cut short (%s is there): run flashgatectl journal "
             "copy or takeover again, or empty the directory",
             dir, FG_COPY_UNFINISHED);
    return FG_EXIT_CORRUPT;
}

static struct rte_ring *create_queue(void)
{
    ssize_t bytes = rte_ring_get_memsize(FG_SUBMIT_QUEUE);
    struct rte_ring *queue =
        aligned_alloc(JOURNAL_ALIGNMENT, RTE_ALIGN_CEIL((size_t)bytes, JOURNAL_ALIGNMENT));

    if (queue &&
        rte_ring_init(queue, "control", FG_SUBMIT_QUEUE, RING_F_SP_ENQ | RING_F_SC_DEQ) != 0) {
        free(queue);
        return NULL;
    }
    return queue;
}

/* All the memory the journal will use but for the books' growth. 0 or a negative errno. */
static int allocate(struct fg_journal *journal, const struct fg_journal_config *config)
{
    int rc = fg_books_init(&journal->books);

    if (rc == 0)
        rc = fg_uses_init(&journal->uses);
    if (rc != 0)
        return rc;
    journal->frame = aligned_alloc(FG_BLOCK_BYTES, FG_FRAME_MAX);
    journal->base = aligned_alloc(FG_BLOCK_BYTES, FG_FRAME_MAX);
    journal->queue = create_queue();
    journal->lanes =
        aligned_alloc(alignof(struct fg_lane), config->workers * sizeof(struct fg_lane));
    if (!journal->frame || !journal->base || !journal->queue || !journal->lanes)
        return -ENOMEM;
    for (; journal->workers < config->workers; journal->workers++) {
        rc = fg_lane_init(&journal->lanes[journal->workers], config->lane_records);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static struct fg_journal *create(const struct fg_journal_config *config)
{
    struct fg_journal *journal = aligned_alloc(
        JOURNAL_ALIGNMENT, RTE_ALIGN_CEIL(sizeof(struct fg_journal), JOURNAL_ALIGNMENT));

    if (!journal)
        return NULL;
    memset(journal, 0, sizeof(*journal));
    journal->disk = config->disk;
    journal->clock = config->clock;
    journal->dir = -1;
    journal->file = -1;
    journal->budget_bytes = config->budget_bytes;
    journal->segment_bytes = config->segment_bytes;
    journal->ack_memory = config->ack_memory;
    /* The journal thread may have to wait for the helper: then it lends it its priority. */
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&journal->preparing, &attributes);
    pthread_mutexattr_destroy(&attributes);
    sem_init(&journal->wanted, 0, 0);
    return journal;
}

struct fg_journal *fg_journal_open(const struct fg_journal_config *config,
                                   int (*apply)(void *arg, const struct fg_record *record),
                                   void *arg, struct fg_recovery *found, int *status, char *message,
                                   size_t message_size)
{
    *status = refuse_config(config, message, message_size);
    if (*status != FG_EXIT_OK)
        return NULL;
    struct fg_journal *journal = create(config);
    int rc = journal ? allocate(journal, config) : -ENOMEM;
    if (rc != 0) {
        snprintf(message, message_size, "no journal with lanes of %u records: %s",
                 config->lane_records, strerror(-rc));
        *status = rc == -ENOMEM ? FG_EXIT_MEMORY : FG_EXIT_CONFIG;
    } else {
        *status = take_lock(journal, config->dir, message, message_size);
    }
    if (*status == FG_EXIT_OK)
        *status = refuse_unfinished(journal, config->dir, message, message_size);
    if (*status == FG_EXIT_OK)
        *status = fg_journal_recover(journal, config, apply, arg, found, message, message_size);
    if (*status == FG_EXIT_OK)
        return journal;
    fg_journal_close(journal);
    return NULL;
}

void fg_journal_close(struct fg_journal *journal)
{
    if (!journal)
        return;
    void *message;
    while (journal->queue && rte_ring_sc_dequeue(journal->queue, &message) == 0)
        free(message);
    free(journal->held);
    free(journal->queue);
    for (unsigned w = 0; w < journal->workers; w++)
        fg_lane_fini(&journal->lanes[w]);
    free(journal->lanes);
    free(journal->frame);
    free(journal->base);
    fg_books_fini(&journal->books);
    fg_uses_fini(&journal->uses);
    if (journal->file >= 0)
        journal->disk->close(journal->disk->context, journal->file);
    if (journal->dir >= 0)
        journal->disk->close(journal->disk->context, journal->dir);
    sem_destroy(&journal->wanted);
    pthread_mutex_destroy(&journal->preparing);
    free(journal);
}
