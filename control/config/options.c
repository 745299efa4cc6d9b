/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading YAML by tables of options.
 *
 * libyaml's events are taken one at a time, so the first mistake in the file is the one reported,
 * and nothing deep or large is ever built: what no table wants is refused where it begins. The
 * recursion is as deep as the tables nest.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "control/config/option_reader.h"

/* --- Events --- */

static void drop_event(struct fg_option_reader *r)
{
    if (r->input->confidential && r->event.type == YAML_SCALAR_EVENT)
        explicit_bzero(r->event.data.scalar.value, r->event.data.scalar.length);
    yaml_event_delete(&r->event);
}

/* Place of a byte: libyaml gives only an offset for what is no text at all. */
static struct fg_option_place place_of_offset(const struct fg_options_input *in, size_t offset)
{
    struct fg_option_place at = {1, 1};
    for (size_t i = 0; i < offset && i < in->length; i++) {
        at.column += ((unsigned char)in->text[i] & 0xC0) != 0x80;
        if (in->text[i] == '\n')
            at = (struct fg_option_place){at.line + 1, 1};
    }
    return at;
}

static int refuse_yaml(struct fg_option_reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return fg_option_refuse_at(r, fg_option_place_of(p->mark),
                                   "could not be read: out of memory");
    const char *problem = p->problem ? p->problem : "unreadable";
    if (p->error == YAML_READER_ERROR)
        return fg_option_refuse_at(r, place_of_offset(r->input, p->problem_offset),
                                   "is not text: %s", problem);
    if (p->context)
        return fg_option_refuse_at(r, fg_option_place_of(p->problem_mark),
                                   "is not valid YAML: %s, %s of line %zu", problem, p->context,
                                   p->context_mark.line + 1);
    return fg_option_refuse_at(r, fg_option_place_of(p->problem_mark), "is not valid YAML: %s",
                               problem);
}

/* Anchors, aliases and tags would make a file that reads otherwise than it looks. */
static int check_dress(struct fg_option_reader *r)
{
    const yaml_event_t *e = &r->event;
    const yaml_char_t *anchor = NULL, *tag = NULL;
    switch (e->type) {
    case YAML_ALIAS_EVENT:
        return fg_option_refuse_at(r, fg_option_place_of(e->start_mark),
                                   "an alias (*) is not taken, write it out");
    case YAML_SCALAR_EVENT:
        anchor = e->data.scalar.anchor;
        tag = e->data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = e->data.sequence_start.anchor;
        tag = e->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = e->data.mapping_start.anchor;
        tag = e->data.mapping_start.tag;
        break;
    default:
        return 0;
    }
    if (anchor)
        return fg_option_refuse_at(r, fg_option_place_of(e->start_mark),
                                   "an anchor (&) is not taken, leave it out");
    if (tag)
        return fg_option_refuse_at(r, fg_option_place_of(e->start_mark),
                                   "a tag (!) is not taken, leave it out");
    return 0;
}

static int next_event(struct fg_option_reader *r)
{
    drop_event(r);
    if (!yaml_parser_parse(&r->parser, &r->event))
        return refuse_yaml(r);
    return check_dress(r);
}

/* --- Values --- */

static int read_table(struct fg_option_scope *scope, void *target);
static int set_defaults(const struct fg_option_scope *scope, void *target);
static int finish_table(struct fg_option_scope *scope, void *target);
static int read_value(const struct fg_option_scope *scope, const struct fg_option *option,
                      const char *name, void *target);

static bool is_null(const yaml_event_t *event)
{
    const char *value = (const char *)event->data.scalar.value;
    return event->type == YAML_SCALAR_EVENT &&
           event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (event->data.scalar.length == 0 || strcmp(value, "~") == 0 ||
            strcmp(value, "null") == 0);
}

/* The event is not what this option begins with. */
static int refuse_shape(const struct fg_option_scope *scope, const struct fg_option *option,
                        const char *name)
{
    struct fg_option_reader *r = scope->reader;
    char full[128], wanted[200];
    const char *what = is_null(&r->event)                           ? "nothing"
                       : r->event.type == YAML_SCALAR_EVENT         ? "a single value"
                       : r->event.type == YAML_SEQUENCE_START_EVENT ? "a list"
                                                                    : "a table";
    return fg_option_refuse_at(r, fg_option_place_of(r->event.start_mark),
                               "%s: found %s, wanted %s",
                               fg_option_full_name(scope, name, full, sizeof(full)), what,
                               fg_option_wanted(option, wanted, sizeof(wanted)));
}

