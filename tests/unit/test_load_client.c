/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/load_fixture.h"

static void requests_leave_on_schedule(void **state)
{
    (void)state;
    begin(100, 1);
    assert_int_equal(load_client_offer(&client, 32), 1); /* the first is due at once */
    wire.now_ns += 10 * MS;
    assert_int_equal(load_client_offer(&client, 4), 4);
    assert_int_equal(load_client_offer(&client, 32), 6);
    assert_int_equal(load_client_offer(&client, 32), 0);
    wire.now_ns += MS - 1;
    assert_int_equal(load_client_offer(&client, 32), 0);
    wire.now_ns += 1;
    assert_int_equal(load_client_offer(&client, 32), 1);
}

static void a_datagram_asks_what_the_mix_says(void **state)
{
    (void)state;
    begin(50, 5);
    offer_all();
    assert_int_equal(wire.count, 10);
    for (unsigned d = 0; d < 10; d++) {
        const struct sent *sent = &wire.sent[d];
        assert_int_equal(sent->header.magic[0], 'F');
        assert_int_equal(sent->header.type, FG_TYPE_REQUEST);
        assert_int_equal(sent->header.count, 5);
        assert_int_equal(sent->header.key_id, 9);
        assert_true(d == 0 || sent->header.time_ns > wire.sent[d - 1].header.time_ns);
        for (unsigned i = 0; i < 5; i++) {
            const struct fg_request *entry = &sent->entries[i];
            struct load_want want = load_mix_want(&client.mix, d * 5 + i);
            assert_int_equal(entry->request, d * 5 + i + 1);
            assert_int_equal(entry->op, FG_OP_ORDER);
            assert_int_equal(entry->item, want.item);
            assert_int_equal(entry->quantity, want.quantity);
            assert_int_equal(fg_partition(entry->buyer, 64), sent->partition);
            assert_memory_equal(client.history.records[d * 5 + i].buyer, entry->buyer, 16);
            assert_true(client.history.records[d * 5 + i].sent_ns == sent->header.time_ns);
        }
    }
    assert_int_equal(client.history.header.records, 50);
}

static void flat_out_keeps_to_the_window(void **state)
{
    (void)state;
    begin(20, 1);
    client.rate = 0;
    assert_int_equal(load_client_offer(&client, 32), 8);
    assert_int_equal(load_client_offer(&client, 32), 0);
    answer(3, FG_VERDICT_SOLD_OUT);
    assert_int_equal(load_client_offer(&client, 32), 1);
}

/* Rule 4, to its end: ten retries, then CANCEL until answered. */
static void silence_is_met_by_the_retry_rule(void **state)
{
    static const unsigned mean_ms[] = {50, 100, 200, 400, 800, 1000, 1000, 1000, 1000, 1000, 1000};
    (void)state;
    begin(1, 1);
    load_client_offer(&client, 1);
    pass_ms(20000);
    assert_true(wire.count > 13);
    for (unsigned i = 1; i < wire.count; i++) {
        const struct sent *now = &wire.sent[i], *before = &wire.sent[i - 1];
        unsigned mean = i <= 11 ? mean_ms[i - 1] : mean_ms[i - 12 < 10 ? i - 12 : 10];
        uint64_t waited = (now->at_ns - before->at_ns) / MS;
        assert_in_range(waited, mean / 2, mean * 3 / 2 + 1);
        assert_true(now->header.time_ns > before->header.time_ns);
        assert_int_equal(now->entries[0].op, i <= 10 ? FG_OP_ORDER : FG_OP_CANCEL);
        assert_int_equal(client.history.records[i].attempt, i <= 10 ? i : i - 11);
        assert_memory_equal(now->entries[0].buyer, before->entries[0].buyer, FG_BUYER_BYTES);
        assert_true(now->entries[0].request == before->entries[0].request);
    }
    assert_int_equal(client.stats.given_up, 1);
    assert_int_equal(client.stats.answered, 0);
    assert_false(load_client_done(&client));
    answer(wire.count - 1, FG_VERDICT_CANCELLED);
    assert_true(load_client_done(&client));
    assert_int_equal(client.asks[0].verdict, FG_VERDICT_CANCELLED);
    unsigned count = wire.count;
    pass_ms(5000);
    assert_int_equal(wire.count, count);
}

