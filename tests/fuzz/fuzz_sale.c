/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sale files, the log's form of a sale, and fields set one by one.
 *
 * The first byte chooses: a file's text; the log's JSON; or a line with a field's name, one with
 * its value, and then a file.
 *
 * Holds: what is taken keeps the rules between fields, and is the same after it was written as JSON
 * or as a file and read again; what is refused is refused in one sentence.
 */
#include "control/sale/sale_file.h"
#include "tests/fuzz/fuzz.h"

#define NOW_NS UINT64_C(1764273600000000000)

static char message[512];

/* The sale as one text, for comparing. */
static char *text_of(const struct fg_sale *sale)
{
    json_t *json = fg_sale_to_json(sale);
    char *text = json_dumps(json, JSON_COMPACT);

    json_decref(json);
    FUZZ_CHECK(text);
    return text;
}

/* JSON and back. */
static void check_json(const struct fg_sale *sale, const char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    struct fg_sale again = {0};

    FUZZ_CHECK(json && fg_sale_from_json(&again, json) == 0);
    json_decref(json);
    char *same = text_of(&again);
    FUZZ_CHECK(strcmp(same, text) == 0);
    FUZZ_CHECK(again.items_count == sale->items_count);
    free(same);
    fg_sale_free(&again);
}

/* A file and back: number and state are no part of a file. */
static void check_file(const struct fg_sale *sale)
{
    struct fg_sale again = {0}, plain = *sale;
    char *file = fg_sale_file_text(sale, 1);

    FUZZ_CHECK(file);
    if (fg_sale_parse(&again, "again", file, strlen(file), NOW_NS, message, sizeof(message)) != 0) {
        fprintf(stderr, "%s\n%s\n", message, file);
        abort();
    }
    plain.number = again.number;
    plain.state = again.state;
    plain.opened = again.opened;
    char *was = text_of(&plain), *is = text_of(&again);
    FUZZ_CHECK(strcmp(was, is) == 0);
    free(was);
    free(is);
    free(file);
    fg_sale_free(&again);
}

/* A sale that was taken, from wherever. Consumed. */
static void check_taken(struct fg_sale *sale)
{
    FUZZ_CHECK(fg_sale_check(sale, message, sizeof(message)) == 0);
    sale->opens_relative = sale->closes_relative = false; /* it is in force */
    char *text = text_of(sale);
    check_json(sale, text);
    check_file(sale);
    free(text);
    fg_sale_free(sale);
}

static bool parse(struct fg_sale *sale, struct fuzz_input *input)
{
    size_t length;
    const uint8_t *bytes = fuzz_bytes(input, SIZE_MAX, &length);
    char *text = fuzz_copy(bytes, length);
    int rc = fg_sale_parse(sale, "sale.yaml", text, length, NOW_NS, message, sizeof(message));

    if (rc != 0)
        fuzz_check_sentence(message, sizeof(message));
    free(text);
    return rc == 0;
}

/* A line of the input, terminated. */
static char *line_of(struct fuzz_input *input)
{
    size_t length;
    const uint8_t *bytes = fuzz_until(input, '\n', &length);
    char *line = strndup(length ? (const char *)bytes : "", length);

    FUZZ_CHECK(line);
    return line;
}

static void set_field(struct fuzz_input *input, bool of_item)
{
    char *field = line_of(input), *value = line_of(input);
    struct fg_sale sale = {0};

    if (parse(&sale, input)) {
        struct fg_sale_item *item = of_item && sale.items_count > 0 ? &sale.items[0] : NULL;
        if (fg_sale_set(&sale, item, field, value, NOW_NS, message, sizeof(message)) == 0) {
            check_taken(&sale);
        } else {
            fuzz_check_sentence(message, sizeof(message));
            fg_sale_free(&sale);
        }
    }
    free(field);
    free(value);
}

static void from_json(struct fuzz_input *input)
{
    size_t length;
    const uint8_t *bytes = fuzz_bytes(input, SIZE_MAX, &length);
    char *text = fuzz_copy(bytes, length);
    json_t *json = json_loadb(text, length, 0, NULL);
    struct fg_sale sale = {0};

    if (json && fg_sale_from_json(&sale, json) == 0)
        check_taken(&sale);
    json_decref(json);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct fg_sale sale = {0};

    switch (fuzz_u8(&input)) {
    case 'j':
        from_json(&input);
        break;
    case 's':
        set_field(&input, false);
        break;
    case 'i':
        set_field(&input, true);
        break;
    default:
        if (parse(&sale, &input))
            check_taken(&sale);
    }
    return 0;
}
