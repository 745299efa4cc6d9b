/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The receiving half of the client: which datagram a reply answers, and what each answer means to
 * its ask. client.h has the phases.
 */
#include <assert.h>
#include <string.h>

#include "perf/load/client.h"
#include "perf/load/retry.h"

#define REPEAT_LEAST_MS  10 /* from an answer to the repeat of its request */
#define REPEAT_SPREAD_MS 490
#define PUSHED_COUNTED   7

/* "Not now": the engine says when to ask again. Everything else is an answer. */
static bool is_transient(uint8_t verdict)
{
    return verdict == FG_VERDICT_BUSY || verdict == FG_VERDICT_THROTTLED ||
           verdict == FG_VERDICT_PAUSED || verdict == FG_VERDICT_NOT_OPEN ||
           verdict == FG_VERDICT_MISROUTED;
}

/* Does it tell the state of an order, or of a void request? */
static bool is_state(uint8_t verdict)
{
    return verdict >= FG_VERDICT_ADMITTED && verdict <= FG_VERDICT_EXPIRED;
}

void load_client_part(struct load_client *client, uint32_t first)
{
    struct load_ask *leader = &client->asks[first];

    for (uint32_t i = 1; i < leader->count; i++) {
        struct load_ask *ask = &client->asks[first + i];
        assert(ask->phase == LOAD_FOLLOWING);
        ask->phase = leader->phase;
        ask->retries = leader->retries;
        load_wheel_start(&client->wheel, first + i, client->timers[first].due);
    }
    leader->count = 1;
}

void load_client_finish(struct load_client *client, uint32_t request)
{
    struct load_ask *ask = &client->asks[request];

    load_wheel_stop(&client->wheel, request);
    load_client_land(client, request);
    if (!ask->repeated && load_mix_habits(&client->mix, request).repeat) {
        ask->repeated = 1;
        ask->phase = LOAD_RESTING;
        load_client_arm(client, request,
                        REPEAT_LEAST_MS +
                            (uint32_t)(load_client_random(client) % REPEAT_SPREAD_MS));
        return;
    }
    ask->phase = LOAD_DONE;
    client->stats.finished++;
}

/* The engine has too much to do; what it says is the least time to wait. */
static bool pushes_back(uint8_t verdict)
{
    return verdict == FG_VERDICT_BUSY || verdict == FG_VERDICT_THROTTLED;
}

/* The engine said when: the ask, with its followers, waits and then asks again. */
static void wait_as_told(struct load_client *client, uint32_t request, uint32_t wait_ms,
                         bool pushed)
{
    struct load_ask *ask = &client->asks[request];

    if (!pushed) {
        ask->pushed = 0;
    } else if (ask->pushed > 0) {
        uint32_t least = load_retry_wait_ms(ask->pushed - 1u, load_client_random(client));
        wait_ms = wait_ms > least ? wait_ms : least;
    }
    if (pushed && ask->pushed < PUSHED_COUNTED)
        ask->pushed++;
    ask->phase = LOAD_WAITING;
    load_client_arm(client, request, wait_ms > 0 ? wait_ms : 1);
}

/* The first final answer to a request stands, but an order weighs more than a refusal. */
static void note_verdict(struct load_client *client, uint32_t request, uint8_t verdict,
                         uint64_t arrived_ns)
{
    struct load_ask *ask = &client->asks[request];

    if (ask->verdict == FG_VERDICT_NONE) {
        uint64_t scheduled_ns = load_client_scheduled_ns(client, request);
        load_histogram_add(&client->latency,
                           arrived_ns > scheduled_ns ? arrived_ns - scheduled_ns : 0);
        client->stats.answered++;
        client->stats.last_answer_ns = arrived_ns;
        ask->verdict = verdict;
    } else if (verdict == FG_VERDICT_ADMITTED) {
        ask->verdict = verdict;
    }
}

/* The engine told an order that the client did not know of, perhaps after a refusal of another
 * copy. One that is being cancelled meanwhile goes on being cancelled. */
