/* SPDX-License-Identifier: BSD-3-Clause */
/* What an error reply of Redis means to delivery. Inside the link only. */
#ifndef FG_ORDERS_REDIS_ERRORS_H
#define FG_ORDERS_REDIS_ERRORS_H

#include "dataplane/orders/redis_link.h"

/* The answer that follows from an error reply's text. */
enum fg_redis_answer fg_redis_error_answer(const char *text);

#endif
