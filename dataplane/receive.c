/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames in: each step is done for a whole burst before the next one begins.
 *
 *   receive -> parse -> check the form -> authenticate -> sort by owner -> decide or hand over
 *
 * A key is looked up again by the worker that takes a datagram over: its catalogue may be another.
 * If that one has another key ring, the datagram must be signed by it, too: from the answer to
 * keys.reload on nothing is decided for a key that has gone, or for its old secret.
 */
#include <rte_prefetch.h>

#include "dataplane/blocked.h"
#include "dataplane/loop.h"
#include "dataplane/net/reply.h"

#define FIRST_FRAMES     8  /* asked for first; as many as drivers with vectors take at least */
#define BUSY_HANDOVER_MS 2  /* told when the owner cannot keep up: its ring is empty by then */
#define BUSY_AGED_MS     20 /* told to what waited too long: its worker has caught up by then */

/* Requests of one burst that have come so far. */
struct burst {
    unsigned count;
    struct rte_mbuf *frames[FG_BURST];
    struct fg_parsed parsed[FG_BURST];
    uint16_t key_places[FG_BURST];
    uint8_t owners[FG_BURST];
};

static enum fg_checksum checksum_of(const struct rte_mbuf *frame)
{
    switch (frame->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) {
    case RTE_MBUF_F_RX_L4_CKSUM_GOOD:
    case RTE_MBUF_F_RX_L4_CKSUM_NONE: /* never computed, and never on a wire (virtio) */
        return FG_CHECKSUM_RIGHT;
    case RTE_MBUF_F_RX_L4_CKSUM_BAD:
        return FG_CHECKSUM_WRONG;
    default:
        return FG_CHECKSUM_UNKNOWN;
    }
}

static void answer_neighbour(struct loop *loop, const struct fg_port *port, struct rte_mbuf *frame,
                             unsigned l3)
{
    unsigned most = fg_reply_neighbour_bytes(l3);

    /* What a frame has is never in doubt but in buffers that are not our pools'. */
    if (most > (unsigned)frame->data_len + rte_pktmbuf_tailroom(frame))
        return loop_drop(loop, frame, FG_COUNTER_TX_DROPPED);
    uint8_t *bytes = rte_pktmbuf_mtod(frame, uint8_t *);
    fg_count(loop->counters, FG_COUNTER_TX_NEIGHBOUR);
    loop_send(loop, frame, fg_reply_neighbour(bytes, l3, &port->address));
}

/* A tag that the driver took off, and one more that it left? */
static bool tagged_twice(const struct rte_mbuf *frame, const struct fg_parsed *parsed)
{
    return frame->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED && parsed->kind != FG_FRAME_DROPPED &&
           parsed->l3 > sizeof(struct rte_ether_hdr);
}

/* Before a frame is turned round. */
static void captures_answered(struct loop *loop, struct rte_mbuf *frame)
{
    if (loop_captures(loop))
        loop_captures_kept(loop, &frame, 1);
}

/* Answers ARP, neighbour solicitations and echo; true if the frame is a request. */
static bool parse(struct loop *loop, const struct fg_port *port, struct rte_mbuf *frame,
                  struct fg_parsed *parsed)
{
    uint8_t *bytes = rte_pktmbuf_mtod(frame, uint8_t *);

    if (frame->nb_segs != 1) {
        loop_drop(loop, frame, FG_COUNTER_DROP_SEGMENTED);
        return false;
    }
    fg_frame_parse(bytes, frame->data_len, &port->address, checksum_of(frame), parsed);
    if (tagged_twice(frame, parsed)) {
        loop_drop(loop, frame, FG_COUNTER_DROP_VLAN);
        return false;
    }
    if (fg_frame_blocked(loop->catalogue->lists, parsed)) {
        loop_drop(loop, frame, FG_COUNTER_DROP_BLOCKED_SOURCE);
        return false;
    }
    switch ((enum fg_frame_kind)parsed->kind) {
    case FG_FRAME_REQUEST:
        return true;
    case FG_FRAME_ARP:
        captures_answered(loop, frame);
        fg_reply_arp(bytes, parsed->l3, &port->address);
        fg_count(loop->counters, FG_COUNTER_TX_ARP);
        loop_send(loop, frame, frame->pkt_len);
        return false;
    case FG_FRAME_NEIGHBOUR:
        captures_answered(loop, frame);
        answer_neighbour(loop, port, frame, parsed->l3);
        return false;
    case FG_FRAME_ECHO:
        captures_answered(loop, frame);
        fg_reply_echo(bytes, parsed->l3);
        fg_count(loop->counters, FG_COUNTER_TX_ICMP_ECHO);
        loop_send(loop, frame, frame->pkt_len);
        return false;
    case FG_FRAME_DROPPED:
        break;
    }
    loop_drop(loop, frame, parsed->dropped);
    return false;
}

