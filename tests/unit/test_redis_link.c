/* SPDX-License-Identifier: BSD-3-Clause */
/* The Redis link against a real Redis: what a stream gets, fences, keys, connecting. */
#include <inttypes.h>

#include "redis_link_fixture.h"

/* --- what a stream gets ------------------------------------------------------------------- */

static void test_entries_exact(void **state)
{
    (void)state;
    struct fg_order_event events[2] = {
        {.kind = FG_EVENT_ADMIT,
         .quantity = 65535,
         .item = UINT32_MAX,
         .sale = 1,
         .hold_ms = 604800000,
         .sale_seq = 1,
         .order = UINT64_MAX,
         .buyer = {0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff, 0x10, 0xa5, 0, 0, 0, 0, 0, 0, 0, 0x0f},
         .request = UINT64_MAX - 1,
         .at_ns = 1753100000123456789},
        {.kind = FG_EVENT_REFUSE_LATE, .sale = 1, .sale_seq = 2},
    };
    struct fg_record records[2] = {{.epoch = 3, .order = &events[0]},
                                   {.epoch = EPOCH, .order = &events[1]}};
    struct fg_redis_append call = {.sale = "spring", .count = 2, .records = records};
    assert_int_equal(link_->append(link_->context, &call), FG_REDIS_OK);
    assert_int_equal(call.last.epoch, EPOCH);
    assert_int_equal(call.last.sale_seq, 2);

    static const char *const wanted[2][17] = {
        {"3-1", "event", "ADMIT", "order", "18446744073709551615", "buyer",
         "00017f80feff10a5000000000000000f", "request", "18446744073709551614", "item",
         "4294967295", "quantity", "65535", "at", "1753100000123456789", "hold_ms", "604800000"},
        {"7-2", "event", "REFUSE_LATE", "order", "0", "buyer", "00000000000000000000000000000000",
         "request", "0", "item", "0", "quantity", "0", "at", "0", "hold_ms", "0"},
    };
    redisReply *reply = admin("XRANGE " STREAM " - +");
    assert_int_equal(reply->elements, 2);
    for (unsigned i = 0; i < 2; i++) {
        redisReply *entry = reply->element[i];
        assert_string_equal(entry->element[0]->str, wanted[i][0]);
        assert_int_equal(entry->element[1]->elements, 16);
        for (unsigned field = 0; field < 16; field++)
            assert_string_equal(entry->element[1]->element[field]->str, wanted[i][field + 1]);
    }
    freeReplyObject(reply);
}

static void test_greatest_append(void **state)
{
    (void)state;
    struct fg_record records[FG_REDIS_APPEND_MAX];
    struct fg_order_event events[FG_REDIS_APPEND_MAX];
    char sale[FG_SALE_NAME_MAX + 1] = {0};
    memset(sale, 's', FG_SALE_NAME_MAX);
    const uint64_t before = (UINT64_C(1) << 53) - FG_REDIS_APPEND_MAX - 2;
    for (unsigned i = 0; i < FG_REDIS_APPEND_MAX; i++) {
        memset(&events[i], 0xff, sizeof(events[i]));
        events[i].kind = FG_EVENT_REFUSE_LATE;
        events[i].sale_seq = before + 1 + i;
        records[i] = (struct fg_record){.epoch = FG_EPOCH_MAX, .order = &events[i]};
    }
    struct fg_redis_config config = plain_config();
    config.epoch = FG_EPOCH_MAX;
    config.instance = UINT64_MAX;
    struct fg_redis_link *link = open_link(config);
    assert_int_equal(link->connect(link->context), FG_REDIS_OK);
    ADMIN("XADD flashgate:{%s}:orders %d-%" PRIu64 " a b", sale, FG_EPOCH_MAX, before);
    struct fg_redis_append call = {.sale = sale,
                                   .expected = {FG_EPOCH_MAX, before},
                                   .count = FG_REDIS_APPEND_MAX,
                                   .records = records};
    assert_int_equal(link->append(link->context, &call), FG_REDIS_OK);
    assert_int_equal(call.last.sale_seq, before + FG_REDIS_APPEND_MAX);
    fg_redis_link_destroy(link);
}

