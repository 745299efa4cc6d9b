/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/clients.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "perf/load/retry.h"
#include "tests/sim/world.h"

#define REFUSALS_MAX 12 /* told to wait so often, a client gives up */
#define WAIT_MAX_MS  3000

/* --- Beginning --- */

static struct client_request *new_request(struct world *world)
{
    struct sim_clients *clients = &world->clients;

    if (clients->requests_count == clients->requests_capacity) {
        clients->requests_capacity = clients->requests_capacity * 2 + 64;
        clients->requests =
            realloc(clients->requests, clients->requests_capacity * sizeof(*clients->requests));
        assert(clients->requests);
    }
    struct client_request *request = &clients->requests[clients->requests_count++];
    *request = (struct client_request){
        .request = clients->requests_count, .op = FG_OP_ORDER, .send_at_ns = world->now_ns};
    clients->unsettled++;
    return request;
}

static void begin_request(struct world *world)
{
    const struct sim_profile *p = &world->profile;
    struct client_request *request = new_request(world);
    unsigned item = (unsigned)random_below(&world->random, p->items);
    uint64_t buyer = random_below(&world->random, p->buyers) + 1;

    memcpy(request->buyer, &buyer, sizeof(buyer));
    request->item = item + 1;
    request->quantity = (uint16_t)random_between(&world->random, 1, p->item[item].max_per_order);
    request->plan = (uint8_t)random_below(&world->random, PLAN_QUERY + 1);
    request->repeats = (uint32_t)random_below(&world->random, 3);
}

void clients_close_item(struct world *world, uint32_t item, uint16_t quantity)
{
    struct client_request *request = new_request(world);
    uint64_t buyer = 1000000 + world->clients.requests_count;

    memcpy(request->buyer, &buyer, sizeof(buyer));
    request->item = item;
    request->quantity = quantity;
    request->plan = PLAN_CONFIRM;
    request->closing = true;
}

/* --- Sending --- */

static struct fg_history_record *new_record(struct sim_clients *clients)
{
    struct fg_history *history = &clients->history;

    if (history->header.records == history->capacity) {
        history->capacity = history->capacity * 2 + 256;
        history->records = realloc(history->records, history->capacity * sizeof(*history->records));
        assert(history->records);
    }
    return &history->records[history->header.records++];
}

static void write_down(struct world *world, const struct client_request *request, uint64_t at_ns)
{
    *new_record(&world->clients) = (struct fg_history_record){
        .sent_ns = at_ns,
        .request = request->request,
        .item = request->item,
        .quantity = request->quantity,
        .op = request->op,
        .attempt =
            (uint8_t)(request->attempts[request->op] < 255 ? request->attempts[request->op] : 255),
    };
    struct fg_history *history = &world->clients.history;
    memcpy(history->records[history->header.records - 1].buyer, request->buyer, FG_BUYER_BYTES);
    event(world, SIM_EVENT_ASK, request->buyer[0] | (uint64_t)request->buyer[1] << 8,
          request->request, (uint64_t)request->item << 16 | request->quantity);
}

/* Notes that a copy left, and when the next one is due. */
static void note_copy(struct world *world, struct client_request *request)
{
    uint32_t wait_ms = load_retry_wait_ms(request->copies, random_word(&world->random));

    request->attempts[request->op]++;
    request->copies++;
    request->send_at_ns = world->now_ns + wait_ms * SIM_MS;
}

static struct client_datagram *new_datagram(struct sim_clients *clients)
{
    if (clients->datagrams_count == clients->datagrams_capacity) {
        clients->datagrams_capacity = clients->datagrams_capacity * 2 + 256;
        clients->datagrams =
            realloc(clients->datagrams, clients->datagrams_capacity * sizeof(*clients->datagrams));
        assert(clients->datagrams);
    }
    return &clients->datagrams[clients->datagrams_count++];
}

static bool due(const struct world *world, const struct client_request *request)
{
    return request->op != 0 && request->send_at_ns <= world->now_ns;
}

