/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/manual.h"

#include <string.h>

#include "flashgate/exit_status.h"

void fg_manual_text(FILE *out, const char *text)
{
    for (const char *at = text; *at; at++) {
        if (*at == '\n') {
            fputc(' ', out);
            continue;
        }
        /* Escaped everywhere: some of these are markup only where a line begins. */
        if (strchr("\\_*#[]|-;`.+~<>", *at))
            fputc('\\', out);
        fputc(*at, out);
    }
}

static void underlined(FILE *out, const char *text)
{
    fputc('_', out);
    fg_manual_text(out, text);
    fputc('_', out);
}

void fg_manual_option(FILE *out, int letter, const char *name, const char *argument,
                      const char *standard, const char *help)
{
    if (letter)
        fprintf(out, "*\\-%c*, ", letter);
    fputs("*\\-\\-", out);
    fg_manual_text(out, name);
    fputc('*', out);
    if (argument && *argument) {
        fputc(' ', out);
        underlined(out, argument);
    }
    fputs("\n\t", out);
    fg_manual_text(out, help);
    if (standard) {
        fputs(" (default: ", out);
        fg_manual_text(out, standard);
        fputc(')', out);
    }
    fputs("\n\n", out);
}

void fg_manual_statuses(FILE *out, unsigned set)
{
#define X(name, status, meaning)                                                                   \
    if (set & 1u << status) {                                                                      \
        fprintf(out, "*%d*\n\t", status);                                                          \
        fg_manual_text(out, meaning);                                                              \
        fputs("\n\n", out);                                                                        \
    }
    FG_EXIT_STATUSES(X)
#undef X
}
