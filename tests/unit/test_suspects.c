/* SPDX-License-Identifier: BSD-3-Clause */
/* The sketch of who is refused for its rate most, by itself and in an admission. */
#include "tests/unit/shop.h"

#include "dataplane/admission/internal.h"

static struct fg_suspects sketch;
static struct fg_suspect list[FG_SUSPECTS_MAX];
static uint64_t chance;

static uint64_t draw(uint64_t below)
{
    return fg_random_next(&chance) % below;
}

static int begin(void **state)
{
    (void)state;
    memset(&sketch, 0, sizeof(sketch));
    chance = 77;
    return 0;
}

static uint64_t hash_of(uint64_t number)
{
    uint64_t state = number + 1;
    return fg_random_next(&state) ^ fg_random_next(&state) << 7;
}

static struct fg_suspect who(uint64_t number, uint32_t sale, uint16_t key)
{
    struct fg_suspect suspect = {.sale = sale, .key = key, .source = fg_ip_of_v4(0x0a000000 + key)};
    memcpy(suspect.buyer, &number, sizeof(number));
    return suspect;
}

static void note(uint64_t number, uint32_t now_ms)
{
    struct fg_suspect suspect = who(number, 1, 7);
    fg_suspects_note(&sketch, hash_of(number), &suspect, now_ms);
}

static const struct fg_suspect *find(uint64_t number)
{
    unsigned count = fg_suspects_list(&sketch, list);
    for (unsigned i = 0; i < count; i++)
        if (memcmp(list[i].buyer, &number, sizeof(number)) == 0)
            return &list[i];
    return NULL;
}

static void test_few_are_counted_exactly(void **state)
{
    (void)state;
    for (uint32_t ms = 1; ms <= 1000; ms++)
        for (uint64_t number = 1; number <= 20; number++)
            if (ms % number == 0)
                note(number, ms);
    assert_int_equal(fg_suspects_list(&sketch, list), 20);
    for (uint32_t number = 1; number <= 20; number++) {
        const struct fg_suspect *it = find(number);
        assert_non_null(it);
        assert_int_equal(it->count, 1000 / number);
        assert_int_equal(it->error, 0);
        assert_int_equal(it->first_ms, number);
        assert_int_equal(it->last_ms, 1000 / number * number);
        assert_int_equal(it->key, 7);
        assert_true(fg_ip_same(it->source, fg_ip_of_v4(0x0a000007)));
    }
}

/* A buyer in two sales is two; the last key and source are told; buyers whose hashes are the same
 * are told apart. */
static void test_who_is_who(void **state)
{
    (void)state;
    struct fg_suspect one = who(1, 1, 7), elsewhere = who(1, 2, 7), two = who(2, 1, 7);
    struct fg_suspect later = who(1, 1, 8);
    struct fg_suspect key = {.key = 7}, other_key = {.key = 8};
    fg_suspects_note(&sketch, 5, &one, 1);
    fg_suspects_note(&sketch, 5, &elsewhere, 2);
    fg_suspects_note(&sketch, 5, &two, 3);
    fg_suspects_note(&sketch, 5, &later, 4);
    fg_suspects_note(&sketch, 5, &key, 5);
    fg_suspects_note(&sketch, 5, &other_key, 6);
    fg_suspects_note(&sketch, 5, &key, 7);
    assert_int_equal(fg_suspects_list(&sketch, list), 5);
    for (unsigned i = 0; i < 5; i++)
        if (list[i].sale == 1 && list[i].buyer[0] == 1) {
            assert_int_equal(list[i].count, 2);
            assert_int_equal(list[i].key, 8);
            assert_int_equal(list[i].first_ms, 1);
            assert_int_equal(list[i].last_ms, 4);
            assert_true(fg_ip_same(list[i].source, fg_ip_of_v4(0x0a000008)));
        } else {
            assert_int_equal(list[i].count, list[i].sale == 0 && list[i].key == 7 ? 2 : 1);
        }
}

/* Among very many that are refused once or twice, whoever is refused often is in it; no count is
 * too low, and none too high by more than is told. */
