/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When each request is to leave: a table of segments in each of which the rate goes evenly from one
 * value to another. Request n is due when the integral of the rate has come to n; nothing that
 * happens to earlier requests changes that, so whoever counts latency from it omits nothing.
 */
#ifndef LOAD_SCHEDULE_H
#define LOAD_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

#define LOAD_SEGMENTS_MAX 64

struct load_segment {
    double start_s, length_s;
    double from, to; /* requests a second at its start and end */
    double before;   /* requests of the segments before it */
};

struct load_schedule {
    struct load_segment segments[LOAD_SEGMENTS_MAX];
    unsigned count;
    uint64_t requests;  /* of all segments */
    uint64_t length_ns; /* of all segments */
};

/* X(name, what it does): profiles made from a rate and a duration. */
#define LOAD_PROFILES(X)                                                                           \
    X(flat, "the rate all the time")                                                               \
    X(ramp, "from nothing evenly up to the rate")                                                  \
    X(spike, "a hundredth of the rate; at half time up to the rate within 10 ms, there for a "     \
             "fifth of the time, and back")                                                        \
    X(step, "ten equal steps up to the rate")

/* Makes a profile by name for `rate` requests a second and `duration_s` seconds; or from a list of
 * points "MS:RATE,MS:RATE,...", whose times do not fall, with the rate going evenly from one to the
 * next and at once between two of one time. 0; or -1 with a sentence in `message`. */
int load_schedule_parse(struct load_schedule *schedule, const char *text, uint64_t rate,
                        double duration_s, char *message, size_t size);

/* Does the text name a profile that needs a rate and a duration? (Else it has its own.) */
int load_schedule_is_named(const char *text);

/* ns from the start of the schedule to request n; for n beyond the last one UINT64_MAX. */
uint64_t load_schedule_when_ns(const struct load_schedule *schedule, uint64_t n);

#endif
