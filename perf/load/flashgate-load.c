/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flashgate-load: the traffic generator. One thread: it starts the port, finds the engine (ARP,
 * then PING), plays the buyers until every request has come to its end or the time is up, and
 * writes history and report. An engine that goes away is waited for: the same buyers go on with the
 * next one.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/config/keys.h"
#include "flashgate/exit_status.h"
#include "flashgate/version.h"
#include "perf/load/goodput.h"
#include "perf/load/items.h"
#include "perf/load/options.h"
#include "perf/load/port.h"
#include "perf/load/report.h"

#define SECOND_NS       UINT64_C(1000000000)
#define FIND_NS         (200 * LOAD_MS) /* between questions for the engine */
#define CHECK_NS        (50 * LOAD_MS)  /* between looks whether the engine is there */
#define SILENCE_NS      (100 * LOAD_MS) /* after so long it is asked */
#define STRAGGLERS_NS   (100 * LOAD_MS) /* after the end, for answers to double clicks */
#define OFFER_AT_ONCE   32
#define TIMERS_AT_ONCE  64
#define HOSTILE_AT_ONCE 128

/* Signals that asked us to stop: by the first what is under way comes to its end, by the second
 * nothing is waited for. */
static volatile sig_atomic_t interrupts;

static void interrupt(int number)
{
    (void)number;
    interrupts++;
}

struct load {
    struct load_options options;
    struct load_client client;
    struct load_port port;
    struct load_hostile hostile;
    struct load_goodput goodput;
    char message[512];

    /* of the engine's life */
    uint64_t heard;    /* datagrams received at the last look */
    uint64_t heard_ns; /* when that had grown */
};

static uint64_t now_ns(struct load *load)
{
    return load->port.link.now_ns(&load->port.link);
}

static int fail(struct load *load, int status, const char *sentence)
{
    snprintf(load->message, sizeof(load->message), "%s", sentence);
    return status;
}

/* Tells what went wrong since the last time, if anything did. */
static void complain(struct load *load)
{
    if (load->message[0] != '\0')
        fprintf(stderr, "flashgate-load: %s\n", load->message);
    load->message[0] = '\0';
}

static int read_key(struct load *load)
{
    const struct load_options *options = &load->options;
    struct fg_key_file *keys;
    int status = FG_EXIT_OK;

    if (!options->key_file)
        return FG_EXIT_OK;
    keys = fg_key_file_load(options->key_file, 0, NULL, load->message, sizeof(load->message));
    if (!keys)
        return FG_EXIT_CONFIG;
    int place = fg_keyring_find(&keys->ring, (uint16_t)options->key);
    if (place < 0) {
        snprintf(load->message, sizeof(load->message), "%s has no key %lu; choose one by --key",
                 options->key_file, options->key);
        status = FG_EXIT_CONFIG;
    } else {
        load->client.key_id = (uint16_t)options->key;
        memcpy(load->client.secret, keys->ring.keys[place].secret, FG_SECRET_BYTES);
    }
    fg_key_file_drop(keys);
    return status;
}

/* The client as the options want it. */
static int prepare_client(struct load *load)
{
    const struct load_options *options = &load->options;
    struct load_client *client = &load->client;
    struct load_mix *mix = &client->mix;

    *mix = (struct load_mix){
        .seed = options->seed,
        .buyers = (uint32_t)options->buyers,
        .batch = (uint32_t)options->batch,
        .double_click_permille = (uint32_t)options->double_click,
        .repeat_permille = (uint32_t)options->repeat,
        .confirm_percent = (uint32_t)options->confirm,
        .cancel_percent = (uint32_t)options->cancel,
    };
    client->requests = (uint32_t)options->requests;
    client->rate = options->rate;
    client->window = options->window;
    client->resend_cap = options->resend_cap;
    client->think_ms = (uint32_t)options->think;
    int status = load_items_read(client, options, load->message, sizeof(load->message));
    if (status != FG_EXIT_OK)
        return status;
    if (load_weights_parse(&mix->quantities, options->quantity, FG_QUANTITY_MAX, load->message,
                           sizeof(load->message)) < 0)
        return FG_EXIT_USAGE;
    if (load_client_init(client) < 0)
        return fail(load, FG_EXIT_MEMORY, "no memory for the requests; ask for fewer (--requests)");
    return FG_EXIT_OK;
}