static void test_heavy_hitters_are_found(void **state)
{
    (void)state;
    enum { HEAVY = 24, OTHERS = 100000, NOTED = 400000 };
    static uint32_t counts[OTHERS];
    uint32_t of_set[FG_SUSPECT_SETS] = {0};
    for (int i = 0; i < NOTED; i++) {
        uint64_t number = draw(4) == 0 ? draw(HEAVY) : HEAVY + draw(OTHERS - HEAVY);
        counts[number]++;
        of_set[hash_of(number) % FG_SUSPECT_SETS]++;
        note(number, (uint32_t)i / 1000);
    }
    unsigned count = fg_suspects_list(&sketch, list);
    assert_int_equal(count, FG_SUSPECTS_MAX);
    uint64_t total = 0;
    for (unsigned i = 0; i < count; i++) {
        uint64_t number;
        memcpy(&number, list[i].buyer, sizeof(number));
        assert_true(list[i].count >= counts[number]);
        assert_true(list[i].count - list[i].error <= counts[number]);
        assert_true(list[i].error <= of_set[hash_of(number) % FG_SUSPECT_SETS] / FG_SUSPECT_WAYS);
        total += list[i].count;
    }
    assert_int_equal(total, NOTED); /* all that was noted stands somewhere */
    unsigned sure = 0;
    for (uint64_t number = 0; number < OTHERS; number++)
        if (counts[number] > of_set[hash_of(number) % FG_SUSPECT_SETS] / FG_SUSPECT_WAYS) {
            assert_non_null(find(number));
            sure++;
        }
    assert_true(sure >= HEAVY / 2);
}

static void pass(uint32_t *now_ms, uint32_t ms)
{
    for (; ms > 0; ms--)
        fg_suspects_tick(&sketch, ++*now_ms);
}

/* A minute halves; what has not been seen for long is gone, and leaves room. */
static void test_it_forgets(void **state)
{
    (void)state;
    uint32_t now_ms = UINT32_MAX - 100000; /* the clock comes round on the way */
    sketch.halved_ms = now_ms;
    for (uint64_t number = 1; number <= 8; number++)
        for (uint64_t i = 0; i < 1024 * number; i++)
            note(number, now_ms);
    for (uint32_t minutes = 1; minutes <= 10; minutes++) {
        pass(&now_ms, FG_SUSPECT_HALVED_MS);
        for (uint64_t number = 1; number <= 8; number++)
            assert_int_equal(find(number)->count, 1024 * number >> minutes);
    }
    pass(&now_ms, FG_SUSPECT_HALVED_MS);
    assert_null(find(1));
    assert_int_equal(find(8)->count, 4);
    pass(&now_ms, 3 * FG_SUSPECT_HALVED_MS);
    assert_int_equal(fg_suspects_list(&sketch, list), 0);
    note(1, now_ms);
    assert_int_equal(find(1)->error, 0);
    assert_int_equal(find(1)->first_ms, now_ms);
}

/* Every third of a minute a bot is refused, others are all the time: it stands at the head. */
static void test_errors_fade_too(void **state)
{
    (void)state;
    uint32_t now_ms = 0;
    for (int i = 0; i < 200000; i++)
        note(1000 + draw(50000), now_ms);
    for (int i = 0; i < 500; i++)
        note(1, now_ms);
    uint32_t error = find(1)->error;
    assert_true(error > 100);
    pass(&now_ms, FG_SUSPECT_HALVED_MS);
    assert_int_equal(find(1)->error, error / 2);
    assert_true(find(1)->count - find(1)->error >= 249);
}

/* --- In an admission --- */

static struct shop shop;
static struct fg_suspects_view view;
static unsigned sources_asked;

static struct fg_ip source_of(const void *packet)
{
    sources_asked++;
    assert_ptr_equal(packet, shop.payload);
    return fg_ip_of_v4(0xc0000211);
}

