/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/cli/sale_commands.h"

#include "control/sale/sale_file.h"

static int run_template(const struct fg_cli_call *call)
{
    fg_sale_file_template(call->out);
    return FG_EXIT_OK;
}

const struct fg_cli_local fg_sale_template_command = {
    .run = run_template,
    .statuses = FG_CLI_STATUS(OK) | FG_CLI_STATUS(USAGE),
    .manual = "It needs no engine. Keep what it prints as a file, change it, see with\n"
              "  flashgatectl sale apply --dry-run FILE\n"
              "what it comes to, and put it in force without --dry-run.\n",
};
