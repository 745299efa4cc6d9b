/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files of block and allow lists: four texts with zero bytes between them (buyers to block and to
 * allow, sources to block and to allow), made into one object as control does. What comes behind
 * them is added to one of the files by `flashgatectl lists add` (lists_added.h).
 *
 * Holds: who is listed is found as listed and by the rules of lists.h, which are followed here in
 * the plainest way, and so is the entry that decides; a refusal is one sentence. What was added
 * stands behind what there was, and control takes the files; what was refused has changed nothing.
 */
#include "control/lists/list_text.h"
#include "tests/fuzz/lists_added.h"

#define LINES_MAX 400 /* of one file: every entry is compared with every other */

static char message[512];

/* The next of the four. */
static bool read_one(struct fuzz_input *input, struct texts *texts, unsigned number)
{
    size_t length;
    const uint8_t *bytes = fuzz_until(input, 0, &length);
    char *copy = fuzz_copy(bytes, length);
    const struct fg_list_text text = {.source = "list",
                                      .text = copy,
                                      .length = length,
                                      .message = message,
                                      .size = sizeof(message)};
    bool taken = list_read(&text, number, texts) == 0;

    if (!taken)
        fuzz_check_sentence(message, sizeof(message));
    list_file(number, bytes, length);
    free(copy);
    return taken;
}

/* --- the rules, plainly --- */

static bool has_buyer(const struct fg_list_buyers *buyers, const uint8_t *buyer)
{
    for (uint32_t i = 0; i < buyers->count; i++)
        if (memcmp(buyers->ids[i], buyer, FG_BUYER_BYTES) == 0)
            return true;
    return false;
}

/* Bits of the longest prefix of the list that holds the address; -1: none does. */
static int longest(const struct fg_list_sources *sources, struct fg_ip ip)
{
    int most = -1;

    for (uint32_t i = 0; i < sources->count; i++) {
        const struct fg_list_prefix *prefix = &sources->prefixes[i];
        struct fg_ip mask = fg_ip_mask(prefix->bits);
        bool v4 = fg_ip_is_v4(prefix->address) && prefix->bits >= FG_IP_V4_BITS;
        if (v4 == fg_ip_is_v4(ip) && fg_ip_same(fg_ip_masked(ip, mask), prefix->address) &&
            prefix->bits > most)
            most = prefix->bits;
    }
    return most;
}

static void check_buyer(const struct fg_lists *lists, const struct texts *texts,
                        const uint8_t *buyer)
{
    enum fg_listed wanted = has_buyer(&texts->buyers[1], buyer)   ? FG_LISTED_ALLOWED
                            : has_buyer(&texts->buyers[0], buyer) ? FG_LISTED_BLOCKED
                                                                  : FG_LISTED_NOT;

    FUZZ_CHECK(fg_lists_buyer(lists, buyer) == wanted);
}

static void check_source(const struct fg_lists *lists, const struct texts *texts, struct fg_ip ip)
{
    int block = longest(&texts->sources[0], ip), allow = longest(&texts->sources[1], ip);
    const struct fg_list_prefix *entry = fg_lists_source_entry(lists, ip);

    FUZZ_CHECK(fg_lists_source_blocked(lists, ip) == (block > allow));
    FUZZ_CHECK(!entry == (block < 0 && allow < 0));
    FUZZ_CHECK(!entry || entry->bits == (block > allow ? block : allow));
    FUZZ_CHECK(!entry || entry->listed == (block > allow ? FG_LISTED_BLOCKED : FG_LISTED_ALLOWED));
}

/* Each entry, and what lies next to it. */
static void check_all(const struct fg_lists *lists, const struct texts *texts)
{
    for (unsigned which = 0; which < 2; which++) {
        for (uint32_t i = 0; i < texts->buyers[which].count && i < LINES_MAX; i++) {
            uint8_t buyer[FG_BUYER_BYTES];
            memcpy(buyer, texts->buyers[which].ids[i], sizeof(buyer));
            check_buyer(lists, texts, buyer);
            buyer[i % FG_BUYER_BYTES] ^= 1;
            check_buyer(lists, texts, buyer);
        }
        for (uint32_t i = 0; i < texts->sources[which].count && i < LINES_MAX; i++) {
            struct fg_ip first = texts->sources[which].prefixes[i].address;
            struct fg_ip mask = fg_ip_mask(texts->sources[which].prefixes[i].bits);
            struct fg_ip last = {first.high | ~mask.high, first.low | ~mask.low};
            check_source(lists, texts, first);
            check_source(lists, texts, last);
            check_source(lists, texts, (struct fg_ip){first.high, first.low - 1});
            check_source(lists, texts, (struct fg_ip){last.high, last.low + 1});
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct texts texts = {0};
    bool taken = true;

    for (unsigned number = 0; number < 4 && taken; number++)
        taken = read_one(&input, &texts, number);
    if (taken) {
        struct fg_lists_input made = {.seed = {1, 2}};
        for (unsigned which = 0; which < 2; which++) {
            made.buyers[which] = (const uint8_t(*)[FG_BUYER_BYTES])texts.buyers[which].ids;
            made.buyers_count[which] = texts.buyers[which].count;
            made.sources[which] = texts.sources[which].prefixes;
            made.sources_count[which] = texts.sources[which].count;
        }
        struct fg_lists *lists = fg_lists_create(&made);
        FUZZ_CHECK(lists);
        check_all(lists, &texts);
        fg_lists_destroy(lists);
        if (input.left > 0)
            check_added(&input, &texts);
    }
    texts_free(&texts);
    return 0;
}
