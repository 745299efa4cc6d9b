/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an operator should not overlook: the warnings of status. Each begins with a word or two in
 * capitals that docs/operations.md has a paragraph for, and that a monitor can look for.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "control/figures/read.h"
#include "control/internal.h"

#define LAG_ALARM      10000                /* order events: a second or so of delivery */
#define FLUSH_ALARM_NS UINT64_C(1000000000) /* ten times what a slow disk takes */
#define FILLING_SHARE  4                    /* of the log's budget: less room than a quarter */

__attribute__((format(printf, 2, 3))) static void alarm_of(json_t *alarms, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    json_array_append_new(alarms, json_string(text));
}

static uint64_t read_count(const _Atomic uint64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

static void add_config(json_t *alarms, const struct fg_engine *engine)
{
    const struct fg_config *config = &engine->config;
    if (engine->privilege.root)
        alarm_of(alarms,
                 "ROOT: the engine runs with all of root's rights; for rehearsals only: "
                 "set user: %s (systemd-sysusers makes it), and restart",
                 FG_PRIVILEGE_USER);
    if (config->seccomp != FG_SECCOMP_DENY) /* a start that cannot deny them fails */
        alarm_of(alarms,
                 "UNGUARDED: system calls that the engine does not need are %s; set "
                 "security.seccomp: deny, and restart",
                 config->seccomp == FG_SECCOMP_LOG ? "only logged" : "allowed");
    if (config->core_dumps)
        alarm_of(alarms, "CORE DUMPS: a crash leaves a core with orders and perhaps keys in it; "
                         "set security.core_dumps: false, and restart");
    if (config->ack == FG_ACK_MEMORY)
        alarm_of(alarms, "ACK MEMORY: orders are answered before they are on disk, and a crash "
                         "forgets them; for rehearsals only");
    if (config->unsigned_allowed)
        alarm_of(alarms,
                 "UNSIGNED: datagrams without a signature are taken; anyone who reaches the port "
                 "can buy%s",
                 fg_config_unsigned_ops(config) & (1 << FG_OP_CONFIRM | 1 << FG_OP_CANCEL)
                     ? ", and settle anybody's orders"
                     : "");
}

static void add_log(json_t *alarms, const struct fg_engine *engine)
{
    const struct fg_journal_stats *stats = fg_journal_stats(engine->journal);
    uint64_t log_room = read_count(&stats->log_room), room = read_count(&stats->room_bytes);
    uint64_t stuck = read_count(&stats->stuck), flush_ns = 0;
    fg_figure_read_flush_wait(&(struct fg_figure_at){.engine = engine}, 0, &flush_ns);
    static const char help[] = "archive sales that are over, raise log.budget or free the disk";
    if (log_room == FG_LOG_SHUT)
        alarm_of(alarms,
                 "LOG FULL: orders, CONFIRM and CANCEL are answered BUSY, and no hold runs out; "
                 "%s",
                 help);
    else if (log_room == FG_LOG_SETTLES)
        alarm_of(alarms, "LOG NEARLY FULL: new orders are answered BUSY; %s", help);
    else if (room > 0 && room < engine->config.log_budget / FILLING_SHARE)
        alarm_of(alarms,
                 "LOG FILLING: %" PRIu64 " MiB are left of %" PRIu64 "; with an eighth left, new "
                 "orders are answered BUSY; %s",
                 room >> 20, engine->config.log_budget >> 20, help);
    if (flush_ns >= FLUSH_ALARM_NS)
        alarm_of(
            alarms,
            "DISK STALLED: a flush of the log has not ended for %.1f s; admissions, CONFIRM and "
            "CANCEL wait for it and are then answered BUSY; if the disk does not come back, the "
            "engine must be killed",
            (double)flush_ns / 1e9);
    if (stuck != 0)
        alarm_of(alarms,
                 "DISK FULL: %s gives no further segment of %" PRIu64 " MiB: %s; what is prepared "
                 "is still used",
                 engine->config.log_dir, engine->config.log_segment >> 20, strerror((int)stuck));
}

static void add_stream(json_t *alarms, const struct fg_delivery *delivery,
                       const struct fg_sale *sale)
{
    switch (fg_delivery_stream_state(delivery, sale->number)) {
    case FG_STREAM_FOREIGN:
        alarm_of(alarms,
                 "STREAM FOREIGN: the stream of sale %s ends with an entry that this log does not "
                 "know; nothing is delivered to it until it is rebuilt",
                 sale->name);
        break;
    case FG_STREAM_LOST_BEYOND_LOG:
        alarm_of(alarms,
                 "STREAM LOST: the stream of sale %s has lost entries that the log no longer has; "
                 "nothing is delivered to it",
                 sale->name);
        break;
    case FG_STREAM_BAD_KEY:
        alarm_of(alarms,
                 "STREAM BAD KEY: a key of sale %s in Redis is not of the type that it must be; "
                 "nothing is delivered to it; delivery status names the key",
                 sale->name);
        break;
    case FG_STREAM_REFUSED:
        alarm_of(alarms,
                 "STREAM REFUSED: Redis refuses the entries of sale %s; it is tried again slowly; "
                 "delivery status has its words",
                 sale->name);
        break;
    case FG_STREAM_SEEKING:
    case FG_STREAM_LIVE:
    case FG_STREAM_DONE:
        break;
    }
}

static void add_delivery(json_t *alarms, const struct fg_control *control)
{
    struct fg_delivery *delivery = control->engine->delivery;
    if (!delivery)
        return;
    const struct fg_delivery_stats *stats = fg_delivery_stats(delivery);
    uint64_t lag = read_count(&stats->lag);
    char error[256];
    fg_delivery_last_error(delivery, error, sizeof(error));
    if (atomic_load_explicit(&stats->state, memory_order_relaxed) == FG_DELIVERY_CONNECTING &&
        error[0] != '\0')
        alarm_of(alarms,
                 "REDIS AWAY: %s; sales go on, and the log keeps what is to be delivered (%" PRIu64
                 " order events)",
                 error, lag);
    else if (lag >= LAG_ALARM)
        alarm_of(alarms, "DELIVERY LAGS: %" PRIu64 " order events are not in Redis yet", lag);
    for (unsigned i = 0; i < control->model.sales_count; i++)
        add_stream(alarms, delivery, control->model.sales[i]);
}

static void add_clock(json_t *alarms, const struct fg_control *control)
{
    int64_t ahead_ns = fg_clock_page_ahead(&control->engine->clock);
    if (ahead_ns != 0)
        alarm_of(alarms,
                 "CLOCK STEPPED: the machine's clock jumped and is %.1f s %s the engine's, which "
                 "goes on "
                 "from before the jump, so that nothing opens or closes by it; set the machine's "
                 "clock right, or, if it is right now: flashgatectl clock accept",
                 (double)(ahead_ns > 0 ? ahead_ns : -ahead_ns) / 1e9,
                 ahead_ns > 0 ? "ahead of" : "behind");
}

/* Of two clocks, or of somebody who sends old datagrams again: see skew.h. */
static void add_skew(json_t *alarms, const struct fg_control *control)
{
    struct fg_skew_finding finding = fg_skew_judge(&control->skew);
    double off = (double)finding.skew_ns / 1e9;
    char source[FG_IP_TEXT_MAX];
    fg_ip_text(finding.source, source);
    switch (finding.kind) {
    case FG_SKEW_NONE:
        break;
    case FG_SKEW_OF_ENGINE:
        alarm_of(alarms,
                 "ENGINE CLOCK: %" PRIu64 " of %" PRIu64 " authentic datagrams of the last 10 s "
                 "are stale: the engine's clock may be wrong, about %.1f s %s the senders' (the "
                 "median); ask another machine for the time, and see chronyc tracking",
                 finding.stale, finding.stale + finding.accepted, off < 0 ? -off : off,
                 off < 0 ? "ahead of" : "behind");
        break;
    case FG_SKEW_OF_SENDER:
        alarm_of(alarms,
                 "SENDER CLOCK: %" PRIu64 " authentic datagrams of the last 10 s are stale, most "
                 "of key %u: its sender %s has a clock that is %.1f s %s the engine's%s",
                 finding.stale, finding.id, source, off < 0 ? -off : off,
                 off < 0 ? "behind" : "ahead of",
                 finding.accepted == 0 ? "; no other came, so it may be the engine's that is wrong"
                                       : "");
        break;
    case FG_SKEW_COPIES:
        alarm_of(alarms,
                 "STALE COPIES: %" PRIu64 " authentic datagrams of the last 10 s are stale, and "
                 "older from second to second: somebody sends old ones again, most of key %u, the "
                 "last from %s; they get no answer",
                 finding.stale, finding.id, source);
        break;
    }
}

static void add_ports(json_t *alarms, const struct fg_control *control)
{
    const struct fg_engine *engine = control->engine;
    for (unsigned i = 0; i < engine->config.ports_count; i++) {
        const struct fg_port_figures *figures = &engine->port_figures[i];
        const char *device = engine->config.ports[i].device;
        if (fg_ports_lose(&control->ports_seen, i, fg_control_now_ms()))
            alarm_of(alarms,
                     "FRAMES LOST: port %.*s loses frames before a worker sees them: %" PRIu64
                     " missed by full queues, %" PRIu64 " broken, %" PRIu64
                     " without a packet buffer, since the start",
                     fg_port_name_bytes(device), device, read_count(&figures->missed),
                     read_count(&figures->errors), read_count(&figures->no_buffers));
    }
}

/* What an operator has set and may have forgotten. */
static void add_mode(json_t *alarms, enum fg_engine_mode mode)
{
    static const char *const helps[] = {
#define X(name, text, help) [FG_ENGINE_##name] = "ENGINE " #name ": " help,
        FG_ENGINE_MODES(X)
#undef X
    };
    if (mode != FG_ENGINE_RUNNING)
        alarm_of(alarms, "%s; to sell again: flashgatectl engine resume", helps[mode]);
}

json_t *fg_alarms_json(const struct fg_control *control)
{
    json_t *alarms = json_array();
    add_mode(alarms, control->model.mode);
    add_config(alarms, control->engine);
    add_log(alarms, control->engine);
    add_delivery(alarms, control);
    add_clock(alarms, control);
    add_skew(alarms, control);
    add_ports(alarms, control);
    if (control->change.stage != FG_CHANGE_NONE)
        alarm_of(alarms, "CHANGE UNDER WAY: a change of the catalogue is not done yet");
    return alarms;
}
