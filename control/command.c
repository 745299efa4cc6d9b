/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Asking a worker for what only it may read: a command goes to it on its ring and comes back on
 * another. A worker that does not answer in time still has the command, which therefore stays
 * allocated until it comes back.
 */
#include <errno.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/internal.h"
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

static int send_and_wait(struct fg_control *control, struct fg_worker *worker,
                         struct fg_command *command)
{
    if (control->commands_late >= LATE_MAX || rte_ring_sp_enqueue(worker->commands, command) != 0) {
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

int fg_command_order(struct fg_control *control, const uint8_t buyer[FG_BUYER_BYTES],
                     uint64_t request, struct fg_order_view *view, char *message, size_t size)
{
    const struct fg_config *config = &control->engine->config;
    unsigned w = fg_partition(buyer, config->partitions) % config->workers;
    struct fg_worker *worker = control->engine->workers[w];
    struct fg_command *command = calloc(1, sizeof(*command));
    if (!worker || !command) {
        snprintf(message, size, "worker %u cannot be asked now", w);
        free(command);
        return FG_RPC_INTERNAL;
    }
    command->kind = FG_COMMAND_ORDER_SHOW;
    memcpy(command->buyer, buyer, sizeof(command->buyer));
    command->request = request;
    if (send_and_wait(control, worker, command) != 0) {
        snprintf(message, size, "worker %u has not answered within %u ms", w,
                 control->limits.answer);
        return FG_RPC_TIME_LIMIT;
    }
    int rc = command->result;
    *view = command->order;
    free(command);
    if (rc == 0)
        return 0;
    if (rc == -ENOENT) {
        snprintf(message, size, "this buyer has no order with that request");
        return FG_RPC_NOT_FOUND;
    }
    snprintf(message, size, "worker %u cannot answer now: %s; try again", w, strerror(-rc));
    return FG_RPC_REFUSED;
}
