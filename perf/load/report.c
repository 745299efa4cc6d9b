/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/report.h"

#include <errno.h>
#include <stdlib.h>

#include <jansson.h>

#include "perf/load/report_json.h"

static int by_number(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return a < b ? -1 : a > b;
}

/* How many different numbers; sorts them. */
static uint64_t count_distinct(uint64_t *numbers, uint64_t count)
{
    uint64_t distinct = 0;

    qsort(numbers, count, sizeof(*numbers), by_number);
    for (uint64_t i = 0; i < count; i++)
        distinct += i == 0 || numbers[i] != numbers[i - 1];
    return distinct;
}

static void count_fate(struct load_report *report, const struct load_ask *ask)
{
    switch ((enum load_fate)ask->fate) {
    case LOAD_CONFIRMED:
        report->confirmed++;
        break;
    case LOAD_CANCELLED:
        report->cancelled++;
        break;
    case LOAD_EXPIRED:
        report->expired++;
        break;
    case LOAD_LEFT:
        report->left++;
        break;
    case LOAD_FATE_NONE:
        break;
    }
}

int load_report_make(struct load_report *report, const struct load_client *client)
{
    const struct load_stats *stats = &client->stats;
    uint64_t *orders = calloc(stats->admitted + 1, sizeof(*orders)), found = 0;

    *report = (struct load_report){.requests = stats->offered, .answered = stats->answered};
    report->items = calloc(client->mix.items.count, sizeof(*report->items));
    if (!orders || !report->items) {
        free(orders);
        return -ENOMEM;
    }
    for (uint32_t request = 0; request < client->next; request++) {
        const struct load_ask *ask = &client->asks[request];
        struct load_want want = load_mix_want(&client->mix, request);
        struct load_item_result *item = &report->items[want.item_place];
        report->verdicts[ask->verdict]++;
        item->requests++;
        if (ask->order == 0)
            continue;
        orders[found++] = ask->order;
        item->orders++;
        item->units += want.quantity;
        count_fate(report, ask);
    }
    report->admitted = count_distinct(orders, found);
    report->lost = report->requests - report->answered;
    report->duration_s = stats->last_answer_ns > client->start_ns
                             ? (double)(stats->last_answer_ns - client->start_ns) / 1e9
                             : 0;
    report->decisions_per_s =
        report->duration_s > 0 ? (double)report->answered / report->duration_s : 0;
    free(orders);
    return 0;
}

void load_report_free(struct load_report *report)
{
    free(report->items);
    report->items = NULL;
}

/* X(json name, value): counts, in the order of the file. */
#define COUNTS(X)                                                                                  \
    X(requests, report->requests)                                                                  \
    X(answered, report->answered)                                                                  \
    X(lost, report->lost)                                                                          \
    X(datagrams_sent, stats->sent)                                                                 \
    X(datagrams_received, stats->received)                                                         \
    X(retransmissions, stats->retransmissions)                                                     \
    X(told_to_wait, stats->told_to_wait)                                                           \
    X(held_back, stats->held_back)                                                                 \
    X(double_clicks, stats->double_clicks)                                                         \
    X(repeats, stats->repeats)                                                                     \
    X(confirms, stats->confirms)                                                                   \
    X(cancels, stats->cancels)                                                                     \
    X(given_up, stats->given_up)                                                                   \
    X(replays, stats->replays)                                                                     \
    X(admitted, report->admitted)                                                                  \
    X(confirmed, report->confirmed)                                                                \
    X(cancelled, report->cancelled)                                                                \
    X(expired, report->expired)                                                                    \
    X(left, report->left)                                                                          \
    X(late_requests, stats->late_requests)                                                         \
    X(engine_lives, stats->lives)                                                                  \
    X(resend_cap, client->resend_cap)                                                              \
    X(rate, client->rate)                                                                          \
    X(buyers, client->mix.buyers)                                                                  \
    X(batch, client->mix.batch)                                                                    \
    X(partitions, client->partitions)                                                              \
    X(workers, client->workers)                                                                    \
    X(epoch, client->epoch)

static json_t *item_results(const struct load_report *report, const struct load_client *client)
{
    json_t *array = json_array();

    for (uint32_t i = 0; i < client->mix.items.count; i++) {
        const struct load_item_result *item = &report->items[i];
        json_array_append_new(
            array, json_pack("{s:I, s:I, s:I, s:I}", "id", (json_int_t)client->mix.items.values[i],
                             "requests", (json_int_t)item->requests, "admitted",
                             (json_int_t)item->orders, "units", (json_int_t)item->units));
    }
    return array;
}

/* Of each kind that was sent: how much, what the wire had no room for, what it was answered, and by
 * which of the engine's counters the rest is to be found. */
