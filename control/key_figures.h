/* SPDX-License-Identifier: BSD-3-Clause */
/* What all workers together have seen of a key. Any thread, while there are workers. */
#ifndef FG_CONTROL_KEY_FIGURES_H
#define FG_CONTROL_KEY_FIGURES_H

#include "dataplane/engine.h"

struct fg_key_figures {
    struct fg_key_sight sight;
    uint64_t asked, throttled; /* entries, while it has a rate */
};

/* Of the key with this id at this place of the ring. */
struct fg_key_figures fg_key_figures_of(const struct fg_engine *engine, unsigned place,
                                        uint16_t id);

#endif
