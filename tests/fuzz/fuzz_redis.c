/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What Redis answers: replies made of the input's bytes, read by hiredis's reader, through the link
 * to delivery. Each command takes the next step of the input: bytes as they come, the answer that
 * Redis would give, GAP, FENCED, an error, or a broken link. The first byte's lowest bit chooses:
 * the link's calls by themselves, or delivery of a small log.
 *
 * Holds: nothing counts as delivered but what an append's whole and exact OK told, with the id of
 * the last entry that was sent; every command is whole; every failure says why.
 */
#include "tests/fuzz/memory_log.h"
#include "tests/fuzz/redis_wire.h"

#include "dataplane/orders/delivery.h"
#include "dataplane/orders/redis_link.h"

#define EPOCH     7
#define INSTANCE  42
#define STEPS_MAX 400
#define SALES     2
#define ORDERS    9 /* of each sale in the log */
#define FIELDS    8 /* of an entry, see FG_ORDER_FIELDS */

static struct fuzz_input input;
static struct memory_log log_;
static uint64_t now_ns;
static char ends[SALES + 1][48]; /* what the right answers say that the streams end with */

/* --- answers --- */

__attribute__((format(printf, 2, 3))) static char *say(size_t *length, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    int n = vasprintf(&text, format, arguments);
    va_end(arguments);
    FUZZ_CHECK(n >= 0);
    *length = (size_t)n;
    return text;
}

static const char *word(const redisReply *command, size_t i)
{
    return i < command->elements ? command->element[i]->str : "";
}

static bool is_append(const redisReply *command)
{
    return strcmp(word(command, 0), "FCALL") == 0 && strcmp(word(command, 1), "append") == 0;
}

static unsigned sale_of(const redisReply *command)
{
    return strstr(word(command, 3), "{summer}") ? 2 : 1;
}

/* Entries of an append; 0: a claim. */
static size_t entries_of(const redisReply *command)
{
    return strcmp(word(command, 2), "3") == 0 ? 0 : (command->elements - 8 - FIELDS) / (FIELDS + 1);
}

static const char *last_id_of(const redisReply *command)
{
    return word(command, command->elements - FIELDS - 1);
}

static char *right_append(const redisReply *command, size_t *length)
{
    char *end = ends[sale_of(command)];

    if (entries_of(command) == 0)
        return say(length, "*3\r\n+OK\r\n$%zu\r\n%s\r\n$0\r\n\r\n", strlen(end), end);
    if (strcmp(word(command, 6), end) != 0)
        return say(length, "*2\r\n+GAP\r\n+%s\r\n", end);
    snprintf(end, sizeof(ends[0]), "%s", last_id_of(command));
    return say(length, "*2\r\n+OK\r\n$%zu\r\n%s\r\n", strlen(end), end);
}

/* As Redis would answer that keeps nothing but where streams end. */
static char *right(const redisReply *command, size_t *length)
{
    if (is_append(command))
        return right_append(command, length);
    if (strcmp(word(command, 0), "ROLE") == 0)
        return say(length, "*3\r\n$6\r\nmaster\r\n:3129659\r\n*0\r\n");
    if (strcmp(word(command, 0), "FUNCTION") == 0)
        return say(length, "$9\r\nflashgate\r\n");
    if (strcmp(word(command, 0), "FCALL") == 0)
        return say(length, "*2\r\n+OK\r\n$%zu\r\n%s\r\n", strlen(word(command, 5)),
                   word(command, 5));
    if (strcmp(word(command, 0), "XINFO") == 0)
        return say(length, "*4\r\n$6\r\nlength\r\n:2\r\n$17\r\nlast-generated-id\r\n+%s\r\n",
                   ends[sale_of(command)]);
    if (strcmp(word(command, 0), "SENTINEL") == 0)
        return say(length, "*2\r\n$9\r\n127.0.0.1\r\n$4\r\n6379\r\n");
    if (strcmp(word(command, 0), "XTRIM") == 0 || strcmp(word(command, 0), "EVAL") == 0)
        return say(length, ":%u\r\n", fuzz_u8(&input) % 4);
    return say(length, "+OK\r\n");
}

/* A part of the input as a text, cut at its line's end. */
static int text_of(const char **text)
{
    size_t length;

    *text = (const char *)fuzz_until(&input, '\n', &length);
    return (int)(length < 200 ? length : 200);
}

