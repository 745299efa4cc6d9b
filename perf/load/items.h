/* SPDX-License-Identifier: BSD-3-Clause */
/* Which items a run asks for, how often, and what is known of them. */
#ifndef LOAD_ITEMS_H
#define LOAD_ITEMS_H

#include "perf/load/client.h"
#include "perf/load/options.h"

/* Sets the client's mix.items, and the history's items when there is a sale file: from --items, or
 * else the sale's items by their stock. 0; or an exit status with a sentence in `message`. The
 * client owns both; load_items_free frees them. */
int load_items_read(struct load_client *client, const struct load_options *options, char *message,
                    size_t size);
void load_items_free(struct load_client *client);

#endif
