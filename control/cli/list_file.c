/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who asks for a buyer to be blocked need not know whether somebody has done it before: under the
 * file's lock its entries and the new ones are made keys of one form, and a tree tells which of the
 * new ones nobody has.
 */
#include "control/cli/list_file.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/lists/list_text.h"

/* --- keys --- */

/* A buyer, or an address with the bits of its prefix. */
struct key {
    uint8_t bytes[sizeof(struct fg_ip) + 1];
};
static_assert(FG_BUYER_BYTES <= sizeof(struct fg_ip), "a buyer fits into a key");

struct keys {
    struct key *all; /* in the order of the lines */
    size_t count;
};

static bool read_buyers(const struct fg_list_text *text, struct keys *keys)
{
    struct fg_list_buyers buyers;
    if (fg_list_text_buyers(text, &buyers) != 0)
        return false;
    keys->all = calloc(buyers.count + 1, sizeof(*keys->all));
    for (keys->count = 0; keys->all && keys->count < buyers.count; keys->count++)
        memcpy(keys->all[keys->count].bytes, buyers.ids[keys->count], FG_BUYER_BYTES);
    free(buyers.ids);
    return true;
}

static bool read_sources(const struct fg_list_text *text, struct keys *keys)
{
    struct fg_list_sources sources;
    if (fg_list_text_sources(text, &sources) != 0)
        return false;
    keys->all = calloc(sources.count + 1, sizeof(*keys->all));
    for (keys->count = 0; keys->all && keys->count < sources.count; keys->count++) {
        const struct fg_list_prefix *prefix = &sources.prefixes[keys->count];
        memcpy(keys->all[keys->count].bytes, &prefix->address, sizeof(prefix->address));
        keys->all[keys->count].bytes[sizeof(prefix->address)] = prefix->bits;
    }
    free(sources.prefixes);
    return true;
}

/* False with a sentence, and then there is nothing to free. */
static bool read_keys(enum fg_list list, const struct fg_list_text *text, struct keys *keys)
{
    if (!(fg_list_has_buyers(list) ? read_buyers : read_sources)(text, keys))
        return false;
    if (!keys->all)
        snprintf(text->message, text->size, "%s: memory is short", text->source);
    return keys->all != NULL;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct key));
}

/* Is there no such key in the tree? It is from then on. Without memory it counts as new: an entry
 * may come again. */
static bool is_new(void **tree, const struct key *key)
{
    const struct key *const *node = tsearch(key, tree, compare);
    return !node || *node == key;
}

static void leave(void *key)
{
    (void)key; /* of an array */
}

/* Writes those of the lines that are new. */
static void put_new(struct fg_list_addition *addition, const struct keys *file,
                    const struct keys *wanted, FILE *out)
{
    void *tree = NULL;
    const char *line = addition->lines;
    for (size_t i = 0; i < file->count; i++)
        (void)is_new(&tree, &file->all[i]);
    for (size_t i = 0; i < wanted->count; i++) {
        size_t length = strcspn(line, "\n") + 1;
        if (is_new(&tree, &wanted->all[i])) {
            fwrite(line, 1, length, out);
            addition->added++;
        } else {
            addition->there++;
        }
        line += length;
    }
    tdestroy(tree, leave);
}

/* --- the file --- */

/* All of an open file. NULL with errno. */
static char *read_whole(int fd, size_t length)
{
    char *text = malloc(length + 1);
    size_t done = 0;
    while (text && done < length) {
        ssize_t n = pread(fd, text + done, length - done, (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? EIO : errno; /* it has shrunk */
            free(text);
            return NULL;
        }
        done += (size_t)n;
    }
    return text;
}

static bool write_whole(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, text, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text += n;
        length -= (size_t)n;
    }
    return true;
}

/* What the file says, and what of the lines is new to it: `text`, freed by the caller. */
static bool find_new(struct fg_list_addition *addition, const char *whole, size_t length,
                     char **text, size_t *text_length, char *message, size_t size)
{
    const struct fg_list_text in_file = {addition->path, whole, length, message, size};
    const struct fg_list_text in_lines = {"entries", addition->lines, addition->length, message,
                                          size};
    struct keys file = {0}, wanted = {0};
    bool done = false;
    if (!read_keys(addition->list, &in_file, &file))
        return false;
    if (read_keys(addition->list, &in_lines, &wanted)) {
        FILE *out = open_memstream(text, text_length);
        if (out)
            put_new(addition, &file, &wanted, out);
        done = out && fclose(out) == 0;
        if (!done)
            snprintf(message, size, "%s: memory is short", addition->path);
    }
    free(file.all);
    free(wanted.all);
    return done;
}

/* All or nothing; a last line without an end gets one. */
static bool append(int fd, off_t end, const char *whole, const char *text, size_t length)
{
    bool ended = end == 0 || whole[end - 1] == '\n';
    if ((ended || write_whole(fd, "\n", 1)) && write_whole(fd, text, length) && fsync(fd) == 0)
        return true;
    int error = errno;
    (void)!ftruncate(fd, end);
    errno = error;
    return false;
}

static bool refuse(const char *path, const char *what, char *message, size_t size)
{
    snprintf(message, size, "%s: %s: %s", path, what, strerror(errno));
    return false;
}

/* The file is open. */
static bool add(struct fg_list_addition *addition, int fd, char *message, size_t size)
{
    struct stat status;
    char *text = NULL;
    size_t length = 0;
    if (flock(fd, LOCK_EX) != 0 || fstat(fd, &status) != 0)
        return refuse(addition->path, "could not be locked", message, size);
    if (!S_ISREG(status.st_mode) || status.st_size > (off_t)FG_LIST_FILE_MAX) {
        snprintf(message, size, "%s: is no regular file of at most %u bytes", addition->path,
                 FG_LIST_FILE_MAX);
        return false;
    }
    char *whole = read_whole(fd, (size_t)status.st_size);
    if (!whole)
        return refuse(addition->path, "could not be read", message, size);
    bool done = find_new(addition, whole, (size_t)status.st_size, &text, &length, message, size);
    if (done && addition->added > 0 && !append(fd, status.st_size, whole, text, length))
        done = refuse(addition->path, "could not be written", message, size);
    free(text);
    free(whole);
    return done;
}

bool fg_list_file_add(struct fg_list_addition *addition, char *message, size_t size)
{
    int fd = open(addition->path, O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return refuse(addition->path, "could not be opened for writing", message, size);
    addition->added = addition->there = 0;
    bool done = add(addition, fd, message, size);
    close(fd);
    return done;
}