/* Sends the request's entry, and those of the same buyer that are due as well. */
static void send(struct world *world, uint32_t first)
{
    struct sim_clients *clients = &world->clients;
    struct client_datagram *datagram = new_datagram(clients);
    uint8_t payload[FG_REQUEST_BYTES(NET_ENTRIES_MAX)];
    uint64_t clock_ns = SIM_WALL_NS + world->now_ns;

    clients->last_time_ns = clock_ns > clients->last_time_ns ? clock_ns : clients->last_time_ns + 1;
    *datagram = (struct client_datagram){.time_ns = clients->last_time_ns,
                                         .record = clients->history.header.records};
    for (uint32_t i = first; i < clients->requests_count && datagram->count < NET_ENTRIES_MAX;
         i++) {
        struct client_request *request = &clients->requests[i];
        if (!due(world, request) ||
            memcmp(request->buyer, clients->requests[first].buyer, FG_BUYER_BYTES) != 0)
            continue;
        struct fg_request entry = {.request = request->request,
                                   .item = request->item,
                                   .quantity = request->quantity,
                                   .op = request->op,
                                   .order = random_below(&world->random, 2) ? request->order : 0};
        if (request->op == FG_OP_ORDER)
            entry.order = 0;
        memcpy(entry.buyer, request->buyer, FG_BUYER_BYTES);
        memcpy(payload + FG_REQUEST_BYTES(datagram->count), &entry, sizeof(entry));
        write_down(world, request, clock_ns);
        note_copy(world, request);
        datagram->requests[datagram->count++] = i;
    }
    struct fg_header header = {.magic = {FG_MAGIC_0, FG_MAGIC_1},
                               .version = FG_VERSION,
                               .type = FG_TYPE_REQUEST,
                               .count = datagram->count,
                               .key_id = SIM_KEY,
                               .time_ns = datagram->time_ns};
    uint32_t length = (uint32_t)FG_REQUEST_BYTES(header.count);
    memcpy(payload, &header, sizeof(header));
    header.mac = fg_payload_mac(sim_secret, payload, length);
    memcpy(payload, &header, sizeof(header));
    world->stats->datagrams++;
    event(world, SIM_EVENT_SEND, header.time_ns, header.count, clients->requests[first].op);
    network_send(world, true, payload, length);
}

/* --- What answers lead to --- */

static void ask_next(struct world *world, struct client_request *request, unsigned op,
                     uint64_t wait_ns)
{
    if (request->op == 0 && op != 0)
        world->clients.unsettled++;
    if (request->op != 0 && op == 0)
        world->clients.unsettled--;
    request->op = (uint8_t)op;
    request->copies = 0;
    request->refusals = 0;
    request->send_at_ns = world->now_ns + wait_ns;
}

static void settle(struct world *world, struct client_request *request)
{
    if (request->repeats == 0) {
        ask_next(world, request, 0, 0);
        return;
    }
    request->repeats--;
    unsigned op = random_below(&world->random, 2) ? FG_OP_QUERY : FG_OP_ORDER;
    /* What was refused or is void must not be asked for anew. */
    if (request->order == 0 || request->gave_up)
        op = FG_OP_QUERY;
    ask_next(world, request, op, random_scaled(&world->random, SIM_MS, 10 * SIM_S));
}

static void give_up(struct world *world, struct client_request *request)
{
    event(world, SIM_EVENT_GIVE_UP, request->request, 0, 0);
    request->gave_up = true;
    ask_next(world, request, FG_OP_CANCEL, 0);
}

/* After ADMITTED: what the plan says. */
static void go_on(struct world *world, struct client_request *request, uint32_t left_ms)
{
    struct sim_random *random = &world->random;
    unsigned op = request->plan == PLAN_CANCEL                   ? FG_OP_CANCEL
                  : request->plan == PLAN_QUERY                  ? FG_OP_QUERY
                  : request->held && request->plan != PLAN_LEAVE ? FG_OP_CONFIRM
                                                                 : 0;
    uint64_t wait_ns = random_scaled(random, 10000, (left_ms + 1) * SIM_MS);

    if (request->plan == PLAN_CONFIRM_LATE && request->held)
        wait_ns = (left_ms + 1) * SIM_MS + random_scaled(random, 10000, 5 * SIM_S);
    if (request->closing)
        wait_ns = 0;
    if (op == 0) {
        settle(world, request);
        return;
    }
    if (request->plan != PLAN_CANCEL)
        request->plan = PLAN_LEAVE;
    ask_next(world, request, op, wait_ns);
}