static void learn_order(struct load_client *client, uint32_t request,
                        const struct fg_history_record *answer)
{
    struct load_ask *ask = &client->asks[request];

    ask->order = answer->order;
    client->stats.admitted++;
    if (ask->op != FG_OP_ORDER)
        return;
    if (ask->phase == LOAD_DONE)
        client->stats.finished--;
    enum load_plan plan = load_mix_habits(&client->mix, request).plan;
    if (!(answer->flags & FG_HELD) || plan == LOAD_PLAN_LEAVE) {
        ask->fate = answer->verdict == FG_VERDICT_CONFIRMED ? LOAD_CONFIRMED
                    : answer->flags & FG_HELD               ? LOAD_LEFT
                                                            : LOAD_FATE_NONE;
        load_client_finish(client, request);
    } else {
        ask->phase = LOAD_THINKING;
        load_client_arm(client, request, client->think_ms);
    }
}

/* A final answer to a copy of the ORDER. */
static void answer_order(struct load_client *client, uint32_t request,
                         const struct fg_history_record *answer)
{
    struct load_ask *ask = &client->asks[request];
    bool asked =
        ask->op == FG_OP_ORDER &&
        (ask->phase == LOAD_ASKING || ask->phase == LOAD_WAITING || ask->phase == LOAD_LINGERING);

    if (is_state(answer->verdict)) {
        if (answer->verdict == FG_VERDICT_EXPIRED)
            ask->fate = LOAD_EXPIRED;
        bool lives =
            answer->verdict == FG_VERDICT_ADMITTED || answer->verdict == FG_VERDICT_CONFIRMED;
        if (lives && ask->order == 0) {
            learn_order(client, request, answer);
        } else if (asked) {
            load_client_finish(client, request);
        }
    } else if (asked && ask->copies == 0) {
        load_client_finish(client, request);
    } else if (asked && ask->phase != LOAD_LINGERING) {
        ask->phase = LOAD_LINGERING;
        load_client_arm(client, request, load_retry_wait_ms(0, load_client_random(client)));
    }
}

/* A final answer to CONFIRM or CANCEL. */
static void answer_settlement(struct load_client *client, uint32_t request,
                              const struct fg_history_record *answer)
{
    struct load_ask *ask = &client->asks[request];

    if (answer->verdict == FG_VERDICT_CONFIRMED)
        ask->fate = LOAD_CONFIRMED;
    else if (answer->verdict == FG_VERDICT_CANCELLED)
        ask->fate = LOAD_CANCELLED;
    else if (answer->verdict == FG_VERDICT_EXPIRED)
        ask->fate = LOAD_EXPIRED;
    if (ask->op == answer->op && (ask->phase == LOAD_ASKING || ask->phase == LOAD_WAITING))
        load_client_finish(client, request);
}

/* One entry's answer, which is in the record already. */
static void answer_entry(struct load_client *client, uint32_t record, uint32_t wait_ms,
                         uint64_t arrived_ns)
{
    const struct fg_history_record *answer = &client->history.records[record];
    uint32_t request = (uint32_t)(answer->request - 1);
    struct load_ask *ask = &client->asks[request];

    if (answer->op == FG_OP_ORDER && ask->copies > 0)
        ask->copies--;
    if (answer->verdict == FG_VERDICT_MISROUTED)
        client->ping_wanted = true;
    if (!is_transient(answer->verdict)) {
        ask->pushed = 0;
        note_verdict(client, request, answer->verdict, arrived_ns);
        if (answer->op == FG_OP_ORDER)
            answer_order(client, request, answer);
        else
            answer_settlement(client, request, answer);
    } else if (ask->phase == LOAD_ASKING && ask->record == record) {
        /* An older copy's answer says nothing about the newest, which is under way. */
        wait_as_told(client, request, wait_ms, pushes_back(answer->verdict));
    } else if (ask->phase == LOAD_LINGERING && ask->copies == 0) {
        load_client_finish(client, request);
    }
}

/* Must the whole datagram be asked again? Then its requests stay together. */
static bool group_must_wait(const struct load_client *client,
                            const struct load_pending_entry *datagram)
{
    const struct fg_history_record *records = &client->history.records[datagram->record];
    const struct load_ask *leader = &client->asks[records[0].request - 1];

    if (leader->count != datagram->count || leader->phase != LOAD_ASKING ||
        leader->record != datagram->record)
        return false;
    for (uint32_t i = 0; i < datagram->count; i++)
        if (!is_transient(records[i].verdict) || records[i].verdict == FG_VERDICT_MISROUTED)
            return false;
    return true;
}

