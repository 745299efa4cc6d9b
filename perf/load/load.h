/* SPDX-License-Identifier: BSD-3-Clause */
/* The program's parts: flashgate-load.c runs setup.c, find.c, and play.c or play_stateless.c. */
#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H

#include <signal.h>

#include "perf/load/effort.h"
#include "perf/load/goodput.h"
#include "perf/load/options.h"
#include "perf/load/port.h"
#include "perf/load/stateless.h"

#define LOAD_SECOND_NS UINT64_C(1000000000)

struct load {
    struct load_options options;
    struct load_client client;
    struct load_schedule schedule; /* when an option asks for one */
    struct load_port port;
    struct load_hostile hostile;
    struct load_stateless stateless;
    struct load_goodput goodput;
    struct load_effort effort;
    char message[512];

    /* of the engine's life */
    uint64_t heard;    /* datagrams received at the last look */
    uint64_t heard_ns; /* when that had grown */
};

/* Signals that asked us to stop: by the first what is under way comes to its end, by the second
 * nothing is waited for. */
extern volatile sig_atomic_t load_interrupts;

static inline uint64_t load_now_ns(struct load *load)
{
    return load->port.link.now_ns(&load->port.link);
}

/* Keeps the sentence for the end; the status. */
int load_fail(struct load *load, int status, const char *sentence);

/* The sentence that a file cannot be written; `error`. */
int load_fail_to_write(struct load *load, const char *what, const char *path, int error);

/* setup.c: key, client, schedule and hostile side as the options want them; load_unset frees. An
 * exit status, with a sentence in load->message. */
int load_set_up(struct load *load);
void load_unset(struct load *load);

/* find.c: asks for the target's MAC and then, by PING, how to steer. An exit status. */
int load_find_engine(struct load *load);

/* To be called a few times a second: the engine may have died and another one live in its place,
 * with another MAC and other queues. When nothing is heard, both are asked for. */
void load_watch_engine(struct load *load, uint64_t now);

/* When ahead of the schedule, whoever shares the core may have it. */
void load_give_way(const struct load *load);

/* play.c: starts the schedules and plays until everything is over or the time is up. */
int load_play(struct load *load);

/* play_stateless.c: the same without memory of requests, and its results. Exit statuses. */
int load_play_stateless(struct load *load);
int load_write_stateless(struct load *load);

#endif
