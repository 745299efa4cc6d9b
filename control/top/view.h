/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What `flashgatectl top` shows, as lines of text: a function of two answers to `status`, the time
 * between them, and what the person looks at. It has no clock, no terminal and no state, so tests
 * read what it says.
 */
#ifndef FG_CONTROL_TOP_VIEW_H
#define FG_CONTROL_TOP_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define FG_TOP_ROWS_MAX    200 /* a larger terminal is used in part */
#define FG_TOP_COLUMNS_MAX 250
#define FG_TOP_ROWS_MIN    16
#define FG_TOP_COLUMNS_MIN 60
#define FG_TOP_LINE_BYTES  (4 * FG_TOP_COLUMNS_MAX + 1)

enum fg_top_style { FG_TOP_PLAIN, FG_TOP_TITLE, FG_TOP_HEAD, FG_TOP_ALARM, FG_TOP_FAINT };

struct fg_top_input {
    const json_t *now;    /* the last answer to `status`; NULL: none yet */
    const json_t *before; /* the one before it; NULL: none */
    double seconds;       /* between the two */
    uint64_t wall_ns;     /* what clocks show */
    const char *trouble;  /* why the last question was not answered; NULL: it was */
    uint64_t silent_ms;   /* since the last answer */
    unsigned sale;        /* which, counted from 0; the last one if there are fewer */
    unsigned first_item;  /* the first that is shown; at most what fills the place */
    unsigned rows, columns;
    uint64_t interval_ms;
    bool ascii; /* the terminal shows nothing else */
};

struct fg_top_line {
    enum fg_top_style style;
    char text[FG_TOP_LINE_BYTES]; /* at most `columns` wide, no control characters */
};

struct fg_top_screen {
    unsigned rows; /* as asked for, up to FG_TOP_ROWS_MAX */
    struct fg_top_line lines[FG_TOP_ROWS_MAX];
    unsigned sales;      /* there are */
    unsigned first_item; /* that is shown: what was asked for, or less */
};

/* Fills the screen. Nothing is allocated; the answers are only read. */
void fg_top_view(struct fg_top_screen *screen, const struct fg_top_input *input);

#endif
