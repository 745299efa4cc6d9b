/* SPDX-License-Identifier: BSD-3-Clause */
/* flashgatectl events: the trail page by page, and then, with --follow, whatever is new. */
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <time.h>

#include "control/cli/client.h"
#include "control/cli/show.h"
#include "control/cli/table.h"

#define FOLLOW_NS 200000000 /* between two looks; each is a call of its own */

struct following {
    const struct fg_cli_call *call;
    const char *since; /* as the option has it ... */
    json_int_t next;   /* ... and as the engine answered; -1: not yet */
    json_t *page;      /* the last answer */
    char log[32];      /* whose LSNs they are */
    json_t *all;       /* events so far: with --json and without --follow */
};

/* "root", "ops", "uid 1001" or "engine". The engine knows the names that its configuration has; for
 * others this machine is asked. */
static const char *who_text(const json_t *who, char *place, size_t size)
{
    const char *name = json_string_value(json_object_get(who, "user"));
    if (!json_is_object(who))
        return "engine";
    json_int_t uid = number(who, "uid");
    const struct passwd *user = name ? NULL : getpwuid((uid_t)uid);
    if (name || user)
        snprintf(place, size, "%s", name ? name : user->pw_name);
    else
        snprintf(place, size, "uid %" JSON_INTEGER_FORMAT, uid);
    return place;
}

static void show_event(const json_t *event, FILE *out)
{
    const json_t *who = json_object_get(event, "who");
    char place[64], caller[96];
    const char *name = who_text(who, place, sizeof(place));
    if (json_is_object(who))
        snprintf(caller, sizeof(caller), "%s[%" JSON_INTEGER_FORMAT "]", name, number(who, "pid"));
    else
        snprintf(caller, sizeof(caller), "%s", name);
    fprintf(out, "%10" JSON_INTEGER_FORMAT "  %s  %-18s  %-13s  %-12s  %s%s\n",
            number(event, "lsn"), text(event, "at"), caller, text(event, "kind"),
            text(event, "sale"), text(event, "what"),
            json_is_true(json_object_get(event, "repeated")) ? " (told again by the log)" : "");
}

/* Before the first event: what is not in the list. */
static void show_beginning(const struct following *f)
{
    FILE *out = f->call->out;
    if (!json_is_true(json_object_get(f->page, "whole")) && !f->since)
        fprintf(out,
                "Events before LSN %" JSON_INTEGER_FORMAT " are not listed any more; what the log "
                "still has of them: flashgatectl journal dump DIR\n",
                number(f->page, "begins"));
    bool follows = f->call->options[FG_CLI_FOLLOW];
    if (follows || json_array_size(json_object_get(f->page, "events")) > 0)
        fprintf(out, "%10s  %-24s  %-18s  %-13s  %-12s  %s\n", "LSN", "AT", "WHO", "KIND", "SALE",
                "WHAT");
    else
        fprintf(out, "There is no event%s\n", f->since ? " after that one" : " yet");
}

static void show_page(struct following *f, bool first)
{
    const json_t *events = json_object_get(f->page, "events");
    size_t i;
    json_t *event;
    if (first && !f->call->json)
        show_beginning(f);
    if (f->all) {
        json_array_extend(f->all, (json_t *)events);
        return;
    }
    json_array_foreach(events, i, event)
    {
        if (!f->call->json) {
            show_event(event, f->call->out);
            continue;
        }
        json_dumpf(event, f->call->out, JSON_COMPACT | JSON_PRESERVE_ORDER);
        fputc('\n', f->call->out);
    }
}

static json_t *params_of(const struct following *f)
{
    char since[32];
    snprintf(since, sizeof(since), "%" JSON_INTEGER_FORMAT, f->next);
    return json_pack("{s:s*,s:s*}", "since", f->next >= 0 ? since : f->since, "sale",
                     f->call->options[FG_CLI_SALE]);
}

/* Another one than before: it is told, and its events are shown from the first. */
static bool is_another_log(struct following *f, const json_t *page)
{
    const char *log = text(page, "log");
    bool another = *f->log && strcmp(f->log, log) != 0;
    snprintf(f->log, sizeof(f->log), "%s", log);
    if (another)
        fprintf(f->call->err,
                "flashgatectl: the engine has another log now; its events from the first on:\n");
    return another;
}

