/* SPDX-License-Identifier: BSD-3-Clause */
/* flashgated: the command line of the engine's process; parts.c has what it is made of. */
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#include "control/config/config.h"
#include "control/figures/figures.h"
#include "dataplane/command_line.h"
#include "dataplane/process.h"
#include "flashgate/exit_status.h"
#include "flashgate/version.h"

static struct fg_process process;
static volatile sig_atomic_t stop_asked;

static void ask_to_stop(int signal)
{
    (void)signal;
    stop_asked = 1;
}

static void set_signals(void)
{
    struct sigaction action = {.sa_handler = ask_to_stop}, before;

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    /* The terminal has gone; nohup has the engine stay. */
    if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &action, NULL);
    /* Peers go away at any time: Redis, an operator, a virtual machine. Writing then just fails. */
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

#define OWN_LETTER 256 /* what getopt returns for an option without a letter, and its number */

enum option_id {
#define X(id, letter, name, argument, help) OPTION_##id,
    FG_ENGINE_OPTIONS(X)
#undef X
};

/* What getopt returns for each. */
#define LETTER(id, letter) ((letter) ? (letter) : OWN_LETTER + OPTION_##id)

static const struct option options[] = {
#define X(id, letter, name, argument, help)                                                        \
    {name, sizeof(argument) > 1 ? required_argument : no_argument, NULL, LETTER(id, letter)},
    FG_ENGINE_OPTIONS(X)
#undef X
        {0},
};

static void help_option(char letter, const char *name, const char *argument, const char *text)
{
    char long_form[40];

    snprintf(long_form, sizeof(long_form), "%s %s", name, argument);
    if (letter)
        printf("  -%c, --%-20s %s\n", letter, long_form, text);
    else
        printf("      --%-20s %s\n", long_form, text);
}

static void help(void)
{
    printf("Usage: flashgated --config FILE [--check]\n"
           "\n"
           "Runs the engine that admits the orders of flash sales.\n"
           "\n"
           "Options:\n");
#define X(id, letter, name, argument, text) help_option(letter, name, argument, text);
    FG_ENGINE_OPTIONS(X)
#undef X
    printf("\nExit status:\n");
#define X(name, status, meaning)                                                                   \
    if (!(FG_ENGINE_NEVER & 1u << status))                                                         \
        printf("  %2d  %s\n", status, meaning);
    FG_EXIT_STATUSES(X)
#undef X
}

static int usage(const char *word, const char *what)
{
    fprintf(stderr, "flashgated: %s%s; see flashgated --help\n", word, what);
    return FG_EXIT_USAGE;
}

static int load_and_run(const char *path, bool check_only)
{
    struct fg_process *p = &process;
    int status;

    if (fg_config_load(&p->engine.config, path, p->message, sizeof(p->message)) != 0) {
        fprintf(stderr, "flashgated: %s\n", p->message);
        status = FG_EXIT_CONFIG;
    } else if (check_only) {
        printf("%s: right\n", path);
        status = FG_EXIT_OK;
    } else {
        set_signals();
        status = fg_process_run(p, &stop_asked);
    }
    fg_config_free(&p->engine.config);
    return status;
}

int main(int argc, char **argv)
{
    const char *config = NULL;
    bool check_only = false;
    int option;

    opterr = 0; /* usage() says it */
    while ((option = getopt_long(argc, argv, "c:Vh", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            config = optarg;
            break;
        case OWN_LETTER + OPTION_CHECK:
            check_only = true;
            break;
        case OWN_LETTER + OPTION_DESCRIBE:
            fg_config_describe(stdout);
            return FG_EXIT_OK;
        case OWN_LETTER + OPTION_REFERENCE:
            fg_config_reference(stdout);
            return FG_EXIT_OK;
        case OWN_LETTER + OPTION_FIGURES:
            fg_figures_describe(stdout);
            return FG_EXIT_OK;
        case 'V':
            printf("flashgated %s\n", FG_VERSION_TEXT);
            return FG_EXIT_OK;
        case 'h':
            help();
            return FG_EXIT_OK;
        default:
            return usage(argv[optind - 1], " is not an option, or lacks its value");
        }
    }
    if (optind < argc)
        return usage(argv[optind], " is one word too many");
    if (!config)
        return usage("", "--config FILE is wanted");
    return load_and_run(config, check_only);
}
