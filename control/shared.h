/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Things that workers read through the catalogue and that are no part of it: key rings, lists. Each
 * is immutable once it is in a catalogue, and successive catalogues share it, so that a change of
 * something else copies nothing of it.
 *
 * It is replaced like this:
 *
 *   1. the next one is made whole, aside, and checked: whatever is wrong with it changes nothing
 *   2. it takes the place of the old one, which is dropped, in `struct fg_control`
 *   3. a catalogue with it is published: fg_change_begin_reissue(), or any change that publishes
 *
 * Every catalogue holds what it points to (snapshot.c). The old one is therefore ended together
 * with the last catalogue that has it, and a catalogue is ended after every worker has seen the
 * next one and the grace period is over (publish.c): nobody ends what a worker can read.
 *
 * One thread: control. Workers never see the count.
 */
#ifndef FG_CONTROL_SHARED_H
#define FG_CONTROL_SHARED_H

#include <assert.h>
#include <stddef.h>

/* The first member of what is shared. */
struct fg_shared {
    unsigned holders;
    void (*end)(struct fg_shared *shared); /* frees it */
};

/* The caller holds it. */
static inline void fg_shared_init(struct fg_shared *shared, void (*end)(struct fg_shared *shared))
{
    *shared = (struct fg_shared){.holders = 1, .end = end};
}

static inline struct fg_shared *fg_shared_hold(struct fg_shared *shared)
{
    if (shared)
        shared->holders++;
    return shared;
}

/* The last holder ends it. NULL does nothing. */
static inline void fg_shared_drop(struct fg_shared *shared)
{
    if (!shared)
        return;
    assert(shared->holders > 0);
    if (--shared->holders == 0)
        shared->end(shared);
}

#endif
