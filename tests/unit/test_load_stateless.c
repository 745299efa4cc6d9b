/* SPDX-License-Identifier: BSD-3-Clause */
/* The generator that remembers nothing: what it writes, what it makes of replies, and that what was
 * offered is answered or lost by a cause. */
#include "perf/load/stateless_report.h"
#include "tests/unit/stateless_fixture.h"

/* A reply to a payload with one verdict; its length. */
static size_t reply_to(const uint8_t *payload, uint8_t verdict, uint8_t flags, uint8_t *reply)
{
    struct fg_header header = header_of(payload);
    size_t length = FG_REPLY_BYTES(header.count);

    header.type = FG_TYPE_REPLY;
    memcpy(reply, &header, sizeof(header));
    for (unsigned i = 0; i < header.count; i++) {
        struct fg_reply entry = {
            .request = entry_of(payload, i).request, .verdict = verdict, .flags = flags};
        memcpy(reply + FG_REPLY_BYTES(i), &entry, sizeof(entry));
    }
    header.mac = fg_payload_mac(secret, reply, length);
    memcpy(reply, &header, sizeof(header));
    return length;
}

static void hear(const uint8_t *payload, uint8_t verdict, uint8_t flags, uint64_t arrived_ns)
{
    uint8_t reply[FG_REPLY_BYTES(FG_ENTRIES_MAX)];
    size_t length = reply_to(payload, verdict, flags, reply);

    assert_true(load_stateless_hear(&load, arrived_ns, reply, length));
}

static void datagrams_leave_when_due_signed_and_named(void **state)
{
    uint64_t last = 0, sampled = 0, request = 0;
    (void)state;
    set_up(5, "flat", 10000, 1);
    begin();
    for (unsigned ms = 0; ms < 100; ms++) {
        unsigned written = write_due(ms * MS, 32);
        assert_int_equal(written, ms == 0 ? 1 : 2);
        for (unsigned d = 0; d < written; d++) {
            struct fg_header header = header_of(payloads[d]);
            assert_int_equal(header.count, 5);
            assert_int_equal(header.key_id, 7);
            assert_true(header.mac == fg_payload_mac(secret, payloads[d], FG_REQUEST_BYTES(5)));
            /* Its name is the moment at which it was due, and the mark. */
            uint64_t due = ORIGIN + load.stats.sent * 100000 - (written - d) * 500000;
            assert_in_range(header.time_ns + 4, due, due + 8);
            assert_true(header.time_ns > last);
            last = header.time_ns;
            sampled += header.time_ns & 1;
            for (unsigned i = 0; i < 5; i++) {
                struct fg_request entry = entry_of(payloads[d], i);
                assert_int_equal(entry.request, ++request);
                assert_int_equal(entry.op, FG_OP_ORDER);
                assert_int_equal(fg_crc32c(0, entry.buyer, sizeof(entry.buyer)) % 64,
                                 places[d].partition);
            }
        }
    }
    assert_int_equal(load.stats.sent, 995);
    assert_int_equal(load.stats.sent_frames, 199);
    assert_int_equal(sampled, 50);
    assert_int_equal(load_stateless_offered(&load, 99 * MS), 995);
    assert_int_equal(load.stats.late, 0);
}

/* What leaves late is told late, and its latency counts from when it was due. */
static void a_stall_is_not_omitted(void **state)
{
    (void)state;
    set_up(1, "flat", 1000, 1);
    load.sample = 1;
    begin();
    unsigned written = write_due(20 * MS, 32);
    assert_int_equal(written, 21);
    assert_int_equal(load_stateless_offered(&load, 40 * MS), 41);
    assert_int_equal(load_stateless_behind_ns(&load, 25 * MS) / MS, 4);
    for (unsigned d = 0; d < written; d++)
        hear(payloads[d], FG_VERDICT_SOLD_OUT, 0, 20 * MS);
    assert_int_equal(load.stats.late, 20);
    assert_int_equal(load.stats.late_ns_max, 20 * MS);
    assert_int_equal(load.stats.measured, 21);
    assert_in_range(load.latency.max, 20 * MS - 8, 20 * MS);
    assert_in_range(load_histogram_quantile(&load.latency, 500000), 10 * MS - 8, 11 * MS);
}

