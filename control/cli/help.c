/* SPDX-License-Identifier: BSD-3-Clause */
/* Help of every level, made from the tables of commands and options. */
#include <stdarg.h>
#include <string.h>

#include "control/cli/table.h"

#define LINE_WIDTH  98
#define USAGE_WIDTH 40 /* in the list of commands; what is longer has its help below it */

/* Of every command to the engine. */
#define ONLINE_STATUSES                                                                            \
    (FG_CLI_STATUS(OK) | FG_CLI_STATUS(FAILED) | FG_CLI_STATUS(USAGE) |                            \
     FG_CLI_STATUS(UNREACHABLE) | FG_CLI_STATUS(REFUSED))

unsigned fg_cli_statuses(const struct fg_cli_command *command)
{
    if (!command->method)
        return command->local->statuses;
    unsigned statuses = ONLINE_STATUSES;
    if (command->options & FG_CLI_TAKES(YES))
        statuses |= FG_CLI_STATUS(UNCONFIRMED);
    for (unsigned i = 0; i < fg_cli_arguments(command); i++)
        if (!command->params[i]) /* a file, that may be wrong */
            statuses |= FG_CLI_STATUS(CONFIG);
    return statuses;
}

__attribute__((format(printf, 2, 3))) static void add(char text[FG_CLI_USAGE_TEXT],
                                                      const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, FG_CLI_USAGE_TEXT - used, format, arguments);
    va_end(arguments);
}

static void usage(const struct fg_cli_command *command, bool brief, char text[FG_CLI_USAGE_TEXT])
{
    const uint64_t required = fg_cli_required(command);
    const uint64_t shown = required | (brief ? 0 : fg_cli_optional(command));

    text[0] = '\0';
    for (unsigned i = 0; i < fg_cli_words(command); i++)
        add(text, i ? " %s" : "%s", command->words[i]);
    for (unsigned id = 0; id < FG_CLI_OPTIONS_COUNT; id++) {
        const char *argument = fg_cli_option_argument(id);
        bool needed = required & UINT64_C(1) << id;
        if (shown & UINT64_C(1) << id)
            add(text, " %s--%s%s%s%s", needed ? "" : "[", fg_cli_option_name(id),
                *argument ? " " : "", argument, needed ? "" : "]");
    }
    for (unsigned i = 0; i < fg_cli_arguments(command); i++)
        add(text, " %s", command->arguments[i]);
}

void fg_cli_usage(const struct fg_cli_command *command, char text[FG_CLI_USAGE_TEXT])
{
    usage(command, false, text);
}

void fg_cli_usage_brief(const struct fg_cli_command *command, char text[FG_CLI_USAGE_TEXT])
{
    usage(command, true, text);
}

static bool same_group(const struct fg_cli_command *one, const struct fg_cli_command *other)
{
    return strcmp(one->words[0], other->words[0]) == 0;
}

/* Does the table have one of its group before it? */
static bool leads(const struct fg_cli_command *command)
{
    for (const struct fg_cli_command *other = fg_cli_commands; other < command; other++)
        if (same_group(other, command))
            return false;
    return true;
}

const struct fg_cli_command *fg_cli_next(const struct fg_cli_command *command)
{
    const struct fg_cli_command *end = fg_cli_commands + fg_cli_commands_count, *next;

    if (!command)
        return fg_cli_commands;
    for (next = command + 1; next < end; next++)
        if (same_group(next, command))
            return next;
    for (next = fg_cli_commands; !same_group(next, command); next++)
        continue; /* its group's first */
    for (next++; next < end; next++)
        if (leads(next))
            return next;
    return NULL;
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

/* Broken between its words; but an option stays with its argument. */
static void print_usage(FILE *out, const char *text)
{
    static const char head[] = "Usage: flashgatectl [OPTIONS]";
    size_t column = sizeof(head) - 1;

    fputs(head, out);
    while (*text) {
        size_t length = *text == '[' ? strcspn(text, "]") + 1 : strcspn(text, " ");
        if (column + 1 + length > LINE_WIDTH) {
            fprintf(out, "\n%*s", (int)(sizeof("Usage: flashgatectl") - 1), "");
            column = sizeof("Usage: flashgatectl") - 1;
        }
        fprintf(out, " %.*s", (int)length, text);
        column += 1 + length;
        text += length;
        text += *text == ' ';
    }
    fputc('\n', out);
}

void fg_cli_help_command(const struct fg_cli_command *command, FILE *out)
{
    char text[FG_CLI_USAGE_TEXT];
    fg_cli_usage(command, text);
    print_usage(out, text);
    fprintf(out, "\nThis command %s.\n", command->help);
    if (!command->method)
        fprintf(out, "\n%s", command->local->manual);
    print_options(out, fg_cli_optional(command) | fg_cli_required(command));
    print_exit_statuses(out, fg_cli_statuses(command));
}

static unsigned width_of_usages(char *const *words, int count)
{
    unsigned width = 0;
    for (unsigned i = 0; i < fg_cli_commands_count; i++) {
        char text[FG_CLI_USAGE_TEXT];
        if (!fg_cli_begins(&fg_cli_commands[i], words, count))
            continue;
        fg_cli_usage_brief(&fg_cli_commands[i], text);
        if (strlen(text) > width && strlen(text) <= USAGE_WIDTH)
            width = (unsigned)strlen(text);
    }
    return width;
}

/* Groups of several commands stand apart. */
static void print_commands(FILE *out, char *const *words, int count)
{
    const struct fg_cli_command *command = NULL, *before = NULL;
    int width = (int)width_of_usages(words, count);
    bool in_group = false;

    while ((command = fg_cli_next(command))) {
        const struct fg_cli_command *next = fg_cli_next(command);
        char text[FG_CLI_USAGE_TEXT];
        if (!fg_cli_begins(command, words, count))
            continue;
        bool continues = before && same_group(before, command);
        bool begins = next && same_group(next, command);
        if (before && !continues && (in_group || begins))
            fputc('\n', out);
        in_group = continues || begins;
        fg_cli_usage_brief(command, text);
        if ((int)strlen(text) > width)
            fprintf(out, "  %s\n  %*s  %s\n", text, width, "", command->help);
        else
            fprintf(out, "  %-*s  %s\n", width, text, command->help);
        before = command;
    }
}

void fg_cli_help_all(char *const *words, int count, FILE *out)
{
    unsigned statuses = 0;
    fprintf(out, "Usage: flashgatectl [OPTIONS] COMMAND\n\nSteers a running flashgated through its "
                 "control socket, and reads, copies and takes over logs.\n\nCommands:\n");
    print_commands(out, words, count);
    for (unsigned i = 0; i < fg_cli_commands_count; i++)
        if (fg_cli_begins(&fg_cli_commands[i], words, count))
            statuses |= fg_cli_statuses(&fg_cli_commands[i]);
    print_options(out, 0);
    print_exit_statuses(out, statuses);
}
