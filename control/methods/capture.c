/* SPDX-License-Identifier: BSD-3-Clause */
/* The methods on a capture of frames: begin, read page by page, stop. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/methods/methods.h"
#include "control/text.h"
#include "dataplane/hex.h"
#include "flashgate/control_api.h"

#define COUNT_DEFAULT   1000
#define SECONDS_DEFAULT 10
#define PAGE_FRAMES     128         /* told at once: a fraction of a millisecond's work ... */
#define PAGE_BYTES      (100 << 10) /* ... and a short line in hex */

static int read_source(struct fg_call *call, const char *text, struct fg_capture_wish *wish)
{
    unsigned bits;
    bool whole;
    if (!text)
        return 0;
    wish->filtered = true;
    if (!fg_ip_parse(text, &wish->source.address, &bits, &whole))
        return fg_call_refuse(call, FG_RPC_PARAMS,
                              "source \"%.64s\" is no address, such as 10.1.2.3, 10.1.0.0/16 or "
                              "2001:db8::/32",
                              text);
    wish->source.mask = fg_ip_mask(bits);
    wish->source.address = fg_ip_masked(wish->source.address, wish->source.mask);
    return 0;
}

/* The ports, in the order by which frames name them: their devices without what follows the name.
 */
static json_t *ports_json(const struct fg_config *config)
{
    json_t *ports = json_array();
    for (unsigned p = 0; p < config->ports_count; p++) {
        const char *device = config->ports[p].device;
        json_array_append_new(
            ports, json_pack("{s:s%}", "device", device, (size_t)fg_port_name_bytes(device)));
    }
    return ports;
}

int fg_call_capture_start(struct fg_call *call)
{
    const struct fg_control *control = call->control;
    struct fg_capture_wish wish = {0};
    uint64_t count = COUNT_DEFAULT, seconds = SECONDS_DEFAULT;
    int rc = fg_call_number(call, 0, "count", 1, FG_CAPTURE_FRAMES_MAX, &count);
    if (rc == 0)
        rc = fg_call_number(call, 1, "seconds", 1, FG_CAPTURE_SECONDS_MAX, &seconds);
    if (rc == 0)
        rc = fg_call_flag(call, 2, "dropped", &wish.lost_only);
    if (rc == 0)
        rc = read_source(call, call->texts[3], &wish);
    if (rc != 0)
        return rc;
    wish.count = (uint32_t)count;
    wish.seconds = (unsigned)seconds;
    rc = fg_capture_begin(call->control, call->peer, &wish, call->message, sizeof(call->message));
    if (rc == 0)
        call->result =
            json_pack("{s:I,s:I,s:I,s:i,s:o}", "capture", (json_int_t)control->capture.number,
                      "count", (json_int_t)count, "seconds", (json_int_t)seconds, "snap",
                      FG_CAPTURE_BYTES, "ports", ports_json(&control->engine->config));
    return rc;
}

/* The capture that texts[0] names, and its reader was heard. */
static int find(struct fg_call *call)
{
    struct fg_control_capture *capture = &call->control->capture;
    uint64_t number = 0;
    int rc = fg_call_number(call, 0, "capture", 1, UINT32_MAX, &number);
    if (rc != 0)
        return rc;
    if (!capture->shared || capture->number != number || capture->read)
        return fg_call_refuse(call, FG_RPC_NOT_FOUND,
                              "capture %" PRIu64
                              " is over: it was read to its end, or nobody asked "
                              "for it for %u s",
                              number, call->control->limits.unheard / 1000);
    capture->heard_ms = fg_control_now_ms();
    return 0;
}

static json_t *frame_json(const struct fg_capture_frame *frame)
{
    char hex[2 * FG_CAPTURE_BYTES], at[24];
    fg_hex_write(frame->bytes, frame->kept, hex);
    snprintf(at, sizeof(at), "%" PRIu64, frame->at_ns);
    return json_pack("{s:s,s:i,s:i,s:b,s:s?,s:I,s:s%}", "at_ns", at, "port", frame->port, "worker",
                     frame->worker, "out", frame->out, "dropped",
                     frame->lost == FG_CAPTURE_NOT_LOST ? NULL : fg_counter_name(frame->lost),
                     "length", (json_int_t)frame->length, "bytes", hex, (size_t)frame->kept * 2);
}

/* Frames from *next on, as far as they are whole. With `stuck` those that are not are passed over:
 * the worker that has them does not answer. */
static json_t *frames_json(const struct fg_capture *shared, bool stuck, uint32_t *next)
{
    json_t *frames = json_array();
    uint32_t count = fg_capture_count(shared), bytes = 0;
    for (; *next < count && bytes < PAGE_BYTES && json_array_size(frames) < PAGE_FRAMES; ++*next) {
        const struct fg_capture_frame *frame = fg_capture_read(shared, *next);
        if (!frame && !stuck)
            break;
        if (!frame)
            continue;
        json_array_append_new(frames, frame_json(frame));
        bytes += frame->kept;
    }
    return frames;
}

int fg_call_capture_read(struct fg_call *call)
{
    struct fg_control *control = call->control;
    struct fg_control_capture *capture = &control->capture;
    uint64_t after = 0;
    int rc = find(call);
    if (rc == 0)
        rc = fg_call_number(call, 1, "after", 0, fg_capture_count(capture->shared), &after);
    if (rc != 0)
        return rc;
    fg_capture_step(control);
    /* Before frames are looked for: what comes until then is seen. */
    int laggard = fg_capture_laggard(control);
    bool still = laggard >= 0 || fg_capture_is_still(control);
    uint32_t next = (uint32_t)after;
    json_t *frames = frames_json(capture->shared, laggard >= 0, &next);
    bool done =
        capture->end != FG_CAPTURE_GOES_ON && still && next == fg_capture_count(capture->shared);
    call->result = json_pack(
        "{s:I,s:o,s:I,s:I,s:b,s:s?,s:o}", "capture", (json_int_t)capture->number, "frames", frames,
        "next", (json_int_t)next, "taken", (json_int_t)fg_capture_count(capture->shared), "done",
        done, "end", capture->end == FG_CAPTURE_GOES_ON ? NULL : fg_capture_end_name(capture->end),
        "stuck", laggard < 0 ? json_null() : json_integer(laggard));
    if (done && call->result)
        fg_capture_close(control, call->peer);
    return 0;
}

int fg_call_capture_stop(struct fg_call *call)
{
    struct fg_control *control = call->control;
    int rc = find(call);
    if (rc != 0)
        return rc;
    fg_capture_end(control, FG_CAPTURE_STOPPED);
    call->result = json_pack("{s:I,s:I,s:s}", "capture", (json_int_t)control->capture.number,
                             "taken", (json_int_t)fg_capture_count(control->capture.shared), "end",
                             fg_capture_end_name(control->capture.end));
    return 0;
}
