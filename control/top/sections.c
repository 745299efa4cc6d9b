/* SPDX-License-Identifier: BSD-3-Clause */
/* Of the top view: decisions, workers, log, delivery, drops. */
#include "control/cli/columns.h"
#include "control/top/internal.h"

#define SHOWN_MAX 64 /* verdicts, or reasons of drops: more than there are */
#define LABEL     11 /* columns before what a line tells */

static const json_t *totals(const json_t *status, const char *part)
{
    return json_object_get(json_object_get(status, "totals"), part);
}

/* --- decisions by verdict --- */

struct share {
    const char *name;
    double rate; /* negative: cannot be told */
    json_int_t total;
    bool shown;
};

static bool more(const struct share *one, const struct share *other)
{
    return one->rate != other->rate ? one->rate > other->rate : one->total > other->total;
}

/* Marks the `count` greatest. */
static void choose(struct share *shares, unsigned total, unsigned count)
{
    for (unsigned taken = 0; taken < count && taken < total; taken++) {
        struct share *best = NULL;
        for (unsigned i = 0; i < total; i++)
            if (!shares[i].shown && (!best || more(&shares[i], best)))
                best = &shares[i];
        if (best)
            best->shown = true;
    }
}

/* Verdicts that were ever given, in the table's order. */
static unsigned verdict_shares(const struct top *top, struct share *shares)
{
    const json_t *before = totals(top->in.before, "verdicts");
    unsigned count = 0;
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)totals(top->in.now, "verdicts"), name, value)
    {
        if (json_integer_value(value) == 0 || count == SHOWN_MAX)
            continue;
        shares[count++] =
            (struct share){.name = name,
                           .rate = top_rate(top, totals(top->in.now, "verdicts"), before, name),
                           .total = json_integer_value(value)};
    }
    return count;
}

void top_decisions(struct top *top, unsigned limit)
{
    struct share shares[SHOWN_MAX];
    unsigned count = verdict_shares(top, shares), across = (top->in.columns - LABEL) / 23;
    unsigned places = across * limit, column = 0;
    char all[32], line[FG_TOP_LINE_BYTES];
    double rate = top_rate(top, totals(top->in.now, "counters"), totals(top->in.before, "counters"),
                           "entries");
    double others = 0;

    /* The first place tells the sum; the last one what does not fit. */
    choose(shares, count, count + 1 > places ? places - 2 : count);
    size_t used = (size_t)snprintf(line, sizeof(line), "%-*s%-12s %9s ", LABEL, "Decisions",
                                   "all/s", top_rate_text(rate, all));
    column = 1;
    for (unsigned i = 0; i <= count; i++) {
        bool last = i == count;
        if (!last && !shares[i].shown) {
            others += shares[i].rate > 0 ? shares[i].rate : 0;
            continue;
        }
        if (last && count + 1 <= places)
            break;
        if (column == across) {
            top_line(top, FG_TOP_PLAIN, "%s", line);
            used = (size_t)snprintf(line, sizeof(line), "%-*s", LABEL, "");
            column = 0;
        }
        used += (size_t)snprintf(line + used, sizeof(line) - used, "%-12.12s %9s ",
                                 last ? "others" : shares[i].name,
                                 top_rate_text(last ? others : shares[i].rate, all));
        column++;
    }
    top_line(top, FG_TOP_PLAIN, "%s", line);
}

/* --- workers --- */

unsigned top_workers_wanted(const struct top *top)
{
    unsigned count = (unsigned)json_array_size(json_object_get(top->in.now, "workers"));
    return count ? count + 1 : 0;
}

/* Share of the time in which the worker had something to do; negative: cannot be told. */
static double busy_share(const struct top *top, const json_t *now, const json_t *before)
{
    double all = top_rate(top, now, before, "total_cycles");
    return all > 0 ? top_rate(top, now, before, "busy_cycles") / all : -1;
}