/* Keeps the requests whose payload has the form of one. */
static void check(struct loop *loop, struct burst *burst)
{
    static const uint8_t why[] = {
        [FG_UNFIT_MALFORMED] = FG_COUNTER_DROP_MALFORMED,
        [FG_UNFIT_VERSION] = FG_COUNTER_DROP_VERSION,
        [FG_UNFIT_REPLY] = FG_COUNTER_DROP_REPLY,
    };
    unsigned kept = 0;
    uint64_t arrived = loop->stages.since & TAG_ARRIVED_MASK; /* checking has just begun */

    for (unsigned i = 0; i < burst->count; i++) {
        const struct fg_parsed *parsed = &burst->parsed[i];
        struct rte_mbuf *frame = burst->frames[i];
        const uint8_t *payload = rte_pktmbuf_mtod_offset(frame, const uint8_t *, parsed->payload);
        if (!fg_payload_check(payload, parsed->length)) {
            loop_drop(loop, frame, why[fg_payload_unfit(payload, parsed->length)]);
            continue;
        }
        struct tag tag = {.l3 = parsed->l3 & 0x7f,
                          .ipv6 = parsed->payload > fg_frame_payload(parsed->l3, false),
                          .receiver = loop->self->index & 0xff,
                          .ring = loop->catalogue->keys->generation & TAG_RING_MASK,
                          .arrived = arrived};
        memcpy(&frame->hash, &tag, sizeof(tag));
        burst->frames[kept] = frame;
        burst->parsed[kept++] = *parsed;
    }
    burst->count = kept;
}

/* Counts a datagram for its key, where the mac is right. */
static void note_key(struct loop *loop, const struct fg_claim *claim)
{
    if (claim->found != FG_AUTHENTIC && claim->found != FG_AUTH_STALE)
        return;
    struct fg_key_watch *line = &loop->self->keys[claim->key_place];
    uint16_t id = loop->catalogue->keys->keys[claim->key_place].id;
    uint64_t time_ns;

    if (claim->found == FG_AUTHENTIC) {
        fg_key_watch_accepted(line, id, loop->now.wall_ns);
    } else {
        memcpy(&time_ns, claim->payload + offsetof(struct fg_header, time_ns), sizeof(time_ns));
        fg_key_watch_stale(line, id, time_ns, loop->now.wall_ns, *claim->source);
    }
}

/* While the clock is held because the machine's stepped ahead, either may be what senders have.
 * Behind the held one there is no second chance: that would take copies of old datagrams for new
 * ones. */
static void find_claims(const struct loop *loop, const struct burst *burst,
                        struct fg_claim claims[FG_BURST])
{
    for (unsigned i = 0; i < burst->count; i++)
        claims[i] = (struct fg_claim){.payload = payload_of(burst->frames[i]),
                                      .source = &burst->parsed[i].source,
                                      .length = burst->parsed[i].length};
    fg_payloads_authenticate(loop->catalogue, loop->now.wall_ns, loop->ahead_ns, claims,
                             burst->count);
}

/* The worker that has a checked payload's partition. */
static uint8_t owner_of(const struct loop *loop, const uint8_t *payload)
{
    if (loop->workers == 1)
        return 0;
    int partition = fg_payload_partition(payload, loop->partitions);
    return (uint8_t)(partition < 0 ? loop->self->index : (unsigned)partition % loop->workers);
}

/* Keeps the requests that are who they say they are. */
static void authenticate(struct loop *loop, struct burst *burst)
{
    static const uint8_t why[] = {
        [FG_AUTH_UNSIGNED] = FG_COUNTER_DROP_UNSIGNED,
        [FG_AUTH_UNKNOWN_KEY] = FG_COUNTER_DROP_UNKNOWN_KEY,
        [FG_AUTH_SOURCE] = FG_COUNTER_DROP_KEY_SOURCE,
        [FG_AUTH_MAC] = FG_COUNTER_DROP_MAC,
        [FG_AUTH_STALE] = FG_COUNTER_DROP_STALE,
        [FG_AUTH_EARLY] = FG_COUNTER_DROP_EARLY,
    };
    struct fg_claim claims[FG_BURST];
    unsigned kept = 0;

    find_claims(loop, burst, claims);
    for (unsigned i = 0; i < burst->count; i++) {
        const struct fg_claim *claim = &claims[i];
        struct rte_mbuf *frame = burst->frames[i];
        note_key(loop, claim);
        if (claim->found != FG_AUTHENTIC) {
            loop_drop(loop, frame, why[claim->found]);
            continue;
        }
        burst->key_places[kept] = claim->key_place;
        burst->owners[kept] = owner_of(loop, claim->payload);
        burst->frames[kept++] = frame;
    }
    burst->count = kept;
}

