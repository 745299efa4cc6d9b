/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/capture.h"

#include <endian.h>
#include <string.h>

#include "dataplane/memory.h"

#define MAC_BYTES      12 /* of an Ethernet header: both addresses */
#define TAG_BYTES      4
#define ETHERNET_BYTES 14
#define TYPE_TAG       0x8100
#define TYPE_IPV4      0x0800
#define TYPE_ARP       0x0806
#define TYPE_IPV6      0x86dd

/* fg_memory_zeroed() asks the kernel about greater pieces: an engine that serves opens no files. */
static_assert(sizeof(struct fg_capture) + FG_CAPTURE_FRAMES_MAX * sizeof(struct fg_capture_frame) <
                  16 << 20,
              "the greatest capture is a small piece of memory");

struct fg_capture *fg_capture_create(uint32_t room)
{
    struct fg_capture *capture;

    capture = fg_memory_zeroed(1, sizeof(*capture) + room * sizeof(capture->frames[0]));
    if (capture)
        capture->room = room;
    return capture;
}

static unsigned type_at(const uint8_t *bytes, size_t at)
{
    return (unsigned)bytes[at] << 8 | bytes[at + 1];
}

static struct fg_ip ip_at(const uint8_t *bytes, bool v6)
{
    uint32_t v4;

    if (v6)
        return fg_ip_of_v6(bytes);
    memcpy(&v4, bytes, sizeof(v4));
    return fg_ip_of_v4(be32toh(v4));
}

/* Is the frame from, or going out to, where it is wanted? ARP: by its sender, or target. */
static bool is_wanted(const struct fg_capture *capture, const struct fg_capture_look *look)
{
    size_t l3 = ETHERNET_BYTES, at;

    if (look->present < ETHERNET_BYTES + TAG_BYTES)
        return false;
    if (type_at(look->bytes, MAC_BYTES) == TYPE_TAG)
        l3 += TAG_BYTES;
    switch (type_at(look->bytes, l3 - 2)) {
    case TYPE_IPV4:
        at = look->out ? 16 : 12;
        break;
    case TYPE_ARP:
        at = look->out ? 24 : 14;
        break;
    case TYPE_IPV6:
        at = look->out ? 24 : 8;
        break;
    default:
        return false;
    }
    bool v6 = type_at(look->bytes, l3 - 2) == TYPE_IPV6;
    return look->present >= l3 + at + (v6 ? 16 : 4) &&
           fg_prefix_holds(&capture->source, ip_at(look->bytes + l3 + at, v6));
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* As it was on the wire: a tag that was taken off stands in its place. */
static void copy(struct fg_capture_frame *frame, const struct fg_capture_look *look)
{
    size_t head = look->tag_taken ? least(look->present, MAC_BYTES) : 0;
    size_t tag = head == MAC_BYTES ? TAG_BYTES : 0;
    size_t rest = least(look->present - head, FG_CAPTURE_BYTES - head - tag);

    memcpy(frame->bytes, look->bytes, head);
    if (tag > 0)
        memcpy(frame->bytes + head,
               (uint8_t[]){TYPE_TAG >> 8, TYPE_TAG & 0xff, (uint8_t)(look->tag >> 8),
                           (uint8_t)look->tag},
               TAG_BYTES);
    memcpy(frame->bytes + head + tag, look->bytes + head, rest);
    frame->kept = (uint16_t)(head + tag + rest);
    frame->length = look->length + (uint32_t)tag;
}

struct fg_capture_frame *fg_capture_take(struct fg_capture *capture,
                                         const struct fg_capture_look *look, bool *full)
{
    *full = atomic_load_explicit(&capture->taken, memory_order_relaxed) >= capture->room;
    if (*full || (capture->filtered && !is_wanted(capture, look)))
        return NULL;
    /* Once a worker and place: no count runs far past the room, for whoever finds none lets go. */
    uint32_t place = atomic_fetch_add_explicit(&capture->taken, 1, memory_order_relaxed);
    *full = place >= capture->room;
    if (*full)
        return NULL;
    struct fg_capture_frame *frame = &capture->frames[place];
    frame->at_ns = look->at_ns;
    frame->port = look->port;
    frame->worker = look->worker;
    frame->out = look->out;
    copy(frame, look);
    return frame;
}

void fg_capture_finish(struct fg_capture_frame *frame, unsigned lost)
{
    frame->lost = (uint8_t)lost;
    /* release: pairs with the acquire in fg_capture_read() */
    atomic_store_explicit(&frame->whole, 1, memory_order_release);
}

uint32_t fg_capture_count(const struct fg_capture *capture)
{
    uint32_t taken = atomic_load_explicit(&capture->taken, memory_order_relaxed);

    return taken < capture->room ? taken : capture->room;
}

const struct fg_capture_frame *fg_capture_read(const struct fg_capture *capture, uint32_t i)
{
    const struct fg_capture_frame *frame = &capture->frames[i];

    /* acquire: pairs with the release in fg_capture_finish() */
    return atomic_load_explicit(&frame->whole, memory_order_acquire) ? frame : NULL;
}
