/* SPDX-License-Identifier: BSD-3-Clause */
/* The fence of a takeover: every stream is claimed for an epoch that the old engine has not. */
#include <inttypes.h>
#include <time.h>

#include "control/journal/takeover.h"
#include "dataplane/orders/circuit.h"
#include "dataplane/redis.h"

#define TRIES_MAX 10                  /* while Redis says "not now": some 2 s in all */
#define TRY_NS    UINT64_C(500000000) /* the longest wait between two */
#define NAP_NS    5000000

/* Goes on without a fence, if that was asked for. */
static int unfenced(struct takeover *takeover, const char *why)
{
    if (takeover->link)
        fg_redis_link_destroy(takeover->link);
    takeover->link = NULL;
    if (!takeover->call->options[FG_CLI_WITHOUT_FENCE])
        return fg_cli_fail(takeover->call, FG_EXIT_FAILED,
                           "the streams cannot be fenced (%s): if the old engine cannot be "
                           "running any more, give --without-fence",
                           why);
    fprintf(takeover->call->err,
            "flashgatectl: WITHOUT A FENCE (%s): if the old engine still runs, it goes on selling "
            "the same units and writing to the same streams; make sure that it is stopped\n",
            why);
    fg_takeover_step(takeover, "fence", "none (%s)", why);
    return FG_EXIT_OK;
}

static uint64_t now_ns(void)
{
    return fg_clock_system.monotonic_ns(fg_clock_system.context);
}

/* Waits for its turn. */
static void wait_turn(struct fg_circuit *circuit)
{
    while (!fg_circuit_may_call(circuit, now_ns()))
        nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
}

int fg_takeover_connect(struct takeover *takeover)
{
    char message[512];

    if (!fg_config_delivers(&takeover->config))
        return unfenced(takeover, "the configuration names no Redis");
    takeover->link = fg_redis_make_link(&takeover->config, takeover->source.last_epoch + 1,
                                        takeover->instance, message, sizeof(message));
    if (!takeover->link)
        return fg_cli_fail(takeover->call, FG_EXIT_CONFIG, "%s", message);
    enum fg_redis_answer answer = FG_REDIS_RETRY;
    struct fg_circuit circuit;
    fg_circuit_init(&circuit, TRY_NS, takeover->instance);
    for (unsigned i = 0; i < TRIES_MAX && answer == FG_REDIS_RETRY; i++) {
        wait_turn(&circuit);
        answer = takeover->link->connect(takeover->link->context);
        fg_circuit_failed(&circuit, now_ns());
    }
    if (answer == FG_REDIS_OK)
        return FG_EXIT_OK;
    snprintf(message, sizeof(message), "%s", takeover->link->error(takeover->link->context));
    return unfenced(takeover, message);
}

/* Claims one sale's fence. */
static enum fg_redis_answer claim(const struct takeover *takeover, struct fg_redis_append *append)
{
    struct fg_redis_link *link = takeover->link;
    enum fg_redis_answer answer = FG_REDIS_RETRY;

    struct fg_circuit circuit;

    fg_circuit_init(&circuit, TRY_NS, takeover->instance);
    for (unsigned i = 0; i < TRIES_MAX && answer == FG_REDIS_RETRY; i++) {
        wait_turn(&circuit);
        answer = link->append(link->context, append);
        fg_circuit_failed(&circuit, now_ns());
    }
    return answer;
}

/* An archived sale whose stream is gone needs no fence, and must not be given keys again. */
static bool needs_fence(const struct takeover *takeover, uint32_t sale, const char *name)
{
    struct fg_stream_id last = {0};

    if (fg_takeover_bit(takeover->fenced, sale))
        return false;
    if (!fg_takeover_bit(takeover->sales.archived, sale))
        return true;
    return takeover->link->last(takeover->link->context, name, &last) != FG_REDIS_OK ||
           last.sale_seq != 0;
}

static int fence_sale(struct takeover *takeover, uint32_t sale, const char *name)
{
    struct fg_redis_append append = {.sale = name};
    enum fg_redis_answer answer = claim(takeover, &append);
    char why[1024];

    if (answer == FG_REDIS_OK || answer == FG_REDIS_GAP) {
        fg_takeover_set_bit(takeover->fenced, sale);
        takeover->fenced_count++;
        fg_takeover_step(takeover, "fence", "%s: its stream ends with %" PRIu64 "-%" PRIu64, name,
                         append.last.epoch, append.last.sale_seq);
        return FG_EXIT_OK;
    }
    snprintf(why, sizeof(why), "sale %s: %s", name, takeover->link->error(takeover->link->context));
    if (answer == FG_REDIS_FENCED)
        return fg_cli_fail(takeover->call, FG_EXIT_FENCED,
                           "%s; read that engine's log, or leave it in charge", why);
    return unfenced(takeover, why);
}

int fg_takeover_fence(struct takeover *takeover, unsigned *claimed)
{
    unsigned before = takeover->fenced_count;
    int status = FG_EXIT_OK;

    for (uint32_t sale = 1;
         status == FG_EXIT_OK && takeover->link && sale < takeover->sales.names.end; sale++) {
        const char *name = fg_journal_name(&takeover->sales.names, sale);
        if (name && needs_fence(takeover, sale, name))
            status = fence_sale(takeover, sale, name);
    }
    *claimed = takeover->fenced_count - before;
    return status;
}