static void test_claim_of_missing_stream(void **state)
{
    (void)state;
    assert_claim(0, 0);
    assert_fence("7:42");
    assert_int_equal(stream_length(), 0);
}

static void test_gap_appends_nothing(void **state)
{
    (void)state;
    struct fg_stream_id last = {0};
    assert_int_equal(append(0, 0, 3), FG_REDIS_OK);
    assert_int_equal(append_with(link_, (struct fg_stream_id){EPOCH, 2}, 2, EPOCH, &last),
                     FG_REDIS_GAP);
    assert_int_equal(last.epoch, EPOCH);
    assert_int_equal(last.sale_seq, 3);
    assert_int_equal(append(EPOCH, 4, 1), FG_REDIS_GAP);
    /* The right number under another epoch is another entry. */
    assert_int_equal(append(EPOCH - 1, 3, 1), FG_REDIS_GAP);
    assert_int_equal(stream_length(), 3);
    assert_int_equal(append(EPOCH, 3, 1), FG_REDIS_OK);
    assert_int_equal(stream_length(), 4);
}

static void test_last_id_survives_trim_but_not_del(void **state)
{
    (void)state;
    assert_int_equal(append(0, 0, 3), FG_REDIS_OK);
    ADMIN("XTRIM " STREAM " MAXLEN 0");
    assert_claim(EPOCH, 3);
    assert_int_equal(append(EPOCH, 3, 1), FG_REDIS_OK);
    ADMIN("DEL " STREAM);
    assert_claim(0, 0);
    assert_int_equal(append(EPOCH, 4, 1), FG_REDIS_GAP);
    assert_int_equal(append(0, 0, 4), FG_REDIS_OK);
}

/* Everything is checked before the first entry is added. */
static void test_all_or_nothing(void **state)
{
    (void)state;
    struct fg_record records[3];
    struct fg_order_event events[3];
    struct fg_redis_append call = {.sale = "spring", .count = 3, .records = records};

    make_records(records, events, 3, EPOCH, 1);
    events[2].sale_seq = 4;
    assert_int_equal(link_->append(link_->context, &call), FG_REDIS_REFUSED);
    assert_non_null(strstr(link_->error(link_->context), "7-4 does not follow 7-2"));

    make_records(records, events, 3, EPOCH, 1);
    records[2].epoch = EPOCH - 1;
    assert_int_equal(link_->append(link_->context, &call), FG_REDIS_REFUSED);

    make_records(records, events, 3, EPOCH, 1);
    records[2].epoch = EPOCH + 1; /* later than the engine that sends it */
    assert_int_equal(link_->append(link_->context, &call), FG_REDIS_REFUSED);

    assert_int_equal(stream_length(), 0);
}

/* Calls the function as it stands, for one entry after another: true if it takes them. Their ids
 * are texts, of `sale_seq` from `expected` + 1 on, unless another is given for the one at `odd`. */
static bool takes_ids(uint64_t expected, unsigned count, unsigned odd, const char *odd_id)
{
    enum { HEAD = 7 + 8, ENTRY = 1 + 8, ENTRIES = 20 };
    static const char *const head[HEAD] = {"FCALL", "append", "2", STREAM, FENCE, "7:42", NULL, "8",
                                           "a",     "b",      "c", "d",    "e",   "f",    "g"};
    const char *words[HEAD + 1 + ENTRIES * ENTRY];
    char before[32], ids[ENTRIES][32];
    int used = HEAD + 1;
    assert_true(count <= ENTRIES);
    memcpy(words, head, sizeof(head));
    snprintf(before, sizeof(before), "7-%" PRIu64, expected);
    words[6] = before;
    words[HEAD] = "h";
    for (unsigned i = 0; i < count; i++) {
        snprintf(ids[i], sizeof(ids[i]), "7-%" PRIu64, expected + 1 + i);
        words[used++] = i == odd ? odd_id : ids[i];
        for (unsigned field = 0; field < 8; field++)
            words[used++] = "v";
    }
    redisReply *reply = redisCommandArgv(redis.admin, used, words, NULL);
    bool taken = reply->type == REDIS_REPLY_ARRAY && strcmp(reply->element[0]->str, "OK") == 0;
    if (!taken && (reply->type != REDIS_REPLY_ERROR || strncmp(reply->str, "BADCALL ", 8) != 0))
        fail_msg("%s was answered strangely", odd_id ? odd_id : "a whole call");
    freeReplyObject(reply);
    return taken;
}

