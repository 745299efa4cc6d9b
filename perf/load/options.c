/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/manual.h"
#include "flashgate/exit_status.h"
#include "flashgate/protocol.h"
#include "perf/load/client.h"
#include "perf/load/hostile.h"

enum kind { KIND_TEXT, KIND_NUMBER, KIND_ADDRESS, KIND_PREFIX, KIND_EAL, KIND_FLAG };

struct row {
    const char *name;
    const char *argument; /* its name in --help; NULL: none */
    enum kind kind;
    size_t offset; /* of the field; uint64_t for KIND_NUMBER */
    uint64_t least, most;
    const char *standard; /* default; NULL: none */
    const char *help;
};

#define FIELD(name) offsetof(struct load_options, name)

#define X(name, text, counter, expected, help) " " text
static const char hostile_help[] =
    "hostile datagrams beside the load, of these kinds and how many of each; all: of each as many "
    "as of the other. Kinds:" LOAD_HOSTILES(X);
#undef X

/* Order is that of --help; a NULL name begins a group. */
static const struct row rows[] = {
    {.help = "Network"},
    {"port", "DEVICE", KIND_TEXT, FIELD(port), 0, 0, NULL,
     "DPDK port: a virtual device (net_virtio_user0,path=/run/x.sock,queues=2; "
     "net_af_packet0,iface=veth1) or a PCI address"},
    {"source", "ADDRESS/BITS", KIND_PREFIX, FIELD(source), 0, 0, NULL,
     "own IPv4 or IPv6 address and its prefix; who asks for it is answered"},
    {"target", "ADDRESS", KIND_ADDRESS, FIELD(target), 0, 0, NULL,
     "the engine's address, in the source's prefix"},
    {"source-port", "PORT", KIND_NUMBER, FIELD(source_port), 1024, 65535, "30000", "own UDP port"},
    {"base-port", "PORT", KIND_NUMBER, FIELD(base_port), 1024, 65535, "20480",
     "one of the engine's UDP ports: PING is sent there and tells the rest"},
    {"eal", "ARGUMENT", KIND_EAL, 0, 0, 0, NULL,
     "an argument for DPDK's EAL, such as --lcores=0@1; may be given often"},
    {.help = "Keys"},
    {"key-file", "FILE", KIND_TEXT, FIELD(key_file), 0, 0, NULL,
     "key file, in the engine's format and with mode 0600; without one, nothing is signed"},
    {"key", "ID", KIND_NUMBER, FIELD(key), 1, 65535, "1", "the key that signs"},
    {.help = "Load"},
    {"requests", "COUNT", KIND_NUMBER, FIELD(requests), 1, LOAD_REQUESTS_MAX, "1000000",
     "distinct requests (buyer, request) to offer"},
    {"rate", "COUNT", KIND_NUMBER, FIELD(rate), 0, 100000000, "100000",
     "requests a second by schedule, whatever the answers do; 0: flat out"},
    {"duration", "SECONDS", KIND_NUMBER, FIELD(duration), 0, 86400, "0",
     "fresh requests for so long at --rate, however many that makes; in place of --requests"},
    {"resend-cap", "COUNT", KIND_NUMBER, FIELD(resend_cap), 0, 1 << 20, "4096",
     "while so many sends wait for their answers, nothing is sent again; 0: no cap"},
    {"window", "COUNT", KIND_NUMBER, FIELD(window), 1, 1 << 20, "4096",
     "flat out: most datagrams that wait for their answers"},
    {"batch", "COUNT", KIND_NUMBER, FIELD(batch), 1, FG_ENTRIES_MAX, "1", "requests in a datagram"},
    {"buyers", "COUNT", KIND_NUMBER, FIELD(buyers), 1, 1000000000, "100000",
     "buyers, each as likely as the other"},
    {"sale", "FILE", KIND_TEXT, FIELD(sale), 0, 0, NULL,
     "sale file: its items are asked for, weighted by stock, and told in the history"},
    {"items", "ID:WEIGHT,...", KIND_TEXT, FIELD(items), 0, 0, NULL,
     "item ids and how often each is asked for; a weight left out is 1"},
    {"quantity", "UNITS:WEIGHT,...", KIND_TEXT, FIELD(quantity), 0, 0, "1",
     "units of a request and how often each is asked for"},
    {"double-click", "PERMILLE", KIND_NUMBER, FIELD(double_click), 0, 1000, "0",
     "datagrams that are sent twice at once, as two datagrams"},
    {"repeat", "PERMILLE", KIND_NUMBER, FIELD(repeat), 0, 1000, "0",
     "requests that are asked again 10 to 500 ms after they were answered"},
    {"confirm", "PERCENT", KIND_NUMBER, FIELD(confirm), 0, 100, NULL,
     "held orders that are confirmed (default: all that are not cancelled or left)"},
    {"cancel", "PERCENT", KIND_NUMBER, FIELD(cancel), 0, 100, "0",
     "held orders that are cancelled"},
    {"leave", "PERCENT", KIND_NUMBER, FIELD(leave), 0, 100, "0",
     "held orders that are left to expire"},
    {"think", "MS", KIND_NUMBER, FIELD(think), 0, 3600000, "100",
     "time from a held order to its CONFIRM or CANCEL"},
    {"seed", "NUMBER", KIND_NUMBER, FIELD(seed), 0, UINT64_MAX, "1",
     "chooses buyers and what they ask; the same seed asks the same"},
    {.help = "Hostile traffic"},
    {"hostile", "KIND:WEIGHT,...", KIND_TEXT, FIELD(hostile), 0, 0, NULL, hostile_help},
    {"hostile-rate", "COUNT", KIND_NUMBER, FIELD(hostile_rate), 1, 100000000, "100000",
     "hostile datagrams a second, by schedule, as long as requests are offered"},
    {"hostile-slice", "MS", KIND_NUMBER, FIELD(hostile_slice), 0, 60000, "0",
     "in turns so long with and without hostile traffic (off on, on off, off on ...), the first "
     "fifth of each without; 0: no turns"},
    {"hostile-port", "PORT", KIND_NUMBER, FIELD(hostile_port), 1024, 65536 - LOAD_HOSTILE_COUNT,
     "40000", "first of their UDP source ports: one for each kind"},
    {.help = "Run and results"},
    {"timeout", "SECONDS", KIND_NUMBER, FIELD(timeout), 1, 86400, "60",
     "end of the run at the latest, counted from the start of the load (with --duration: from its "
     "end)"},
    {"history", "FILE", KIND_TEXT, FIELD(history), 0, 0, NULL,
     "write every entry sent and its answer there, for the checker"},
    {"report", "FILE", KIND_TEXT, FIELD(report), 0, 0, NULL, "write the results there, as JSON"},
    {"goodput", "FILE", KIND_TEXT, FIELD(goodput), 0, 0, NULL,
     "write there, as CSV, what was offered, sent and answered in every 100 ms"},
    {"sleep", NULL, KIND_FLAG, FIELD(sleep), 0, 0, NULL,
     "sleep a moment when there is nothing to do: for tests on few cores, not for latencies"},
    {"progress", NULL, KIND_FLAG, FIELD(progress), 0, 0, NULL, "a line a second on stderr"},
    {"version", NULL, KIND_FLAG, FIELD(version), 0, 0, NULL, "the version"},
    {"help", NULL, KIND_FLAG, FIELD(help), 0, 0, NULL, "this text"},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static bool set_number(const struct row *row, uint64_t *field, const char *text, char *message,
                       size_t size)
{
    uint64_t value = 0;
    bool right = *text != '\0';

    for (const char *at = text; *at; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        right = right && *at >= '0' && *at <= '9' && value <= (UINT64_MAX - digit) / 10;
        value = value * 10 + digit;
    }
    if (!right || value < row->least || value > row->most) {
        snprintf(message, size, "--%s is \"%.40s\"; give a whole number from %lu to %lu", row->name,
                 text, row->least, row->most);
        return false;
    }
    *field = value;
    return true;
}

static bool set_address(const struct row *row, struct fg_ip *field, const char *text, char *message,
                        size_t size)
{
    unsigned bits;
    bool whole;

    if (fg_ip_parse(text, field, &bits, &whole) && whole)
        return true;
    snprintf(message, size, "--%s is \"%.45s\"; give an address such as 10.0.0.2 or 2001:db8::2",
             row->name, text);
    return false;
}

static bool set_prefix(struct load_options *options, const struct row *row, const char *text,
                       char *message, size_t size)
{
    unsigned bits;
    bool whole;

    if (fg_ip_parse(text, &options->source, &bits, &whole) && !whole && bits < FG_IP_BITS &&
        bits > (fg_ip_is_v4(options->source) ? FG_IP_V4_BITS : 0)) {
        options->source_bits = (uint8_t)bits;
        return true;
    }
    snprintf(message, size,
             "--%s is \"%.50s\"; give an address and its prefix: 10.0.0.2/24, 2001:db8::2/64",
             row->name, text);
    return false;
}

static bool set(struct load_options *options, const struct row *row, const char *text,
                char *message, size_t size)
{
    char *field = (char *)options + row->offset;

    switch (row->kind) {
    case KIND_TEXT:
        *(const char **)field = text;
        return true;
    case KIND_NUMBER:
        return set_number(row, (uint64_t *)field, text, message, size);
    case KIND_ADDRESS:
        return set_address(row, (struct fg_ip *)(void *)field, text, message, size);
    case KIND_PREFIX:
        return set_prefix(options, row, text, message, size);
    case KIND_FLAG:
        *(bool *)field = true;
        return true;
    case KIND_EAL:
        if (options->eal_count == LOAD_EAL_ARGS_MAX) {
            snprintf(message, size, "more than %d EAL arguments", LOAD_EAL_ARGS_MAX);
            return false;
        }
        options->eal[options->eal_count++] = text;
        return true;
    }
    return false;
}

/* Is the engine where frames reach it? */
static bool check_addresses(const struct load_options *options, char *message, size_t size)
{
    struct fg_ip mask = fg_ip_mask(options->source_bits);
    const char *wrong = NULL;

    if (fg_ip_same(options->source, options->target))
        wrong = "--source is the engine's address; give one of its own";
    else if (!fg_ip_same(fg_ip_masked(options->source, mask), fg_ip_masked(options->target, mask)))
        wrong = "--target is not in the prefix of --source; there is no gateway, so put both into "
                "one network";
    else if (options->hostile && !fg_ip_is_v4(options->source))
        wrong = "--hostile builds IPv4 frames only; give --source and --target of IPv4";
    if (wrong)
        snprintf(message, size, "%s", wrong);
    return !wrong;
}

/* What options say about each other. */
static bool check_hostile(const struct load_options *options, char *message, size_t size)
{
    if (options->hostile && !options->key_file) {
        snprintf(message, size, "--hostile needs --key-file: some of it is rightly signed");
        return false;
    }
    if (options->hostile && options->source_port - options->hostile_port < LOAD_HOSTILE_COUNT) {
        snprintf(message, size,
                 "--source-port %lu is one of the %d ports from --hostile-port on; give another",
                 options->source_port, LOAD_HOSTILE_COUNT);
        return false;
    }
    return true;
}

/* How many requests a duration makes, and how long their answers are waited for. */
static bool settle_duration(struct load_options *options, char *message, size_t size)
{
    if (options->duration == 0)
        return true;
    if (options->rate == 0) {
        snprintf(message, size, "--duration needs a schedule; give --rate");
        return false;
    }
    if (options->duration > LOAD_REQUESTS_MAX / options->rate) {
        snprintf(message, size,
                 "--duration %lu at --rate %lu makes more than %d requests; give less",
                 options->duration, options->rate, LOAD_REQUESTS_MAX);
        return false;
    }
    options->requests = options->duration * options->rate;
    options->timeout += options->duration;
    return true;
}

static bool check(struct load_options *options, bool confirm_given, char *message, size_t size)
{
    const char *missing = !options->port                   ? "--port"
                          : fg_ip_is_zero(options->source) ? "--source"
                          : fg_ip_is_zero(options->target) ? "--target"
                                                           : NULL;

    if (missing) {
        snprintf(message, size, "%s is missing; --help explains it", missing);
        return false;
    }
    if (!options->items && !options->sale) {
        snprintf(message, size, "nothing to ask for; give --sale FILE or --items ID:WEIGHT,...");
        return false;
    }
    if (options->history && !options->sale) {
        snprintf(message, size,
                 "--history needs --sale FILE: the checker must know stock and limits");
        return false;
    }
    if (!check_addresses(options, message, size) || !check_hostile(options, message, size) ||
        !settle_duration(options, message, size))
        return false;
    if (!confirm_given && options->cancel + options->leave <= 100)
        options->confirm = 100 - options->cancel - options->leave;
    if (options->confirm + options->cancel + options->leave != 100) {
        snprintf(message, size, "--confirm, --cancel and --leave make %lu percent; make it 100",
                 options->confirm + options->cancel + options->leave);
        return false;
    }
    return true;
}

static void fill_getopt(struct option *table)
{
    unsigned count = 0;

    /* `val` is the row, moved out of the way of getopt's own '?' and ':'. */
    for (int row = 0; row < ROWS; row++)
        if (rows[row].name)
            table[count++] = (struct option){rows[row].name,
                                             rows[row].argument ? required_argument : no_argument,
                                             NULL, 1000 + row};
    table[count] = (struct option){0};
}

int load_options_parse(struct load_options *options, int argc, char **argv, char *message,
                       size_t size)
{
    struct option table[ROWS + 1];
    bool confirm_given = false;
    int found;

    *options = (struct load_options){0};
    for (int row = 0; row < ROWS; row++)
        if (rows[row].standard && !set(options, &rows[row], rows[row].standard, message, size))
            return -1;
    fill_getopt(table);
    optind = 0;
    opterr = 0;
    while ((found = getopt_long(argc, argv, "+:", table, NULL)) != -1) {
        if (found < 1000) {
            snprintf(message, size, "%.60s: %s; --help lists all options", argv[optind - 1],
                     found == ':' ? "its value is missing" : "no such option");
            return -1;
        }
        const struct row *row = &rows[found - 1000];
        if (!set(options, row, optarg, message, size))
            return -1;
        confirm_given = confirm_given || row->offset == FIELD(confirm);
    }
    if (options->help || options->version)
        return 0;
    /* Only what stands behind "--" is left over, by right. */
    if (optind < argc && strcmp(argv[optind - 1], "--") != 0) {
        snprintf(message, size, "\"%.60s\" is no option; --help lists all options", argv[optind]);
        return -1;
    }
    static const struct row eal = {.kind = KIND_EAL};
    for (; optind < argc; optind++)
        if (!set(options, &eal, argv[optind], message, size))
            return -1;
    return check(options, confirm_given, message, size) ? 0 : -1;
}

/* Prints a text in lines of at most `width`, each indented. */
static void print_wrapped(const char *text, int indent, int width)
{
    while (*text) {
        int length = (int)strlen(text);
        if (length > width)
            for (length = width; length > 0 && text[length] != ' '; length--)
                continue;
        printf("%*s%.*s\n", indent, "", length, text);
        text += length;
        text += *text == ' ';
    }
}

void load_options_help(const char *program)
{
    printf(
        "Usage: %s --port DEVICE --source ADDRESS/BITS --target ADDRESS [OPTION]... "
        "[-- EAL ARGUMENT...]\n\n"
        "Plays the gateways of a flash sale: asks for orders at a set rate, retries as the\n"
        "protocol says, settles held orders, and reports what came back and how fast. Goes on\n"
        "when the engine goes away and comes back. On SIGTERM or SIGINT it offers nothing more,\n"
        "brings what was offered to its end and reports; on the second one it reports at once.\n",
        program);
    for (int row = 0; row < ROWS; row++) {
        if (!rows[row].name) {
            printf("\n%s:\n", rows[row].help);
            continue;
        }
        printf("  --%s%s%s", rows[row].name, rows[row].argument ? " " : "",
               rows[row].argument ? rows[row].argument : "");
        if (rows[row].standard)
            printf("  (default %s)", rows[row].standard);
        printf("\n");
        print_wrapped(rows[row].help, 10, 80);
    }
    printf("\nExit status:\n");
#define X(name, status, meaning)                                                                   \
    if (LOAD_STATUSES & 1u << status)                                                              \
        printf("  %2d  %s\n", status, meaning);
    FG_EXIT_STATUSES(X)
#undef X
}

void load_options_manual(FILE *out)
{
    for (int row = 0; row < ROWS; row++) {
        if (rows[row].name)
            fg_manual_option(out, 0, rows[row].name, rows[row].argument, rows[row].standard,
                             rows[row].help);
        else
            fprintf(out, "## %s\n\n", rows[row].help);
    }
}

void load_hostile_manual(FILE *out)
{
#define X(name, text, counter, expected, help)                                                     \
    fprintf(out, "*%s*\n\t%s; the engine's counter: _%s_.\n\n", text, help, counter);
    LOAD_HOSTILES(X)
#undef X
}
