/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flashgatectl audit: the log, the streams, what clients heard and the running engine, held against
 * each other. The checks are perf/check's; this is the order in which things are read.
 *
 * Nothing stands still for an audit, so what is read must be read in an order that a right engine
 * cannot look wrong in:
 *
 *   - The log first: all there is. Every acknowledgement in a history that is there already rests
 * on a record that is in it.
 *   - The streams next. Delivery appends only what the log has durably, so an entry that the log,
 * as it was read, does not have yet must be behind its end; it is kept until the log was read
 *     again. An event that the log had before the stream was asked, and that the stream lacks at
 * its end, is lag. Had the streams been read first, a trimmed entry could not be told from a lost
 *     one without keeping them all.
 *   - The log again, which must now have whatever the streams had.
 *   - A running engine is asked for its figures before and after the log is read on; only when both
 *     answers agree does the log between them say what the engine says.
 *
 * A log that is being written may end in a frame that is half there. Only an end that stays the
 * same is taken for a torn one. Frames that are read before they are durable do no harm: every
 * check holds at every prefix of the log, durable or not.
 */
#include "control/audit/audit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TAIL_TRIES   10       /* looks at an end of the log that is not sound... */
#define TAIL_WAIT_NS 50000000 /* ... before it is believed: half a second, many times a flush */

static int log_status(const struct audit *audit, int end)
{
    switch (end) {
    case -ENOMEM:
        return FG_EXIT_MEMORY;
    case -EBADMSG:
    case FG_LOG_CORRUPT:
    case FG_LOG_VERSION:
        return FG_EXIT_CORRUPT;
    case FG_LOG_END:
    case FG_LOG_TORN:
        return audit->book.frames > 0 ? FG_EXIT_OK : FG_EXIT_FAILED;
    default:
        return FG_EXIT_FAILED;
    }
}

int audit_read_log(struct audit *audit)
{
    char *message = audit->message;
    size_t size = sizeof(audit->torn);
    int end;

    for (int tries = 0;; tries++) {
        uint64_t sequence = audit->book.sequence;
        end = fg_log_book_read(&audit->book, UINT64_MAX, message, size);
        if ((end != FG_LOG_TORN && end != FG_LOG_CORRUPT) || tries == TAIL_TRIES)
            break;
        if (tries > 0 && audit->book.sequence != sequence) {
            end = FG_LOG_END; /* what was not sound is now: the log is being written */
            break;
        }
        nanosleep(&(struct timespec){.tv_nsec = TAIL_WAIT_NS}, NULL);
    }
    snprintf(audit->torn, sizeof(audit->torn), "%s", end == FG_LOG_TORN ? message : "");
    int status = log_status(audit, end);
    if (end != FG_LOG_END || status == FG_EXIT_OK)
        return status;
    uint32_t first = fg_log_reader_position(audit->book.reader).segment;
    if (first <= 1) {
        snprintf(message, size, "%s: there is no log in it", audit->dir);
        return status;
    }
    snprintf(message, size,
             "%s: the first segment there is number %" PRIu32
             ", and it is empty: older ones are missing; restore them",
             audit->dir, first);
    return FG_EXIT_CORRUPT;
}

/* --- the command --- */

/* The files of --history, with commas between them. */
static int load_histories(struct audit *audit)
{
    const char *option = audit->call->options[FG_CLI_HISTORY];
    char *list = option ? strdup(option) : NULL, *rest = list, *path;
    int status = FG_EXIT_OK;

    while (status == FG_EXIT_OK && rest && (path = strsep(&rest, ",")) != NULL) {
        int rc =
            fg_history_add(&audit->history, path, true, audit->message, sizeof(audit->message));
        status = rc == 0 ? FG_EXIT_OK : rc == -ENOMEM ? FG_EXIT_MEMORY : FG_EXIT_FAILED;
        audit->histories++;
    }
    free(list);
    return status;
}

