/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Differences, option by option of the tables that sale files are read by. A rule says of an option
 * which way it takes; an option without one only gives.
 */
#include "control/sale/plan_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* --- which way a value takes --- */

/* 0 is none, which is the greatest of all: less one, it is. */
static bool sooner(uint64_t old, uint64_t wanted)
{
    return wanted - 1 < old - 1;
}

static bool later(uint64_t old, uint64_t wanted)
{
    return wanted - 1 > old - 1;
}

static bool lower(uint64_t old, uint64_t wanted)
{
    return wanted < old;
}

static uint64_t burst_in_force(const void *target)
{
    const struct fg_sale *sale = target;
    return sale->burst ? sale->burst : sale->rate;
}

static const struct rule {
    const char *option;
    bool (*takes)(uint64_t old, uint64_t wanted);
    uint64_t (*value)(const void *target); /* NULL: as it is written */
} RULES[] = {
    {"opens", later, NULL},        {"closes", sooner, NULL},         {"limit", sooner, NULL},
    {"rate", sooner, NULL},        {"burst", lower, burst_in_force}, {"max_per_order", lower, NULL},
    {"cancel_final", lower, NULL}, {"late_confirm", lower, NULL},
};

static bool option_takes(const struct fg_option *option, const void *old, const void *wanted)
{
    for (size_t i = 0; i < sizeof(RULES) / sizeof(RULES[0]); i++) {
        const struct rule *rule = &RULES[i];
        if (strcmp(rule->option, option->name) != 0)
            continue;
        return rule->value
                   ? rule->takes(rule->value(old), rule->value(wanted))
                   : rule->takes(fg_option_number(option, old), fg_option_number(option, wanted));
    }
    return false;
}

/* --- a comparison under way --- */

enum move { MOVE_PARTS, MOVE_LATER, MOVE_EARLIER };

struct comparison {
    struct fg_plan *plan;
    const struct fg_plan_world *world;
    const struct fg_sale *old;
    bool open;       /* buyers may be buying */
    enum move times; /* of opens and closes together */
    bool takes, gives;
};

/* `id` 0: of the sale itself. Texts may be NULL. */
static void change(struct fg_plan *plan, uint32_t id, const char *option, const char *old,
                   const char *wanted, bool takes)
{
    json_t *json = json_pack("{s:s,s:s?,s:s?,s:b}", "option", option, "old", old, "new", wanted,
                             "takes", takes);
    if (json && id != 0)
        json_object_set_new(json, "item", json_integer(id));
    json_array_append_new(plan->changes, json);
}

__attribute__((format(printf, 2, 3))) static void say(json_t *sentences, const char *format, ...)
{
    char text[320];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    json_array_append_new(sentences, json_string(text));
}

/* Is this option a matter of comparing? What names a sale or an item is not, a list is none. */
static bool compares(const struct fg_option *option)
{
    return option->kind != FG_OPTION_NAME && option->kind != FG_OPTION_LIST &&
           strcmp(option->name, "id") != 0;
}

/* One option that differs. `now` is what comes of the old one by what takes. */
static void differ(struct comparison *c, const struct fg_option *option, uint32_t id,
                   const void *old, const void *wanted, void *now)
{
    char before[FG_OPTION_TEXT_MAX], after[FG_OPTION_TEXT_MAX];
    bool time = option->kind == FG_OPTION_TIME;
    bool takes =
        time && c->times != MOVE_PARTS ? c->times == MOVE_LATER : option_takes(option, old, wanted);
    fg_option_shown(option, old, before, sizeof(before));
    fg_option_shown(option, wanted, after, sizeof(after));
    change(c->plan, id, option->name, before, after, takes);
    if (!takes) {
        c->gives = true;
        return;
    }
    fg_option_copy(option, now, wanted);
    c->takes = true;
    if (c->open && id != 0)
        say(c->plan->losses, "item %" PRIu32 ": %s %s -> %s", id, option->name, before, after);
    else if (c->open)
        say(c->plan->losses, "%s %s -> %s", option->name, before, after);
}

