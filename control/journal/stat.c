/* SPDX-License-Identifier: BSD-3-Clause */
/* flashgatectl journal stat: how a log is filled, by segment, kind of record, frame and sale. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "control/journal/commands.h"
#include "control/journal/names.h"
#include "control/journal/walk.h"
#include "control/text.h"
#include "dataplane/orders/segment.h"

#define KINDS 256

/* Frames by the blocks they take: 1, 2, 3 to 4, 5 to 8 ... up to FG_FRAME_MAX. */
#define CLASSES 12
static_assert(FG_FRAME_MAX / FG_BLOCK_BYTES <= 1 << (CLASSES - 1), "a class for every frame");

/* Order events of one sale within one segment or the whole log. */
struct sale_count {
    uint32_t sale;
    uint64_t events, first_seq, last_seq;
};

/* By sale, in the order in which they were met. */
struct sale_counts {
    struct sale_count *counts;
    unsigned count, room;
};

struct segment_stat {
    uint32_t number;
    uint64_t bytes, used; /* of the file, and of its frames */
    uint64_t frames, records, first_lsn, last_lsn, first_ns, last_ns;
    uint32_t first_epoch, last_epoch;
    struct sale_counts sales;
};

struct stat_walk {
    const char *dir;
    struct fg_journal_names names;
    struct segment_stat *segments;
    unsigned count, room;
    struct sale_counts sales;
    uint64_t kinds[KINDS], base_records, classes[CLASSES];
};

static int grow(void **array, unsigned count, unsigned *room, size_t size)
{
    if (count < *room)
        return 0;
    unsigned wanted = *room ? 2 * *room : 16;
    void *bigger = realloc(*array, wanted * size);
    if (!bigger)
        return -ENOMEM;
    *array = bigger;
    *room = wanted;
    return 0;
}

/* --- counting --- */

static int count_sale(struct sale_counts *sales, const struct fg_order_event *event)
{
    struct sale_count *found = NULL;

    for (unsigned i = 0; i < sales->count && !found; i++)
        if (sales->counts[i].sale == event->sale)
            found = &sales->counts[i];
    if (!found) {
        if (grow((void **)&sales->counts, sales->count, &sales->room, sizeof(*found)) != 0)
            return -ENOMEM;
        found = &sales->counts[sales->count++];
        *found = (struct sale_count){.sale = event->sale, .first_seq = event->sale_seq};
    }
    found->events++;
    found->last_seq = event->sale_seq;
    return 0;
}

static uint64_t file_bytes(const char *dir, uint32_t number)
{
    uint64_t bytes = 0;
    int open_dir = fg_disk_files.open_dir(fg_disk_files.context, dir, false);

    if (open_dir < 0)
        return 0;
    if (fg_segment_bytes(&fg_disk_files, open_dir, number, number, &bytes) != 0)
        bytes = 0;
    fg_disk_files.close(fg_disk_files.context, open_dir);
    return bytes;
}

static int visit_frame(void *arg, const struct fg_journal_frame *frame)
{
    struct stat_walk *walk = arg;
    const struct fg_frame *header = frame->header;
    uint64_t blocks = frame->span / FG_BLOCK_BYTES;
    unsigned class = 0;

    if (walk->count == 0 || walk->segments[walk->count - 1].number != frame->segment) {
        if (grow((void **)&walk->segments, walk->count, &walk->room, sizeof(*walk->segments)) != 0)
            return -ENOMEM;
        walk->segments[walk->count++] =
            (struct segment_stat){.number = frame->segment,
                                  .bytes = file_bytes(walk->dir, frame->segment),
                                  .first_lsn = header->first_lsn,
                                  .first_epoch = header->epoch};
    }
    struct segment_stat *segment = &walk->segments[walk->count - 1];
    segment->frames++;
    segment->records += header->count;
    segment->used = frame->offset + frame->span;
    segment->last_lsn = header->first_lsn + header->count - 1;
    segment->last_epoch = header->epoch;
    while (UINT64_C(1) << class < blocks)
        class ++;
    walk->classes[class]++;
    return 0;
}

