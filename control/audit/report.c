/* SPDX-License-Identifier: BSD-3-Clause */
/* What an audit found: for people, and as JSON. Both say what was checked before what differs. */
#include <inttypes.h>
#include <string.h>

#include "control/audit/audit.h"
#include "control/text.h"

void audit_note(void *arg, enum fg_check check, const char *sentence)
{
    struct audit *audit = arg;
    char text[600];

    snprintf(text, sizeof(text), "%s", sentence);
    fg_utf8_mend(text);
    json_array_append_new(audit->lines,
                          json_pack("{s:s,s:s,s:s}", "invariant", fg_check_invariant(check),
                                    "check", fg_check_name(check), "text", text));
}

/* What of the book is told. */
struct figures {
    unsigned archived;
    uint64_t orders, forgotten; /* sales of which old segments took events, or the definition */
};

static struct figures count(const struct audit *audit)
{
    const struct fg_log_book *book = &audit->book;
    struct figures figures = {.orders = audit->result.redis_orders};
    for (unsigned i = 0; i < book->sales_count; i++) {
        figures.archived += book->sales[i].archived_lsn != 0;
        figures.forgotten += book->streams[i].passed.sale_seq > 0 || !book->sales[i].defined;
    }
    return figures;
}

/* X(name, what must be given for it) */
#define LEFT_OUT(X)                                                                                \
    X(has_redis, "the streams (--redis or --config)")                                              \
    X(has_history, "what clients were told (--history)")                                           \
    X(has_engine, "the engine's figures (--socket)")

/* --- for people --- */

static void print_log(const struct audit *audit, FILE *out)
{
    const struct fg_log_book *book = &audit->book;
    struct figures figures = count(audit);

    fprintf(out, "audit of %s\n", audit->dir);
    fprintf(out,
            "  log       segments %" PRIu32 " to %" PRIu32 ": %" PRIu64 " frames, %" PRIu64
            " records to LSN %" PRIu64 ", %" PRIu32 " starts, epoch %" PRIu32 "\n",
            book->first_segment, book->segment, book->frames, book->records, book->last_lsn,
            book->starts, book->epoch);
    if (audit->torn[0])
        fprintf(out, "            it is torn: %s\n", audit->torn);
    fprintf(out,
            "  sales     %u (%u archived), %" PRIu32 " items, %" PRIu64
            " changes of supply or limit\n",
            book->sales_count, figures.archived, book->items_count, book->changes_count);
    if (figures.forgotten > 0)
        fprintf(out, "            of %" PRIu64 " of them old segments took a part\n",
                figures.forgotten);
    fprintf(out, "  orders    %" PRIu64 " in %" PRIu64 " events", figures.orders, book->events);
    if (audit->result.unjudged_events > 0)
        fprintf(out, ", %" PRIu64 " of which cannot be judged", audit->result.unjudged_events);
    fputc('\n', out);
}

static void print_streams(const struct audit *audit, FILE *out)
{
    for (unsigned i = 0; i < audit->streams_count; i++) {
        const struct audit_stream *stream = &audit->streams[i];
        const struct fg_compare *compare = &stream->compare;
        if (!stream->readable)
            continue;
        fprintf(out,
                "  stream    %s: %" PRIu64 " entries, %" PRIu64 " equal to the log, %" PRIu64
                " trimmed, lag %" PRIu64,
                stream->name, compare->entries, compare->equal, compare->trimmed, compare->lag);
        if (compare->forgotten > 0)
            fprintf(out, ", %" PRIu64 " older than the log", compare->forgotten);
        fputc('\n', out);
    }
}

static void print_others(const struct audit *audit, FILE *out)
{
    const struct fg_check_result *result = &audit->result;

    if (audit->has_history) {
        fprintf(out,
                "  history   %u files: %" PRIu64 " entries sent, %" PRIu64
                " acknowledgements; %" PRIu64 " orders told, %" PRIu64 " requests without an "
                "answer",
                audit->histories, result->sent, result->sends_answered, result->admitted,
                result->lost);
        if (result->unjudged_answers > 0)
            fprintf(out, "; %" PRIu64 " answers of sales that are gone", result->unjudged_answers);
        fputc('\n', out);
    }
    if (audit->has_engine && audit->quiet)
        fprintf(out, "  engine    %" PRIu64 " items compared at a quiet moment\n",
                audit->engine_items);
    else if (audit->has_engine)
        fprintf(out, "  engine    not compared: there was no quiet moment; try again at one\n");
#define X(field, text)                                                                             \
    if (!audit->field)                                                                             \
        fprintf(out, "  left out  %s\n", text);
    LEFT_OUT(X)
#undef X
}