/* The hostile side, if it is wanted. */
static int prepare_hostile(struct load *load)
{
    const struct load_options *options = &load->options;
    struct load_hostile *hostile = &load->hostile;

    if (!options->hostile)
        return FG_EXIT_OK;
    *hostile = (struct load_hostile){
        .client = &load->client,
        .rate = options->hostile_rate,
        .slice_ns = options->hostile_slice * LOAD_MS,
        .first_port = (uint16_t)options->hostile_port,
        .hosts_mask = ~(uint32_t)fg_ip_mask(options->source_bits).low,
    };
    return load_hostile_parse(&hostile->kinds, options->hostile, load->message,
                              sizeof(load->message)) < 0
               ? FG_EXIT_USAGE
               : FG_EXIT_OK;
}

/* Asks until `known` is set, by ARP or PING. */
static int find(struct load *load, const bool *known, bool ping, const char *sentence)
{
    uint64_t end_ns = now_ns(load) + load->options.timeout * SECOND_NS, ask_ns = 0;

    while (!*known) {
        uint64_t now = now_ns(load);
        if (interrupts || now > end_ns)
            return fail(load, FG_EXIT_NETWORK, sentence);
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

static int find_engine(struct load *load)
{
    const struct load_client *client = &load->client;
    struct load_port *port = &load->port;
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

static void print_progress(const struct load *load, uint64_t elapsed_ns, uint64_t answered_before)
{
    const struct load_client *client = &load->client;
    const struct load_stats *stats = &client->stats;

    fprintf(stderr,
            "%4lu s  offered %10lu  answered %10lu (%8lu/s)  admitted %8lu  under way %7lu  "
            "retransmissions %lu\n",
            elapsed_ns / SECOND_NS, stats->offered, stats->answered,
            stats->answered - answered_before, stats->admitted, client->pending.count,
            stats->retransmissions);
}

/* One turn of the loop; false when there was nothing to do. */
static bool turn(struct load *load)
{
    unsigned work = load_port_receive(&load->port);

    work += load_client_tick(&load->client, TIMERS_AT_ONCE);
    work += load_client_offer(&load->client, OFFER_AT_ONCE);
    work += load_hostile_play(&load->hostile, now_ns(load), HOSTILE_AT_ONCE);
    load_port_flush(&load->port);
    return work > 0;
}

/* The engine may have died and another one live in its place, with another MAC and other queues.
 * When nothing is heard, both are asked for. */
static void watch_engine(struct load *load, uint64_t now)
{
    struct load_client *client = &load->client;

    load_port_watch(&load->port);
    if (client->stats.received != load->heard) {
        load->heard = client->stats.received;
        load->heard_ns = now;
    } else if (now - load->heard_ns >= SILENCE_NS) {
        load_port_ask_target(&load->port);
        (void)load_client_ping(client);
    }
}

/* When ahead of the schedule, whoever shares the core may have it. */
static void give_way(const struct load *load)
{
    static const struct timespec moment = {.tv_nsec = 50000};

    if (load->options.sleep)
        nanosleep(&moment, NULL);
    else
        sched_yield();
}

/* The schedules begin now. */
static int begin(struct load *load)
{
    struct load_hostile *hostile = &load->hostile;
    struct load_port *port = &load->port;

    load_client_start(&load->client);
    if (!load->options.hostile)
        return FG_EXIT_OK;
    hostile->link = &port->hostile_link;
    port->hostile = hostile;
    if (load_hostile_start(hostile, &port->wire, port->target_base_port) < 0)
        return fail(load, FG_EXIT_MEMORY, "no memory for the hostile traffic");
    /* That took a while, which is none of the schedule's. */
    load_client_start(&load->client);
    return FG_EXIT_OK;
}

/* Plays until everything is over or the time is up. */
static void play(struct load *load)
{
    struct load_client *client = &load->client;
    uint64_t start_ns = client->start_ns, answered = 0;
    uint64_t second_ns = start_ns + SECOND_NS, check_ns = start_ns + CHECK_NS;

    while (!load_client_done(client) && interrupts < 2) {
        if (!turn(load))
            give_way(load);
        if (interrupts && client->next < client->requests)
            load_client_wind_up(client);
        uint64_t now = now_ns(load);
        load_goodput_tick(&load->goodput, client, now);
        if (now - start_ns > load->options.timeout * SECOND_NS)
            break;
        if (now >= check_ns) {
            watch_engine(load, now);
            check_ns = now + CHECK_NS;
        }
        if (load->options.progress && now >= second_ns) {
            print_progress(load, now - start_ns, answered);
            answered = client->stats.answered;
            second_ns += SECOND_NS;
        }
    }
    for (uint64_t end_ns = now_ns(load) + STRAGGLERS_NS;
         client->pending.count > 0 && now_ns(load) < end_ns;)
        if (load_port_receive(&load->port) == 0)
            sched_yield();
}

static int fail_to_write(struct load *load, const char *what, const char *path, int error)
{
    snprintf(load->message, sizeof(load->message), "%s %s cannot be written: %s", what, path,
             strerror(-error));
    return error;
}

/* Writes what was asked for, whatever the run came to. */
static int write_results(struct load *load)
{
    const struct load_options *options = &load->options;
    struct load_client *client = &load->client;
    struct load_report report;
    int failed = 0;

    if (load_report_make(&report, client) < 0)
        return fail(load, FG_EXIT_MEMORY, "no memory for the report");
    report.hostile = options->hostile ? &load->hostile : NULL;
    load_report_print(&report, client, stdout);
    if (options->history) {
        failed = fg_history_save(&client->history, options->history);
        if (failed < 0)
            fail_to_write(load, "history", options->history, failed);
    }
    if (failed == 0 && options->report) {
        failed = load_report_save(&report, client, options->report);
        if (failed < 0)
            fail_to_write(load, "report", options->report, failed);
    }
    uint64_t unanswered = client->requests - report.answered;
    load_report_free(&report);
    if (failed == 0 && unanswered > 0) {
        snprintf(load->message, sizeof(load->message),
                 "%lu of %u requests have no final answer: the run ended before it", unanswered,
                 client->requests);
        failed = -1;
    }
    return failed < 0 ? FG_EXIT_FAILED : FG_EXIT_OK;
}

static int run(struct load *load)
{
    int status = read_key(load);

    if (status == FG_EXIT_OK && load->options.goodput) {
        int error = load_goodput_open(&load->goodput, load->options.goodput);
        if (error < 0) {
            fail_to_write(load, "goodput", load->options.goodput, error);
            status = FG_EXIT_FAILED;
        }
    }
    if (status == FG_EXIT_OK)
        status = prepare_client(load);
    if (status == FG_EXIT_OK)
        status = prepare_hostile(load);
    if (status == FG_EXIT_OK) {
        status = load_port_open(&load->port, &load->options, &load->client, load->message,
                                sizeof(load->message));
        if (status == FG_EXIT_OK)
            status = find_engine(load);
        if (status == FG_EXIT_OK)
            status = begin(load);
        if (status == FG_EXIT_OK) {
            play(load);
            status = write_results(load);
        }
        load_port_close(&load->port);
    }
    int failed = load_goodput_close(&load->goodput);
    if (failed < 0 && status == FG_EXIT_OK) {
        fail_to_write(load, "goodput", load->options.goodput, failed);
        status = FG_EXIT_FAILED;
    }
    load_hostile_fini(&load->hostile);
    load_client_fini(&load->client);
    load_items_free(&load->client);
    load_weights_fini(&load->client.mix.quantities);
    explicit_bzero(load->client.secret, sizeof(load->client.secret));
    return status;
}

int main(int argc, char **argv)
{
    static struct load load;
    struct sigaction on_stop = {.sa_handler = interrupt};

    /* The engine's end of a shared-memory wire is a socket: when it goes, that is an error to see
     * and no reason to die. */
    signal(SIGPIPE, SIG_IGN);
    sigaction(SIGINT, &on_stop, NULL);
    sigaction(SIGTERM, &on_stop, NULL);
    if (load_options_parse(&load.options, argc, argv, load.message, sizeof(load.message)) < 0) {
        complain(&load);
        return FG_EXIT_USAGE;
    }
    if (load.options.help) {
        load_options_help("flashgate-load");
        return FG_EXIT_OK;
    }
    if (load.options.version) {
        printf("flashgate-load %s\n", FG_VERSION_TEXT);
        return FG_EXIT_OK;
    }
    int status = run(&load);
    complain(&load);
    return status;
}
