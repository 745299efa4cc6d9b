/* SPDX-License-Identifier: BSD-3-Clause */
/* Orders, laid out for people. */
#include <stdbool.h>

#include "control/cli/show.h"

static bool is(const json_t *json, const char *key)
{
    return json_is_true(json_object_get(json, key));
}

void fg_show_order(const json_t *result, FILE *out)
{
    bool held = is(result, "held");
    fprintf(out, "Order     %s\n", text(result, "order"));
    fprintf(out, "Buyer     %s\n", text(result, "buyer"));
    fprintf(out, "Request   %s\n", text(result, "request"));
    fprintf(out, "Sale      %s\n", text(result, "sale"));
    fprintf(out, "Item      %" JSON_INTEGER_FORMAT " x %" JSON_INTEGER_FORMAT "  %s\n",
            number(result, "quantity"), number(result, "item"), text(result, "item_name"));
    fprintf(out, "State     %s%s%s\n", text(result, "state"), held ? ", held" : "",
            is(result, "durable") ? "" : " (not durable yet)");
    if (held)
        fprintf(out, "Expires   in %.1f s\n", (double)number(result, "left_ms") / 1000);
}

void fg_show_orders(const json_t *result, FILE *out)
{
    const json_t *orders = json_object_get(result, "orders");
    size_t i;
    json_t *order;
    if (json_array_size(orders) == 0 && !is(result, "more")) {
        fprintf(out, "Buyer %s has no order\n", text(result, "buyer"));
        return;
    }
    fprintf(out, "%20s  %20s  %-9s  %10s  %8s  %10s  %s\n", "REQUEST", "ORDER", "STATE", "HELD s",
            "QUANTITY", "ITEM", "SALE");
    json_array_foreach(orders, i, order)
    {
        fprintf(out, "%20s  %20s  %-9s", text(order, "request"), text(order, "order"),
                text(order, "state"));
        if (is(order, "held"))
            fprintf(out, "  %10.1f", (double)number(order, "left_ms") / 1000);
        else
            fprintf(out, "  %10s", "");
        fprintf(out, "  %8" JSON_INTEGER_FORMAT "  %10" JSON_INTEGER_FORMAT "  %s%s\n",
                number(order, "quantity"), number(order, "item"), text(order, "sale"),
                is(order, "durable") ? "" : " (not durable yet)");
    }
    if (is(result, "more"))
        fprintf(out, "There may be more: --after %s shows them\n", text(result, "next"));
}

void fg_show_order_cancel(const json_t *result, FILE *out)
{
    if (is(result, "changed"))
        fprintf(out,
                "Order %s is cancelled: %" JSON_INTEGER_FORMAT " of item %" JSON_INTEGER_FORMAT
                " are back on sale\n",
                text(result, "order"), number(result, "quantity"), number(result, "item"));
    else
        fprintf(out, "Order %s was already cancelled\n", text(result, "order"));
}
