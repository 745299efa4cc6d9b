/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flashgatectl journal dump: one line a record. The fields of an order event and their order are
 * those of the streams (FG_ORDER_FIELDS). JSON is written by hand: a record costs no allocation.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "control/journal/commands.h"
#include "control/journal/names.h"
#include "control/journal/walk.h"
#include "control/text.h"

struct dump {
    const struct fg_cli_call *call;
    struct fg_journal_names names;
    uint64_t told; /* LSN of the last record that was looked at */

    /* what is wanted */
    uint64_t from, to; /* LSNs */
    unsigned kind;     /* 0: any */
    const char *sale;  /* name, or NULL: any */
    uint64_t number;   /* ... or its number, if that is what the name is; else 0 */
    uint64_t order;    /* if by_order */
    bool by_order, by_buyer;
    uint8_t buyer[FG_BUYER_BYTES];
};

/* --- what is wanted --- */

static int read_number(const struct fg_cli_call *call, enum fg_cli_option option, uint64_t *value)
{
    const char *text = call->options[option];

    if (!text || fg_u64_parse(text, value))
        return FG_EXIT_OK;
    return fg_cli_fail(call, FG_EXIT_USAGE, "--%s \"%s\" is no number", fg_cli_option_name(option),
                       text);
}

static unsigned kind_of(const char *text)
{
#define X(name, code, meaning)                                                                     \
    if (strcasecmp(text, #name) == 0)                                                              \
        return code;
    FG_ORDER_KINDS(X)
    FG_CONTROL_KINDS(X)
#undef X
    return 0;
}

static int refuse_kind(const struct fg_cli_call *call)
{
#define X(name, code, meaning) " " #name
    return fg_cli_fail(call, FG_EXIT_USAGE, "--kind \"%s\" is none of%s",
                       call->options[FG_CLI_KIND], FG_ORDER_KINDS(X) FG_CONTROL_KINDS(X));
#undef X
}

static int read_filter(struct dump *dump)
{
    const struct fg_cli_call *call = dump->call;
    const char *kind = call->options[FG_CLI_KIND], *buyer = call->options[FG_CLI_BUYER];

    dump->to = UINT64_MAX;
    int status = read_number(call, FG_CLI_FROM, &dump->from);
    if (status == FG_EXIT_OK)
        status = read_number(call, FG_CLI_TO, &dump->to);
    if (status == FG_EXIT_OK)
        status = read_number(call, FG_CLI_ORDER, &dump->order);
    if (status != FG_EXIT_OK)
        return status;
    if (dump->from > dump->to)
        return fg_cli_fail(call, FG_EXIT_USAGE, "--from %s is after --to %s",
                           call->options[FG_CLI_FROM], call->options[FG_CLI_TO]);
    dump->by_order = call->options[FG_CLI_ORDER];
    dump->sale = call->options[FG_CLI_SALE];
    if (dump->sale && !fg_u64_parse(dump->sale, &dump->number))
        dump->number = 0;
    if (kind && (dump->kind = kind_of(kind)) == 0)
        return refuse_kind(call);
    dump->by_buyer = buyer;
    if (buyer && !fg_buyer_parse(buyer, dump->buyer))
        return fg_cli_fail(call, FG_EXIT_USAGE, "--buyer \"%s\": 32 hex digits are wanted", buyer);
    return FG_EXIT_OK;
}

static bool sale_wanted(const struct dump *dump, uint32_t sale)
{
    const char *name = fg_journal_name(&dump->names, sale);

    return !dump->sale || (sale != 0 && sale == dump->number) ||
           (name && strcmp(name, dump->sale) == 0);
}

static bool wanted(const struct dump *dump, const struct fg_record *record)
{
    bool control = fg_event_is_control(record->unit);

    if (record->lsn < dump->from || record->lsn > dump->to)
        return false;
    if (dump->kind != 0 && fg_event_kind(record->unit) != dump->kind)
        return false;
    if (control)
        return !dump->by_buyer && !dump->by_order && sale_wanted(dump, record->control->sale);
    if (dump->by_buyer && memcmp(record->order->buyer, dump->buyer, FG_BUYER_BYTES) != 0)
        return false;
    return (!dump->by_order || record->order->order == dump->order) &&
           sale_wanted(dump, record->order->sale);
}

/* --- lines --- */

static void put_hex(FILE *out, const uint8_t *bytes)
{
    char text[FG_BUYER_TEXT];
    fg_buyer_format(bytes, text);
    fputs(text, out);
}

/* Names are of a few plain characters (sale.h): none needs to be escaped. */
static void put_sale(const struct dump *dump, uint32_t sale)
{
    const char *name = fg_journal_name(&dump->names, sale);
    FILE *out = dump->call->out;

    if (dump->call->json && name)
        fprintf(out, ",\"sale\":\"%s\",\"number\":%" PRIu32, name, sale);
    else if (dump->call->json)
        fprintf(out, ",\"sale\":null,\"number\":%" PRIu32, sale);
    else
        fprintf(out, " sale=%" PRIu32 "%s%s", sale, name ? ":" : "", name ? name : "");
}

static void put_order(const struct dump *dump, const struct fg_record *record)
{
    const struct fg_order_event *e = record->order;
    FILE *out = dump->call->out;
    bool json = dump->call->json;

    put_sale(dump, e->sale);
    fprintf(out, json ? ",\"id\":\"%" PRIu32 "-%" PRIu64 "\"" : " id=%" PRIu32 "-%" PRIu64,
            record->epoch, e->sale_seq);
#define text_kind(kind)  fputs(fg_event_name(kind), out)
#define text_u64(value)  fprintf(out, "%" PRIu64, (uint64_t)(value))
#define text_hex(buyer_) put_hex(out, buyer_)
#define X(name, value)                                                                             \
    fputs(json ? ",\"" #name "\":\"" : " " #name "=", out);                                        \
    value;                                                                                         \
    if (json)                                                                                      \
        fputc('"', out);
    FG_ORDER_FIELDS(X)
#undef X
}

/* The body as it is: JSON text. What is not, as a string. */
static void put_body(const struct dump *dump, const struct fg_control_event *event,
                     const char *body)
{
    FILE *out = dump->call->out;
    json_t *parsed = json_loadb(body, event->body_length, JSON_DECODE_ANY, NULL);

    if (!parsed)
        parsed = json_stringn_nocheck(body, event->body_length);
    fputs(dump->call->json ? ",\"body\":" : " body=", out);
    json_dumpf(parsed, out, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);
    json_decref(parsed);
}

static void put_control(const struct dump *dump, const struct fg_record *record)
{
    const struct fg_control_event *event = record->control;
    FILE *out = dump->call->out;

    put_sale(dump, event->sale);
    fprintf(out,
            dump->call->json
                ? ",\"event\":\"%s\",\"revision\":%" PRIu64 ",\"uid\":%" PRId32 ",\"gid\":%" PRId32
                  ",\"pid\":%" PRIu32 ",\"at\":\"%" PRIu64 "\",\"value\":\"%" PRIu64
                  "\",\"value2\":\"%" PRIu64 "\",\"value3\":\"%" PRIu64 "\""
                : " event=%s revision=%" PRIu64 " uid=%" PRId32 " gid=%" PRId32 " pid=%" PRIu32
                  " at=%" PRIu64 " value=%" PRIu64 " value2=%" PRIu64 " value3=%" PRIu64,
            fg_event_name(event->kind), event->revision, (int32_t)event->uid, (int32_t)event->gid,
            event->pid, event->at_ns, event->value, event->value2, event->value3);
    if (event->body_length > 0)
        put_body(dump, event, record->body);
}

static int dump_record(void *arg, const struct fg_journal_frame *frame,
                       const struct fg_record *record)
{
    struct dump *dump = arg;
    bool json = dump->call->json, base = frame->header->flags & FG_FRAME_BASE;
    int rc = fg_journal_names_learn(&dump->names, record);

    if (rc != 0 || record->lsn <= dump->told || !wanted(dump, record))
        return rc;
    dump->told = record->lsn;
    fprintf(dump->call->out,
            json ? "{\"lsn\":%" PRIu64 ",\"segment\":%" PRIu32 ",\"frame\":%" PRIu64
                   ",\"epoch\":%" PRIu32 "%s"
                 : "%" PRIu64 " segment=%" PRIu32 " frame=%" PRIu64 " epoch=%" PRIu32 "%s",
            record->lsn, frame->segment, frame->header->sequence, record->epoch,
            !base  ? ""
            : json ? ",\"base\":true"
                   : " base");
    if (fg_event_is_control(record->unit))
        put_control(dump, record);
    else
        put_order(dump, record);
    fputs(json ? "}\n" : "\n", dump->call->out);
    return record->lsn >= dump->to ? 1 : 0;
}

static int run(const struct fg_cli_call *call)
{
    const char *dir = call->arguments[0];
    struct dump dump = {.call = call};
    const struct fg_journal_visitor visitor = {.arg = &dump, .record = dump_record};
    struct fg_journal_facts facts;
    char message[1024];

    int status = read_filter(&dump);
    if (status != FG_EXIT_OK)
        return status;
    int rc = fg_journal_names_init(&dump.names);
    if (rc == 0)
        rc = fg_journal_walk(&fg_disk_files, dir, &visitor, &facts);
    if (rc == 0 && facts.stopped < 0)
        rc = facts.stopped;
    if (rc != 0) {
        status = fg_cli_fail(call, rc == -ENOMEM ? FG_EXIT_MEMORY : FG_EXIT_FAILED, "%s: %s", dir,
                             strerror(-rc));
    } else {
        status = fg_journal_judge(&facts, dir, message, sizeof(message));
        if (status != FG_EXIT_OK)
            fg_cli_fail(call, status, "%s", message);
    }
    fg_journal_names_fini(&dump.names);
    return status;
}

const struct fg_cli_local fg_journal_dump_command = {
    .run = run,
    .options = FG_CLI_TAKES(FROM) | FG_CLI_TAKES(TO) | FG_CLI_TAKES(SALE) | FG_CLI_TAKES(KIND) |
               FG_CLI_TAKES(BUYER) | FG_CLI_TAKES(ORDER),
    .statuses = FG_CLI_STATUS(OK) | FG_CLI_STATUS(FAILED) | FG_CLI_STATUS(USAGE) |
                FG_CLI_STATUS(DISK) | FG_CLI_STATUS(CORRUPT) | FG_CLI_STATUS(MEMORY),
    .manual = fg_journal_dump_manual,
};
