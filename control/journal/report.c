/* SPDX-License-Identifier: BSD-3-Clause */
/* What a walk found, in words, figures and exit statuses. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "control/journal/walk.h"
#include "control/text.h"
#include "dataplane/orders/segment.h"
#include "flashgate/exit_status.h"

void fg_journal_time(uint64_t wall_ns, char text[FG_TIME_TEXT])
{
    time_t seconds = (time_t)(wall_ns / 1000000000);
    struct tm tm;
    char day[32];

    gmtime_r(&seconds, &tm);
    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text, FG_TIME_TEXT, "%s.%09uZ", day, (unsigned)(wall_ns % 1000000000));
}

const char *fg_journal_end_text(const struct fg_journal_facts *facts)
{
    switch (facts->end) {
    case FG_LOG_CORRUPT:
        return "damaged";
    case FG_LOG_VERSION:
        return "unknown version";
    case FG_LOG_ERROR:
        return "unreadable";
    case FG_LOG_TORN:
        return facts->writer ? "being written" : "torn";
    case FG_LOG_MORE:
        return "stopped";
    case FG_LOG_END:
        break;
    }
    if (facts->writer)
        return "being written";
    if (facts->frames == 0)
        return "empty";
    return facts->last_flags & FG_FRAME_CLOSING ? "closed" : "not closed";
}

/* Nothing was written to the first segment there is. A start judges so, too. */
static int judge_empty(const struct fg_journal_facts *facts, const char *dir, char *message,
                       size_t size)
{
    if (facts->segment > 1) {
        snprintf(message, size,
                 "%s: the first segment there is number %" PRIu32
                 ", and it is empty: older ones are missing; restore them",
                 dir, facts->segment);
        return FG_EXIT_CORRUPT;
    }
    snprintf(message, size,
             "%s: there is no log, or an empty one: name the log.directory of an engine", dir);
    return FG_EXIT_FAILED;
}

int fg_journal_judge(const struct fg_journal_facts *facts, const char *dir, char *message,
                     size_t size)
{
    char name[FG_SEGMENT_NAME_BYTES];

    if (facts->unfinished) {
        snprintf(
            message, size,
            "%s: a copy of a log into it was cut short (%s is there), and may lack orders: run "
            "that journal copy or takeover again",
            dir, FG_COPY_UNFINISHED);
        return FG_EXIT_CORRUPT;
    }
    fg_segment_name(name, facts->segment);
    switch (facts->end) {
    case FG_LOG_CORRUPT:
        snprintf(message, size,
                 "%s/%s: frame %" PRIu64 " at offset %" PRIu64 " %s, and the log goes on after it: "
                 "restore the directory from a copy, or take the log from another disk",
                 dir, name, facts->last_sequence + 1, facts->offset, facts->reason);
        return FG_EXIT_CORRUPT;
    case FG_LOG_VERSION:
        snprintf(message, size,
                 "%s/%s: frame %" PRIu64 " at offset %" PRIu64 " %s: use the program that wrote it",
                 dir, name, facts->last_sequence + 1, facts->offset, facts->reason);
        return FG_EXIT_CORRUPT;
    case FG_LOG_ERROR:
        if (facts->error == -EAGAIN) {
            snprintf(message, size,
                     "%s: the engine removes old segments faster than they are read; try again",
                     dir);
            return FG_EXIT_FAILED;
        }
        snprintf(message, size, "%s: reading the log failed: %s", dir, strerror(-facts->error));
        return FG_EXIT_DISK;
    default:
        if (facts->frames > 0 || facts->end == FG_LOG_MORE)
            return FG_EXIT_OK;
        return judge_empty(facts, dir, message, size);
    }
}

static const char *end_hint(const struct fg_journal_facts *facts)
{
    if (facts->end == FG_LOG_TORN)
        return "what a crash leaves: the next start cuts it; none of it was acknowledged";
    if (facts->end != FG_LOG_END)
        return "the figures above go up to there";
    return facts->last_flags & FG_FRAME_CLOSING
               ? "the last frame was written when idle or at a clean stop"
               : "the engine ended without a stop, or was cut off";
}