static void compare_options(struct comparison *c, const struct fg_option_table *table, uint32_t id,
                            const void *old, const void *wanted, void *now)
{
    for (unsigned i = 0; i < table->count; i++)
        if (compares(&table->options[i]) && !fg_option_same(&table->options[i], old, wanted))
            differ(c, &table->options[i], id, old, wanted, now);
}

/*
 * Times that overlap with the ones in force can be cut to what both have, as a first step. A whole
 * move has no such middle. To a later time it takes: nothing can be sold by it before it is
 * journalled. To an earlier time it gives: the old one holds until then.
 */
static enum move move_of(const struct fg_sale *old, const struct fg_sale *wanted)
{
    if (wanted->opens_ns && old->closes_ns && wanted->opens_ns >= old->closes_ns)
        return MOVE_LATER;
    if (old->opens_ns && wanted->closes_ns && wanted->closes_ns <= old->opens_ns)
        return MOVE_EARLIER;
    return MOVE_PARTS;
}

/* --- items --- */

static enum fg_item_state item_state(const struct comparison *c, uint32_t id)
{
    return (enum fg_item_state)fg_model_item(c->world->model, id)->state;
}

static uint32_t unsold(const struct comparison *c, const struct fg_sale_item *item)
{
    if (!c->world->stock)
        return item->stock;
    uint32_t units =
        fg_stock_free_units(c->world->stock, fg_model_item(c->world->model, item->id)->item.slot);
    return units < item->stock ? units : item->stock;
}

/* There is room for one removal of each of the old sale's items. */
static void remove_units(struct comparison *c, const struct fg_sale_item *wanted, uint32_t units,
                         bool closes)
{
    c->plan->removals[c->plan->removals_count++] = (struct fg_plan_removal){
        .item = wanted->id,
        .place = (uint32_t)(wanted - c->plan->gives->items),
        .closes = closes,
        .units = units,
    };
}

/* The definitions keep the stock as it is: units are taken off one item after the other, and how
 * many is only known then. */
static void lower_stock(struct comparison *c, const struct fg_sale_item *old,
                        struct fg_sale_item *wanted)
{
    uint32_t fewer = old->stock - wanted->stock, now = unsold(c, old);
    if (now == 0) {
        say(c->plan->notices,
            "item %" PRIu32 ": stock stays %" PRIu32 " units: the file says %" PRIu32
            ", but none is unsold",
            old->id, old->stock, wanted->stock);
    } else {
        char before[64], after[64];
        const struct fg_option *stock = fg_sale_option(&fg_sale_item_options, "stock");
        fg_option_shown(stock, old, before, sizeof(before));
        fg_option_shown(stock, wanted, after, sizeof(after));
        change(c->plan, old->id, "stock", before, after, true);
        say(c->plan->losses,
            "item %" PRIu32 ": stock %s -> %s, as far as units are unsold (%" PRIu32 " are now)",
            old->id, before, after, now);
        remove_units(c, wanted, fewer, false);
    }
    wanted->stock = old->stock;
}

static void compare_item(struct comparison *c, const struct fg_sale_item *old,
                         struct fg_sale_item *wanted, struct fg_sale_item *now)
{
    enum fg_item_state state = item_state(c, old->id);
    if (state != FG_ITEM_RUNNING)
        say(c->plan->notices, "item %" PRIu32 " is %s, and a file does not change that", old->id,
            fg_item_state_name(state));
    if (wanted->stock < old->stock)
        lower_stock(c, old, wanted);
    compare_options(c, &fg_sale_item_options, old->id, old, wanted, now);
}

/* All options of an item but its id, in one line. */
static void item_text(const struct fg_sale_item *item, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < fg_sale_item_options.count && used < size; i++) {
        const struct fg_option *option = &fg_sale_item_options.options[i];
        char value[FG_OPTION_TEXT_MAX];
        if (!compares(option))
            continue;
        fg_option_shown(option, item, value, sizeof(value));
        used += (size_t)snprintf(text + used, size - used, "%s%s %s", used ? ", " : "",
                                 option->name, value);
    }
}

static void add_item(struct fg_plan *plan, const struct fg_sale_item *item)
{
    char text[2 * FG_OPTION_TEXT_MAX];
    item_text(item, text, sizeof(text));
    change(plan, item->id, "item", NULL, text, false);
}

