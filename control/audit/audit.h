/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of flashgatectl audit share. */
#ifndef FG_CONTROL_AUDIT_H
#define FG_CONTROL_AUDIT_H

#include <jansson.h>

#include "control/cli/table.h"
#include "perf/check/check.h"
#include "perf/check/compare.h"
#include "perf/check/history.h"
#include "perf/check/log_book.h"

/* A sale's stream: what was asked of it, and how it compares. */
struct audit_stream {
    unsigned sale; /* place in the book */
    char name[FG_SALE_NAME_MAX + 1];
    struct fg_compare compare;
    struct fg_stream_id first; /* its first id once all was read */
    bool readable;             /* the key is a stream, or there is none */
    bool never;                /* it has never had an entry */
};

struct audit {
    const struct fg_cli_call *call;
    const char *dir;
    struct fg_log_book book;
    struct fg_findings findings;
    json_t *lines; /* of findings: {check, invariant, text} */
    struct fg_check_result result;

    bool has_redis, has_history, has_engine; /* what was asked for */
    struct audit_stream *streams;
    unsigned streams_count;
    unsigned streams_begun; /* the book's `begun` when they were read */
    struct fg_history history;
    unsigned histories;
    bool quiet;             /* the engine stood still long enough to be compared */
    uint64_t engine_items;  /* items compared with it */
    char torn[512];         /* how the log ends, if it is torn */
    char message[512 + 64]; /* why the audit could not be done */
};

/* Reads the log on, as far as it goes now. An exit status, with audit->message. */
int audit_read_log(struct audit *audit);

/* audit/streams.c. The streams are read after the log was, and judged after it was read once more.
 * Exit statuses, with audit->message. */
int audit_streams_read(struct audit *audit);
int audit_streams_judge(struct audit *audit);
void audit_streams_free(struct audit *audit);

/* audit/engine.c: holds the running engine's figures against the log (I5); reads the log on. An
 * exit status, with audit->message. */
int audit_engine(struct audit *audit);

/* audit/report.c */
void audit_note(void *arg, enum fg_check check, const char *sentence); /* fg_findings.found */
void audit_print(const struct audit *audit, FILE *out);
void audit_print_json(const struct audit *audit, FILE *out);

/* The command. */
extern const struct fg_cli_local fg_audit_command;

#endif