static void an_answer_to_any_copy_counts_once(void **state)
{
    (void)state;
    begin(1, 1);
    load_client_offer(&client, 1);
    pass_ms(80);
    assert_int_equal(wire.count, 2);
    answer_all(0, &(struct answer){.verdict = FG_VERDICT_ADMITTED, .order = 77});
    assert_true(load_client_done(&client));
    assert_int_equal(client.stats.answered, 1);
    assert_true(client.asks[0].order == 77);
    answer_all(1,
               &(struct answer){.verdict = FG_VERDICT_ADMITTED, .flags = FG_REPLAY, .order = 77});
    assert_int_equal(client.stats.answered, 1);
    assert_int_equal(client.stats.admitted, 1);
    assert_true(client.history.records[1].order == 77);
    assert_int_equal(client.history.records[1].flags, FG_REPLAY);
    answer(1, FG_VERDICT_ADMITTED);
    assert_int_equal(client.stats.drops[LOAD_DROP_NOT_WAITED_FOR], 1);
}

static void latency_counts_from_the_schedule(void **state)
{
    (void)state;
    begin(2, 1);
    load_client_offer(&client, 1);
    answer(0, FG_VERDICT_SOLD_OUT);
    wire.now_ns += 21 * MS; /* request 1 was due after 1 ms */
    load_client_offer(&client, 1);
    wire.now_ns += 3 * MS;
    answer(1, FG_VERDICT_SOLD_OUT);
    assert_int_equal(client.latency.max, 23 * MS);
    assert_int_equal(client.stats.late_ns_max, 20 * MS);
    assert_int_equal(client.stats.late_requests, 1);
    assert_true(load_client_done(&client));
}

static void what_has_no_room_is_neither_sent_nor_lost(void **state)
{
    (void)state;
    begin(1, 1);
    wire.full = true;
    assert_int_equal(load_client_offer(&client, 1), 0);
    assert_int_equal(client.history.header.records, 0);
    assert_int_equal(client.stats.offered, 0);
    wire.full = false;
    assert_int_equal(load_client_offer(&client, 1), 1);
    wire.full = true;
    pass_ms(500);
    assert_int_equal(client.stats.retransmissions, 0);
    wire.full = false;
    pass_ms(2);
    assert_int_equal(wire.count, 2);
    assert_int_equal(client.history.records[1].attempt, 1);
}

static void not_now_is_asked_again_when_told(void **state)
{
    static const uint8_t transient[] = {FG_VERDICT_BUSY, FG_VERDICT_THROTTLED, FG_VERDICT_PAUSED,
                                        FG_VERDICT_NOT_OPEN};
    (void)state;
    begin(1, 1);
    load_client_offer(&client, 1);
    for (unsigned i = 0; i < 4; i++) {
        answer_all(i, &(struct answer){.verdict = transient[i], .wait_ms = 6000});
        pass_ms(5999);
        assert_int_equal(wire.count, i + 1);
        pass_ms(2);
        assert_int_equal(wire.count, i + 2);
        assert_int_equal(client.stats.answered, 0);
    }
    assert_int_equal(client.stats.told_to_wait, 4);
    assert_int_equal(client.stats.retransmissions, 0);
    answer(4, FG_VERDICT_ALL_HELD);
    assert_true(load_client_done(&client));
    assert_int_equal(client.asks[0].verdict, FG_VERDICT_ALL_HELD);
}

static void busy_to_an_old_copy_says_nothing_of_the_new(void **state)
{
    (void)state;
    begin(1, 1);
    load_client_offer(&client, 1);
    pass_ms(80);
    answer_all(0, &(struct answer){.verdict = FG_VERDICT_BUSY, .wait_ms = 60000});
    assert_int_equal(client.asks[0].phase, LOAD_ASKING);
    pass_ms(160);
    assert_int_equal(wire.count, 3); /* the retry rule goes on */
}

static void a_refusal_waits_for_copies_under_way(void **state)
{
    (void)state;
    begin(1, 1);
    client.mix.double_click_permille = 1000;
    load_client_offer(&client, 1);
    assert_int_equal(wire.count, 2);
    assert_int_equal(client.stats.double_clicks, 1);
    assert_int_equal(client.history.records[1].attempt, 1);
    answer(0, FG_VERDICT_ALL_HELD);
    assert_int_equal(client.stats.answered, 1);
    assert_false(load_client_done(&client));
    answer_all(1, &(struct answer){.verdict = FG_VERDICT_ADMITTED, .order = 5});
    assert_true(load_client_done(&client));
    assert_int_equal(client.asks[0].verdict, FG_VERDICT_ADMITTED);
    assert_int_equal(client.stats.admitted, 1);
    assert_int_equal(client.stats.answered, 1);
}

