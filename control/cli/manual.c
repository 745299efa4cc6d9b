/* SPDX-License-Identifier: BSD-3-Clause */
/* flashgatectl's part of its manual page. */
#include <ctype.h>
#include <string.h>

#include "control/cli/table.h"
#include "control/manual.h"

static void underlined(FILE *out, const char *text)
{
    fputc('_', out);
    fg_manual_text(out, text);
    fputc('_', out);
}

static void own_options(FILE *out, uint64_t set)
{
#define X(id, letter, name, argument, help)                                                        \
    if (set & FG_CLI_TAKES(id))                                                                    \
        fg_manual_option(out, letter, name, argument, NULL, help);
    FG_CLI_OWN_OPTIONS(X)
#undef X
}

void fg_manual_common_options(FILE *out)
{
#define X(id, letter, name, argument, help)                                                        \
    fg_manual_option(out, letter, name, argument, NULL, help);
    FG_CLI_COMMON_OPTIONS(X)
#undef X
}

/* The paragraphs of --help: flowing, but those with lines that are set in stay as they are. */
static void paragraphs(FILE *out, const char *text)
{
    while (*text) {
        const char *end = strstr(text, "\n\n");
        size_t length = end ? (size_t)(end - text) : strlen(text);
        char paragraph[4096];
        snprintf(paragraph, sizeof(paragraph), "%.*s", (int)length, text);
        if (paragraph[0] == ' ' || strstr(paragraph, "\n ")) {
            fprintf(out, "```\n%s\n```\n\n", paragraph);
        } else {
            size_t used = strlen(paragraph);
            while (used > 0 && paragraph[used - 1] == '\n')
                paragraph[--used] = '\0';
            fg_manual_text(out, paragraph);
            fputs("\n\n", out);
        }
        text += length + strspn(text + length, "\n");
    }
}

static void usage_line(FILE *out, const struct fg_cli_command *command)
{
    const uint64_t required = fg_cli_required(command);
    const uint64_t shown = required | fg_cli_optional(command);

    fputs("*flashgatectl ", out);
    for (unsigned i = 0; i < fg_cli_words(command); i++)
        fprintf(out, i ? " %s" : "%s", command->words[i]);
    fputc('*', out);
    for (unsigned id = 0; id < FG_CLI_OPTIONS_COUNT; id++) {
        const char *argument = fg_cli_option_argument(id);
        bool needed = required & UINT64_C(1) << id;
        if (!(shown & UINT64_C(1) << id))
            continue;
        fputs(needed ? " *\\-\\-" : " \\[*\\-\\-", out);
        fg_manual_text(out, fg_cli_option_name(id));
        fputc('*', out);
        if (*argument) {
            fputc(' ', out);
            underlined(out, argument);
        }
        fputs(needed ? "" : "\\]", out);
    }
    for (unsigned i = 0; i < fg_cli_arguments(command); i++) {
        fputc(' ', out);
        underlined(out, command->arguments[i]);
    }
    fputs("\n\n", out);
}

static void one_command(FILE *out, const struct fg_cli_command *command)
{
    unsigned statuses = fg_cli_statuses(command);
    const char *before = "";
    char help[512];

    fputs("## ", out);
    for (unsigned i = 0; i < fg_cli_words(command); i++)
        fprintf(out, i ? " %s" : "%s", command->words[i]);
    fputs("\n\n", out);
    usage_line(out, command);
    snprintf(help, sizeof(help), "%s.", command->help);
    help[0] = (char)toupper((unsigned char)help[0]);
    fg_manual_text(out, help);
    fputs("\n\n", out);
    if (!command->method)
        paragraphs(out, command->local->manual);
    own_options(out, fg_cli_optional(command) | fg_cli_required(command));
    fputs("Exit status: ", out);
#define X(name, status, meaning)                                                                   \
    if (statuses & FG_CLI_STATUS(name)) {                                                          \
        fprintf(out, "%s%d", before, status);                                                      \
        before = ", ";                                                                             \
    }
    FG_EXIT_STATUSES(X)
#undef X
    fputs("\n\n", out);
}

void fg_manual_commands(FILE *out)
{
    const struct fg_cli_command *command = NULL;
    while ((command = fg_cli_next(command)))
        one_command(out, command);
}
