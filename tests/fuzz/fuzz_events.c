/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control events of a log, bodies included, on every way that they go: into control's model, into
 * the audit trail and its words, and into the journal's books.
 *
 * An input is a list of events: kind, sale, figures, and a body up to a zero byte.
 *
 * Holds: an event that is refused has changed nothing that is sold; applied again, one changes
 * nothing; the base that the books make of what the model took gives a second model the same
 * sales, supplies and modes, which is what a restart relies on once segments have gone.
 */
#include "control/events.h"
#include "dataplane/orders/books.h"
#include "tests/fuzz/models.h"

#define EVENTS_MAX 40

static const uint8_t kinds[] = {
#define X(name, code, meaning) code,
    FG_CONTROL_KINDS(X)
#undef X
};

/* --- the base --- */

static int replay_base(void *arg, const struct fg_control_event *event, const char *body)
{
    char *exact = fuzz_copy(body, event->body_length);
    struct fg_record record = {
        .control = event, .body = event->body_length ? exact : NULL, .base = true};
    int rc = fg_model_replay(arg, &record);

    free(exact);
    if (event->kind == FG_EVENT_BLOCK_LIST) /* not the model's */
        rc = 0;
    FUZZ_CHECK(rc == 0);
    return 0;
}

static void check_base(const struct fg_books *books, const struct fg_model *model)
{
    struct fg_model again;

    FUZZ_CHECK(fg_model_init(&again) == 0);
    FUZZ_CHECK(fg_books_base(books, 1, replay_base, &again) == 0);
    /* A definition that forgets an opening is none that an engine writes. */
    models_check_same(model, &again, false);
    FUZZ_CHECK(again.sales_count == model->sales_count);
    fg_model_fini(&again);
}

/* --- one event --- */

static void check_words(const struct fg_control_event *event, const char *body,
                        const struct fg_sale *before)
{
    struct fg_sale after = {0};
    json_t *json =
        event->kind == FG_EVENT_SALE && body ? json_loadb(body, event->body_length, 0, NULL) : NULL;
    bool read = json && fg_sale_from_json(&after, json) == 0;
    char *words = fg_events_words(event, body, before, read ? &after : NULL);

    json_decref(json);
    if (read)
        fg_sale_free(&after);
    json = words ? json_string(words) : NULL; /* it goes into a reply: it is UTF-8 */
    FUZZ_CHECK(json);
    json_decref(json);
    free(words);
}

static void take_event(struct fuzz_input *input, struct fg_control_event *event, char **body)
{
    size_t length;
    uint8_t kind = fuzz_u8(input);

    *event = (struct fg_control_event){.uid = 1000, .at_ns = UINT64_C(1764273600000000000)};
    event->kind = kind & 0x80 ? kind & 0x7f : kinds[kind % sizeof(kinds)];
    event->sale = fuzz_u8(input);
    event->revision = fuzz_u8(input);
    uint8_t wide = fuzz_u8(input);
    event->value = fuzz_take(input, wide & 1 ? 8 : 1);
    event->value2 = fuzz_take(input, wide & 2 ? 8 : 1);
    event->value3 = fuzz_take(input, wide & 4 ? 8 : 1);
    if (wide & 8)
        event->sale |= (uint32_t)fuzz_u16(input) << 8;
    const uint8_t *bytes = fuzz_until(input, 0, &length);
    event->body_length = (uint32_t)length;
    *body = fuzz_copy(bytes, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct fg_model model;
    struct fg_books books;
    struct fg_events *events = fg_events_create();
    const struct fg_roles roles = {0};
    bool agree = true;

    FUZZ_CHECK(events && fg_model_init(&model) == 0 && fg_books_init(&books) == 0);
    for (unsigned i = 0; i < EVENTS_MAX && input.left > 0; i++) {
        struct fg_control_event event;
        char *body;
        take_event(&input, &event, &body);
        struct fg_record record = {
            .lsn = 1 + i, .control = &event, .body = event.body_length ? body : NULL};
        check_words(&event, record.body, fg_model_sale_number(&model, event.sale));
        int rc = fg_model_replay(&model, &record);
        if (rc == 0) {
            FUZZ_CHECK(fg_model_replay(&model, &record) == 0);
            FUZZ_CHECK(fg_events_replay(events, &record) == 0);
            agree &= fg_books_control(&books, &event, record.body) == 0;
        }
        free(body);
        if (rc != 0) /* recovery stops here */
            break;
    }
    if (agree)
        check_base(&books, &model);
    json_t *list = fg_events_json(events, &roles, 0, FG_EVENTS_LIMIT_MAX, NULL);
    FUZZ_CHECK(list);
    json_decref(list);
    for (unsigned i = 0; i < model.sales_count; i++)
        json_decref(fg_model_names_json(&model, model.sales[i]));
    fg_events_destroy(events);
    fg_books_fini(&books);
    fg_model_fini(&model);
    return 0;
}
