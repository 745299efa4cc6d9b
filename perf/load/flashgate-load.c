/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flashgate-load: the traffic generator. One thread: it starts the port, finds the engine (ARP,
 * then PING), plays the buyers until every request has come to its end or the time is up, and
 * writes history and report. An engine that goes away is waited for: the same buyers go on with the
 * next one.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "flashgate/exit_status.h"
#include "flashgate/version.h"
#include "perf/load/hgrm.h"
#include "perf/load/load.h"
#include "perf/load/report.h"

static void interrupt(int number)
{
    (void)number;
    load_interrupts++;
}

/* Tells what went wrong since the last time, if anything did. */
static void complain(struct load *load)
{
    if (load->message[0] != '\0')
        fprintf(stderr, "flashgate-load: %s\n", load->message);
    load->message[0] = '\0';
}

/* Writes what was asked for, whatever the run came to. */
static int write_results(struct load *load)
{
    const struct load_options *options = &load->options;
    struct load_client *client = &load->client;
    struct load_report report;
    int failed = 0;

    if (load_report_make(&report, client) < 0)
        return load_fail(load, FG_EXIT_MEMORY, "no memory for the report");
    report.hostile = options->hostile ? &load->hostile : NULL;
    load->effort.bursts = load->port.bursts;
    load->effort.full_bursts = load->port.full_bursts;
    report.effort = &load->effort;
    load_report_print(&report, client, stdout);
    if (options->history) {
        failed = fg_history_save(&client->history, options->history);
        if (failed < 0)
            load_fail_to_write(load, "history", options->history, failed);
    }
    if (failed == 0 && options->report) {
        failed = load_report_save(&report, client, options->report);
        if (failed < 0)
            load_fail_to_write(load, "report", options->report, failed);
    }
    if (failed == 0 && options->hgrm) {
        failed = load_hgrm_save(&client->latency, options->hgrm);
        if (failed < 0)
            load_fail_to_write(load, "latencies", options->hgrm, failed);
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

static int play(struct load *load)
{
    int status = load_port_open(&load->port, &load->options, &load->client, load->message,
                                sizeof(load->message));

    if (status == FG_EXIT_OK)
        status = load_find_engine(load);
    if (status == FG_EXIT_OK && load->options.stateless) {
        status = load_play_stateless(load);
        if (status == FG_EXIT_OK)
            status = load_write_stateless(load);
    } else if (status == FG_EXIT_OK) {
        status = load_play(load);
        if (status == FG_EXIT_OK)
            status = write_results(load);
    }
    load_port_close(&load->port);
    return status;
}

static int run(struct load *load)
{
    int status = FG_EXIT_OK;

    if (load->options.goodput) {
        int error = load_goodput_open(&load->goodput, load->options.goodput);
        if (error < 0) {
            load_fail_to_write(load, "goodput", load->options.goodput, error);
            status = FG_EXIT_FAILED;
        }
    }
    if (status == FG_EXIT_OK)
        status = load_set_up(load);
    if (status == FG_EXIT_OK)
        status = play(load);
    int failed = load_goodput_close(&load->goodput);
    if (failed < 0 && status == FG_EXIT_OK) {
        load_fail_to_write(load, "goodput", load->options.goodput, failed);
        status = FG_EXIT_FAILED;
    }
    load_unset(load);
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
