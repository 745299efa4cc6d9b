/* SPDX-License-Identifier: BSD-3-Clause */
/* The sending half of the client: schedule, datagrams, retries. answers.c is the other half. */
#include "perf/load/client.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "perf/load/memory.h"
#include "perf/load/random.h"
#include "perf/load/retry.h"

#define FORGET_NS      (10000 * LOAD_MS) /* an answer later than this is no answer */
#define LATE_NS        LOAD_MS           /* less is the burst's own time */
#define PENDING_MAX    (UINT64_C(3) << 20)
#define RECORDS_SPARE  UINT64_C(1000000)
#define COPIES_COUNTED UINT8_MAX

/* What a run without losses needs: requests, double clicks, repeats, a CONFIRM or CANCEL each. */
static uint64_t records_expected(const struct load_client *client)
{
    const struct load_mix *mix = &client->mix;
    uint64_t permille = 1000 + mix->double_click_permille + mix->repeat_permille;

    return (client->requests * permille + 999) / 1000;
}

int load_client_init(struct load_client *client)
{
    uint64_t expected = records_expected(client);
    struct fg_history *history = &client->history;

    client->capacity = client->requests;
    load_mix_init(&client->mix);
    memcpy(history->header.magic, FG_HISTORY_MAGIC, sizeof(history->header.magic));
    history->header.seed = client->mix.seed;
    /* Untouched memory costs nothing, so there is room for the worst that is not absurd. */
    history->capacity = 4 * expected + RECORDS_SPARE;
    history->records = load_memory_map(history->capacity * sizeof(*history->records));
    client->asks = load_memory_map(client->capacity * sizeof(*client->asks));
    client->timers = load_memory_map(client->capacity * sizeof(*client->timers));
    uint64_t capacity = expected < PENDING_MAX ? expected + 1024 : PENDING_MAX;
    if (load_pending_init(&client->pending, capacity) < 0 || !history->records || !client->asks ||
        !client->timers)
        return -ENOMEM;
    load_wheel_init(&client->wheel, client->timers);
    load_memory_prefault(history->records, expected * sizeof(*history->records));
    load_memory_prefault(client->asks, client->capacity * sizeof(*client->asks));
    load_memory_prefault(client->timers, client->capacity * sizeof(*client->timers));
    return 0;
}

void load_client_fini(struct load_client *client)
{
    struct fg_history *history = &client->history;

    load_pending_fini(&client->pending);
    load_memory_unmap(client->timers, client->capacity * sizeof(*client->timers));
    load_memory_unmap(client->asks, client->capacity * sizeof(*client->asks));
    load_memory_unmap(history->records, history->capacity * sizeof(*history->records));
    history->records = NULL;
}

uint64_t load_client_random(struct load_client *client)
{
    return load_word(~client->mix.seed, client->random_number++);
}

uint64_t load_client_scheduled_ns(const struct load_client *client, uint32_t request)
{
    /* Requests of one datagram share the time of the first. */
    uint64_t first = request - request % client->mix.batch;

    if (client->schedule)
        return client->start_ns + load_schedule_when_ns(client->schedule, first);
    if (client->rate == 0)
        return client->history.records[client->asks[request].first].sent_ns - client->origin_ns;
    static_assert(LOAD_REQUESTS_MAX * UINT64_C(1000000000) < UINT64_MAX, "no overflow below");
    return client->start_ns + first * UINT64_C(1000000000) / client->rate;
}

void load_client_land(struct load_client *client, uint32_t request)
{
    struct load_ask *ask = &client->asks[request];

    client->under_way -= ask->under_way;
    ask->under_way = 0;
}

/* The ask was just sent: its timer is that of the retry. */
static void await(struct load_client *client, uint32_t request, unsigned retries)
{
    load_client_arm(client, request, load_retry_wait_ms(retries, load_client_random(client)));
    client->asks[request].under_way = 1;
    client->under_way++;
}

void load_client_arm(struct load_client *client, uint32_t request, uint32_t wait_ms)
{
    load_client_land(client, request);
    load_wheel_stop(&client->wheel, request);
    /* The tick under way is partly over: wait one more. */
    load_wheel_start(&client->wheel, request, client->wheel.tick + wait_ms + 1);
}

/* A datagram's name: the clock, but never the same twice. */
static uint64_t next_name(struct load_client *client)
{
    uint64_t clock = client->origin_ns + client->link->now_ns(client->link);

    return clock > client->name ? clock : client->name + 1;
}

struct datagram {
    struct fg_header header;
    struct fg_request entries[FG_ENTRIES_MAX];
};
static_assert(sizeof(struct datagram) == FG_REQUEST_BYTES(FG_ENTRIES_MAX), "as on the wire");

/* Names, signs and sends a datagram whose entries are written, and makes it awaited. The caller has
 * written its records behind the last one; here they become part of the history. */
