/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of buyers and sources: what is found in them, held against looking at every entry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "dataplane/admission/internal.h"
#include "dataplane/admission/lists.h"

static uint64_t chance = 5;

static uint64_t draw(uint64_t below)
{
    return fg_random_next(&chance) % below;
}

/* --- buyers --- */

typedef uint8_t id[FG_BUYER_BYTES];

/* The same number makes the same buyer; the first and last byte alone tell some apart. */
static void buyer_of(uint64_t number, id buyer)
{
    uint64_t state = number / 4 + 1;
    uint64_t words[2] = {fg_random_next(&state), fg_random_next(&state)};
    memcpy(buyer, words, FG_BUYER_BYTES);
    buyer[0] ^= number & 1;
    buyer[FG_BUYER_BYTES - 1] ^= number >> 1 & 1;
}

static id *buyers_of(uint64_t first, uint32_t count)
{
    id *buyers = calloc(count + 1, sizeof(id));
    assert_non_null(buyers);
    for (uint32_t i = 0; i < count; i++)
        buyer_of(first + i, buyers[i]);
    return buyers;
}

static struct fg_lists *lists_of_buyers(const id *block, uint32_t blocked, const id *allow,
                                        uint32_t allowed)
{
    struct fg_lists_input input = {
        .buyers = {block, allow},
        .buyers_count = {blocked, allowed},
        .seed = {fg_random_next(&chance), fg_random_next(&chance)},
    };
    struct fg_lists *lists = fg_lists_create(&input);
    assert_non_null(lists);
    return lists;
}

static enum fg_listed buyer_listed(const struct fg_lists *lists, uint64_t number)
{
    id buyer;
    buyer_of(number, buyer);
    return fg_lists_buyer(lists, buyer);
}

static void nobody_is_listed_without_lists(void **state)
{
    (void)state;
    struct fg_lists *lists = lists_of_buyers(NULL, 0, NULL, 0);
    for (uint64_t i = 0; i < 100; i++) {
        assert_int_equal(buyer_listed(lists, i), FG_LISTED_NOT);
        assert_int_equal(buyer_listed(NULL, i), FG_LISTED_NOT);
    }
    assert_false(fg_lists_source_blocked(lists, fg_ip_of_v4(0x0a000001)));
    assert_false(fg_lists_source_blocked(NULL, fg_ip_of_v4(0x0a000001)));
    assert_null(fg_lists_source_entry(NULL, fg_ip_of_v4(0x0a000001)));
    fg_lists_destroy(lists);
    fg_lists_destroy(NULL);
}

/* Sizes around a line's: one line that has all of them, with tags and without, and many. */
static void buyers_are_found_and_strangers_are_not(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 2, 13, 14, 15, 28, 29, 100, 1000, 30000};
    for (unsigned s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        uint32_t n = sizes[s];
        id *buyers = buyers_of(1000, n);
        struct fg_lists *blocking = lists_of_buyers((const id *)buyers, n, NULL, 0);
        struct fg_lists *allowing = lists_of_buyers(NULL, 0, (const id *)buyers, n);
        for (uint64_t i = 0; i < 1000 + n + 1000; i++) {
            bool listed = i >= 1000 && i < 1000 + n;
            assert_int_equal(buyer_listed(blocking, i), listed ? FG_LISTED_BLOCKED : FG_LISTED_NOT);
            assert_int_equal(buyer_listed(allowing, i), listed ? FG_LISTED_ALLOWED : FG_LISTED_NOT);
        }
        assert_int_equal(blocking->counts[FG_LIST_BLOCK_BUYERS].entries, n);
        assert_int_equal(allowing->counts[FG_LIST_ALLOW_BUYERS].entries, n);
        fg_lists_destroy(blocking);
        fg_lists_destroy(allowing);
        free(buyers);
    }
}

/* Lines with more buyers than tags exist, and what lies behind the tags is found, too. */
static void a_crowded_line_finds_all(void **state)
{
    (void)state;
    uint32_t n = 200000, crowded = 0;
    id *buyers = buyers_of(0, n);
    struct fg_lists *lists = lists_of_buyers((const id *)buyers, n, NULL, 0);
    for (uint32_t i = 0; i < lists->lines_count; i++)
        crowded += lists->lines[i].count > FG_LIST_TAGS;
    assert_true(crowded > 0);
    assert_true(crowded < lists->lines_count / 500);
    for (uint64_t i = 0; i < n; i++)
        assert_int_equal(buyer_listed(lists, i), FG_LISTED_BLOCKED);
    for (uint64_t i = n; i < 3 * n; i++)
        assert_int_equal(buyer_listed(lists, i), FG_LISTED_NOT);
    fg_lists_destroy(lists);
    free(buyers);
}

