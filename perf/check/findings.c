/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/check/findings.h"

#include <stdarg.h>
#include <stdio.h>

const char *fg_check_name(enum fg_check check)
{
    static const char *const names[] = {
#define X(name, invariant, text) #name,
        FG_CHECKS(X)
#undef X
    };
    return names[check];
}

const char *fg_check_invariant(enum fg_check check)
{
    static const char *const invariants[] = {
#define X(name, invariant, text) invariant,
        FG_CHECKS(X)
#undef X
    };
    return invariants[check];
}

void fg_found(struct fg_findings *findings, enum fg_check which, const char *format, ...)
{
    char sentence[512];
    va_list args;

    findings->total++;
    if (++findings->counts[which] > FG_CHECK_SENTENCES || !findings->found)
        return;
    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    findings->found(findings->arg, which, sentence);
}
