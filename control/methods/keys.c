/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The methods on keys. Whatever they tell, and what goes on record, are ids, rights and figures:
 * never a secret, nor anything made from one.
 */
#include <inttypes.h>

#include "control/key_figures.h"
#include "control/keys_reload.h"
#include "control/methods/methods.h"
#include "control/text.h"
#include "flashgate/control_api.h"

#define IN_USE_NS UINT64_C(60000000000) /* who signed a datagram so lately still uses the key */

/* --- what a reload changes --- */

struct changes {
    json_t *added, *removed, *secrets, *terms; /* ids */
    unsigned count;
    unsigned used;     /* of those that are heard no more */
    uint16_t used_id;  /* one of them ... */
    uint64_t used_ago; /* ... and when it was used last, ns */
};

static void note_used(const struct fg_control *control, struct changes *changes, unsigned place)
{
    uint16_t id = control->keys->ring.keys[place].id;
    uint64_t now_ns = fg_control_clock_ns(control);
    uint64_t seen_ns = fg_key_figures_of(control->engine, place, id).sight.seen_ns;
    uint64_t ago_ns = now_ns > seen_ns ? now_ns - seen_ns : 0;
    if (seen_ns == 0 || ago_ns > IN_USE_NS)
        return;
    if (changes->used++ == 0 || ago_ns < changes->used_ago) {
        changes->used_id = id;
        changes->used_ago = ago_ns;
    }
}

static void note_change(const struct fg_control *control, const struct fg_key_file *after,
                        struct changes *changes, unsigned place)
{
    enum fg_key_change change = fg_key_file_compare(control->keys, after, place);
    int before_id = control->keys->ring.keys[place].id, after_id = after->ring.keys[place].id;
    changes->count += change != FG_KEY_SAME;
    if (change == FG_KEY_ADDED || change == FG_KEY_REPLACED)
        json_array_append_new(changes->added, json_integer(after_id));
    if (change == FG_KEY_REMOVED || change == FG_KEY_REPLACED)
        json_array_append_new(changes->removed, json_integer(before_id));
    if (change == FG_KEY_SECRET)
        json_array_append_new(changes->secrets, json_integer(after_id));
    if (change == FG_KEY_TERMS)
        json_array_append_new(changes->terms, json_integer(after_id));
    if (change == FG_KEY_REMOVED || change == FG_KEY_REPLACED || change == FG_KEY_SECRET)
        note_used(control, changes, place);
}

static struct changes changes_of(const struct fg_control *control, const struct fg_key_file *after)
{
    struct changes changes = {
        .added = json_array(),
        .removed = json_array(),
        .secrets = json_array(),
        .terms = json_array(),
    };
    for (unsigned place = 0; place < FG_KEYS_MAX; place++)
        note_change(control, after, &changes, place);
    return changes;
}

/* The lists change hands. */
static json_t *changes_json(const struct changes *changes)
{
    return json_pack("{s:o,s:o,s:o,s:o}", "added", changes->added, "removed", changes->removed,
                     "secrets", changes->secrets, "terms", changes->terms);
}

static int confirm(struct fg_call *call, const struct changes *changes)
{
    char others[48] = "";
    if (changes->used == 0)
        return 0;
    if (changes->used > 1)
        snprintf(others, sizeof(others), ", and %u more", changes->used - 1);
    return fg_call_confirm(call,
                           "key %u has signed a datagram %.1f s ago%s: whoever still signs with "
                           "what the file does not have any more is not answered",
                           changes->used_id, (double)changes->used_ago / 1e9, others);
}

/* Who does it is on record before it is done. Then what time has opened is, too. */
static int put_in_force(struct fg_call *call, struct fg_key_file *keys, const json_t *params)
{
    struct fg_control *control = call->control;
    int rc = fg_act_submit(control, call->peer, "keys.reload", params, call->message,
                           sizeof(call->message));
    if (rc == 0)
        rc = fg_call_catch_up(call);
    if (rc != 0) {
        fg_key_file_drop(keys);
        return rc;
    }
    fg_keys_put(control, keys);
    return fg_call_finish_change(call);
}

/* The names, of a key's sales, that no sale in force has. It may yet come: no more than a warning.
 */
static json_t *absent_json(const struct fg_control *control, char *const *names)
{
    json_t *json = json_array();
    for (; names && *names; names++)
        if (!fg_model_sale(&control->model, *names))
            json_array_append_new(json, json_string(*names));
    return json;
}