static void print_findings(const struct audit *audit, FILE *out)
{
    json_t *line;
    size_t i;

    json_array_foreach(audit->lines, i, line)
        fprintf(out, "%s %s: %s\n", json_string_value(json_object_get(line, "invariant")),
                json_string_value(json_object_get(line, "check")),
                json_string_value(json_object_get(line, "text")));
    for (unsigned check = 0; check < FG_CHECK_COUNT; check++)
        if (audit->findings.counts[check] > FG_CHECK_SENTENCES)
            fprintf(out, "%s %s: and %" PRIu64 " more\n", fg_check_invariant(check),
                    fg_check_name(check), audit->findings.counts[check] - FG_CHECK_SENTENCES);
}

void audit_print(const struct audit *audit, FILE *out)
{
    print_log(audit, out);
    print_streams(audit, out);
    print_others(audit, out);
    print_findings(audit, out);
    if (audit->findings.total == 0)
        fprintf(out, "nothing differs\n");
    else
        fprintf(out, "%" PRIu64 " difference%s\n", audit->findings.total,
                audit->findings.total == 1 ? "" : "s");
}

/* --- JSON --- */

static void put(json_t *to, const char *name, uint64_t value)
{
    json_object_set_new(to, name, json_integer((json_int_t)value));
}

static json_t *log_json(const struct audit *audit)
{
    const struct fg_log_book *book = &audit->book;
    struct figures figures = count(audit);
    json_t *json = json_object();

    json_object_set_new(json, "dir", json_string(audit->dir));
    put(json, "first_segment", book->first_segment);
    put(json, "last_segment", book->segment);
    put(json, "frames", book->frames);
    put(json, "records", book->records);
    put(json, "last_lsn", book->last_lsn);
    put(json, "starts", book->starts);
    put(json, "epoch", book->epoch);
    json_object_set_new(json, "torn", audit->torn[0] ? json_string(audit->torn) : json_null());
    put(json, "sales", book->sales_count);
    put(json, "archived", figures.archived);
    put(json, "forgotten", figures.forgotten);
    put(json, "items", book->items_count);
    put(json, "changes", book->changes_count);
    put(json, "orders", figures.orders);
    put(json, "events", book->events);
    put(json, "unjudged_events", audit->result.unjudged_events);
    return json;
}

static json_t *streams_json(const struct audit *audit)
{
    json_t *json = json_array();
    for (unsigned i = 0; audit->has_redis && i < audit->streams_count; i++) {
        const struct audit_stream *stream = &audit->streams[i];
        json_t *one = json_object();
        json_object_set_new(one, "sale", json_string(stream->name));
        json_object_set_new(one, "readable", json_boolean(stream->readable));
        put(one, "entries", stream->compare.entries);
        put(one, "equal", stream->compare.equal);
        put(one, "forgotten", stream->compare.forgotten);
        put(one, "trimmed", stream->compare.trimmed);
        put(one, "lag", stream->compare.lag);
        json_array_append_new(json, one);
    }
    return json;
}

static json_t *history_json(const struct audit *audit)
{
    json_t *json = json_object();
    put(json, "files", audit->histories);
    put(json, "sent", audit->result.sent);
    put(json, "answered", audit->result.sends_answered);
    put(json, "orders", audit->result.admitted);
    put(json, "lost", audit->result.lost);
    put(json, "unjudged_answers", audit->result.unjudged_answers);
    return json;
}

static json_t *engine_json(const struct audit *audit)
{
    json_t *json = json_object();
    json_object_set_new(json, "quiet", json_boolean(audit->quiet));
    put(json, "items", audit->quiet ? audit->engine_items : 0);
    return json;
}

void audit_print_json(const struct audit *audit, FILE *out)
{
    json_t *json = json_object(), *counts = json_object();

    for (unsigned check = 0; check < FG_CHECK_COUNT; check++)
        if (check != FG_CHECK_UNSOLD) /* an audit does not know what demand there was */
            put(counts, fg_check_name(check), audit->findings.counts[check]);
    json_object_set_new(json, "log", log_json(audit));
    json_object_set_new(json, "streams", audit->has_redis ? streams_json(audit) : json_null());
    json_object_set_new(json, "history", audit->has_history ? history_json(audit) : json_null());
    json_object_set_new(json, "engine", audit->has_engine ? engine_json(audit) : json_null());
    json_object_set_new(json, "differences", counts);
    put(json, "differences_total", audit->findings.total);
    json_object_set(json, "lines", audit->lines);
    json_dumpf(json, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    fputc('\n', out);
    json_decref(json);
}