/* An item may have orders, and stays for them: it is closed, and what of it is unsold is taken off.
 * Of a sale that is closed it sells nothing more anyway. */
static void leave_out(struct comparison *c, const struct fg_sale_item *old,
                      struct fg_sale_item *kept)
{
    *kept = *old;
    uint32_t units = unsold(c, old);
    bool closed = item_state(c, old->id) == FG_ITEM_CLOSED;
    if (c->old->state >= FG_SALE_CLOSED || (closed && units == 0)) {
        say(c->plan->notices, "item %" PRIu32 " is not in the file, and sells nothing more",
            old->id);
        return;
    }
    char before[2 * FG_OPTION_TEXT_MAX];
    item_text(old, before, sizeof(before));
    change(c->plan, old->id, "item", before, NULL, true);
    say(c->plan->losses,
        "item %" PRIu32 " is not in the file: it is closed for good, and its unsold units (%" PRIu32
        " now) are taken off",
        old->id, units);
    remove_units(c, kept, old->stock, !closed);
}

/* The new sale's items that the old one has, and those that it has not. */
static int compare_named(struct comparison *c)
{
    struct fg_plan_index known;
    struct fg_sale *wanted = c->plan->gives, *now = c->plan->takes;
    int rc = fg_plan_index_init(&known, now);
    if (rc != 0)
        return rc;
    for (uint32_t i = 0; i < wanted->items_count; i++) {
        struct fg_sale_item *item = &wanted->items[i];
        struct fg_sale_item *same = fg_plan_item(&known, item->id);
        if (same) {
            compare_item(c, &c->old->items[same - now->items], item, same);
        } else {
            add_item(c->plan, item);
            c->gives = true;
        }
    }
    free(known.items);
    return 0;
}

/* Items of the old sale that the new one leaves out are put at its end. */
static int compare_left_out(struct comparison *c)
{
    struct fg_plan_index named;
    struct fg_sale *wanted = c->plan->gives;
    size_t room = (size_t)wanted->items_count + c->old->items_count;
    struct fg_sale_item *items = realloc(wanted->items, room * sizeof(*items));
    if (!items)
        return -ENOMEM;
    wanted->items = items;
    int rc = fg_plan_index_init(&named, wanted);
    if (rc != 0)
        return rc;
    for (uint32_t i = 0; i < c->old->items_count; i++)
        if (!fg_plan_item(&named, c->old->items[i].id))
            leave_out(c, &c->old->items[i], &items[wanted->items_count++]);
    free(named.items);
    return 0;
}

/* --- whole sales --- */

static void drop(struct fg_sale **sale)
{
    fg_model_sale_free(*sale);
    *sale = NULL;
}

int fg_plan_compare(struct fg_plan *plan, const struct fg_plan_world *world,
                    const struct fg_sale *old)
{
    struct comparison c = {
        .plan = plan,
        .world = world,
        .old = old,
        .open = old->state == FG_SALE_OPEN || old->state == FG_SALE_PAUSED,
        .times = move_of(old, plan->gives),
    };
    plan->removals = calloc(old->items_count + UINT64_C(1), sizeof(*plan->removals));
    if (!plan->removals)
        return -ENOMEM;
    compare_options(&c, &fg_sale_options, 0, old, plan->gives, plan->takes);
    int rc = compare_named(&c);
    if (rc == 0)
        rc = compare_left_out(&c);
    if (rc != 0)
        return rc;
    if (!c.gives)
        drop(&plan->gives);
    if (!c.takes)
        drop(&plan->takes);
    return 0;
}

int fg_plan_describe(struct fg_plan *plan)
{
    for (unsigned i = 0; i < fg_sale_options.count; i++) {
        const struct fg_option *option = &fg_sale_options.options[i];
        char text[FG_OPTION_TEXT_MAX];
        if (option->kind != FG_OPTION_LIST)
            change(plan, 0, option->name, NULL,
                   fg_option_shown(option, plan->gives, text, sizeof(text)), false);
    }
    for (uint32_t i = 0; i < plan->gives->items_count; i++)
        add_item(plan, &plan->gives->items[i]);
    return 0;
}
