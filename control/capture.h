/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one capture of frames there may be at a time (dataplane/capture.h says how workers fill it):
 * who wants it, until when, and that its memory is freed when no worker has it any more and not
 * before, whatever becomes of its reader or of a worker. One thread: control.
 */
#ifndef FG_CONTROL_CAPTURE_H
#define FG_CONTROL_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/capture.h"

#define FG_CAPTURE_SECONDS_MAX 3600
#define FG_CAPTURE_UNHEARD_MS  3000 /* a reader that asks nothing for so long has gone */

struct fg_control;
struct fg_peer;

struct fg_capture_wish {
    uint32_t count;   /* frames */
    unsigned seconds; /* at most */
    bool lost_only;
    bool filtered;
    struct fg_prefix source;
};

/* Why no more frames are taken. */
enum fg_capture_end {
    FG_CAPTURE_GOES_ON,
    FG_CAPTURE_FULL,
    FG_CAPTURE_TIME,    /* is over */
    FG_CAPTURE_STOPPED, /* its reader wants no more */
    FG_CAPTURE_LEFT,    /* its reader has gone */
};

struct fg_control_capture {
    struct fg_capture *shared; /* NULL: there is none */
    uint32_t number;           /* of this one, or the last: 1, 2 ... */
    uint32_t uid;              /* whose it is */
    enum fg_capture_end end;
    bool read;                  /* nobody wants anything of it any more */
    uint64_t until_ms;          /* monotonic: its time */
    uint64_t heard_ms;          /* ... when its reader last asked */
    uint64_t ended_ms;          /* ... when `end` came */
    uint64_t posted, withdrawn; /* bits: workers that were told to begin, and to end */
};

/* Begins one, and waits until every worker keeps frames, as long as a worker's answer may take. 0,
 * or an rpc error with a sentence and nothing has begun. */
int fg_capture_begin(struct fg_control *control, const struct fg_peer *peer,
                     const struct fg_capture_wish *wish, char *message, size_t size);

/* No more frames are to be taken, if they still are. */
void fg_capture_end(struct fg_control *control, enum fg_capture_end why);

/* Has every worker let go? */
bool fg_capture_is_still(const struct fg_control *control);

/* The first worker that has not let go a while after it was told to; -1: none. */
int fg_capture_laggard(const struct fg_control *control);

/* Nobody will read on. `peer`: who read it to its end; NULL: it was left. */
void fg_capture_close(struct fg_control *control, const struct fg_peer *peer);

/* Now and then: ends what is to end, frees what may be freed. */
void fg_capture_step(struct fg_control *control);

/* When there are no workers any more. */
void fg_capture_clear(struct fg_control *control);

/* "full" */
const char *fg_capture_end_name(enum fg_capture_end end);

#endif
