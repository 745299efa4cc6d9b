/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "control/client.h"
#include "flashgate/control_api.h"
#include "flashgate/exit_status.h"
#include "flashgate/version.h"

#define WORDS_MAX     2
#define ARGUMENTS_MAX 2
#define FILE_MAX      (FG_CONTROL_LINE_MAX / 2) /* JSON may write a byte as more than one */

struct command {
    const char *words[WORDS_MAX];
    const char *arguments[ARGUMENTS_MAX]; /* as help names them, and... */
    const char *params[ARGUMENTS_MAX];    /* ... as the method does; NULL: a file to read */
    const char *method;
    const char *help;
    void (*show)(const json_t *result, FILE *out);
};

static const struct command commands[] = {
    {{"status"},
     {NULL},
     {NULL},
     "status",
     "shows the engine: workers, log, delivery, sales",
     fg_show_status},
    {{"sale", "apply"},
     {"FILE"},
     {NULL},
     "sale.apply",
     "puts a sale file in force, new or changed (- reads standard input)",
     fg_show_apply},
    {{"sale", "open"},
     {"NAME"},
     {"name"},
     "sale.open",
     "opens a sale now, and waits until every worker sells",
     fg_show_state},
    {{"sale", "close"},
     {"NAME"},
     {"name"},
     "sale.close",
     "closes a sale for good, and waits until no worker sells",
     fg_show_state},
    {{"sale", "show"},
     {"NAME"},
     {"name"},
     "sale.show",
     "shows a sale with all its items",
     fg_show_sale},
    {{"sale", "list"}, {NULL}, {NULL}, "sale.list", "lists the sales", fg_show_sales},
    {{"order", "show"},
     {"BUYER", "REQUEST"},
     {"buyer", "request"},
     "order.show",
     "shows what became of a buyer's request (32 hex digits, a number)",
     fg_show_order},
};
#define COMMANDS (sizeof(commands) / sizeof(*commands))

/* What --help says of the options; getopt_long's table follows the same order. */
static const struct {
    struct option option;
    const char *argument, *help;
} options[] = {
    {{"socket", required_argument, NULL, 's'},
     "PATH",
     "the engine's control socket [$" FG_CONTROL_SOCKET_ENV " or " FG_CONTROL_SOCKET "]"},
    {{"json", no_argument, NULL, 'j'}, "", "prints the result as JSON"},
    {{"help", no_argument, NULL, 'h'}, "", "prints help, of a command if one is given"},
    {{"version", no_argument, NULL, 'V'}, "", "prints the version"},
};
#define OPTIONS (sizeof(options) / sizeof(*options))

struct line {
    const char *socket;
    bool json, help, version;
    int count; /* words of the command, and its arguments */
    char **words;
    FILE *in, *out, *err;
};

static int words_of(const struct command *command)
{
    return command->words[1] ? 2 : 1;
}

static int arguments_of(const struct command *command)
{
    int count = 0;
    while (count < ARGUMENTS_MAX && command->arguments[count])
        count++;
    return count;
}

/* Do the command's words begin with these? */
static bool begins_with(const struct command *command, char *const *words, int count)
{
    for (int i = 0; i < count && i < words_of(command); i++)
        if (strcmp(command->words[i], words[i]) != 0)
            return false;
    return true;
}

/* The command that the line names, or NULL. */
static const struct command *find_command(const struct line *line)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (line->count >= words_of(&commands[i]) &&
            begins_with(&commands[i], line->words, line->count))
            return &commands[i];
    return NULL;
}

/* --- help --- */

static void command_text(const struct command *command, char *text, size_t size)
{
    int used = snprintf(text, size, "%s", command->words[0]);
    if (command->words[1])
        used += snprintf(text + used, size - used, " %s", command->words[1]);
    for (int i = 0; i < arguments_of(command); i++)
        used += snprintf(text + used, size - used, " %s", command->arguments[i]);
}

