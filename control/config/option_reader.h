/* SPDX-License-Identifier: BSD-3-Clause */
/* A reading under way: what options.c (the walk) and option_refuse.c (the words) share. */
#ifndef FG_CONTROL_OPTION_READER_H
#define FG_CONTROL_OPTION_READER_H

#include <yaml.h>

#include "control/config/options.h"

struct fg_option_place {
    size_t line, column; /* from 1; line 0: not in the file */
};

struct fg_option_reader {
    const struct fg_options_input *input;
    yaml_parser_t parser;
    yaml_event_t event;
    bool failed;
};

/* One mapping being read. */
struct fg_option_scope {
    struct fg_option_reader *reader;
    const struct fg_option_table *table;
    const struct fg_option_scope *parent; /* NULL: the whole document */
    const char *name;                     /* in the parent */
    struct fg_option_place place;
    struct fg_option_place given[FG_OPTIONS_MAX]; /* where each option was written */
};

/* Where libyaml says that something stands, as people count: from 1. */
struct fg_option_place fg_option_place_of(yaml_mark_t mark);

/* The message, at a place. Returns -1. */
int fg_option_refuse_at(struct fg_option_reader *r, struct fg_option_place at, const char *format,
                        ...) __attribute__((format(printf, 3, 4)));

/* An unknown name, with the nearest that is known. Returns -1. */
int fg_option_refuse_name(const struct fg_option_scope *scope, const yaml_event_t *event);

/* "log.budget", for option `name` of the scope. Returns `text`. */
const char *fg_option_full_name(const struct fg_option_scope *scope, const char *name, char *text,
                                size_t size);

/* What was found, fit for a message: cut, quoted if it is more than a plain word. Returns `text`.
 */
const char *fg_option_found(const struct fg_option_reader *r, const char *value, size_t length,
                            char *text, size_t size);

/* The option of that name and its place in the table, or NULL. */
const struct fg_option *fg_option_find(const struct fg_option_table *table, const char *name,
                                       size_t length, unsigned *place);

#endif
