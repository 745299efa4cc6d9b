/* SPDX-License-Identifier: BSD-3-Clause */
/* Payloads: what is malformed, what is authentic, and that a reply is signed and never a request.
 */
#include "dataplane/random.h"
#include "tests/unit/shop.h"

static struct shop shop;
static uint8_t payload[2048];
static uint32_t length;

static int open_shop(void **state)
{
    (void)state;
    shop_open(&shop, 1, 10);
    struct fg_request ask = shop_request(&shop, 0, FG_OP_ORDER, 1, 1, ITEM_PLAIN, 1);
    length = shop_datagram(&shop, payload, &ask, 1);
    return 0;
}

static int close_shop(void **state)
{
    (void)state;
    shop_close(&shop);
    return 0;
}

/* Every header byte that is checked, set to something else. */
static void malformed_payloads(void **state)
{
    (void)state;
    static const struct {
        unsigned offset;
        uint8_t value;
    } bad[] = {{0, 'f'}, {1, 'g'}, {2, 0}, {2, 2},  {3, 0}, {3, 2},
               {3, 3},   {4, 0},   {4, 2}, {4, 33}, {5, 1}};

    assert_true(fg_payload_check(payload, length));
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint8_t kept = payload[bad[i].offset];
        payload[bad[i].offset] = bad[i].value;
        assert_false(fg_payload_check(payload, length));
        payload[bad[i].offset] = kept;
    }
    for (uint32_t other = 0; other < 1400; other++)
        if (other != length)
            assert_false(fg_payload_check(payload, other));
    payload[6] = payload[7] = 0; /* unsigned, but with a mac */
    assert_false(fg_payload_check(payload, length));
    memset(payload + 16, 0, 8);
    assert_true(fg_payload_check(payload, length));
}

static enum fg_authentic authenticate(uint32_t source)
{
    uint16_t place;
    return fg_payload_authenticate(&shop.catalogue, payload, length, fg_ip_of_v4(source),
                                   shop.now.wall_ns, &place);
}

static void every_byte_is_signed(void **state)
{
    (void)state;
    assert_int_equal(authenticate(0), FG_AUTHENTIC);
    for (uint32_t i = 0; i < length; i++) {
        if (i == 6 || i == 7)
            continue; /* the key's id */
        payload[i] ^= 0x10;
        assert_int_equal(authenticate(0), FG_AUTH_MAC);
        payload[i] ^= 0x10;
    }
    payload[6] ^= 1;
    assert_int_equal(authenticate(0), FG_AUTH_UNKNOWN_KEY);
}

static void sources_of_a_key(void **state)
{
    (void)state;
    struct fg_key *key = &shop.ring.keys[0];
    key->prefixes_count = 2;
    key->prefixes[0] = (struct fg_prefix){fg_ip_of_v4(0x0a010000), fg_ip_mask(96 + 16)};
    key->prefixes[1] = (struct fg_prefix){fg_ip_of_v4(0xc0000201), fg_ip_mask(128)};
    assert_int_equal(authenticate(0x0a01ffff), FG_AUTHENTIC);
    assert_int_equal(authenticate(0x0a020001), FG_AUTH_SOURCE);
    assert_int_equal(authenticate(0xc0000201), FG_AUTHENTIC);
    assert_int_equal(authenticate(0xc0000202), FG_AUTH_SOURCE);
}

static struct fg_ip ip_of(const char *text)
{
    struct fg_ip ip;
    unsigned bits;
    bool whole;
    assert_true(fg_ip_parse(text, &ip, &bits, &whole));
    return ip;
}

/* The first and the last address of prefixes of every length that is an edge, and their neighbours
 * outside; each family apart. */
