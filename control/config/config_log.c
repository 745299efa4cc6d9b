/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of the durable order log. */
#include "control/config/config_check.h"

#define SEGMENTS_LEAST 4 /* in use, two prepared, one being delivered */

static int check_log(const struct fg_option_scope *scope, void *target)
{
    const struct fg_config *config = target;
    if (config->log_budget / config->log_segment < SEGMENTS_LEAST)
        return fg_option_refuse(scope, "budget",
                                "%llu bytes are less than %d segments of %llu bytes; raise the "
                                "budget or make the segments smaller",
                                (unsigned long long)config->log_budget, SEGMENTS_LEAST,
                                (unsigned long long)config->log_segment);
    return 0;
}

static const struct fg_option LOG_OPTIONS[] = {
    {.name = "directory",
     .kind = FG_OPTION_TEXT,
     FIELD(log_dir),
     .min = 1,
     .max = PATH_BYTES,
     .required = true,
     .example = "/var/lib/flashgate/log",
     .help = "Where the durable order log is kept. One engine at a time."},
    {.name = "budget",
     .kind = FG_OPTION_SIZE,
     FIELD(log_budget),
     .min = INT64_C(64) << 20,
     .max = INT64_C(16) << 40,
     .factor = FG_BLOCK_BYTES,
     .standard = "4GiB",
     .help = "Disk space of all segments together; at least 4 of them. A sale whose orders would "
             "not fit is refused."},
    {.name = "segment",
     .kind = FG_OPTION_SIZE,
     FIELD(log_segment),
     .min = 16 << 20,
     .max = INT64_C(4) << 30,
     .factor = FG_BLOCK_BYTES,
     .standard = "64MiB",
     .help = "Size of one segment; two are prepared ahead."},
    {.name = "keep",
     .kind = FG_OPTION_DURATION,
     FIELD(log_keep_ms),
     .max = INT64_C(365) * 24 * 3600 * 1000,
     .standard = "24h",
     .help = "How long an order event of an archived sale is kept that Redis has, but that nobody "
             "has reported as consumed. What is consumed may go at once."},
    {.name = "lane_records",
     .kind = FG_OPTION_INTEGER,
     FIELD(lane_records),
     .unit = "records",
     .min = 1024,
     .max = 1 << 20,
     .power_of_two = true,
     .standard = "16384",
     .help = "Records of each worker that may wait for the journal thread (64 bytes each). When "
             "they are used up, orders are answered BUSY."},
};
const struct fg_option_table fg_config_log_table = {LOG_OPTIONS, COUNT(LOG_OPTIONS),
                                                    "a table with the log's directory", check_log};