/* The pages there are now. An exit status; on failure with a sentence. */
static int read_pages(struct following *f, char *message, size_t size)
{
    const char *socket = f->call->options[FG_CLI_SOCKET];
    bool more = true;
    while (more) {
        json_t *page;
        int status = fg_client_call(socket, "events", params_of(f), &page, message, size);
        if (status != FG_EXIT_OK)
            return status;
        if (is_another_log(f, page)) {
            json_decref(page);
            f->next = 0;
            continue;
        }
        json_decref(f->page);
        f->page = page;
        more = json_is_true(json_object_get(page, "more"));
        bool first = f->next < 0;
        f->next = number(page, "next");
        show_page(f, first);
    }
    return FG_EXIT_OK;
}

static void print_all(struct following *f)
{
    json_object_set(f->page, "events", f->all);
    json_dumpf(f->page, f->call->out, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    fputc('\n', f->call->out);
}

/* Has whoever read the output gone? Nothing may be written for hours. */
static bool nobody_reads(FILE *out)
{
    struct pollfd poll_fd = {.fd = fileno(out)};
    if (poll_fd.fd < 0 || poll(&poll_fd, 1, 0) != 1 || !(poll_fd.revents & POLLERR))
        return false;
    errno = EPIPE;
    return true;
}

/* Until the process is ended, or the output takes no more. An engine that has been there may go and
 * come again: LSNs go on. */
static int follow(struct following *f, char *message, size_t size)
{
    static const struct timespec pause = {.tv_nsec = FOLLOW_NS};
    bool away = false;
    while (fflush(f->call->out) == 0 && !ferror(f->call->out) && !nobody_reads(f->call->out)) {
        nanosleep(&pause, NULL);
        int status = read_pages(f, message, size);
        if (status != FG_EXIT_OK && status != FG_EXIT_UNREACHABLE)
            return status;
        if (status != FG_EXIT_OK && !away)
            fprintf(f->call->err, "flashgatectl: %s; asking again\n", message);
        else if (status == FG_EXIT_OK && away)
            fprintf(f->call->err, "flashgatectl: the engine answers again\n");
        away = status != FG_EXIT_OK;
    }
    snprintf(message, size, "the output takes no more: %s", strerror(errno ? errno : EIO));
    return FG_EXIT_FAILED;
}

static int run(const struct fg_cli_call *call)
{
    bool goes_on = call->options[FG_CLI_FOLLOW];
    struct following f = {
        .call = call,
        .since = call->options[FG_CLI_SINCE],
        .next = -1,
        .all = call->json && !goes_on ? json_array() : NULL,
    };
    char message[1024];
    int status = read_pages(&f, message, sizeof(message));
    if (status == FG_EXIT_OK && f.all)
        print_all(&f);
    else if (status == FG_EXIT_OK && goes_on)
        status = follow(&f, message, sizeof(message));
    json_decref(f.page);
    json_decref(f.all);
    return status == FG_EXIT_OK ? status : fg_cli_fail(call, status, "%s", message);
}

const struct fg_cli_local fg_events_command = {
    .run = run,
    .options = FG_CLI_TAKES(FOLLOW) | FG_CLI_TAKES(SINCE) | FG_CLI_TAKES(SALE),
    .statuses = FG_CLI_STATUS(OK) | FG_CLI_STATUS(FAILED) | FG_CLI_STATUS(USAGE) |
                FG_CLI_STATUS(REFUSED) | FG_CLI_STATUS(UNREACHABLE),
    .manual =
        "Each line is a record of the log: its LSN, when it was made, who asked (user and "
        "process;\n"
        "\"engine\" for a sale that opened or closed by its times), what kind it is, of which "
        "sale,\n"
        "and what it says. The engine lists the last 10,000 and reads them from the log at start;\n"
        "journal dump shows older ones under the same LSNs, as long as their segments are there.\n"
        "--follow goes on when the engine stops and starts again, and says so on standard error.\n"
        "--json gives one object, and with --follow one object a line.\n",
};

void fg_show_methods(const json_t *result, FILE *out)
{
    size_t i, p;
    json_t *method, *param;
    json_array_foreach(result, i, method)
    {
        fprintf(out, "%-20s  %-8s  %s\n", text(method, "name"), text(method, "role"),
                text(method, "help"));
        json_array_foreach(json_object_get(method, "params"), p, param)
        {
            fprintf(out, "%20s    %s%s: %s\n", "", text(param, "name"),
                    json_is_true(json_object_get(param, "optional")) ? " (optional)" : "",
                    text(param, "help"));
        }
    }
}
