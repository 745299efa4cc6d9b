/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A sale's stream against the log (I3): each logged event once, in order, under its id, every field
 * equal. Both are sorted by id, so they are merged.
 *
 * Entries missing before the stream's first one were trimmed by their consumer (XTRIM), and those
 * behind the stream's last id ever are not delivered yet: neither is a finding by itself.
 */
#ifndef FG_CHECK_COMPARE_H
#define FG_CHECK_COMPARE_H

#include <stdbool.h>

#include "perf/check/findings.h"
#include "perf/check/streams.h"

struct fg_compare {
    struct fg_findings *findings;
    /* figures, final after fg_compare_end */
    uint64_t entries;   /* of the stream, as read */
    uint64_t equal;     /* of them, those that are the log's event in every field */
    uint64_t forgotten; /* of them, those whose events went with an old segment of the log */
    uint64_t trimmed;   /* events that the stream has no more, before its first entry */
    uint64_t lag;       /* events that were in the log before the stream was read, not delivered */

    /* private */
    const char *sale;                 /* name, during a call */
    uint64_t log_count;               /* events in the log when the comparison began */
    uint64_t at;                      /* place in the log of the next one expected */
    struct fg_stream_id last, newest; /* its last id ever; the last one read */
    struct fg_compare_gap {
        uint64_t from, end; /* places in the log */
    } * gaps;
    uint64_t gaps_count, gaps_room;
    struct fg_sale_stream_entry *beyond; /* entries behind the log's end */
    uint64_t beyond_count, beyond_room;
};

/* Begins, with the log as it was read before the stream. `last` is the stream's last id ever, known
 * before its first entry is read; 0-0 if it never had one. */
void fg_compare_begin(struct fg_compare *compare, const struct fg_sale_stream *log,
                      struct fg_stream_id last, struct fg_findings *findings);

/* The next entries of the stream, in its order. 0 or -ENOMEM. */
int fg_compare_entries(struct fg_compare *compare, const struct fg_sale_stream *log,
                       const struct fg_sale_stream_entry *entries, uint64_t count);

/*
 * Ends, with the log read once more after the stream, so that it holds all that can have been
 * delivered. `first` is the stream's first id after all were read (0-0: it is empty): what is
 * missing before it was trimmed, if not before, then meanwhile. `drained`: lag is a finding.
 * 0 or -ENOMEM.
 */
int fg_compare_end(struct fg_compare *compare, const struct fg_sale_stream *log,
                   struct fg_stream_id first, bool drained);

/* What an end would have freed; only needed without one. */
void fg_compare_free(struct fg_compare *compare);

/* All of it for a stream in memory and a log that has not grown. 0 or -ENOMEM. */
int fg_compare_stream(struct fg_compare *compare, const struct fg_sale_stream *log,
                      const struct fg_sale_stream *stream, bool drained,
                      struct fg_findings *findings);

#endif