static const struct fg_suspect *buyer_in_view(uint32_t number, uint32_t sale)
{
    uint8_t buyer[FG_BUYER_BYTES];
    shop_buyer(&shop, 0, number, buyer);
    for (uint32_t i = 0; i < view.buyers_count; i++)
        if (view.buyers[i].sale == sale && memcmp(view.buyers[i].buyer, buyer, sizeof(buyer)) == 0)
            return &view.buyers[i];
    return NULL;
}

static void test_refusals_are_noted(void **state)
{
    (void)state;
    shop_open(&shop, 1, 100);
    struct fg_admission *a = shop.admissions[0];
    a->config.source = source_of;
    a->rates.penalties.rule = (struct fg_penalty_rule){40, 10000, 3000, 3000};
    fg_rates_set_item(shop_item(&shop, ITEM_PLAIN), 2, 1);
    fg_rates_set_item(shop_item(&shop, ITEM_OTHER_SALE), 2, 1);
    /* whoever keeps to its rate is not in it, and nothing was asked for it */
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 1, 1, ITEM_PLAIN, 1), ADMITTED, 0);
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 2, 1, ITEM_PLAIN, 1), ADMITTED, 0);
    fg_admission_suspects(a, &shop.now, &view);
    assert_int_equal(view.buyers_count + view.keys_count + sources_asked, 0);
    for (uint64_t i = 2; i < 12; i++)
        assert_verdict(shop_do(&shop, FG_OP_ORDER, 1, i, ITEM_PLAIN, 1), THROTTLED, 0);
    for (uint64_t i = 2; i < 102; i++)
        assert_verdict(shop_do(&shop, FG_OP_ORDER, 2, i, ITEM_PLAIN, 1), THROTTLED, 0);
    for (uint64_t i = 1; i < 4; i++)
        shop_do(&shop, FG_OP_ORDER, 2, 200 + i, ITEM_OTHER_SALE, 1);
    for (uint64_t i = 2; i < 6; i++) /* a second passes after twice the rate */
        shop_do(&shop, FG_OP_QUERY, 1, 1, ITEM_PLAIN, 1);
    shop_pass(&shop, 1000);
    /* above its key's rate the key alone is noted */
    fg_rates_set_key(&shop.ring.keys[0], 1, 1);
    shop_do(&shop, FG_OP_PING, 0, 0, 0, 0);
    assert_verdict(shop_do(&shop, FG_OP_PING, 0, 0, 0, 0), THROTTLED, 0);
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 3, 1, ITEM_PLAIN, 1), THROTTLED, 0);
    fg_admission_suspects(a, &shop.now, &view);
    assert_int_equal(view.buyers_count, 3);
    const struct fg_suspect *it = buyer_in_view(1, 1);
    assert_int_equal(it->count, 10 + 3);
    assert_int_equal(it->penalty_ms, 0);
    it = buyer_in_view(2, 1);
    assert_int_equal(it->count, 100);
    assert_int_equal(it->penalty_ms, 2000);
    assert_int_equal(it->key, 7);
    assert_int_equal(view.now_ms - it->last_ms, 1000);
    assert_true(fg_ip_same(it->source, fg_ip_of_v4(0xc0000211)));
    it = buyer_in_view(2, 2);
    assert_int_equal(it->count, 2);
    assert_int_equal(it->penalty_ms, 0);
    assert_int_equal(view.keys_count, 1);
    assert_int_equal(view.keys[0].key, 7);
    assert_int_equal(view.keys[0].count, 13 + 100 + 2 + 2);
    assert_int_equal(view.now_ms - view.keys[0].last_ms, 0);
    assert_int_equal(sources_asked, 13 + 100 + 2 + 2);
    shop_pass(&shop, 12 * FG_SUSPECT_HALVED_MS);
    fg_admission_suspects(a, &shop.now, &view);
    assert_int_equal(view.buyers_count + view.keys_count, 0);
    shop_close(&shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_few_are_counted_exactly, begin),
        cmocka_unit_test_setup(test_who_is_who, begin),
        cmocka_unit_test_setup(test_heavy_hitters_are_found, begin),
        cmocka_unit_test_setup(test_it_forgets, begin),
        cmocka_unit_test_setup(test_errors_fade_too, begin),
        cmocka_unit_test(test_refusals_are_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
