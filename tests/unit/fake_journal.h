/* SPDX-License-Identifier: BSD-3-Clause */
/* The journal of a fake engine: it keeps what it is given, and is durable when the test says so.
 * Its functions stand in for the library's. */
#ifndef TESTS_FAKE_JOURNAL_H
#define TESTS_FAKE_JOURNAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "tests/unit/fake_workers.h"

#ifndef EVENTS_MAX /* a test may want more */
#define EVENTS_MAX 32
#endif

static struct {
    unsigned count;
    struct {
        struct fg_control_event event;
        char *body;
        uint64_t revision; /* of the catalogue in force when it was submitted */
        bool seen;         /* ... and every worker had taken that up */
        bool leaving;      /* ... and a sale was leaving it */
    } events[EVENTS_MAX];
    uint64_t durable;
    bool holds_back; /* nothing becomes durable */
    bool full;
    int failed;
    volatile sig_atomic_t *stop; /* raised when a sale closes */
    struct fg_journal_stats stats;
} log_;

uint64_t fg_journal_submit(struct fg_journal *journal, const struct fg_control_event *event,
                           const void *body)
{
    (void)journal;
    if (log_.full)
        return 0;
    unsigned i = log_.count++;
    assert_true(i < EVENTS_MAX);
    log_.events[i].event = *event;
    log_.events[i].body = body ? strndup(body, event->body_length) : NULL;
    log_.events[i].revision = engine->catalogue->revision;
    log_.events[i].leaving = engine->catalogue->leaving;
    log_.events[i].seen = true;
    for (unsigned w = 0; w < WORKERS; w++)
        if (atomic_load(&engine->workers[w]->seen_issue) < engine->catalogue->issue)
            log_.events[i].seen = false;
    if (!log_.holds_back)
        log_.durable = log_.count;
    if (log_.stop && event->value == FG_SALE_CLOSED)
        *log_.stop = 1;
    return log_.count;
}

uint64_t fg_journal_submitted_durable(const struct fg_journal *journal)
{
    (void)journal;
    return log_.durable;
}

/* As if 1000 order events went before, and nothing between. */
uint64_t fg_journal_submitted_lsn(const struct fg_journal *journal, uint64_t ticket)
{
    (void)journal;
    return 1000 + ticket;
}

uint64_t fg_journal_durable(const struct fg_journal *journal)
{
    (void)journal;
    return 5;
}

int fg_journal_failed(const struct fg_journal *journal)
{
    (void)journal;
    return log_.failed;
}

uint64_t fg_journal_id(const struct fg_journal *journal)
{
    (void)journal;
    return 0x1234;
}

unsigned fg_journal_epoch(const struct fg_journal *journal)
{
    (void)journal;
    return 3;
}

const struct fg_journal_stats *fg_journal_stats(const struct fg_journal *journal)
{
    (void)journal;
    return &log_.stats;
}

#endif