static void a_refusal_whose_copy_stays_out_is_cancelled(void **state)
{
    (void)state;
    begin(1, 1);
    client.mix.double_click_permille = 1000;
    load_client_offer(&client, 1);
    answer(0, FG_VERDICT_SOLD_OUT);
    pass_ms(80);
    assert_int_equal(wire.count, 3);
    assert_int_equal(wire.sent[2].entries[0].op, FG_OP_CANCEL);
    answer(2, FG_VERDICT_CANCELLED);
    assert_true(load_client_done(&client));
    assert_int_equal(client.asks[0].verdict, FG_VERDICT_SOLD_OUT);
}

static void a_held_order_is_settled_after_thought(void **state)
{
    const struct answer held = {
        .verdict = FG_VERDICT_ADMITTED, .flags = FG_HELD, .order = 11, .wait_ms = 1000};
    (void)state;
    begin(3, 1);
    offer_all();
    client.mix.confirm_percent = 100;
    answer_all(0, &held);
    pass_ms(20);
    assert_int_equal(wire.count, 3);
    pass_ms(1);
    assert_int_equal(wire.count, 4);
    assert_int_equal(wire.sent[3].entries[0].op, FG_OP_CONFIRM);
    assert_true(wire.sent[3].entries[0].order == 11);
    assert_int_equal(client.history.records[3].attempt, 0);
    answer_all(3, &(struct answer){.verdict = FG_VERDICT_CONFIRMED, .order = 11});
    assert_int_equal(client.asks[0].fate, LOAD_CONFIRMED);
    assert_int_equal(client.stats.finished, 1);

    client.mix.confirm_percent = 0;
    client.mix.cancel_percent = 100;
    answer_all(1, &held);
    pass_ms(21);
    assert_int_equal(wire.sent[4].entries[0].op, FG_OP_CANCEL);
    answer_all(4, &(struct answer){.verdict = FG_VERDICT_EXPIRED, .order = 11});
    assert_int_equal(client.asks[1].fate, LOAD_EXPIRED);

    client.mix.cancel_percent = 0;
    answer_all(2, &held);
    assert_int_equal(client.asks[2].fate, LOAD_LEFT);
    assert_true(load_client_done(&client));
    assert_int_equal(client.stats.confirms, 1);
    assert_int_equal(client.stats.cancels, 1);
}

static void a_repeat_asks_the_same_once_more(void **state)
{
    const struct answer admitted = {.verdict = FG_VERDICT_ADMITTED, .order = 3};
    (void)state;
    begin(1, 1);
    client.mix.repeat_permille = 1000;
    load_client_offer(&client, 1);
    answer_all(0, &admitted);
    assert_false(load_client_done(&client));
    for (unsigned ms = 0; ms < 502 && wire.count < 2; ms++)
        pass_ms(1);
    assert_int_equal(wire.count, 2);
    assert_memory_equal(&wire.sent[1].entries[0], &wire.sent[0].entries[0], 40);
    assert_int_equal(client.history.records[1].attempt, 1);
    answer_all(1, &admitted);
    assert_true(load_client_done(&client));
    assert_int_equal(client.stats.repeats, 1);
    assert_int_equal(client.stats.answered, 1);
    assert_int_equal(client.stats.admitted, 1);
}

/* A repeat that nobody answers must not withdraw what its buyer has. */
static void an_unanswered_repeat_cancels_nothing(void **state)
{
    (void)state;
    begin(1, 1);
    client.mix.repeat_permille = 1000;
    load_client_offer(&client, 1);
    answer_all(0, &(struct answer){.verdict = FG_VERDICT_ADMITTED, .order = 3});
    pass_ms(20000);
    assert_true(load_client_done(&client));
    assert_int_equal(wire.count, 12);
    for (unsigned i = 0; i < wire.count; i++)
        assert_int_equal(wire.sent[i].entries[0].op, FG_OP_ORDER);
}

