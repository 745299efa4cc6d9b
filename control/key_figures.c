/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/key_figures.h"

#include "dataplane/admission/rates.h"

struct fg_key_figures fg_key_figures_of(const struct fg_engine *engine, unsigned place, uint16_t id)
{
    struct fg_key_figures figures = {.asked = 0};
    for (unsigned w = 0; w < engine->config.workers; w++) {
        const struct fg_worker *worker = engine->workers[w];
        if (worker && worker->keys)
            fg_key_watch_read(&worker->keys[place], id, &figures.sight);
        if (!worker || !worker->admission)
            continue;
        const struct fg_rates *rates = fg_admission_rates(worker->admission);
        figures.asked += fg_rates_asked(rates, place, id);
        figures.throttled += fg_rates_throttled(rates, place, id);
    }
    return figures;
}
