/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Asking a worker for what only it may read or change: a command goes to it on its ring and comes
 * back on another. A worker that does not answer in time still has the command, which therefore
 * stays allocated until it comes back.
 */
#include <errno.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/internal.h"
#include "dataplane/faults.h"
#include "flashgate/control_api.h"

#define LATE_MAX 64 /* commands that may be late before no more are sent */

/* Takes answers off the ring until `wanted` comes; late ones of others end here. */
static bool take_answer(struct fg_control *control, struct fg_worker *worker,
                        const struct fg_command *wanted)
{
    void *answer;
    while (rte_ring_sc_dequeue(worker->results, &answer) == 0) {
        if (answer == wanted)
            return true;
        free(answer);
        control->commands_late--;
    }
    return false;
}

void fg_command_reap(struct fg_control *control)
{
    for (unsigned w = 0; control->commands_late > 0 && w < control->engine->config.workers; w++)
        if (control->engine->workers[w])
            take_answer(control, control->engine->workers[w], NULL);
}

static bool enqueue(const struct fg_control *control, struct fg_worker *worker,
                    struct fg_command *command)
{
    return control->commands_late < LATE_MAX && rte_ring_sp_enqueue(worker->commands, command) == 0;
}

static int send_and_wait(struct fg_control *control, struct fg_worker *worker,
                         struct fg_command *command)
{
    if (!enqueue(control, worker, command)) {
        command->result = -EBUSY;
        return 0;
    }
    uint64_t deadline = fg_control_now_ms() + control->limits.answer;
    while (!take_answer(control, worker, command)) {
        if (fg_control_now_ms() >= deadline || !fg_control_wait(control)) {
            control->commands_late++;
            return -ETIMEDOUT;
        }
    }
    return 0;
}

bool fg_command_post(struct fg_control *control, struct fg_worker *worker,
                     const struct fg_command *command)
{
    struct fg_command *copy = control->commands_late < LATE_MAX ? malloc(sizeof(*copy)) : NULL;
    if (!copy)
        return false;
    *copy = *command;
    if (rte_ring_sp_enqueue(worker->commands, copy) != 0) {
        free(copy);
        return false;
    }
    control->commands_late++;
    return true;
}

static unsigned owner_of(const struct fg_control *control, const uint8_t *buyer)
{
    const struct fg_config *config = &control->engine->config;
    return fg_partition(buyer, config->partitions) % config->workers;
}

/* A cancellation's results that tell an order which had ended before. */
static bool had_ended(const struct fg_command *command)
{
    return command->kind == FG_COMMAND_ORDER_CANCEL &&
           (command->result == -EALREADY || command->result == -ESTALE);
}

static void tell_late(const struct fg_control *control, const struct fg_command *question,
                      unsigned w, char *message, size_t size)
{
    snprintf(message, size, "worker %u has not answered within %u ms%s", w, control->limits.answer,
             question->kind == FG_COMMAND_ORDER_CANCEL
                 ? "; it has the cancellation, and will carry it out when it comes to it: order "
                   "show tells whether it has"
                 : "");
}

/* Asks the worker that owns the command's buyer. *answer, to be freed, has a result of 0 or one
 * that tells how the order had ended; any other is told as an error. 0, or an rpc error with a
 * sentence. */
static int ask_owner(struct fg_control *control, const struct fg_command *question,
                     struct fg_command **answer, char *message, size_t size)
{
    unsigned w = owner_of(control, question->buyer);
    struct fg_worker *worker = control->engine->workers[w];
    struct fg_command *command = malloc(sizeof(*command));
    if (!worker || !command) {
        snprintf(message, size, "worker %u cannot be asked now", w);
        free(command);
        return FG_RPC_INTERNAL;
    }
    *command = *question;
    if (send_and_wait(control, worker, command) != 0) {
        tell_late(control, question, w, message, size);
        return FG_RPC_TIME_LIMIT;
    }
    int result = command->result;
    if (result == 0 || had_ended(command)) {
        *answer = command;
        return 0;
    }
    free(command);
    if (result == -ENOENT) {
        snprintf(message, size, "this buyer has no order with that request");
        return FG_RPC_NOT_FOUND;
    }
    snprintf(message, size, "worker %u cannot do it now (%s); try again", w, strerror(-result));
    return FG_RPC_REFUSED;
}