static void a_busy_datagram_stays_whole(void **state)
{
    struct answer answers[4] = {{FG_VERDICT_BUSY, 0, 0, 5},
                                {FG_VERDICT_THROTTLED, 0, 0, 30},
                                {FG_VERDICT_BUSY, 0, 0, 5},
                                {FG_VERDICT_BUSY, 0, 0, 5}};
    (void)state;
    begin(4, 4);
    load_client_offer(&client, 1);
    answer_all(0, answers);
    pass_ms(30);
    assert_int_equal(wire.count, 1);
    pass_ms(1);
    assert_int_equal(wire.count, 2);
    assert_int_equal(wire.sent[1].header.count, 4);
    for (unsigned i = 0; i < 4; i++)
        answers[i].verdict = FG_VERDICT_SOLD_OUT;
    answer_all(1, answers);
    assert_true(load_client_done(&client));
    assert_int_equal(client.stats.answered, 4);
}

static void what_is_not_final_leaves_its_datagram(void **state)
{
    const struct answer answers[4] = {{FG_VERDICT_SOLD_OUT, 0, 0, 0},
                                      {FG_VERDICT_BUSY, 0, 0, 10},
                                      {FG_VERDICT_ADMITTED, 0, 21, 0},
                                      {FG_VERDICT_MISROUTED, 0, 0, 0}};
    (void)state;
    begin(4, 4);
    load_client_offer(&client, 1);
    answer_all(0, answers);
    assert_int_equal(client.stats.answered, 2);
    pass_ms(12);
    assert_int_equal(wire.count, 4);
    unsigned pings = 0, alone[4] = {0};
    for (unsigned i = 1; i < 4; i++) {
        assert_int_equal(wire.sent[i].header.count, 1);
        if (wire.sent[i].entries[0].op == FG_OP_PING)
            pings++;
        else
            alone[wire.sent[i].entries[0].request - 1]++;
    }
    assert_int_equal(pings, 1);
    assert_int_equal(alone[1], 1);
    assert_int_equal(alone[3], 1);
}

/* Silence about a whole datagram: it goes again whole, and at the end each one cancels for itself.
 */
static void an_unanswered_datagram_is_cancelled_one_by_one(void **state)
{
    (void)state;
    begin(3, 3);
    load_client_offer(&client, 1);
    pass_ms(14000);
    unsigned cancels[3] = {0};
    for (unsigned i = 0; i < wire.count; i++) {
        assert_int_equal(wire.sent[i].header.count, i < 11 ? 3 : 1);
        if (i >= 11) {
            assert_int_equal(wire.sent[i].entries[0].op, FG_OP_CANCEL);
            if (cancels[wire.sent[i].entries[0].request - 1]++ == 0)
                answer(i, FG_VERDICT_CANCELLED);
        }
    }
    for (unsigned i = 0; i < 3; i++)
        assert_true(cancels[i] > 0);
    assert_true(load_client_done(&client));
    assert_int_equal(client.stats.given_up, 3);
}

/* A retry of the whole is under way when the first copy's mixed answer comes. */
static void a_late_mixed_answer_leaves_every_ask_alive(void **state)
{
    const struct answer mixed[2] = {{FG_VERDICT_SOLD_OUT, 0, 0, 0}, {FG_VERDICT_BUSY, 0, 0, 9}};
    const struct answer refused[2] = {{FG_VERDICT_SOLD_OUT, 0, 0, 0},
                                      {FG_VERDICT_SOLD_OUT, 0, 0, 0}};
    (void)state;
    begin(2, 2);
    load_client_offer(&client, 1);
    pass_ms(80);
    assert_int_equal(wire.count, 2);
    answer_all(0, mixed);
    pass_ms(1);
    assert_false(load_client_done(&client));
    answer_all(1, refused);
    assert_true(load_client_done(&client));
    assert_int_equal(client.stats.answered, 2);
}

static void pong_tells_how_to_steer(void **state)
{
    (void)state;
    begin(1, 1);
    ping(&(struct fg_reply){
        .order = 6, .item = 128, .quantity = 4096, .verdict = FG_VERDICT_PONG, .wait_ms = 3});
    assert_true(client.ponged);
    assert_int_equal(client.partitions, 128);
    assert_int_equal(client.base_port, 4096);
    assert_int_equal(client.workers, 3);
    assert_true(client.epoch == 6);
}