void fg_journal_print_facts(const struct fg_journal_facts *facts, FILE *out)
{
    char first[FG_TIME_TEXT], last[FG_TIME_TEXT];

    fprintf(out, "  journal    %016" PRIx64 "\n", facts->journal_id);
    fprintf(out, "  segments   %" PRIu32 " to %" PRIu32 "\n", facts->first_segment,
            facts->last_segment);
    fprintf(out, "  frames     %" PRIu64 " (%" PRIu64 " to %" PRIu64 "), %" PRIu64 " bytes\n",
            facts->frames, facts->first_sequence, facts->last_sequence, facts->bytes);
    fprintf(out, "  durable    %" PRIu64 ", as the frames themselves tell\n", facts->durable);
    if (facts->records > 0) {
        fg_journal_time(facts->first_ns, first);
        fg_journal_time(facts->last_ns, last);
        fprintf(out, "  records    %" PRIu64 " (LSN %" PRIu64 " to %" PRIu64 ")\n", facts->records,
                facts->first_lsn, facts->last_lsn);
        fprintf(out, "  times      %s to %s\n", first, last);
    } else {
        fprintf(out, "  records    none\n");
    }
    fprintf(out, "  epochs     %" PRIu32 " to %" PRIu32 "\n", facts->first_epoch,
            facts->last_epoch);
    if (facts->writer)
        fprintf(out, "  end        being written: an engine, process %d, has it locked\n",
                (int)facts->writer);
    else
        fprintf(out, "  end        %s: %s\n", fg_journal_end_text(facts), end_hint(facts));
    if (facts->end == FG_LOG_TORN)
        fprintf(out,
                "  tail       frame %" PRIu64 " in segment %" PRIu32 " at offset %" PRIu64
                " %s: %" PRIu64 " bytes\n",
                facts->last_sequence + 1, facts->segment, facts->offset, facts->reason,
                facts->torn_bytes);
}

json_t *fg_journal_facts_json(const struct fg_journal_facts *facts)
{
    char id[17];

    snprintf(id, sizeof(id), "%016" PRIx64, facts->journal_id);
    json_t *json = json_pack(
        "{s:s, s:s, s:b, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:o}",
        "end", fg_journal_end_text(facts), "journal", id, "closed",
        !facts->writer && facts->last_flags & FG_FRAME_CLOSING && facts->end == FG_LOG_END,
        "first_segment", (json_int_t)facts->first_segment, "last_segment",
        (json_int_t)facts->last_segment, "frames", fg_json_count(facts->frames), "first_frame",
        fg_json_count(facts->first_sequence), "last_frame", fg_json_count(facts->last_sequence),
        "durable_frame", fg_json_count(facts->durable), "bytes", fg_json_count(facts->bytes),
        "records", fg_json_count(facts->records), "first_lsn", fg_json_count(facts->first_lsn),
        "last_lsn", fg_json_count(facts->last_lsn), "first_epoch", (json_int_t)facts->first_epoch,
        "last_epoch", (json_int_t)facts->last_epoch, "first_time", fg_json_time(facts->first_ns),
        "last_time", fg_json_time(facts->last_ns));
    if (facts->writer)
        json_object_set_new(json, "writer_pid", json_integer(facts->writer));
    if (facts->end == FG_LOG_TORN || facts->end == FG_LOG_CORRUPT || facts->end == FG_LOG_VERSION)
        json_object_set_new(
            json, "invalid",
            json_pack("{s:o, s:I, s:o, s:o, s:s}", "frame", fg_json_count(facts->last_sequence + 1),
                      "segment", (json_int_t)facts->segment, "offset", fg_json_count(facts->offset),
                      "bytes", fg_json_count(facts->torn_bytes), "reason", facts->reason));
    return json;
}
