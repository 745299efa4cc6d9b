/* SPDX-License-Identifier: BSD-3-Clause */
/* flashgatectl journal verify: is the log sound, and what is in it? */
#include <inttypes.h>
#include <string.h>

#include "control/journal/check.h"
#include "control/journal/commands.h"
#include "control/text.h"
#include "dataplane/orders/segment.h"

void fg_journal_print_json(json_t *json, FILE *out)
{
    json_dumpf(json, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    fputc('\n', out);
    json_decref(json);
}

/* The sentence for a record or frame that is wrong. */
static void tell_problem(const struct fg_journal_check *check, const char *dir, char *message,
                         size_t size)
{
    char name[FG_SEGMENT_NAME_BYTES], record[40] = "";

    fg_segment_name(name, check->at.segment);
    if (check->at.lsn != 0)
        snprintf(record, sizeof(record), "record %" PRIu64 " in ", check->at.lsn);
    snprintf(message, size, "%s/%s: %sframe %" PRIu64 " at offset %" PRIu64 ": %s", dir, name,
             record, check->at.sequence, check->at.offset, check->problem);
}

static void print_json(const struct fg_journal_check *check, const struct fg_journal_facts *facts,
                       const char *dir, int status, const char *message, FILE *out)
{
    json_t *json = json_pack("{s:s, s:b, s:o}", "dir", dir, "sound", status == FG_EXIT_OK, "log",
                             fg_journal_facts_json(facts));
    if (status != FG_EXIT_OK)
        json_object_set_new(json, "problem", json_string(message));
    if (check->status != FG_EXIT_OK)
        json_object_set_new(json, "at",
                            json_pack("{s:o, s:o, s:I, s:o}", "lsn", fg_json_count(check->at.lsn),
                                      "frame", fg_json_count(check->at.sequence), "segment",
                                      (json_int_t)check->at.segment, "offset",
                                      fg_json_count(check->at.offset)));
    json_object_set_new(json, "sales", json_integer(check->model.sales_count));
    json_object_set_new(json, "orders", fg_json_count(check->orders.count));
    json_object_set_new(json, "units", fg_json_count((uint64_t)check->units));
    fg_journal_print_json(json, out);
}

static void print_text(const struct fg_journal_check *check, const struct fg_journal_facts *facts,
                       const char *dir, int status, FILE *out)
{
    fprintf(out, "%s: %s\n", dir, status == FG_EXIT_OK ? "sound" : "NOT SOUND");
    fg_journal_print_facts(facts, out);
    fprintf(out,
            "  state      %u live sales, %" PRIu64 " orders, %" PRId64 " units given to them%s\n",
            check->model.sales_count, check->orders.count, check->units,
            status == FG_EXIT_OK ? "" : " up to there");
}

static int run(const struct fg_cli_call *call)
{
    const char *dir = call->arguments[0];
    struct fg_journal_check check;
    struct fg_journal_facts facts;
    char message[1024] = "";

    int rc = fg_journal_check_log(&check, &fg_disk_files, dir, &facts);
    int status = FG_EXIT_FAILED;
    if (rc != 0) {
        fg_cli_fail(call, status, "%s: %s", dir, strerror(-rc));
        goto free_check;
    }
    status = fg_journal_judge(&facts, dir, message, sizeof(message));
    if (check.status != FG_EXIT_OK) {
        status = check.status;
        tell_problem(&check, dir, message, sizeof(message));
    }
    if (call->json)
        print_json(&check, &facts, dir, status, message, call->out);
    else if (facts.frames > 0)
        print_text(&check, &facts, dir, status, call->out);
    if (status != FG_EXIT_OK)
        fg_cli_fail(call, status, "%s", message);
free_check:
    fg_journal_check_fini(&check);
    return status;
}

const struct fg_cli_local fg_journal_verify_command = {
    .run = run,
    .statuses = FG_CLI_STATUS(OK) | FG_CLI_STATUS(FAILED) | FG_CLI_STATUS(USAGE) |
                FG_CLI_STATUS(DISK) | FG_CLI_STATUS(CORRUPT) | FG_CLI_STATUS(MEMORY),
    .manual = fg_journal_verify_manual,
};