/* The entry `at` of a call, with this id, is found out. */
__attribute__((format(printf, 3, 4))) static void refuses(uint64_t expected, unsigned at,
                                                          const char *format, ...)
{
    char id[64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(id, sizeof(id), format, arguments);
    va_end(arguments);
    if (takes_ids(expected, 20, at, id))
        fail_msg("%s was taken at %u after %" PRIu64, id, at, expected);
}

/* Ids are compared as text where they can be, and that must refuse what numbers refuse. */
static void test_ids_across_thousands(void **state)
{
    (void)state;
    static const uint64_t begins[] = {1,    989,    1000,      1990,
                                      9989, 999990, 999999989, 9007199254740900};
    for (unsigned i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
        uint64_t begin = begins[i];
        for (unsigned at = 0; at < 20; at++) {
            uint64_t right = begin + 1 + at, low = right % 1000;
            refuses(begin, at, "7-%" PRIu64, right - 1);
            refuses(begin, at, "7-%" PRIu64, right + 1);
            refuses(begin, at, "7-%" PRIu64, right + 1000);
            refuses(begin, at, "7-%" PRIu64, right > 1000 ? right - 1000 : 0);
            refuses(begin, at, "7-%" PRIu64, right / 10);
            refuses(begin, at, "7-%" PRIu64 "x", right);
            refuses(begin, at, "6-%" PRIu64, right);
            refuses(begin, at, "%03" PRIu64, low);
            if (right >= 1000 && low < 100) /* the zeros left out */
                refuses(begin, at, "7-%" PRIu64 "%" PRIu64, right / 1000, low);
        }
        ADMIN("DEL " STREAM);
        ADMIN("XADD " STREAM " 7-%" PRIu64 " a b", begin);
        assert_true(takes_ids(begin, 20, 20, NULL));
        assert_int_equal(stream_length(), 21);
    }
}

static void test_function_refuses_malformed_calls(void **state)
{
    (void)state;
    static const char *const calls[] = {
        "",
        "7:42",
        "42 0-0",
        "7:42 0",
        "7:42 0-0 1",
        "7:42 0-0 1 a",
        "7:42 0-0 1 a 7-1",
        "7:42 0-0 1 a 7-1 v 7-2",
        "7:42 0-0 0 7-1",
        "7:42 0-0 x a 7-1 v",
        "7:42 0-0 1 a 7-1 v",
        "7:42 0-0 7 a b c d e f g 7-1 1 2 3 4 5 6 7",
        "7:42 0-0 9 a b c d e f g h i 7-1 1 2 3 4 5 6 7 8 9",
        "7:42 0-0 8 a b c d e f g h",
        "7:42 0-0 8 a b c d e f g h 7-1",
        "7:42 0-0 8 a b c d e f g h 7-1 1 2 3 4 5 6 7 8 7-2",
        "7:42 0-0 8 a b c d e f g h 7.1 1 2 3 4 5 6 7 8",
    };
    for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        char command[128];
        snprintf(command, sizeof(command), "FCALL append 2 " STREAM " " FENCE " %s", calls[i]);
        redisReply *reply = redisCommand(redis.admin, command);
        assert_int_equal(reply->type, REDIS_REPLY_ERROR);
        if (strncmp(reply->str, "BADCALL ", 8) != 0)
            fail_msg("'%s' was answered: %s", calls[i], reply->str);
        freeReplyObject(reply);
    }
    assert_int_equal(stream_length(), 0);
}

/* --- fences and foreign keys -------------------------------------------------------------- */

static void test_fence(void **state)
{
    (void)state;
    ADMIN("SET " FENCE " 6:999999");
    assert_int_equal(append(0, 0, 1), FG_REDIS_OK); /* an older engine's fence is raised */
    assert_fence("7:42");

    static const char *const newer[] = {"8:42", "7:43", "10:1"};
    for (unsigned i = 0; i < 3; i++) {
        ADMIN("SET " FENCE " %s", newer[i]);
        assert_int_equal(append(EPOCH, 1, 1), FG_REDIS_FENCED);
        assert_int_equal(append(EPOCH, 1, 0), FG_REDIS_FENCED);
        assert_non_null(strstr(link_->error(link_->context), newer[i]));
        assert_fence(newer[i]);
    }
    assert_int_equal(stream_length(), 1);
}

