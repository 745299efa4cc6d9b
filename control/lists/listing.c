/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/lists/listing.h"

#include <errno.h>
#include <sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "control/config/options.h"
#include "control/lists/list_text.h"
#include "dataplane/orders/clock.h"

static_assert(FG_LISTING_DIGEST == SHA256_DIGEST_STRING_LENGTH, "a digest fits");

/* What the files say, until it is made into lists. */
struct written {
    struct fg_list_buyers buyers[2]; /* to block, to allow */
    struct fg_list_sources sources[2];
};

static int read_entries(struct written *written, enum fg_list list, const struct fg_list_text *text)
{
    switch (list) {
    case FG_LIST_BLOCK_BUYERS:
        return fg_list_text_buyers(text, &written->buyers[0]);
    case FG_LIST_ALLOW_BUYERS:
        return fg_list_text_buyers(text, &written->buyers[1]);
    case FG_LIST_BLOCK_SOURCES:
        return fg_list_text_sources(text, &written->sources[0]);
    default:
        return fg_list_text_sources(text, &written->sources[1]);
    }
}

static int read_file(struct written *written, enum fg_list list, const char *path,
                     struct fg_listing_file *file, char *message, size_t size)
{
    struct fg_list_text text = {.source = path, .message = message, .size = size};
    struct stat status;
    char *whole = fg_options_large_file(path, FG_LIST_FILE_MAX, &text.length, message, size);
    if (!whole) {
        size_t length = strlen(message);
        if (stat(path, &status) != 0 && errno == ENOENT)
            snprintf(message + length, size - length,
                     "; make it, and empty for as long as nobody is on the list");
        return -1;
    }
    text.text = whole;
    file->bytes = text.length;
    SHA256Data((const uint8_t *)whole, text.length, file->digest);
    int rc = read_entries(written, list, &text);
    free(whole);
    return rc;
}

static int read_files(struct written *written, const struct fg_config *config,
                      struct fg_listing *listing, char *message, size_t size)
{
    int rc = 0;
    for (enum fg_list list = 0; rc == 0 && list < FG_LIST_COUNT; list++)
        if (config->list_files[list])
            rc = read_file(written, list, config->list_files[list], &listing->files[list], message,
                           size);
    return rc;
}

static struct fg_lists *make_lists(const struct written *written)
{
    struct fg_lists_input input = {0};
    for (unsigned i = 0; i < 2; i++) {
        input.buyers[i] = (const uint8_t(*)[FG_BUYER_BYTES])written->buyers[i].ids;
        input.buyers_count[i] = written->buyers[i].count;
        input.sources[i] = written->sources[i].prefixes;
        input.sources_count[i] = written->sources[i].count;
    }
    return getrandom(input.seed, sizeof(input.seed), 0) == sizeof(input.seed)
               ? fg_lists_create(&input)
               : NULL;
}

static void end(struct fg_shared *shared)
{
    struct fg_listing *listing = (struct fg_listing *)shared;
    fg_lists_destroy(listing->lists);
    free(listing);
}
static_assert(offsetof(struct fg_listing, shared) == 0, "the one is found by the other");

struct fg_listing *fg_listing_load(const struct fg_config *config, char *message, size_t size)
{
    uint64_t began_ns = fg_clock_ns(CLOCK_MONOTONIC);
    struct written written = {0};
    struct fg_listing *listing = calloc(1, sizeof(*listing));
    bool made = false;

    snprintf(message, size, "memory is short for the lists");
    if (listing && read_files(&written, config, listing, message, size) == 0) {
        listing->lists = make_lists(&written);
        made = listing->lists != NULL;
    }
    for (unsigned i = 0; i < 2; i++) {
        free(written.buyers[i].ids);
        free(written.sources[i].prefixes);
    }
    if (!made) {
        free(listing);
        return NULL;
    }
    fg_shared_init(&listing->shared, end);
    listing->uid = listing->pid = UINT32_MAX;
    listing->took_ms = (uint32_t)((fg_clock_ns(CLOCK_MONOTONIC) - began_ns) / 1000000);
    return listing;
}

void fg_listing_drop(struct fg_listing *listing)
{
    if (listing)
        fg_shared_drop(&listing->shared);
}
