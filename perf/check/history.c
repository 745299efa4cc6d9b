/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Saving and loading a client history. The structs are the file: they have no padding and the
 * machine is little-endian (protocol.h insists), so both ways are plain copies. A file is taken
 * only if its length is exactly what its header announces, so one that was cut short by a full
 * disk or a killed run can never pass for a shorter run.
 */
#include "perf/check/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static_assert(sizeof(struct fg_history_item) == 16, "file layout");
static_assert(offsetof(struct fg_history_header, records) == 8, "file layout");
static_assert(offsetof(struct fg_history_header, seed) == 16, "file layout");
static_assert(offsetof(struct fg_history_header, began_ns) == 24, "file layout");
static_assert(offsetof(struct fg_history_header, items) == 32, "file layout");
static_assert(offsetof(struct fg_history_record, replied_ns) == 8, "file layout");
static_assert(offsetof(struct fg_history_record, buyer) == 16, "file layout");
static_assert(offsetof(struct fg_history_record, request) == 32, "file layout");
static_assert(offsetof(struct fg_history_record, order) == 40, "file layout");
static_assert(offsetof(struct fg_history_record, item) == 48, "file layout");
static_assert(offsetof(struct fg_history_record, quantity) == 52, "file layout");
static_assert(offsetof(struct fg_history_record, op) == 54, "file layout");
static_assert(offsetof(struct fg_history_record, verdict) == 55, "file layout");
static_assert(offsetof(struct fg_history_record, flags) == 56, "file layout");
static_assert(offsetof(struct fg_history_record, attempt) == 57, "file layout");
static_assert(offsetof(struct fg_history_record, available) == 60, "file layout");

static int last_errno(void)
{
    return errno != 0 ? -errno : -EIO;
}

static bool put(FILE *file, const void *data, size_t size, uint64_t count)
{
    return count == 0 || fwrite(data, size, count, file) == count;
}

int fg_history_save(const struct fg_history *history, const char *path)
{
    struct fg_history_header header = history->header;
    memcpy(header.magic, FG_HISTORY_MAGIC, sizeof(header.magic));
    memset(header.reserved, 0, sizeof(header.reserved));

    errno = 0;
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return last_errno();
    int result = 0;
    if (!put(file, &header, sizeof(header), 1) ||
        !put(file, history->items, sizeof(*history->items), header.items) ||
        !put(file, history->records, sizeof(*history->records), header.records))
        result = last_errno();
    if (fclose(file) != 0 && result == 0)
        result = last_errno();
    return result;
}

/* What is wrong with a header of a file of `length` bytes, or NULL. */
static const char *header_fault(const struct fg_history_header *header, uint64_t length)
{
    static const uint32_t zeros[7];
    static_assert(sizeof(zeros) == sizeof(header->reserved), "compared whole");

    if (memcmp(header->magic, FG_HISTORY_MAGIC, sizeof(header->magic)) != 0)
        return "it does not begin with " FG_HISTORY_MAGIC ": not a history, or of another version";
    if (memcmp(header->reserved, zeros, sizeof(zeros)) != 0)
        return "reserved fields of its header are not 0";
    uint64_t rest = length - sizeof(*header);
    uint64_t items = header->items * (uint64_t)sizeof(struct fg_history_item);
    if (items > rest || header->records != (rest - items) / sizeof(struct fg_history_record) ||
        (rest - items) % sizeof(struct fg_history_record) != 0)
        return "its length is not what its header announces: it was cut short or damaged";
    return NULL;
}

static int get_arrays(struct fg_history *history, FILE *file)
{
    uint64_t items = history->header.items, records = history->header.records;
    /* One more than needed: malloc(0) may be NULL, which would read as short memory. */
    history->items = malloc((items + 1) * sizeof(*history->items));
    history->records = malloc((records + 1) * sizeof(*history->records));
    if (history->items == NULL || history->records == NULL)
        return -ENOMEM;
    history->capacity = records;
    if (fread(history->items, sizeof(*history->items), items, file) != items ||
        fread(history->records, sizeof(*history->records), records, file) != records)
        return last_errno();
    return 0;
}

static int load(struct fg_history *history, FILE *file, const char *path, char *message,
                size_t size)
{
    struct stat status;
    if (fstat(fileno(file), &status) != 0)
        return last_errno();
    const char *fault = "it is shorter than a header: not a history";
    if (fread(&history->header, sizeof(history->header), 1, file) == 1)
        fault = header_fault(&history->header, (uint64_t)status.st_size);
    if (fault != NULL) {
        snprintf(message, size, "%s: %s", path, fault);
        return -EINVAL;
    }
    return get_arrays(history, file);
}

int fg_history_load(struct fg_history *history, const char *path, char *message, size_t size)
{
    memset(history, 0, sizeof(*history));
    errno = 0;
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        int error = last_errno();
        snprintf(message, size, "%s: %s", path, strerror(-error));
        return error;
    }
    int result = load(history, file, path, message, size);
    fclose(file);
    if (result != 0 && result != -EINVAL)
        snprintf(message, size, "%s: %s", path, strerror(-result));
    if (result != 0)
        fg_history_free(history);
    return result;
}

static const struct fg_history_item *find_item(const struct fg_history *history, uint32_t id)
{
    for (uint32_t i = 0; i < history->header.items; i++)
        if (history->items[i].id == id)
            return &history->items[i];
    return NULL;
}

/* Adds the items that are not there yet. False if one is there and another, or memory is short. */
static bool add_items(struct fg_history *history, const struct fg_history *more, bool supply_known,
                      const char *path, char *message, size_t size)
{
    uint64_t room = history->header.items + (uint64_t)more->header.items;
    void *items = realloc(history->items, (room + 1) * sizeof(*history->items));
    snprintf(message, size, "%s: out of memory", path);
    if (items == NULL)
        return false;
    history->items = items;
    for (uint32_t i = 0; i < more->header.items; i++) {
        const struct fg_history_item *item = &more->items[i];
        const struct fg_history_item *known = find_item(history, item->id);
        if (known == NULL) {
            history->items[history->header.items++] = *item;
        } else if (!supply_known && memcmp(known, item, sizeof(*item)) != 0) {
            snprintf(message, size,
                     "%s: item %u has a stock of %u, a limit of %u and a hold of %u ms; the files "
                     "before it say %u, %u and %u ms: flashgatectl audit knows from the log when "
                     "that changed",
                     path, item->id, item->stock, item->limit, item->hold_ms, known->stock,
                     known->limit, known->hold_ms);
            return false;
        }
    }
    return true;
}

int fg_history_add(struct fg_history *history, const char *path, bool supply_known, char *message,
                   size_t size)
{
    struct fg_history more;
    int error = fg_history_load(&more, path, message, size);
    if (error != 0)
        return error;
    uint64_t count = history->header.records, added = more.header.records;
    void *records = realloc(history->records, (count + added + 1) * sizeof(*history->records));
    if (records == NULL) {
        snprintf(message, size, "%s: out of memory", path);
        error = -ENOMEM;
        goto free_more;
    }
    history->records = records;
    if (!add_items(history, &more, supply_known, path, message, size)) {
        error = -EINVAL;
        goto free_more;
    }
    memcpy(&history->records[count], more.records, added * sizeof(*more.records));
    history->header.records = history->capacity = count + added;

free_more:
    fg_history_free(&more);
    return error;
}

void fg_history_free(struct fg_history *history)
{
    free(history->items);
    free(history->records);
    history->items = NULL;
    history->records = NULL;
    history->header.items = 0;
    history->header.records = 0;
    history->capacity = 0;
}