/* Each way in which a payload may not be the answer; the datagram stays waited for. */
static void what_is_no_answer_is_dropped_by_cause(void **state)
{
    static const struct {
        size_t at; /* byte to spoil */
        uint8_t with;
        enum load_drop drop;
    } spoils[] = {
        {0, 1, LOAD_DROP_MALFORMED},
        {2, 3, LOAD_DROP_MALFORMED},
        {3, 3, LOAD_DROP_MALFORMED},
        {5, 1, LOAD_DROP_MALFORMED},
        {4, 2 ^ 3, LOAD_DROP_MALFORMED},
        {9, 1, LOAD_DROP_NOT_WAITED_FOR},
        {24, 1, LOAD_DROP_ENTRY_DIFFERS},
        {46, 0x40, LOAD_DROP_VERDICT},
        {6, 1, LOAD_DROP_MAC},
        {16, 1, LOAD_DROP_MAC},
        {32, 1, LOAD_DROP_MAC},
        {80, 1, LOAD_DROP_MAC},
    };
    const struct answer answers[2] = {{FG_VERDICT_SOLD_OUT, 0, 0, 0},
                                      {FG_VERDICT_SOLD_OUT, 0, 0, 0}};
    uint8_t payload[FG_REPLY_BYTES(2)];
    (void)state;
    begin(2, 2);
    load_client_offer(&client, 1);
    size_t length = make_reply(0, answers, payload);
    for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
        uint64_t before = client.stats.drops[spoils[i].drop];
        payload[spoils[i].at] ^= spoils[i].with;
        load_client_receive(&client, wire.now_ns, payload, length);
        payload[spoils[i].at] ^= spoils[i].with;
        assert_int_equal(client.stats.drops[spoils[i].drop], before + 1);
    }
    for (size_t cut = 0; cut < length; cut++)
        load_client_receive(&client, wire.now_ns, payload, cut);
    assert_int_equal(client.stats.received, 0);
    assert_int_equal(client.stats.answered, 0);
    load_client_receive(&client, wire.now_ns, payload, length);
    assert_int_equal(client.stats.answered, 2);
}

static void another_count_is_no_answer(void **state)
{
    const struct answer one = {.verdict = FG_VERDICT_SOLD_OUT};
    uint8_t payload[FG_REPLY_BYTES(2)];
    (void)state;
    begin(2, 2);
    load_client_offer(&client, 1);
    wire.sent[0].header.count = 1;
    size_t length = make_reply(0, &one, payload);
    load_client_receive(&client, wire.now_ns, payload, length);
    assert_int_equal(client.stats.drops[LOAD_DROP_COUNT_DIFFERS], 1);
}

static void names_of_lost_datagrams_are_forgotten(void **state)
{
    (void)state;
    begin(1, 1);
    client.mix.double_click_permille = 1000;
    load_client_offer(&client, 1);
    answer_all(0, &(struct answer){.verdict = FG_VERDICT_ADMITTED, .order = 3});
    assert_int_equal(client.pending.count, 1);
    pass_ms(9900);
    assert_int_equal(client.pending.count, 1);
    pass_ms(200);
    assert_int_equal(client.pending.count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, end)
    const struct CMUnitTest tests[] = {
        TEST(requests_leave_on_schedule),
        TEST(a_datagram_asks_what_the_mix_says),
        TEST(flat_out_keeps_to_the_window),
        TEST(silence_is_met_by_the_retry_rule),
        TEST(an_answer_to_any_copy_counts_once),
        TEST(latency_counts_from_the_schedule),
        TEST(what_has_no_room_is_neither_sent_nor_lost),
        TEST(not_now_is_asked_again_when_told),
        TEST(busy_to_an_old_copy_says_nothing_of_the_new),
        TEST(a_refusal_waits_for_copies_under_way),
        TEST(a_refusal_whose_copy_stays_out_is_cancelled),
        TEST(a_held_order_is_settled_after_thought),
        TEST(a_repeat_asks_the_same_once_more),
        TEST(an_unanswered_repeat_cancels_nothing),
        TEST(a_busy_datagram_stays_whole),
        TEST(what_is_not_final_leaves_its_datagram),
        TEST(an_unanswered_datagram_is_cancelled_one_by_one),
        TEST(a_late_mixed_answer_leaves_every_ask_alive),
        TEST(pong_tells_how_to_steer),
        TEST(what_is_no_answer_is_dropped_by_cause),
        TEST(another_count_is_no_answer),
        TEST(names_of_lost_datagrams_are_forgotten),
    };
    return cmocka_run_group_tests_name("load_client", tests, NULL, NULL);
}
