/* SPDX-License-Identifier: BSD-3-Clause */
/* flashgatectl drain: asks the engine to drain, and waits until it has. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "control/cli/cli.h"
#include "control/cli/client.h"
#include "control/cli/drain.h"
#include "control/cli/show.h"
#include "control/config/options.h"
#include "dataplane/orders/clock.h"

#define TIMEOUT_MS     60000
#define TIMEOUT_MAX_MS 86400000
#define POLL_MS        200

static int read_timeout(const struct fg_cli_call *call, uint64_t *timeout_ms)
{
    static const struct fg_option timeout = {.name = "timeout",
                                             .kind = FG_OPTION_DURATION,
                                             .size = sizeof(uint64_t),
                                             .min = 0,
                                             .max = TIMEOUT_MAX_MS};
    const char *text = call->options[FG_CLI_TIMEOUT];
    char why[200];
    *timeout_ms = TIMEOUT_MS;
    if (!text || fg_option_set(&timeout, text, strlen(text), 0, timeout_ms, why, sizeof(why)) == 0)
        return FG_EXIT_OK;
    return fg_cli_fail(call, FG_EXIT_USAGE, "--timeout \"%.40s\" %s", text, why);
}

static int begin(const struct fg_cli_call *call, json_t **result)
{
    const char *socket = call->options[FG_CLI_SOCKET];
    char message[1024];
    bool confirmed = call->options[FG_CLI_YES] != NULL;
    int status = fg_client_call(socket, "engine.drain", json_pack("{s:b}", "confirmed", confirmed),
                                result, message, sizeof(message));
    if (status == FG_EXIT_UNCONFIRMED && fg_cli_agrees(call->in, call->err, message))
        status = fg_client_call(socket, "engine.drain", json_pack("{s:b}", "confirmed", true),
                                result, message, sizeof(message));
    else if (status == FG_EXIT_UNCONFIRMED)
        return fg_cli_fail(call, status, "%s; give --yes to go on", message);
    return status == FG_EXIT_OK ? status : fg_cli_fail(call, status, "%s", message);
}

/* Looks again, a little later; *result is replaced. */
static int look(const struct fg_cli_call *call, json_t **result)
{
    char message[1024];
    nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000}, NULL);
    json_decref(*result);
    *result = NULL;
    int status = fg_client_call(call->options[FG_CLI_SOCKET], "engine.drain_status", NULL, result,
                                message, sizeof(message));
    if (status != FG_EXIT_OK)
        return fg_cli_fail(call, status, "%s", message);
    if (!json_is_true(json_object_get(*result, "draining")))
        return fg_cli_fail(call, FG_EXIT_REFUSED,
                           "the engine no longer drains: somebody has changed that meanwhile");
    return status;
}

static void show(const json_t *result, FILE *out)
{
    fprintf(out, "Drained: nothing waits for the log%s; new orders are BUSY until engine resume\n",
            json_is_true(json_object_get(result, "delivers")) ? ", and Redis has everything" : "");
    if (number(result, "holds") > 0)
        fprintf(out,
                "Holds     %" JSON_INTEGER_FORMAT
                " orders are held yet: they are in the log; CONFIRM, CANCEL and expiry go on\n",
                number(result, "holds"));
}

static int tell_late(const struct fg_cli_call *call, const json_t *result)
{
    bool away = json_is_true(json_object_get(result, "redis_away"));
    return fg_cli_fail(
        call, FG_EXIT_FAILED,
        "not drained in time: %" JSON_INTEGER_FORMAT " replies and %" JSON_INTEGER_FORMAT
        " records wait for the log, %" JSON_INTEGER_FORMAT
        " order events for Redis%s; the engine goes on draining, and takes no new "
        "orders until engine resume",
        number(result, "parked") + number(result, "undecided"), number(result, "records"),
        number(result, "lag"), away ? ", which is away" : "");
}

static int run(const struct fg_cli_call *call)
{
    uint64_t timeout_ms;
    bool drained = false;
    json_t *result = NULL;
    int status = read_timeout(call, &timeout_ms);
    if (status == FG_EXIT_OK)
        status = begin(call, &result);
    uint64_t deadline_ns = fg_clock_ns(CLOCK_MONOTONIC) + timeout_ms * 1000000;
    while (status == FG_EXIT_OK) {
        drained = json_is_true(json_object_get(result, "drained"));
        if (drained || fg_clock_ns(CLOCK_MONOTONIC) >= deadline_ns)
            break;
        status = look(call, &result);
    }
    if (status == FG_EXIT_OK && call->json) {
        json_dumpf(result, call->out, JSON_INDENT(2));
        fputc('\n', call->out);
    }
    if (status == FG_EXIT_OK && !drained)
        status = tell_late(call, result);
    else if (status == FG_EXIT_OK && !call->json)
        show(result, call->out);
    json_decref(result);
    return status;
}

const struct fg_cli_local fg_drain_command = {
    .run = run,
    .options = FG_CLI_TAKES(TIMEOUT) | FG_CLI_TAKES(YES),
    .statuses = FG_CLI_STATUS(OK) | FG_CLI_STATUS(FAILED) | FG_CLI_STATUS(USAGE) |
                FG_CLI_STATUS(UNREACHABLE) | FG_CLI_STATUS(REFUSED) | FG_CLI_STATUS(UNCONFIRMED),
    .manual =
        "For maintenance. From now on the engine answers new orders BUSY, also after a restart, "
        "until\n"
        "engine resume. Then it waits until every reply is sent, every record is on disk and "
        "Redis has\n"
        "every order event. Held orders are not waited for: CONFIRM, CANCEL and expiry go on, "
        "and it\n"
        "says how many are held yet.\n"
        "\n"
        "When the time is over first, it says what is missing, and the engine goes on "
        "draining; called\n"
        "again, it waits on.\n",
};
