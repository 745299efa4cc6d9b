/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The key file. It is read into a struct as written, checked, and only then made into the ring that
 * workers use. Messages never repeat what the file says, and every copy of a secret that this code
 * can reach (the text, the parser's buffers, the struct as written) is wiped.
 */
#include "control/config/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/config/ops.h"
#include "control/config/options.h"
#include "dataplane/admission/rates.h"
#include "dataplane/secret_memory.h"

#define COUNT(list)  (sizeof(list) / sizeof((list)[0]))
#define KEY(field)   FG_OPTION_FIELD(struct written_key, field)
#define AT(s, field) offsetof(struct s, field)

struct written_source {
    struct fg_ip address;
    uint8_t bits;
};

struct written_key {
    uint16_t id;
    uint8_t secret[FG_SECRET_BYTES];
    unsigned ops[FG_OP_MAX]; /* as fg_ops_of() takes them */
    unsigned ops_count;
    bool all_ops;
    char **sales;
    unsigned sales_count;
    bool all_sales;
    struct written_source sources[FG_KEY_PREFIXES_MAX];
    unsigned sources_count;
    uint32_t rate, burst;
};

/* The keys stay in place: an array that grew would leave secrets behind in freed memory. */
#define WRITTEN_MAX (FG_KEYS_MAX - 1) /* one place is for unsigned datagrams */

struct written {
    struct written_key keys[WRITTEN_MAX];
    unsigned count;
};

static const struct fg_option SALE_ELEMENT = {
    .kind = FG_OPTION_TEXT, .size = sizeof(char *), .min = 1, .max = FG_SALE_NAME_MAX};
static const struct fg_option SOURCE_ELEMENT = {
    .kind = FG_OPTION_ADDRESS, .second = AT(written_source, bits), .host = true};

static int check_key(const struct fg_option_scope *scope, void *target)
{
    const struct written_key *key = target;
    const struct written *all = fg_option_input(scope)->context;
    uint8_t any = 0;
    for (size_t i = 0; i < sizeof(key->secret); i++)
        any |= key->secret[i];
    if (!any)
        return fg_option_refuse(scope, "secret",
                                "is all zeros, wanted 16 random bytes "
                                "(openssl rand -hex 16)");
    for (unsigned i = 0; i < key->sales_count; i++)
        if (!fg_name_valid(key->sales[i], strlen(key->sales[i])))
            return fg_option_refuse(scope, "sales",
                                    "one of them holds other characters than A-Z a-z 0-9 . _ -");
    if (key->burst > (uint64_t)key->rate * FG_KEY_BURST_SECONDS)
        return fg_option_refuse(scope, "burst",
                                key->rate ? "stands above what rate brings in an hour"
                                          : "without rate says nothing, wanted both or none");
    for (const struct written_key *other = all->keys; other < key; other++)
        if (other->id == key->id)
            return fg_option_refuse(scope, "id", "another key has this id, wanted one for each");
    return 0;
}

static const struct fg_option KEY_OPTIONS[] = {
    {.name = "id",
     .kind = FG_OPTION_INTEGER,
     KEY(id),
     .min = 1,
     .max = 65535,
     .required = true,
     .help = "The key's number on the wire."},
    {.name = "secret",
     .kind = FG_OPTION_HEX,
     KEY(secret),
     .required = true,
     .help = "The shared secret (openssl rand -hex 16)."},
    {.name = "ops",
     .kind = FG_OPTION_LIST,
     .offset = AT(written_key, ops),
     .second = AT(written_key, ops_count),
     .size = sizeof(unsigned),
     .takes_all = true,
     .all = AT(written_key, all_ops),
     .min = 1,
     .max = FG_OP_MAX,
     .required = true,
     .element = &fg_op_element,
     .help = "The ops it may use."},
    {.name = "sales",
     .kind = FG_OPTION_LIST,
     .offset = AT(written_key, sales),
     .second = AT(written_key, sales_count),
     .size = sizeof(char *),
     .allocated = true,
     .takes_all = true,
     .all = AT(written_key, all_sales),
     .min = 1,
     .max = FG_SALES_LIVE_MAX,
     .element = &SALE_ELEMENT,
     .help = "Names of the sales it may touch; all if they are not given."},
    {.name = "sources",
     .kind = FG_OPTION_LIST,
     .offset = AT(written_key, sources),
     .second = AT(written_key, sources_count),
     .size = sizeof(struct written_source),
     .min = 1,
     .max = FG_KEY_PREFIXES_MAX,
     .element = &SOURCE_ELEMENT,
     .help = "Where its datagrams may come from; anywhere if they are not given."},
    {.name = "rate",
     .kind = FG_OPTION_INTEGER,
     KEY(rate),
     .unit = "requests/s",
     .max = FG_KEY_RATE_MAX,
     .standard = "0",
     .zero = "none",
     .help = "How many requests a second (entries of its datagrams) it may make, and is told "
             "THROTTLED above it; what repeats or settles an order, at twice that; 0: no rate."},
    {.name = "burst",
     .kind = FG_OPTION_INTEGER,
     KEY(burst),
     .unit = "requests",
     .max = FG_KEY_RATE_MAX,
     .standard = "0",
     .zero = "as many as rate",
     .help = "How many at once, after a while of silence; 0: as many as rate."},
};
static const struct fg_option_table KEY_TABLE = {
    KEY_OPTIONS, COUNT(KEY_OPTIONS), "a table of id, secret, ops, sales, sources and rate",
    check_key};
static const struct fg_option KEY_ELEMENT = {.kind = FG_OPTION_SECTION, .table = &KEY_TABLE};

static const struct fg_option FILE_OPTIONS[] = {
    {.name = "keys",
     .kind = FG_OPTION_LIST,
     .offset = AT(written, keys),
     .second = AT(written, count),
     .size = sizeof(struct written_key),
     .min = 1,
     .max = WRITTEN_MAX,
     .required = true,
     .element = &KEY_ELEMENT,
     .help = "The keys."},
};
static const struct fg_option_table FILE_TABLE = {FILE_OPTIONS, COUNT(FILE_OPTIONS),
                                                  "a table with the list `keys`", NULL};

/* The written key's list of names, ended by NULL, changes hands. False when memory is short. */
static bool take_sales(struct written_key *from, char ***names)
{
    if (from->sales_count == 0)
        return true;
    *names = reallocarray(from->sales, from->sales_count + 1, sizeof(char *));
    if (!*names)
        return false;
    (*names)[from->sales_count] = NULL;
    from->sales = NULL;
    from->sales_count = 0;
    return true;
}

static void make_key(struct fg_key *key, const struct written_key *from)
{
    key->id = from->id;
    memcpy(key->secret, from->secret, sizeof(key->secret));
    key->ops = fg_ops_of(from->ops, from->ops_count);
    for (unsigned op = 1; op <= FG_OP_MAX; op++)
        key->ops |= from->all_ops ? 1 << op : 0;
    key->prefixes_count = (uint8_t)from->sources_count;
    for (unsigned i = 0; i < from->sources_count; i++)
        key->prefixes[i] = (struct fg_prefix){
            .address = from->sources[i].address,
            .mask = fg_ip_mask(from->sources[i].bits),
        };
    fg_rates_set_key(key, from->rate, from->burst);
}

static int read_keys(struct written *written, const char *path, char *message, size_t size)
{
    struct fg_options_input input = {
        .source = path,
        .confidential = true,
        .context = written,
        .message = message,
        .size = size,
    };
    char *text = fg_options_file(path, true, &input.length, message, size);
    if (!text)
        return -1;
    input.text = text;
    int result = fg_options_read(&FILE_TABLE, written, &input);
    explicit_bzero(text, input.length);
    free(text);
    return result;
}

static bool is_empty(const struct fg_keyring *ring, unsigned place)
{
    return ring->keys[place].ops == 0;
}

/* A place that is empty in this ring and, as far as there is one, in the one before: what a removed
 * key has left there ends before another begins. */
static unsigned find_place(const struct fg_keyring *ring, const struct fg_keyring *before)
{
    unsigned place = 0;
    while (place < FG_KEYS_MAX && (!is_empty(ring, place) || !is_empty(before, place)))
        place++;
    if (place < FG_KEYS_MAX)
        return place;
    for (place = 0; !is_empty(ring, place);)
        place++;
    return place;
}

static bool put_key(struct fg_key_file *keys, struct written_key *from, unsigned place)
{
    make_key(&keys->ring.keys[place], from);
    keys->terms[place] = (struct fg_key_terms){from->rate, from->burst};
    if (place >= keys->ring.count)
        keys->ring.count = (uint16_t)(place + 1);
    return take_sales(from, &keys->sales[place]);
}

/* First those that have a place, so that none of the others takes it. False when memory is short.
 */
static bool make_ring(struct fg_key_file *keys, struct written *written,
                      const struct fg_keyring *before)
{
    for (unsigned i = 0; i < written->count; i++) {
        int place = fg_keyring_find(before, written->keys[i].id);
        if (place >= 0 && !put_key(keys, &written->keys[i], (unsigned)place))
            return false;
    }
    for (unsigned i = 0; i < written->count; i++)
        if (fg_keyring_find(before, written->keys[i].id) < 0 &&
            !put_key(keys, &written->keys[i], find_place(&keys->ring, before)))
            return false;
    return true;
}

static int load_ring(struct fg_key_file *keys, const char *path, const struct fg_keyring *before,
                     char *message, size_t size)
{
    struct written *written = fg_secret_alloc(sizeof(*written));
    int result = written ? read_keys(written, path, message, size) : -1;
    if (!written || (result == 0 && !make_ring(keys, written, before))) {
        snprintf(message, size, "%s: could not be kept: out of memory", path);
        result = -1;
    }
    if (written)
        fg_options_free(&FILE_TABLE, written);
    fg_secret_free(written);
    return result;
}

static void end_keys(struct fg_shared *shared)
{
    struct fg_key_file *keys = (struct fg_key_file *)shared;
    for (unsigned i = 0; i < COUNT(keys->sales); i++) {
        for (char **name = keys->sales[i]; name && *name; name++)
            free(*name);
        free(keys->sales[i]);
    }
    fg_secret_free(keys);
}

struct fg_key_file *fg_key_file_empty(void)
{
    struct fg_key_file *keys = fg_secret_alloc(sizeof(*keys));
    if (keys)
        fg_shared_init(&keys->shared, end_keys);
    return keys;
}

struct fg_key_file *fg_key_file_load(const char *path, uint8_t unsigned_ops,
                                     const struct fg_key_file *before, char *message, size_t size)
{
    static const struct fg_keyring none;
    struct fg_key_file *keys = fg_key_file_empty();
    if (!keys) {
        snprintf(message, size, "%s: could not be kept: out of memory", path ? path : "keys");
        return NULL;
    }
    keys->ring.generation = before ? before->ring.generation + 1 : 0;
    if (unsigned_ops != 0)
        keys->ring.keys[keys->ring.count++].ops = unsigned_ops;
    if (path && load_ring(keys, path, before ? &before->ring : &none, message, size) != 0) {
        fg_key_file_drop(keys);
        return NULL;
    }
    return keys;
}

void fg_key_file_drop(struct fg_key_file *keys)
{
    if (keys)
        fg_shared_drop(&keys->shared);
}

unsigned fg_key_file_count(const struct fg_key_file *keys)
{
    unsigned count = 0;
    for (unsigned place = 0; place < keys->ring.count; place++)
        count += keys->ring.keys[place].id != 0;
    return count;
}

static bool same_sales(char *const *a, char *const *b)
{
    if (!a || !b)
        return !a && !b;
    while (*a && *b && strcmp(*a, *b) == 0)
        a++, b++;
    return !*a && !*b;
}

static bool same_terms(const struct fg_key_file *a, const struct fg_key_file *b, unsigned place)
{
    const struct fg_key *from = &a->ring.keys[place], *to = &b->ring.keys[place];
    return from->ops == to->ops && from->prefixes_count == to->prefixes_count &&
           memcmp(from->prefixes, to->prefixes, sizeof(from->prefixes)) == 0 &&
           from->rate_cost == to->rate_cost && from->rate_depth == to->rate_depth &&
           same_sales(a->sales[place], b->sales[place]);
}

enum fg_key_change fg_key_file_compare(const struct fg_key_file *before,
                                       const struct fg_key_file *after, unsigned place)
{
    bool was = !is_empty(&before->ring, place), is = !is_empty(&after->ring, place);
    const struct fg_key *from = &before->ring.keys[place], *to = &after->ring.keys[place];
    if (!was || !is)
        return was ? FG_KEY_REMOVED : is ? FG_KEY_ADDED : FG_KEY_SAME;
    if (from->id != to->id)
        return FG_KEY_REPLACED;
    if (memcmp(from->secret, to->secret, sizeof(from->secret)) != 0)
        return FG_KEY_SECRET;
    return same_terms(before, after, place) ? FG_KEY_SAME : FG_KEY_TERMS;
}

bool fg_key_file_allows(const struct fg_key_file *keys, int place, const char *sale)
{
    char **names = keys->sales[place];
    if (!names)
        return true;
    for (; *names; names++)
        if (strcmp(*names, sale) == 0)
            return true;
    return false;
}

void fg_keys_manual(FILE *out)
{
    fg_options_manual(&FILE_TABLE, true, out);
}
