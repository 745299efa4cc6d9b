/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/journal/names.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int fg_journal_names_init(struct fg_journal_names *names)
{
    names->end = 0;
    names->names = calloc(FG_SALES_EVER_MAX + 1, sizeof(*names->names));
    return names->names ? 0 : -ENOMEM;
}

void fg_journal_names_clear(struct fg_journal_names *names)
{
    for (uint32_t sale = 0; sale < names->end; sale++) {
        free(names->names[sale]);
        names->names[sale] = NULL;
    }
    names->end = 0;
}

void fg_journal_names_fini(struct fg_journal_names *names)
{
    if (names->names)
        fg_journal_names_clear(names);
    free(names->names);
    names->names = NULL;
}

int fg_journal_names_learn(struct fg_journal_names *names, const struct fg_record *record)
{
    const struct fg_control_event *event = record->control;

    if (fg_event_kind(record->unit) != FG_EVENT_SALE || event->sale > FG_SALES_EVER_MAX ||
        names->names[event->sale])
        return 0;
    json_t *body = json_loadb(record->body, event->body_length, 0, NULL);
    const char *name = json_string_value(json_object_get(body, "name"));
    char *copy = name && strlen(name) <= FG_SALE_NAME_MAX ? strdup(name) : NULL;
    bool short_of_memory = name && strlen(name) <= FG_SALE_NAME_MAX && !copy;
    json_decref(body);
    if (!copy)
        return short_of_memory ? -ENOMEM : 0;
    names->names[event->sale] = copy;
    if (event->sale >= names->end)
        names->end = event->sale + 1;
    return 0;
}

const char *fg_journal_name(const struct fg_journal_names *names, uint32_t sale)
{
    return sale < names->end ? names->names[sale] : NULL;
}
