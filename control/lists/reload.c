/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/lists/reload.h"

#include "control/aside.h"

struct reading {
    const struct fg_config *config;
    struct fg_listing *listing;
    char *message;
    size_t size;
};

static void read_files(void *arg)
{
    struct reading *reading = arg;
    reading->listing = fg_listing_load(reading->config, reading->message, reading->size);
}

struct fg_listing *fg_lists_read(struct fg_control *control, const struct fg_peer *peer,
                                 char *message, size_t size)
{
    struct reading reading = {.config = &control->engine->config, .message = message, .size = size};
    fg_control_aside(control, peer != NULL, read_files, &reading); /* a start has no ticks yet */
    if (!reading.listing)
        return NULL;
    reading.listing->loaded_ns = peer ? fg_control_clock_ns(control) : fg_control_wall_ns();
    if (peer) {
        reading.listing->uid = peer->uid;
        reading.listing->pid = peer->pid;
    }
    return reading.listing;
}

struct fg_listing *fg_lists_put(struct fg_control *control, struct fg_listing *listing)
{
    struct fg_list_figures *figures = &control->engine->list_figures;
    struct fg_listing *before = control->listing;
    control->listing = listing;
    for (unsigned list = 0; list < FG_LIST_COUNT; list++)
        atomic_store_explicit(&figures->entries[list], listing->lists->counts[list].entries,
                              memory_order_relaxed);
    atomic_store_explicit(&figures->loaded_ns, listing->loaded_ns, memory_order_relaxed);
    atomic_store_explicit(&figures->bytes, listing->lists->bytes, memory_order_relaxed);
    return before;
}

static void drop(void *arg)
{
    fg_listing_drop(arg);
}

void fg_lists_end(struct fg_control *control, struct fg_listing *listing)
{
    fg_control_aside(control, true, drop, listing);
}
