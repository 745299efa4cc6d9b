/* SPDX-License-Identifier: BSD-3-Clause */
/* What a frame for tests must be to the engine. After cmocka.h. */
#ifndef FG_TESTS_FRAME_CHECKS_H
#define FG_TESTS_FRAME_CHECKS_H

#include "tests/unit/frames.h"

static inline const char *counter_name(unsigned counter)
{
    static const char *const names[] = {
#define X(name, text, help) text,
        FG_COUNTERS(X)
#undef X
    };
    return counter < FG_COUNTER_COUNT ? names[counter] : "?";
}

static inline void assert_dropped_as(const struct built *frame, enum fg_checksum checksum,
                                     enum fg_counter why)
{
    struct fg_parsed parsed = parse_built(frame, checksum);
    assert_int_equal(parsed.kind, FG_FRAME_DROPPED);
    assert_string_equal(counter_name(parsed.dropped), counter_name(why));
}

static inline void assert_dropped(const struct built *frame, enum fg_counter why)
{
    assert_dropped_as(frame, FG_CHECKSUM_UNKNOWN, why);
}

static inline void assert_kind(const struct built *frame, enum fg_frame_kind kind)
{
    struct fg_parsed parsed = parse_built(frame, FG_CHECKSUM_UNKNOWN);
    if (parsed.kind == FG_FRAME_DROPPED)
        print_message("dropped as %s\n", counter_name(parsed.dropped));
    assert_int_equal(parsed.kind, kind);
}

#endif
