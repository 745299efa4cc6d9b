/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine's ways to Redis: the delivery thread with its link, what of the log may be forgotten
 * because Redis has it, and the question that recovery asks before it cuts a torn tail.
 *
 * Threads: control, but what is said otherwise.
 */
#ifndef FG_REDIS_H
#define FG_REDIS_H

#include "dataplane/engine.h"

/*
 * Makes the link and starts the delivery thread, if the configuration names a Redis; in either case
 * tells the journal what may be forgotten. Before the journal's threads start. FG_EXIT_OK, or
 * another exit status with a sentence.
 */
int fg_redis_start(struct fg_engine *engine, char *message, size_t size);

/* After the journal's threads have ended: what is durable is still delivered, for a limited time.
 * How that went can be asked of engine->delivery until it is freed. */
void fg_redis_stop(struct fg_engine *engine);
void fg_redis_free(struct fg_engine *engine);

/* A link as the configuration says, not connected. `instance` tells fences of equal epochs apart.
 * NULL with a sentence when a password file or memory is not to be had. */
struct fg_redis_link *fg_redis_make_link(const struct fg_config *config, unsigned epoch,
                                         uint64_t instance, char *message, size_t size);

/* Starts the stock page, with a link of its own, if the configuration wants it. FG_EXIT_OK, or
 * another exit status with a sentence. Stop may be called either way, and takes the time limit of a
 * call to Redis at most. */
int fg_redis_page_start(struct fg_engine *engine, char *message, size_t size);
void fg_redis_page_stop(struct fg_engine *engine);

/* One that only looks: it loads no function and claims nothing. */
struct fg_redis_link *fg_redis_make_look(const struct fg_config *config, char *message,
                                         size_t size);

/*
 * Recovery's question: does the sale's stream hold a later event than `last`? 1, 0, or a negative
 * errno when it cannot be known. As fg_journal_config.tail_known, with a struct fg_redis_question
 * as its argument. The link is made at the first question and lives until the last.
 */
struct fg_redis_question {
    const struct fg_config *config;
    struct fg_redis_link *link;
    int failed; /* negative errno: no further question is asked */
};
int fg_redis_tail_known(void *arg, const char *sale, struct fg_stream_id last);
void fg_redis_question_end(struct fg_redis_question *question);

#endif