static void worker_line(struct top *top, const json_t *worker, const json_t *before)
{
    const json_t *counters = json_object_get(worker, "counters");
    const json_t *gauges = json_object_get(worker, "gauges");
    double busy = busy_share(top, worker, before);
    char percent[16] = "-", bar[16], entries[32], parked[32], orders[32], holds[32];

    if (busy >= 0)
        snprintf(percent, sizeof(percent), "%.1f%%", 100 * busy);
    fg_bar(bar, sizeof(bar), busy, 12);
    bool running = strcmp(text(worker, "state"), "running") == 0;
    top_line(top, running ? FG_TOP_PLAIN : FG_TOP_ALARM,
             "%6" JSON_INTEGER_FORMAT " %4" JSON_INTEGER_FORMAT " %-8s %s %6s %11s %7s %9s %9s",
             number(worker, "worker"), number(worker, "core"), text(worker, "state"), bar, percent,
             top_rate_text(top_rate(top, counters, json_object_get(before, "counters"), "entries"),
                           entries),
             grouped(number(gauges, "parked"), parked), grouped(number(gauges, "orders"), orders),
             grouped(number(gauges, "holds"), holds));
}

void top_workers(struct top *top, unsigned limit)
{
    const json_t *workers = json_object_get(top->in.now, "workers");
    const json_t *before = json_object_get(top->in.before, "workers");
    unsigned count = (unsigned)json_array_size(workers);

    if (limit < 2 || count == 0)
        return;
    unsigned shown = count > limit - 1 ? limit - 2 : count;
    top_line(top, FG_TOP_FAINT, "%6s %4s %-8s %-12s %6s %11s %7s %9s %9s", "WORKER", "CORE",
             "STATE", "BUSY", "", "DECISIONS/s", "PARKED", "ORDERS", "HOLDS");
    for (unsigned i = 0; i < shown; i++)
        worker_line(top, json_array_get(workers, i), json_array_get(before, i));
    double most = -1, sum = 0;
    for (unsigned i = shown; i < count; i++) {
        double busy = busy_share(top, json_array_get(workers, i), json_array_get(before, i));
        most = busy > most ? busy : most;
        sum += busy > 0 ? busy : 0;
    }
    if (shown < count && most >= 0)
        top_line(top, FG_TOP_FAINT, "%6s and %u more, busy %.1f%% in the mean and %.1f%% at most",
                 "", count - shown, 100 * sum / (count - shown), 100 * most);
    else if (shown < count)
        top_line(top, FG_TOP_FAINT, "%6s and %u more", "", count - shown);
}

/* How datagrams reach their owners, and how even the owners' shares are; nothing of one worker. */
void top_hand_over(struct top *top)
{
    const json_t *workers = json_object_get(top->in.now, "workers");
    const json_t *counters = totals(top->in.now, "counters");
    const json_t *earlier = totals(top->in.before, "counters");
    double all = top_rate(top, counters, earlier, "entries");
    double requests = top_rate(top, counters, earlier, "requests");
    double handed = top_rate(top, counters, earlier, "handed_over"), least = 1, most = 0;
    char of[32], moved[32], even[64] = "";
    size_t i;
    json_t *worker;

    if (json_array_size(workers) < 2)
        return;
    json_array_foreach(workers, i, worker)
    {
        const json_t *before = json_array_get(json_object_get(top->in.before, "workers"), i);
        double share = top_rate(top, json_object_get(worker, "counters"),
                                json_object_get(before, "counters"), "entries") /
                       all;
        least = share < least ? share : least;
        most = share > most ? share : most;
    }
    if (all > 0)
        snprintf(even, sizeof(even), "; shares of decisions %.1f%% to %.1f%%", 100 * least,
                 100 * most);
    top_line(top, FG_TOP_PLAIN, "%-*s%s of %s datagrams/s%s", LABEL, "Hand-over",
             top_rate_text(handed, moved), top_rate_text(requests, of), even);
}

/* --- log and delivery --- */

/* Microseconds: the mean of the flushes since the answer before; of all where that cannot be told.
 */