static int run_checks(struct audit *audit)
{
    struct fg_check_input input = {.records = audit->history.records,
                                   .records_count = audit->history.header.records,
                                   .skew_ns = audit->histories > 1 ? FG_CHECK_SETTLE_NS : 0};

    fg_log_book_input(&audit->book, &input);
    int rc = fg_check_run(&input, &audit->result, &audit->findings);
    if (rc == 0)
        return FG_EXIT_OK;
    snprintf(audit->message, sizeof(audit->message), "the checks could not be made: %s",
             strerror(-rc));
    return rc == -ENOMEM ? FG_EXIT_MEMORY : FG_EXIT_FAILED;
}

static int read_all(struct audit *audit)
{
    int status = audit_read_log(audit);
    if (status == FG_EXIT_OK && audit->has_history)
        status = load_histories(audit);
    if (status == FG_EXIT_OK && audit->has_redis)
        status = audit_streams_read(audit);
    /* An acknowledgement in the history may be younger than what was read of the log, too. */
    if (status == FG_EXIT_OK)
        status = audit_read_log(audit);
    if (status == FG_EXIT_OK && audit->has_engine)
        status = audit_engine(audit);
    if (status == FG_EXIT_OK && audit->has_redis)
        status = audit_streams_judge(audit);
    return status == FG_EXIT_OK ? run_checks(audit) : status;
}

static int run(const struct fg_cli_call *call)
{
    struct audit *audit = calloc(1, sizeof(*audit));
    if (!audit)
        return fg_cli_fail(call, FG_EXIT_MEMORY, "memory is short");
    audit->call = call;
    audit->dir = call->arguments[0];
    audit->lines = json_array();
    audit->findings = (struct fg_findings){.found = audit_note, .arg = audit};
    audit->has_redis = call->options[FG_CLI_REDIS] || call->options[FG_CLI_CONFIG];
    audit->has_history = call->options[FG_CLI_HISTORY];
    audit->has_engine = call->socket_given;

    int status, rc = fg_log_book_open(&audit->book, &fg_disk_files, audit->dir, &audit->findings,
                                      audit->message, sizeof(audit->message));
    if (rc != 0)
        status = rc == -ENOMEM ? FG_EXIT_MEMORY : FG_EXIT_FAILED;
    else
        status = read_all(audit);
    if (status != FG_EXIT_OK) {
        fg_cli_fail(call, status, "%s", audit->message);
    } else {
        (call->json ? audit_print_json : audit_print)(audit, call->out);
        status = audit->findings.total > 0 ? FG_EXIT_BOOKS : FG_EXIT_OK;
    }
    audit_streams_free(audit);
    fg_check_result_free(&audit->result);
    fg_history_free(&audit->history);
    if (rc == 0)
        fg_log_book_close(&audit->book);
    json_decref(audit->lines);
    free(audit);
    return status;
}

const struct fg_cli_local fg_audit_command = {
    .run = run,
    .options =
        FG_CLI_TAKES(REDIS) | FG_CLI_TAKES(CONFIG) | FG_CLI_TAKES(HISTORY) | FG_CLI_TAKES(DRAINED),
    .statuses = FG_CLI_STATUS(OK) | FG_CLI_STATUS(FAILED) | FG_CLI_STATUS(USAGE) |
                FG_CLI_STATUS(CONFIG) | FG_CLI_STATUS(UNREACHABLE) | FG_CLI_STATUS(REFUSED) |
                FG_CLI_STATUS(CORRUPT) | FG_CLI_STATUS(BOOKS) | FG_CLI_STATUS(MEMORY),
    .manual =
        "Reads the log in DIR and checks that no unit was sold twice, that every order has one "
        "life,\n"
        "and that no buyer got more than the limit. What else is given is held against it: the\n"
        "streams in Redis (--redis, or --config as the engine has it), what clients sent and "
        "heard\n"
        "(--history, files of flashgate-load with commas between them), and the figures of a\n"
        "running engine (--socket). The engine may run; nothing is changed.\n"
        "\n"
        "Each difference is one line. Events not delivered yet are told as lag; with --drained "
        "they\n"
        "are differences too.\n",
};
