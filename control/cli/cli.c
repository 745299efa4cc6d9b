/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/cli/cli.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/cli/client.h"
#include "control/cli/table.h"
#include "control/cli/watch.h"
#include "flashgate/version.h"

#define FILE_MAX (FG_CONTROL_LINE_MAX / 2) /* JSON may write a byte as more than one */

#define OWN_LETTER 256 /* what getopt returns for an option without a letter, and its number */

static const struct {
    char letter;
    const char *name, *argument;
} options[FG_CLI_OPTIONS_COUNT] = {
#define X(id, letter, name, argument, help) {letter, name, argument},
    FG_CLI_COMMON_OPTIONS(X) FG_CLI_OWN_OPTIONS(X)
#undef X
};
static_assert(FG_CLI_OPTIONS_COUNT <= 64, "a set of options is one uint64_t");

struct line {
    const char *options[FG_CLI_OPTIONS_COUNT]; /* NULL: not given, "": has no argument */
    bool socket_given;
    int count; /* words of the command, and its arguments */
    char **words;
    FILE *in, *out, *err;
};

const char *fg_cli_option_name(enum fg_cli_option option)
{
    return options[option].name;
}

const char *fg_cli_option_argument(enum fg_cli_option option)
{
    return options[option].argument;
}

unsigned fg_cli_words(const struct fg_cli_command *command)
{
    return command->words[1] ? 2 : 1;
}

unsigned fg_cli_arguments(const struct fg_cli_command *command)
{
    unsigned count = 0;
    while (count < FG_CLI_ARGUMENTS_MAX && command->arguments[count])
        count++;
    return count;
}

bool fg_cli_begins(const struct fg_cli_command *command, char *const *words, int count)
{
    for (int i = 0; i < count && i < (int)fg_cli_words(command); i++)
        if (strcmp(command->words[i], words[i]) != 0)
            return false;
    return true;
}

/* The command that the line names, or NULL. */
static const struct fg_cli_command *find_command(const struct line *line)
{
    for (unsigned i = 0; i < fg_cli_commands_count; i++)
        if (line->count >= (int)fg_cli_words(&fg_cli_commands[i]) &&
            fg_cli_begins(&fg_cli_commands[i], line->words, line->count))
            return &fg_cli_commands[i];
    return NULL;
}

/* --- a line that names no command, and help --- */

static int fail(const struct line *line, int status, const char *text)
{
    fprintf(line->err, "flashgatectl: %s\n", text);
    return status;
}

static int unknown_command(const struct line *line)
{
    fprintf(line->err, "flashgatectl: unknown command");
    for (int i = 0; i < line->count && i < FG_CLI_WORDS_MAX; i++)
        fprintf(line->err, " %s", line->words[i]);
    fprintf(line->err, "; flashgatectl --help lists the commands\n");
    return FG_EXIT_USAGE;
}

/* The line's one word is the first of several commands, or of none. */
static int incomplete_command(const struct line *line)
{
    const char *before = "";

    if (line->count == 0)
        return fail(line, FG_EXIT_USAGE, "a command is wanted; flashgatectl --help lists them");
    if (line->count > 1)
        return unknown_command(line);
    for (unsigned i = 0; i < fg_cli_commands_count; i++) {
        if (!fg_cli_begins(&fg_cli_commands[i], line->words, line->count))
            continue;
        if (!*before)
            fprintf(line->err, "flashgatectl: %s wants a second word: ", line->words[0]);
        fprintf(line->err, "%s%s", before, fg_cli_commands[i].words[1]);
        before = ", ";
    }
    if (!*before)
        return unknown_command(line);
    fputc('\n', line->err);
    return FG_EXIT_USAGE;
}

static int print_help(const struct line *line)
{
    const struct fg_cli_command *command = find_command(line);
    if (command) {
        fg_cli_help_command(command, line->out);
        return FG_EXIT_OK;
    }
    if (line->count > 1)
        return unknown_command(line);
    bool known = line->count == 0;
    for (unsigned i = 0; i < fg_cli_commands_count && !known; i++)
        known = fg_cli_begins(&fg_cli_commands[i], line->words, line->count);
    if (!known)
        return unknown_command(line);
    fg_cli_help_all(line->words, line->count, line->out);
    return FG_EXIT_OK;
}

/* --- running a command --- */

