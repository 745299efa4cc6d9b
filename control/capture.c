/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/aside.h"
#include "control/internal.h"
#include "flashgate/control_api.h"

const char *fg_capture_end_name(enum fg_capture_end end)
{
    static const char *const names[] = {
        [FG_CAPTURE_GOES_ON] = "goes on", [FG_CAPTURE_FULL] = "full", [FG_CAPTURE_TIME] = "time",
        [FG_CAPTURE_STOPPED] = "stopped", [FG_CAPTURE_LEFT] = "left",
    };
    return names[end];
}

static enum fg_capture_hand hand_of(const struct fg_control *control, unsigned w)
{
    /* acquire: pairs with the release in loop_captures_command() */
    return atomic_load_explicit(&control->capture.shared->hands[w], memory_order_acquire);
}

static bool all_have_taken(const struct fg_control *control)
{
    for (unsigned w = 0; w < control->engine->config.workers; w++)
        if (hand_of(control, w) != FG_CAPTURE_TAKEN)
            return false;
    return true;
}

/* The first worker that has the memory, or may come to; -1: none. */
static int first_holder(const struct fg_control *control)
{
    for (unsigned w = 0; w < control->engine->config.workers; w++) {
        enum fg_capture_hand hand = hand_of(control, w);
        if (hand != FG_CAPTURE_NONE && hand != FG_CAPTURE_RETURNED)
            return (int)w;
    }
    return -1;
}

bool fg_capture_is_still(const struct fg_control *control)
{
    return first_holder(control) < 0;
}

int fg_capture_laggard(const struct fg_control *control)
{
    const struct fg_control_capture *capture = &control->capture;
    bool late = capture->end != FG_CAPTURE_GOES_ON &&
                fg_control_now_ms() >= capture->ended_ms + control->limits.answer;
    return late ? first_holder(control) : -1;
}

/* Tells every worker that has not been told; one whose ring is full is told the next time. */
static void tell_workers(struct fg_control *control, bool withdrawn)
{
    struct fg_control_capture *capture = &control->capture;
    const struct fg_command command = {
        .kind = FG_COMMAND_CAPTURE, .capture = capture->shared, .withdrawn = withdrawn};
    uint64_t *told = withdrawn ? &capture->withdrawn : &capture->posted;
    for (unsigned w = 0; w < control->engine->config.workers; w++) {
        uint64_t bit = UINT64_C(1) << w;
        if (*told & bit || (withdrawn && !(capture->posted & bit)))
            continue;
        if (!withdrawn)
            atomic_store_explicit(&capture->shared->hands[w], FG_CAPTURE_OFFERED,
                                  memory_order_relaxed);
        if (fg_command_post(control, control->engine->workers[w], &command))
            *told |= bit;
        else if (!withdrawn)
            atomic_store_explicit(&capture->shared->hands[w], FG_CAPTURE_NONE,
                                  memory_order_relaxed);
    }
}

struct making {
    uint32_t room;
    struct fg_capture *made;
};

/* Its memory is touched, some milliseconds for the greatest. */
static void make(void *arg)
{
    struct making *making = arg;
    making->made = fg_capture_create(making->room);
}

/* Who captured how much is on record before it is done. */
static int note_begin(struct fg_control *control, const struct fg_peer *peer,
                      const struct fg_capture_wish *wish, char *message, size_t size)
{
    char source[FG_IP_TEXT_MAX];
    unsigned bits = (unsigned)(__builtin_popcountll(wish->source.mask.high) +
                               __builtin_popcountll(wish->source.mask.low));
    json_t *params =
        json_pack("{s:I,s:I,s:b,s:s*}", "count", (json_int_t)wish->count, "seconds",
                  (json_int_t)wish->seconds, "dropped", wish->lost_only, "source",
                  wish->filtered ? fg_prefix_text(wish->source.address, bits, source) : NULL);
    int rc = fg_act_submit(control, peer, "capture.start", params, message, size);
    json_decref(params);
    return rc;
}