/* Of all keys: [{"key": 8, "sales": ["spring"]}] */
static json_t *all_absent_json(const struct fg_control *control)
{
    const struct fg_key_file *keys = control->keys;
    json_t *json = json_array();
    for (unsigned place = 0; place < keys->ring.count; place++) {
        json_t *names = absent_json(control, keys->sales[place]);
        if (json_array_size(names) > 0)
            json_array_append_new(
                json, json_pack("{s:i,s:O}", "key", keys->ring.keys[place].id, "sales", names));
        json_decref(names);
    }
    return json;
}

static int reload(struct fg_call *call, struct fg_key_file *keys)
{
    struct changes changes = changes_of(call->control, keys);
    json_t *params = changes_json(&changes);
    int rc =
        params ? confirm(call, &changes) : fg_call_refuse(call, FG_RPC_INTERNAL, "memory is short");
    if (rc == 0 && changes.count > 0)
        rc = put_in_force(call, keys, params);
    else
        fg_key_file_drop(keys);
    if (rc == 0 && params) {
        json_object_set_new(params, "changed", json_boolean(changes.count > 0));
        json_object_set_new(params, "keys", json_integer(fg_key_file_count(call->control->keys)));
        json_object_set_new(params, "absent_sales", all_absent_json(call->control));
        call->result = json_incref(params);
    }
    json_decref(params);
    return rc;
}

int fg_call_keys_reload(struct fg_call *call)
{
    struct fg_control *control = call->control;
    if (!control->engine->config.key_file)
        return fg_call_refuse(call, FG_RPC_REFUSED,
                              "the engine's configuration names no key_file: set it, and restart");
    int rc = fg_call_catch_up(call);
    if (rc != 0)
        return rc;
    struct fg_key_file *keys = fg_keys_read(control, call->message, sizeof(call->message));
    return keys ? reload(call, keys) : fg_call_refuse_file(call, "the keys");
}

/* --- what there is --- */

static json_t *ops_json(uint8_t ops)
{
    static const struct {
        const char *name;
        uint8_t bit;
    } names[] = {
#define X(name, code, help) {#name, 1 << (code)},
        FG_OPS(X)
#undef X
    };
    json_t *json = json_array();
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (ops & names[i].bit)
            json_array_append_new(json, json_string(names[i].name));
    return json;
}

static json_t *sales_json(char *const *names)
{
    json_t *json = json_array();
    if (!names) {
        json_decref(json);
        return json_string("all");
    }
    for (; *names; names++)
        json_array_append_new(json, json_string(*names));
    return json;
}

static json_t *sources_json(const struct fg_key *key)
{
    if (key->prefixes_count == 0)
        return json_string("all");
    json_t *json = json_array();
    for (unsigned i = 0; i < key->prefixes_count; i++) {
        const struct fg_prefix *prefix = &key->prefixes[i];
        char text[FG_IP_TEXT_MAX];
        unsigned bits = (unsigned)(__builtin_popcountll(prefix->mask.high) +
                                   __builtin_popcountll(prefix->mask.low));
        json_array_append_new(json, json_string(fg_prefix_text(prefix->address, bits, text)));
    }
    return json;
}

static json_t *key_json(const struct fg_control *control, unsigned place)
{
    const struct fg_key *key = &control->keys->ring.keys[place];
    const struct fg_key_terms *terms = &control->keys->terms[place];
    json_t *json = fg_status_key(control, place);
    json_t *rights = json_pack("{s:o,s:o,s:o,s:o,s:I,s:I}", "ops", ops_json(key->ops), "sales",
                               sales_json(control->keys->sales[place]), "absent_sales",
                               absent_json(control, control->keys->sales[place]), "sources",
                               sources_json(key), "rate", (json_int_t)terms->rate, "burst",
                               (json_int_t)(terms->burst ? terms->burst : terms->rate));
    if (json && rights)
        json_object_update(json, rights);
    json_decref(rights);
    return json;
}

int fg_call_keys_list(struct fg_call *call)
{
    const struct fg_keyring *ring = &call->control->keys->ring;
    json_t *list = json_array();
    for (unsigned place = 0; place < ring->count; place++)
        if (ring->keys[place].ops != 0)
            json_array_append_new(list, key_json(call->control, place));
    call->result = json_pack("{s:o}", "keys", list);
    return 0;
}