int fg_cli_fail(const struct fg_cli_call *call, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("flashgatectl: ", call->err);
    vfprintf(call->err, format, arguments);
    fputc('\n', call->err);
    va_end(arguments);
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

/* The command's own options become parameters of the same name, with _ for -. An option without an
 * argument is "true". */
static void options_to_params(const struct line *line, const struct fg_cli_command *command,
                              json_t *params)
{
    const uint64_t sent = command->options & ~FG_CLI_NOT_SENT;
    for (unsigned id = FG_CLI_VERSION + 1; id < FG_CLI_OPTIONS_COUNT; id++) {
        char name[32];
        if (!(sent & UINT64_C(1) << id) || !line->options[id])
            continue;
        snprintf(name, sizeof(name), "%s", options[id].name);
        for (char *at = name; *at; at++)
            if (*at == '-')
                *at = '_';
        json_object_set_new(params, name,
                            json_string(*options[id].argument ? line->options[id] : "true"));
    }
}

/* NULL with a sentence and an exit status. */
static json_t *params_of(const struct line *line, const struct fg_cli_command *command, int *status,
                         char *message, size_t size)
{
    json_t *params = json_object();
    char *const *arguments = line->words + (int)fg_cli_words(command);
    for (int i = 0; i < (int)fg_cli_arguments(command); i++) {
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

bool fg_cli_agrees(FILE *in, FILE *err, const char *message)
{
    char answer[16];
    if (!isatty(fileno(in)))
        return false;
    fprintf(err, "%s\nGo on? [y/N] ", message);
    fflush(err);
    return fgets(answer, sizeof(answer), in) && (*answer == 'y' || *answer == 'Y');
}

/* The engine wants it confirmed; `plan` (may be NULL) is all that it would change. Does the person
 * want it? What is then confirmed is what was shown, and nothing that came since. */
static bool person_agrees(const struct line *line, const struct fg_cli_command *command,
                          const json_t *plan, const char *message, json_t *params)
{
    if (plan && isatty(fileno(line->in)))
        fg_show_plan(plan, line->err);
    if (!fg_cli_agrees(line->in, line->err, message))
        return false;
    if (plan && command->options & FG_CLI_TAKES(IF_REVISION)) {
        char revision[32];
        snprintf(revision, sizeof(revision), "%" JSON_INTEGER_FORMAT,
                 json_integer_value(json_object_get(plan, "revision")));
        json_object_set_new(params, "if_revision", json_string(revision));
    }
    json_object_set_new(params, "confirmed", json_true());
    return true;
}

/* Asks the engine, and the person where the engine wants that. */
static int call_engine(const struct line *line, const struct fg_cli_command *command,
                       json_t *params, json_t **result)
{
    const char *socket = line->options[FG_CLI_SOCKET];
    char message[1024];
    if (line->options[FG_CLI_YES])
        json_object_set_new(params, "confirmed", json_true());
    int status = fg_client_call(socket, command->method, json_incref(params), result, message,
                                sizeof(message));
    if (status != FG_EXIT_UNCONFIRMED)
        return status == FG_EXIT_OK ? status : fail(line, status, message);
    json_t *plan = *result;
    *result = NULL;
    if (person_agrees(line, command, plan, message, params))
        status = fg_client_call(socket, command->method, json_incref(params), result, message,
                                sizeof(message));
    else
        strncat(message, "; give --yes to go on", sizeof(message) - strlen(message) - 1);
    json_decref(plan);
    return status == FG_EXIT_OK ? status : fail(line, status, message);
}

static int watch_engine(const struct line *line, const struct fg_cli_command *command,
                        json_t *params)
{
    char message[256];
    struct fg_watch watch = {
        .socket = line->options[FG_CLI_SOCKET],
        .method = command->method,
        .params = params,
        .show = command->show,
        .json = line->options[FG_CLI_JSON],
        .out = line->out,
        .err = line->err,
    };
    if (!fg_watch_interval(line->options[FG_CLI_INTERVAL], &watch.interval_ms, message,
                           sizeof(message)))
        return fail(line, FG_EXIT_USAGE, message);
    return fg_watch(&watch);
}

/* Asks the engine and prints its answer. */
static int ask_engine(const struct line *line, const struct fg_cli_command *command)
{
    char message[1024];
    int status = FG_EXIT_USAGE;
    if (line->options[FG_CLI_INTERVAL] && !line->options[FG_CLI_WATCH])
        return fail(line, status, "--interval goes with --watch");
    json_t *result, *params = params_of(line, command, &status, message, sizeof(message));
    if (!params)
        return fail(line, status, message);
    options_to_params(line, command, params);
    if (line->options[FG_CLI_WATCH]) {
        status = watch_engine(line, command, params);
        json_decref(params);
        return status;
    }
    status = call_engine(line, command, params, &result);
    json_decref(params);
    if (status != FG_EXIT_OK)
        return status;
    if (line->options[FG_CLI_JSON] || !command->show) {
        json_dumpf(result, line->out, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        fputc('\n', line->out);
    } else {
        command->show(result, line->out);
    }
    json_decref(result);
    return FG_EXIT_OK;
}

static int run_here(const struct line *line, const struct fg_cli_command *command)
{
    const struct fg_cli_call call = {
        .arguments = line->words + fg_cli_words(command),
        .options = line->options,
        .json = line->options[FG_CLI_JSON],
        .socket_given = line->socket_given,
        .in = line->in,
        .out = line->out,
        .err = line->err,
    };
    return command->local->run(&call);
}

/* Options of other commands, and those of this one that must be there. */
static int check_options(const struct line *line, const struct fg_cli_command *command)
{
    for (unsigned id = FG_CLI_VERSION + 1; id < FG_CLI_OPTIONS_COUNT; id++) {
        bool given = line->options[id];
        if (given == !!(fg_cli_required(command) & UINT64_C(1) << id) ||
            (given && fg_cli_optional(command) & UINT64_C(1) << id))
            continue;
        char text[FG_CLI_USAGE_TEXT], message[FG_CLI_USAGE_TEXT + 96];
        fg_cli_usage(command, text);
        snprintf(message, sizeof(message), "%s --%s; usage: flashgatectl %s",
                 given ? "this command has no option" : "this command wants", options[id].name,
                 text);
        return fail(line, FG_EXIT_USAGE, message);
    }
    return FG_EXIT_OK;
}

static int check_line(const struct line *line, const struct fg_cli_command *command)
{
    if (line->count - (int)fg_cli_words(command) != (int)fg_cli_arguments(command)) {
        char text[FG_CLI_USAGE_TEXT], message[FG_CLI_USAGE_TEXT + 96];
        fg_cli_usage(command, text);
        snprintf(message, sizeof(message), "wrong number of arguments; usage: flashgatectl %s",
                 text);
        return fail(line, FG_EXIT_USAGE, message);
    }
    return check_options(line, command);
}

static int run_command(const struct line *line, const struct fg_cli_command *command)
{
    int status = check_line(line, command);
    if (status == FG_EXIT_OK)
        status = command->method ? ask_engine(line, command) : run_here(line, command);
    if (fflush(line->out) != 0 && status == FG_EXIT_OK)
        return fail(line, FG_EXIT_FAILED, strerror(errno));
    return status;
}

/* 0, or an exit status when the options are wrong (getopt has said how). */
static int read_options(struct line *line, int argc, char **argv)
{
    struct option long_options[FG_CLI_OPTIONS_COUNT + 1] = {0};
    char letters[2 * FG_CLI_OPTIONS_COUNT + 2] = ":", *next = letters + 1;
    for (int id = 0; id < FG_CLI_OPTIONS_COUNT; id++) {
        bool wants_value = *options[id].argument;
        char letter = options[id].letter;
        long_options[id] = (struct option){.name = options[id].name,
                                           .has_arg = wants_value,
                                           .val = letter ? letter : OWN_LETTER + id};
        if (letter)
            *next++ = letter;
        if (letter && wants_value)
            *next++ = ':';
    }
    optind = 0; /* begins anew, in glibc */
    opterr = 0;
    for (;;) {
        int found = getopt_long(argc, argv, letters, long_options, NULL), id = 0;
        if (found == -1)
            break;
        if (found == ':' || found == '?') {
            fprintf(line->err,
                    found == ':' ? "flashgatectl: %s needs a value\n"
                                 : "flashgatectl: unknown option %s; --help lists them\n",
                    argv[optind - 1]);
            return FG_EXIT_USAGE;
        }
        while (long_options[id].val != found)
            id++;
        line->options[id] = optarg ? optarg : "";
        line->socket_given |= id == FG_CLI_SOCKET;
    }
    line->count = argc - optind;
    line->words = argv + optind;
    return FG_EXIT_OK;
}

int fg_cli_run(int argc, char **argv, FILE *in, FILE *out, FILE *err)
{
    struct line line = {.in = in, .out = out, .err = err};
    const char *named = getenv(FG_CONTROL_SOCKET_ENV);
    line.options[FG_CLI_SOCKET] = named && *named ? named : FG_CONTROL_SOCKET;
    int status = read_options(&line, argc, argv);
    if (status != FG_EXIT_OK)
        return status;
    if (line.options[FG_CLI_VERSION]) {
        fprintf(out, "flashgatectl %s\n", FG_VERSION_TEXT);
        return FG_EXIT_OK;
    }
    if (line.options[FG_CLI_HELP])
        return print_help(&line);
    const struct fg_cli_command *command = find_command(&line);
    return command ? run_command(&line, command) : incomplete_command(&line);
}

int fg_cli_check(int argc, char **argv, FILE *err)
{
    struct line line = {.err = err};
    int status = read_options(&line, argc, argv);
    if (status != FG_EXIT_OK || line.options[FG_CLI_VERSION] || line.options[FG_CLI_HELP])
        return status;
    const struct fg_cli_command *command = find_command(&line);
    return command ? check_line(&line, command) : incomplete_command(&line);
}
