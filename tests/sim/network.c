/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/admission/admission.h"
#include "tests/sim/engine.h"
#include "tests/sim/world.h"

const uint8_t sim_secret[FG_SECRET_BYTES] = "the simulator's";

static void put(struct world *world, bool to_engine, bool to_zombie, const uint8_t *payload,
                uint32_t length)
{
    struct sim_network *network = &world->network;
    const struct sim_profile *profile = &world->profile;

    if (network->count == NET_PACKETS) /* a full queue on the way */
        return;
    struct sim_packet *packet = malloc(sizeof(*packet));
    assert(packet && length <= sizeof(packet->payload));
    packet->to_engine = to_engine;
    packet->to_zombie = to_zombie;
    packet->length = length;
    memcpy(packet->payload, payload, length);
    packet->due_ns = world->now_ns + random_scaled(&world->random, 20000, profile->net_delay_ns);
    if (fault_chance(world, profile->net_late)) {
        count_fault(world, SIM_NET_LATE);
        packet->due_ns += random_between(&world->random, SIM_S, 40 * SIM_S);
    }
    network->packets[network->count++] = packet;
}

void network_send(struct world *world, bool to_engine, const uint8_t *payload, uint32_t length)
{
    /* A part of the network still leads to the old engine; it is heard no more. */
    if (to_engine && world->zombie && random_below(&world->random, 2))
        put(world, false, true, payload, length);
    if (fault_chance(world, world->profile.net_loss)) {
        count_fault(world, SIM_NET_LOST);
        return;
    }
    put(world, to_engine, false, payload, length);
    if (fault_chance(world, world->profile.net_double)) {
        count_fault(world, SIM_NET_DOUBLED);
        put(world, to_engine, false, payload, length);
    }
}

/* Whom a datagram is for. */
enum side { CLIENT_SIDE, ENGINE_SIDE, ZOMBIE_SIDE };

static enum side side_of(const struct sim_packet *packet)
{
    return packet->to_zombie ? ZOMBIE_SIDE : packet->to_engine ? ENGINE_SIDE : CLIENT_SIDE;
}

static struct sim_packet *take(struct world *world, enum side side, unsigned worker,
                               unsigned workers)
{
    struct sim_network *network = &world->network;

    for (unsigned i = 0; i < network->count; i++) {
        struct sim_packet *packet = network->packets[i];
        if (side_of(packet) != side || packet->due_ns > world->now_ns)
            continue;
        if (workers > 0) {
            int partition = fg_payload_partition(packet->payload, SIM_PARTITIONS);
            if (partition >= 0 && (unsigned)partition % workers != worker)
                continue;
        }
        network->packets[i] = network->packets[--network->count];
        return packet;
    }
    return NULL;
}

struct sim_packet *network_take(struct world *world, bool to_engine, unsigned worker,
                                unsigned workers)
{
    return take(world, to_engine ? ENGINE_SIDE : CLIENT_SIDE, worker, workers);
}

struct sim_packet *network_take_zombie(struct world *world, unsigned worker, unsigned workers)
{
    return take(world, ZOMBIE_SIDE, worker, workers);
}

void network_drop(struct world *world)
{
    struct sim_packet *packet;

    while ((packet = network_take(world, true, 0, 0)) != NULL)
        free(packet);
}

void network_drop_zombie(struct world *world)
{
    struct sim_network *network = &world->network;

    for (unsigned i = network->count; i-- > 0;)
        if (network->packets[i]->to_zombie) {
            free(network->packets[i]);
            network->packets[i] = network->packets[--network->count];
        }
}

uint64_t network_next_ns(const struct world *world)
{
    uint64_t next = UINT64_MAX;

    for (unsigned i = 0; i < world->network.count; i++)
        if (world->network.packets[i]->due_ns < next)
            next = world->network.packets[i]->due_ns;
    return next;
}