static void who_is_on_both_lists_is_allowed(void **state)
{
    (void)state;
    id *block = buyers_of(0, 100), *allow = buyers_of(50, 100);
    struct fg_lists *lists = lists_of_buyers((const id *)block, 100, (const id *)allow, 100);
    for (uint64_t i = 0; i < 200; i++)
        assert_int_equal(buyer_listed(lists, i), i < 50    ? FG_LISTED_BLOCKED
                                                 : i < 150 ? FG_LISTED_ALLOWED
                                                           : FG_LISTED_NOT);
    assert_int_equal(lists->counts[FG_LIST_BLOCK_BUYERS].entries, 100);
    assert_int_equal(lists->counts[FG_LIST_BLOCK_BUYERS].overruled, 50);
    assert_int_equal(lists->counts[FG_LIST_ALLOW_BUYERS].overruled, 0);
    fg_lists_destroy(lists);
    free(block);
    free(allow);
}

/* A file that says the same a million times makes a small list, and soon. */
static void repeated_buyers_count_once(void **state)
{
    (void)state;
    uint32_t n = 300000;
    id *buyers = buyers_of(0, n);
    for (uint32_t i = 0; i < n; i++)
        buyer_of(i % 3, buyers[i]);
    struct fg_lists *lists = lists_of_buyers((const id *)buyers, n, NULL, 0);
    assert_int_equal(lists->counts[FG_LIST_BLOCK_BUYERS].entries, 3);
    assert_int_equal(lists->counts[FG_LIST_BLOCK_BUYERS].duplicates, n - 3);
    for (uint64_t i = 0; i < 6; i++)
        assert_int_equal(buyer_listed(lists, i), i < 3 ? FG_LISTED_BLOCKED : FG_LISTED_NOT);
    fg_lists_destroy(lists);
    free(buyers);
}

/* --- sources --- */

static struct fg_list_prefix prefix_of(const char *text)
{
    struct fg_list_prefix prefix = {0};
    unsigned bits;
    bool whole;
    if (!fg_ip_parse(text, &prefix.address, &bits, &whole))
        fail_msg("%s is no prefix", text);
    prefix.bits = (uint8_t)bits;
    return prefix;
}

static struct fg_ip ip_of(const char *text)
{
    return prefix_of(text).address;
}

static struct fg_lists *lists_of_sources(const struct fg_list_prefix *block, uint32_t blocked,
                                         const struct fg_list_prefix *allow, uint32_t allowed)
{
    struct fg_lists_input input = {.sources = {block, allow}, .sources_count = {blocked, allowed}};
    struct fg_lists *lists = fg_lists_create(&input);
    assert_non_null(lists);
    return lists;
}

/* Texts ended by NULL. */
static struct fg_lists *lists_of_texts(const char *const *block, const char *const *allow)
{
    struct fg_list_prefix prefixes[2][32];
    uint32_t counts[2] = {0, 0};
    for (; *block; block++)
        prefixes[0][counts[0]++] = prefix_of(*block);
    for (; *allow; allow++)
        prefixes[1][counts[1]++] = prefix_of(*allow);
    return lists_of_sources(prefixes[0], counts[0], prefixes[1], counts[1]);
}

struct source_case {
    const char *block[6], *allow[6];
    const char *silent[8], *answered[8];
};

