/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flashgate-check: does a run keep its books? Reads the generator's history and the sales' streams,
 * runs every check, prints the report.
 */
#include <getopt.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "flashgate/exit_status.h"
#include "flashgate/version.h"
#include "perf/check/check.h"
#include "perf/check/options.h"
#include "perf/check/report.h"

#define HISTORIES_MAX 64 /* as many generators as one sale can need */

struct options {
    const char *redis, *load_report, *json;
    const char *histories[HISTORIES_MAX];
    unsigned histories_count;
    const char *sales[FG_SALES_LIVE_MAX];
    unsigned sales_count;
    bool sell_out;
};

static void print_help(void)
{
    printf("Usage: flashgate-check --history FILE --redis ADDRESS --sale NAME [OPTION]...\n\n"
           "Proves from what clients sent and heard, and from what is in Redis, that a run kept\n"
           "its books.\n\nOptions:\n");
#define X(name, letter, has_value, value, help) printf("  --%-11s %-8s %s\n", name, value, help);
    CHECK_OPTIONS(X)
#undef X
    printf("\nExit status:\n");
#define X(name, status, meaning)                                                                   \
    if (CHECK_STATUSES & 1u << status)                                                             \
        printf("  %2d  %s\n", status, meaning);
    FG_EXIT_STATUSES(X)
#undef X
}

static int usage(const char *word, const char *sentence)
{
    fprintf(stderr, "flashgate-check: %s%s; --help lists the options\n", word, sentence);
    return FG_EXIT_USAGE;
}

static int take_option(struct options *options, int letter, const char *word)
{
    switch (letter) {
    case 'H':
        if (options->histories_count == HISTORIES_MAX)
            return usage(word, " is one history too many");
        options->histories[options->histories_count++] = optarg;
        return FG_EXIT_OK;
    case 'r':
        options->redis = optarg;
        return FG_EXIT_OK;
    case 's':
        if (options->sales_count == FG_SALES_LIVE_MAX)
            return usage(word, " is one sale too many");
        if (strlen(optarg) > FG_SALE_NAME_MAX)
            return usage(word, " is too long for the name of a sale");
        options->sales[options->sales_count++] = optarg;
        return FG_EXIT_OK;
    case 'l':
        options->load_report = optarg;
        return FG_EXIT_OK;
    case 'j':
        options->json = optarg;
        return FG_EXIT_OK;
    case 'o':
        options->sell_out = true;
        return FG_EXIT_OK;
    default:
        return usage(word, " is not an option, or lacks its value");
    }
}

static int parse(struct options *options, int argc, char **argv)
{
    static const struct option table[] = {
#define X(name, letter, has_value, value, help) {name, has_value, NULL, letter},
        CHECK_OPTIONS(X)
#undef X
            {0},
    };
    int letter, status = FG_EXIT_OK;

    opterr = 0;
    while (status == FG_EXIT_OK && (letter = getopt_long(argc, argv, "+", table, NULL)) != -1) {
        if (letter == 'h') {
            print_help();
            exit(FG_EXIT_OK);
        }
        if (letter == 'V') {
            printf("flashgate-check %s\n", FG_VERSION_TEXT);
            exit(FG_EXIT_OK);
        }
        status = take_option(options, letter, argv[optind - 1]);
    }
    if (status != FG_EXIT_OK)
        return status;
    if (optind < argc)
        return usage(argv[optind], " is one word too many");
    if (options->histories_count == 0 || options->redis == NULL || options->sales_count == 0)
        return usage("", "--history, --redis and at least one --sale are needed");
    return FG_EXIT_OK;
}

static int fail(const char *message)
{
    fprintf(stderr, "flashgate-check: %s\n", message);
    return FG_EXIT_FAILED;
}

static void print_violation(void *arg, enum fg_check check, const char *sentence)
{
    (void)arg;
    fprintf(stderr, "%s %s: %s\n", fg_check_invariant(check), fg_check_name(check), sentence);
}

/* Checks what was read, prints and saves the report. */
static int judge(const struct options *options, const struct fg_history *history,
                 const struct fg_sale_stream *streams, const json_t *load)
{
    struct fg_check_result result;
    struct fg_findings findings = {.found = print_violation};
    struct fg_check_input input = {.items = history->items,
                                   .items_count = history->header.items,
                                   .records = history->records,
                                   .records_count = history->header.records,
                                   .streams = streams,
                                   .streams_count = options->sales_count,
                                   .skew_ns = options->histories_count > 1 ? FG_CHECK_SETTLE_NS : 0,
                                   .sell_out_expected = options->sell_out};
    int status = FG_EXIT_OK;
    int error = fg_check_run(&input, &result, &findings);

    if (error != 0) {
        status = fail(strerror(-error));
    } else {
        struct fg_report report = {.result = &result, .findings = &findings, .load = load};
        fg_report_print(&report, stdout);
        if (!fg_report_balanced(&report))
            status = FG_EXIT_BOOKS;
        error = options->json != NULL ? fg_report_save(&report, options->json) : 0;
        if (error != 0) {
            fprintf(stderr, "flashgate-check: cannot write %s: %s\n", options->json,
                    strerror(-error));
            status = status == FG_EXIT_OK ? FG_EXIT_FAILED : status;
        }
    }
    fg_check_result_free(&result);
    return status;
}

static int read_streams(const struct options *options, struct fg_sale_stream *streams)
{
    char message[400];
    struct redisContext *redis = fg_sale_streams_connect(options->redis, message, sizeof(message));
    if (redis == NULL)
        return fail(message);
    int status = FG_EXIT_OK;
    for (unsigned i = 0; i < options->sales_count && status == FG_EXIT_OK; i++) {
        if (fg_sale_stream_read(redis, options->sales[i], &streams[i], message, sizeof(message)))
            status = fail(message);
        else if (streams[i].count == 0)
            fprintf(stderr, "flashgate-check: Redis has no order of sale %s; compare --sale\n",
                    options->sales[i]);
    }
    redisFree(redis);
    return status;
}

static int run(const struct options *options)
{
    struct fg_history history = {0};
    struct fg_sale_stream streams[FG_SALES_LIVE_MAX] = {0};
    json_t *load = NULL;
    json_error_t json_error;
    char message[400];

    int status = FG_EXIT_OK;
    for (unsigned i = 0; i < options->histories_count && status == FG_EXIT_OK; i++)
        if (fg_history_add(&history, options->histories[i], false, message, sizeof(message)) != 0)
            status = fail(message);
    if (status == FG_EXIT_OK && options->load_report != NULL) {
        load = json_load_file(options->load_report, 0, &json_error);
        if (load == NULL) {
            snprintf(message, sizeof(message), "%s: %s", options->load_report, json_error.text);
            status = fail(message);
        }
    }
    if (status == FG_EXIT_OK)
        status = read_streams(options, streams);
    if (status == FG_EXIT_OK)
        status = judge(options, &history, streams, load);
    for (unsigned i = 0; i < options->sales_count; i++)
        fg_sale_stream_free(&streams[i]);
    json_decref(load);
    fg_history_free(&history);
    return status;
}

int main(int argc, char **argv)
{
    struct options options = {0};

    signal(SIGPIPE, SIG_IGN); /* hiredis writes to a socket that may go */
    int status = parse(&options, argc, argv);
    return status == FG_EXIT_OK ? run(&options) : status;
}
