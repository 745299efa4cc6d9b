/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "control/cli/table.h"
#include "control/doctor/command.h"
#include "control/doctor/doctor.h"
#include "dataplane/privilege.h"

#define CONFIG_FILE "/etc/flashgate/flashgate.yaml"
#define ROOT_ENV    "FLASHGATE_DOCTOR_ROOT" /* before /sys and /proc, for tests */

static int run(const struct fg_cli_call *call)
{
    const char *path = call->options[FG_CLI_CONFIG], *root = getenv(ROOT_ENV);
    struct fg_doctor *doctor = calloc(1, sizeof(*doctor));
    struct fg_config config;
    struct fg_privilege privilege;
    char message[1024];
    if (!doctor)
        return fg_cli_fail(call, FG_EXIT_MEMORY, "memory is short");
    if (fg_config_load(&config, path ? path : CONFIG_FILE, message, sizeof(message)) != 0) {
        free(doctor);
        return fg_cli_fail(call, FG_EXIT_CONFIG, "%s%s", message,
                           path ? "" : "; --config FILE names another file");
    }
    /* The engine does the same when root starts it. A user that is not there is a finding. */
    (void)fg_privilege_begin(&privilege, &config, message, sizeof(message));
    fg_doctor_init(doctor, &config);
    if (root)
        doctor->root = root;
    fg_doctor_run(doctor);
    if (call->json) {
        json_t *json = fg_doctor_json(doctor);
        json_dumpf(json, call->out, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        fputc('\n', call->out);
        json_decref(json);
    } else {
        fg_doctor_print(doctor, call->out);
    }
    bool wrong = fg_doctor_worst(doctor) == FG_DOCTOR_WRONG;
    fg_config_free(&config);
    free(doctor);
    return wrong ? fg_cli_fail(call, FG_EXIT_FAILED,
                               "this machine is not fit to serve; see what is wrong above")
                 : FG_EXIT_OK;
}

const struct fg_cli_local fg_doctor_command = {
    .run = run,
    .options = FG_CLI_TAKES(CONFIG),
    .statuses = FG_CLI_STATUS(OK) | FG_CLI_STATUS(FAILED) | FG_CLI_STATUS(USAGE) |
                FG_CLI_STATUS(CONFIG) | FG_CLI_STATUS(MEMORY),
    .manual =
        "Looks at cores, hugepages, NICs, limits, the clock, the log's disk, keys and Redis, as\n"
        "the configuration (" CONFIG_FILE ") needs them, and tells what\n"
        "is wrong, what is needed, and what mends it. Run it as root or as the engine's user:\n"
        "root becomes that user for it, as the engine does. It changes nothing; to time a\n"
        "flush it writes 4 KiB in log.directory, and takes that away again.\n",
};
