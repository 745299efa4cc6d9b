/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/sale/sale_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* How much is said beside the values. */
enum words {
    WORDS_NONE,  /* what a 0 means */
    WORDS_FIRST, /* what each option is, before the first item too */
};

/* --- one option --- */

/* "[whole number of units, 0 to 2000000000; default 0]" after what it is. */
static void explain(const struct fg_option *option, int indent, FILE *out)
{
    char kind[450], text[1024];
    fg_option_kind_text(option, kind, sizeof(kind));
    snprintf(text, sizeof(text), "%s [%s; %s%s]", option->help, kind,
             option->required ? "required" : "default ",
             option->required   ? ""
             : option->standard ? option->standard
                                : option->zero);
    fg_option_comment(out, indent, text);
}

static void write_option(const struct fg_option *option, const void *target, int indent, FILE *out)
{
    char text[FG_OPTION_TEXT_MAX];
    bool number = option->kind == FG_OPTION_INTEGER || option->kind == FG_OPTION_DURATION ||
                  option->kind == FG_OPTION_TIME;
    bool zero = number && option->zero && fg_option_number(option, target) == 0;
    if (zero && option->kind == FG_OPTION_TIME) /* there is no such time to write */
        fprintf(out, "%*s#%s: %s  # %s\n", indent, "", option->name, option->example, option->zero);
    else
        fprintf(out, "%*s%s: %s%s%s\n", indent, "", option->name,
                fg_option_yaml(option, target, text, sizeof(text)), zero ? "  # " : "",
                zero ? option->zero : "");
}

/* --- a sale --- */

static void write_item(const struct fg_sale_item *item, enum words words, FILE *out)
{
    for (unsigned i = 0; i < fg_sale_item_options.count; i++) {
        const struct fg_option *option = &fg_sale_item_options.options[i];
        if (i == 0) {
            if (words == WORDS_FIRST)
                explain(option, 2, out);
            fputs("  - ", out);
            write_option(option, item, 0, out);
            continue;
        }
        if (words == WORDS_FIRST)
            explain(option, 4, out);
        write_option(option, item, 4, out);
    }
}

static void write_sale(const struct fg_sale *sale, enum words words, FILE *out)
{
    for (unsigned i = 0; i < fg_sale_options.count; i++) {
        const struct fg_option *option = &fg_sale_options.options[i];
        if (words == WORDS_FIRST)
            fputc('\n', out);
        if (words == WORDS_FIRST)
            explain(option, 0, out);
        if (option->kind == FG_OPTION_TIME && words == WORDS_FIRST)
            fprintf(out, "#%s: %s\n", option->name, option->example);
        if (option->kind == FG_OPTION_LIST)
            fprintf(out, "%s:\n", option->name);
        else
            write_option(option, sale, 0, out);
    }
    for (uint32_t i = 0; i < sale->items_count; i++) {
        if (words == WORDS_FIRST && i > 0)
            fputc('\n', out);
        write_item(&sale->items[i], i == 0 ? words : WORDS_NONE, out);
    }
}

char *fg_sale_file_text(const struct fg_sale *sale, uint64_t revision)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    fprintf(out,
            "# Sale %s, which was %s, as it was in force at revision %" PRIu64
            ".\n# flashgatectl sale apply FILE puts it in force.\n",
            sale->name, fg_sale_state_name(sale->state), revision);
    write_sale(sale, WORDS_NONE, out);
    bool failed = ferror(out);
    if (fclose(out) == 0 && !failed)
        return text;
    free(text);
    return NULL;
}

/* --- the example --- */

static struct fg_sale_item EXAMPLE_ITEMS[] = {
    {.id = 1001, .name = "Poster, signed", .stock = 5000, .limit = 2, .max_per_order = 2},
    {.id = 1002,
     .name = "Concert ticket, floor",
     .stock = 4000,
     .limit = 4,
     .max_per_order = 2,
     .hold_ms = 600000},
    {.id = 1003,
     .name = "Concert ticket, front row",
     .stock = 1000,
     .limit = 1,
     .max_per_order = 1,
     .hold_ms = 300000},
};
static const struct fg_sale EXAMPLE = {
    .name = "spring-drop",
    .opens_ns = UINT64_C(30000000000),
    .closes_ns = UINT64_C(7200000000000),
    .opens_relative = true,
    .closes_relative = true,
    .limit = 6,
    .rate = 5,
    .burst = 10,
    .items_count = sizeof(EXAMPLE_ITEMS) / sizeof(EXAMPLE_ITEMS[0]),
    .items = EXAMPLE_ITEMS,
};

void fg_sale_file_template(FILE *out)
{
    fputs("# A sale, as `flashgatectl sale apply FILE` takes it; `flashgatectl sale template` "
          "prints this.\n# Names and numbers are an example. Apply it again after a change: what "
          "differs is put in force,\n# and --dry-run shows it before.\n",
          out);
    write_sale(&EXAMPLE, WORDS_FIRST, out);
}
