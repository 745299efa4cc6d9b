/* SPDX-License-Identifier: BSD-3-Clause */
/* The generator without memory of its requests, its payloads in places of the test's own. */
#ifndef FG_TEST_STATELESS_FIXTURE_H
#define FG_TEST_STATELESS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flashgate/limits.h"
#include "perf/load/stateless.h"

#define MS     UINT64_C(1000000)
#define ORIGIN UINT64_C(1700000000000000000)

static const uint8_t secret[FG_SECRET_BYTES] = {1, 2, 3};
static struct load_mix mix;
static struct load_stateless load;
static struct load_schedule schedule;
static uint8_t payloads[FG_BURST][FG_REQUEST_BYTES(FG_ENTRIES_MAX)];
static struct load_place places[FG_BURST];
static char message[128];

static inline void set_up(uint32_t batch, const char *profile, uint64_t rate, double duration_s)
{
    mix = (struct load_mix){.seed = 9, .buyers = 100000, .batch = batch, .choice = LOAD_IN_TURN};
    assert_int_equal(load_weights_parse(&mix.items, "1:1,2:1", 10, message, sizeof(message)), 0);
    assert_int_equal(load_weights_parse(&mix.quantities, "1", 10, message, sizeof(message)), 0);
    load_mix_init(&mix);
    assert_int_equal(load_mix_steer(&mix, 64), 0);
    assert_int_equal(
        load_schedule_parse(&schedule, profile, rate, duration_s, message, sizeof(message)), 0);
    load = (struct load_stateless){.mix = &mix,
                                   .schedule = &schedule,
                                   .requests = schedule.requests,
                                   .sample = 4,
                                   .key_id = 7,
                                   .secret = secret,
                                   .origin_ns = ORIGIN};
    for (unsigned i = 0; i < FG_BURST; i++)
        places[i].room = payloads[i];
}

static inline void begin(void)
{
    assert_int_equal(load_stateless_init(&load, 0), 0);
    load_stateless_start(&load, 0);
}

/* Writes what is due, `most` datagrams at most: into payloads[], wherever they are sent from. */
static inline unsigned write_due(uint64_t now_ns, unsigned most)
{
    unsigned written = load_stateless_write(&load, now_ns, places, most);

    for (unsigned i = 0; i < written; i++)
        if (places[i].payload != payloads[i])
            memcpy(payloads[i], places[i].payload, load_stateless_bytes(&load));
    return written;
}

static inline int tear_down(void **state)
{
    (void)state;
    load_stateless_fini(&load);
    load_mix_fini(&mix);
    load_weights_fini(&mix.items);
    load_weights_fini(&mix.quantities);
    return 0;
}

static inline struct fg_header header_of(const uint8_t *payload)
{
    struct fg_header header;

    memcpy(&header, payload, sizeof(header));
    return header;
}

static inline struct fg_request entry_of(const uint8_t *payload, unsigned i)
{
    struct fg_request entry;

    memcpy(&entry, payload + FG_REQUEST_BYTES(i), sizeof(entry));
    return entry;
}

#endif