static void flat_out_no_name_is_given_twice(void **state)
{
    uint64_t last = 0;
    (void)state;
    set_up(1, "flat", 1, 1);
    load.schedule = NULL;
    load.requests = UINT64_MAX;
    begin();
    for (unsigned turn = 0; turn < 100; turn++) {
        assert_int_equal(write_due(1000 + turn, 32), 32);
        for (unsigned d = 0; d < 32; d++) {
            assert_true(header_of(payloads[d]).time_ns > last);
            last = header_of(payloads[d]).time_ns;
        }
    }
}

static void replies_are_counted_and_wrong_ones_dropped(void **state)
{
    uint8_t reply[FG_REPLY_BYTES(FG_ENTRIES_MAX)];
    (void)state;
    set_up(3, "flat", 3000, 1);
    begin();
    assert_int_equal(write_due(4 * MS, 32), 5);
    /* The first one is measured, the next three are not. */
    hear(payloads[0], FG_VERDICT_ADMITTED, 0, 5 * MS);
    hear(payloads[1], FG_VERDICT_ADMITTED, FG_REPLAY, 5 * MS);
    hear(payloads[2], FG_VERDICT_SOLD_OUT, 0, 5 * MS);
    assert_int_equal(load.stats.answers[FG_VERDICT_ADMITTED], 6);
    assert_int_equal(load.stats.answers[FG_VERDICT_SOLD_OUT], 3);
    assert_int_equal(load.stats.replays, 3);
    assert_int_equal(load.stats.measured, 1);
    assert_int_equal(load.stats.answered, 9);

    static const struct {
        size_t at, measured;
        uint8_t bits;
        enum load_drop drop;
    } wrong[] = {
        {offsetof(struct fg_header, magic), 0, 1, LOAD_DROP_MALFORMED},
        {offsetof(struct fg_header, type), 0, 3, LOAD_DROP_MALFORMED},
        {offsetof(struct fg_header, count), 0, 1, LOAD_DROP_MALFORMED},
        {offsetof(struct fg_header, key_id), 0, 1, LOAD_DROP_MAC},
        {FG_REPLY_BYTES(0) + offsetof(struct fg_reply, verdict), 0, 0x80, LOAD_DROP_VERDICT},
        {offsetof(struct fg_header, mac), 1, 1, LOAD_DROP_MAC},
        {FG_REPLY_BYTES(2) + offsetof(struct fg_reply, available), 1, 1, LOAD_DROP_MAC},
        {FG_REPLY_BYTES(2) + offsetof(struct fg_reply, request) + 7, 1, 1, LOAD_DROP_ENTRY_DIFFERS},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const uint8_t *payload = payloads[wrong[i].measured ? 4 : 3];
        size_t length = reply_to(payload, FG_VERDICT_SOLD_OUT, 0, reply);
        uint64_t before = load.stats.drops[wrong[i].drop];
        reply[wrong[i].at] ^= wrong[i].bits;
        assert_true(load_stateless_hear(&load, 6 * MS, reply, length));
        if (load.stats.drops[wrong[i].drop] != before + 1)
            fail_msg("case %zu is not dropped as it should be", i);
    }
    assert_int_equal(load.stats.answered, 9);
    reply_to(payloads[3], FG_VERDICT_SOLD_OUT, 0, reply);
    assert_true(load_stateless_hear(&load, 6 * MS, reply, 10));
}

static void a_pong_is_the_clients(void **state)
{
    uint8_t reply[FG_REPLY_BYTES(1)];
    (void)state;
    set_up(1, "flat", 1000, 1);
    begin();
    assert_int_equal(write_due(0, 1), 1);
    size_t length = reply_to(payloads[0], FG_VERDICT_PONG, 0, reply);
    assert_false(load_stateless_hear(&load, MS, reply, length));
    assert_int_equal(load.stats.answered, 0);
}

