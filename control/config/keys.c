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
    unsigned ops[FG_OP_MAX]; /* places in OP_NAMES */
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

static const char *const OP_NAMES[] = {
#define X(name, code, help) #name,
    FG_OPS(X)
#undef X
        NULL};
static const uint8_t OP_BITS[] = {
#define X(name, code, help) 1 << (code),
    FG_OPS(X)
#undef X
};
static_assert(COUNT(OP_BITS) == FG_OP_MAX, "a key can list every op once");

static const struct fg_option OP_ELEMENT = {
    .kind = FG_OPTION_CHOICE, .size = sizeof(unsigned), .choices = OP_NAMES};
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
     .element = &OP_ELEMENT,
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
    for (unsigned i = 0; i < COUNT(OP_BITS); i++)
        key->ops |= from->all_ops ? OP_BITS[i] : 0;
    for (unsigned i = 0; i < from->ops_count; i++)
        key->ops |= OP_BITS[from->ops[i]];
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

/* Puts the written keys behind what is in the ring. False when memory is short. */
static bool make_ring(struct fg_key_file *keys, struct written *written)
{
    for (unsigned i = 0; i < written->count; i++) {
        unsigned place = keys->ring.count++;
        make_key(&keys->ring.keys[place], &written->keys[i]);
        if (!take_sales(&written->keys[i], &keys->sales[place]))
            return false;
    }
    return true;
}

static int load_ring(struct fg_key_file *keys, const char *path, char *message, size_t size)
{
    struct written *written = fg_secret_alloc(sizeof(*written));
    int result = written ? read_keys(written, path, message, size) : -1;
    if (!written || (result == 0 && !make_ring(keys, written))) {
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

struct fg_key_file *fg_key_file_load(const char *path, uint8_t unsigned_ops, char *message,
                                     size_t size)
{
    struct fg_key_file *keys = fg_key_file_empty();
    if (!keys) {
        snprintf(message, size, "%s: could not be kept: out of memory", path ? path : "keys");
        return NULL;
    }
    if (unsigned_ops != 0)
        keys->ring.keys[keys->ring.count++].ops = unsigned_ops;
    if (path && load_ring(keys, path, message, size) != 0) {
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
