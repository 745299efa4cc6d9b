/* SPDX-License-Identifier: BSD-3-Clause */
/* What the steps of recovery share; recovery.c says which they are. Thread: control, before any
 * other runs. Each returns an exit status, with a sentence if it is not FG_EXIT_OK. */
#ifndef FG_ORDERS_RECOVERY_STEPS_H
#define FG_ORDERS_RECOVERY_STEPS_H

#include "dataplane/orders/journal_state.h"

struct fg_recovering {
    struct fg_journal *journal;
    const struct fg_journal_config *config;
    const char *dir;
    struct fg_log_reader *reader;
    int (*apply)(void *arg, const struct fg_record *record);
    void *arg;
    struct fg_recovery *found;
    uint32_t first_segment;
    uint32_t segment; /* of the last frame */
    bool based;       /* a whole base was read */
    char *message;
    size_t size;
};

/* Says why in the recovery's message; returns `status`. */
__attribute__((format(printf, 3, 4))) int fg_recovery_refuse(const struct fg_recovering *recovery,
                                                             int status, const char *format, ...);

/* recovery_read.c: reads all there is. FG_EXIT_OK: the log ends at the reader's position; *torn
 * tells how. */
int fg_recovery_read(struct fg_recovering *recovery, bool *torn);

/* recovery_end.c: cuts a torn tail and prepares the journal to append at the reader's position.
 * `last` is the last segment there is. */
int fg_recovery_settle(const struct fg_recovering *recovery, bool torn, uint32_t last);

/* recovery_end.c: begins the next epoch, or a new log; it is durable when this returns. */
int fg_recovery_raise_epoch(const struct fg_recovering *recovery);

#endif
