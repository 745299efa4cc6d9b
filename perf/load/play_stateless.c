/* SPDX-License-Identifier: BSD-3-Clause */
/* The loop of a run that remembers no request, and what it came to. */
#include <errno.h>
#include <stdio.h>

#include <rte_pause.h>

#include "flashgate/exit_status.h"
#include "perf/load/hgrm.h"
#include "perf/load/load.h"
#include "perf/load/stateless_port.h"
#include "perf/load/stateless_report.h"

#define CHECK_NS      (50 * LOAD_MS)   /* between looks whether the engine is there */
#define STRAGGLERS_NS (1000 * LOAD_MS) /* of silence at the end, after which no answer comes */
#define LOOK_EVERY    64               /* turns between looks at the clock's rarer uses */
#define SPINS         32               /* turns without work before the core is offered to others */

static struct load_stateless_port ours; /* one generator a process; too large for a stack */

static int begin(struct load *load)
{
    struct load_stateless *stateless = &load->stateless;
    int status = load_mix_steer(&load->client.mix, load->client.partitions);

    if (status == -ERANGE) {
        snprintf(
            load->message, sizeof(load->message),
            "--buyers %u are too few for each to ask in turn; give %u (--batch for each of the "
            "engine's %u partitions) or more",
            load->client.mix.buyers, load->client.mix.batch * load->client.partitions,
            load->client.partitions);
        return FG_EXIT_USAGE;
    }
    stateless->origin_ns = load->client.origin_ns;
    if (status < 0 || load_stateless_init(stateless, load_now_ns(load)) < 0)
        return load_fail(load, FG_EXIT_MEMORY,
                         "no memory for the datagrams; give a smaller --pool");
    load->port.stateless = stateless;
    load_stateless_port_init(&ours, &load->port, stateless);
    load_stateless_start(stateless, load_now_ns(load));
    load->client.start_ns = stateless->start_ns;
    return FG_EXIT_OK;
}

/* After many turns without work in a row, whoever shares the core may have it. */
static void rest(struct load *load, bool worked)
{
    static unsigned empty;

    if (worked) {
        empty = 0;
    } else if (load->options.sleep || ++empty > SPINS) {
        load_give_way(load);
        empty = 0;
    } else {
        rte_pause();
    }
}

/* One turn of the loop, which began at `now`; when it ended. To rest is a part of it: who waits for
 * the wire to have room does so. */
static uint64_t turn(struct load *load, uint64_t now, bool sending)
{
    struct load_stateless *stateless = &load->stateless;
    struct load_stateless_turn did = load_stateless_port_turn(&ours, now, sending);
    bool worked = did.received + did.sent > 0;
    bool held = load_port_is_full(&load->port) || load->port.unplugged;
    bool late = stateless->schedule && load_stateless_behind_ns(stateless, now) >= LOAD_MS;

    rest(load, worked);
    now = load_now_ns(load);
    if (sending)
        load_effort_turn(&load->effort, now,
                         &(struct load_turn){.worked = worked || held,
                                             .late = late,
                                             .held = held,
                                             .sent = stateless->stats.sent});
    return now;
}

/* What is shown while it runs reads the client's counts. */
static void show(struct load *load, uint64_t now, uint64_t *second_ns, uint64_t *answered)
{
    const struct load_stateless_stats *stats = &load->stateless.stats;
    struct load_stats *shown = &load->client.stats;

    shown->offered = stats->sent;
    shown->sent = stats->sent_frames;
    shown->answered = stats->answered;
    shown->admitted = stats->admitted;
    shown->answers[FG_VERDICT_BUSY] = stats->answers[FG_VERDICT_BUSY];
    load_goodput_tick(&load->goodput, &load->client, now);
    if (!load->options.progress || now < *second_ns)
        return;
    fprintf(stderr, "%4lu s  sent %12lu  answered %12lu (%10lu/s)  late %lu\n",
            (now - load->stateless.start_ns) / LOAD_SECOND_NS, stats->sent, stats->answered,
            stats->answered - *answered, stats->late);
    *answered = stats->answered;
    *second_ns += LOAD_SECOND_NS;
}

/* A few times a second, and what is shown. */
static void attend(struct load *load, uint64_t now, uint64_t *check_ns)
{
    if (now < *check_ns)
        return;
    *check_ns = now + CHECK_NS;
    load_watch_engine(load, now);
    load_stateless_port_init(&ours, &load->port, &load->stateless);
}

/* Answers that are still to come: until all are here, or it has been silent for long. */
static void wait_for_stragglers(struct load *load)
{
    const struct load_stateless_stats *stats = &load->stateless.stats;
    uint64_t heard_ns = load_now_ns(load), now = heard_ns;

    while (stats->answered < stats->sent && now < heard_ns + STRAGGLERS_NS && load_interrupts < 2) {
        uint64_t received = stats->received;
        now = turn(load, now, false);
        if (stats->received != received)
            heard_ns = now;
    }
}

int load_play_stateless(struct load *load)
{
    const struct load_options *options = &load->options;
    struct load_stateless *stateless = &load->stateless;
    int status = begin(load);

    if (status != FG_EXIT_OK)
        return status;
    uint64_t start_ns = stateless->start_ns, now = start_ns, answered = 0;
    uint64_t length_s = stateless->schedule ? options->timeout : options->duration;
    uint64_t end_ns = start_ns + (length_s > 0 ? length_s : options->timeout) * LOAD_SECOND_NS;
    uint64_t second_ns = start_ns + LOAD_SECOND_NS, check_ns = start_ns + CHECK_NS;

    for (uint64_t turns = 0; !load_stateless_done(stateless) && now < end_ns && !load_interrupts;
         turns++) {
        now = turn(load, now, true);
        if (turns % LOOK_EVERY == 0) {
            attend(load, now, &check_ns);
            show(load, now, &second_ns, &answered);
        }
    }
    stateless->stats.offered = load_stateless_offered(stateless, now);
    stateless->end_ns = now;
    wait_for_stragglers(load);
    return FG_EXIT_OK;
}

int load_write_stateless(struct load *load)
{
    const struct load_options *options = &load->options;
    struct load_stateless_result result;
    int failed = 0;

    load->effort.bursts = load->port.bursts;
    load->effort.full_bursts = load->port.full_bursts;
    load_stateless_result(&result, &load->stateless, &load->client, &load->port, &load->effort);
    load_stateless_print(&result, stdout);
    if (options->report) {
        failed = load_stateless_save(&result, options->report);
        if (failed < 0)
            load_fail_to_write(load, "report", options->report, failed);
    }
    if (failed == 0 && options->hgrm) {
        failed = load_hgrm_save(&load->stateless.latency, options->hgrm);
        if (failed < 0)
            load_fail_to_write(load, "latencies", options->hgrm, failed);
    }
    return failed < 0 ? FG_EXIT_FAILED : FG_EXIT_OK;
}
