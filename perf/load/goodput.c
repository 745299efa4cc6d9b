/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/goodput.h"

#include <errno.h>

/* X(column, value): since the last line; the last column is the state at its end. */
#define COLUMNS(X)                                                                                 \
    X(offered, now->offered - before->offered)                                                     \
    X(sent, now->sent - before->sent)                                                              \
    X(resent,                                                                                      \
      now->retransmissions + now->told_to_wait - before->retransmissions - before->told_to_wait)   \
    X(answered, now->answered - before->answered)                                                  \
    X(admitted, now->admitted - before->admitted)                                                  \
    X(busy, now->answers[FG_VERDICT_BUSY] - before->answers[FG_VERDICT_BUSY])                      \
    X(under_way, client->under_way)

int load_goodput_open(struct load_goodput *goodput, const char *path)
{
    errno = 0;
    *goodput = (struct load_goodput){.file = fopen(path, "w")};
    if (!goodput->file)
        return errno ? -errno : -EIO;
    fprintf(goodput->file, "ms"
#define X(name, value) "," #name
            COLUMNS(X)
#undef X
                "\n");
    return 0;
}

void load_goodput_tick(struct load_goodput *goodput, const struct load_client *client,
                       uint64_t now_ns)
{
    const struct load_stats *now = &client->stats, *before = &goodput->before;

    if (!goodput->file)
        return;
    while (now_ns - client->start_ns >= (goodput->slot + 1) * LOAD_GOODPUT_SLOT_NS) {
        fprintf(goodput->file, "%lu", goodput->slot * LOAD_GOODPUT_SLOT_NS / LOAD_MS);
#define X(name, value) fprintf(goodput->file, ",%lu", value);
        COLUMNS(X)
#undef X
        putc('\n', goodput->file);
        goodput->before = *now;
        goodput->slot++;
    }
}

int load_goodput_close(struct load_goodput *goodput)
{
    FILE *file = goodput->file;

    goodput->file = NULL;
    if (!file)
        return 0;
    errno = 0;
    bool failed = ferror(file) != 0;
    failed = fclose(file) != 0 || failed;
    return !failed ? 0 : errno ? -errno : -EIO;
}
