/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket as the control thread has it: its limits, and its share of the thread's time.
 */
#include <assert.h>
#include <time.h>

#include "control/internal.h"
#include "flashgate/control_api.h"

#define CONNECTIONS_MAX 512 /* far more than callers: a flood takes a while to come around */
#define BUFFERS_MAX     (32 << 20)
#define LONG_LINES      8          /* sale files at once, each in FG_CONTROL_LINE_MAX of memory */
#define LINE_MAX_LOW    (64 << 10) /* of those who may only look */
#define FRESH_MS        20         /* from connecting to calling, on a busy machine */
#define ROUND_US        2000       /* of FG_TICK_MS */
#define LINE_MS         10000      /* a message must be whole, an answer be taken, within it */
#define IDLE_MS         60000

/* What is said before a message could be read at all. */
#define REFUSAL(code, text)                                                                        \
    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":" code ",\"message\":\"" text "\"}}\n"

static unsigned rank_of(void *arg, const struct fg_peer *peer, const gid_t *groups, size_t count)
{
    const struct fg_control *control = arg;
    return fg_role_of(&control->roles, peer->uid, peer->gid, groups, count);
}

int fg_control_listen(struct fg_control *control, char *message, size_t size)
{
    struct fg_server_config config = {
        .path = control->engine->config.control_socket,
        .group = control->roles.socket_group,
        .line_max = FG_CONTROL_LINE_MAX,
        .line_max_low = LINE_MAX_LOW,
        .high_rank = FG_ROLE_OPERATOR,
        .connections_max = CONNECTIONS_MAX,
        .buffers_max = BUFFERS_MAX,
        .long_lines = LONG_LINES,
        .line_ms = LINE_MS,
        .idle_ms = IDLE_MS,
        .fresh_ms = FRESH_MS,
        .round_us = ROUND_US,
        .refused_long = REFUSAL("-32600", "the message is longer than 8 MiB, or than the 64 KiB "
                                          "that those may send who have no role to change things"),
        .refused_full = REFUSAL("-32000", "too many connections or half messages, and this one was "
                                          "the first that could go; try again"),
        .clock = &fg_clock_system,
        .rank = rank_of,
        .answer = fg_methods_answer,
        .arg = control,
    };
    static_assert(FG_CONTROL_LINE_MAX == 8 << 20 && LINE_MAX_LOW == 64 << 10, "as it says");
    control->next_tick_ms = 0; /* it does not tick before fg_control_run() */
    return fg_server_open(&control->server, &config, message, size);
}

/* How long this thread has computed. */
static uint64_t cpu_us(void)
{
    return fg_clock_ns(CLOCK_THREAD_CPUTIME_ID) / 1000;
}

void fg_control_serve(struct fg_control *control)
{
    uint64_t now = fg_control_now_ms(), began = cpu_us();
    fg_server_poll(control->server,
                   now < control->next_tick_ms ? (int)(control->next_tick_ms - now) : 0);
    uint64_t took = cpu_us() - began;
    control->rounds_long += took >= FG_TICK_MS * 1000;
    if (took > control->round_cpu_us_max)
        control->round_cpu_us_max = took;
}

void fg_control_close(struct fg_control *control)
{
    fg_server_close(control->server);
    control->server = NULL;
}
