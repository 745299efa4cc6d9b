/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/orders/redis_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/hex.h"

#define KEY_BYTES (sizeof(FG_REDIS_KEY("consumed")) + FG_SALE_NAME_MAX)

enum {
#define X(name, value) FIELD_##name,
    FG_ORDER_FIELDS(X)
#undef X
        FIELDS
};

static_assert(FIELDS == 8, "append.lua spells out so many");

/* Room for one append: no value is longer than a buyer in hex, no id longer than two numbers. */
#define BULK_BYTES(length) (sizeof("$4294967295\r\n\r\n") + (length))
#define ENTRY_BYTES        (BULK_BYTES(41) + FIELDS * BULK_BYTES(2 * FG_BUYER_BYTES))
#define COMMAND_BYTES      (2048 + FG_REDIS_APPEND_MAX * ENTRY_BYTES)

int fg_redis_command_init(struct fg_redis_command *command)
{
    *command = (struct fg_redis_command){.bytes = malloc(COMMAND_BYTES)};
    return command->bytes ? 0 : -ENOMEM;
}

void fg_redis_command_fini(struct fg_redis_command *command)
{
    free(command->bytes);
    *command = (struct fg_redis_command){0};
}

/* Writes the digits of `value` so that they end before `end`; returns where they begin. */
static char *digits(char *end, uint64_t value)
{
    do {
        *--end = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    return end;
}

static void put_raw(struct fg_redis_command *command, const char *text, size_t length)
{
    memcpy(command->bytes + command->used, text, length);
    command->used += length;
}

static void put_count(struct fg_redis_command *command, char type, uint64_t count)
{
    char text[24], *end = text + sizeof(text) - 2;
    memcpy(end, "\r\n", 2);
    char *begin = digits(end, count);
    *--begin = type;
    put_raw(command, begin, (size_t)(end + 2 - begin));
}

static void put_bytes(struct fg_redis_command *command, const char *text, size_t length)
{
    put_count(command, '$', length);
    put_raw(command, text, length);
    put_raw(command, "\r\n", 2);
}

static void put_text(struct fg_redis_command *command, const char *text)
{
    put_bytes(command, text, strlen(text));
}

static void put_u64(struct fg_redis_command *command, uint64_t value)
{
    char text[20], *end = text + sizeof(text), *begin = digits(end, value);
    put_bytes(command, begin, (size_t)(end - begin));
}

static void put_id(struct fg_redis_command *command, struct fg_stream_id id)
{
    char text[41], *end = text + sizeof(text), *begin = digits(end, id.sale_seq);
    *--begin = '-';
    begin = digits(begin, id.epoch);
    put_bytes(command, begin, (size_t)(end - begin));
}

static void put_hex(struct fg_redis_command *command, const uint8_t *bytes)
{
    char text[2 * FG_BUYER_BYTES];
    fg_hex_write(bytes, FG_BUYER_BYTES, text);
    put_bytes(command, text, sizeof(text));
}

static void put_entry(struct fg_redis_command *command, const struct fg_record *record)
{
    const struct fg_order_event *e = record->order;
    put_id(command, (struct fg_stream_id){record->epoch, e->sale_seq});
#define text_kind(kind)  put_text(command, fg_event_name(kind))
#define text_u64(value)  put_u64(command, value)
#define text_hex(buyer_) put_hex(command, buyer_)
#define X(name, value)   value;
    FG_ORDER_FIELDS(X)
#undef X
}

/* Begins a command of `words` words. */
static void begin(struct fg_redis_command *command, size_t words)
{
    command->used = 0;
    put_count(command, '*', words);
}

__attribute__((format(printf, 2, 0))) static void put_key(struct fg_redis_command *command,
                                                          const char *format, const char *sale)
{
    char key[KEY_BYTES];
    snprintf(key, sizeof(key), format, sale);
    put_text(command, key);
}

void fg_redis_put_append(struct fg_redis_command *command, const char *holder,
                         const struct fg_redis_append *append)
{
    size_t entries = 1 + FIELDS + append->count * (1 + (size_t)FIELDS);
    bool claims = append->count == 0;
    begin(command, 7 + (claims ? 1 : entries));
    put_text(command, "FCALL");
    put_text(command, "append");
    put_text(command, claims ? "3" : "2");
    put_key(command, FG_REDIS_KEY("orders"), append->sale);
    put_key(command, FG_REDIS_KEY("fence"), append->sale);
    if (claims)
        put_key(command, FG_REDIS_KEY("consumed"), append->sale);
    put_text(command, holder);
    put_id(command, append->expected);
    if (claims)
        return;
    put_u64(command, FIELDS);
#define X(name, value) put_text(command, #name);
    FG_ORDER_FIELDS(X)
#undef X
    for (unsigned i = 0; i < append->count; i++)
        put_entry(command, &append->records[i]);
    assert(command->used <= COMMAND_BYTES);
}

void fg_redis_put_aside(struct fg_redis_command *command, const char *holder, const char *sale,
                        const char *aside)
{
    begin(command, 7);
    put_text(command, "FCALL");
    put_text(command, "set_aside");
    put_text(command, "3");
    put_key(command, FG_REDIS_KEY("orders"), sale);
    put_key(command, FG_REDIS_KEY("fence"), sale);
    put_text(command, aside);
    put_text(command, holder);
}

void fg_redis_put_trim(struct fg_redis_command *command, const char *sale,
                       struct fg_stream_id first)
{
    begin(command, 5);
    put_text(command, "XTRIM");
    put_key(command, FG_REDIS_KEY("orders"), sale);
    put_text(command, "MINID");
    put_text(command, "="); /* never approximate: what is kept is a function of the mark alone */
    put_id(command, first);
}

void fg_redis_put_info(struct fg_redis_command *command, const char *sale)
{
    begin(command, 3);
    put_text(command, "XINFO");
    put_text(command, "STREAM");
    put_key(command, FG_REDIS_KEY("orders"), sale);
}

/* A key that is no hash is left as it is: HSET fails, and the script ends with its error. */
static const char PAGE_SCRIPT[] = "local n = redis.call('HSET', KEYS[1], unpack(ARGV, 2)) "
                                  "redis.call('PEXPIRE', KEYS[1], ARGV[1]) "
                                  "return n";
static_assert(sizeof(PAGE_SCRIPT) + FG_REDIS_PAGE_MAX *
                                        (BULK_BYTES(sizeof(((struct fg_redis_field *)0)->name)) +
                                         BULK_BYTES(sizeof(((struct fg_redis_field *)0)->value))) <
                  COMMAND_BYTES,
              "a page fits the command");

void fg_redis_put_page(struct fg_redis_command *command, const struct fg_redis_page *page)
{
    assert(page->count <= FG_REDIS_PAGE_MAX);
    begin(command, 5 + 2 * (size_t)page->count);
    put_text(command, "EVAL");
    put_text(command, PAGE_SCRIPT);
    put_text(command, "1");
    put_key(command, FG_REDIS_KEY("stock"), page->sale);
    put_u64(command, page->expiry_ms);
    for (unsigned i = 0; i < page->count; i++) {
        put_text(command, page->fields[i].name);
        put_text(command, page->fields[i].value);
    }
}
