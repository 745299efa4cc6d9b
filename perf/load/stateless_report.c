/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/stateless_report.h"

#include <rte_ethdev.h>

#include "perf/load/report_json.h"

/* As many of what is left as the cause explains. */
static uint64_t share_out(uint64_t *left, uint64_t wanted)
{
    uint64_t taken = wanted < *left ? wanted : *left;

    *left -= taken;
    return taken;
}

void load_stateless_account(struct load_stateless_result *result, uint64_t unsent_frames,
                            uint64_t missed_frames)
{
    const struct load_stateless_stats *stats = &result->load->stats;
    uint64_t batch = result->load->mix->batch, dropped = 0;

    for (unsigned drop = 0; drop < LOAD_DROP_COUNT; drop++)
        dropped += result->drops[drop];
    result->offered = stats->offered;
    result->surplus = stats->answered > stats->offered ? stats->answered - stats->offered : 0;
    result->answered = stats->answered - result->surplus;
    result->lost = result->offered - result->answered;
    uint64_t left = result->lost;
    struct load_losses *losses = &result->losses;
    losses->not_sent = share_out(&left, stats->offered - stats->sent + unsent_frames * batch);
    losses->unplugged = share_out(&left, result->port ? result->port->lost * batch : 0);
    losses->dropped = share_out(&left, dropped * batch);
    losses->missed = share_out(&left, missed_frames * batch);
    losses->unanswered = left;
}

void load_stateless_result(struct load_stateless_result *result, const struct load_stateless *load,
                           const struct load_client *client, const struct load_port *port,
                           const struct load_effort *effort)
{
    struct rte_eth_stats port_stats = {0};
    uint64_t unsent = 0;

    *result = (struct load_stateless_result){
        .load = load, .client = client, .port = port, .effort = effort};
    for (unsigned drop = 0; drop < LOAD_DROP_COUNT; drop++)
        result->drops[drop] = load->stats.drops[drop] + client->stats.drops[drop];
    for (uint16_t queue = 0; queue < port->queues; queue++)
        unsent += port->bins[queue].count;
    if (!port->unplugged)
        (void)rte_eth_stats_get(port->id, &port_stats);
    load_stateless_account(result, unsent, port_stats.imissed + port_stats.rx_nombuf);
    result->duration_s = (double)(load->end_ns - load->start_ns) / 1e9;
}

static double per_s(const struct load_stateless_result *result, uint64_t count)
{
    return result->duration_s > 0 ? (double)count / result->duration_s : 0;
}

/* X(json name, value): counts, in the order of the file. All that the client sends here is PINGs,
 * which are not among the datagrams. */
#define COUNTS(X)                                                                                  \
    X(requests, result->offered)                                                                   \
    X(answered, result->answered)                                                                  \
    X(lost, result->lost)                                                                          \
    X(surplus, result->surplus)                                                                    \
    X(datagrams_sent, stats->sent_frames)                                                          \
    X(datagrams_signed, stats->signed_frames)                                                      \
    X(datagrams_received, stats->received)                                                         \
    X(pings, result->client->history.header.records)                                               \
    X(pongs, result->client->stats.received)                                                       \
    X(measured, stats->measured)                                                                   \
    X(retries, stats->retries)                                                                     \
    X(replays, stats->replays)                                                                     \
    X(admitted, stats->admitted)                                                                   \
    X(late_requests, stats->late)                                                                  \
    X(buyers, load->mix->buyers)                                                                   \
    X(batch, load->mix->batch)                                                                     \
    X(pool, load->pool_count)                                                                      \
    X(sample, load->sample)                                                                        \
    X(partitions, result->client->partitions)                                                      \
    X(workers, result->client->workers)                                                            \
    X(epoch, result->client->epoch)

int load_stateless_save(const struct load_stateless_result *result, const char *path)
{
    const struct load_stateless *load = result->load;
    const struct load_stateless_stats *stats = &load->stats;
    json_t *root = json_object(), *losses = json_object();

#define X(name, value) json_object_set_new(root, #name, json_integer((json_int_t)(value)));
    COUNTS(X)
#undef X
#define X(name, why)                                                                               \
    json_object_set_new(losses, #name, json_integer((json_int_t)result->losses.name));
    LOAD_LOSSES(X)
#undef X
    json_object_set_new(root, "lost_by", losses);
    json_object_set_new(root, "stateless", json_true());
    load_json_quantiles(root, &load->latency);
    json_object_set_new(root, "late_max_us", json_real((double)stats->late_ns_max / 1000));
    json_object_set_new(root, "duration_s", json_real(result->duration_s));
    json_object_set_new(root, "offered_per_s", json_real(per_s(result, result->offered)));
    json_object_set_new(root, "decisions_per_s", json_real(per_s(result, result->answered)));
    char seed[24];
    snprintf(seed, sizeof(seed), "%lu", load->mix->seed);
    json_object_set_new(root, "seed", json_string(seed));
    json_object_set_new(root, "answers", load_json_verdicts(stats->answers));
    json_object_set_new(root, "drops", load_json_drops(result->drops));
    json_object_set_new(root, "generator", load_json_effort(result->effort));
    return load_json_write(root, path);
}

void load_stateless_print(const struct load_stateless_result *result, FILE *out)
{
    const struct load_stateless *load = result->load;
    const struct load_stateless_stats *stats = &load->stats;

    fprintf(out, "%lu orders offered = %lu answered + %lu lost\n", result->offered,
            result->answered, result->lost);
#define X(name, why)                                                                               \
    if (result->losses.name > 0)                                                                   \
        fprintf(out, "    %-14s %12lu  (%s)\n", #name, result->losses.name, why);
    LOAD_LOSSES(X)
#undef X
    if (result->surplus > 0)
        fprintf(out, "    and %lu answers more than orders\n", result->surplus);
    for (unsigned code = 1; code <= FG_VERDICT_MAX; code++)
        if (stats->answers[code] > 0)
            fprintf(out, "    %-14s %12lu\n", fg_verdict_name(code), stats->answers[code]);
    fprintf(
        out,
        "datagrams: %lu sent, %lu signed, %lu received; %lu retries, %lu answers were replays\n",
        stats->sent_frames, stats->signed_frames, stats->received, stats->retries, stats->replays);
    load_print_drops(result->drops, out);
    fprintf(out, "%.0f decisions/s over %.2f s; latency us of %lu replies, whose macs were right:",
            per_s(result, result->answered), result->duration_s, stats->measured);
    load_print_quantiles(&load->latency, out);
    load_print_effort(result->effort, out);
}
