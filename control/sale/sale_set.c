/* SPDX-License-Identifier: BSD-3-Clause */
/* One field of a sale that lives: those options of a sale file that are marked as live. */
#include <stdio.h>
#include <string.h>

#include "control/sale/sale.h"

static const struct fg_option *live_option(const struct fg_option_table *table, const char *name)
{
    for (unsigned i = 0; i < table->count; i++)
        if (table->options[i].live && strcmp(table->options[i].name, name) == 0)
            return &table->options[i];
    return NULL;
}

static int refuse_name(const struct fg_option_table *table, const char *owner, const char *field,
                       char *message, size_t size)
{
    size_t used = (size_t)snprintf(
        message, size, "\"%.64s\" of %s cannot be set; what can be:", fg_in_print(field), owner);
    for (unsigned i = 0, told = 0; i < table->count; i++)
        if (table->options[i].live && used < size)
            used += (size_t)snprintf(message + used, size - used, "%s %s", told++ ? "," : "",
                                     table->options[i].name);
    return -1;
}

int fg_sale_set(struct fg_sale *sale, struct fg_sale_item *item, const char *field,
                const char *text, uint64_t now_ns, char *message, size_t size)
{
    const struct fg_option_table *table = item ? &fg_sale_item_options : &fg_sale_options;
    const struct fg_option *option = live_option(table, field);
    char *target = item ? (char *)item : (char *)sale, why[256];
    if (!option)
        return refuse_name(table, item ? "an item" : "a sale", field, message, size);
    if (option->kind == FG_OPTION_TIME && strcmp(text, "none") == 0) {
        memset(target + option->offset, 0, option->size);
    } else if (fg_option_set(option, text, strlen(text), now_ns, target, why, sizeof(why)) != 0) {
        snprintf(message, size, "%s: \"%.64s\" %s", field, fg_in_print(text), why);
        return -1;
    }
    sale->opens_relative = sale->closes_relative = false; /* said now, it is meant so */
    return fg_sale_check(sale, message, size);
}
