/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The merge. Ids of a stream only grow (Redis sees to that) and so do those of the log's events
 * (its reader sees to that), so one pass over both tells for every id which of the two has it.
 *
 * Both may move meanwhile. The order is: the log, the stream's last id, its entries, its first id,
 * the log once more. Delivery only appends what the log has already, so
 *   - what the log had before the stream was asked and the stream's last id does not reach is lag;
 *   - what the stream has must be in the log as read afterwards;
 *   - what is missing between the stream's first and last entry was delivered, and not trimmed.
 */
#include "perf/check/compare.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/check/internal.h"

#define ID_FORMAT   "%" PRIu64 "-%" PRIu64
#define ID_ARGS(id) (id).epoch, (id).sale_seq

static struct fg_stream_id id_of(const struct fg_sale_stream_entry *entry)
{
    return (struct fg_stream_id){entry->epoch, entry->event.sale_seq};
}

static int compare_ids(struct fg_stream_id a, struct fg_stream_id b)
{
    if (a.epoch != b.epoch)
        return a.epoch < b.epoch ? -1 : 1;
    return (a.sale_seq > b.sale_seq) - (a.sale_seq < b.sale_seq);
}

void fg_compare_begin(struct fg_compare *compare, const struct fg_sale_stream *log,
                      struct fg_stream_id last, struct fg_findings *findings)
{
    *compare = (struct fg_compare){.findings = findings, .log_count = log->count, .last = last};
}

/* Writes "name LOG, not STREAM" for one field if it differs. */
static size_t tell_number(char *text, size_t used, size_t size, const char *name, uint64_t log,
                          uint64_t stream)
{
    if (log != stream && used < size)
        used += (size_t)snprintf(text + used, size - used,
                                 "%s%s is %" PRIu64 " in the log, %" PRIu64 " in the stream",
                                 used ? "; " : "", name, log, stream);
    return used;
}

/* Says which fields differ; false if none does. */
static bool differences(const struct fg_order_event *log, const struct fg_order_event *stream,
                        char *text, size_t size)
{
    size_t used = 0;

    if (log->kind != stream->kind)
        used += (size_t)snprintf(text, size, "event is %s in the log, %s in the stream",
                                 fg_event_name(log->kind), fg_event_name(stream->kind));
    used = tell_number(text, used, size, "order", log->order, stream->order);
    if (memcmp(log->buyer, stream->buyer, FG_BUYER_BYTES) != 0 && used < size)
        used +=
            (size_t)snprintf(text + used, size - used, "%sbuyer is %s in the log, %s in the stream",
                             used ? "; " : "", check_buyer_text(log->buyer).text,
                             check_buyer_text(stream->buyer).text);
    used = tell_number(text, used, size, "request", log->request, stream->request);
    used = tell_number(text, used, size, "item", log->item, stream->item);
    used = tell_number(text, used, size, "quantity", log->quantity, stream->quantity);
    used = tell_number(text, used, size, "at", log->at_ns, stream->at_ns);
    used = tell_number(text, used, size, "hold_ms", log->hold_ms, stream->hold_ms);
    return used > 0;
}

static void compare_entry(struct fg_compare *compare, const struct fg_sale_stream_entry *log,
                          const struct fg_sale_stream_entry *entry)
{
    char text[400];

    if (entry->event.kind == 0)
        fg_found(compare->findings, FG_CHECK_STREAM_DIFFERS,
                 "sale %s, entry " ID_FORMAT ": not an order event as delivery writes it; the log "
                 "has %s of order %" PRIu64 " (LSN %" PRIu64 ")",
                 compare->sale, ID_ARGS(id_of(entry)), fg_event_name(log->event.kind),
                 log->event.order, log->lsn);
    else if (differences(&log->event, &entry->event, text, sizeof(text)))
        fg_found(compare->findings, FG_CHECK_STREAM_DIFFERS,
                 "sale %s, entry " ID_FORMAT ", order %" PRIu64 " of buyer %s (LSN %" PRIu64
                 "): %s",
                 compare->sale, ID_ARGS(id_of(entry)), log->event.order,
                 check_buyer_text(log->event.buyer).text, log->lsn, text);
    else
        compare->equal++;
}

static void unknown(struct fg_compare *compare, const struct fg_sale_stream_entry *entry)
{
    if (entry->event.kind == 0)
        fg_found(compare->findings, FG_CHECK_STREAM_UNKNOWN,
                 "sale %s, entry " ID_FORMAT
                 ": not an order event, and the log has nothing with that id",
                 compare->sale, ID_ARGS(id_of(entry)));
    else
        fg_found(compare->findings, FG_CHECK_STREAM_UNKNOWN,
                 "sale %s, entry " ID_FORMAT ": %s of order %" PRIu64
                 " of buyer %s, but the log has no event with that id",
                 compare->sale, ID_ARGS(id_of(entry)), fg_event_name(entry->event.kind),
                 entry->event.order, check_buyer_text(entry->event.buyer).text);
}

/* Places from `at` on that come before `id` are missing; the next one expected is behind them. */
static bool skip_to(struct fg_compare *compare, const struct fg_sale_stream *log,
                    struct fg_stream_id id)
{
    uint64_t from = compare->at;

    while (compare->at < log->count && compare_ids(id_of(&log->entries[compare->at]), id) < 0)
        compare->at++;
    if (compare->at == from)
        return true;
    if (!check_grow((void **)&compare->gaps, compare->gaps_count, &compare->gaps_room,
                    sizeof(*compare->gaps)))
        return false;
    compare->gaps[compare->gaps_count++] = (struct fg_compare_gap){from, compare->at};
    return true;
}

