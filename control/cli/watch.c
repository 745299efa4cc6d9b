/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/cli/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "control/cli/client.h"
#include "control/config/options.h"
#include "dataplane/orders/clock.h"
#include "flashgate/exit_status.h"

#define INTERVAL_MIN_MS 100 /* an answer takes the engine's control thread a moment */
#define INTERVAL_MAX_MS 3600000

bool fg_watch_interval(const char *text, uint64_t *interval_ms, char *message, size_t size)
{
    static const struct fg_option interval = {.name = "interval",
                                              .kind = FG_OPTION_DURATION,
                                              .size = sizeof(uint64_t),
                                              .min = INTERVAL_MIN_MS,
                                              .max = INTERVAL_MAX_MS};
    char why[200];

    *interval_ms = 1000;
    if (!text ||
        fg_option_set(&interval, text, strlen(text), 0, interval_ms, why, sizeof(why)) == 0)
        return true;
    snprintf(message, size, "--interval \"%.40s\" %s", text, why);
    return false;
}

/* On a terminal each answer takes the place of the one before: from its top, cut at its end. */
static void show_on_screen(const struct fg_watch *watch, char *text, unsigned rows)
{
    unsigned lines = 0, all = 0;

    for (const char *at = text; *at; at++)
        all += *at == '\n';
    fputs("\033[H", watch->out);
    while (*text && (lines + 1 < rows || rows == 0)) {
        size_t length = strcspn(text, "\n");
        if (lines + 2 == rows && all > rows - 1)
            fprintf(watch->out, "... %u lines more; a pipe shows all\033[K\n", all - lines);
        else
            fprintf(watch->out, "%.*s\033[K\n", (int)length, text);
        text += length + (text[length] == '\n');
        lines++;
    }
    fputs("\033[J", watch->out);
}

static void show_text(const struct fg_watch *watch, const json_t *result)
{
    struct winsize size = {0};
    char *text = NULL;
    size_t length;
    FILE *memory = open_memstream(&text, &length);

    if (!memory)
        return;
    if (watch->show) {
        watch->show(result, memory);
    } else {
        json_dumpf(result, memory, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        fputc('\n', memory);
    }
    fclose(memory);
    if (isatty(fileno(watch->out)) && ioctl(fileno(watch->out), TIOCGWINSZ, &size) == 0) {
        show_on_screen(watch, text, size.ws_row);
    } else {
        char at[32];
        time_t now = time(NULL);
        struct tm tm;
        gmtime_r(&now, &tm);
        strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", &tm);
        fprintf(watch->out, "--- %s\n%s\n", at, text);
    }
    free(text);
}

/* 0, or an errno of the output. */
static int show(const struct fg_watch *watch, const json_t *result)
{
    errno = 0;
    if (watch->json) {
        json_dumpf(result, watch->out, JSON_COMPACT | JSON_PRESERVE_ORDER);
        fputc('\n', watch->out);
    } else {
        show_text(watch, result);
    }
    if (fflush(watch->out) == 0 && !ferror(watch->out))
        return 0;
    return errno ? errno : EIO;
}

int fg_watch(const struct fg_watch *watch)
{
    bool answered = false, told = false;
    char message[1024];
    json_t *result;

    uint64_t next_ns = fg_clock_ns(CLOCK_MONOTONIC);
    for (;;) {
        int status = fg_client_call(watch->socket, watch->method, json_incref(watch->params),
                                    &result, message, sizeof(message));
        if (status != FG_EXIT_OK && (status != FG_EXIT_UNREACHABLE || !answered)) {
            fprintf(watch->err, "flashgatectl: %s\n", message);
            return status;
        }
        if (status != FG_EXIT_OK && !told)
            fprintf(watch->err, "flashgatectl: %s; asking again\n", message);
        told = status != FG_EXIT_OK;
        int error = status == FG_EXIT_OK ? show(watch, result) : 0;
        json_decref(result);
        if (error != 0) {
            fprintf(watch->err, "flashgatectl: the output takes no more: %s\n", strerror(error));
            return FG_EXIT_FAILED;
        }
        answered = true;
        uint64_t now_ns = fg_clock_ns(CLOCK_MONOTONIC);
        next_ns += watch->interval_ms * 1000000;
        if (next_ns < now_ns)
            next_ns = now_ns; /* after a long wait not in a burst */
        struct timespec next = {.tv_sec = (time_t)(next_ns / 1000000000),
                                .tv_nsec = (long)(next_ns % 1000000000)};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) == EINTR)
            continue;
    }
}
