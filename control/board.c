/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/board.h"

#include <stdlib.h>
#include <string.h>

void fg_board_init(struct fg_board_desk *desk)
{
    pthread_mutex_init(&desk->lock, NULL);
    desk->board = NULL;
}

void fg_board_fini(struct fg_board_desk *desk)
{
    free(desk->board);
    desk->board = NULL;
    pthread_mutex_destroy(&desk->lock);
}

/* Items of a live sale are in the model, each with a slot. */
static void paint_sale(struct fg_board *board, const struct fg_model *model,
                       const struct fg_sale *sale)
{
    struct fg_board_sale *to = &board->sales[board->sales_count++];
    *to = (struct fg_board_sale){
        .number = sale->number,
        .state = sale->state,
        .opens_ns = sale->opens_ns,
        .closes_ns = sale->closes_ns,
        .first_item = board->items_count,
    };
    memcpy(to->name, sale->name, sizeof(to->name));
    for (uint32_t i = 0; i < sale->items_count; i++) {
        const struct fg_model_item *item = fg_model_item(model, sale->items[i].id);
        if (!item)
            continue;
        board->items[board->items_count++] = (struct fg_board_item){
            .id = item->item.id,
            .slot = item->item.slot,
            .stock = fg_model_supply(item),
            .pooled = item->pooled,
        };
        to->items_count++;
    }
}

struct fg_board *fg_board_paint(const struct fg_model *model)
{
    size_t items = 0;
    for (unsigned i = 0; i < model->sales_count; i++)
        items += model->sales[i]->items_count;
    struct fg_board *board = calloc(1, sizeof(*board) + items * sizeof(board->items[0]));
    if (!board)
        return NULL;
    board->revision = model->revision;
    board->mode = (uint8_t)model->mode;
    for (unsigned i = 0; i < model->sales_count; i++)
        paint_sale(board, model, model->sales[i]);
    return board;
}

void fg_board_put_keys(struct fg_board *board, const struct fg_keyring *ring)
{
    board->keys_generation = ring->generation;
    for (unsigned place = 0; place < ring->count; place++)
        if (ring->keys[place].ops != 0)
            board->keys[board->keys_count++] =
                (struct fg_board_key){ring->keys[place].id, (uint16_t)place};
}

/* The desk's own hold is one of the holders. */
static void let_go(struct fg_board_desk *desk, struct fg_board *board)
{
    pthread_mutex_lock(&desk->lock);
    bool last = board && --board->holders == 0;
    pthread_mutex_unlock(&desk->lock);
    if (last)
        free(board);
}

void fg_board_publish(struct fg_board_desk *desk, struct fg_board *board)
{
    board->holders = 1;
    pthread_mutex_lock(&desk->lock);
    struct fg_board *before = desk->board;
    desk->board = board;
    pthread_mutex_unlock(&desk->lock);
    let_go(desk, before);
}

const struct fg_board *fg_board_take(struct fg_board_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    struct fg_board *board = desk->board;
    if (board)
        board->holders++;
    pthread_mutex_unlock(&desk->lock);
    return board;
}

void fg_board_return(struct fg_board_desk *desk, const struct fg_board *board)
{
    let_go(desk, (struct fg_board *)board);
}
