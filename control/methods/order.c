/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Methods on orders, for customer service. Each asks the worker that owns the buyer (command.c): it
 * alone may read and change what it knows of the buyer's orders.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "control/methods/methods.h"
#include "control/text.h"
#include "flashgate/control_api.h"

static int read_buyer(struct fg_call *call, uint8_t buyer[FG_BUYER_BYTES])
{
    if (fg_buyer_parse(call->texts[0], buyer))
        return 0;
    return fg_call_refuse(call, FG_RPC_PARAMS,
                          "buyer \"%.64s\" is not 32 hex digits, with or without dashes",
                          call->texts[0]);
}

static int read_order(struct fg_call *call, uint8_t buyer[FG_BUYER_BYTES], uint64_t *request)
{
    int rc = read_buyer(call, buyer);
    if (rc == 0 && !fg_u64_parse(call->texts[1], request))
        rc = fg_call_refuse(call, FG_RPC_PARAMS,
                            "request \"%.64s\" is not a number of 64 bits, decimal or 0x hex",
                            call->texts[1]);
    return rc;
}

/* An order as it is told. A new reference; NULL when memory is short. */
static json_t *order_json(const struct fg_control *control, const uint8_t *buyer,
                          const struct fg_order_view *view)
{
    const struct fg_model_item *item = fg_model_item(&control->model, view->item);
    const struct fg_sale *sale =
        item ? fg_model_sale_number(&control->model, item->item.sale) : NULL;
    char text[FG_BUYER_TEXT];
    fg_buyer_format(buyer, text);
    return json_pack("{s:s,s:o,s:o,s:s?,s:I,s:s?,s:i,s:s,s:b,s:b,s:I}", "buyer", text, "request",
                     fg_json_u64(view->request), "order", fg_json_u64(view->order), "sale",
                     sale ? sale->name : NULL, "item", (json_int_t)view->item, "item_name",
                     item ? item->name : NULL, "quantity", view->quantity, "state",
                     fg_verdict_name(view->verdict), "held", view->held, "durable", view->durable,
                     "left_ms", (json_int_t)view->left_ms);
}

int fg_call_order_show(struct fg_call *call)
{
    uint8_t buyer[FG_BUYER_BYTES];
    uint64_t request;
    struct fg_order_view view;
    int rc = read_order(call, buyer, &request);
    if (rc == 0)
        rc = fg_command_order(call->control, buyer, request, &view, call->message,
                              sizeof(call->message));
    if (rc == 0)
        call->result = order_json(call->control, buyer, &view);
    return rc;
}

/* The live sale that the text names, by name or number; 0 where no text is given. */
static int read_sale(struct fg_call *call, const char *text, uint32_t *number)
{
    const struct fg_model *model = &call->control->model;
    const struct fg_sale *sale = text ? fg_model_sale(model, text) : NULL;
    uint64_t given;
    if (text && !sale && fg_u64_parse(text, &given) && given <= UINT32_MAX)
        sale = fg_model_sale_number(model, (uint32_t)given);
    *number = sale ? sale->number : 0;
    if (text && !sale)
        return fg_call_refuse(call, FG_RPC_NOT_FOUND,
                              "there is no live sale %.64s; sale list tells which there are", text);
    return 0;
}

/* sale and after. 0, or an rpc error with a sentence. */
static int read_page(struct fg_call *call, struct fg_order_page *page)
{
    const char *after = call->texts[2];
    int rc = read_sale(call, call->texts[1], &page->sale);
    page->goes_on = after;
    if (rc == 0 && after && !fg_u64_parse(after, &page->after))
        rc = fg_call_refuse(call, FG_RPC_PARAMS,
                            "after \"%.64s\" is not a request's number, decimal or 0x hex", after);
    return rc;
}

int fg_call_order_list(struct fg_call *call)
{
    uint8_t buyer[FG_BUYER_BYTES];
    char text[FG_BUYER_TEXT];
    struct fg_order_page page = {0};
    struct fg_command *list;
    int rc = read_buyer(call, buyer);
    if (rc == 0)
        rc = read_page(call, &page);
    if (rc == 0)
        rc = fg_command_orders(call->control, buyer, &page, &list, call->message,
                               sizeof(call->message));
    if (rc != 0)
        return rc;
    json_t *orders = json_array();
    for (uint32_t i = 0; i < list->count; i++)
        json_array_append_new(orders, order_json(call->control, buyer, &list->orders[i]));
    fg_buyer_format(buyer, text);
    call->result =
        json_pack("{s:s,s:o,s:b,s:o}", "buyer", text, "orders", orders, "more", list->page.more,
                  "next", list->page.more ? fg_json_u64(list->page.after) : json_null());
    free(list);
    return 0;
}

/* Who does it is on record before it is done. */
static int journal_cancel(struct fg_call *call, const uint8_t *buyer,
                          const struct fg_order_view *view)
{
    char text[FG_BUYER_TEXT];
    fg_buyer_format(buyer, text);
    json_t *params = json_pack("{s:s,s:o,s:o}", "buyer", text, "request",
                               fg_json_u64(view->request), "order", fg_json_u64(view->order));
    int rc = params ? fg_act_submit(call->control, call->peer, "order.cancel", params,
                                    call->message, sizeof(call->message))
                    : fg_call_refuse(call, FG_RPC_INTERNAL, "memory is short");
    json_decref(params);
    return rc;
}

int fg_call_order_cancel(struct fg_call *call)
{
    uint8_t buyer[FG_BUYER_BYTES];
    uint64_t request;
    struct fg_order_view view = {0};
    bool changed = false;
    int rc = read_order(call, buyer, &request);
    if (rc == 0)
        rc = fg_command_order(call->control, buyer, request, &view, call->message,
                              sizeof(call->message));
    if (rc == 0 && view.order == 0)
        rc = fg_call_refuse(call, FG_RPC_NOT_FOUND,
                            "this buyer withdrew that request before there "
                            "was an order");
    if (rc == 0 && view.verdict != FG_VERDICT_CANCELLED && view.verdict != FG_VERDICT_EXPIRED) {
        rc = fg_call_confirm(call,
                             "order %" PRIu64 ", %u x item %" PRIu32 ", is %s%s: the buyer would "
                             "lose it, and its units go back on sale",
                             view.order, view.quantity, view.item, fg_verdict_name(view.verdict),
                             view.held ? " and held" : "");
        if (rc == 0)
            rc = journal_cancel(call, buyer, &view);
    }
    if (rc == 0)
        rc = fg_command_cancel(call->control, buyer, request, &view, &changed, call->message,
                               sizeof(call->message));
    if (rc != 0)
        return rc;
    call->result = order_json(call->control, buyer, &view);
    if (call->result)
        json_object_set_new(call->result, "changed", json_boolean(changed));
    return 0;
}
