/* SPDX-License-Identifier: BSD-3-Clause */
/* The checker's book over a log that a test writes record by record. */
#ifndef TESTS_LOG_BOOK_FIXTURE_H
#define TESTS_LOG_BOOK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/sale/sale.h"
#include "perf/check/log_book.h"
#include "tests/unit/hand_log.h"

struct reading {
    struct hand_log log;
    struct fg_log_book book;
    struct fg_findings findings;
    char sentences[4000], message[512];
    uint32_t sale_limit; /* of the next definition */
};

static inline void found(void *arg, enum fg_check check, const char *sentence)
{
    struct reading *reading = arg;
    size_t used = strlen(reading->sentences);
    snprintf(reading->sentences + used, sizeof(reading->sentences) - used, "%s: %s\n",
             fg_check_name(check), sentence);
}

static inline void begin(struct reading *reading, uint32_t segment)
{
    memset(reading, 0, sizeof(*reading));
    reading->findings = (struct fg_findings){.found = found, .arg = reading};
    hand_log_open(&reading->log, segment, 1);
    assert_int_equal(fg_log_book_open(&reading->book, &fg_disk_files, reading->log.dir,
                                      &reading->findings, reading->message,
                                      sizeof(reading->message)),
                     0);
}

static inline int read_on(struct reading *reading)
{
    return fg_log_book_read(&reading->book, UINT64_MAX, reading->message, sizeof(reading->message));
}

static inline void end(struct reading *reading)
{
    fg_log_book_close(&reading->book);
    hand_log_close(&reading->log);
}

/* --- records --- */

static inline void put(struct reading *reading, struct fg_control_event event, const char *body)
{
    event.body_length = body ? (uint32_t)strlen(body) : 0;
    uint8_t *unit = hand_log_unit(&reading->log, fg_record_bytes(&event));
    memcpy(unit, &event, sizeof(event));
    if (body)
        memcpy(unit + sizeof(event), body, event.body_length);
}

/* Sale 1, "drop", of items 7 (held for a second) and 8. */
static inline void put_sale(struct reading *reading, uint32_t stock, uint32_t limit, uint64_t at_ns)
{
    struct fg_sale_item items[] = {{.id = 7,
                                    .name = "mug",
                                    .stock = stock,
                                    .limit = limit,
                                    .max_per_order = 1,
                                    .hold_ms = 1000},
                                   {.id = 8, .name = "hat", .stock = 5, .max_per_order = 1}};
    struct fg_sale sale = {.name = "drop",
                           .number = 1,
                           .limit = reading->sale_limit,
                           .items = items,
                           .items_count = 2};
    json_t *json = fg_sale_to_json(&sale);
    char *body = json_dumps(json, JSON_COMPACT);
    put(reading,
        (struct fg_control_event){.kind = FG_EVENT_SALE, .sale = 1, .revision = 2, .at_ns = at_ns},
        body);
    free(body);
    json_decref(json);
}

static inline void put_units(struct reading *reading, enum fg_event_kind kind, uint64_t revision,
                             uint64_t units, uint64_t removed)
{
    put(reading,
        (struct fg_control_event){.kind = (uint8_t)kind,
                                  .sale = 1,
                                  .revision = revision,
                                  .value = units,
                                  .value2 = 7,
                                  .value3 = removed},
        NULL);
}

static inline void put_order(struct reading *reading, enum fg_event_kind kind, uint64_t sale_seq,
                             uint64_t order)
{
    struct fg_order_event event = {.kind = (uint8_t)kind,
                                   .quantity = 1,
                                   .item = 7,
                                   .sale = 1,
                                   .hold_ms = kind == FG_EVENT_ADMIT ? 1000 : 0,
                                   .sale_seq = sale_seq,
                                   .order = order,
                                   .request = order};
    memcpy(hand_log_unit(&reading->log, sizeof(event)), &event, sizeof(event));
}

/* A new log: an empty base, the first epoch, the sale with two mugs. */
static inline void begin_sale(struct reading *reading)
{
    begin(reading, 1);
    hand_log_frame(&reading->log, FG_FRAME_BASE);
    hand_log_frame(&reading->log, FG_FRAME_EPOCH);
    put_sale(reading, 2, 3, 50);
    hand_log_frame(&reading->log, 0);
}

static inline void clean(struct reading *reading)
{
    struct fg_check_input input = {0};
    struct fg_check_result result;
    assert_int_equal(read_on(reading), FG_LOG_END);
    fg_log_book_input(&reading->book, &input);
    assert_int_equal(fg_check_run(&input, &result, &reading->findings), 0);
    fg_check_result_free(&result);
    assert_string_equal(reading->sentences, "");
}

static inline void tells(struct reading *reading, enum fg_check check, const char *words)
{
    assert_int_equal(read_on(reading), FG_LOG_END);
    if (reading->findings.counts[check] != 1 || reading->findings.total != 1 ||
        !strstr(reading->sentences, words))
        fail_msg("wanted %s with \"%s\", found:\n%s", fg_check_name(check), words,
                 reading->sentences);
    end(reading);
}

#endif
