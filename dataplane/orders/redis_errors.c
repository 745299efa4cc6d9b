/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one table of Redis's errors. docs/architecture.md tells what follows from each answer. None
 * means that anything was delivered: append.lua checks all it can before its first write, so an
 * error reply is the answer to a call that changed nothing but, perhaps, the fence.
 */
#include "dataplane/orders/redis_errors.h"

#include <string.h>

/* By how the text begins; the first that fits counts. */
static const struct {
    const char *prefix;
    enum fg_redis_answer answer;
} errors[] = {
    /* It cannot now: again later, on the same connection. */
    {"OOM ", FG_REDIS_RETRY},         /* memory limit: it refused the whole call */
    {"LOADING ", FG_REDIS_RETRY},     /* it reads its data from disk */
    {"BUSY ", FG_REDIS_RETRY},        /* somebody's script runs too long */
    {"MISCONF ", FG_REDIS_RETRY},     /* it cannot save to disk */
    {"NOREPLICAS ", FG_REDIS_RETRY},  /* fewer replicas than it must have */
    {"CLUSTERDOWN ", FG_REDIS_RETRY}, /* slots without a master */
    {"TRYAGAIN ", FG_REDIS_RETRY},    /* slots on the move */
    {"ERR max number of clients reached", FG_REDIS_RETRY},
    {"ERR Script killed by user", FG_REDIS_RETRY}, /* somebody took ours for one that hangs */
    {"ERR Error running script", FG_REDIS_RETRY},  /* the same, as other versions put it */
    /* Not here: connect anew, and ask anew who is master. */
    {"READONLY ", FG_REDIS_LOST},   /* a replica now */
    {"MASTERDOWN ", FG_REDIS_LOST}, /* a replica without its master */
    {"UNBLOCKED ", FG_REDIS_LOST},  /* it became a replica while we waited */
    /* The function is gone: connect anew, which loads it. */
    {"ERR Function not found", FG_REDIS_RELOAD},
    /* One key is not what it should be: this sale stops. */
    {"WRONGTYPE ", FG_REDIS_BAD_KEY},
    /* A person must act. */
    {"NOPERM ", FG_REDIS_REFUSED},
    {"NOAUTH ", FG_REDIS_REFUSED},
    {"WRONGPASS ", FG_REDIS_REFUSED},
    {"MOVED ", FG_REDIS_REFUSED}, /* a cluster: the link speaks to one server */
    {"ASK ", FG_REDIS_REFUSED},
    {"CROSSSLOT ", FG_REDIS_REFUSED},
    {"BADCALL ", FG_REDIS_REFUSED}, /* append.lua found our arguments wrong */
    {"", FG_REDIS_REFUSED},         /* whatever else */
};

enum fg_redis_answer fg_redis_error_answer(const char *text)
{
    unsigned i = 0;
    while (strncmp(text, errors[i].prefix, strlen(errors[i].prefix)) != 0)
        i++;
    return errors[i].answer;
}
