/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/items.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/sale/sale.h"
#include "dataplane/orders/clock.h"
#include "flashgate/exit_status.h"

enum { SALE_BYTES_MAX = 8 << 20 };

/* The file as a string to free, or NULL with errno. */
static char *read_text(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;

    if (!file)
        return NULL;
    text = malloc(SALE_BYTES_MAX);
    *length = text ? fread(text, 1, SALE_BYTES_MAX, file) : 0;
    if (text && (ferror(file) || *length == SALE_BYTES_MAX)) {
        free(text);
        text = NULL;
        errno = ferror(file) ? EIO : EFBIG;
    }
    fclose(file);
    return text;
}

static int read_sale(struct fg_sale *sale, const char *path, char *message, size_t size)
{
    size_t length;
    char *text = read_text(path, &length);

    if (!text) {
        snprintf(message, size, "sale file %s cannot be read: %s", path, strerror(errno));
        return FG_EXIT_CONFIG;
    }
    int parsed =
        fg_sale_parse(sale, path, text, length, fg_clock_ns(CLOCK_REALTIME), message, size);
    free(text);
    return parsed < 0 ? FG_EXIT_CONFIG : FG_EXIT_OK;
}

static int out_of_memory(char *message, size_t size)
{
    snprintf(message, size, "no memory for the items");
    return FG_EXIT_MEMORY;
}

static int tell_history(struct fg_history *history, const struct fg_sale *sale, char *message,
                        size_t size)
{
    history->items = calloc(sale->items_count, sizeof(*history->items));
    if (!history->items)
        return out_of_memory(message, size);
    history->header.items = sale->items_count;
    for (uint32_t i = 0; i < sale->items_count; i++)
        history->items[i] = (struct fg_history_item){.id = sale->items[i].id,
                                                     .stock = sale->items[i].stock,
                                                     .limit = sale->items[i].limit,
                                                     .hold_ms = sale->items[i].hold_ms};
    return FG_EXIT_OK;
}

/* An item without stock is asked for as well, but rarely. */
static int weigh_by_stock(struct load_weights *weights, const struct fg_sale *sale, char *message,
                          size_t size)
{
    uint32_t *ids = calloc(sale->items_count, 2 * sizeof(*ids));
    int status = -ENOMEM;

    if (ids) {
        uint32_t *shares = ids + sale->items_count;
        for (uint32_t i = 0; i < sale->items_count; i++) {
            ids[i] = sale->items[i].id;
            shares[i] = sale->items[i].stock + 1;
        }
        status = load_weights_build(weights, sale->items_count, ids, shares);
    }
    free(ids);
    return status < 0 ? out_of_memory(message, size) : FG_EXIT_OK;
}

/* The same items, weighted by their place instead. */
static int weigh_by_zipf(struct load_weights *weights, double exponent, char *message, size_t size)
{
    struct load_weights before = *weights;
    uint32_t *shares = calloc(before.count, sizeof(*shares));
    int status = -ENOMEM;

    if (shares) {
        for (uint32_t i = 0; i < before.count; i++)
            shares[i] = (uint32_t)(UINT32_MAX * pow(i + 1.0, -exponent));
        status = load_weights_build(weights, before.count, before.values, shares);
    }
    free(shares);
    if (status == 0)
        load_weights_fini(&before);
    return status < 0 ? out_of_memory(message, size) : FG_EXIT_OK;
}

int load_items_read(struct load_client *client, const struct load_options *options, char *message,
                    size_t size)
{
    struct load_weights *weights = &client->mix.items;
    int status = FG_EXIT_OK;

    if (options->items &&
        load_weights_parse(weights, options->items, UINT32_MAX, message, size) < 0)
        return FG_EXIT_USAGE;
    if (options->sale) {
        struct fg_sale sale = {0};
        status = read_sale(&sale, options->sale, message, size);
        if (status != FG_EXIT_OK)
            return status;
        status = tell_history(&client->history, &sale, message, size);
        if (status == FG_EXIT_OK && !options->items)
            status = weigh_by_stock(weights, &sale, message, size);
        fg_sale_free(&sale);
    }
    if (status == FG_EXIT_OK && options->item_zipf > 0)
        status = weigh_by_zipf(weights, options->item_zipf, message, size);
    return status;
}

void load_items_free(struct load_client *client)
{
    load_weights_fini(&client->mix.items);
    free(client->history.items);
    client->history.items = NULL;
}
