/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/check/report.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Sums over all items. */
struct sums {
    uint64_t stock, asked, orders, admitted, returned, oversold, unsold;
};

static struct sums add_up(const struct fg_check_result *result)
{
    struct sums sums = {0};
    for (uint32_t i = 0; i < result->books_count; i++) {
        const struct fg_item_books *book = &result->books[i];
        sums.stock += book->stock;
        sums.asked += book->asked;
        sums.orders += book->orders;
        sums.admitted += book->admitted;
        sums.returned += book->returned;
        sums.oversold += book->oversold;
        sums.unsold += book->unsold;
    }
    return sums;
}

bool fg_report_balanced(const struct fg_report *report)
{
    const struct fg_check_result *result = report->result;
    return report->findings->total == 0 && result->lost == 0 && result->unjudged_events == 0;
}

/* --- for people --- */

/* A number as people read it: 1,234,567. */
struct digits {
    char text[32];
};

static struct digits grouped(uint64_t number)
{
    char plain[24];
    struct digits digits;
    size_t length = (size_t)snprintf(plain, sizeof(plain), "%" PRIu64, number), used = 0;

    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            digits.text[used++] = ',';
        digits.text[used++] = plain[i];
    }
    digits.text[used] = '\0';
    return digits;
}

/* A time as people read it: 12.3 us, 4.56 ms, 1.20 s. */
static struct digits duration(double us)
{
    struct digits digits;
    if (us < 1000)
        snprintf(digits.text, sizeof(digits.text), "%.1f us", us);
    else if (us < 1e6)
        snprintf(digits.text, sizeof(digits.text), "%.2f ms", us / 1e3);
    else
        snprintf(digits.text, sizeof(digits.text), "%.2f s", us / 1e6);
    return digits;
}

static double real(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static uint64_t count(const json_t *object, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(object, key));
    return value > 0 ? (uint64_t)value : 0;
}

static void print_offer(const struct fg_report *report, const struct sums *sums, FILE *out)
{
    const struct fg_check_result *result = report->result;

    fprintf(out, "  offered    %12s requests", grouped(result->requests).text);
    if (report->load)
        fprintf(out, " of %s buyers, scheduled at %s a second",
                grouped(count(report->load, "buyers")).text,
                grouped(count(report->load, "rate")).text);
    fprintf(out, "\n             %12s units asked for, %.1f times the stock of %s\n",
            grouped(sums->asked).text,
            sums->stock > 0 ? (double)sums->asked / (double)sums->stock : 0.0,
            grouped(sums->stock).text);
    fprintf(out, "             %12s entries sent in all, of which\n", grouped(result->sent).text);
    fprintf(out, "             %12s CONFIRM and CANCEL of held orders\n",
            grouped(result->sent_by_op[FG_OP_CONFIRM] + result->sent_by_op[FG_OP_CANCEL]).text);
    if (report->load)
        fprintf(out, "             %12s double clicks, %s asked once more, %s retransmitted\n",
                grouped(count(report->load, "double_clicks")).text,
                grouped(count(report->load, "repeats")).text,
                grouped(count(report->load, "retransmissions")).text);
    else
        fprintf(out, "             %12s sent again\n", grouped(result->resent).text);
}

static void print_outcomes(const struct fg_check_result *result, FILE *out)
{
    fprintf(out, "  answered   %12s, lost %s\n", grouped(result->answered).text,
            grouped(result->lost).text);
    for (unsigned verdict = FG_VERDICT_NONE + 1; verdict <= FG_VERDICT_MAX; verdict++)
        if (result->outcomes[verdict] > 0)
            fprintf(out, "             %12s %s\n", grouped(result->outcomes[verdict]).text,
                    fg_verdict_name(verdict));
    if (result->outcomes[FG_VERDICT_NONE] > 0)
        fprintf(out, "             %12s never answered\n",
                grouped(result->outcomes[FG_VERDICT_NONE]).text);
}

static void print_speed(const json_t *load, FILE *out)
{
    fprintf(out, "  rate       %12s decisions a second\n",
            grouped((uint64_t)real(load, "decisions_per_s")).text);
    fprintf(out, "  latency    p50 %s, p99 %s, p99.9 %s, max %s\n",
            duration(real(load, "p50_us")).text, duration(real(load, "p99_us")).text,
            duration(real(load, "p999_us")).text, duration(real(load, "max_us")).text);
    fprintf(out, "             from the moment each request was scheduled to leave\n");
}

static void print_book(const char *name, const struct fg_item_books *book, FILE *out)
{
    fprintf(out, "  %-10s %10s %12s %10s %10s %10s %9s %9s\n", name, grouped(book->stock).text,
            grouped(book->asked).text, grouped(book->orders).text, grouped(book->admitted).text,
            grouped(book->returned).text, grouped(book->oversold).text, grouped(book->unsold).text);
}

static void print_books(const struct fg_check_result *result, const struct sums *sums, FILE *out)
{
    fprintf(out, "  %-10s %10s %12s %10s %10s %10s %9s %9s\n", "item", "stock", "asked for",
            "orders", "admitted", "came back", "oversold", "unsold");
    for (uint32_t i = 0; i < result->books_count; i++) {
        char name[16];
        snprintf(name, sizeof(name), "%" PRIu32, result->books[i].id);
        print_book(name, &result->books[i], out);
    }
    struct fg_item_books all = {.stock = sums->stock,
                                .asked = sums->asked,
                                .orders = sums->orders,
                                .admitted = sums->admitted,
                                .returned = sums->returned,
                                .oversold = sums->oversold,
                                .unsold = sums->unsold};
    print_book("all", &all, out);
    fprintf(out, "  (orders as Redis has them; admitted and came back in units)\n");
}