/* An answer that tells what became of the order. */
static void told(struct world *world, struct client_request *request, const struct fg_reply *reply)
{
    bool first = request->told == 0;

    request->told = reply->verdict;
    request->held = reply->verdict == FG_VERDICT_ADMITTED && (reply->flags & FG_HELD);
    if (reply->order != 0)
        request->order = reply->order;
    else
        request->told_void = true;
    if (reply->verdict == FG_VERDICT_ADMITTED && request->op == FG_OP_ORDER && first)
        go_on(world, request, reply->wait_ms);
    else if (reply->verdict == FG_VERDICT_ADMITTED && request->op == FG_OP_QUERY && request->held &&
             request->plan == PLAN_LEAVE && random_below(&world->random, 2))
        ask_next(world, request, FG_OP_CONFIRM, random_scaled(&world->random, 10000, SIM_S));
    else
        settle(world, request);
}

static void wait_and_ask(struct world *world, struct client_request *request,
                         const struct fg_reply *reply)
{
    bool closing = request->op == FG_OP_CANCEL || request->op == FG_OP_CONFIRM || request->closing;

    if (request->refusals++ >= REFUSALS_MAX && !closing) {
        give_up(world, request);
        return;
    }
    /* Who hears BUSY again and again waits longer each time. */
    uint64_t wait_ms = (uint64_t)reply->wait_ms << (request->refusals < 8 ? request->refusals : 8);
    if (wait_ms > WAIT_MAX_MS)
        wait_ms = WAIT_MAX_MS;
    request->copies = 0;
    request->send_at_ns =
        world->now_ns + wait_ms * SIM_MS + random_below(&world->random, 5 * SIM_MS) + 1;
}

/* Some do as they are told; others ask again at once. What is refused pays nothing, so their turn
 * comes, too. */
static void throttled(struct world *world, struct client_request *request,
                      const struct fg_reply *reply)
{
    world->stats->throttled++;
    if (random_below(&world->random, 10) < world->profile.hammering) {
        request->copies = 0;
        request->send_at_ns = world->now_ns + random_below(&world->random, 5 * SIM_MS) + 1;
    } else {
        wait_and_ask(world, request, reply);
    }
}

static void hear(struct world *world, struct client_request *request, const struct fg_reply *reply)
{
    switch (reply->verdict) {
    case FG_VERDICT_ADMITTED:
    case FG_VERDICT_CONFIRMED:
    case FG_VERDICT_CANCELLED:
    case FG_VERDICT_EXPIRED:
        told(world, request, reply);
        break;
    case FG_VERDICT_BUSY:
    case FG_VERDICT_ALL_HELD:
    case FG_VERDICT_NOT_OPEN:
    case FG_VERDICT_PAUSED:
        wait_and_ask(world, request, reply);
        break;
    case FG_VERDICT_THROTTLED:
        throttled(world, request, reply);
        break;
    default:
        request->refusal = reply->verdict;
        if (request->op == FG_OP_ORDER && request->copies > 1)
            give_up(world, request); /* a copy may still be admitted */
        else
            settle(world, request);
    }
}

/* --- Hearing --- */

