/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Client histories as flashgate-check and `flashgatectl audit` read them: two files, of which the
 * second is added to the first. The first byte says how long the first one is, in records.
 *
 * Holds: a file is taken only if it is as long as it says, and is the same when it is saved again;
 * adding keeps all records, or changes nothing.
 */
#include "perf/check/history.h"
#include "tests/fuzz/fuzz.h"

static char message[512];

static void check_saved(const struct fg_history *history, const uint8_t *bytes, size_t length)
{
    struct fg_history again;
    size_t whole = sizeof(history->header) + history->header.items * sizeof(*history->items) +
                   history->header.records * sizeof(*history->records);

    FUZZ_CHECK(whole == length);
    const char *path = fuzz_file("", 0);
    FUZZ_CHECK(fg_history_save(history, path) == 0);
    FUZZ_CHECK(fg_history_load(&again, path, message, sizeof(message)) == 0);
    FUZZ_CHECK(memcmp(&again.header, bytes, sizeof(again.header)) == 0);
    FUZZ_CHECK(memcmp(again.items, bytes + sizeof(again.header),
                      again.header.items * sizeof(*again.items)) == 0);
    FUZZ_CHECK(memcmp(again.records, bytes + length - again.header.records * sizeof(*again.records),
                      again.header.records * sizeof(*again.records)) == 0);
    fg_history_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct fg_history history;
    size_t first, second, most = fuzz_u8(&input) * sizeof(struct fg_history_record) / 4;
    bool known = fuzz_u8(&input) & 1;
    const uint8_t *one = fuzz_bytes(&input, most, &first);
    const uint8_t *two = fuzz_bytes(&input, SIZE_MAX, &second);

    if (fg_history_load(&history, fuzz_file(one, first), message, sizeof(message)) != 0) {
        fuzz_check_sentence(message, sizeof(message));
        return 0;
    }
    check_saved(&history, one, first);
    uint64_t records = history.header.records, items = history.header.items;
    int rc = fg_history_add(&history, fuzz_file(two, second), known, message, sizeof(message));
    if (rc != 0)
        fuzz_check_sentence(message, sizeof(message));
    FUZZ_CHECK(history.header.records >= records && history.header.items >= items);
    FUZZ_CHECK(rc == 0 || history.header.records == records);
    if (history.header.records > 0) /* all of it is there */
        FUZZ_CHECK(fg_verdict_name(history.records[history.header.records - 1].verdict) != NULL);
    fg_history_free(&history);
    return 0;
}
