/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The screen from top to bottom. Parts of a fixed height come first to their lines; items and
 * workers share what is left, and the one that is cut says how much of it is not shown.
 */
#include "control/top/view.h"

#include <stdarg.h>
#include <time.h>

#include "control/cli/columns.h"
#include "control/top/internal.h"

#define ALARM_LINES_MAX 4

void top_line(struct top *top, enum fg_top_style style, const char *format, ...)
{
    char text[2 * FG_TOP_LINE_BYTES];
    va_list arguments;

    if (top->used >= top->screen->rows)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    struct fg_top_line *line = &top->screen->lines[top->used++];
    line->style = style;
    fg_columns_fit(line->text, sizeof(line->text), text, top->in.columns, style == FG_TOP_TITLE,
                   top->in.ascii);
}

double top_rate(const struct top *top, const json_t *now, const json_t *before, const char *key)
{
    if (!top->in.before || !before || top->in.seconds <= 0)
        return -1;
    return (double)(number(now, key) - number(before, key)) / top->in.seconds;
}

const char *top_rate_text(double rate, char text[32])
{
    if (rate < 0)
        snprintf(text, 32, "-");
    else
        grouped((json_int_t)(rate + 0.5), text);
    return text;
}

/* A sentence in at most so many lines, broken between words; later ones are set in. Returns the
 * lines. */
static unsigned paragraph(struct top *top, const char *text, unsigned limit)
{
    unsigned lines = 0;

    for (; lines < limit && *text; lines++) {
        unsigned indent = lines ? 9 : 0, room = top->in.columns - indent;
        size_t length = strlen(text), cut = length;
        if (lines + 1 < limit && length > room)
            for (cut = room; cut > room / 2 && text[cut] != ' '; cut--)
                continue;
        top_line(top, FG_TOP_ALARM, "%*s%.*s", (int)indent, "", (int)cut, text);
        text += cut;
        text += strspn(text, " ");
    }
    return lines;
}

/* Counters of another process say nothing about this one's. */
static bool comparable(const json_t *now, const json_t *before)
{
    return number(now, "epoch") == number(before, "epoch") &&
           number(now, "uptime_ms") >= number(before, "uptime_ms");
}

static void title(struct top *top)
{
    const json_t *config = json_object_get(top->in.now, "config");
    const char *mode = text_or(top->in.now, "mode", "running");
    bool usual = strcmp(mode, "running") == 0;
    char left[160], clock[16], span[FG_SPAN_TEXT];
    time_t seconds = (time_t)(top->in.wall_ns / 1000000000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(clock, sizeof(clock), "%H:%M:%SZ", &tm);
    snprintf(left, sizeof(left),
             "Flashgate  revision %" JSON_INTEGER_FORMAT ", epoch %" JSON_INTEGER_FORMAT
             ", up %s, %" JSON_INTEGER_FORMAT " workers%s%s",
             number(top->in.now, "revision"), number(top->in.now, "epoch"),
             fg_span_clock((uint64_t)number(top->in.now, "uptime_ms") / 1000, span),
             number(config, "workers"), usual ? "" : ", ", usual ? "" : mode);
    int room = (int)top->in.columns - (int)strlen(clock) - 1;
    top_line(top, FG_TOP_TITLE, "%-*.*s %s", room, room, left, clock);
}

static void trouble(struct top *top)
{
    char span[FG_SPAN_TEXT];

    if (!top->in.trouble)
        return;
    top_line(top, FG_TOP_ALARM, "NO ANSWER for %s; what stands below is as old. Asking again.",
             fg_span_rough((double)top->in.silent_ms / 1000, span));
    paragraph(top, top->in.trouble, 3);
}

static void alarms(struct top *top)
{
    const json_t *warnings = json_object_get(top->in.now, "warnings");
    size_t count = json_array_size(warnings), shown = 0;
    unsigned lines = 0;

    /* The last line may have to say that there are more. */
    while (shown < count && lines + (shown + 1 < count) < ALARM_LINES_MAX) {
        char text[FG_TOP_LINE_BYTES];
        unsigned room = ALARM_LINES_MAX - lines - (shown + 1 < count);
        snprintf(text, sizeof(text), "WARNING  %s",
                 json_string_value(json_array_get(warnings, shown++)));
        lines += paragraph(top, text, room < 2 ? room : 2);
    }
    if (shown < count)
        top_line(top, FG_TOP_ALARM, "WARNING  and %zu more; flashgatectl status tells them all",
                 count - shown);
}

static void keys(struct top *top)
{
    char every[FG_SPAN_TEXT];

    if (top->in.interval_ms % 1000 == 0)
        snprintf(every, sizeof(every), "%u s", (unsigned)(top->in.interval_ms / 1000));
    else
        snprintf(every, sizeof(every), "%u ms", (unsigned)top->in.interval_ms);
    top_line(top, FG_TOP_FAINT, "q quit   left, right, tab: sale   up, down: items   every %s",
             every);
}

/* A part on a screen of its own, to know its height. */
static unsigned height_of(const struct top *top, void (*part)(struct top *top))
{
    static _Thread_local struct fg_top_screen scratch;
    struct top measured = {.screen = &scratch, .in = top->in};

    scratch.rows = FG_TOP_ROWS_MAX;
    part(&measured);
    return measured.used;
}

static void lower_part(struct top *top)
{
    top_decisions(top, top->in.rows >= 30 ? 5 : 3);
    top_hand_over(top);
    top_journal(top);
    top_delivery(top);
    top_drops(top, top->in.rows >= 30 ? 3 : 2);
}

static void whole(struct top *top)
{
    title(top);
    trouble(top);
    alarms(top);
    top_sale_head(top);
    unsigned fixed = top->used + height_of(top, lower_part) + 1;
    unsigned room = top->in.rows > fixed ? top->in.rows - fixed : 0;
    unsigned items = top_items_wanted(top), workers = top_workers_wanted(top);
    if (items + workers > room) {
        unsigned half = room / 2;
        workers = items < room - half ? room - items : workers < half ? workers : half;
        items = room - workers;
    }
    top_items(top, items);
    top_workers(top, workers);
    lower_part(top);
}

void fg_top_view(struct fg_top_screen *screen, const struct fg_top_input *input)
{
    struct top top = {.screen = screen, .in = *input};

    if (top.in.columns > FG_TOP_COLUMNS_MAX)
        top.in.columns = FG_TOP_COLUMNS_MAX;
    if (top.in.rows > FG_TOP_ROWS_MAX)
        top.in.rows = FG_TOP_ROWS_MAX;
    if (top.in.now && top.in.before && !comparable(top.in.now, top.in.before))
        top.in.before = NULL;
    screen->rows = top.in.rows;
    screen->sales = (unsigned)json_array_size(json_object_get(top.in.now, "sales"));
    screen->first_item = 0;
    if (top.in.rows < FG_TOP_ROWS_MIN || top.in.columns < FG_TOP_COLUMNS_MIN)
        top_line(&top, FG_TOP_ALARM, "%ux%u is too small; %dx%d is wanted", top.in.columns,
                 top.in.rows, FG_TOP_COLUMNS_MIN, FG_TOP_ROWS_MIN);
    else if (top.in.now)
        whole(&top);
    else
        trouble(&top);
    while (top.used + 1 < screen->rows)
        top_line(&top, FG_TOP_PLAIN, "%s", "");
    if (top.used < screen->rows)
        keys(&top);
}
