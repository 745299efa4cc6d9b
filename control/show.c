/* SPDX-License-Identifier: BSD-3-Clause */
/* What control shows to the threads that show the engine to others: the board and the clock's
 * figures. */
#include "control/internal.h"

#define QUALITY_MS 10000

void fg_control_show_board(struct fg_control *control)
{
    const struct fg_model *model = &control->model;
    if (control->desk.board && control->shown_revision == model->revision &&
        control->shown_stage == control->change.stage &&
        control->desk.board->serving_since_ns == control->serving_since_ns &&
        control->desk.board->keys_generation == control->keys->ring.generation)
        return;
    struct fg_board *board = fg_board_paint(model);
    if (!board)
        return;
    board->started_ms = control->started_ms;
    board->serving_since_ns = control->serving_since_ns;
    fg_board_put_keys(board, &control->keys->ring);
    fg_board_publish(&control->desk, board);
    control->shown_revision = model->revision;
    control->shown_stage = control->change.stage;
}

const struct fg_board *fg_control_board(struct fg_control *control)
{
    return fg_board_take(&control->desk);
}

void fg_control_board_return(struct fg_control *control, const struct fg_board *board)
{
    fg_board_return(&control->desk, board);
}

void fg_control_show_clock(struct fg_control *control, uint64_t now_ms)
{
    const struct fg_clock_page *page = &control->engine->clock;
    struct fg_clock_figures *figures = &control->engine->clock_figures;
    atomic_store_explicit(&figures->steps, page->keeper.steps, memory_order_relaxed);
    atomic_store_explicit(&figures->held, page->keeper.held, memory_order_relaxed);
    if (now_ms < control->next_quality_ms)
        return;
    control->next_quality_ms = now_ms + QUALITY_MS;
    struct fg_clock_quality quality = fg_clock_page_quality(page);
    atomic_store_explicit(&figures->error_ns_p999, quality.error_ns_p999, memory_order_relaxed);
    atomic_store_explicit(&figures->error_ns_max, quality.error_ns_max, memory_order_relaxed);
    atomic_store_explicit(&figures->age_ns_max, quality.age_us_max * UINT64_C(1000),
                          memory_order_relaxed);
}