/* Every datagram of a pool stays rightly signed and fresh, however long it is sent. */
static void a_pool_stays_fresh(void **state)
{
    (void)state;
    set_up(2, "flat", 4000, 60);
    load.pool_count = 1000;
    begin();
    uint64_t sampled = 0;
    for (uint64_t ms = 0; ms < 60000; ms++) {
        unsigned written = write_due(ms * MS, 32);
        for (unsigned d = 0; d < written; d++) {
            struct fg_header header = header_of(payloads[d]);
            uint64_t age = ORIGIN + ms * MS - header.time_ns;
            if ((int64_t)age > (int64_t)(LOAD_POOL_AGE_NS + 100 * MS))
                fail_msg("%lu ns old at %lu ms", age, ms);
            assert_true(header.mac == fg_payload_mac(secret, payloads[d], FG_REQUEST_BYTES(2)));
            assert_int_equal(fg_crc32c(0, entry_of(payloads[d], 1).buyer, FG_BUYER_BYTES) % 64,
                             places[d].partition);
            sampled += header.time_ns & 1;
        }
    }
    assert_int_equal(load.stats.sent_frames, 119999);
    assert_int_equal(sampled, 30000);
    /* 1000 at the start, 1000 in every 12 s, and the measured ones. */
    assert_in_range(load.stats.signed_frames - 1000 - sampled, 4998, 5000);
}

static void a_pool_goes_around(void **state)
{
    static uint8_t first[3][FG_REQUEST_BYTES(1)];
    (void)state;
    set_up(1, "flat", 1000000, 1);
    load.pool_count = 3;
    load.sample = 1000;
    begin();
    assert_int_equal(write_due(10000, 11), 11);
    for (unsigned d = 1; d < 4; d++)
        memcpy(first[d - 1], payloads[d], sizeof(first[0]));
    for (unsigned d = 4; d < 10; d++)
        assert_memory_equal(payloads[d], first[(d - 1) % 3], sizeof(first[0]));
    assert_memory_not_equal(first[0], first[1], sizeof(first[0]));
}

static void retries_ask_for_what_was_admitted(void **state)
{
    static struct fg_request admitted[64 * 40];
    uint64_t known = 0, again = 0, orders = 0;
    (void)state;
    set_up(4, "flat", 1000000, 1);
    load.retries_permille = 100;
    begin();
    assert_int_equal(write_due(800 * 1000, 64), 64);
    assert_int_equal(load.stats.retries, 0);
    for (unsigned d = 0; d < 64; d++) {
        for (unsigned i = 0; i < 4; i++)
            admitted[known++] = entry_of(payloads[d], i);
        hear(payloads[d], FG_VERDICT_ADMITTED, 0, MS);
    }
    for (unsigned turn = 1; turn < 100; turn++) {
        unsigned written = write_due(turn * MS, 64);
        for (unsigned d = 0; d < written; d++)
            for (unsigned i = 0; i < 4; i++, orders++) {
                struct fg_request entry = entry_of(payloads[d], i);
                if (entry.request > known)
                    continue;
                again++;
                assert_memory_equal(&entry, &admitted[entry.request - 1], sizeof(entry));
                assert_int_equal(fg_crc32c(0, entry.buyer, FG_BUYER_BYTES) % 64,
                                 places[d].partition);
            }
    }
    assert_int_equal(again, load.stats.retries);
    assert_in_range(again * 1000, orders * 90, orders * 110);
}

/* In a pool, too; and what was admitted is not asked again by itself: another buyer asks for the
 * same. */
static void a_pool_asks_again_only_what_it_shall(void **state)
{
    enum { POOL = 200, BATCH = 3, OFTEN = 200 };
    static struct fg_request asked[POOL * BATCH];
    uint64_t seen[POOL * BATCH] = {0}, again = 0, orders = 0, anew = 0, same = 0;
    (void)state;
    set_up(BATCH, "flat", 1000000, 1);
    load.pool_count = POOL;
    load.retries_permille = 100;
    begin();
    for (unsigned turn = 0; turn < OFTEN; turn++) {
        unsigned written = write_due(turn * MS, FG_BURST);
        for (unsigned d = 0; d < written; d++) {
            struct fg_header header = header_of(payloads[d]);
            assert_true(header.mac == fg_payload_mac(secret, payloads[d], FG_REQUEST_BYTES(BATCH)));
            for (unsigned i = 0; i < BATCH; i++, orders++) {
                struct fg_request entry = entry_of(payloads[d], i);
                uint64_t number = entry.request - 1, place = load_mix_place(number);
                assert_in_range(place, 0, POOL * BATCH - 1);
                assert_int_equal(fg_partition(entry.buyer, 64), places[d].partition);
                assert_true(number / LOAD_MIX_ANEW <= seen[place]);
                if (number / LOAD_MIX_ANEW < seen[place]) {
                    again++;
                    continue;
                }
                if (seen[place]++ > 0) {
                    anew++;
                    same += memcmp(entry.buyer, asked[place].buyer, FG_BUYER_BYTES) == 0;
                    assert_int_equal(entry.item, asked[place].item);
                }
                asked[place] = entry;
            }
        }
        for (unsigned d = 0; d < written; d++)
            hear(payloads[d], FG_VERDICT_ADMITTED, 0, turn * MS);
    }
    assert_true(seen[0] > 10);
    assert_true(same * 100 < anew); /* drawn, and so now and then the same one */
    assert_int_equal(again, load.stats.retries);
    assert_in_range(again * 1000, orders * 80, orders * 110);
    for (unsigned drop = 0; drop < LOAD_DROP_COUNT; drop++)
        assert_int_equal(load.stats.drops[drop], 0);
}

