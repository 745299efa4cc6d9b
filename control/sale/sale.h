/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A sale as an operator writes it (YAML) and as the log keeps it (JSON, the body of a SALE event).
 * Plain data; the holder owns it.
 */
#ifndef FG_CONTROL_SALE_H
#define FG_CONTROL_SALE_H

#include <jansson.h>

#include "control/config/options.h"
#include "dataplane/admission/catalogue.h"

struct fg_sale_item {
    uint32_t id; /* never used twice in one log */
    char name[FG_ITEM_NAME_MAX + 1];
    uint32_t stock; /* units: the total supply ever; in the model, see model.h */
    uint32_t limit; /* units per buyer; 0: none */
    uint16_t max_per_order;
    uint32_t hold_ms; /* 0: final at once */
};

struct fg_sale {
    char name[FG_SALE_NAME_MAX + 1]; /* [A-Za-z0-9._-]+, never used twice in one log */
    uint32_t number;                 /* given by control; 0 before */
    uint8_t state;                   /* enum fg_sale_state */
    uint8_t cancel_final;
    uint8_t late_confirm;                    /* enum fg_late_confirm */
    uint8_t opened;                          /* its opening is a record: it happened at opens_ns */
    uint64_t opens_ns;                       /* wall clock; 0: by hand */
    uint64_t closes_ns;                      /* wall clock; 0: by hand */
    uint8_t opens_relative, closes_relative; /* of a file: "+30s"; false of what is in force */
    uint32_t limit;                          /* units per buyer over all items; 0: none */
    uint32_t rate;                           /* requests a second of a buyer; 0: no rate */
    uint32_t burst;                          /* ... and at once; 0: as many as rate */
    uint32_t items_count;
    struct fg_sale_item *items; /* allocated */
};

/* Reads a sale file's text. `source` names it in messages; relative times ("+30s") count from
 * now_ns. 0, or -1 with "SOURCE:LINE:COLUMN: what is wrong, what is wanted". number is 0 and state
 * SCHEDULED. */
int fg_sale_parse(struct fg_sale *sale, const char *source, const char *text, size_t length,
                  uint64_t now_ns, char *message, size_t size);

/* The options of a sale and of its items: the tables of struct fg_sale and struct fg_sale_item. */
extern const struct fg_option_table fg_sale_options, fg_sale_item_options;
/* The option of that name, which there is. */
const struct fg_option *fg_sale_option(const struct fg_option_table *table, const char *name);

/* "refuse" or "reacquire". */
const char *fg_sale_late_confirm_name(unsigned late_confirm);

/* Do the fields go together? 0, or -1 with a sentence. */
int fg_sale_check(const struct fg_sale *sale, char *message, size_t size);

/*
 * sale_set.c: sets one of the fields that may change while a sale lives, by its name and in the
 * form of a sale file, with "none" for a time that is not to be; `item` is one of the sale's, or
 * NULL for a field of the sale itself. What the fields say about each other is checked. 0, or -1
 * with a sentence, and then `sale` may hold what is wrong.
 */
int fg_sale_set(struct fg_sale *sale, struct fg_sale_item *item, const char *field,
                const char *text, uint64_t now_ns, char *message, size_t size);

/* To and from the log's form. from_json: 0 or -1. */
json_t *fg_sale_to_json(const struct fg_sale *sale);
int fg_sale_from_json(struct fg_sale *sale, const json_t *json);

/* Frees what the sale has, not the struct. */
void fg_sale_free(struct fg_sale *sale);

#endif