static const struct source_case SOURCE_CASES[] = {
    {{"10.1.0.0/16"},
     {NULL},
     {"10.1.0.0", "10.1.255.255", "10.1.7.7"},
     {"10.0.255.255", "10.2.0.0", "::a01:707", "2001:db8::1"}},
    {{"192.0.2.7"}, {NULL}, {"192.0.2.7"}, {"192.0.2.6", "192.0.2.8"}},
    /* the longest counts, however deep */
    {{"10.0.0.0/8", "10.1.2.0/24"},
     {"10.1.0.0/16", "10.1.2.3"},
     {"10.0.0.1", "10.1.2.2", "10.1.2.4", "10.2.0.0", "10.255.255.255", "10.1.2.0"},
     {"10.1.1.255", "10.1.2.3", "10.1.3.0", "10.1.255.255", "11.0.0.0", "9.255.255.255"}},
    /* an exception with the same end as what it is an exception to */
    {{"10.1.255.0/24", "10.1.0.0/16"},
     {"10.1.255.128/25"},
     {"10.1.255.127", "10.1.0.0"},
     {"10.1.255.128", "10.1.255.255", "10.2.0.0"}},
    {{"10.0.0.0/9", "10.128.0.0/9"}, {NULL}, {"10.127.255.255", "10.128.0.0"}, {"11.0.0.0"}},
    {{"10.0.0.0/8"}, {"10.0.0.0/8"}, {NULL}, {"10.0.0.1"}},
    {{"10.0.0.0/8"}, {"10.0.0.0/9", "10.128.0.0/9"}, {NULL}, {"10.0.0.1", "10.255.255.255"}},
    {{NULL}, {"10.0.0.0/8"}, {NULL}, {"10.0.0.1"}},
    /* one family says nothing about the other */
    {{"0.0.0.0/0"},
     {"198.51.100.0/24"},
     {"0.0.0.0", "255.255.255.255", "198.51.101.0", "198.51.99.255"},
     {"198.51.100.0", "198.51.100.255", "::1", "2001:db8::1", "::ffff:0:0:1"}},
    {{"::/0"},
     {"2001:db8::/32"},
     {"::", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db7::1", "2001:db9::"},
     {"2001:db8::", "2001:db8:ffff::1", "10.0.0.1", "0.0.0.0", "255.255.255.255"}},
    {{"255.255.255.255", "128.0.0.0/1"}, {NULL}, {"255.255.255.255", "128.0.0.0"}, {"127.9.9.9"}},
    {{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0/124"},
     {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
     {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"},
     {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffef"}},
    /* within 64 bits and across them */
    {{"2001:db8::/63", "2001:db8:0:5::8000:0/97", "2001:db8:0:5::/127"},
     {"2001:db8:0:1::/64", "2001:db8::1:2:3:4"},
     {"2001:db8::", "2001:db8::ffff:ffff:ffff:ffff", "2001:db8:0:5::1", "2001:db8:0:5::8000:1",
      "2001:db8::1:2:3:5"},
     {"2001:db8:0:1::", "2001:db8:0:2::", "2001:db8:0:5::2", "2001:db8:0:5::7fff:ffff",
      "2001:db8:0:5::1:0:0", "2001:db8::1:2:3:4"}},
};

static void the_longest_prefix_counts(void **state)
{
    (void)state;
    for (unsigned c = 0; c < sizeof(SOURCE_CASES) / sizeof(SOURCE_CASES[0]); c++) {
        const struct source_case *wanted = &SOURCE_CASES[c];
        struct fg_lists *lists = lists_of_texts(wanted->block, wanted->allow);
        for (const char *const *text = wanted->silent; *text; text++)
            if (!fg_lists_source_blocked(lists, ip_of(*text)))
                fail_msg("case %u: %s is not blocked", c, *text);
        for (const char *const *text = wanted->answered; *text; text++)
            if (fg_lists_source_blocked(lists, ip_of(*text)))
                fail_msg("case %u: %s is blocked", c, *text);
        fg_lists_destroy(lists);
    }
}

static void the_entry_that_decides_is_told(void **state)
{
    (void)state;
    struct fg_lists *lists =
        lists_of_texts((const char *const[]){"10.0.0.0/8", "10.1.2.0/24", "10.1.2.0/24", NULL},
                       (const char *const[]){"10.1.0.0/16", "10.1.2.0/24", "10.1.2.0/24", NULL});
    static const struct {
        const char *address, *entry;
        enum fg_listed listed;
    } cases[] = {
        {"10.2.0.1", "10.0.0.0/8", FG_LISTED_BLOCKED},
        {"10.1.3.1", "10.1.0.0/16", FG_LISTED_ALLOWED},
        {"10.1.2.1", "10.1.2.0/24", FG_LISTED_ALLOWED},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[FG_IP_TEXT_MAX];
        const struct fg_list_prefix *entry = fg_lists_source_entry(lists, ip_of(cases[i].address));
        assert_non_null(entry);
        assert_string_equal(fg_prefix_text(entry->address, entry->bits, text), cases[i].entry);
        assert_int_equal(entry->listed, cases[i].listed);
    }
    assert_null(fg_lists_source_entry(lists, ip_of("11.0.0.0")));
    assert_int_equal(lists->counts[FG_LIST_BLOCK_SOURCES].entries, 2);
    assert_int_equal(lists->counts[FG_LIST_BLOCK_SOURCES].duplicates, 1);
    assert_int_equal(lists->counts[FG_LIST_BLOCK_SOURCES].overruled, 1);
    assert_int_equal(lists->counts[FG_LIST_ALLOW_SOURCES].entries, 2);
    assert_int_equal(lists->counts[FG_LIST_ALLOW_SOURCES].duplicates, 1);
    fg_lists_destroy(lists);
}

/* An address with few bits that differ, so that prefixes nest and meet: over the whole of IPv4,
 * over IPv6's first and last bits and those around the middle. */
static struct fg_ip some_address(bool v4)
{
    uint64_t bits = draw(256);
    if (v4)
        return fg_ip_of_v4((uint32_t)(bits >> 5) << 29 | (uint32_t)(bits >> 2 & 7) << 13 |
                           (uint32_t)(bits & 3) * UINT32_C(0x00000155));
    struct fg_ip ip = {(bits >> 6) << 62 | (bits >> 4 & 3), (bits >> 2 & 3) << 62 | (bits & 3)};
    return draw(4) == 0 ? (struct fg_ip){~ip.high, ~ip.low} : ip;
}

static struct fg_list_prefix some_prefix(bool v4)
{
    unsigned least = v4 ? FG_IP_V4_BITS : 0;
    struct fg_list_prefix prefix = {.bits = (uint8_t)(least + draw(FG_IP_BITS - least + 1))};
    prefix.address = fg_ip_masked(some_address(v4), fg_ip_mask(prefix.bits));
    return prefix;
}

static bool is_v4_prefix(const struct fg_list_prefix *prefix)
{
    return prefix->bits >= FG_IP_V4_BITS && fg_ip_is_v4(prefix->address);
}

/* By looking at every entry: bits of the longest that holds the address, or -1. */
static int longest(const struct fg_list_prefix *prefixes, uint32_t count, struct fg_ip ip)
{
    int bits = -1;
    for (uint32_t i = 0; i < count; i++) {
        struct fg_prefix prefix = {prefixes[i].address, fg_ip_mask(prefixes[i].bits)};
        if (is_v4_prefix(&prefixes[i]) == fg_ip_is_v4(ip) && fg_prefix_holds(&prefix, ip) &&
            prefixes[i].bits > bits)
            bits = prefixes[i].bits;
    }
    return bits;
}

static struct fg_ip step(struct fg_ip ip, int by)
{
    uint64_t low = ip.low + (uint64_t)(int64_t)by;
    if (by > 0)
        return (struct fg_ip){ip.high + (low < ip.low), low};
    return (struct fg_ip){ip.high - (low > ip.low), low};
}

static void sources_are_as_looking_at_every_entry_says(void **state)
{
    (void)state;
    static struct fg_list_prefix block[64], allow[64];
    for (unsigned round = 0; round < 3000; round++) {
        uint32_t blocked = (uint32_t)draw(64), allowed = (uint32_t)draw(draw(2) ? 64 : 3);
        for (uint32_t i = 0; i < blocked; i++)
            block[i] = some_prefix(draw(2));
        for (uint32_t i = 0; i < allowed; i++)
            allow[i] = some_prefix(draw(2));
        struct fg_lists *lists = lists_of_sources(block, blocked, allow, allowed);
        for (unsigned look = 0; look < 100; look++) {
            struct fg_ip ip = some_address(draw(2));
            if (blocked > 0 && draw(2)) { /* at an edge */
                const struct fg_list_prefix *prefix = &block[draw(blocked)];
                struct fg_ip mask = fg_ip_mask(prefix->bits);
                ip = draw(2) ? prefix->address
                             : (struct fg_ip){prefix->address.high | ~mask.high,
                                              prefix->address.low | ~mask.low};
                ip = step(ip, (int)draw(3) - 1);
            }
            int by_block = longest(block, blocked, ip), by_allow = longest(allow, allowed, ip);
            char text[FG_IP_TEXT_MAX];
            if (fg_lists_source_blocked(lists, ip) != (by_block > by_allow))
                fail_msg("round %u: %s, blocked by %d bits, allowed by %d", round,
                         fg_ip_text(ip, text), by_block, by_allow);
        }
        fg_lists_destroy(lists);
    }
}

/* --- a million --- */

/* Sanitized code takes several times as long. */
#ifdef __SANITIZE_ADDRESS__
#define SECONDS_MAX 20
#else
#define SECONDS_MAX 2
#endif

static double seconds_since(const struct timespec *began)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)(now.tv_sec - began->tv_sec) + (double)(now.tv_nsec - began->tv_nsec) / 1e9;
}

static void a_million_buyers_take_little_time(void **state)
{
    (void)state;
    uint32_t n = 1000000;
    id *buyers = buyers_of(0, n);
    struct timespec began;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &began);
    struct fg_lists *lists = lists_of_buyers((const id *)buyers, n, NULL, 0);
    double seconds = seconds_since(&began);
    print_message("%u buyers: made in %.0f ms of computing, %.1f bytes each\n", n, seconds * 1e3,
                  (double)lists->bytes / n);
    assert_true(lists->bytes < 25 * (uint64_t)n);
    assert_int_equal(lists->counts[FG_LIST_BLOCK_BUYERS].entries, n);
    assert_true(seconds < SECONDS_MAX);
    for (uint64_t i = 0; i < n; i += 97)
        assert_int_equal(buyer_listed(lists, i), FG_LISTED_BLOCKED);
    fg_lists_destroy(lists);
    free(buyers);
}

/* Sixteen bits or more a buyer, of which each sets one: one stranger in sixteen at most finds one
 * set, but for chance. */
static void few_strangers_get_beyond_the_filter(void **state)
{
    static const uint32_t sizes[] = {1, 17, 1000, 65536, 100000};
    (void)state;

    for (unsigned s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        uint32_t strangers = 100000, beyond = 0;
        id *buyers = buyers_of(0, sizes[s]);
        struct fg_lists *lists = lists_of_buyers((const id *)buyers, sizes[s], NULL, 0);
        for (uint32_t i = 0; i < sizes[s]; i++)
            assert_true(fg_lists_may_have(lists, buyers[i]));
        for (uint32_t i = 0; i < strangers; i++) {
            id stranger;
            buyer_of(UINT64_C(1) << 40 | i, stranger);
            beyond += fg_lists_may_have(lists, stranger);
        }
        assert_in_range(beyond, 0, strangers / 15);
        assert_false(fg_lists_may_have(NULL, buyers[0]));
        fg_lists_destroy(lists);
        free(buyers);
    }
}

static void a_million_prefixes_take_little_time(void **state)
{
    (void)state;
    uint32_t n = 1000000;
    struct fg_list_prefix *prefixes = calloc(n, sizeof(*prefixes));
    assert_non_null(prefixes);
    for (uint32_t i = 0; i < n; i++) {
        prefixes[i].bits = (uint8_t)(i % 4 == 0 ? 48 + draw(17) : 112 + draw(17));
        struct fg_ip ip = i % 4 == 0
                              ? (struct fg_ip){fg_random_next(&chance), fg_random_next(&chance)}
                              : fg_ip_of_v4((uint32_t)fg_random_next(&chance));
        prefixes[i].address = fg_ip_masked(ip, fg_ip_mask(prefixes[i].bits));
    }
    struct timespec began;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &began);
    struct fg_lists *lists = lists_of_sources(prefixes, n, NULL, 0);
    double seconds = seconds_since(&began);
    print_message("%u prefixes: made in %.0f ms of computing, %.1f bytes each\n", n, seconds * 1e3,
                  (double)lists->bytes / n);
    assert_true(lists->bytes < 64 * (uint64_t)n);
    assert_true(seconds < SECONDS_MAX);
    for (uint32_t i = 0; i < n; i += 97)
        assert_true(fg_lists_source_blocked(lists, prefixes[i].address));
    fg_lists_destroy(lists);
    free(prefixes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_listed_without_lists),
        cmocka_unit_test(buyers_are_found_and_strangers_are_not),
        cmocka_unit_test(a_crowded_line_finds_all),
        cmocka_unit_test(who_is_on_both_lists_is_allowed),
        cmocka_unit_test(repeated_buyers_count_once),
        cmocka_unit_test(the_longest_prefix_counts),
        cmocka_unit_test(the_entry_that_decides_is_told),
        cmocka_unit_test(sources_are_as_looking_at_every_entry_says),
        cmocka_unit_test(a_million_buyers_take_little_time),
        cmocka_unit_test(few_strangers_get_beyond_the_filter),
        cmocka_unit_test(a_million_prefixes_take_little_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