static void test_fence_is_raised_even_at_a_gap(void **state)
{
    (void)state;
    assert_int_equal(append(EPOCH, 9, 1), FG_REDIS_GAP);
    assert_fence("7:42");
}

static void test_stream_of_later_epoch_fences(void **state)
{
    (void)state;
    ADMIN("XADD " STREAM " 8-1 a b");
    assert_int_equal(append(0, 0, 0), FG_REDIS_FENCED);
    redisReply *reply = admin("EXISTS " FENCE);
    assert_int_equal(reply->integer, 0);
    freeReplyObject(reply);
}

/* No engine has such an epoch: it is a stray writer's entry and not a takeover. */
static void test_stray_clock_id_is_no_takeover(void **state)
{
    (void)state;
    struct fg_stream_id last = {0};
    ADMIN("XADD " STREAM " 1753100000000-0 a b");
    assert_int_equal(append_with(link_, (struct fg_stream_id){0}, 1, EPOCH, &last), FG_REDIS_GAP);
    assert_int_equal(last.epoch, 1753100000000);
    assert_int_equal(last.sale_seq, 0);
    ADMIN("XADD " STREAM " 18446744073709551615-18446744073709551615 a b");
    assert_claim(UINT64_MAX, UINT64_MAX);
}

static void test_wrong_key_types(void **state)
{
    (void)state;
    ADMIN("SET " STREAM " text");
    assert_int_equal(append(0, 0, 0), FG_REDIS_BAD_KEY);
    assert_int_equal(append(0, 0, 1), FG_REDIS_BAD_KEY);
    assert_non_null(strstr(link_->error(link_->context), STREAM " is a string"));
    assert_fence("7:42"); /* it was claimed all the same, and a newer one is seen */
    ADMIN("SET " FENCE " 8:1");
    assert_int_equal(append(0, 0, 0), FG_REDIS_FENCED);
    ADMIN("DEL " STREAM " " FENCE);
    ADMIN("LPUSH " FENCE " 1");
    assert_int_equal(append(0, 0, 1), FG_REDIS_BAD_KEY);
    assert_non_null(strstr(link_->error(link_->context), FENCE " is a list"));
    ADMIN("SET " FENCE " hello");
    assert_int_equal(append(0, 0, 1), FG_REDIS_BAD_KEY);
    ADMIN("DEL " FENCE);
    assert_int_equal(append(0, 0, 1), FG_REDIS_OK);
}

/* --- what the consumer's key holds -------------------------------------------------------- */

static void assert_consumed(uint64_t wanted, bool odd)
{
    struct fg_redis_append call = {.sale = "spring", .consumed = 77, .consumed_odd = !odd};
    assert_int_equal(link_->append(link_->context, &call), FG_REDIS_OK);
    assert_int_equal(call.consumed, wanted);
    assert_int_equal(call.consumed_odd, odd);
}

static void test_consumed(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "x", "-1", "12 ", " 12", "1e3", "1.0", "12345678901234567890"};
    assert_consumed(0, false);
    ADMIN("SET flashgate:{spring}:consumed 0");
    assert_consumed(0, false);
    ADMIN("SET flashgate:{spring}:consumed 123456789012");
    assert_consumed(123456789012, false);
    for (unsigned i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        ADMIN("SET flashgate:{spring}:consumed %s", odd[i]);
        assert_consumed(0, true);
        assert_non_null(strstr(link_->error(link_->context), odd[i]));
    }
    ADMIN("DEL flashgate:{spring}:consumed");
    ADMIN("LPUSH flashgate:{spring}:consumed 1");
    assert_consumed(0, true);
    assert_non_null(strstr(link_->error(link_->context), "a list"));
    /* It is read by claims; an append does not look. */
    struct fg_stream_id last;
    assert_int_equal(append_with(link_, (struct fg_stream_id){0}, 2, EPOCH, &last), FG_REDIS_OK);
}

/* --- last, trim, set_aside ---------------------------------------------------------------- */

