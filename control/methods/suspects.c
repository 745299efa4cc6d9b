/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who is refused for its rate most. Every worker is asked for its own (command.c): a buyer is one
 * worker's alone, what a key sends comes to all of them and is put together here.
 */
#include <stdlib.h>
#include <string.h>

#include "control/methods/methods.h"
#include "control/text.h"
#include "flashgate/control_api.h"

#define COUNT_STANDARD 20
#define COUNT_MAX      100

/* A suspect with its times as of now. */
struct seen {
    struct fg_suspect it;
    uint32_t first_ago_ms, last_ago_ms;
};

struct found {
    struct seen *buyers, *keys;
    unsigned buyers_count, keys_count;
};

static struct seen seen_of(const struct fg_suspect *suspect, uint32_t now_ms)
{
    return (struct seen){*suspect, now_ms - suspect->first_ms, now_ms - suspect->last_ms};
}

static uint32_t sum(uint32_t a, uint32_t b)
{
    return a <= UINT32_MAX - b ? a + b : UINT32_MAX;
}

/* The same key of another worker, or a new one. */
static void add_key(struct found *found, const struct seen *key)
{
    struct seen *other = found->keys;

    while (other < &found->keys[found->keys_count] && other->it.key != key->it.key)
        other++;
    if (other == &found->keys[found->keys_count]) {
        found->keys[found->keys_count++] = *key;
        return;
    }
    other->it.count = sum(other->it.count, key->it.count);
    other->it.error = sum(other->it.error, key->it.error);
    if (key->first_ago_ms > other->first_ago_ms)
        other->first_ago_ms = key->first_ago_ms;
    if (key->last_ago_ms < other->last_ago_ms) {
        other->last_ago_ms = key->last_ago_ms;
        other->it.source = key->it.source;
    }
}

static void add_view(struct found *found, const struct fg_suspects_view *view)
{
    for (uint32_t i = 0; i < view->buyers_count; i++)
        found->buyers[found->buyers_count++] = seen_of(&view->buyers[i], view->now_ms);
    for (uint32_t i = 0; i < view->keys_count; i++) {
        struct seen key = seen_of(&view->keys[i], view->now_ms);
        add_key(found, &key);
    }
}

/* The most first; of equals, who was seen last. */
static int by_count(const void *one, const void *two)
{
    const struct seen *a = one, *b = two;

    if (a->it.count != b->it.count)
        return a->it.count < b->it.count ? 1 : -1;
    if (a->last_ago_ms != b->last_ago_ms)
        return a->last_ago_ms > b->last_ago_ms ? 1 : -1;
    return memcmp(a->it.buyer, b->it.buyer, sizeof(a->it.buyer));
}

static json_t *source_json(struct fg_ip source)
{
    char text[FG_IP_TEXT_MAX];

    return (source.high | source.low) == 0 ? json_null() : json_string(fg_ip_text(source, text));
}

static json_t *key_json(const struct seen *key)
{
    return json_pack("{s:i,s:o,s:I,s:I,s:I,s:I}", "key", key->it.key, "source",
                     source_json(key->it.source), "refused", (json_int_t)key->it.count, "error",
                     (json_int_t)key->it.error, "first_ago_ms", (json_int_t)key->first_ago_ms,
                     "last_ago_ms", (json_int_t)key->last_ago_ms);
}

static json_t *buyer_json(const struct fg_control *control, const struct seen *buyer)
{
    const struct fg_sale *sale = fg_model_sale_number(&control->model, buyer->it.sale);
    char text[FG_BUYER_TEXT];
    json_t *json = key_json(buyer);

    fg_buyer_format(buyer->it.buyer, text);
    if (json) {
        json_object_set_new(json, "buyer", json_string(text));
        json_object_set_new(json, "sale", sale ? json_string(sale->name) : json_null());
        json_object_set_new(json, "penalty_ms", json_integer(buyer->it.penalty_ms));
    }
    return json;
}

/* Asks all workers, and puts together what they tell. Who has not answered goes into `late`. False:
 * memory is short. */
static bool find(struct fg_control *control, struct found *found, json_t *late)
{
    struct fg_command *answers[FG_WORKERS_MAX];
    unsigned workers = control->engine->config.workers;

    *found = (struct found){
        .buyers = calloc((size_t)workers * FG_SUSPECTS_MAX, sizeof(*found->buyers)),
        .keys = calloc((size_t)workers * FG_SUSPECTS_MAX, sizeof(*found->keys)),
    };
    if (!found->buyers || !found->keys)
        return false;
    fg_command_suspects(control, answers);
    for (unsigned w = 0; w < workers; w++) {
        if (answers[w])
            add_view(found, &answers[w]->suspects);
        else
            json_array_append_new(late, json_integer(w));
        free(answers[w]);
    }
    qsort(found->buyers, found->buyers_count, sizeof(*found->buyers), by_count);
    qsort(found->keys, found->keys_count, sizeof(*found->keys), by_count);
    return true;
}

static json_t *found_json(const struct fg_control *control, const struct found *found, unsigned max,
                          json_t *late)
{
    json_t *buyers = json_array(), *keys = json_array();

    for (unsigned i = 0; i < found->buyers_count && i < max; i++)
        json_array_append_new(buyers, buyer_json(control, &found->buyers[i]));
    for (unsigned i = 0; i < found->keys_count && i < max; i++)
        json_array_append_new(keys, key_json(&found->keys[i]));
    return json_pack("{s:o,s:o,s:i,s:O}", "buyers", buyers, "keys", keys, "halved_each_ms",
                     FG_SUSPECT_HALVED_MS, "late_workers", late);
}

int fg_call_suspects(struct fg_call *call)
{
    uint64_t count = COUNT_STANDARD;
    struct found found;

    int rc = fg_call_number(call, 0, "count", 1, COUNT_MAX, &count);
    if (rc != 0)
        return rc;
    json_t *late = json_array();
    if (find(call->control, &found, late))
        call->result = found_json(call->control, &found, (unsigned)count, late);
    json_decref(late);
    free(found.buyers);
    free(found.keys);
    return call->result ? 0 : fg_call_refuse(call, FG_RPC_INTERNAL, "memory is short");
}