/* One entry. False when memory is short. `final`: the log will not grow any more. */
static bool merge(struct fg_compare *compare, const struct fg_sale_stream *log,
                  const struct fg_sale_stream_entry *entry, bool final)
{
    if (!skip_to(compare, log, id_of(entry)))
        return false;
    if (compare->at == log->count && !final) {
        if (!check_grow((void **)&compare->beyond, compare->beyond_count, &compare->beyond_room,
                        sizeof(*entry)))
            return false;
        compare->beyond[compare->beyond_count++] = *entry;
    } else if (compare->at < log->count &&
               compare_ids(id_of(&log->entries[compare->at]), id_of(entry)) == 0) {
        compare_entry(compare, &log->entries[compare->at++], entry);
    } else if (compare_ids(id_of(entry), log->passed) <= 0) {
        compare->forgotten++;
    } else {
        unknown(compare, entry);
    }
    return true;
}

int fg_compare_entries(struct fg_compare *compare, const struct fg_sale_stream *log,
                       const struct fg_sale_stream_entry *entries, uint64_t count)
{
    compare->sale = log->sale;
    for (uint64_t i = 0; i < count; i++)
        if (!merge(compare, log, &entries[i], false))
            return -ENOMEM;
    compare->entries += count;
    if (count > 0)
        compare->newest = id_of(&entries[count - 1]);
    return 0;
}

/* The stream's last id ever is behind its last entry: what stands between them was delivered, and
 * removed since. Redis trims the oldest first, so beside an entry that is left it was deleted. */
static bool judge_last(struct fg_compare *compare, const struct fg_sale_stream *log)
{
    if (compare_ids(compare->last, compare->newest) <= 0 ||
        compare_ids(compare->last, log->passed) <= 0)
        return true;
    if (!skip_to(compare, log, compare->last))
        return false;
    if (compare->at == log->count ||
        compare_ids(id_of(&log->entries[compare->at]), compare->last) != 0) {
        fg_found(compare->findings, FG_CHECK_STREAM_UNKNOWN,
                 "sale %s: the stream's last id is " ID_FORMAT
                 ", and the log has no event with that id",
                 compare->sale, ID_ARGS(compare->last));
        return true;
    }
    if (!check_grow((void **)&compare->gaps, compare->gaps_count, &compare->gaps_room,
                    sizeof(*compare->gaps)))
        return false;
    compare->gaps[compare->gaps_count++] = (struct fg_compare_gap){compare->at, compare->at + 1};
    compare->at++;
    return true;
}

static void judge_gap(struct fg_compare *compare, const struct fg_sale_stream *log,
                      const struct fg_compare_gap *gap, struct fg_stream_id first)
{
    bool empty = first.epoch == 0 && first.sale_seq == 0;

    for (uint64_t at = gap->from; at < gap->end; at++) {
        const struct fg_sale_stream_entry *entry = &log->entries[at];
        if (empty || compare_ids(id_of(entry), first) < 0)
            compare->trimmed++;
        else
            fg_found(compare->findings, FG_CHECK_STREAM_MISSING,
                     "sale %s, entry " ID_FORMAT ": the log has %s of order %" PRIu64
                     " of buyer %s (LSN %" PRIu64 "), the stream has lost it",
                     compare->sale, ID_ARGS(id_of(entry)), fg_event_name(entry->event.kind),
                     entry->event.order, check_buyer_text(entry->event.buyer).text, entry->lsn);
    }
}

static void judge_lag(struct fg_compare *compare, const struct fg_sale_stream *log, bool drained)
{
    if (compare->at >= compare->log_count)
        return;
    const struct fg_sale_stream_entry *next = &log->entries[compare->at];
    compare->lag = compare->log_count - compare->at;
    if (drained)
        fg_found(compare->findings, FG_CHECK_STREAM_BEHIND,
                 "sale %s: the stream lacks the log's last %" PRIu64 " events, from " ID_FORMAT
                 " on (%s of order %" PRIu64 " of buyer %s, LSN %" PRIu64 ")",
                 compare->sale, compare->lag, ID_ARGS(id_of(next)), fg_event_name(next->event.kind),
                 next->event.order, check_buyer_text(next->event.buyer).text, next->lsn);
}

void fg_compare_free(struct fg_compare *compare)
{
    free(compare->gaps);
    free(compare->beyond);
    compare->gaps = NULL;
    compare->beyond = NULL;
}

int fg_compare_end(struct fg_compare *compare, const struct fg_sale_stream *log,
                   struct fg_stream_id first, bool drained)
{
    bool right = true;

    compare->sale = log->sale;
    for (uint64_t i = 0; right && i < compare->beyond_count; i++)
        right = merge(compare, log, &compare->beyond[i], true);
    right = right && judge_last(compare, log);
    for (uint64_t i = 0; right && i < compare->gaps_count; i++)
        judge_gap(compare, log, &compare->gaps[i], first);
    if (right)
        judge_lag(compare, log, drained);
    fg_compare_free(compare);
    return right ? 0 : -ENOMEM;
}

int fg_compare_stream(struct fg_compare *compare, const struct fg_sale_stream *log,
                      const struct fg_sale_stream *stream, bool drained,
                      struct fg_findings *findings)
{
    struct fg_stream_id first = {0}, last = stream->last;

    if (stream->count > 0) {
        first = id_of(&stream->entries[0]);
        if (compare_ids(id_of(&stream->entries[stream->count - 1]), last) > 0)
            last = id_of(&stream->entries[stream->count - 1]);
    }
    fg_compare_begin(compare, log, last, findings);
    int rc = fg_compare_entries(compare, log, stream->entries, stream->count);
    int end = fg_compare_end(compare, log, first, drained);
    return rc != 0 ? rc : end;
}
