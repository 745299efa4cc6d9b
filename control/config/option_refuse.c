/* SPDX-License-Identifier: BSD-3-Clause */
/* What a reader of options says when it refuses: where, the full name, what was found. */
#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "control/config/option_reader.h"

#define NAME_SHOWN_MAX 48 /* bytes of a wrong name or value that a message repeats */

/* --- Refusals --- */

struct fg_option_place fg_option_place_of(yaml_mark_t mark)
{
    return (struct fg_option_place){mark.line + 1, mark.column + 1};
}

int fg_option_refuse_at(struct fg_option_reader *r, struct fg_option_place at, const char *format,
                        ...)
{
    const struct fg_options_input *in = r->input;
    r->failed = true;
    int used = snprintf(in->message, in->size, "%s:%zu:%zu: ", in->source, at.line, at.column);
    if (used < 0 || (size_t)used >= in->size)
        return -1;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(in->message + used, in->size - (size_t)used, format, arguments);
    va_end(arguments);
    return -1;
}

/* "log.budget", for option `name` of the scope. */
const char *fg_option_full_name(const struct fg_option_scope *scope, const char *name, char *text,
                                size_t size)
{
    const char *names[8];
    int count = 0;
    names[count++] = name;
    for (; scope && scope->name && count < 8; scope = scope->parent)
        names[count++] = scope->name;
    size_t used = 0;
    while (count-- > 0 && used < size)
        used += (size_t)snprintf(text + used, size - used, "%s%s", names[count], count ? "." : "");
    return text;
}

/* What was found, fit for a message: cut, quoted if it is more than a plain word. */
const char *fg_option_found(const struct fg_option_reader *r, const char *value, size_t length,
                            char *text, size_t size)
{
    if (r->input->confidential) {
        snprintf(text, size, "the value");
        return text;
    }
    size_t shown = length < NAME_SHOWN_MAX ? length : NAME_SHOWN_MAX;
    while (shown < length && shown > 0 && ((unsigned char)value[shown] & 0xC0) == 0x80)
        shown--; /* never cut a UTF-8 character */
    bool plain = length > 0 && shown == length;
    for (size_t i = 0; i < shown; i++)
        plain &= (unsigned char)value[i] > 0x20 && value[i] != '"' && value[i] != 0x7f;
    const char *quote = plain ? "" : "\"";
    snprintf(text, size, "%s%.*s%s%s", quote, (int)shown, value, shown < length ? "..." : "",
             quote);
    for (char *at = text; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?';
    return text;
}

const struct fg_option *fg_option_find(const struct fg_option_table *table, const char *name,
                                       size_t length, unsigned *place)
{
    for (unsigned i = 0; i < table->count; i++)
        if (strlen(table->options[i].name) == length &&
            memcmp(table->options[i].name, name, length) == 0) {
            *place = i;
            return &table->options[i];
        }
    return NULL;
}

int fg_option_refuse(const struct fg_option_scope *scope, const char *name, const char *format, ...)
{
    unsigned place = 0;
    const struct fg_option *option = fg_option_find(scope->table, name, strlen(name), &place);
    assert(option);
    (void)option;
    char said[512], full[128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(said, sizeof(said), format, arguments);
    va_end(arguments);
    struct fg_option_place at = scope->given[place].line ? scope->given[place] : scope->place;
    return fg_option_refuse_at(scope->reader, at, "%s: %s",
                               fg_option_full_name(scope, name, full, sizeof(full)), said);
}

bool fg_option_given(const struct fg_option_scope *scope, const char *name)
{
    unsigned place = 0;
    return fg_option_find(scope->table, name, strlen(name), &place) &&
           scope->given[place].line != 0;
}

const struct fg_options_input *fg_option_input(const struct fg_option_scope *scope)
{
    return scope->reader->input;
}

/* --- Unknown names --- */

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Edit distance; names longer than a row are as far away as can be. */
static unsigned distance(const char *a, size_t a_length, const char *b)
{
    unsigned row[NAME_SHOWN_MAX + 1];
    size_t b_length = strlen(b);
    if (a_length > NAME_SHOWN_MAX || b_length > NAME_SHOWN_MAX)
        return NAME_SHOWN_MAX;
    for (unsigned j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 0; i < a_length; i++) {
        unsigned corner = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < b_length; j++) {
            unsigned changed = corner + (a[i] != b[j]);
            corner = row[j + 1];
            row[j + 1] = least(changed, least(row[j], row[j + 1]) + 1);
        }
    }
    return row[b_length];
}

int fg_option_refuse_name(const struct fg_option_scope *scope, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length, used = 0;
    char shown[128], said[640], full[256];
    const char *nearest = NULL;
    unsigned best = length < 4 ? 2 : 3; /* farther ones are no help */
    for (unsigned i = 0; i < scope->table->count; i++) {
        const char *known = scope->table->options[i].name;
        unsigned far = distance(name, length, known);
        if (far < best) {
            best = far;
            nearest = known;
        }
        used += (size_t)snprintf(said + used, sizeof(said) - used, "%s%s", i ? ", " : "", known);
        used = used < sizeof(said) ? used : sizeof(said) - 1;
    }
    fg_option_found(scope->reader, name, length, shown, sizeof(shown));
    fg_option_full_name(scope, scope->reader->input->confidential ? "name" : shown, full,
                        sizeof(full));
    struct fg_option_place at = fg_option_place_of(event->start_mark);
    if (nearest)
        return fg_option_refuse_at(scope->reader, at, "%s: unknown, did you mean %s?", full,
                                   nearest);
    return fg_option_refuse_at(scope->reader, at, "%s: unknown, wanted one of: %s", full, said);
}
