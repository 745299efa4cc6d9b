/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * make-docs: manual pages and completion, from the tables of the binaries. Not installed.
 *
 *   make-docs page < docs/man/NAME.SECTION.scd > scdoc   fills the places marked @NAME@
 *   make-docs completion > script                        bash completion of flashgatectl
 *
 * A marker stands alone in its line. "@include PATH@" is that file, as it is.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/config/config.h"
#include "control/config/keys.h"
#include "control/config/options.h"
#include "control/manual.h"
#include "control/sale/sale.h"
#include "dataplane/command_line.h"
#include "perf/check/options.h"
#include "perf/load/options.h"

static void engine_options(FILE *out)
{
#define X(id, letter, name, argument, help)                                                        \
    fg_manual_option(out, letter, name, argument, NULL, help);
    FG_ENGINE_OPTIONS(X)
#undef X
}

static void check_options(FILE *out)
{
#define X(name, letter, has_value, value, help) fg_manual_option(out, 0, name, value, NULL, help);
    CHECK_OPTIONS(X)
#undef X
}

static void sale_options(FILE *out)
{
    fg_options_manual(&fg_sale_options, false, out);
}

#define STATUSES_OF(program, set)                                                                  \
    static void program##_statuses(FILE *out)                                                      \
    {                                                                                              \
        fg_manual_statuses(out, set);                                                              \
    }
STATUSES_OF(all, ~0u)
STATUSES_OF(engine, ~FG_ENGINE_NEVER)
STATUSES_OF(load, LOAD_STATUSES)
STATUSES_OF(check, CHECK_STATUSES)

static const struct {
    const char *marker;
    void (*print)(FILE *out);
} places[] = {
    {"@commands@", fg_manual_commands},      {"@common options@", fg_manual_common_options},
    {"@all statuses@", all_statuses},        {"@engine options@", engine_options},
    {"@engine statuses@", engine_statuses},  {"@load options@", load_options_manual},
    {"@load statuses@", load_statuses},      {"@check options@", check_options},
    {"@check statuses@", check_statuses},    {"@config options@", fg_config_manual},
    {"@key options@", fg_keys_manual},       {"@sale options@", sale_options},
    {"@load hostile@", load_hostile_manual},
};

static bool include(const char *path, FILE *out)
{
    char line[1024];
    FILE *file = fopen(path, "re");

    if (!file) {
        perror(path);
        return false;
    }
    while (fgets(line, sizeof(line), file))
        fputs(line, out);
    fclose(file);
    return true;
}

/* One line without its end. False: a marker that is none. */
static bool print_line(char *line, FILE *out)
{
    size_t length = strlen(line);
    char path[256];

    if (length < 2 || line[0] != '@' || line[length - 1] != '@') {
        fprintf(out, "%s\n", line);
        return true;
    }
    if (sscanf(line, "@include %255[^@]@", path) == 1)
        return include(path, out);
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        if (strcmp(places[i].marker, line) == 0) {
            places[i].print(out);
            return true;
        }
    }
    fprintf(stderr, "make-docs: nothing is known of %s\n", line);
    return false;
}

static bool page(FILE *in, FILE *out)
{
    char line[1024];

    while (fgets(line, sizeof(line), in)) {
        line[strcspn(line, "\n")] = '\0';
        if (!print_line(line, out))
            return false;
    }
    return !ferror(in) && fflush(out) == 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "page") == 0)
        return page(stdin, stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
    if (argc == 2 && strcmp(argv[1], "completion") == 0) {
        fg_completion_bash(stdout);
        return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    fprintf(stderr, "Usage: make-docs page < FILE.scd | completion\n");
    return FG_EXIT_USAGE;
}
