/* SPDX-License-Identifier: BSD-3-Clause */
/* Stands in for the question that recovery asks Redis before it cuts a torn tail (dataplane/redis.h
 * has the real one, by hiredis). */
#include <errno.h>

#include "dataplane/redis.h"
#include "tests/sim/world.h"

int fg_redis_tail_known(void *arg, const char *sale, struct fg_stream_id last)
{
    struct sim_redis *redis = &the_world->redis;

    (void)arg;
    if (the_world->now_ns < redis->away_until_ns ||
        (!the_world->healed && random_below(&the_world->random, 4) == 0))
        return -EIO;
    const struct redis_stream *stream = redis_stream(redis, sale);
    return stream->last.epoch > last.epoch || stream->last.sale_seq > last.sale_seq;
}

void fg_redis_question_end(struct fg_redis_question *question)
{
    (void)question;
}
