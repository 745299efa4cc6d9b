/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames that workers keep for an operator, while the sale goes on: what came in and what became of
 * it, and what went out.
 *
 * Control makes one piece of memory with room for the frames that are wanted and hands it to every
 * worker by a command. A worker takes a place by raising one shared count, copies the frame there
 * and marks the place as whole; when there is no place left it lets go. So exactly as many frames
 * are kept as were asked for, whichever workers they come to, and the memory does not grow with the
 * workers. The count's line moves between cores only while a capture is on, once for each frame
 * that is kept. Nobody waits: a place that is not whole yet is passed by whoever reads.
 *
 * A worker that was given the memory has it until it has said that it let go (FG_CAPTURE_RETURNED);
 * only then may control free it.
 */
#ifndef FG_CAPTURE_H
#define FG_CAPTURE_H

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/counters.h"
#include "dataplane/ip.h"
#include "flashgate/limits.h"

#define FG_CAPTURE_BYTES      1600  /* of a frame: the usual MTU with its headers and tags */
#define FG_CAPTURE_FRAMES_MAX 10000 /* 16 MiB: had and touched in some milliseconds */
#define FG_CAPTURE_NOT_LOST   FG_COUNTER_COUNT

static_assert(FG_COUNTER_COUNT <= UINT8_MAX, "a counter's number fits a byte");

/* One frame. worker: rw until `whole`; control: ro after it. */
struct fg_capture_frame {
    _Atomic uint32_t whole;
    uint32_t length; /* on the wire */
    uint64_t at_ns;  /* the engine's clock */
    uint16_t kept;   /* bytes that follow */
    uint8_t port;    /* place in the configuration */
    uint8_t worker;
    uint8_t out;  /* it left, or was to leave; else it came */
    uint8_t lost; /* enum fg_counter: the one that counts what was dropped; FG_CAPTURE_NOT_LOST */
    uint8_t bytes[FG_CAPTURE_BYTES];
};

/* Whose hands the memory is in, for each worker. */
enum fg_capture_hand {
    FG_CAPTURE_NONE,
    FG_CAPTURE_OFFERED,  /* the command is under way; control */
    FG_CAPTURE_TAKEN,    /* worker */
    FG_CAPTURE_RETURNED, /* the worker will not touch it again; worker, release */
};

struct fg_capture {
    /* set by control before it is handed out, read-only after it */
    uint32_t room;
    bool lost_only;          /* only what was dropped */
    bool filtered;           /* only frames ... */
    struct fg_prefix source; /* ... from here; going out: to here */

    alignas(128) _Atomic uint32_t taken; /* places; workers: rw, control: ro. May exceed `room` */
    alignas(128) _Atomic uint8_t hands[FG_WORKERS_MAX]; /* enum fg_capture_hand */
    alignas(128) struct fg_capture_frame frames[];
};

/* A frame as it is offered. */
struct fg_capture_look {
    const uint8_t *bytes;
    uint32_t length;  /* on the wire, without a tag that the driver took off */
    uint32_t present; /* of these, in one piece at `bytes` */
    uint64_t at_ns;
    bool tag_taken; /* the driver took the 802.1Q tag off, and it was `tag` */
    uint16_t tag;
    uint8_t port, worker, out;
};

/* Control: room for so many frames, 1 to FG_CAPTURE_FRAMES_MAX; NULL when memory is short. Touches
 * all of it. Ended by free(), when no worker has it. */
struct fg_capture *fg_capture_create(uint32_t room);

/* Worker: copies the frame, if it is one of those that are wanted. NULL: it is not, or (*full)
 * there is no place left. The place must then be finished by the same worker. */
struct fg_capture_frame *fg_capture_take(struct fg_capture *capture,
                                         const struct fg_capture_look *look, bool *full);
/* Worker: tells what became of it; from then on it may be read. */
void fg_capture_finish(struct fg_capture_frame *frame, unsigned lost);

/* Control: places taken, at most `room`. */
uint32_t fg_capture_count(const struct fg_capture *capture);
/* Control: frame `i` of these, or NULL: it is not whole yet. */
const struct fg_capture_frame *fg_capture_read(const struct fg_capture *capture, uint32_t i);

#endif
