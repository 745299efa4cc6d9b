/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of who is blocked, and who is exempt. */
#include "control/config/config_check.h"

#define LIST_OPTION(list, word, file, text)                                                        \
    {                                                                                              \
        .name = word, .kind = FG_OPTION_TEXT, FIELD(list_files[list]), .min = 1,                   \
        .max = PATH_BYTES, .example = "/etc/flashgate/" file, .help = text                         \
    }

static const struct fg_option LISTS_OPTIONS[] = {
    LIST_OPTION(FG_LIST_BLOCK_BUYERS, "block_buyers", "block-buyers.txt",
                "Buyers whose new orders are answered BLOCKED, one a line: 32 hex digits, with or "
                "without dashes."),
    LIST_OPTION(FG_LIST_ALLOW_BUYERS, "allow_buyers", "allow-buyers.txt",
                "Buyers that are never blocked, nor put under a penalty."),
    LIST_OPTION(FG_LIST_BLOCK_SOURCES, "block_sources", "block-sources.txt",
                "Addresses and prefixes, IPv4 and IPv6, one a line, that get no answer."),
    LIST_OPTION(FG_LIST_ALLOW_SOURCES, "allow_sources", "allow-sources.txt",
                "Exceptions to them: of all prefixes that hold an address the longest counts, and "
                "of equal ones this list's."),
};
const struct fg_option_table fg_config_lists_table = {LISTS_OPTIONS, COUNT(LISTS_OPTIONS),
                                                      "a table of files", NULL};
