/* SPDX-License-Identifier: BSD-3-Clause */
/* flashgatectl journal copy. */
#include <inttypes.h>

#include "control/journal/commands.h"
#include "control/journal/copy.h"
#include "control/text.h"

static int run(const struct fg_cli_call *call)
{
    const struct fg_journal_copy copy = {
        .disk = &fg_disk_files, .from = call->arguments[0], .to = call->arguments[1]};
    struct fg_journal_copied copied;
    char message[1024];
    int status = fg_journal_copy(&copy, &copied, message, sizeof(message));

    if (status != FG_EXIT_OK)
        return fg_cli_fail(call, status, "%s", message);
    if (call->json) {
        fg_journal_print_json(json_pack("{s:s, s:s, s:I, s:o, s:o}", "from", copy.from, "to",
                                        copy.to, "rounds", (json_int_t)copied.rounds,
                                        "segment_bytes", fg_json_count(copied.bytes), "log",
                                        fg_journal_facts_json(&copied.facts)),
                              call->out);
        return status;
    }
    fprintf(call->out, "%s is a copy of %s, read back: %" PRIu64 " bytes of segments\n", copy.to,
            copy.from, copied.bytes);
    fg_journal_print_facts(&copied.facts, call->out);
    return status;
}

const struct fg_cli_local fg_journal_copy_command = {
    .run = run,
    .statuses = FG_CLI_STATUS(OK) | FG_CLI_STATUS(FAILED) | FG_CLI_STATUS(USAGE) |
                FG_CLI_STATUS(IN_USE) | FG_CLI_STATUS(DISK) | FG_CLI_STATUS(CORRUPT) |
                FG_CLI_STATUS(MEMORY),
    .manual = fg_journal_copy_manual,
};
