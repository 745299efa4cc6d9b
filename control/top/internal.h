/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the top view share. */
#ifndef FG_CONTROL_TOP_INTERNAL_H
#define FG_CONTROL_TOP_INTERNAL_H

#include "control/cli/show.h"
#include "control/top/view.h"

struct top {
    struct fg_top_screen *screen;
    struct fg_top_input in; /* `before` is NULL where the two answers cannot be compared */
    unsigned used;          /* lines */
};

/* The next line, cut to the screen's width; dropped when the screen is full. */
__attribute__((format(printf, 3, 4))) void top_line(struct top *top, enum fg_top_style style,
                                                    const char *format, ...);

/* Growth of a number from `before` to `now`, a second; negative: cannot be told, or it shrank. */
double top_rate(const struct top *top, const json_t *now, const json_t *before, const char *key);
/* "1,234", or "-" where it cannot be told. */
const char *top_rate_text(double rate, char text[32]);

/* top/sections.c: each prints its lines; those with a limit at most so many. */
void top_decisions(struct top *top, unsigned limit);
void top_workers(struct top *top, unsigned limit);
unsigned top_workers_wanted(const struct top *top);
void top_hand_over(struct top *top);
void top_journal(struct top *top);
void top_delivery(struct top *top);
void top_drops(struct top *top, unsigned limit);

/* top/sale.c */
const json_t *top_sale(const struct top *top); /* the chosen one, or NULL */
void top_sale_head(struct top *top);
void top_items(struct top *top, unsigned limit);
unsigned top_items_wanted(const struct top *top);

#endif
