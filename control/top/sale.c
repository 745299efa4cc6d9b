/* SPDX-License-Identifier: BSD-3-Clause */
/* Of the top view: one sale, its clock, and how its items burn down. */
#include <time.h>

#include "control/cli/columns.h"
#include "control/top/internal.h"

#define NARROW 80 /* columns at which nothing is to spare */

const json_t *top_sale(const struct top *top)
{
    const json_t *sales = json_object_get(top->in.now, "sales");
    size_t count = json_array_size(sales);

    return count == 0 ? NULL
                      : json_array_get(sales, top->in.sale < count ? top->in.sale : count - 1);
}

/* The same sale in the answer before; NULL if it was not there. */
static const json_t *sale_before(const struct top *top, const json_t *sale)
{
    size_t i;
    json_t *other;

    json_array_foreach(json_object_get(top->in.before, "sales"), i, other)
    {
        if (number(other, "number") == number(sale, "number"))
            return other;
    }
    return NULL;
}

/* --- the clock --- */

/* Seconds from now to "2026-11-22T20:00:00.000Z", negative when it is past. False: no such time. */
static bool seconds_to(const struct top *top, const json_t *sale, const char *key, int64_t *seconds)
{
    const char *text = json_string_value(json_object_get(sale, key));
    struct tm tm = {0};
    const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;

    if (!rest)
        return false;
    int64_t ms = (int64_t)timegm(&tm) * 1000;
    if (rest[0] == '.')
        for (int digit = 1, worth = 100; digit <= 3 && rest[digit] >= '0' && rest[digit] <= '9';
             digit++, worth /= 10)
            ms += (rest[digit] - '0') * worth;
    ms -= (int64_t)(top->in.wall_ns / 1000000);
    /* "opens in 0:00:01" until the very moment. */
    *seconds = ms > 0 ? (ms + 999) / 1000 : -(-ms / 1000);
    return true;
}

static void clock_text(const struct top *top, const json_t *sale, char *out, size_t size)
{
    const char *state = text(sale, "state");
    char span[FG_SPAN_TEXT], to_close[FG_SPAN_TEXT + 16] = "";
    int64_t opens = 0, closes = 0;
    bool has_opens = seconds_to(top, sale, "opens", &opens);
    bool has_closes = seconds_to(top, sale, "closes", &closes);

    if (has_closes && closes > 0)
        snprintf(to_close, sizeof(to_close), ", closes in %s",
                 fg_span_clock((uint64_t)closes, span));
    if (strcmp(state, "scheduled") == 0 && has_opens && opens > 0)
        snprintf(out, size, "opens in %s%s", fg_span_clock((uint64_t)opens, span), to_close);
    else if (strcmp(state, "scheduled") == 0)
        snprintf(out, size, "%s%s", has_opens ? "opening" : "opens by hand", to_close);
    else if (strcmp(state, "closed") == 0 && has_closes && closes <= 0)
        snprintf(out, size, "closed %s ago", fg_span_clock((uint64_t)-closes, span));
    else if (strcmp(state, "closed") != 0 && has_opens && opens <= 0)
        snprintf(out, size, "%s since %s%s", state, fg_span_clock((uint64_t)-opens, span),
                 *to_close ? to_close : ", closes by hand");
    else
        snprintf(out, size, "%s%s", state, to_close);
}

void top_sale_head(struct top *top)
{
    const json_t *sale = top_sale(top);
    unsigned sales = top->screen->sales;
    char clock[160], stock[32], available[32], given[32], place[48] = "";

    if (!sale) {
        top_line(top, FG_TOP_HEAD,
                 "There is no sale; put one in force with: flashgatectl sale apply FILE");
        return;
    }
    if (sales > 1)
        snprintf(place, sizeof(place), " (%u of %u)",
                 (top->in.sale < sales ? top->in.sale : sales - 1) + 1, sales);
    clock_text(top, sale, clock, sizeof(clock));
    top_line(top, FG_TOP_HEAD, "Sale %s%s: %s", text(sale, "name"), place, clock);
    const char *stream = text_or(sale, "stream", "");
    top_line(top, FG_TOP_PLAIN, "Stock %s, available %s, given %s%s%s",
             grouped(number(sale, "stock"), stock), grouped(number(sale, "available"), available),
             grouped(number(sale, "given"), given), *stream ? "; stream " : "", stream);
}

