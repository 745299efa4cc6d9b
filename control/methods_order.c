/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods on orders, for customer service. Each asks the worker that owns the buyer (command.c). */
#include "control/methods.h"
#include "control/text.h"
#include "flashgate/control_api.h"

int fg_call_order_show(struct fg_call *call)
{
    uint8_t buyer[FG_BUYER_BYTES];
    uint64_t request;
    struct fg_order_view view;
    if (!fg_buyer_parse(call->texts[0], buyer))
        return fg_call_refuse(call, FG_RPC_PARAMS,
                              "buyer \"%.64s\" is not 32 hex digits, with or without dashes",
                              call->texts[0]);
    if (!fg_u64_parse(call->texts[1], &request))
        return fg_call_refuse(call, FG_RPC_PARAMS,
                              "request \"%.64s\" is not a number of 64 bits, decimal or 0x hex",
                              call->texts[1]);
    int rc = fg_command_order(call->control, buyer, request, &view, call->message,
                              sizeof(call->message));
    if (rc == 0)
        call->result = fg_status_order(buyer, &view);
    return rc;
}