static void edges_of_prefixes(void **state)
{
    (void)state;
    static const struct {
        const char *prefix, *first, *last, *before, *after;
    } cases[] = {
        {"0.0.0.0/0", "0.0.0.0", "255.255.255.255", "::fffe:ffff:ffff", "::1:0:0:0"},
        {"128.0.0.0/1", "128.0.0.0", "255.255.255.255", "127.255.255.255", "::1:0:0:0"},
        {"0.0.0.0/1", "0.0.0.0", "127.255.255.255", "::fffe:ffff:ffff", "128.0.0.0"},
        {"10.0.0.2/31", "10.0.0.2", "10.0.0.3", "10.0.0.1", "10.0.0.4"},
        {"10.0.0.2/32", "10.0.0.2", "10.0.0.2", "10.0.0.1", "10.0.0.3"},
        {"::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "0.0.0.0", "255.255.255.255"},
        {"8000::/1", "8000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
         "7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "10.0.0.1"},
        {"::/1", "::", "7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "10.0.0.1", "8000::"},
        {"2001:db8::/31", "2001:db8::", "2001:db9:ffff:ffff:ffff:ffff:ffff:ffff",
         "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:dba::"},
        {"2001:db8::/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
         "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"},
        {"2001:db8::/64", "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff",
         "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8:0:1::"},
        {"2001:db8::/96", "2001:db8::", "2001:db8::ffff:ffff",
         "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::1:0:0"},
        {"2001:db8::2/127", "2001:db8::2", "2001:db8::3", "2001:db8::1", "2001:db8::4"},
        {"2001:db8::2/128", "2001:db8::2", "2001:db8::2", "2001:db8::1", "2001:db8::3"},
        {"::/80", "::", "::ffff:ffff", "0.0.0.0", "255.255.255.255"},
    };
    struct fg_key *key = &shop.ring.keys[0];
    uint16_t place;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *const inside[] = {cases[i].first, cases[i].last};
        const char *const outside[] = {cases[i].before, cases[i].after};
        unsigned bits;
        bool whole;
        assert_true(fg_ip_parse(cases[i].prefix, &key->prefixes[0].address, &bits, &whole));
        key->prefixes[0].mask = fg_ip_mask(bits);
        key->prefixes_count = 1;
        for (unsigned n = 0; n < 2; n++) {
            if (fg_payload_authenticate(&shop.catalogue, payload, length, ip_of(inside[n]),
                                        shop.now.wall_ns, &place) != FG_AUTHENTIC)
                fail_msg("%s is not in %s", inside[n], cases[i].prefix);
            if (fg_payload_authenticate(&shop.catalogue, payload, length, ip_of(outside[n]),
                                        shop.now.wall_ns, &place) != FG_AUTH_SOURCE)
                fail_msg("%s is in %s", outside[n], cases[i].prefix);
        }
    }
}

/* After the key's secret has changed: what was authentic is not any more, and the other way round.
 */
static void still_signed_by_another_ring(void **state)
{
    (void)state;
    bool unknown;
    assert_int_equal(fg_payload_still_signed(&shop.catalogue, payload, &unknown), 0);
    shop.ring.keys[0].secret[15] ^= 1;
    assert_int_equal(fg_payload_still_signed(&shop.catalogue, payload, &unknown), -1);
    assert_false(unknown);
    shop.ring.keys[0].secret[15] ^= 1;
    shop.ring.keys[1] = shop.ring.keys[0];
    shop.ring.keys[0] = (struct fg_key){.id = 7}; /* an empty place */
    shop.ring.count = 2;
    assert_int_equal(fg_payload_still_signed(&shop.catalogue, payload, &unknown), 1);
    shop.ring.keys[1].ops = 0;
    assert_int_equal(fg_payload_still_signed(&shop.catalogue, payload, &unknown), -1);
    assert_true(unknown);
}

static void sign_with_time(uint64_t time_ns)
{
    struct fg_header header;
    memcpy(&header, payload, sizeof(header));
    header.time_ns = time_ns;
    memcpy(payload, &header, sizeof(header));
    header.mac = fg_payload_mac(shop.ring.keys[0].secret, payload, length);
    memcpy(payload, &header, sizeof(header));
}

static void both_edges_of_the_window(void **state)
{
    (void)state;
    uint64_t now = shop.now.wall_ns, window = shop.catalogue.freshness_ns;
    shop.catalogue.serving_since_ns = 0;
    sign_with_time(now - window);
    assert_int_equal(authenticate(0), FG_AUTHENTIC);
    sign_with_time(now - window - 1);
    assert_int_equal(authenticate(0), FG_AUTH_STALE);
    sign_with_time(now + window);
    assert_int_equal(authenticate(0), FG_AUTHENTIC);
    sign_with_time(now + window + 1);
    assert_int_equal(authenticate(0), FG_AUTH_STALE);
    shop.catalogue.serving_since_ns = now - 5;
    sign_with_time(now - 5);
    assert_int_equal(authenticate(0), FG_AUTHENTIC);
    sign_with_time(now - 6); /* sent before the engine began to serve */
    assert_int_equal(authenticate(0), FG_AUTH_EARLY);
}

/* Times at the ends of what 64 bits hold: nothing comes round. */
static void times_that_no_clock_tells(void **state)
{
    (void)state;
    uint64_t now = shop.now.wall_ns, window = shop.catalogue.freshness_ns;
    static const uint64_t far[] = {0, 1, UINT64_MAX, UINT64_MAX - 1, UINT64_C(1) << 63};
    shop.catalogue.serving_since_ns = 0;
    for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
        sign_with_time(far[i]);
        assert_int_equal(authenticate(0), FG_AUTH_STALE);
    }
    /* An engine whose own clock stands there. */
    shop.now.wall_ns = UINT64_MAX - 1;
    sign_with_time(UINT64_MAX);
    assert_int_equal(authenticate(0), FG_AUTHENTIC);
    sign_with_time(UINT64_MAX - 1 - window);
    assert_int_equal(authenticate(0), FG_AUTHENTIC);
    sign_with_time(UINT64_MAX - 2 - window);
    assert_int_equal(authenticate(0), FG_AUTH_STALE);
    sign_with_time(0);
    assert_int_equal(authenticate(0), FG_AUTH_STALE);
    shop.now.wall_ns = 1;
    sign_with_time(0);
    assert_int_equal(authenticate(0), FG_AUTHENTIC);
    sign_with_time(window + 1);
    assert_int_equal(authenticate(0), FG_AUTHENTIC);
    sign_with_time(window + 2);
    assert_int_equal(authenticate(0), FG_AUTH_STALE);
    sign_with_time(UINT64_MAX);
    assert_int_equal(authenticate(0), FG_AUTH_STALE);
    shop.now.wall_ns = now;
}

static void unsigned_is_silence_unless_allowed(void **state)
{
    (void)state;
    payload[6] = payload[7] = 0;
    memset(payload + 16, 0, 8);
    assert_int_equal(authenticate(0), FG_AUTH_UNSIGNED);
    shop.ring.keys[0].id = 0;
    assert_int_equal(authenticate(0), FG_AUTHENTIC);
}

static void a_reply_is_signed_and_no_request(void **state)
{
    (void)state;
    struct fg_header request, reply;
    memcpy(&request, payload, sizeof(request));
    uint32_t replied = fg_payload_busy(&shop.catalogue, payload, 0, 12);
    assert_int_equal(replied, FG_REPLY_BYTES(1));
    memcpy(&reply, payload, sizeof(reply));
    assert_int_equal(reply.type, FG_TYPE_REPLY);
    assert_int_equal(reply.time_ns, request.time_ns);
    assert_true(reply.mac == fg_payload_mac(shop.ring.keys[0].secret, payload, replied));
    assert_verdict(shop_reply(payload, 0), BUSY, 0);
    assert_int_equal(shop_reply(payload, 0).wait_ms, 12);
    assert_false(fg_payload_check(payload, replied));
    assert_false(fg_payload_check(payload, length));
}

/* Any entry counts, wherever it stands; only ORDER does. */
static void what_asks_for_orders_is_told(void **state)
{
    (void)state;
    for (uint8_t op = FG_OP_ORDER; op <= FG_OP_MAX; op++) {
        struct fg_request asks[] = {shop_request(&shop, 0, FG_OP_QUERY, 1, 1, ITEM_PLAIN, 1),
                                    shop_request(&shop, 0, op, 1, 2, ITEM_PLAIN, 1)};
        shop_datagram(&shop, payload, asks, 2);
        assert_int_equal(fg_payload_orders(payload), op == FG_OP_ORDER);
        shop_datagram(&shop, payload, asks, 1);
        assert_false(fg_payload_orders(payload));
    }
}

/* --- bursts: as each payload alone --- */

static uint8_t burst[FG_BURST][2048];
static uint64_t chance = 1;

/* A datagram with something wrong, by what it should be found as. */
static enum fg_authentic make_claim(unsigned i, unsigned count, struct fg_claim *claim)
{
    static struct fg_ip own, foreign;
    struct fg_request asks[FG_ENTRIES_MAX];
    enum fg_authentic kind = (enum fg_authentic)(fg_random_next(&chance) % 7);
    uint64_t now = shop.now.wall_ns, window = shop.catalogue.freshness_ns;
    unsigned place = 1 + (unsigned)(fg_random_next(&chance) & 1);
    struct fg_key *key = &shop.ring.keys[place];
    struct fg_header header;

    own = fg_ip_of_v4(0x0a010001);
    foreign = fg_ip_of_v4(0x0a020001);
    for (unsigned e = 0; e < count; e++)
        asks[e] = shop_request(&shop, 0, FG_OP_ORDER, i, e, ITEM_PLAIN, 1);
    uint32_t size = shop_datagram(&shop, burst[i], asks, count);
    memcpy(&header, burst[i], sizeof(header));
    header.time_ns = kind == FG_AUTH_STALE   ? now + window + 1
                     : kind == FG_AUTH_EARLY ? shop.catalogue.serving_since_ns - 1
                                             : now - i;
    header.key_id = kind == FG_AUTH_UNSIGNED ? 0 : kind == FG_AUTH_UNKNOWN_KEY ? 99 : key->id;
    memcpy(burst[i], &header, sizeof(header));
    header.mac = kind == FG_AUTH_UNSIGNED ? 0 : fg_payload_mac(key->secret, burst[i], size);
    memcpy(burst[i], &header, sizeof(header));
    if (kind == FG_AUTH_MAC)
        burst[i][8 + fg_random_next(&chance) % (size - 8)] ^= 4;
    *claim = (struct fg_claim){.payload = burst[i],
                               .source = kind == FG_AUTH_SOURCE ? &foreign : &own,
                               .length = (uint16_t)size,
                               .key_place = (uint16_t)place};
    return kind;
}

/* Three keys with different secrets, datagrams of one length or of many, all kinds mixed. */
static void a_burst_is_judged_as_each_alone(void **state)
{
    struct fg_claim claims[FG_BURST];
    enum fg_authentic wanted[FG_BURST];
    (void)state;
    shop.ring.count = 3;
    for (uint16_t k = 1; k < 3; k++) {
        shop.ring.keys[k] = (struct fg_key){.id = 20 + k, .ops = 0x7e, .prefixes_count = 1};
        shop.ring.keys[k].secret[k] = 1;
        shop.ring.keys[k].prefixes[0] =
            (struct fg_prefix){fg_ip_of_v4(0x0a010000), fg_ip_mask(96 + 16)};
    }
    for (unsigned round = 0; round < 200; round++) {
        unsigned count = (unsigned)(fg_random_next(&chance) % (FG_BURST + 1));
        for (unsigned i = 0; i < count; i++) {
            unsigned entries =
                round & 1 ? 1 : 1 + (unsigned)(fg_random_next(&chance) % FG_ENTRIES_MAX);
            wanted[i] = make_claim(i, entries, &claims[i]);
        }
        struct fg_claim asked[FG_BURST];
        memcpy(asked, claims, sizeof(asked));
        for (unsigned i = 0; i < count; i++)
            asked[i].key_place = UINT16_MAX;
        fg_payloads_authenticate(&shop.catalogue, shop.now.wall_ns, 0, asked, count);
        for (unsigned i = 0; i < count; i++) {
            if (asked[i].found != wanted[i])
                fail_msg("round %u, %u of %u: %u, wanted %u", round, i, count, asked[i].found,
                         (unsigned)wanted[i]);
            if (wanted[i] == FG_AUTHENTIC || wanted[i] >= FG_AUTH_STALE)
                assert_int_equal(asked[i].key_place, claims[i].key_place);
        }
    }
}

/* A clock that is held behind the senders': what is stale by it alone may be fresh by theirs; what
 * is wrong stays so. */
static void a_second_clock_mends_staleness_alone(void **state)
{
    struct fg_ip source = fg_ip_of_v4(1);
    struct fg_claim claim = {.payload = payload, .source = &source, .length = (uint16_t)length};
    uint64_t now = shop.now.wall_ns, ahead = 3 * shop.catalogue.freshness_ns;
    static const struct {
        int64_t after; /* the second clock, in windows */
        bool held;
        enum fg_authentic wanted;
    } cases[] = {{0, true, FG_AUTHENTIC}, {3, false, FG_AUTH_STALE}, {3, true, FG_AUTHENTIC},
                 {4, true, FG_AUTHENTIC}, {5, true, FG_AUTH_STALE},  {-2, true, FG_AUTH_STALE}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sign_with_time(now + (uint64_t)cases[i].after * shop.catalogue.freshness_ns);
        fg_payloads_authenticate(&shop.catalogue, now, cases[i].held ? ahead : 0, &claim, 1);
        assert_int_equal(claim.found, cases[i].wanted);
    }
    sign_with_time(now + ahead);
    payload[length - 1] ^= 1;
    fg_payloads_authenticate(&shop.catalogue, now, ahead, &claim, 1);
    assert_int_equal(claim.found, FG_AUTH_MAC);
}

/* Replies to a burst, of one entry or of many, are signed together; each by its own bytes. */
static void replies_of_a_burst_are_signed(void **state)
{
    struct fg_datagram datagrams[FG_BURST];
    struct fg_ready ready[FG_BURST];
    (void)state;
    for (unsigned i = 0; i < FG_BURST; i++) {
        struct fg_request asks[2] = {shop_request(&shop, 0, FG_OP_QUERY, i, 1, ITEM_PLAIN, 1),
                                     shop_request(&shop, 0, FG_OP_QUERY, i, 2, ITEM_PLAIN, 1)};
        shop_datagram(&shop, burst[i], asks, 1 + i % 2);
        datagrams[i] = (struct fg_datagram){
            .packet = burst[i], .payload = burst[i], .count = (uint8_t)(1 + i % 2)};
    }
    fg_admission_decide(shop.admissions[0], &shop.now, &shop.catalogue, datagrams, FG_BURST);
    assert_int_equal(fg_admission_ready(shop.admissions[0], ready, FG_BURST), FG_BURST);
    for (unsigned i = 0; i < FG_BURST; i++) {
        struct fg_header header;
        memcpy(&header, ready[i].packet, sizeof(header));
        assert_int_equal(header.type, FG_TYPE_REPLY);
        assert_true(header.mac ==
                    fg_payload_mac(shop.ring.keys[0].secret, ready[i].packet, ready[i].length));
        assert_verdict(shop_reply(ready[i].packet, 0), NOT_FOUND, 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_shop, close_shop)
    const struct CMUnitTest tests[] = {
        TEST(malformed_payloads),
        TEST(every_byte_is_signed),
        TEST(sources_of_a_key),
        TEST(edges_of_prefixes),
        TEST(still_signed_by_another_ring),
        TEST(both_edges_of_the_window),
        TEST(times_that_no_clock_tells),
        TEST(unsigned_is_silence_unless_allowed),
        TEST(a_reply_is_signed_and_no_request),
        TEST(what_asks_for_orders_is_told),
        TEST(a_burst_is_judged_as_each_alone),
        TEST(a_second_clock_mends_staleness_alone),
        TEST(replies_of_a_burst_are_signed),
    };
    return cmocka_run_group_tests_name("payload", tests, NULL, NULL);
}
