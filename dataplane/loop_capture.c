/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The worker's part in a capture. Each frame is looked at where it is known what becomes of it, and
 * before its bytes are changed: who is answered is answered in place.
 *
 * A request is kept when it is known to be one. What silences it later (copies of an order that is
 * being decided) shows as a request without a reply; a capture of what is dropped has it by name.
 */
#include <rte_cycles.h>

#include "dataplane/capture.h"
#include "dataplane/loop.h"

/* The engine's clock now, which does not go back within a capture. */
static uint64_t now_ns(struct loop *loop)
{
    uint64_t ns = fg_clock_page_read(&loop->engine->clock, rte_rdtsc()).wall_ns;

    if (ns > loop->captured_ns)
        loop->captured_ns = ns;
    return loop->captured_ns;
}

static struct fg_capture_look look_of(const struct loop *loop, const struct rte_mbuf *frame,
                                      uint64_t at_ns)
{
    return (struct fg_capture_look){
        .bytes = rte_pktmbuf_mtod(frame, const uint8_t *),
        .length = frame->pkt_len,
        .present = frame->data_len,
        .at_ns = at_ns,
        .tag_taken = frame->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED,
        .tag = frame->vlan_tci,
        .port = loop->port_index[frame->port],
        .worker = (uint8_t)loop->self->index,
    };
}

/* Keeps a frame, or lets go of a capture that is full. */
static struct fg_capture_frame *take(struct loop *loop, const struct fg_capture_look *look)
{
    struct fg_capture_frame *frame;
    bool full = true;

    if (!loop->capture)
        return NULL;
    frame = fg_capture_take(loop->capture, look, &full);
    if (full)
        loop->capture = NULL;
    return frame;
}

static void keep(struct loop *loop, const struct fg_capture_look *look, unsigned lost)
{
    struct fg_capture_frame *frame = take(loop, look);

    if (frame)
        fg_capture_finish(frame, lost);
}

void loop_captures_kept(struct loop *loop, struct rte_mbuf *const *frames, unsigned count)
{
    uint64_t at_ns = now_ns(loop);

    if (loop->capture->lost_only)
        return;
    for (unsigned i = 0; i < count; i++) {
        struct fg_capture_look look = look_of(loop, frames[i], at_ns);
        keep(loop, &look, FG_CAPTURE_NOT_LOST);
    }
}

/* What the port did not take is told by loop_flush(). */
void loop_captures_drop(struct loop *loop, const struct rte_mbuf *frame, enum fg_counter why)
{
    struct fg_capture_look look = look_of(loop, frame, now_ns(loop));

    look.out = why == FG_COUNTER_TX_DROPPED;
    keep(loop, &look, why);
}

void loop_captures_out(struct loop *loop, const struct outgoing *out,
                       struct fg_capture_frame *kept[FG_BURST])
{
    uint64_t at_ns = now_ns(loop);

    memset(kept, 0, FG_BURST * sizeof(kept[0]));
    if (loop->capture->lost_only)
        return;
    for (unsigned i = out->left; i < out->count; i++) {
        struct fg_capture_look look = look_of(loop, out->frames[i], at_ns);
        look.out = true;
        kept[i] = take(loop, &look);
    }
}

void loop_captures_sent(struct loop *loop, const struct outgoing *out, unsigned sent, bool dropped,
                        struct fg_capture_frame *const kept[FG_BURST])
{
    for (unsigned i = 0; i < out->count; i++) {
        bool lost = dropped && i >= sent;
        if (kept[i])
            fg_capture_finish(kept[i], lost ? FG_COUNTER_TX_DROPPED : FG_CAPTURE_NOT_LOST);
        else if (lost && loop->capture && (loop->capture->lost_only || i < out->left))
            loop_captures_drop(loop, out->frames[i], FG_COUNTER_TX_DROPPED);
    }
}

void loop_captures_command(struct loop *loop, struct fg_command *command)
{
    bool given = !command->withdrawn;

    loop->capture = given ? command->capture : NULL;
    loop->captured_ns = 0;
    command->result = 0;
    /* release: pairs with control's acquire; nothing of it is touched after it was returned */
    atomic_store_explicit(&command->capture->hands[loop->self->index],
                          given ? FG_CAPTURE_TAKEN : FG_CAPTURE_RETURNED, memory_order_release);
}