static json_t *hostile_results(const struct load_hostile *hostile)
{
    json_t *object =
        json_pack("{s:I, s:I, s:I, s:I}", "rate", (json_int_t)hostile->rate, "skipped",
                  (json_int_t)hostile->skipped, "honest_lost", (json_int_t)hostile->honest_lost,
                  "stray", (json_int_t)hostile->stray);
    json_t *kinds = json_object();

    for (enum load_hostile_kind kind = 0; kind < LOAD_HOSTILE_COUNT; kind++) {
        if (hostile->sent[kind] == 0)
            continue;
        json_object_set_new(kinds, load_hostile_name(kind),
                            json_pack("{s:I, s:I, s:I, s:b, s:s}", "sent",
                                      (json_int_t)hostile->sent[kind], "lost",
                                      (json_int_t)hostile->lost[kind], "answers",
                                      (json_int_t)hostile->answers[kind], "silence",
                                      load_hostile_expected(kind) == LOAD_SILENCE, "counter",
                                      load_hostile_counter(kind)));
    }
    json_object_set_new(object, "kinds", kinds);
    return object;
}

int load_report_save(const struct load_report *report, const struct load_client *client,
                     const char *path)
{
    const struct load_stats *stats = &client->stats;
    json_t *root = json_object();

#define X(name, value) json_object_set_new(root, #name, json_integer((json_int_t)(value)));
    COUNTS(X)
#undef X
    load_json_quantiles(root, &client->latency);
    json_object_set_new(root, "late_max_us", json_real((double)stats->late_ns_max / 1000));
    json_object_set_new(root, "duration_s", json_real(report->duration_s));
    json_object_set_new(root, "decisions_per_s", json_real(report->decisions_per_s));
    /* A seed has 64 bits, a JSON number is safe with 53. */
    char seed[24];
    snprintf(seed, sizeof(seed), "%lu", client->mix.seed);
    json_object_set_new(root, "seed", json_string(seed));
    json_object_set_new(root, "verdicts", load_json_verdicts(report->verdicts));
    json_object_set_new(root, "answers", load_json_verdicts(stats->answers));
    json_object_set_new(root, "items", item_results(report, client));
    json_object_set_new(root, "drops", load_json_drops(stats->drops));
    if (report->hostile)
        json_object_set_new(root, "hostile", hostile_results(report->hostile));
    if (report->effort)
        json_object_set_new(root, "generator", load_json_effort(report->effort));
    return load_json_write(root, path);
}

static void print_answers(const struct load_report *report, FILE *out)
{
    for (unsigned code = 1; code <= FG_VERDICT_MAX; code++)
        if (report->verdicts[code] > 0)
            fprintf(out, "    %-14s %12lu\n", fg_verdict_name(code), report->verdicts[code]);
}

static void print_hostile(const struct load_hostile *hostile, FILE *out)
{
    fprintf(out, "hostile: %lu a second; %lu not sent because the generator was behind\n",
            hostile->rate, hostile->skipped);
    for (enum load_hostile_kind kind = 0; kind < LOAD_HOSTILE_COUNT; kind++)
        if (hostile->sent[kind] > 0)
            fprintf(out, "    %-14s %12lu sent, %lu without room, %lu answers%s\n",
                    load_hostile_name(kind), hostile->sent[kind], hostile->lost[kind],
                    hostile->answers[kind],
                    load_hostile_expected(kind) == LOAD_SILENCE ? " (wanted 0)" : "");
    fprintf(out, "    honest datagrams without room: %lu; stray answers: %lu (wanted 0)\n",
            hostile->honest_lost, hostile->stray);
}

void load_report_print(const struct load_report *report, const struct load_client *client,
                       FILE *out)
{
    const struct load_stats *stats = &client->stats;

    fprintf(out, "%lu requests, %lu answered, %lu lost\n", report->requests, report->answered,
            report->lost);
    print_answers(report, out);
    fprintf(out, "orders: %lu admitted, %lu confirmed, %lu cancelled, %lu expired, %lu left\n",
            report->admitted, report->confirmed, report->cancelled, report->expired, report->left);
    fprintf(out,
            "datagrams: %lu sent, %lu received; %lu retransmissions, %lu asked again when told, "
            "%lu double clicks, %lu repeats, %lu confirms, %lu cancels, %lu given up\n",
            stats->sent, stats->received, stats->retransmissions, stats->told_to_wait,
            stats->double_clicks, stats->repeats, stats->confirms, stats->cancels, stats->given_up);
    if (stats->held_back > 0 || stats->lives > 1)
        fprintf(out, "engine: %lu lives; sends held back at the cap of %lu under way: %lu\n",
                stats->lives, client->resend_cap, stats->held_back);
    load_print_drops(stats->drops, out);
    fprintf(out, "%.0f decisions/s over %.2f s; latency us:", report->decisions_per_s,
            report->duration_s);
    load_print_quantiles(&client->latency, out);
    if (report->effort)
        load_print_effort(report->effort, out);
    if (report->hostile)
        print_hostile(report->hostile, out);
    if (stats->late_requests > 0)
        fprintf(out,
                "the generator fell behind its schedule: %lu requests left 1 ms or more late, the "
                "latest by %.1f ms; latency counts that\n",
                stats->late_requests, (double)stats->late_ns_max / 1e6);
}
