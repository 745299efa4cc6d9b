/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/command.h"

void fg_command_run(struct fg_command *command, struct fg_admission *admission,
                    const struct fg_now *now, const struct fg_catalogue *catalogue)
{
    switch (command->kind) {
    case FG_COMMAND_ORDER_SHOW:
        command->result = fg_admission_order(admission, now, command->buyer, command->request,
                                             &command->orders[0]);
        break;
    case FG_COMMAND_ORDER_LIST:
        command->result =
            fg_admission_orders(admission, now, catalogue, command->buyer, &command->page,
                                command->orders, FG_COMMAND_ORDERS_MAX);
        command->count = command->result > 0 ? (uint32_t)command->result : 0;
        command->result = command->result < 0 ? command->result : 0;
        break;
    case FG_COMMAND_ORDER_CANCEL:
        command->result = fg_admission_cancel(admission, now, catalogue, command->buyer,
                                              command->request, &command->orders[0]);
        break;
    case FG_COMMAND_CAPTURE: /* never comes here */
        break;
    case FG_COMMAND_SUSPECTS:
        fg_admission_suspects(admission, now, &command->suspects);
        command->result = 0;
        break;
    }
}
