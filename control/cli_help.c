/* SPDX-License-Identifier: BSD-3-Clause */
/* Help of every level, made from the tables of commands and options. */
#include <string.h>

#include "control/cli_table.h"

#define TEXT_MAX 160

/* Of every command to the engine. */
#define ONLINE_STATUSES                                                                            \
    (FG_CLI_STATUS(OK) | FG_CLI_STATUS(FAILED) | FG_CLI_STATUS(USAGE) | FG_CLI_STATUS(CONFIG) |    \
     FG_CLI_STATUS(UNREACHABLE) | FG_CLI_STATUS(REFUSED))

static unsigned statuses_of(const struct fg_cli_command *command)
{
    if (!command->method)
        return command->local->statuses;
    return ONLINE_STATUSES |
           (command->options & FG_CLI_TAKES(YES) ? FG_CLI_STATUS(UNCONFIRMED) : 0);
}

void fg_cli_usage(const struct fg_cli_command *command, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < fg_cli_words(command) && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, i ? " %s" : "%s", command->words[i]);
    for (unsigned id = 0; id < FG_CLI_OPTIONS_COUNT && used < size; id++)
        if (fg_cli_required(command) & UINT64_C(1) << id)
            used += (size_t)snprintf(text + used, size - used, " --%s %s", fg_cli_option_name(id),
                                     fg_cli_option_argument(id));
    for (unsigned i = 0; i < fg_cli_arguments(command) && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, " %s", command->arguments[i]);
}

static void print_option(FILE *out, char letter, const char *name, const char *argument,
                         const char *help)
{
    char text[40];
    snprintf(text, sizeof(text), "%s %s", name, argument);
    if (letter)
        fprintf(out, "  -%c, --%-20s %s\n", letter, text, help);
    else
        fprintf(out, "      --%-20s %s\n", text, help);
}

static void print_options(FILE *out, uint64_t own)
{
    fprintf(out, "\nOptions:\n");
#define X(id, letter, name, argument, help)                                                        \
    if (own & FG_CLI_TAKES(id))                                                                    \
        print_option(out, letter, name, argument, help);
    FG_CLI_OWN_OPTIONS(X)
#undef X
#define X(id, letter, name, argument, help) print_option(out, letter, name, argument, help);
    FG_CLI_COMMON_OPTIONS(X)
#undef X
}

static void print_exit_statuses(FILE *out, unsigned statuses)
{
    fprintf(out, "\nExit status:\n");
#define X(name, status, meaning)                                                                   \
    if (statuses & FG_CLI_STATUS(name))                                                            \
        fprintf(out, "  %-2d  %s\n", status, meaning);
    FG_EXIT_STATUSES(X)
#undef X
}

void fg_cli_help_command(const struct fg_cli_command *command, FILE *out)
{
    char text[TEXT_MAX];
    fg_cli_usage(command, text, sizeof(text));
    fprintf(out, "Usage: flashgatectl [OPTIONS] %s\n\nThis command %s.\n", text, command->help);
    if (!command->method)
        fprintf(out, "\n%s", command->local->manual);
    print_options(out, fg_cli_optional(command) | fg_cli_required(command));
    print_exit_statuses(out, statuses_of(command));
}

void fg_cli_help_all(char *const *words, int count, FILE *out)
{
    unsigned statuses = 0;
    char text[TEXT_MAX];
    fprintf(out, "Usage: flashgatectl [OPTIONS] COMMAND\n\nSteers a running flashgated through its "
                 "control socket, and reads, copies and takes over logs.\n\nCommands:\n");
    for (unsigned i = 0; i < fg_cli_commands_count; i++) {
        if (!fg_cli_begins(&fg_cli_commands[i], words, count))
            continue;
        fg_cli_usage(&fg_cli_commands[i], text, sizeof(text));
        fprintf(out, "  %-34s %s\n", text, fg_cli_commands[i].help);
        statuses |= statuses_of(&fg_cli_commands[i]);
    }
    print_options(out, 0);
    print_exit_statuses(out, statuses);
}
