/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration's options of what comes of who asks too often again and again. */
#include "control/config/config_check.h"
#include "flashgate/limits.h"

static const struct fg_option PENALTY_OPTIONS[] = {
    {.name = "after",
     .kind = FG_OPTION_INTEGER,
     FIELD(penalty_after),
     .unit = "orders",
     .max = FG_PENALTY_AFTER_MAX,
     .standard = "50",
     .zero = "no penalties",
     .help = "How many new orders of a buyer in one sale are refused for its rate before it comes "
             "under a penalty; 0: no penalties. A client that keeps to the protocol makes ten at "
             "most of an order, even if it never hears an answer."},
    {.name = "within",
     .kind = FG_OPTION_DURATION,
     FIELD(penalty_within_ms),
     .min = 100,
     .max = FG_PENALTY_MS_MAX,
     .standard = "10s",
     .help = "... within so long, from the first of them on."},
    {.name = "first",
     .kind = FG_OPTION_DURATION,
     FIELD(penalty_first_ms),
     .min = 100,
     .max = FG_PENALTY_MS_MAX,
     .standard = "10s",
     .help =
         "How long the first penalty of a buyer lasts. Each that follows lasts twice as long as "
         "the one before."},
    {.name = "most",
     .kind = FG_OPTION_DURATION,
     FIELD(penalty_most_ms),
     .min = 100,
     .max = FG_PENALTY_MS_MAX,
     .standard = "10m",
     .help = "How long one lasts at most, at least first; and how long a buyer must have been "
             "without for the next to be a first one again."},
};
static int check_penalty(const struct fg_option_scope *scope, void *target)
{
    const struct fg_config *config = target;
    return config->penalty_most_ms >= config->penalty_first_ms
               ? 0
               : fg_option_refuse(scope, "most", "is less than first, wanted as long at least");
}

const struct fg_option_table fg_config_penalty_table = {PENALTY_OPTIONS, COUNT(PENALTY_OPTIONS),
                                                        "a table of after, within, first and most",
                                                        check_penalty};
