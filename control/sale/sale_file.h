/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sale files, written: from a sale that is in force, and the commented example. By the same tables
 * of options that sale files are read by, so that what is written reads back the same.
 */
#ifndef FG_CONTROL_SALE_FILE_H
#define FG_CONTROL_SALE_FILE_H

#include "control/sale/sale.h"

/* A file that fg_sale_parse() reads back as this definition: every option is written. Number,
 * state and pauses are no part of a file. `revision` of the catalogue, for a comment. Freed by the
 * caller; NULL when memory is short. */
char *fg_sale_file_text(const struct fg_sale *sale, uint64_t revision);

/* An example with every option explained: conf/sale.yaml. */
void fg_sale_file_template(FILE *out);

#endif
