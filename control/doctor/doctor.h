/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Preflight: is this machine fit to serve with this configuration? One table of checks (doctor.c),
 * run by `flashgatectl doctor` and by the engine at its start. Nothing is changed by it.
 *
 * What is asked of /sys and /proc goes through `root`, so that tests bring a machine of their own.
 */
#ifndef FG_CONTROL_DOCTOR_H
#define FG_CONTROL_DOCTOR_H

#include <jansson.h>
#include <stdio.h>
#include <sys/timex.h>

#include "control/config/config.h"
#include "dataplane/orders/clock.h"
#include "dataplane/orders/disk.h"

enum fg_doctor_level { FG_DOCTOR_OK, FG_DOCTOR_WARNING, FG_DOCTOR_WRONG };

struct fg_doctor_finding {
    const char *check; /* its name in the table */
    enum fg_doctor_level level;
    int refuses;      /* the exit status that this must be met with at a start, or FG_EXIT_OK */
    char found[320];  /* what is the case */
    char needed[200]; /* what is wanted; "" when it is */
    char mend[240];   /* the command that mends it, or "" */
};

#define FG_DOCTOR_FINDINGS_MAX 128 /* some for each port and core; more are not told */

struct fg_doctor {
    const struct fg_config *config;
    const char *root;           /* before /sys and /proc; "" for this machine */
    const struct fg_disk *disk; /* the log's */
    const struct fg_clock *clock;
    int (*adjtimex)(struct timex *time);
    bool at_start; /* only what takes no time */
    const char *check;
    struct fg_doctor_finding findings[FG_DOCTOR_FINDINGS_MAX];
    unsigned count;
};

/* This machine, with the real disk and clock. */
void fg_doctor_init(struct fg_doctor *doctor, const struct fg_config *config);

/* Runs all checks; findings stand in the table's order. */
void fg_doctor_run(struct fg_doctor *doctor);
enum fg_doctor_level fg_doctor_worst(const struct fg_doctor *doctor);

/* For people, and for scripts: a new reference, NULL when memory is short. */
void fg_doctor_print(const struct fg_doctor *doctor, FILE *out);
json_t *fg_doctor_json(const struct fg_doctor *doctor);

/* The engine's start: warnings to `out`. FG_EXIT_OK, or, when serving is impossible, an exit status
 * with a sentence. */
int fg_doctor_start(const struct fg_config *config, FILE *out, char *message, size_t size);

/* --- for the files of checks --- */

/* The finding of the check that runs; `needed` and `mend` are formatted by who has more to say. */
__attribute__((format(printf, 3, 4))) struct fg_doctor_finding *fg_doctor_find(
    struct fg_doctor *doctor, enum fg_doctor_level level, const char *format, ...);
__attribute__((format(printf, 2, 3))) void fg_doctor_needs(struct fg_doctor_finding *finding,
                                                           const char *format, ...);
__attribute__((format(printf, 2, 3))) void fg_doctor_mend(struct fg_doctor_finding *finding,
                                                          const char *format, ...);

/* The file's text under `root` without its last line end; false with "" if it cannot be read. */
__attribute__((format(printf, 4, 5))) bool fg_doctor_read(const struct fg_doctor *doctor,
                                                          char *text, size_t size,
                                                          const char *format, ...);
__attribute__((format(printf, 2, 3))) bool fg_doctor_exists(const struct fg_doctor *doctor,
                                                            const char *format, ...);

/* Whom the engine is to become. */
const char *fg_doctor_user(const struct fg_config *config);

/* Has each socket looked at that the engine makes. Is there nothing wrong with any? */
bool fg_doctor_check_sockets(struct fg_doctor *doctor,
                             bool (*check)(struct fg_doctor *, const char *option,
                                           const char *path));

void fg_doctor_rights(struct fg_doctor *doctor); /* doctor/rights.c */
void fg_doctor_guard(struct fg_doctor *doctor);  /* doctor/guard.c */
void fg_doctor_cores(struct fg_doctor *doctor);  /* doctor/cores.c */
void fg_doctor_governor(struct fg_doctor *doctor);
void fg_doctor_hugepages(struct fg_doctor *doctor); /* doctor/machine.c */
void fg_doctor_files(struct fg_doctor *doctor);
void fg_doctor_priority(struct fg_doctor *doctor);
void fg_doctor_clock(struct fg_doctor *doctor);
void fg_doctor_memory(struct fg_doctor *doctor);
void fg_doctor_nics(struct fg_doctor *doctor); /* doctor/nics.c */
void fg_doctor_keys(struct fg_doctor *doctor); /* doctor/stores.c */
void fg_doctor_lists(struct fg_doctor *doctor);
void fg_doctor_room(struct fg_doctor *doctor);
void fg_doctor_flush(struct fg_doctor *doctor);
void fg_doctor_redis(struct fg_doctor *doctor);

#endif