static char *answer(const redisReply *command, size_t *length)
{
    const char *text;
    int n;

    switch (input.left ? fuzz_u8(&input) % 8 : 1) {
    case 0: {
        const uint8_t *bytes = fuzz_bytes(&input, fuzz_u8(&input), length);
        char *copy = malloc(*length + 1);
        FUZZ_CHECK(copy);
        memcpy(copy, bytes, *length);
        return copy;
    }
    case 1:
    case 2:
    case 3:
        return right(command, length);
    case 4:
        n = text_of(&text);
        return say(length, "*2\r\n+GAP\r\n+%.*s\r\n", n, text);
    case 5:
        n = text_of(&text);
        return say(length, "-%.*s\r\n", n, text);
    case 6:
        n = text_of(&text);
        return say(length, "*2\r\n+OK\r\n$%d\r\n%.*s\r\n", n, n, text);
    default:
        return NULL;
    }
}

/* --- what an answer may be taken for --- */

static bool is_text(const redisReply *reply, const char *text)
{
    return (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS) &&
           reply->len == strlen(text) && memcmp(reply->str, text, reply->len) == 0;
}

static bool appended; /* an append of entries was answered since begin_call() ... */
static size_t told;   /* ... which has delivered so many of them, by the protocol's word alone */

static void begin_call(void)
{
    wire_forget();
    appended = false;
    told = 0;
}

static size_t entries_delivered_now(void)
{
    const redisReply *reply = wire.reply;

    if (!reply || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        !is_text(reply->element[0], "OK") || !is_text(reply->element[1], last_id_of(wire.command)))
        return 0;
    return entries_of(wire.command);
}

/* Of a call the first append counts: what was sent behind it is asked about by the next call, or
 * thrown away because the first one failed. */
static void answered(void)
{
    if (appended || !is_append(wire.command) || entries_of(wire.command) == 0)
        return;
    appended = true;
    told = entries_delivered_now();
}

/* --- the link by itself --- */

static void check_answer(const struct fg_redis_link *link, enum fg_redis_answer got)
{
    FUZZ_CHECK(got <= FG_REDIS_REFUSED);
    if (got != FG_REDIS_OK)
        FUZZ_CHECK(link->error(link->context)[0] != '\0');
}

static void call_append(const struct fg_redis_link *link, unsigned count)
{
    struct fg_record records[4];
    struct fg_order_event events[4];

    for (unsigned i = 0; i < count; i++) {
        events[i] = (struct fg_order_event){
            .kind = FG_EVENT_ADMIT, .quantity = 1, .item = 5, .sale = 1, .sale_seq = 1 + i};
        records[i] = (struct fg_record){.epoch = EPOCH, .order = &events[i]};
    }
    struct fg_redis_append append = {.sale = "spring", .count = count, .records = records};
    begin_call();
    enum fg_redis_answer got = link->append(link->context, &append);
    check_answer(link, got);
    FUZZ_CHECK(got != FG_REDIS_OK || count == 0 || told == count);
    if (got == FG_REDIS_OK && count == 0) {
        FUZZ_CHECK(wire.reply->elements == 3 && is_text(wire.reply->element[0], "OK"));
        char id[48];
        snprintf(id, sizeof(id), "%llu-%llu", (unsigned long long)append.last.epoch,
                 (unsigned long long)append.last.sale_seq);
        FUZZ_CHECK(is_text(wire.reply->element[1], id));
        FUZZ_CHECK(!append.consumed_odd || append.consumed == 0);
    }
    FUZZ_CHECK(got != FG_REDIS_FENCED || is_text(wire.reply->element[0], "FENCED"));
    FUZZ_CHECK(got != FG_REDIS_GAP || is_text(wire.reply->element[0], "GAP"));
}

static void call_aside(const struct fg_redis_link *link)
{
    char aside[FG_SALE_NAME_MAX + 128];

    check_answer(link, link->set_aside(link->context, "spring", aside, sizeof(aside)));
    FUZZ_CHECK(memchr(aside, '\0', sizeof(aside)));
}

static void call_info(struct fg_redis_link *link)
{
    char text[64];

    if (fg_redis_link_info(link, text, sizeof(text)) == FG_REDIS_OK)
        FUZZ_CHECK(memchr(text, '\0', sizeof(text)));
}

static void call_page(struct fg_redis_link *link)
{
    struct fg_redis_field field = {.name = "7", .value = "12"};
    struct fg_redis_page page = {.sale = "spring", .fields = &field, .count = 1, .expiry_ms = 9};

    enum fg_redis_answer got = link->page(link->context, &page);
    check_answer(link, got);
    if (got == FG_REDIS_OK)
        call_info(link);
}