static void print_options(FILE *out)
{
    fprintf(out, "\nOptions:\n");
    for (size_t i = 0; i < OPTIONS; i++)
        fprintf(out, "  -%c, --%-7s %-12s %s\n", options[i].option.val, options[i].option.name,
                options[i].argument, options[i].help);
}

static void print_exit_statuses(FILE *out)
{
    fprintf(out, "\nExit status:\n");
#define X(name, status, meaning)                                                                   \
    if (status <= FG_EXIT_REFUSED)                                                                 \
        fprintf(out, "  %d  %s\n", status, meaning);
    FG_EXIT_STATUSES(X)
#undef X
}

static int print_command_help(const struct command *command, FILE *out)
{
    char text[80];
    command_text(command, text, sizeof(text));
    fprintf(out, "Usage: flashgatectl [OPTIONS] %s\n\nThis command %s.\n", text, command->help);
    print_options(out);
    return FG_EXIT_OK;
}

/* Commands that begin with the line's words; false if none does. */
static bool print_commands(const struct line *line, FILE *out)
{
    bool found = false;
    char text[80];
    for (size_t i = 0; i < COMMANDS; i++) {
        if (!begins_with(&commands[i], line->words, line->count))
            continue;
        command_text(&commands[i], text, sizeof(text));
        fprintf(out, "  %-26s %s\n", text, commands[i].help);
        found = true;
    }
    return found;
}

static int unknown_command(const struct line *line)
{
    fprintf(line->err, "flashgatectl: unknown command");
    for (int i = 0; i < line->count && i < WORDS_MAX; i++)
        fprintf(line->err, " %s", line->words[i]);
    fprintf(line->err, "; flashgatectl --help lists the commands\n");
    return FG_EXIT_USAGE;
}

/* The line's one word is the first of several commands, or of none. */
static int incomplete_command(const struct line *line)
{
    const char *before = "";

    if (line->count > 1)
        return unknown_command(line);
    for (size_t i = 0; i < COMMANDS; i++) {
        if (!begins_with(&commands[i], line->words, line->count))
            continue;
        if (!*before)
            fprintf(line->err, "flashgatectl: %s wants a second word: ", line->words[0]);
        fprintf(line->err, "%s%s", before, commands[i].words[1]);
        before = ", ";
    }
    if (!*before)
        return unknown_command(line);
    fputc('\n', line->err);
    return FG_EXIT_USAGE;
}

static int print_help(const struct line *line)
{
    const struct command *command = find_command(line);
    if (command)
        return print_command_help(command, line->out);
    if (line->count > 1)
        return unknown_command(line);
    bool known = line->count == 0;
    for (size_t i = 0; i < COMMANDS && !known; i++)
        known = begins_with(&commands[i], line->words, line->count);
    if (!known)
        return unknown_command(line);
    fprintf(line->out, "Usage: flashgatectl [OPTIONS] COMMAND\n\n%s\n\nCommands:\n",
            "Steers a running flashgated through its control socket.");
    print_commands(line, line->out);
    print_options(line->out);
    print_exit_statuses(line->out);
    return FG_EXIT_OK;
}

/* --- running a command --- */

static int fail(const struct line *line, int status, const char *text)
{
    fprintf(line->err, "flashgatectl: %s\n", text);
    return status;
}

/* The file's text as a JSON string; NULL with a sentence. "-" is standard input. */
static json_t *read_text(const struct line *line, const char *path, char *message, size_t size)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? line->in : fopen(path, "re");
    char *text = file ? malloc(FILE_MAX + 1) : NULL;
    json_t *json = NULL;
    if (!text) {
        snprintf(message, size, "%s: %s", path, strerror(errno));
        goto close_file;
    }
    size_t length = fread(text, 1, FILE_MAX + 1, file);
    if (ferror(file))
        snprintf(message, size, "%s: %s", path, strerror(errno));
    else if (length > FILE_MAX)
        snprintf(message, size, "%s: longer than the 4 MiB that a sale file may have", path);
    else if (!(json = json_stringn(text, length)))
        snprintf(message, size, "%s: not UTF-8 text", path);
    free(text);
close_file:
    if (file && !standard)
        fclose(file);
    return json;
}

