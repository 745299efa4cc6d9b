/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a command of flashgatectl is. The one table of commands is in cli/commands.c, the one list
 * of options here. A command either asks the engine (`method`, `show`) or runs in this process
 * (`run`).
 */
#ifndef FG_CONTROL_CLI_TABLE_H
#define FG_CONTROL_CLI_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "flashgate/control_api.h"
#include "flashgate/exit_status.h"

#define FG_CLI_WORDS_MAX     2
#define FG_CLI_ARGUMENTS_MAX 3

/* X(ID, letter or 0, "name", "ARGUMENT" or "", help): those of every command. */
#define FG_CLI_COMMON_OPTIONS(X)                                                                   \
    X(SOCKET, 's', "socket", "PATH",                                                               \
      "the engine's control socket [$" FG_CONTROL_SOCKET_ENV " or " FG_CONTROL_SOCKET "]")         \
    X(JSON, 'j', "json", "", "prints the result as JSON")                                          \
    X(HELP, 'h', "help", "", "prints help, of a command if one is given")                          \
    X(VERSION, 'V', "version", "", "prints the version")

/* ... and those that only the commands take that name them. */
#define FG_CLI_OWN_OPTIONS(X)                                                                      \
    X(CONFIG, 0, "config", "FILE", "the engine's configuration file")                              \
    X(FROM, 0, "from", "LSN", "begins at this record")                                             \
    X(TO, 0, "to", "LSN", "ends after this record")                                                \
    X(SALE, 0, "sale", "SALE", "only what is of this sale, by name or number")                     \
    X(KIND, 0, "kind", "KIND", "only records of this kind (ADMIT, SALE_STATE ...)")                \
    X(BUYER, 0, "buyer", "HEX", "only records of this buyer (32 hex digits)")                      \
    X(ORDER, 0, "order", "ID", "only records of this order")                                       \
    X(REDIS, 0, "redis", "ADDRESS", "where the streams are: a Unix socket's path, or HOST:PORT")   \
    X(HISTORY, 0, "history", "FILE[,FILE]", "what clients sent and heard, by flashgate-load")      \
    X(DRAINED, 0, "drained", "", "the streams should have all that is in the log")                 \
    X(WITHOUT_FENCE, 0, "without-fence", "", "goes on when Redis cannot be asked")                 \
    X(DRY_RUN, 0, "dry-run", "", "shows what would change, and changes nothing")                   \
    X(IF_REVISION, 0, "if-revision", "N", "only if the catalogue's revision is N (status tells)")  \
    X(SINCE, 0, "since", "LSN", "only what came after this record")                                \
    X(AFTER, 0, "after", "NEXT", "goes on where the answer before ended, as that says")            \
    X(ARCHIVED, 0, "archived", "", "lists the archived sales instead, by name")                    \
    X(FOLLOW, 'f', "follow", "", "goes on with whatever is new, until Ctrl-C")                     \
    X(YES, 'y', "yes", "", "does not ask before something is taken away")                          \
    X(WATCH, 'w', "watch", "",                                                                     \
      "asks again and again, until Ctrl-C; with --json one object a line")                         \
    X(TIMEOUT, 0, "timeout", "TIME", "how long it waits: 500ms, 2s ... [60s]")                     \
    X(INTERVAL, 'i', "interval", "TIME", "between two answers: 500ms, 2s ... [1s]")                \
    X(COUNT, 0, "count", "N", "at most so many: frames [1000], suspects [20]")                     \
    X(SECONDS, 0, "seconds", "S", "for so long at most [10]")                                      \
    X(DROPPED, 0, "dropped", "", "only frames that are dropped")                                   \
    X(SOURCE, 0, "source", "ADDRESS", "only frames from there, and to it (10.1.0.0/16 is one, too)")

enum fg_cli_option {
#define X(id, letter, name, argument, help) FG_CLI_##id,
    FG_CLI_COMMON_OPTIONS(X) FG_CLI_OWN_OPTIONS(X)
#undef X
        FG_CLI_OPTIONS_COUNT
};