struct fg_ip fg_worker_source(const void *packet)
{
    const struct rte_mbuf *frame = packet;
    struct tag tag = tag_of(frame);
    const uint8_t *l3 = rte_pktmbuf_mtod_offset(frame, const uint8_t *, tag.l3);
    uint32_t address;

    if (tag.ipv6)
        return fg_ip_of_v6(l3 + offsetof(struct rte_ipv6_hdr, src_addr));
    memcpy(&address, l3 + offsetof(struct rte_ipv4_hdr, src_addr), sizeof(address));
    return fg_ip_of_v4(rte_be_to_cpu_32(address));
}

static struct fg_datagram datagram_of(struct rte_mbuf *frame, uint16_t key_place)
{
    uint8_t *payload = payload_of(frame);

    return (struct fg_datagram){
        .packet = frame,
        .payload = payload,
        .key_place = key_place,
        .count = payload[offsetof(struct fg_header, count)],
    };
}

static void answer_busy(struct loop *loop, struct rte_mbuf *frame, uint16_t key_place,
                        uint32_t wait_ms)
{
    wait_ms = fg_admission_jitter(loop->self->admission, wait_ms);
    loop_reply(loop, frame,
               fg_payload_busy(loop->catalogue, payload_of(frame), key_place, wait_ms));
}

/* Has it waited for longer than limits.queue_age since the burst that it came in? */
static bool aged(const struct loop *loop, const struct fg_datagram *datagram, uint64_t now)
{
    return waited_longer(tag_of(datagram->packet).arrived, now, loop->queue_age);
}

/* What has waited too long and asks for new orders is answered BUSY, and nothing about it is
 * changed: its sender has given it up, or asks again. What only settles orders, or asks, is worth
 * deciding late. The datagrams came in the order in which they stand here. Returns how many are
 * left. */
static unsigned refuse_aged(struct loop *loop, struct fg_datagram *datagrams, unsigned count)
{
    uint64_t now = loop->stages.since; /* deciding has just begun */
    unsigned kept = 0;

    if (loop->queue_age == 0 || !aged(loop, &datagrams[0], now))
        return count;
    for (unsigned i = 0; i < count; i++) {
        if (!aged(loop, &datagrams[i], now) || !fg_payload_orders(datagrams[i].payload)) {
            datagrams[kept++] = datagrams[i];
            continue;
        }
        fg_count(loop->counters, FG_COUNTER_QUEUE_AGED);
        answer_busy(loop, datagrams[i].packet, datagrams[i].key_place, BUSY_AGED_MS);
    }
    return kept;
}

/* All of them came in by one queue or ring, in this order. */
static void decide(struct loop *loop, struct fg_datagram *datagrams, unsigned count)
{
    if (count == 0)
        return;
    loop_stage(loop, FG_STAGE_DECIDE);
    count = refuse_aged(loop, datagrams, count);
    if (count == 0)
        return;
    fg_admission_decide(loop->self->admission, &loop->now, loop->catalogue, datagrams, count);
    loop_stage(loop, FG_STAGE_SIGN);
    fg_admission_sign(loop->self->admission);
    loop_stage(loop, FG_STAGE_SEND);
    loop_send_answers(loop);
}

/* Does the first entry settle an order? Such datagrams may use a ring's last part. */
static bool settles(const uint8_t *payload)
{
    uint8_t op = payload[sizeof(struct fg_header) + offsetof(struct fg_request, op)];
    return op == FG_OP_CONFIRM || op == FG_OP_CANCEL;
}

static void hand_over(struct loop *loop, struct rte_mbuf *frame, unsigned owner, uint16_t key_place)
{
    struct rte_ring *ring = loop->engine->workers[owner]->handover[loop->self->index];
    uint8_t *payload = payload_of(frame);
    unsigned reserve = settles(payload) ? 0 : rte_ring_get_capacity(ring) / FG_SETTLE_SHARE;

    if (rte_ring_free_count(ring) > reserve && rte_ring_sp_enqueue(ring, frame) == 0) {
        fg_count(loop->counters, FG_COUNTER_HANDED_OVER);
        return;
    }
    fg_count(loop->counters, FG_COUNTER_HANDOVER_FULL);
    answer_busy(loop, frame, key_place, BUSY_HANDOVER_MS);
}