int fg_command_order(struct fg_control *control, const uint8_t buyer[FG_BUYER_BYTES],
                     uint64_t request, struct fg_order_view *view, char *message, size_t size)
{
    struct fg_command question = {.kind = FG_COMMAND_ORDER_SHOW, .request = request}, *answer;
    memcpy(question.buyer, buyer, sizeof(question.buyer));
    int rc = ask_owner(control, &question, &answer, message, size);
    if (rc != 0)
        return rc;
    *view = answer->orders[0];
    free(answer);
    return 0;
}

int fg_command_orders(struct fg_control *control, const uint8_t buyer[FG_BUYER_BYTES],
                      const struct fg_order_page *page, struct fg_command **list, char *message,
                      size_t size)
{
    struct fg_command question = {.kind = FG_COMMAND_ORDER_LIST, .page = *page};
    memcpy(question.buyer, buyer, sizeof(question.buyer));
    return ask_owner(control, &question, list, message, size);
}

bool fg_command_settled(const struct fg_control *control, const uint8_t *buyer, uint64_t ticket)
{
    const struct fg_worker *worker = control->engine->workers[owner_of(control, buyer)];
    const struct fg_admission_gauges *gauges = fg_admission_gauges(worker->admission);
    /* acquire: pairs with the worker's release, after it has put the units back */
    return FG_PLANTED(CANCEL_TOLD_EARLY) ||
           atomic_load_explicit(&gauges->settled, memory_order_acquire) >= ticket;
}

/* Waits until the owner has settled the order's last record. */
static int wait_settled(struct fg_control *control, const uint8_t *buyer,
                        struct fg_order_view *view, char *message, size_t size)
{
    uint64_t deadline = fg_control_now_ms() + control->limits.durable;
    while (!fg_command_settled(control, buyer, view->ticket)) {
        if (!fg_control_wait(control)) {
            snprintf(message, size,
                     "the engine is stopping: %.300s; order show tells after the next start "
                     "whether the order was cancelled",
                     control->reason);
            return FG_RPC_STOPPING;
        }
        if (fg_control_now_ms() >= deadline) {
            snprintf(
                message, size,
                "the %s is on its way, but the log has not made it durable within %u ms; order "
                "show tells when it is",
                view->verdict == FG_VERDICT_EXPIRED ? "end of the order's hold" : "cancellation",
                control->limits.durable);
            return FG_RPC_TIME_LIMIT;
        }
    }
    view->durable = 1;
    return 0;
}

int fg_command_cancel(struct fg_control *control, const uint8_t buyer[FG_BUYER_BYTES],
                      uint64_t request, struct fg_order_view *view, bool *changed, char *message,
                      size_t size)
{
    struct fg_command question = {.kind = FG_COMMAND_ORDER_CANCEL, .request = request}, *answer;
    memcpy(question.buyer, buyer, sizeof(question.buyer));
    int rc = ask_owner(control, &question, &answer, message, size);
    if (rc != 0)
        return rc;
    int result = answer->result;
    *view = answer->orders[0];
    *changed = result == 0;
    free(answer);
    rc = wait_settled(control, buyer, view, message, size);
    if (rc == 0 && result == -ESTALE) {
        snprintf(message, size, "the order's hold has run out: it is void, and its units are back");
        rc = FG_RPC_REFUSED;
    }
    return rc;
}

/* A worker's question after its suspects, on its way; NULL: it cannot be asked now. */
static struct fg_command *ask_suspects(struct fg_control *control, struct fg_worker *worker)
{
    struct fg_command *command = worker ? calloc(1, sizeof(*command)) : NULL;

    if (!command)
        return NULL;
    command->kind = FG_COMMAND_SUSPECTS;
    if (enqueue(control, worker, command))
        return command;
    free(command);
    return NULL;
}

void fg_command_suspects(struct fg_control *control, struct fg_command *answers[FG_WORKERS_MAX])
{
    struct fg_worker *const *workers = control->engine->workers;
    struct fg_command *asked[FG_WORKERS_MAX];
    uint64_t deadline = fg_control_now_ms() + control->limits.answer;
    unsigned count = control->engine->config.workers, missing;

    for (unsigned w = 0; w < count; w++) {
        asked[w] = ask_suspects(control, workers[w]);
        answers[w] = NULL;
    }
    do {
        missing = 0;
        for (unsigned w = 0; w < count; w++) {
            if (asked[w] && !answers[w] && take_answer(control, workers[w], asked[w]))
                answers[w] = asked[w];
            missing += asked[w] && !answers[w];
        }
    } while (missing > 0 && fg_control_now_ms() < deadline && fg_control_wait(control));
    control->commands_late += missing;
}
