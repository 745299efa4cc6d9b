/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Datagrams whose answer has to wait. Either all entries are decided and the finished reply is
 * parked, in order of arrival, until its ticket is settled and the caller takes it; or some entry
 * could not be judged yet, and the request is kept with the answers so far. Everything else goes
 * straight to `ready`.
 */
#include "dataplane/admission/internal.h"

static uint64_t waiting(const struct fg_admission *a)
{
    return a->parked_tail - a->parked_head + a->undecided_count;
}

bool waiting_room(const struct fg_admission *a, bool settles)
{
    uint32_t reserve = settles ? 0 : a->config.parked / FG_SETTLE_SHARE;
    return waiting(a) + reserve < a->config.parked;
}

unsigned fg_admission_waiting(const struct fg_admission *a)
{
    return (unsigned)waiting(a);
}

static void give_back(struct fg_admission *a, void *packet, uint32_t length)
{
    assert(a->ready_tail - a->ready_head <= a->ready_mask);
    a->ready[a->ready_tail++ & a->ready_mask] = (struct fg_ready){packet, length};
}

void fg_admission_sign(struct fg_admission *a)
{
    uint64_t macs[FG_BURST];

    if (a->unsigned_count == 0)
        return;
    fg_macs(a->unsigned_replies, a->unsigned_count, macs);
    for (unsigned i = 0; i < a->unsigned_count; i++)
        payload_put_mac((uint8_t *)(uintptr_t)a->unsigned_replies[i].payload, macs[i]);
    a->unsigned_count = 0;
}

/* It is signed with others, when all have been decided. */
static void sign_later(struct fg_admission *a, const struct fg_key *key, const uint8_t *payload,
                       uint32_t length)
{
    if (key->id == 0)
        return;
    if (a->unsigned_count == FG_BURST)
        fg_admission_sign(a);
    a->unsigned_replies[a->unsigned_count++] = (struct fg_mac_job){key->secret, payload, length};
}

unsigned fg_admission_ready_at_once(struct fg_admission *a, struct fg_ready *ready, unsigned max)
{
    unsigned n = 0;

    fg_admission_sign(a);
    while (n < max && a->ready_head != a->ready_tail)
        ready[n++] = a->ready[a->ready_head++ & a->ready_mask];
    return n;
}

unsigned fg_admission_ready(struct fg_admission *a, struct fg_ready *ready, unsigned max)
{
    unsigned n = fg_admission_ready_at_once(a, ready, max);

    if (a->parked_head == a->parked_tail || fg_lane_fenced(a->lane))
        return n;
    for (; n < max && a->parked_head != a->parked_tail; a->parked_head++) {
        const struct parked *first = &a->parked[a->parked_head & a->parked_mask];
        if (first->ticket > a->settled)
            break;
        ready[n++] = (struct fg_ready){first->packet, first->length};
    }
    return n;
}

void waiting_silence(struct fg_admission *a, const struct fg_datagram *datagram)
{
    give_back(a, datagram->packet, 0);
}

static void count_answers(struct fg_admission *a, unsigned count, const struct fg_reply *answers)
{
    struct fg_counters *counters = a->config.counters;
    fg_count_add(&counters->count[FG_COUNTER_ENTRIES], count);
    for (unsigned i = 0; i < count;) {
        unsigned verdict = answers[i].verdict, same = 0, replays = 0;
        for (; i < count && answers[i].verdict == verdict; i++, same++)
            replays += answers[i].flags & FG_REPLAY;
        fg_count_add(&counters->verdicts[verdict], same);
        if (replays > 0)
            fg_count_add(&counters->count[FG_COUNTER_REPLAYS], replays);
    }
}

void waiting_finish(struct fg_admission *a, const struct fg_datagram *datagram,
                    const struct fg_key *key, const struct fg_reply *answers, uint64_t ticket)
{
    uint32_t length = payload_reply(datagram->payload, answers);

    sign_later(a, key, datagram->payload, length);
    count_answers(a, datagram->count, answers);
    if (ticket <= a->settled) {
        give_back(a, datagram->packet, length);
        return;
    }
    fg_count(a->config.counters, FG_COUNTER_PARKED);
    a->parked[a->parked_tail++ & a->parked_mask] = (struct parked){
        .packet = datagram->packet,
        .ticket = ticket,
        .length = length,
    };
}

bool waiting_undecided_room(const struct fg_admission *a)
{
    return a->undecided_free != UNDECIDED_NONE;
}

struct undecided *waiting_undecided(struct fg_admission *a, const struct fg_datagram *datagram)
{
    uint32_t number = a->undecided_free;
    struct undecided *slot = &a->undecided[number];

    a->undecided_free = slot->next;
    slot->datagram = *datagram;
    if (a->undecided_count++ == 0) {
        slot->next = slot->previous = number;
        a->undecided_cursor = number;
    } else { /* last of the round: just before the cursor */
        struct undecided *cursor = &a->undecided[a->undecided_cursor];
        slot->next = a->undecided_cursor;
        slot->previous = cursor->previous;
        a->undecided[cursor->previous].next = number;
        cursor->previous = number;
    }
    return slot;
}

void waiting_decided(struct fg_admission *a, struct undecided *slot)
{
    uint32_t number = (uint32_t)(slot - a->undecided);

    a->undecided[slot->previous].next = slot->next;
    a->undecided[slot->next].previous = slot->previous;
    if (a->undecided_cursor == number)
        a->undecided_cursor = slot->next;
    slot->next = a->undecided_free;
    a->undecided_free = number;
    a->undecided_count--;
}
