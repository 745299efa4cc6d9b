/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables of options for people: the commented reference file, and the list of all options. */
#include <string.h>

#include "control/config/options.h"
#include "control/manual.h"

#define LINE_WIDTH 96

void fg_option_comment(FILE *out, int indent, const char *text)
{
    size_t room = LINE_WIDTH - (size_t)indent - 2;
    while (*text) {
        size_t length = strlen(text), cut = length;
        if (length > room)
            for (cut = room; cut > 0 && text[cut] != ' '; cut--)
                ;
        if (cut == 0)
            cut = strcspn(text, " ");
        fprintf(out, "%*s# %.*s\n", indent, "", (int)cut, text);
        text += cut;
        text += strspn(text, " ");
    }
}

const char *fg_option_kind_text(const struct fg_option *option, char *text, size_t size)
{
    static const char *const kinds[] = {
        [FG_OPTION_INTEGER] = "whole number", [FG_OPTION_SIZE] = "size",
        [FG_OPTION_DURATION] = "duration",    [FG_OPTION_TIME] = "time",
        [FG_OPTION_ADDRESS] = "address",
    };
    char wanted[200];
    fg_option_wanted(option, wanted, sizeof(wanted));
    if (option->kind == FG_OPTION_LIST) {
        char element[240];
        if (option->element->kind == FG_OPTION_SECTION)
            snprintf(element, sizeof(element), "tables");
        else
            fg_option_kind_text(option->element, element, sizeof(element));
        snprintf(text, size, "%s: %s", wanted, element);
        return text;
    }
    const char *kind = option->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[option->kind] : NULL;
    if (kind)
        snprintf(text, size, "%s%s%s, %s", kind, option->unit ? " of " : "",
                 option->unit ? option->unit : "", wanted);
    else
        snprintf(text, size, "%s", wanted);
    return text;
}

static const char *default_text(const struct fg_option *option)
{
    return option->required ? "required" : option->standard ? option->standard : "no default";
}

static void print_reference(const struct fg_option_table *table, FILE *out, int indent)
{
    for (unsigned i = 0; i < table->count; i++) {
        const struct fg_option *o = &table->options[i];
        char kind[450], facts[640];
        if (i > 0)
            fputc('\n', out);
        fg_option_comment(out, indent, o->help);
        if (o->kind == FG_OPTION_SECTION) {
            fprintf(out, "%*s%s:\n", indent, "", o->name);
            print_reference(o->table, out, indent + 2);
            continue;
        }
        snprintf(facts, sizeof(facts), "[%s; %s%s; %s]", fg_option_kind_text(o, kind, sizeof(kind)),
                 o->standard ? "default " : "", default_text(o), o->live ? "live" : "at start");
        fg_option_comment(out, indent, facts);
        bool in_force = o->required || o->standard || o->suggested;
        fprintf(out, "%*s%s%s:", indent, "", in_force ? "" : "#", o->name);
        if (o->kind == FG_OPTION_LIST && o->element->kind == FG_OPTION_SECTION) {
            fprintf(out, "\n%*s-\n", indent + 2, "");
            print_reference(o->element->table, out, indent + 4);
        } else {
            fprintf(out, " %s\n", o->standard ? o->standard : o->example);
        }
    }
}

void fg_options_reference(const struct fg_option_table *table, FILE *out)
{
    print_reference(table, out, 0);
}

static void print_description(const struct fg_option_table *table, FILE *out, const char *before)
{
    for (unsigned i = 0; i < table->count; i++) {
        const struct fg_option *o = &table->options[i];
        bool tables = o->kind == FG_OPTION_LIST && o->element->kind == FG_OPTION_SECTION;
        char name[128], kind[450];
        snprintf(name, sizeof(name), "%s%s%s", before, o->name, tables ? "[]" : "");
        if (o->kind != FG_OPTION_SECTION) {
            fprintf(out, "%-26s %s\n", name, o->help);
            fprintf(out, "%-26s %s; %s%s; %s\n", "", fg_option_kind_text(o, kind, sizeof(kind)),
                    o->standard ? "default " : "", default_text(o), o->live ? "live" : "at start");
        }
        snprintf(name, sizeof(name), "%s%s%s.", before, o->name, tables ? "[]" : "");
        if (o->kind == FG_OPTION_SECTION)
            print_description(o->table, out, name);
        else if (tables)
            print_description(o->element->table, out, name);
    }
}

void fg_options_describe(const struct fg_option_table *table, FILE *out)
{
    print_description(table, out, "");
}

static void print_manual(const struct fg_option_table *table, FILE *out, bool spans,
                         const char *before)
{
    for (unsigned i = 0; i < table->count; i++) {
        const struct fg_option *o = &table->options[i];
        bool tables = o->kind == FG_OPTION_LIST && o->element->kind == FG_OPTION_SECTION;
        char name[128], facts[640], kind[450];
        snprintf(name, sizeof(name), "%s%s%s", before, o->name, tables ? "[]" : "");
        fputc('*', out);
        fg_manual_text(out, name);
        fputs("*\n\t", out);
        fg_manual_text(out, o->help);
        if (o->kind != FG_OPTION_SECTION) {
            snprintf(facts, sizeof(facts), " [%s; %s%s%s]",
                     fg_option_kind_text(o, kind, sizeof(kind)), o->standard ? "default " : "",
                     default_text(o),
                     !spans    ? ""
                     : o->live ? "; live"
                               : "; at start");
            fg_manual_text(out, facts);
        }
        fputs("\n\n", out);
        strncat(name, ".", sizeof(name) - strlen(name) - 1);
        if (o->kind == FG_OPTION_SECTION)
            print_manual(o->table, out, spans, name);
        else if (tables)
            print_manual(o->element->table, out, spans, name);
    }
}

void fg_options_manual(const struct fg_option_table *table, bool spans, FILE *out)
{
    print_manual(table, out, spans, "");
}
