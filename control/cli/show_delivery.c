/* SPDX-License-Identifier: BSD-3-Clause */
/* What is told of delivery, laid out for people. */
#include <string.h>

#include "control/cli/show.h"

void fg_show_delivery_line(const json_t *delivery, FILE *out)
{
    char delivered[32], lag[32];
    if (!json_is_object(delivery)) {
        fprintf(out, "Delivery  none is configured\n");
        return;
    }
    fprintf(out, "Delivery  %s, %s delivered, lag %s", text(delivery, "state"),
            grouped(number(delivery, "delivered"), delivered),
            grouped(number(delivery, "lag"), lag));
    if (strcmp(text_or(delivery, "circuit", "closed"), "closed") != 0)
        fprintf(out, "; circuit %s, next try in %" JSON_INTEGER_FORMAT " ms",
                text(delivery, "circuit"), number(delivery, "circuit_retry_us") / 1000);
    if (json_object_get(delivery, "last_error_age_ms"))
        fprintf(out, "; last error %.1f s ago: %s",
                (double)number(delivery, "last_error_age_ms") / 1000, text(delivery, "last_error"));
    else if (*text_or(delivery, "last_error", ""))
        fprintf(out, "; last error: %s", text(delivery, "last_error"));
    fputc('\n', out);
}

void fg_show_delivery(const json_t *result, FILE *out)
{
    const json_t *sales = json_object_get(result, "sales"), *link = json_object_get(result, "link");
    size_t i;
    json_t *sale;
    int width = 4;
    fg_show_delivery_line(link, out);
    if (*text_or(link, "last_aside", ""))
        fprintf(out, "          the stream moved aside last is %s\n", text(link, "last_aside"));
    json_array_foreach(sales, i, sale)
    {
        int length = (int)strlen(text(sale, "sale"));
        width = length > width ? length : width;
    }
    fprintf(out, "\n%-*s  %-9s  %-15s  %13s  %13s  %13s  %13s\n", width, "SALE", "STATE", "STREAM",
            "LOGGED", "DELIVERED", "CONSUMED", "LAG");
    json_array_foreach(sales, i, sale)
    {
        fprintf(out, "%-*s  %-9s  %-15s", width, text(sale, "sale"), text(sale, "sale_state"),
                text(sale, "stream"));
        cell(out, 13, number(sale, "logged"));
        cell(out, 13, number(sale, "delivered"));
        cell(out, 13, number(sale, "consumed"));
        cell(out, 13, number(sale, "lag"));
        fputc('\n', out);
    }
}

void fg_show_rebuild(const json_t *result, FILE *out)
{
    fprintf(out, "Sale %s: its stream will be moved aside and filled anew; see delivery status\n",
            text(result, "sale"));
}

void fg_show_consumed(const json_t *result, FILE *out)
{
    char consumed[32], delivered[32];
    fprintf(out, "Sale %s: consumed up to %s of %s delivered\n", text(result, "sale"),
            grouped(number(result, "consumed"), consumed),
            grouped(number(result, "delivered"), delivered));
}