static int read_scalar(const struct fg_option_scope *scope, const struct fg_option *option,
                       const char *name, void *target)
{
    struct fg_option_reader *r = scope->reader;
    if (r->event.type != YAML_SCALAR_EVENT || is_null(&r->event))
        return refuse_shape(scope, option, name);
    char why[384], shown[128], full[128];
    const char *value = (const char *)r->event.data.scalar.value;
    size_t length = r->event.data.scalar.length;
    if (fg_option_set(option, value, length, r->input->now_ns, target, why, sizeof(why)) == 0)
        return 0;
    fg_option_found(r, value, length, shown, sizeof(shown));
    return fg_option_refuse_at(r, fg_option_place_of(r->event.start_mark), "%s: %s %s",
                               fg_option_full_name(scope, name, full, sizeof(full)), shown, why);
}

static int read_section(const struct fg_option_scope *scope, const struct fg_option *option,
                        const char *name, void *target)
{
    struct fg_option_scope inner = {
        .reader = scope->reader,
        .table = option->table,
        .parent = scope,
        .name = name,
        .place = fg_option_place_of(scope->reader->event.start_mark),
    };
    void *field = (char *)target + option->offset;
    /* A section all of whose options are comments is one in which nothing was written. */
    if (is_null(&scope->reader->event))
        return set_defaults(&inner, field) != 0 ? -1 : finish_table(&inner, field);
    if (scope->reader->event.type != YAML_MAPPING_START_EVENT)
        return refuse_shape(scope, option, name);
    return read_table(&inner, field);
}

/* Room for one more element, zeroed; NULL when memory is short. */
static void *list_append(const struct fg_option *option, void *target)
{
    unsigned *count = (unsigned *)((char *)target + option->second);
    char *field = (char *)target + option->offset;
    if (!option->allocated)
        return field + (size_t)(*count)++ * option->size;
    void **array = (void **)field;
    bool full = (*count & (*count - 1)) == 0; /* it doubles at each power of two */
    if (full) {
        size_t room = *count ? 2 * (size_t)*count : 1;
        void *grown = reallocarray(*array, room, option->size);
        if (!grown)
            return NULL;
        *array = grown;
    }
    void *element = (char *)*array + (size_t)(*count)++ * option->size;
    memset(element, 0, option->size);
    return element;
}

static int read_list(const struct fg_option_scope *scope, const struct fg_option *option,
                     const char *name, void *target)
{
    struct fg_option_reader *r = scope->reader;
    char full[128];
    fg_option_full_name(scope, name, full, sizeof(full));
    if (option->takes_all && r->event.type == YAML_SCALAR_EVENT &&
        strcmp((const char *)r->event.data.scalar.value, "all") == 0) {
        *(bool *)((char *)target + option->all) = true;
        return 0;
    }
    if (r->event.type != YAML_SEQUENCE_START_EVENT)
        return refuse_shape(scope, option, name);
    struct fg_option_place begin = fg_option_place_of(r->event.start_mark);
    int64_t count = 0;
    for (; next_event(r) == 0 && r->event.type != YAML_SEQUENCE_END_EVENT; count++) {
        struct fg_option_place at = fg_option_place_of(r->event.start_mark);
        if (count == option->max)
            return fg_option_refuse_at(r, at, "%s: too many, wanted at most %d", full,
                                       (int)option->max);
        void *element = list_append(option, target);
        if (!element)
            return fg_option_refuse_at(r, at, "%s: could not be kept: out of memory", full);
        if (read_value(scope, option->element, name, element) != 0)
            return -1;
    }
    if (r->failed)
        return -1;
    if (count < option->min)
        return fg_option_refuse_at(r, begin, "%s: found %d, wanted at least %d", full, (int)count,
                                   (int)option->min);
    return 0;
}

static int read_value(const struct fg_option_scope *scope, const struct fg_option *option,
                      const char *name, void *target)
{
    if (option->kind == FG_OPTION_SECTION)
        return read_section(scope, option, name, target);
    if (option->kind == FG_OPTION_LIST)
        return read_list(scope, option, name, target);
    return read_scalar(scope, option, name, target);
}

/* --- Tables --- */

static int set_defaults(const struct fg_option_scope *scope, void *target)
{
    for (unsigned i = 0; i < scope->table->count; i++) {
        const struct fg_option *option = &scope->table->options[i];
        char why[256];
        if (option->standard && fg_option_set(option, option->standard, strlen(option->standard), 0,
                                              target, why, sizeof(why)) != 0)
            return fg_option_refuse(scope, option->name, "its default %s %s", option->standard,
                                    why);
    }
    return 0;
}

/* A section that was not written may still lack something that it must say. */
static int finish_table(struct fg_option_scope *scope, void *target)
{
    for (unsigned i = 0; i < scope->table->count; i++) {
        const struct fg_option *option = &scope->table->options[i];
        if (scope->given[i].line)
            continue;
        if (option->required)
            return fg_option_refuse(scope, option->name, "is missing. %s", option->help);
        if (option->kind != FG_OPTION_SECTION)
            continue;
        struct fg_option_scope inner = {
            .reader = scope->reader,
            .table = option->table,
            .parent = scope,
            .name = option->name,
            .place = scope->place,
        };
        void *field = (char *)target + option->offset;
        if (set_defaults(&inner, field) != 0 || finish_table(&inner, field) != 0)
            return -1;
    }
    return scope->table->check ? scope->table->check(scope, target) : 0;
}

