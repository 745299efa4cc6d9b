/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of what the engine forbids itself. */
#include "control/config/config_check.h"

static const char *const SECCOMP_NAMES[] = {
#define X(name, text, help) text,
    FG_SECCOMP_MODES(X)
#undef X
        NULL};

static const struct fg_option SECURITY_OPTIONS[] = {
    {.name = "seccomp",
     .kind = FG_OPTION_CHOICE,
     FIELD(seccomp),
     .choices = SECCOMP_NAMES,
     .standard = "deny",
     .help = "System calls that an engine that serves does not need: refused (deny), only told in "
             "the kernel's log, to find out what a new driver asks for (log), or allowed (off)."},
    {.name = "core_dumps",
     .kind = FG_OPTION_BOOL,
     FIELD(core_dumps),
     .standard = "false",
     .help = "Leave a core file, and let other processes of the engine's user look into it. A core "
             "holds buyers' orders, and may hold keys: for the search after a fault only."},
};
const struct fg_option_table fg_config_security_table = {
    SECURITY_OPTIONS, COUNT(SECURITY_OPTIONS), "a table of what the engine forbids itself", NULL};