static void answer_datagram(struct load_client *client, const struct load_pending_entry *datagram,
                            const struct fg_reply *replies, uint64_t arrived_ns)
{
    const struct fg_history_record *records = &client->history.records[datagram->record];
    uint32_t leader = (uint32_t)(records[0].request - 1);

    if (datagram->count > 1 && group_must_wait(client, datagram)) {
        uint32_t wait_ms = 0;
        bool pushed = false;
        for (uint32_t i = 0; i < datagram->count; i++) {
            struct load_ask *ask = &client->asks[leader + i];
            if (ask->copies > 0)
                ask->copies--;
            if (replies[i].wait_ms > wait_ms)
                wait_ms = replies[i].wait_ms;
            pushed = pushed || pushes_back(replies[i].verdict);
        }
        wait_as_told(client, leader, wait_ms, pushed);
        return;
    }
    load_client_part(client, leader);
    for (uint32_t i = 0; i < datagram->count; i++)
        answer_entry(client, datagram->record + i, replies[i].wait_ms, arrived_ns);
}

static void answer_ping(struct load_client *client, const struct fg_reply *pong)
{
    if (pong->verdict != FG_VERDICT_PONG || pong->item == 0 || pong->wait_ms == 0 ||
        (pong->item & (pong->item - 1)) != 0)
        return;
    client->partitions = pong->item;
    client->base_port = pong->quantity;
    client->workers = pong->wait_ms;
    client->stats.lives += !client->ponged || client->epoch != pong->order;
    client->epoch = pong->order;
    client->ponged = true;
}

/* Why the payload answers nothing we wait for, or LOAD_DROP_COUNT; then *datagram and replies are
 * what it answers. */
static enum load_drop match(struct load_client *client, const uint8_t *payload, size_t length,
                            struct load_pending_entry **datagram, struct fg_reply *replies)
{
    struct fg_header header;

    if (length < sizeof(header))
        return LOAD_DROP_MALFORMED;
    memcpy(&header, payload, sizeof(header));
    if (header.magic[0] != FG_MAGIC_0 || header.magic[1] != FG_MAGIC_1 ||
        header.version != FG_VERSION || header.type != FG_TYPE_REPLY || header.count == 0 ||
        header.count > FG_ENTRIES_MAX || header.reserved != 0 ||
        length != FG_REPLY_BYTES(header.count))
        return LOAD_DROP_MALFORMED;
    *datagram = load_pending_find(&client->pending, header.time_ns);
    if (!*datagram)
        return LOAD_DROP_NOT_WAITED_FOR;
    if ((*datagram)->count != header.count)
        return LOAD_DROP_COUNT_DIFFERS;
    memcpy(replies, payload + sizeof(header), header.count * sizeof(*replies));
    for (uint32_t i = 0; i < header.count; i++) {
        if (replies[i].request != client->history.records[(*datagram)->record + i].request)
            return LOAD_DROP_ENTRY_DIFFERS;
        if (fg_verdict_name(replies[i].verdict)[0] == '?')
            return LOAD_DROP_VERDICT;
    }
    if (header.key_id != client->key_id ||
        header.mac != (client->key_id ? fg_payload_mac(client->secret, payload, length) : 0))
        return LOAD_DROP_MAC;
    return LOAD_DROP_COUNT;
}

void load_client_receive(struct load_client *client, uint64_t arrived_ns, const void *payload,
                         size_t length)
{
    struct fg_reply replies[FG_ENTRIES_MAX];
    struct load_pending_entry *entry, datagram;
    enum load_drop drop = match(client, payload, length, &entry, replies);

    if (drop != LOAD_DROP_COUNT) {
        client->stats.drops[drop]++;
        return;
    }
    datagram = *entry;
    load_pending_remove(&client->pending, entry);
    client->stats.received++;
    struct fg_history_record *records = &client->history.records[datagram.record];
    for (uint32_t i = 0; i < datagram.count; i++) {
        records[i].replied_ns = client->origin_ns + arrived_ns;
        records[i].order = replies[i].order;
        records[i].verdict = replies[i].verdict;
        records[i].flags = replies[i].flags;
        records[i].available = replies[i].available;
        client->stats.answers[replies[i].verdict]++;
        client->stats.replays += replies[i].flags & FG_REPLAY;
    }
    if (records[0].op == FG_OP_PING)
        answer_ping(client, replies);
    else
        answer_datagram(client, &datagram, replies, arrived_ns);
}