/* A reply that says ADMITTED about an order asked again is none to remember. */
static void replays_are_not_remembered(void **state)
{
    (void)state;
    set_up(1, "flat", 1000, 1);
    load.retries_permille = 1000;
    begin();
    assert_int_equal(write_due(0, 1), 1);
    hear(payloads[0], FG_VERDICT_ADMITTED, FG_REPLAY, MS);
    hear(payloads[0], FG_VERDICT_SOLD_OUT, 0, MS);
    assert_int_equal(load.rings[places[0].partition].admitted, 0);
    hear(payloads[0], FG_VERDICT_ADMITTED, 0, MS);
    assert_int_equal(load.rings[places[0].partition].admitted, 1);
}

static uint64_t sum_of(const struct load_losses *losses)
{
    uint64_t sum = 0;

#define X(name, why) sum += losses->name;
    LOAD_LOSSES(X)
#undef X
    return sum;
}

static void what_was_offered_is_answered_or_lost_by_a_cause(void **state)
{
    struct load_port port = {.lost = 1};
    struct load_stateless_result result = {.load = &load, .port = &port};
    (void)state;
    set_up(10, "flat", 1000, 1);
    load.stats = (struct load_stateless_stats){.offered = 1000, .sent = 950, .answered = 700};
    result.drops[LOAD_DROP_CHECKSUM] = 2;
    result.drops[LOAD_DROP_MAC] = 1;
    load_stateless_account(&result, 3, 4);
    assert_int_equal(result.offered, 1000);
    assert_int_equal(result.answered, 700);
    assert_int_equal(result.lost, 300);
    assert_int_equal(result.losses.not_sent, 80);
    assert_int_equal(result.losses.unplugged, 10);
    assert_int_equal(result.losses.dropped, 30);
    assert_int_equal(result.losses.missed, 40);
    assert_int_equal(result.losses.unanswered, 140);
    assert_int_equal(sum_of(&result.losses), result.lost);
    assert_int_equal(result.surplus, 0);

    /* Dropped were copies that somebody repeated: nothing is lost twice. */
    load.stats.answered = 980;
    load_stateless_account(&result, 0, 100);
    assert_int_equal(result.lost, 20);
    assert_int_equal(sum_of(&result.losses), 20);
    load.stats.answered = 1010;
    load_stateless_account(&result, 0, 0);
    assert_int_equal(result.answered, 1000);
    assert_int_equal(result.lost, 0);
    assert_int_equal(result.surplus, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(datagrams_leave_when_due_signed_and_named, tear_down),
        cmocka_unit_test_teardown(a_stall_is_not_omitted, tear_down),
        cmocka_unit_test_teardown(flat_out_no_name_is_given_twice, tear_down),
        cmocka_unit_test_teardown(replies_are_counted_and_wrong_ones_dropped, tear_down),
        cmocka_unit_test_teardown(a_pong_is_the_clients, tear_down),
        cmocka_unit_test_teardown(a_pool_stays_fresh, tear_down),
        cmocka_unit_test_teardown(a_pool_goes_around, tear_down),
        cmocka_unit_test_teardown(retries_ask_for_what_was_admitted, tear_down),
        cmocka_unit_test_teardown(a_pool_asks_again_only_what_it_shall, tear_down),
        cmocka_unit_test_teardown(replays_are_not_remembered, tear_down),
        cmocka_unit_test_teardown(what_was_offered_is_answered_or_lost_by_a_cause, tear_down),
    };
    return cmocka_run_group_tests_name("load_stateless", tests, NULL, NULL);
}
