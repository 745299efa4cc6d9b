/* SPDX-License-Identifier: BSD-3-Clause */
/* The loop of a run: every request to its end. */
#include <sched.h>
#include <stdio.h>

#include "flashgate/exit_status.h"
#include "perf/load/load.h"

#define CHECK_NS        (50 * LOAD_MS)  /* between looks whether the engine is there */
#define STRAGGLERS_NS   (100 * LOAD_MS) /* after the end, for answers to double clicks */
#define OFFER_AT_ONCE   32
#define TIMERS_AT_ONCE  64
#define HOSTILE_AT_ONCE 128

static void print_progress(const struct load *load, uint64_t elapsed_ns, uint64_t answered_before)
{
    const struct load_client *client = &load->client;
    const struct load_stats *stats = &client->stats;

    fprintf(stderr,
            "%4lu s  offered %10lu  answered %10lu (%8lu/s)  admitted %8lu  under way %7lu  "
            "retransmissions %lu\n",
            elapsed_ns / LOAD_SECOND_NS, stats->offered, stats->answered,
            stats->answered - answered_before, stats->admitted, client->pending.count,
            stats->retransmissions);
}

/* What the turn was like, for the generator's own limits. */
static void note_turn(struct load *load, bool worked)
{
    const struct load_client *client = &load->client;
    uint64_t now = load_now_ns(load);
    bool more = client->next < client->requests;

    load_effort_turn(
        &load->effort, now,
        &(struct load_turn){
            .worked = worked,
            .late = more && load_client_has_schedule(client) &&
                    load_client_scheduled_ns(client, client->next) + LOAD_MS < now,
            .held = load_port_is_full(&load->port) ||
                    (!load_client_has_schedule(client) && client->pending.count >= client->window),
            .sent = client->stats.offered});
}

/* One turn of the loop; false when there was nothing to do. */
static bool turn(struct load *load)
{
    unsigned work = load_port_receive(&load->port);

    work += load_client_tick(&load->client, TIMERS_AT_ONCE);
    work += load_client_offer(&load->client, OFFER_AT_ONCE);
    work += load_hostile_play(&load->hostile, load_now_ns(load), HOSTILE_AT_ONCE);
    load_port_flush(&load->port);
    note_turn(load, work > 0);
    return work > 0;
}

/* The schedules begin now. */
static int begin(struct load *load)
{
    struct load_hostile *hostile = &load->hostile;
    struct load_port *port = &load->port;

    if (load_mix_steer(&load->client.mix, load->client.partitions) < 0)
        return load_fail(load, FG_EXIT_MEMORY, "no memory to draw buyers from");
    load_client_start(&load->client);
    if (!load->options.hostile)
        return FG_EXIT_OK;
    hostile->link = &port->hostile_link;
    port->hostile = hostile;
    if (load_hostile_start(hostile, &port->wire, port->target_base_port) < 0)
        return load_fail(load, FG_EXIT_MEMORY, "no memory for the hostile traffic");
    /* That took a while, which is none of the schedule's. */
    load_client_start(&load->client);
    return FG_EXIT_OK;
}

/* Plays until everything is over or the time is up. */
static void play_on(struct load *load)
{
    struct load_client *client = &load->client;
    uint64_t start_ns = client->start_ns, answered = 0;
    uint64_t second_ns = start_ns + LOAD_SECOND_NS, check_ns = start_ns + CHECK_NS;

    while (!load_client_done(client) && load_interrupts < 2) {
        if (!turn(load))
            load_give_way(load);
        if (load_interrupts && client->next < client->requests)
            load_client_wind_up(client);
        uint64_t now = load_now_ns(load);
        load_goodput_tick(&load->goodput, client, now);
        if (now - start_ns > load->options.timeout * LOAD_SECOND_NS)
            break;
        if (now >= check_ns) {
            load_watch_engine(load, now);
            check_ns = now + CHECK_NS;
        }
        if (load->options.progress && now >= second_ns) {
            print_progress(load, now - start_ns, answered);
            answered = client->stats.answered;
            second_ns += LOAD_SECOND_NS;
        }
    }
    for (uint64_t end_ns = load_now_ns(load) + STRAGGLERS_NS;
         client->pending.count > 0 && load_now_ns(load) < end_ns;)
        if (load_port_receive(&load->port) == 0)
            sched_yield();
}

int load_play(struct load *load)
{
    int status = begin(load);

    if (status == FG_EXIT_OK)
        play_on(load);
    return status;
}
