/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the log book share. Not for users of the library. */
#ifndef FG_CHECK_LOG_INTERNAL_H
#define FG_CHECK_LOG_INTERNAL_H

#include "control/sale/sale.h"
#include "perf/check/log_book.h"

/* Place of a sale, made if new; -EBADMSG for a number that cannot be, -ENOMEM. */
int log_book_place(struct fg_log_book *book, uint32_t number);

/* An array of `room` elements of `size` in place of *array. False: memory is short, and it stays.
 */
bool log_book_widen(void **array, size_t room, size_t size);

/* Enters a control event; `base`: of the first base, so it tells what came before the log's
 * beginning. 0, -ENOMEM, or -EBADMSG. */
int log_book_control(struct fg_log_book *book, const struct fg_record *record, bool base);

/* The sale that a SALE event tells; the caller frees it. 0 or -EBADMSG. */
int log_book_read_sale(struct fg_sale *sale, const struct fg_record *record);

/* Holds a control event of a later base against the book: BASE_DIFFERS. 0, -ENOMEM, -EBADMSG. */
int log_book_compare(struct fg_log_book *book, const struct fg_record *record);

/* The last frame of a later base was read: has it left anything out? */
void log_book_base_end(struct fg_log_book *book);

#endif
