/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/trace.h"

#include <stdio.h>

#include "perf/load/random.h"

static const char *const formats[] = {
#define X(name, format) format,
    SIM_EVENTS(X)
#undef X
};

void trace_event(struct sim_trace *trace, uint64_t at_ns, enum sim_event event, uint64_t a,
                 uint64_t b, uint64_t c)
{
    const uint64_t words[] = {at_ns, event, a, b, c};

    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        trace->hash = load_mix64(trace->hash ^ words[i]);
    if (!trace->print)
        return;
    printf("%12.3f ms  ", (double)at_ns / 1e6);
    printf(formats[event], (unsigned long long)a, (unsigned long long)b, (unsigned long long)c);
    putchar('\n');
}
