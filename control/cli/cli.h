/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flashgatectl: one table of commands gives the parser, the help of every level and what is
 * called. Testable without a process: it writes to the streams it is given.
 */
#ifndef FG_CONTROL_CLI_H
#define FG_CONTROL_CLI_H

#include <jansson.h>
#include <stdio.h>

/* Runs one command line. Returns an exit status; results go to `out`, sentences to `err`. Moves
 * getopt's state: one call at a time. */
int fg_cli_run(int argc, char **argv, FILE *in, FILE *out, FILE *err);
/* Only judges the line: FG_EXIT_OK, or FG_EXIT_USAGE with a sentence. Examples are tested by it. */
int fg_cli_check(int argc, char **argv, FILE *err);

/* show.c: results for people. */
void fg_show_clock(const json_t *result, FILE *out); /* show_clock.c */
void fg_show_status(const json_t *result, FILE *out);
void fg_show_state(const json_t *result, FILE *out);
void fg_show_sale(const json_t *result, FILE *out);
void fg_show_sales(const json_t *result, FILE *out);

/* show_live.c */
void fg_show_stock(const json_t *result, FILE *out);
void fg_show_item(const json_t *result, FILE *out);
void fg_show_mode(const json_t *result, FILE *out);

/* show_keys.c */
void fg_show_keys(const json_t *result, FILE *out);
void fg_show_keys_reload(const json_t *result, FILE *out);

/* show_order.c */
void fg_show_order(const json_t *result, FILE *out);
void fg_show_orders(const json_t *result, FILE *out);
void fg_show_order_cancel(const json_t *result, FILE *out);
void fg_show_suspects(const json_t *result, FILE *out);

/* show_lists.c */
void fg_show_lists(const json_t *result, FILE *out);
void fg_show_lists_check(const json_t *result, FILE *out);
void fg_show_lists_line(const json_t *lists, FILE *out); /* of status */

/* show_apply.c */
void fg_show_apply(const json_t *result, FILE *out);
/* Before it is asked about: the whole difference, and last what it takes away. */
void fg_show_plan(const json_t *plan, FILE *out);
void fg_show_export(const json_t *result, FILE *out);

/* show_delivery.c */
void fg_show_delivery_line(const json_t *delivery, FILE *out); /* of status */
void fg_show_delivery(const json_t *result, FILE *out);
void fg_show_rebuild(const json_t *result, FILE *out);
void fg_show_consumed(const json_t *result, FILE *out);

/* show_events.c */
extern const struct fg_cli_local fg_events_command;
void fg_show_methods(const json_t *result, FILE *out);

#endif