static void call_link(struct fg_redis_link *link)
{
    struct fg_stream_id last;

    if (link->connect(link->context) != FG_REDIS_OK)
        return;
    switch (fuzz_u8(&input) % 6) {
    case 0:
        call_append(link, 1 + fuzz_u8(&input) % 4);
        break;
    case 1:
        call_append(link, 0);
        break;
    case 2:
        check_answer(link, link->last(link->context, "spring", &last));
        break;
    case 3:
        check_answer(link, link->trim(link->context, "spring", (struct fg_stream_id){EPOCH, 3}));
        break;
    case 4:
        call_aside(link);
        break;
    case 5:
        call_page(link);
        break;
    }
}

/* --- delivery --- */

static uint64_t clock_ns(void *context)
{
    (void)context;
    return now_ns;
}

static uint64_t durable(void *context)
{
    (void)context;
    return log_.next.sequence - 1;
}

static void log_sale(uint32_t sale, const char *name)
{
    char body[128];
    int length = snprintf(body, sizeof(body), "{\"name\": \"%s\", \"number\": %u}", name, sale);

    memory_log_control(&log_, (struct fg_control_event){.kind = FG_EVENT_SALE, .sale = sale}, body,
                       (size_t)length);
}

static void make_log(void)
{
    memory_log_begin(&log_, EPOCH);
    memory_log_frame(&log_, FG_FRAME_BASE);
    memory_log_frame(&log_, FG_FRAME_EPOCH);
    log_sale(1, "spring");
    log_sale(2, "summer");
    for (uint64_t seq = 1; seq <= ORDERS; seq++)
        for (uint32_t sale = 1; sale <= SALES; sale++)
            memory_log_order(&log_, &(struct fg_order_event){.kind = FG_EVENT_ADMIT,
                                                             .quantity = 1,
                                                             .item = sale,
                                                             .sale = sale,
                                                             .sale_seq = seq,
                                                             .order = 100 * sale + seq,
                                                             .request = seq});
    memory_log_frame(&log_, 0);
}

static void run_delivery(struct fg_redis_link *link)
{
    struct fg_clock clock = {NULL, clock_ns, clock_ns};
    struct fg_delivery_config config = {.dir = "",
                                        .disk = &log_.disk.disk,
                                        .clock = &clock,
                                        .link = link,
                                        .batch = 4,
                                        .durable = durable};
    int error = 0, rc = 0;
    struct fg_delivery *delivery = fg_delivery_create(&config, &error);
    const struct fg_delivery_stats *stats = fg_delivery_stats(delivery);

    for (unsigned i = 0; i < STEPS_MAX && rc >= 0 && (input.left > 0 || rc > 0); i++) {
        uint64_t before = stats->delivered;
        begin_call();
        if (input.left > 0 && fuzz_u8(&input) == 0xff)
            (void)fg_delivery_rebuild(delivery, 1 + i % SALES);
        rc = fg_delivery_step(delivery);
        now_ns += rc == 0 ? 400000000 : 1000;
        FUZZ_CHECK(stats->delivered == before + told);
        for (uint32_t sale = 1; sale <= SALES; sale++)
            FUZZ_CHECK(fg_delivery_stream(delivery, sale).delivered <= ORDERS);
    }
    fg_delivery_destroy(delivery);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const sentinels[] = {"one:26379", "[::1]"};
    input = (struct fuzz_input){data, size};
    uint8_t how = fuzz_u8(&input);
    struct fg_redis_config config = {.socket = how & 2 ? NULL : "/redis.sock",
                                     .host = "redis",
                                     .port = 6379,
                                     .sentinels = sentinels,
                                     .sentinels_count = how & 4 ? 2 : 0,
                                     .master = "orders",
                                     .sentinel_password = how & 8 ? "secret" : NULL,
                                     .user = how & 16 ? "gate" : NULL,
                                     .password = how & 32 ? "secret" : NULL,
                                     .database = how >> 7,
                                     .pages_only = how & 64,
                                     .timeout_ms = 100,
                                     .epoch = EPOCH,
                                     .instance = INSTANCE};
    struct fg_redis_link *link = fg_redis_link_create(&config);

    wire.answer = answer;
    wire.answered = answered;
    now_ns = 1000000000;
    for (unsigned sale = 1; sale <= SALES; sale++)
        snprintf(ends[sale], sizeof(ends[sale]), "0-0");
    if (log_.segment == 0)
        make_log();
    if (how & 1)
        run_delivery(link);
    else
        for (unsigned i = 0; i < 8 && input.left > 0; i++)
            call_link(link);
    wire_end();
    fg_redis_link_destroy(link);
    return 0;
}
