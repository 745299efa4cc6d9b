/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/faults.h"

#ifdef FG_FAULTS

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

unsigned fg_planted;
void (*fg_crash_hook)(enum fg_crash_point at);

static unsigned crash_at = FG_CRASH_COUNT;
static _Atomic unsigned long crash_left = 1;

static const char *const plants[FG_PLANT_COUNT] = {"NONE",
#define X(name, text) #name,
                                                   FG_PLANTS(X)
#undef X
};

static const char *const points[FG_CRASH_COUNT] = {
#define X(name, text) #name,
    FG_CRASH_POINTS(X)
#undef X
};

const char *fg_crash_point_name(enum fg_crash_point at)
{
    return points[at];
}

void fg_crash_point(enum fg_crash_point at)
{
    if (fg_crash_hook)
        fg_crash_hook(at);
    else if (at == crash_at && atomic_fetch_sub(&crash_left, 1) == 1)
        kill(getpid(), SIGKILL);
}

/* Index of the name's first `length` characters, or `count`. */
static unsigned find(const char *const *names, unsigned count, const char *name, size_t length)
{
    unsigned i = 0;

    while (i < count && (strlen(names[i]) != length || memcmp(names[i], name, length) != 0))
        i++;
    return i;
}

/* A name that is wrong must not pass for a run without faults. */
__attribute__((constructor)) static void choose(void)
{
    const char *plant = getenv("FLASHGATE_PLANT"), *crash = getenv("FLASHGATE_CRASH");

    if (plant) {
        fg_planted = find(plants, FG_PLANT_COUNT, plant, strlen(plant));
        if (fg_planted == FG_PLANT_COUNT) {
            fprintf(stderr, "FLASHGATE_PLANT=%s: there is no such plant\n", plant);
            exit(2);
        }
    }
    if (crash) {
        size_t length = strcspn(crash, ":");
        crash_at = find(points, FG_CRASH_COUNT, crash, length);
        if (crash[length] == ':')
            crash_left = strtoul(crash + length + 1, NULL, 10);
        if (crash_at == FG_CRASH_COUNT || crash_left == 0) {
            fprintf(stderr, "FLASHGATE_CRASH=%s: POINT or POINT:N is wanted\n", crash);
            exit(2);
        }
    }
}

#endif
