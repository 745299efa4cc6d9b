/* SPDX-License-Identifier: BSD-3-Clause */
/* The cores that threads are pinned to. */
#include <stdlib.h>
#include <string.h>

#include "control/doctor/doctor.h"
#include "flashgate/exit_status.h"

#define CPU "/sys/devices/system/cpu"

/* Does a list like 0-3,7 have the core? */
static bool list_has(const char *list, int core)
{
    while (*list >= '0' && *list <= '9') {
        char *end;
        long first = strtol(list, &end, 10), last = first;
        if (*end == '-')
            last = strtol(end + 1, &end, 10);
        if (core >= first && core <= last)
            return true;
        list = *end == ',' ? end + 1 : end;
    }
    return false;
}

static bool check_core(struct fg_doctor *doctor, const char *option, int core)
{
    char online[16];
    if (core < 0)
        return true;
    bool there = fg_doctor_exists(doctor, CPU "/cpu%d", core);
    bool off = fg_doctor_read(doctor, online, sizeof(online), CPU "/cpu%d/online", core) &&
               strcmp(online, "0") == 0;
    if (there && !off)
        return true;
    struct fg_doctor_finding *finding =
        fg_doctor_find(doctor, FG_DOCTOR_WRONG, "%s names core %d, which %s", option, core,
                       there ? "is offline" : "this machine does not have");
    finding->refuses = FG_EXIT_CONFIG;
    fg_doctor_needs(finding, "a core that is online");
    if (there)
        fg_doctor_mend(finding, "echo 1 > " CPU "/cpu%d/online", core);
    else
        fg_doctor_mend(finding, "lscpu -e lists the cores; correct %s", option);
    return false;
}

static void check_shared(struct fg_doctor *doctor, const char *option, int core)
{
    const struct fg_config *config = doctor->config;
    for (unsigned w = 0; w < config->workers; w++)
        if (core >= 0 && config->worker_cores[w] == core) {
            struct fg_doctor_finding *finding = fg_doctor_find(
                doctor, FG_DOCTOR_WARNING, "%s is core %d, which is worker %u's", option, core, w);
            fg_doctor_needs(finding, "a core of its own, or -1");
            fg_doctor_mend(finding, "set %s: -1, or another core", option);
            return;
        }
}

static void check_isolated(struct fg_doctor *doctor)
{
    const struct fg_config *config = doctor->config;
    char isolated[512];
    (void)fg_doctor_read(doctor, isolated, sizeof(isolated), CPU "/isolated");
    for (unsigned w = 0; w < config->workers; w++) {
        if (config->idle != FG_IDLE_POLL || list_has(isolated, config->worker_cores[w]))
            continue;
        struct fg_doctor_finding *finding = fg_doctor_find(
            doctor, FG_DOCTOR_WARNING, "worker %u polls on core %d, which others may run on", w,
            config->worker_cores[w]);
        fg_doctor_needs(finding, "an isolated core for a worker that polls without end");
        fg_doctor_mend(finding, "add isolcpus=%d nohz_full=%d to the kernel's command line",
                       config->worker_cores[w], config->worker_cores[w]);
    }
}

void fg_doctor_cores(struct fg_doctor *doctor)
{
    const struct fg_config *config = doctor->config;
    const struct {
        const char *option;
        int core;
    } others[] = {{"cores.control", config->control_core},
                  {"cores.journal", config->journal_core},
                  {"cores.storage", config->storage_core},
                  {"cores.delivery", config->delivery_core}};
    unsigned before = doctor->count;
    for (unsigned w = 0; w < config->workers; w++)
        (void)check_core(doctor, "worker_cores", config->worker_cores[w]);
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (check_core(doctor, others[i].option, others[i].core))
            check_shared(doctor, others[i].option, others[i].core);
    check_isolated(doctor);
    if (doctor->count == before)
        fg_doctor_find(doctor, FG_DOCTOR_OK, "%u workers have cores that are there",
                       config->workers);
}

void fg_doctor_governor(struct fg_doctor *doctor)
{
    const struct fg_config *config = doctor->config;
    for (unsigned w = 0; w < config->workers; w++) {
        char governor[64];
        int core = config->worker_cores[w];
        if (!fg_doctor_read(doctor, governor, sizeof(governor),
                            CPU "/cpu%d/cpufreq/scaling_governor", core) ||
            strcmp(governor, "performance") == 0)
            continue;
        struct fg_doctor_finding *finding = fg_doctor_find(
            doctor, FG_DOCTOR_WARNING, "core %d of worker %u is governed by %s", core, w, governor);
        fg_doctor_needs(finding, "performance");
        fg_doctor_mend(finding, "cpupower -c %d frequency-set -g performance", core);
        return;
    }
    fg_doctor_find(doctor, FG_DOCTOR_OK, "the workers' cores run at their full clock");
}