/* --- items --- */

static const json_t *item_before(const json_t *sale, json_int_t id)
{
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(sale, "items"), i, item)
    {
        if (number(item, "id") == id)
            return item;
    }
    return NULL;
}

/* The word in place of a time: what is sold out, or does not sell. */
static const char *empty_text(const json_t *item, double rate, char span[FG_SPAN_TEXT])
{
    json_int_t available = number(item, "available");

    const char *state = text_or(item, "state", "running");

    if (strcmp(state, "running") != 0)
        return state;
    if (available == 0)
        return "none left";
    return rate > 0 ? fg_span_rough((double)available / rate, span) : "-";
}

static void item_line(struct top *top, const json_t *item, const json_t *before)
{
    unsigned spare = top->in.columns > NARROW ? top->in.columns - NARROW : 0;
    unsigned name_width = 14 + (spare / 2 < 26 ? spare / 2 : 26);
    unsigned bar_width = top->in.columns < NARROW ? 3 : 18 + (spare - spare / 2);
    char name[FG_TOP_LINE_BYTES], bar[FG_TOP_LINE_BYTES], left[32], sold[32], span[FG_SPAN_TEXT];
    json_int_t stock = number(item, "stock"), available = number(item, "available");
    double rate = top_rate(top, item, before, "given");

    fg_columns_fit(name, sizeof(name), text(item, "name"), name_width, 1, top->in.ascii);
    fg_bar(bar, sizeof(bar), stock > 0 ? (double)available / (double)stock : 0, bar_width);
    top_line(top, available > 0 ? FG_TOP_PLAIN : FG_TOP_FAINT,
             "%10" JSON_INTEGER_FORMAT " %s %s %11s %9s %10s", number(item, "id"), name, bar,
             grouped(available, left), top_rate_text(rate, sold), empty_text(item, rate, span));
}

unsigned top_items_wanted(const struct top *top)
{
    const json_t *sale = top_sale(top);
    unsigned count = (unsigned)json_array_size(json_object_get(sale, "items"));
    return count ? count + 1 + (number(sale, "items_count") > count) : 0;
}

void top_items(struct top *top, unsigned limit)
{
    const json_t *sale = top_sale(top), *items = json_object_get(sale, "items");
    const json_t *before = sale ? sale_before(top, sale) : NULL;
    unsigned count = (unsigned)json_array_size(items), all = (unsigned)number(sale, "items_count");

    if (limit < 2 || count == 0)
        return;
    unsigned shown = count > limit - 1 || all > count ? limit - 2 : count;
    if (shown > count)
        shown = count;
    unsigned first = top->in.first_item < count - shown ? top->in.first_item : count - shown;
    unsigned spare = top->in.columns > NARROW ? top->in.columns - NARROW : 0;
    top_line(top, FG_TOP_FAINT, "%10s %-*s %-*s %11s %9s %10s", "ITEM",
             (int)(14 + (spare / 2 < 26 ? spare / 2 : 26)), "NAME",
             top->in.columns < NARROW ? 3 : (int)(18 + (spare - spare / 2)),
             top->in.columns < NARROW ? "" : "LEFT", "UNITS", "GIVEN/s", "EMPTY IN");
    for (unsigned i = first; i < first + shown; i++) {
        const json_t *item = json_array_get(items, i);
        item_line(top, item, item_before(before, number(item, "id")));
    }
    top->screen->first_item = first;
    if (shown < all)
        top_line(top, FG_TOP_FAINT, "%10s items %u to %u of %u; sale show tells all", "",
                 shown ? first + 1 : 0, first + shown, all);
}