/* Own requests are decided together, others' go to their owners. */
static void decide_or_hand_over(struct loop *loop, const struct burst *burst)
{
    struct fg_datagram own[FG_BURST];
    unsigned count = 0;

    if (burst->count > 0 && loop_captures(loop))
        loop_captures_kept(loop, burst->frames, burst->count);
    for (unsigned i = 0; i < burst->count; i++) {
        if (burst->owners[i] == loop->self->index)
            own[count++] = datagram_of(burst->frames[i], burst->key_places[i]);
        else
            hand_over(loop, burst->frames[i], burst->owners[i], burst->key_places[i]);
    }
    decide(loop, own, count);
}

/* Its headers, and of a datagram with one order all: two lines. */
static void prefetch_frame(const struct rte_mbuf *frame)
{
    const uint8_t *bytes = rte_pktmbuf_mtod(frame, const uint8_t *);

    rte_prefetch0(bytes);
    rte_prefetch0(bytes + RTE_CACHE_LINE_SIZE);
}

/* A burst, a few frames of it first. Some drivers (vhost) take a mbuf for each frame that they are
 * asked for and give back those that nothing came for, in every poll: where little comes, or
 * nothing, that costs more than the frames do, and they wait for it. */
static unsigned take_burst(const struct loop *loop, const struct fg_port *port,
                           struct rte_mbuf *frames[FG_BURST])
{
    uint16_t queue = (uint16_t)loop->self->index;
    unsigned n = rte_eth_rx_burst(port->id, queue, frames, FIRST_FRAMES);

    if (n == FIRST_FRAMES)
        n += rte_eth_rx_burst(port->id, queue, frames + n, FG_BURST - FIRST_FRAMES);
    return n;
}

unsigned loop_receive(struct loop *loop, const struct fg_port *port)
{
    struct rte_mbuf *frames[FG_BURST];
    struct burst burst; /* large: nothing of it is read that has not come */

    loop_stage(loop, FG_STAGE_RECEIVE);
    unsigned n = take_burst(loop, port, frames);
    if (n == 0)
        return 0;
    fg_count_add(&loop->counters->count[FG_COUNTER_RX_FRAMES], n);
    fg_count_add(&loop->counters->bursts[fg_fill_of(n)], 1);
    for (unsigned i = 0; i < n; i++)
        prefetch_frame(frames[i]);
    loop_stage(loop, FG_STAGE_PARSE);
    burst.count = 0;
    for (unsigned i = 0; i < n; i++) {
        frames[i]->port = port->id; /* not all drivers write it: rings do not */
        burst.frames[burst.count] = frames[i];
        burst.count += parse(loop, port, frames[i], &burst.parsed[burst.count]);
    }
    loop_stage(loop, FG_STAGE_CHECK);
    check(loop, &burst);
    loop_stage(loop, FG_STAGE_AUTHENTICATE);
    authenticate(loop, &burst);
    if (loop->workers > 1)
        loop_stage(loop, FG_STAGE_HAND_OVER);
    decide_or_hand_over(loop, &burst);
    return n;
}

/* The place of the key of what another worker has found authentic, or -1. */
static int place_of(const struct loop *loop, struct rte_mbuf *frame, bool *unknown)
{
    const struct fg_keyring *ring = loop->catalogue->keys;
    struct tag tag = tag_of(frame);
    const uint8_t *payload = payload_of(frame);
    uint16_t key_id;

    if (tag.ring != (ring->generation & TAG_RING_MASK))
        return fg_payload_still_signed(loop->catalogue, payload, unknown);
    memcpy(&key_id, payload + offsetof(struct fg_header, key_id), sizeof(key_id));
    int place = fg_keyring_find(ring, key_id);
    *unknown = place < 0;
    return place;
}

/* Decides what other workers received for this one: at most a burst from each. */
unsigned loop_take_over(struct loop *loop)
{
    struct rte_mbuf *frames[FG_BURST];
    struct fg_datagram datagrams[FG_BURST];
    unsigned total = 0;

    for (unsigned v = 0; v < loop->workers; v++) {
        if (!loop->self->handover[v])
            continue;
        unsigned n =
            rte_ring_sc_dequeue_burst(loop->self->handover[v], (void **)frames, FG_BURST, NULL);
        unsigned count = 0;
        if (n == 0)
            continue;
        for (unsigned i = 0; i < n; i++) {
            bool unknown;
            int key_place = place_of(loop, frames[i], &unknown);
            if (key_place < 0)
                loop_drop(loop, frames[i],
                          unknown ? FG_COUNTER_DROP_UNKNOWN_KEY : FG_COUNTER_DROP_MAC);
            else
                datagrams[count++] = datagram_of(frames[i], (uint16_t)key_place);
        }
        fg_count_add(&loop->counters->count[FG_COUNTER_TAKEN_OVER], n);
        decide(loop, datagrams, count);
        loop_stage(loop, FG_STAGE_HAND_OVER);
        total += n;
    }
    return total;
}