static int visit_record(void *arg, const struct fg_journal_frame *frame,
                        const struct fg_record *record)
{
    struct stat_walk *walk = arg;
    struct segment_stat *segment = &walk->segments[walk->count - 1];
    bool control = fg_event_is_control(record->unit);
    uint64_t at_ns = control ? record->control->at_ns : record->order->at_ns;

    if (segment->first_ns == 0 || at_ns < segment->first_ns)
        segment->first_ns = at_ns;
    if (at_ns > segment->last_ns)
        segment->last_ns = at_ns;
    if (frame->header->flags & FG_FRAME_BASE)
        walk->base_records++;
    else
        walk->kinds[fg_event_kind(record->unit)]++;
    if (control)
        return fg_journal_names_learn(&walk->names, record);
    int rc = count_sale(&segment->sales, record->order);
    return rc != 0 ? rc : count_sale(&walk->sales, record->order);
}

static void clear(struct stat_walk *walk)
{
    for (unsigned i = 0; i < walk->count; i++)
        free(walk->segments[i].sales.counts);
    walk->count = walk->sales.count = 0;
    memset(walk->kinds, 0, sizeof(walk->kinds));
    memset(walk->classes, 0, sizeof(walk->classes));
    walk->base_records = 0;
}

static int visit_again(void *arg)
{
    clear(arg);
    return 0;
}

/* --- for people --- */

static void print_sale(const struct stat_walk *walk, const struct sale_count *sale, FILE *out)
{
    const char *name = fg_journal_name(&walk->names, sale->sale);

    fprintf(out,
            "sale %" PRIu32 " %-24s %12" PRIu64 " events, sale_seq %" PRIu64 " to %" PRIu64 "\n",
            sale->sale, name ? name : "?", sale->events, sale->first_seq, sale->last_seq);
}

static void print_segment(const struct stat_walk *walk, const struct segment_stat *segment,
                          FILE *out)
{
    char first[FG_TIME_TEXT], last[FG_TIME_TEXT];

    fprintf(out,
            "segment %" PRIu32 ": %" PRIu64 " of %" PRIu64 " bytes, %" PRIu64 " frames, %" PRIu64
            " records",
            segment->number, segment->used, segment->bytes, segment->frames, segment->records);
    if (segment->records > 0) {
        fg_journal_time(segment->first_ns, first);
        fg_journal_time(segment->last_ns, last);
        fprintf(out, " (LSN %" PRIu64 " to %" PRIu64 ")\n  from %s to %s", segment->first_lsn,
                segment->last_lsn, first, last);
    }
    fprintf(out, "\n  epochs %" PRIu32 " to %" PRIu32 "\n", segment->first_epoch,
            segment->last_epoch);
    for (unsigned i = 0; i < segment->sales.count; i++) {
        fprintf(out, "  ");
        print_sale(walk, &segment->sales.counts[i], out);
    }
}

static void print_text(const struct stat_walk *walk, const struct fg_journal_facts *facts,
                       FILE *out)
{
    fprintf(out, "%s\n", walk->dir);
    fg_journal_print_facts(facts, out);
    for (unsigned i = 0; i < walk->count; i++)
        print_segment(walk, &walk->segments[i], out);
    fprintf(out, "records by kind\n");
    for (unsigned kind = 0; kind < KINDS; kind++)
        if (walk->kinds[kind] > 0)
            fprintf(out, "  %-14s %12" PRIu64 "\n", fg_event_name(kind), walk->kinds[kind]);
    fprintf(out, "  %-14s %12" PRIu64 "\n", "(in bases)", walk->base_records);
    fprintf(out, "frames by size\n");
    for (unsigned class = 0; class < CLASSES; class ++)
        if (walk->classes[class] > 0)
            fprintf(out, "  up to %5u KiB %10" PRIu64 "\n", (FG_BLOCK_BYTES >> 10) << class,
                    walk->classes[class]);
    fprintf(out, "order events by sale\n");
    for (unsigned i = 0; i < walk->sales.count; i++) {
        fprintf(out, "  ");
        print_sale(walk, &walk->sales.counts[i], out);
    }
}

/* --- for scripts --- */