static void assert_last(uint64_t epoch, uint64_t sale_seq)
{
    struct fg_stream_id last = {99, 99};
    assert_int_equal(link_->last(link_->context, "spring", &last), FG_REDIS_OK);
    assert_int_equal(last.epoch, epoch);
    assert_int_equal(last.sale_seq, sale_seq);
}

static void test_last(void **state)
{
    (void)state;
    struct fg_stream_id last;
    assert_last(0, 0);
    assert_int_equal(append(0, 0, 3), FG_REDIS_OK);
    ADMIN("DEL " FENCE);
    assert_last(EPOCH, 3);
    redisReply *reply = admin("EXISTS " FENCE); /* it claims nothing */
    assert_int_equal(reply->integer, 0);
    freeReplyObject(reply);
    ADMIN("XTRIM " STREAM " MAXLEN 0");
    assert_last(EPOCH, 3);
    ADMIN("SET " STREAM " x");
    assert_int_equal(link_->last(link_->context, "spring", &last), FG_REDIS_BAD_KEY);
    link_->close(link_->context);
    assert_int_equal(link_->last(link_->context, "spring", &last), FG_REDIS_LOST);
}

static void test_trim(void **state)
{
    (void)state;
    struct fg_stream_id first = {EPOCH, 251};
    assert_int_equal(link_->trim(link_->context, "spring", first), FG_REDIS_OK); /* no stream */
    assert_int_equal(append(0, 0, 500), FG_REDIS_OK);
    assert_int_equal(link_->trim(link_->context, "spring", first), FG_REDIS_OK);
    assert_int_equal(stream_length(), 250); /* exactly */
    assert_last(EPOCH, 500);
    first.sale_seq = 501;
    assert_int_equal(link_->trim(link_->context, "spring", first), FG_REDIS_OK);
    assert_int_equal(stream_length(), 0);
    assert_int_equal(append(EPOCH, 500, 1), FG_REDIS_OK);
    ADMIN("SET " STREAM " x");
    assert_int_equal(link_->trim(link_->context, "spring", first), FG_REDIS_BAD_KEY);
}

static void test_page(void **state)
{
    (void)state;
    const struct fg_redis_field fields[] = {{"state", "open"}, {"7", "100"}, {"8", "50"}};
    struct fg_redis_page page = {.sale = "spring", .fields = fields, .count = 3, .expiry_ms = 5000};
    assert_int_equal(link_->page(link_->context, &page), FG_REDIS_OK);
    assert_int_equal(page.created, 3);
    assert_int_equal(link_->page(link_->context, &page), FG_REDIS_OK);
    assert_int_equal(page.created, 0);
    redisReply *got = admin("HGET flashgate:{spring}:stock 7");
    assert_string_equal(got->str, "100");
    freeReplyObject(got);
    got = admin("PTTL flashgate:{spring}:stock");
    assert_in_range(got->integer, 1, 5000);
    freeReplyObject(got);
    /* Somebody else's key is left as it is, and does not begin to expire. */
    ADMIN("DEL flashgate:{spring}:stock");
    ADMIN("SET flashgate:{spring}:stock x");
    assert_int_equal(link_->page(link_->context, &page), FG_REDIS_BAD_KEY);
    got = admin("PTTL flashgate:{spring}:stock");
    assert_int_equal(got->integer, -1);
    freeReplyObject(got);
}

static void test_set_aside(void **state)
{
    (void)state;
    char aside[2][256];
    assert_int_equal(link_->set_aside(link_->context, "spring", aside[0], 256), FG_REDIS_OK);
    assert_string_equal(aside[0], ""); /* there was none */
    assert_fence("7:42");
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(append(0, 0, 3 + i), FG_REDIS_OK);
        assert_int_equal(link_->set_aside(link_->context, "spring", aside[i], 256), FG_REDIS_OK);
        assert_int_equal(strncmp(aside[i], STREAM ":aside:", strlen(STREAM ":aside:")), 0);
        assert_claim(0, 0);
        redisReply *reply = admin("XLEN %s", aside[i]);
        assert_int_equal(reply->integer, 3 + i);
        freeReplyObject(reply);
    }
    assert_string_not_equal(aside[0], aside[1]);
    ADMIN("SET " STREAM " x"); /* whatever it is */
    assert_int_equal(link_->set_aside(link_->context, "spring", aside[0], 256), FG_REDIS_OK);
    assert_claim(0, 0);

    ADMIN("SET " FENCE " 8:1"); /* another engine's stream is not touched */
    ADMIN("XADD " STREAM " 8-1 a b");
    assert_int_equal(link_->set_aside(link_->context, "spring", aside[0], 256), FG_REDIS_FENCED);
    assert_int_equal(stream_length(), 1);
}