static bool dispatch(struct load_client *client, struct datagram *datagram, uint32_t count,
                     uint32_t partition)
{
    struct fg_history *history = &client->history;
    uint64_t at = history->header.records, name = next_name(client);
    size_t length = FG_REQUEST_BYTES(count);

    datagram->header = (struct fg_header){.magic = {FG_MAGIC_0, FG_MAGIC_1},
                                          .version = FG_VERSION,
                                          .type = FG_TYPE_REQUEST,
                                          .count = (uint8_t)count,
                                          .key_id = client->key_id,
                                          .time_ns = name};
    if (client->key_id != 0)
        datagram->header.mac = fg_payload_mac(client->secret, datagram, length);
    if (!client->link->send(client->link, partition, datagram, length))
        return false;
    client->name = name;
    for (uint32_t i = 0; i < count; i++)
        history->records[at + i].sent_ns = name;
    load_pending_insert(&client->pending, name, (uint32_t)at, count);
    history->header.records += count;
    client->stats.sent++;
    return true;
}

static bool has_room(const struct load_client *client, uint32_t count)
{
    return !load_pending_full(&client->pending) &&
           client->history.header.records + count <= client->history.capacity;
}

bool load_client_ping(struct load_client *client)
{
    struct datagram datagram;

    if (!has_room(client, 1))
        return false;
    datagram.entries[0] = (struct fg_request){.op = FG_OP_PING};
    client->history.records[client->history.header.records] =
        (struct fg_history_record){.op = FG_OP_PING};
    return dispatch(client, &datagram, 1, 0);
}

bool load_client_send(struct load_client *client, uint32_t first, uint32_t count)
{
    struct fg_history *history = &client->history;
    uint64_t at = history->header.records;
    uint8_t op = client->asks[first].op;
    struct datagram datagram;
    uint32_t partition = 0;

    if (!has_room(client, count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct load_ask *ask = &client->asks[first + i];
        struct load_want want = load_mix_want(&client->mix, first + i);
        struct fg_request *entry = &datagram.entries[i];
        *entry = (struct fg_request){.request = (uint64_t)first + i + 1,
                                     .item = want.item,
                                     .quantity = want.quantity,
                                     .op = op,
                                     .order = op == FG_OP_ORDER ? 0 : ask->order};
        load_mix_buyer_identity(&client->mix, want.buyer, entry->buyer);
        partition = load_mix_partition(want.buyer, client->partitions);
        struct fg_history_record *record = &history->records[at + i];
        *record = (struct fg_history_record){.request = entry->request,
                                             .item = want.item,
                                             .quantity = want.quantity,
                                             .op = op,
                                             .attempt = ask->sends};
        memcpy(record->buyer, entry->buyer, FG_BUYER_BYTES);
    }
    if (!dispatch(client, &datagram, count, partition))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct load_ask *ask = &client->asks[first + i];
        ask->record = (uint32_t)(at + i);
        if (ask->sends < COPIES_COUNTED)
            ask->sends++;
        if (op == FG_OP_ORDER && ask->copies < COPIES_COUNTED)
            ask->copies++;
    }
    return true;
}

void load_client_start(struct load_client *client)
{
    client->mix.partitions = client->partitions;
    client->start_ns = client->link->now_ns(client->link);
    client->history.header.began_ns = client->origin_ns + client->start_ns;
    load_wheel_advance(&client->wheel, (uint32_t)(client->start_ns / LOAD_MS));
}

void load_client_wind_up(struct load_client *client)
{
    client->requests = client->next;
}

/* Requests `first` on begin their lives: asked in one datagram, the first one leading. */
static bool offer_group(struct load_client *client, uint32_t first, uint32_t count, uint64_t now_ns)
{
    for (uint32_t i = 0; i < count; i++)
        client->asks[first + i] = (struct load_ask){
            .phase = i == 0 ? LOAD_ASKING : LOAD_FOLLOWING, .op = FG_OP_ORDER, .count = 1};
    if (!load_client_send(client, first, count))
        return false;
    for (uint32_t i = 0; i < count; i++)
        client->asks[first + i].first = client->asks[first + i].record;
    client->asks[first].count = (uint8_t)count;
    await(client, first, 0);
    client->stats.offered += count;

    uint64_t scheduled_ns = load_client_scheduled_ns(client, first);
    if (now_ns > scheduled_ns && now_ns - scheduled_ns > client->stats.late_ns_max)
        client->stats.late_ns_max = now_ns - scheduled_ns;
    if (now_ns > scheduled_ns + LATE_NS)
        client->stats.late_requests += count;
    if (load_mix_habits(&client->mix, first).double_click && load_client_send(client, first, count))
        client->stats.double_clicks++;
    return true;
}

