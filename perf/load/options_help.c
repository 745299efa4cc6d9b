/* SPDX-License-Identifier: BSD-3-Clause */
/* The options as --help and the manual page tell them. */
#include <string.h>

#include "control/manual.h"
#include "flashgate/exit_status.h"
#include "perf/load/hostile.h"
#include "perf/load/option_rows.h"

/* Prints a text in lines of at most `width`, each indented. */
static void print_wrapped(const char *text, int indent, int width)
{
    while (*text) {
        int length = (int)strlen(text);
        if (length > width)
            for (length = width; length > 0 && text[length] != ' '; length--)
                continue;
        printf("%*s%.*s\n", indent, "", length, text);
        text += length;
        text += *text == ' ';
    }
}

void load_options_help(const char *program)
{
    printf(
        "Usage: %s --port DEVICE --source ADDRESS/BITS --target ADDRESS [OPTION]... "
        "[-- EAL ARGUMENT...]\n\n"
        "Plays the gateways of a flash sale: asks for orders at a set rate, retries as the\n"
        "protocol says, settles held orders, and reports what came back and how fast. Goes on\n"
        "when the engine goes away and comes back. On SIGTERM or SIGINT it offers nothing more,\n"
        "brings what was offered to its end and reports; on the second one it reports at once.\n",
        program);
    for (int row = 0; row < load_options_rows; row++) {
        if (!load_options_table[row].name) {
            printf("\n%s:\n", load_options_table[row].help);
            continue;
        }
        printf("  --%s%s%s", load_options_table[row].name,
               load_options_table[row].argument ? " " : "",
               load_options_table[row].argument ? load_options_table[row].argument : "");
        if (load_options_table[row].standard)
            printf("  (default %s)", load_options_table[row].standard);
        printf("\n");
        print_wrapped(load_options_table[row].help, 10, 80);
    }
    printf("\nExit status:\n");
#define X(name, status, meaning)                                                                   \
    if (LOAD_STATUSES & 1u << status)                                                              \
        printf("  %2d  %s\n", status, meaning);
    FG_EXIT_STATUSES(X)
#undef X
}

void load_options_manual(FILE *out)
{
    for (int row = 0; row < load_options_rows; row++) {
        if (load_options_table[row].name)
            fg_manual_option(out, 0, load_options_table[row].name, load_options_table[row].argument,
                             load_options_table[row].standard, load_options_table[row].help);
        else
            fprintf(out, "## %s\n\n", load_options_table[row].help);
    }
}

void load_hostile_manual(FILE *out)
{
#define X(name, text, counter, expected, help)                                                     \
    fprintf(out, "*%s*\n\t%s; the engine's counter: _%s_.\n\n", text, help, counter);
    LOAD_HOSTILES(X)
#undef X
}
