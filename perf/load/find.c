/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding the engine, at first and when it has been away. */
#include <sched.h>
#include <time.h>

#include "flashgate/exit_status.h"
#include "perf/load/load.h"

#define FIND_NS    (200 * LOAD_MS) /* between questions for the engine */
#define SILENCE_NS (100 * LOAD_MS) /* after so long it is asked */

#define ECHO_PARTITIONS 64 /* as --echo's help says */

/* Asks until `known` is set, by ARP or PING. */
static int find(struct load *load, const bool *known, bool ping, const char *sentence)
{
    uint64_t end_ns = load_now_ns(load) + load->options.timeout * LOAD_SECOND_NS, ask_ns = 0;

    while (!*known) {
        uint64_t now = load_now_ns(load);
        if (load_interrupts || now > end_ns)
            return load_fail(load, FG_EXIT_NETWORK, sentence);
        if (now >= ask_ns) {
            if (ping)
                load_client_ping(&load->client);
            else
                load_port_ask_target(&load->port);
            ask_ns = now + FIND_NS;
        }
        load_port_flush(&load->port);
        if (load_port_receive(&load->port) == 0)
            sched_yield();
    }
    return FG_EXIT_OK;
}

/* An echo tells nothing: its frames are for an engine as it is by default, at a MAC of nobody. */
static void expect_echo(struct load *load)
{
    load->port.wire.target_mac = (struct rte_ether_addr){{0x02, 0, 0, 0, 0, 1}};
    load->client.partitions = ECHO_PARTITIONS;
    load->client.workers = 1;
}

int load_find_engine(struct load *load)
{
    const struct load_client *client = &load->client;
    struct load_port *port = &load->port;
    if (load->options.echo) {
        expect_echo(load);
        return FG_EXIT_OK;
    }
    int status = find(load, &port->wire.target_known, false,
                      "nobody tells the MAC of --target; is the engine running, on this wire, with "
                      "that address?");

    if (status == FG_EXIT_OK)
        status =
            find(load, &client->ponged, true,
                 "the engine tells its MAC but does not answer PING; compare --base-port, "
                 "--key-file, --key and that key's sources with its configuration, and both "
                 "machines' clocks; flashgatectl lists check tells whether --source is blocked");
    if (status != FG_EXIT_OK)
        return status;
    port->target_base_port = client->base_port;
    return FG_EXIT_OK;
}

void load_watch_engine(struct load *load, uint64_t now)
{
    struct load_client *client = &load->client;

    load_port_watch(&load->port);
    uint64_t heard = client->stats.received + load->stateless.stats.received;
    if (heard != load->heard) {
        load->heard = heard;
        load->heard_ns = now;
    } else if (!load->options.echo && now - load->heard_ns >= SILENCE_NS) {
        load_port_ask_target(&load->port);
        (void)load_client_ping(client);
    }
}

void load_give_way(const struct load *load)
{
    static const struct timespec moment = {.tv_nsec = 50000};

    if (load->options.sleep)
        nanosleep(&moment, NULL);
    else
        sched_yield();
}