static struct client_datagram *find_datagram(struct sim_clients *clients, uint64_t time_ns)
{
    uint32_t low = 0, high = clients->datagrams_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (clients->datagrams[middle].time_ns < time_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low < clients->datagrams_count && clients->datagrams[low].time_ns == time_ns
               ? &clients->datagrams[low]
               : NULL;
}

const struct fg_history_record *clients_asked(struct world *world, uint64_t time_ns)
{
    const struct client_datagram *datagram = find_datagram(&world->clients, time_ns);

    return datagram ? &world->clients.history.records[datagram->record] : NULL;
}

/* A second answer comes of a doubled request, and is written down as that of a second send. */
static struct fg_history_record *record_for(struct sim_clients *clients,
                                            const struct client_datagram *datagram, unsigned i)
{
    uint64_t place = datagram->record + i;

    if (!datagram->answered)
        return &clients->history.records[place];
    struct fg_history_record *record = new_record(clients);
    const struct fg_history_record *sent = &clients->history.records[place];
    *record = (struct fg_history_record){.sent_ns = sent->sent_ns,
                                         .request = sent->request,
                                         .item = sent->item,
                                         .quantity = sent->quantity,
                                         .op = sent->op,
                                         .attempt = 255};
    memcpy(record->buyer, sent->buyer, FG_BUYER_BYTES);
    return record;
}

static void hear_datagram(struct world *world, const uint8_t *payload)
{
    struct sim_clients *clients = &world->clients;
    struct fg_header header;

    memcpy(&header, payload, sizeof(header));
    struct client_datagram *datagram = find_datagram(clients, header.time_ns);
    if (!datagram || datagram->count != header.count) {
        world_fail(world, "an answer names no datagram that was sent");
        return;
    }
    world->stats->answers++;
    for (unsigned i = 0; i < header.count; i++) {
        struct fg_reply reply;
        memcpy(&reply, payload + FG_REPLY_BYTES(i), sizeof(reply));
        struct client_request *request = &clients->requests[datagram->requests[i]];
        struct fg_history_record *record = record_for(clients, datagram, i);
        if (reply.request != request->request)
            world_fail(world, "request %llu was answered in the place of request %llu",
                       (unsigned long long)reply.request, (unsigned long long)request->request);
        record->replied_ns = SIM_WALL_NS + world->now_ns;
        record->order = reply.order;
        record->verdict = reply.verdict;
        record->flags = reply.flags;
        record->available = reply.available;
        world->stats->verdicts[reply.verdict]++;
        event(world, SIM_EVENT_ANSWER, request->request, reply.verdict, reply.order);
        /* The answer to an op that the client has left behind changes nothing for it. */
        if (!datagram->answered && record->op == request->op)
            hear(world, request, &reply);
    }
    datagram->answered = true;
}

/* --- The step --- */

void clients_step(struct world *world)
{
    struct sim_clients *clients = &world->clients;
    struct sim_packet *packet;

    while ((packet = network_take(world, false, 0, 0)) != NULL) {
        hear_datagram(world, packet->payload);
        free(packet);
    }
    if (world->now_ns >= clients->next_request_ns && !world->healed &&
        clients->requests_count < world->profile.requests) {
        begin_request(world);
        clients->next_request_ns =
            world->now_ns + random_scaled(&world->random, 1, 2 * world->profile.arrival_ns);
    }
    for (uint32_t i = 0; i < clients->requests_count; i++) {
        struct client_request *request = &clients->requests[i];
        if (!due(world, request))
            continue;
        if (request->op != FG_OP_CANCEL && request->copies > LOAD_RETRIES_MAX && !request->closing)
            give_up(world, request);
        send(world, i);
    }
}

void clients_ask_again(struct world *world)
{
    struct sim_clients *clients = &world->clients;

    for (uint32_t i = 0; i < clients->requests_count; i++) {
        struct client_request *request = &clients->requests[i];
        if (request->order == 0)
            continue;
        request->repeats = 0;
        request->closing = true; /* asks until it is told */
        ask_next(world, request, FG_OP_QUERY, 0);
    }
}

uint64_t clients_next_ns(const struct world *world)
{
    const struct sim_clients *clients = &world->clients;
    uint64_t next = UINT64_MAX;

    for (uint32_t i = 0; i < clients->requests_count; i++)
        if (clients->requests[i].op != 0 && clients->requests[i].send_at_ns < next)
            next = clients->requests[i].send_at_ns;
    if (!world->healed && clients->requests_count < world->profile.requests &&
        clients->next_request_ns < next)
        next = clients->next_request_ns;
    return next;
}
