/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `flashgatectl lists add` to one of four files in memory, with an engine that reads them as
 * control does.
 *
 * A byte chooses the list (two bits), and whether the entries come as lines of standard input or
 * as the argument.
 */
#ifndef FG_TESTS_FUZZ_LISTS_ADDED_H
#define FG_TESTS_FUZZ_LISTS_ADDED_H

#include "control/cli/client.h"
#include "control/cli/lists_add.h"
#include "control/lists/list_text.h"
#include "control/lists/listing.h"
#include "tests/fuzz/fuzz.h"

#define FILE_MAX (64 << 10)

struct texts {
    struct fg_list_buyers buyers[2];
    struct fg_list_sources sources[2];
};

static struct fg_config lists_config;
static char refusal[1024];

/* Files in the order of the lists: block and allow buyers, block and allow sources. */
static inline int list_read(const struct fg_list_text *text, unsigned list, struct texts *texts)
{
    return list < 2 ? fg_list_text_buyers(text, &texts->buyers[list])
                    : fg_list_text_sources(text, &texts->sources[list - 2]);
}

static inline void list_file(unsigned list, const uint8_t *bytes, size_t length)
{
    lists_config.list_files[list] = (char *)(uintptr_t)fuzz_file_of(list, bytes, length);
}

/* --- the engine, as the command sees it --- */

static inline json_t *lists_answer(const struct fg_listing *listing)
{
    json_t *lists = json_array();

    for (unsigned list = 0; list < FG_LIST_COUNT; list++)
        json_array_append_new(
            lists, json_pack("{s:s,s:I}", "file", lists_config.list_files[list], "entries",
                             listing ? (json_int_t)listing->lists->counts[list].entries : 0));
    return json_pack("{s:o}", "lists", lists);
}

int fg_client_call(const char *socket_path, const char *method, json_t *params, json_t **result,
                   char *message, size_t size)
{
    bool reloads = strcmp(method, "lists.reload") == 0;
    struct fg_listing *listing = reloads ? fg_listing_load(&lists_config, message, size) : NULL;

    (void)socket_path, (void)params;
    /* All four were taken, and only what can be taken is added. */
    if (reloads && !listing) {
        fprintf(stderr, "does not hold: what was added is taken: %s\n", message);
        abort();
    }
    *result = lists_answer(listing);
    fg_listing_drop(listing);
    return FG_EXIT_OK;
}

/* The library's one has all commands behind it. */
int fg_cli_fail(const struct fg_cli_call *call, int status, const char *format, ...)
{
    va_list arguments;

    (void)call;
    va_start(arguments, format);
    vsnprintf(refusal, sizeof(refusal), format, arguments);
    va_end(arguments);
    return status;
}

/* --- what has come of it --- */

static inline uint32_t count_of(const struct texts *texts, unsigned list)
{
    return list < 2 ? texts->buyers[list].count : texts->sources[list - 2].count;
}

/* Are the two entries the same? */
static inline bool same_entry(unsigned list, const struct texts *a, uint32_t i,
                              const struct texts *b, uint32_t j)
{
    if (list < 2)
        return memcmp(a->buyers[list].ids[i], b->buyers[list].ids[j], FG_BUYER_BYTES) == 0;
    const struct fg_list_prefix *x = &a->sources[list - 2].prefixes[i];
    const struct fg_list_prefix *y = &b->sources[list - 2].prefixes[j];
    return x->bits == y->bits && fg_ip_same(x->address, y->address);
}

/* Is entry i of `a` among the first `count` of `b`? */
static inline bool among(unsigned list, const struct texts *a, uint32_t i, const struct texts *b,
                         uint32_t count)
{
    for (uint32_t j = 0; j < count; j++)
        if (same_entry(list, a, i, b, j))
            return true;
    return false;
}

/* `all` begins with what there was, `first`; has all that was asked for, `more`; and behind the
 * first ones only that, each of it once. */
static inline void check_joined(unsigned list, const struct texts *first, const struct texts *more,
                                const struct texts *all)
{
    uint32_t before = count_of(first, list), count = count_of(all, list);

    FUZZ_CHECK(count >= before);
    for (uint32_t i = 0; i < before; i++)
        FUZZ_CHECK(same_entry(list, first, i, all, i));
    for (uint32_t i = 0; i < count_of(more, list); i++)
        FUZZ_CHECK(among(list, more, i, all, count));
    for (uint32_t i = before; i < count; i++)
        FUZZ_CHECK(among(list, all, i, more, count_of(more, list)) && !among(list, all, i, all, i));
}

static inline void texts_free(struct texts *texts)
{
    for (unsigned which = 0; which < 2; which++) {
        free(texts->buyers[which].ids);
        free(texts->sources[which].prefixes);
    }
}

/* Entries were added, those that were asked for where these are a list of their own. */
static inline void check_taken(unsigned list, const struct texts *before, const char *asked,
                               size_t asked_length)
{
    static char file[2 * FILE_MAX], message[512];
    ssize_t length = pread(fuzz_descriptor(list), file, sizeof(file), 0);
    struct fg_list_text now = {"file", file, (size_t)length, message, sizeof(message)};
    struct fg_list_text more = {"asked", asked, asked_length, message, sizeof(message)};
    struct texts all = {0}, added = {0};

    FUZZ_CHECK(length > 0 && list_read(&now, list, &all) == 0);
    if (list_read(&more, list, &added) == 0)
        check_joined(list, before, &added, &all);
    texts_free(&all);
    texts_free(&added);
}

/* One run of the command: what is left of the input is its entries. */
static inline void check_added(struct fuzz_input *input, const struct texts *before)
{
    static const char *const names[] = {"block-buyers", "allow_buyers", "block-sources",
                                        "allow-sources"};
    static char was[FILE_MAX], is[FILE_MAX], asked[FILE_MAX];
    uint8_t how = fuzz_u8(input);
    unsigned list = how % FG_LIST_COUNT;
    size_t length;
    const uint8_t *bytes = fuzz_bytes(input, sizeof(asked) - 1, &length);
    ssize_t before_length = pread(fuzz_descriptor(list), was, sizeof(was), 0);

    memcpy(asked, bytes, length);
    asked[length] = '\0';
    bool lines = how & 4 && length > 0;
    char *arguments[] = {(char *)(uintptr_t)names[list], lines ? (char[]){"-"} : asked};
    const char *options[FG_CLI_OPTIONS_COUNT] = {[FG_CLI_SOCKET] = "none"};
    struct fg_cli_call call = {.arguments = arguments,
                               .options = options,
                               .in = lines ? fmemopen(asked, length, "r") : stdin,
                               .out = fopen("/dev/null", "we"),
                               .err = stderr};
    FUZZ_CHECK(call.in && call.out && before_length >= 0);
    /* An argument "-" alone reads standard input. */
    int status =
        !lines && strcmp(asked, "-") == 0 ? FG_EXIT_USAGE : fg_lists_add_command.run(&call);
    if (status == FG_EXIT_OK) {
        check_taken(list, before, asked, lines ? length : strlen(asked));
    } else {
        FUZZ_CHECK(status == FG_EXIT_USAGE);
        FUZZ_CHECK(pread(fuzz_descriptor(list), is, sizeof(is), 0) == before_length);
        FUZZ_CHECK(memcmp(was, is, (size_t)before_length) == 0);
        if (lines || strcmp(asked, "-") != 0)
            fuzz_check_sentence(refusal, sizeof(refusal));
    }
    if (lines)
        fclose(call.in);
    fclose(call.out);
}

#endif