/* Another one: whose, or why its memory is not free yet. */
static int refuse_second(struct fg_control *control, char *message, size_t size)
{
    const struct fg_control_capture *capture = &control->capture;
    int laggard = capture->read ? fg_capture_laggard(control) : -1;
    if (laggard >= 0)
        snprintf(message, size,
                 "worker %d has not given back the memory of capture %u: it does not answer; "
                 "nothing was captured",
                 laggard, capture->number);
    else
        snprintf(message, size,
                 "capture %u of uid %u is under way, and there is one at a time: wait for its end",
                 capture->number, capture->uid);
    return FG_RPC_REFUSED;
}

static void begin(struct fg_control *control, const struct fg_peer *peer,
                  const struct fg_capture_wish *wish, struct fg_capture *made)
{
    struct fg_control_capture *capture = &control->capture;
    uint64_t now = fg_control_now_ms();
    made->lost_only = wish->lost_only;
    made->filtered = wish->filtered;
    made->source = wish->source;
    *capture = (struct fg_control_capture){
        .shared = made,
        .number = capture->number + 1,
        .uid = peer->uid,
        .until_ms = now + wish->seconds * UINT64_C(1000),
        .heard_ms = now,
    };
}

int fg_capture_begin(struct fg_control *control, const struct fg_peer *peer,
                     const struct fg_capture_wish *wish, char *message, size_t size)
{
    struct making making = {.room = wish->count};
    fg_capture_step(control);
    if (control->capture.shared)
        return refuse_second(control, message, size);
    int rc = note_begin(control, peer, wish, message, size);
    if (rc != 0)
        return rc;
    fg_control_aside(control, (uint64_t)wish->count * FG_CAPTURE_BYTES > 1 << 20, make, &making);
    if (!making.made) {
        snprintf(message, size, "memory is short for %u frames; nothing was captured", wish->count);
        return FG_RPC_INTERNAL;
    }
    begin(control, peer, wish, making.made);
    uint64_t deadline = fg_control_now_ms() + control->limits.answer;
    do {
        fg_command_reap(control);
        tell_workers(control, false);
    } while (!all_have_taken(control) && fg_control_now_ms() < deadline &&
             fg_control_wait(control));
    return 0;
}

void fg_capture_end(struct fg_control *control, enum fg_capture_end why)
{
    struct fg_control_capture *capture = &control->capture;
    if (capture->end != FG_CAPTURE_GOES_ON)
        return;
    capture->end = why;
    capture->ended_ms = fg_control_now_ms();
    tell_workers(control, true);
}

void fg_capture_close(struct fg_control *control, const struct fg_peer *peer)
{
    struct fg_control_capture *capture = &control->capture;
    if (capture->read)
        return;
    capture->read = true;
    json_t *params = json_pack("{s:I,s:s}", "frames", (json_int_t)fg_capture_count(capture->shared),
                               "end", fg_capture_end_name(capture->end));
    fg_act_note(control, peer, "capture.read", params);
    json_decref(params);
}

void fg_capture_step(struct fg_control *control)
{
    struct fg_control_capture *capture = &control->capture;
    if (!capture->shared)
        return;
    uint64_t now = fg_control_now_ms();
    bool left = now >= capture->heard_ms + control->limits.unheard;
    if (fg_capture_count(capture->shared) == capture->shared->room)
        fg_capture_end(control, FG_CAPTURE_FULL);
    else if (now >= capture->until_ms)
        fg_capture_end(control, FG_CAPTURE_TIME);
    else if (left)
        fg_capture_end(control, FG_CAPTURE_LEFT);
    if (left)
        fg_capture_close(control, NULL);
    if (capture->end == FG_CAPTURE_GOES_ON)
        return;
    tell_workers(control, true);
    if (!capture->read || !fg_capture_is_still(control))
        return;
    free(capture->shared);
    capture->shared = NULL;
}

void fg_capture_clear(struct fg_control *control)
{
    free(control->capture.shared);
    control->capture.shared = NULL;
}