/* NULL with a sentence and an exit status. */
static json_t *params_of(const struct line *line, const struct command *command, int *status,
                         char *message, size_t size)
{
    json_t *params = json_object();
    char *const *arguments = line->words + words_of(command);
    for (int i = 0; i < arguments_of(command); i++) {
        json_t *value = command->params[i] ? json_string(arguments[i])
                                           : read_text(line, arguments[i], message, size);
        if (!value) {
            *status = command->params[i] ? FG_EXIT_USAGE : FG_EXIT_CONFIG;
            if (command->params[i])
                snprintf(message, size, "%s \"%s\" is not UTF-8 text", command->arguments[i],
                         arguments[i]);
            json_decref(params);
            return NULL;
        }
        json_object_set_new(params, command->params[i] ? command->params[i] : "text", value);
        if (!command->params[i])
            json_object_set_new(
                params, "source",
                json_string(strcmp(arguments[i], "-") == 0 ? "standard input" : arguments[i]));
    }
    return params;
}

static int run_command(const struct line *line, const struct command *command)
{
    char message[1024], text[80];
    if (line->count - words_of(command) != arguments_of(command)) {
        command_text(command, text, sizeof(text));
        snprintf(message, sizeof(message), "wrong number of arguments; usage: flashgatectl %s",
                 text);
        return fail(line, FG_EXIT_USAGE, message);
    }
    int status = FG_EXIT_USAGE;
    json_t *params = params_of(line, command, &status, message, sizeof(message));
    if (!params)
        return fail(line, status, message);
    json_t *result;
    status =
        fg_client_call(line->socket, command->method, params, &result, message, sizeof(message));
    if (status != FG_EXIT_OK)
        return fail(line, status, message);
    if (line->json) {
        json_dumpf(result, line->out, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        fputc('\n', line->out);
    } else {
        command->show(result, line->out);
    }
    json_decref(result);
    if (fflush(line->out) != 0)
        return fail(line, FG_EXIT_FAILED, strerror(errno));
    return FG_EXIT_OK;
}

/* 0, or an exit status when the options are wrong (getopt has said how). */
static int read_options(struct line *line, int argc, char **argv)
{
    struct option long_options[OPTIONS + 1] = {0};
    for (size_t i = 0; i < OPTIONS; i++)
        long_options[i] = options[i].option;
    optind = 0; /* begins anew, in glibc */
    opterr = 0;
    for (;;) {
        switch (getopt_long(argc, argv, ":s:jhV", long_options, NULL)) {
        case -1:
            line->count = argc - optind;
            line->words = argv + optind;
            return FG_EXIT_OK;
        case 's':
            line->socket = optarg;
            break;
        case 'j':
            line->json = true;
            break;
        case 'h':
            line->help = true;
            break;
        case 'V':
            line->version = true;
            break;
        case ':':
            fprintf(line->err, "flashgatectl: %s needs a value\n", argv[optind - 1]);
            return FG_EXIT_USAGE;
        default:
            fprintf(line->err, "flashgatectl: unknown option %s; --help lists them\n",
                    argv[optind - 1]);
            return FG_EXIT_USAGE;
        }
    }
}

int fg_cli_run(int argc, char **argv, FILE *in, FILE *out, FILE *err)
{
    struct line line = {.in = in, .out = out, .err = err};
    const char *named = getenv(FG_CONTROL_SOCKET_ENV);
    line.socket = named && *named ? named : FG_CONTROL_SOCKET;
    int status = read_options(&line, argc, argv);
    if (status != FG_EXIT_OK)
        return status;
    if (line.version) {
        fprintf(out, "flashgatectl %s\n", FG_VERSION_TEXT);
        return FG_EXIT_OK;
    }
    if (line.help)
        return print_help(&line);
    if (line.count == 0)
        return fail(&line, FG_EXIT_USAGE, "a command is wanted; flashgatectl --help lists them");
    const struct command *command = find_command(&line);
    return command ? run_command(&line, command) : incomplete_command(&line);
}