/* A command line as a command that runs here sees it. */
struct fg_cli_call {
    char *const *arguments;     /* as many as the table says */
    const char *const *options; /* by enum fg_cli_option; NULL: not given, "": has no argument */
    bool json;
    bool socket_given; /* --socket is not the default */
    FILE *in, *out, *err;
};

/* Sets of options and of exit statuses. */
#define FG_CLI_TAKES(id)    (UINT64_C(1) << FG_CLI_##id)
#define FG_CLI_STATUS(name) (1u << FG_EXIT_##name)

/* Options that say how a method is called; all others go to the method as parameters. */
#define FG_CLI_NOT_SENT (FG_CLI_TAKES(YES) | FG_CLI_TAKES(WATCH) | FG_CLI_TAKES(INTERVAL))

/* What more there is to say of a command that runs here. */
struct fg_cli_local {
    /* Writes results to call->out, and one sentence to call->err if it fails (fg_cli_fail). Returns
     * an exit status. */
    int (*run)(const struct fg_cli_call *call);
    uint64_t options;   /* it takes, beside the common ones: FG_CLI_TAKES() */
    uint64_t required;  /* those that must be given */
    unsigned statuses;  /* it may end with: FG_CLI_STATUS() */
    const char *manual; /* paragraphs for --help, with their line ends */
};

struct fg_cli_command {
    const char *words[FG_CLI_WORDS_MAX];
    const char *arguments[FG_CLI_ARGUMENTS_MAX]; /* as help names them, and... */
    const char *params[FG_CLI_ARGUMENTS_MAX];    /* ... as the method does; NULL: a file to read */
    const char *method;                          /* NULL: it runs here */
    const char *help;                            /* goes on from "This command " */
    uint64_t options; /* with a method: FG_CLI_TAKES() of those that it takes; but for those of
                       * FG_CLI_NOT_SENT, each goes to the method as the parameter of its name */
    void (*show)(const json_t *result, FILE *out); /* with a method: its answer for people; NULL:
                                                    * JSON */
    const struct fg_cli_local *local;              /* without a method: how it runs here */
};

/* Prints "flashgatectl: ..." to call->err; returns the status. */
__attribute__((format(printf, 3, 4))) int fg_cli_fail(const struct fg_cli_call *call, int status,
                                                      const char *format, ...);

/* cli.c: what a step takes away was told: does the person want it? Asked only of a terminal. */
bool fg_cli_agrees(FILE *in, FILE *err, const char *message);

extern const struct fg_cli_command fg_cli_commands[];
extern const unsigned fg_cli_commands_count;

/* cli.c: "--from", and "LSN" or "". */
const char *fg_cli_option_name(enum fg_cli_option option);
const char *fg_cli_option_argument(enum fg_cli_option option);

/* Words of a command, and its arguments. */
unsigned fg_cli_words(const struct fg_cli_command *command);
unsigned fg_cli_arguments(const struct fg_cli_command *command);

/* Its own options: sets of FG_CLI_TAKES(). */
static inline uint64_t fg_cli_optional(const struct fg_cli_command *command)
{
    return command->method ? command->options : command->local->options;
}
static inline uint64_t fg_cli_required(const struct fg_cli_command *command)
{
    return command->method ? 0 : command->local->required;
}

/* Do the command's words begin with these? */
bool fg_cli_begins(const struct fg_cli_command *command, char *const *words, int count);

#define FG_CLI_USAGE_TEXT 512

/* cli/help.c: "takeover --config FILE [--without-fence] FROM"; the brief form leaves out what may
 * be left out. */
void fg_cli_usage(const struct fg_cli_command *command, char text[FG_CLI_USAGE_TEXT]);
void fg_cli_usage_brief(const struct fg_cli_command *command, char text[FG_CLI_USAGE_TEXT]);
/* The exit statuses it may end with: a set of FG_CLI_STATUS(). */
unsigned fg_cli_statuses(const struct fg_cli_command *command);
/* The command after this one where those of one first word stand together, each group where the
 * table has its first; NULL: the first of all. NULL after the last. */
const struct fg_cli_command *fg_cli_next(const struct fg_cli_command *command);
void fg_cli_help_command(const struct fg_cli_command *command, FILE *out);
/* Of all commands that begin with these words. */
void fg_cli_help_all(char *const *words, int count, FILE *out);

#endif