static unsigned asides(void)
{
    redisReply *reply = admin("KEYS " STREAM ":aside:*");
    unsigned count = (unsigned)reply->elements;
    freeReplyObject(reply);
    return count;
}

/* Its answer was lost, though it was done, and it is asked again: what has been refilled stays. */
static void test_set_aside_twice(void **state)
{
    (void)state;
    char aside[256];
    struct fg_redis_config config = plain_config();
    config.timeout_ms = 50;
    struct fg_redis_link *hasty = open_link(config);
    assert_int_equal(hasty->connect(hasty->context), FG_REDIS_OK);
    assert_int_equal(append(0, 0, 3), FG_REDIS_OK);
    assert_int_equal(kill(redis.pid, SIGSTOP), 0);
    assert_int_equal(hasty->set_aside(hasty->context, "spring", aside, 256), FG_REDIS_LOST);
    assert_int_equal(kill(redis.pid, SIGCONT), 0);
    for (unsigned tries = 0; tries < 5000 && asides() == 0; tries++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(asides(), 1);
    assert_int_equal(append(0, 0, 4), FG_REDIS_OK);
    assert_int_equal(hasty->connect(hasty->context), FG_REDIS_OK);
    assert_int_equal(hasty->set_aside(hasty->context, "spring", aside, 256), FG_REDIS_OK);
    assert_int_equal(asides(), 1);
    assert_int_equal(stream_length(), 4);
    redisReply *reply = admin("XLEN %s", aside);
    assert_int_equal(reply->integer, 3);
    freeReplyObject(reply);
    fg_redis_link_destroy(hasty);
}

/* --- connecting -------------------------------------------------------------------------- */

static void test_database(void **state)
{
    (void)state;
    struct fg_redis_config config = plain_config();
    config.database = 3;
    struct fg_redis_link *link = open_link(config);
    assert_int_equal(link->connect(link->context), FG_REDIS_OK);
    assert_int_equal(append_with(link, (struct fg_stream_id){0}, 1, EPOCH, NULL), FG_REDIS_OK);
    assert_int_equal(stream_length(), 0);
    ADMIN("SELECT 3");
    assert_int_equal(stream_length(), 1);
    ADMIN("SELECT 0");
    fg_redis_link_destroy(link);
    config.database = 99;
    assert_int_equal(connect_as(config), FG_REDIS_REFUSED);
}

static void test_nobody_there(void **state)
{
    (void)state;
    struct fg_redis_config config = plain_config();
    config.socket = "/nonexistent/redis.sock";
    struct fg_redis_link *link = open_link(config);
    assert_string_equal(link->error(link->context), "");
    assert_int_equal(link->connect(link->context), FG_REDIS_LOST);
    assert_non_null(strstr(link->error(link->context), "Redis at /nonexistent/redis.sock: "));
    fg_redis_link_destroy(link);
    config.socket = NULL;
    config.host = "127.0.0.1";
    config.port = 1;
    assert_int_equal(connect_as(config), FG_REDIS_LOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINKED(test_entries_exact),
        LINKED(test_greatest_append),
        LINKED(test_claim_of_missing_stream),
        LINKED(test_gap_appends_nothing),
        LINKED(test_last_id_survives_trim_but_not_del),
        LINKED(test_all_or_nothing),
        LINKED(test_ids_across_thousands),
        LINKED(test_function_refuses_malformed_calls),
        LINKED(test_fence),
        LINKED(test_fence_is_raised_even_at_a_gap),
        LINKED(test_stream_of_later_epoch_fences),
        LINKED(test_stray_clock_id_is_no_takeover),
        LINKED(test_wrong_key_types),
        LINKED(test_consumed),
        LINKED(test_last),
        LINKED(test_trim),
        LINKED(test_page),
        LINKED(test_set_aside),
        LINKED(test_set_aside_twice),
        LINKED(test_database),
        LINKED(test_nobody_there),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
