/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of what monitoring reads. */
#include <string.h>

#include "control/config/config.h"
#include "control/config/config_check.h"
#include "control/figures/metrics_address.h"

static int check_metrics(const struct fg_option_scope *scope, void *target)
{
    const struct fg_config *config = target;
    struct fg_metrics_address address;
    if (!config->metrics_listen)
        return 0;
    if (fg_metrics_address_parse(config->metrics_listen, &address) != 0)
        return fg_option_refuse(
            scope, "listen",
            "%s is neither ADDRESS:PORT, like 127.0.0.1:9464 or [::1]:9464, nor "
            "unix:PATH with a path of at most 107 bytes",
            config->metrics_listen);
    if (!address.loopback && !config->metrics_remote_allowed)
        return fg_option_refuse(scope, "listen",
                                "%s can be reached from other machines, and whoever reaches it "
                                "reads every figure; take 127.0.0.1, or set remote_allowed: true",
                                config->metrics_listen);
    return 0;
}

static const struct fg_option METRICS_OPTIONS[] = {
    {.name = "listen",
     .kind = FG_OPTION_TEXT,
     FIELD(metrics_listen),
     .min = 1,
     .max = sizeof("unix:") - 1 + SOCKET_BYTES,
     .suggested = true,
     .example = "127.0.0.1:9464",
     .help = "Where Prometheus finds /metrics, by HTTP: a loopback address with a port, or "
             "unix:PATH, made with mode 0660. Without it there is no such page."},
    {.name = "remote_allowed",
     .kind = FG_OPTION_BOOL,
     FIELD(metrics_remote_allowed),
     .standard = "false",
     .help = "Listen on an address that other machines reach, too. The page asks nobody who he "
             "is."},
    {.name = "telemetry",
     .kind = FG_OPTION_BOOL,
     FIELD(metrics_telemetry),
     .standard = "true",
     .help = "DPDK's telemetry socket, for dpdk-telemetry.py, in EAL's runtime directory; only the "
             "engine's own user gets into that."},
};
const struct fg_option_table fg_config_metrics_table = {METRICS_OPTIONS, COUNT(METRICS_OPTIONS),
                                                        "a table that tells what monitoring reads",
                                                        check_metrics};