static json_t *sales_json(const struct stat_walk *walk, const struct sale_counts *sales)
{
    json_t *json = json_array();

    for (unsigned i = 0; i < sales->count; i++) {
        const struct sale_count *sale = &sales->counts[i];
        json_array_append_new(json, json_pack("{s:s?, s:I, s:o, s:o, s:o}", "sale",
                                              fg_journal_name(&walk->names, sale->sale), "number",
                                              (json_int_t)sale->sale, "events",
                                              fg_json_count(sale->events), "first_seq",
                                              fg_json_count(sale->first_seq), "last_seq",
                                              fg_json_count(sale->last_seq)));
    }
    return json;
}

static json_t *segments_json(const struct stat_walk *walk)
{
    json_t *json = json_array();

    for (unsigned i = 0; i < walk->count; i++) {
        const struct segment_stat *segment = &walk->segments[i];
        json_array_append_new(
            json,
            json_pack(
                "{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:o, s:o}", "segment",
                (json_int_t)segment->number, "bytes", fg_json_count(segment->bytes), "used",
                fg_json_count(segment->used), "frames", fg_json_count(segment->frames), "records",
                fg_json_count(segment->records), "first_lsn", fg_json_count(segment->first_lsn),
                "last_lsn", fg_json_count(segment->last_lsn), "first_epoch",
                (json_int_t)segment->first_epoch, "last_epoch", (json_int_t)segment->last_epoch,
                "first_time", fg_json_time(segment->first_ns), "last_time",
                fg_json_time(segment->last_ns), "sales", sales_json(walk, &segment->sales)));
    }
    return json;
}

static void print_json(const struct stat_walk *walk, const struct fg_journal_facts *facts,
                       FILE *out)
{
    json_t *kinds = json_object(), *classes = json_array();

    for (unsigned kind = 0; kind < KINDS; kind++)
        if (walk->kinds[kind] > 0)
            json_object_set_new(kinds, fg_event_name(kind), fg_json_count(walk->kinds[kind]));
    for (unsigned class = 0; class < CLASSES; class ++)
        if (walk->classes[class] > 0)
            json_array_append_new(classes, json_pack("{s:I, s:o}", "up_to_bytes",
                                                     (json_int_t)FG_BLOCK_BYTES << class, "frames",
                                                     fg_json_count(walk->classes[class])));
    fg_journal_print_json(json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "dir", walk->dir, "log",
                                    fg_journal_facts_json(facts), "segments", segments_json(walk),
                                    "kinds", kinds, "base_records",
                                    fg_json_count(walk->base_records), "frame_sizes", classes,
                                    "sales", sales_json(walk, &walk->sales)),
                          out);
}

static int run(const struct fg_cli_call *call)
{
    struct stat_walk walk = {.dir = call->arguments[0]};
    const struct fg_journal_visitor visitor = {
        .arg = &walk, .frame = visit_frame, .record = visit_record, .again = visit_again};
    struct fg_journal_facts facts;
    char message[1024];
    int status, rc = fg_journal_names_init(&walk.names);

    if (rc == 0)
        rc = fg_journal_walk(&fg_disk_files, walk.dir, &visitor, &facts);
    if (rc == 0)
        rc = facts.stopped;
    if (rc != 0) {
        status = fg_cli_fail(call, rc == -ENOMEM ? FG_EXIT_MEMORY : FG_EXIT_FAILED, "%s: %s",
                             walk.dir, strerror(-rc));
        goto free_walk;
    }
    status = fg_journal_judge(&facts, walk.dir, message, sizeof(message));
    if (facts.frames > 0 && call->json)
        print_json(&walk, &facts, call->out);
    else if (facts.frames > 0)
        print_text(&walk, &facts, call->out);
    if (status != FG_EXIT_OK)
        fg_cli_fail(call, status, "%s", message);
free_walk:
    clear(&walk);
    free(walk.segments);
    free(walk.sales.counts);
    fg_journal_names_fini(&walk.names);
    return status;
}

const struct fg_cli_local fg_journal_stat_command = {
    .run = run,
    .statuses = FG_CLI_STATUS(OK) | FG_CLI_STATUS(FAILED) | FG_CLI_STATUS(USAGE) |
                FG_CLI_STATUS(DISK) | FG_CLI_STATUS(CORRUPT) | FG_CLI_STATUS(MEMORY),
    .manual = fg_journal_stat_manual,
};