static json_int_t flush_mean(const struct top *top, const json_t *journal)
{
    const json_t *now = json_object_get(journal, "flush_time");
    const json_t *before =
        json_object_get(json_object_get(top->in.before, "journal"), "flush_time");
    double flushes = top_rate(top, now, before, "count"), us = top_rate(top, now, before, "sum_us");

    return flushes > 0 && us > 0 ? (json_int_t)(us / flushes + 0.5) : number(now, "mean_us");
}

void top_journal(struct top *top)
{
    const json_t *journal = json_object_get(top->in.now, "journal");
    const json_t *flush = json_object_get(journal, "flush_time");
    double rate = top_rate(top, journal, json_object_get(top->in.before, "journal"), "records");
    char mean[32], p99[32], most[32], records[32];

    top_line(top, FG_TOP_PLAIN, "%-*sflush %s us mean, p99 %s, max %s; %s records/s; room %.0f%%%s",
             LABEL, "Log", grouped(flush_mean(top, journal), mean),
             grouped(number(flush, "p99_us"), p99), grouped(number(flush, "max_us"), most),
             top_rate_text(rate, records),
             100 * json_number_value(json_object_get(journal, "room_share")),
             strcmp(text(journal, "ack"), "memory") == 0 ? "; answers IN MEMORY" : "");
}

void top_delivery(struct top *top)
{
    const json_t *delivery = json_object_get(top->in.now, "delivery");
    const char *state = text(delivery, "state"), *error = text_or(delivery, "last_error", "");
    char lag[32], rate[32];

    if (!json_is_object(delivery)) {
        top_line(top, FG_TOP_PLAIN, "%-*sno Redis is configured", LABEL, "Delivery");
        return;
    }
    bool running = strcmp(state, "running") == 0;
    top_line(top, running ? FG_TOP_PLAIN : FG_TOP_ALARM, "%-*s%s, lag %s, %s delivered/s%s%s",
             LABEL, "Delivery", state, grouped(number(delivery, "lag"), lag),
             top_rate_text(
                 top_rate(top, delivery, json_object_get(top->in.before, "delivery"), "delivered"),
                 rate),
             running || !*error ? "" : "; ", running ? "" : error);
}

/* --- drops --- */

/* What a frame's loss is called here; NULL for the counters of what is not lost. */
static const char *drop_reason(const char *counter)
{
    if (strncmp(counter, "drop_", 5) == 0)
        return counter + 5;
    return strcmp(counter, "tx_dropped") == 0 || strcmp(counter, "handover_full") == 0 ? counter
                                                                                       : NULL;
}

void top_drops(struct top *top, unsigned limit)
{
    const json_t *now = totals(top->in.now, "counters");
    const json_t *before = totals(top->in.before, "counters");
    char line[FG_TOP_LINE_BYTES], word[96], total[32], rate_text[32];
    size_t used = (size_t)snprintf(line, sizeof(line), "%-*s", LABEL, "Drops");
    unsigned lines = 1, words = 0, hidden = 0;
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)now, name, value)
    {
        const char *reason = drop_reason(name);
        if (!reason || json_integer_value(value) == 0)
            continue;
        double rate = top_rate(top, now, before, name);
        snprintf(word, sizeof(word), rate > 0 ? "%s %s (%s/s)" : "%s %s", reason,
                 grouped(json_integer_value(value), total), top_rate_text(rate, rate_text));
        /* In the last line stays room for "and N more". */
        size_t room = top->in.columns - (lines == limit ? 16 : 0);
        if (words > 0 && used + strlen(word) + 2 > room && lines == limit) {
            hidden++;
            continue;
        }
        if (words > 0 && used + strlen(word) + 2 > room) {
            top_line(top, FG_TOP_PLAIN, "%s", line);
            used = (size_t)snprintf(line, sizeof(line), "%-*s", LABEL, "");
            words = 0;
            lines++;
        }
        used +=
            (size_t)snprintf(line + used, sizeof(line) - used, "%s%s", words++ ? ", " : "", word);
    }
    if (words == 0)
        snprintf(line + used, sizeof(line) - used, "none");
    else if (hidden > 0)
        snprintf(line + used, sizeof(line) - used, " and %u more", hidden);
    top_line(top, FG_TOP_PLAIN, "%s", line);
}