/* Each invariant once, with the number of its violations if there are any. */
static void print_invariants(const struct fg_findings *findings, FILE *out)
{
    fprintf(out, "  checked   ");
    for (unsigned check = 0; check < FG_CHECK_COUNT;) {
        const char *invariant = fg_check_invariant(check);
        uint64_t violations = 0;
        for (; check < FG_CHECK_COUNT && strcmp(fg_check_invariant(check), invariant) == 0; check++)
            violations += findings->counts[check];
        if (strcmp(invariant, "I5") == 0)
            continue; /* a history and streams say nothing of what is on sale */
        if (violations == 0)
            fprintf(out, " %s ok", invariant);
        else
            fprintf(out, " %s BROKEN (%s)", invariant, grouped(violations).text);
    }
    fprintf(out, "\n");
}

void fg_report_print(const struct fg_report *report, FILE *out)
{
    const struct fg_check_result *result = report->result;
    struct sums sums = add_up(result);

    fprintf(out, "\n");
    print_offer(report, &sums, out);
    print_outcomes(result, out);
    if (report->load)
        print_speed(report->load, out);
    fprintf(out, "\n");
    print_books(result, &sums, out);
    fprintf(out, "\n  orders     %12s in Redis, %s told to clients, %s doubled\n",
            grouped(result->redis_orders).text, grouped(result->admitted).text,
            grouped(result->duplicate_orders).text);
    if (result->unjudged_events > 0)
        fprintf(out, "             %12s events of items that the history does not list\n",
                grouped(result->unjudged_events).text);
    print_invariants(report->findings, out);
    fprintf(out, "\n  oversold %s, unsold %s: the books %s\n\n", grouped(sums.oversold).text,
            grouped(sums.unsold).text, fg_report_balanced(report) ? "balance" : "DO NOT BALANCE");
}

/* --- JSON --- */

/* X(name, value): counts, in the order of the file. */
#define COUNTS(X)                                                                                  \
    X(requests, result->requests)                                                                  \
    X(answered, result->answered)                                                                  \
    X(lost, result->lost)                                                                          \
    X(admitted, result->admitted)                                                                  \
    X(stock, sums.stock)                                                                           \
    X(oversold, sums.oversold)                                                                     \
    X(unsold, sums.unsold)                                                                         \
    X(duplicate_orders, result->duplicate_orders)                                                  \
    X(redis_orders, result->redis_orders)                                                          \
    X(sent, result->sent)                                                                          \
    X(sends_answered, result->sends_answered)                                                      \
    X(resent, result->resent)                                                                      \
    X(violations_total, report->findings->total)

/* Figures that only the generator knows, taken over from its report. */
static const char *const taken_over[] = {
    "retransmissions", "double_clicks", "repeats", "told_to_wait",    "buyers",      "rate",
    "duration_s",      "batch",         "seed",    "decisions_per_s", "p50_us",      "p90_us",
    "p99_us",          "p999_us",       "max_us",  "late_requests",   "late_max_us",
};

static json_t *integer(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *items_json(const struct fg_check_result *result)
{
    json_t *items = json_array();
    for (uint32_t i = 0; i < result->books_count; i++) {
        const struct fg_item_books *book = &result->books[i];
        json_t *item = json_object();
        json_object_set_new(item, "id", integer(book->id));
        json_object_set_new(item, "stock", integer(book->stock));
        json_object_set_new(item, "requests", integer(book->requests));
        json_object_set_new(item, "asked", integer(book->asked));
        json_object_set_new(item, "orders", integer(book->orders));
        json_object_set_new(item, "admitted", integer(book->admitted));
        json_object_set_new(item, "returned", integer(book->returned));
        json_object_set_new(item, "peak", integer(book->peak));
        json_object_set_new(item, "oversold", integer(book->oversold));
        json_object_set_new(item, "unsold", integer(book->unsold));
        json_array_append_new(items, item);
    }
    return items;
}

int fg_report_save(const struct fg_report *report, const char *path)
{
    const struct fg_check_result *result = report->result;
    struct sums sums = add_up(result);
    json_t *root = json_object(), *outcomes = json_object(), *violations = json_object();

#define X(name, value) json_object_set_new(root, #name, integer(value));
    COUNTS(X)
#undef X
    for (size_t i = 0; i < sizeof(taken_over) / sizeof(*taken_over); i++) {
        json_t *figure = json_object_get(report->load, taken_over[i]);
        if (figure)
            json_object_set(root, taken_over[i], figure);
    }
    for (unsigned verdict = FG_VERDICT_NONE + 1; verdict <= FG_VERDICT_MAX; verdict++)
        if (result->outcomes[verdict] > 0)
            json_object_set_new(outcomes, fg_verdict_name(verdict),
                                integer(result->outcomes[verdict]));
    for (unsigned check = 0; check < FG_CHECK_COUNT; check++)
        json_object_set_new(violations, fg_check_name(check),
                            integer(report->findings->counts[check]));
    json_object_set_new(root, "verdicts", outcomes);
    json_object_set_new(root, "violations", violations);
    json_object_set_new(root, "items", items_json(result));
    json_object_set_new(root, "balanced", json_boolean(fg_report_balanced(report)));

    errno = 0;
    int status = json_dump_file(root, path, JSON_INDENT(2)) == 0 ? 0 : errno ? -errno : -EIO;
    json_decref(root);
    return status;
}