unsigned load_client_offer(struct load_client *client, unsigned most)
{
    uint64_t now_ns = client->link->now_ns(client->link);
    unsigned sent = 0;

    for (; sent < most && client->next < client->requests; sent++) {
        uint32_t left = client->requests - client->next;
        uint32_t count = client->mix.batch < left ? client->mix.batch : left;
        bool due = load_client_has_schedule(client)
                       ? load_client_scheduled_ns(client, client->next) <= now_ns
                       : client->pending.count < client->window;
        if (!due || !offer_group(client, client->next, count, now_ns))
            break;
        client->next += count;
    }
    return sent;
}

/* Sends what the ask and its followers want with `op`, for the retries-th time since the last
 * answer, and waits for the answer. Without room nothing changes but that it is tried again. */
static void ask_now(struct load_client *client, uint32_t request, uint8_t op, uint8_t retries,
                    uint64_t *counter)
{
    struct load_ask *ask = &client->asks[request], before = *ask;

    /* A repeat is not the first ORDER of its request. */
    if (ask->op != op)
        ask->sends = op == FG_OP_ORDER;
    ask->op = op;
    ask->phase = LOAD_ASKING;
    ask->retries = retries;
    if (!load_client_send(client, request, ask->count)) {
        *ask = before;
        load_client_arm(client, request, 1);
        return;
    }
    ++*counter;
    await(client, request, retries);
}

/* Nobody answers: the ask is cancelled, unless it was a repeat and the order is known. */
static void give_up(struct load_client *client, uint32_t request)
{
    struct load_ask *ask = &client->asks[request];

    load_client_part(client, request);
    if (ask->op == FG_OP_ORDER && ask->order != 0)
        load_client_finish(client, request);
    else
        ask_now(client, request, FG_OP_CANCEL, 0, &client->stats.given_up);
}

/* At the cap whatever was sent before waits for another turn, with the jitter of a retry. */
static bool held_back(struct load_client *client, uint32_t request)
{
    enum load_phase phase = (enum load_phase)client->asks[request].phase;

    if (client->resend_cap == 0 || client->under_way < client->resend_cap ||
        (phase != LOAD_ASKING && phase != LOAD_WAITING && phase != LOAD_LINGERING))
        return false;
    client->stats.held_back++;
    load_client_arm(client, request, load_retry_wait_ms(0, load_client_random(client)));
    return true;
}

static void expire(struct load_client *client, uint32_t request)
{
    struct load_ask *ask = &client->asks[request];
    struct load_stats *stats = &client->stats;

    load_client_land(client, request);
    if (held_back(client, request))
        return;
    switch ((enum load_phase)ask->phase) {
    case LOAD_ASKING:
        if (ask->retries < LOAD_RETRIES_MAX)
            ask_now(client, request, ask->op, ask->retries + 1, &stats->retransmissions);
        else if (ask->op == FG_OP_CANCEL)
            ask_now(client, request, ask->op, ask->retries, &stats->retransmissions);
        else
            give_up(client, request);
        break;
    case LOAD_WAITING:
        ask_now(client, request, ask->op, 0, &stats->told_to_wait);
        break;
    case LOAD_LINGERING:
        give_up(client, request);
        break;
    case LOAD_THINKING:
        if (load_mix_habits(&client->mix, request).plan == LOAD_PLAN_CONFIRM)
            ask_now(client, request, FG_OP_CONFIRM, 0, &stats->confirms);
        else
            ask_now(client, request, FG_OP_CANCEL, 0, &stats->cancels);
        break;
    case LOAD_RESTING:
        ask_now(client, request, FG_OP_ORDER, 0, &stats->repeats);
        break;
    case LOAD_UNSENT:
    case LOAD_FOLLOWING:
    case LOAD_DONE:
        assert(!"a timer runs only in the phases above");
    }
}

/* Answers that are still out after FORGET_NS are not waited for any more: names must not fill the
 * table. Records lie in the order of time. */
static void forget_old(struct load_client *client, uint64_t now_ns)
{
    const struct fg_history *history = &client->history;
    uint64_t wall_ns = client->origin_ns + now_ns;

    for (; client->forgotten < history->header.records; client->forgotten++) {
        const struct fg_history_record *record = &history->records[client->forgotten];
        if (record->sent_ns + FORGET_NS > wall_ns)
            return;
        struct load_pending_entry *entry = load_pending_find(&client->pending, record->sent_ns);
        if (entry)
            load_pending_remove(&client->pending, entry);
    }
}

unsigned load_client_tick(struct load_client *client, unsigned most)
{
    uint64_t now_ns = client->link->now_ns(client->link);
    uint32_t now_ms = (uint32_t)(now_ns / LOAD_MS);
    unsigned done = 0;

    if (now_ms != client->wheel.tick) {
        load_wheel_advance(&client->wheel, now_ms);
        forget_old(client, now_ns);
        if (client->ping_wanted && load_client_ping(client))
            client->ping_wanted = false;
    }
    for (; done < most; done++) {
        uint32_t request = load_wheel_take(&client->wheel);
        if (request == LOAD_WHEEL_NONE)
            break;
        expire(client, request);
    }
    return done;
}
