/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files that set options from text share. Any thread. */
#ifndef FG_CONTROL_OPTION_SET_H
#define FG_CONTROL_OPTION_SET_H

#include "control/config/options.h"

/* Says in `why` what is wrong with a value, as fg_option_set() does. Returns -1. */
__attribute__((format(printf, 3, 4))) int fg_option_refuse_value(char *why, size_t size,
                                                                 const char *format, ...);

/* option_numbers.c: as fg_option_set(), each for its kinds. */
/* INTEGER, SIZE, DURATION */
int fg_option_set_number(const struct fg_option *option, const char *text, void *field, char *why,
                         size_t size);
/* TIME: and whether it was relative, where the option keeps that. */
int fg_option_set_time(const struct fg_option *option, const char *text, uint64_t now_ns,
                       void *target, char *why, size_t size);
/* ADDRESS: it and its prefix, into the fields that the option names. */
int fg_option_set_address(const struct fg_option *option, const char *text, void *target, char *why,
                          size_t size);

/* Puts a number that is in the option's range into its field. */
void fg_option_store_number(const struct fg_option *option, int64_t value, void *field);

#endif