/* The event is the mapping's start; on success the event is its end. */
static int read_table(struct fg_option_scope *scope, void *target)
{
    struct fg_option_reader *r = scope->reader;
    assert(scope->table->count <= FG_OPTIONS_MAX);
    if (set_defaults(scope, target) != 0)
        return -1;
    while (next_event(r) == 0 && r->event.type != YAML_MAPPING_END_EVENT) {
        struct fg_option_place at = fg_option_place_of(r->event.start_mark);
        if (r->event.type != YAML_SCALAR_EVENT)
            return fg_option_refuse_at(r, at, "found a list or table where a name should be");
        unsigned place = 0;
        const struct fg_option *option = fg_option_find(
            scope->table, (char *)r->event.data.scalar.value, r->event.data.scalar.length, &place);
        if (!option)
            return fg_option_refuse_name(scope, &r->event);
        if (scope->given[place].line)
            return fg_option_refuse(scope, option->name, "stands here and again at line %zu",
                                    at.line);
        if (next_event(r) != 0)
            return -1;
        scope->given[place] = at;
        if (read_value(scope, option, option->name, target) != 0)
            return -1;
    }
    return r->failed ? -1 : finish_table(scope, target);
}

static int read_document(struct fg_option_reader *r, const struct fg_option_table *table,
                         void *target)
{
    struct fg_option_scope scope = {.reader = r, .table = table};
    if (next_event(r) != 0 || next_event(r) != 0) /* the stream's start, then the document's */
        return -1;
    bool empty = r->event.type == YAML_STREAM_END_EVENT;
    if (!empty && next_event(r) != 0)
        return -1;
    scope.place = empty ? (struct fg_option_place){1, 1} : fg_option_place_of(r->event.start_mark);
    if (r->event.type != YAML_MAPPING_START_EVENT)
        return fg_option_refuse_at(
            r, scope.place, "found %s, wanted %s",
            empty || is_null(&r->event) ? "nothing" : "something else than a table", table->help);
    if (read_table(&scope, target) != 0)
        return -1;
    if (next_event(r) != 0 || next_event(r) != 0) /* the document's end, then the stream's */
        return -1;
    if (r->event.type != YAML_STREAM_END_EVENT)
        return fg_option_refuse_at(r, fg_option_place_of(r->event.start_mark),
                                   "found a second document, wanted one");
    return 0;
}

int fg_options_read(const struct fg_option_table *table, void *target,
                    const struct fg_options_input *input)
{
    struct fg_option_reader r = {.input = input};
    if (input->length > FG_OPTIONS_FILE_MAX)
        return fg_option_refuse_at(&r, (struct fg_option_place){1, 1},
                                   "has %zu bytes, wanted at most %u", input->length,
                                   FG_OPTIONS_FILE_MAX);
    if (!yaml_parser_initialize(&r.parser))
        return fg_option_refuse_at(&r, (struct fg_option_place){1, 1},
                                   "could not be read: out of memory");
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)input->text, input->length);
    int result = read_document(&r, table, target);
    drop_event(&r);
    if (input->confidential) {
        yaml_parser_t *p = &r.parser;
        explicit_bzero(p->raw_buffer.start, (size_t)(p->raw_buffer.end - p->raw_buffer.start));
        explicit_bzero(p->buffer.start, (size_t)(p->buffer.end - p->buffer.start));
    }
    yaml_parser_delete(&r.parser);
    return result;
}

static void free_element(const struct fg_option *option, void *target)
{
    if (option->kind == FG_OPTION_TEXT) {
        free(*(char **)((char *)target + option->offset));
        *(char **)((char *)target + option->offset) = NULL;
    } else if (option->kind == FG_OPTION_SECTION) {
        fg_options_free(option->table, (char *)target + option->offset);
    }
}

void fg_options_free(const struct fg_option_table *table, void *target)
{
    for (unsigned i = 0; i < table->count; i++) {
        const struct fg_option *option = &table->options[i];
        if (option->kind != FG_OPTION_LIST) {
            free_element(option, target);
            continue;
        }
        char *field = (char *)target + option->offset;
        unsigned *count = (unsigned *)((char *)target + option->second);
        char *elements = option->allocated ? *(char **)field : field;
        for (unsigned j = 0; j < *count; j++)
            free_element(option->element, elements + (size_t)j * option->size);
        *count = 0;
        if (option->allocated) {
            free(elements);
            *(void **)field = NULL;
        }
    }
}
