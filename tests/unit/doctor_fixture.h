/* SPDX-License-Identifier: BSD-3-Clause */
/* A machine that is a tree of files, and what the preflight says of it. */
#ifndef TESTS_DOCTOR_FIXTURE_H
#define TESTS_DOCTOR_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/doctor/doctor.h"
#include "flashgate/exit_status.h"

#define CPU  "/sys/devices/system/cpu"
#define HUGE "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"
#define NIC  "/sys/bus/pci/devices/0000:3b:00.0"
#define TREE "/tmp/test-doctor-XXXXXX"

static char root[64], log_dir[96], key_file[96];
static struct fg_config config;
static struct fg_doctor doctor;
static struct timex clock_now;
static int clock_state;
static uint64_t step_ns, now_ns;

static inline int fake_adjtimex(struct timex *time)
{
    *time = clock_now;
    return clock_state;
}

/* Each question takes step_ns. */
static inline uint64_t fake_monotonic(void *context)
{
    (void)context;
    return now_ns += step_ns;
}

static const struct fg_clock fake_clock = {.monotonic_ns = fake_monotonic};

static inline void make_parents(char *path)
{
    for (char *slash = strchr(path + strlen(root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0755);
        *slash = '/';
    }
}

static inline void put(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s%s", root, name);
    make_parents(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static inline void put_link(const char *name, const char *target)
{
    char path[256];
    snprintf(path, sizeof(path), "%s%s", root, name);
    make_parents(path);
    (void)unlink(path);
    assert_int_equal(symlink(target, path), 0);
}

static inline int remove_one(const char *path, const struct stat *status, int kind,
                             struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

/* A machine on which nothing is wrong. */
static inline int set_up(void **state)
{
    (void)state;
    snprintf(root, sizeof(root), TREE);
    assert_non_null(mkdtemp(root));
    snprintf(log_dir, sizeof(log_dir), "%s/log", root);
    assert_int_equal(mkdir(log_dir, 0755), 0);
    snprintf(key_file, sizeof(key_file), "%s/keys.yaml", root);
    put("/keys.yaml", "keys: [{id: 3, secret: 00112233445566778899aabbccddeeff, ops: all, sales: "
                      "all}]\n");
    assert_int_equal(chmod(key_file, 0600), 0);
    put(CPU "/cpu0/online", "1\n");
    put(CPU "/cpu1/online", "1\n");
    put(CPU "/cpu1/cpufreq/scaling_governor", "performance\n");
    put(CPU "/isolated", "1\n");
    put(HUGE, "512\n");
    put("/proc/mounts", "none /dev/hugepages hugetlbfs rw 0 0\n");
    put("/proc/net/route", "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n"
                           "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
                           "eth1\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n");
    put("/proc/self/limits", "Max open files            1024                 4096     files\n"
                             "Max locked memory         unlimited            unlimited bytes\n"
                             "Max realtime priority     1                    1\n");
    put("/proc/self/status", "CapPrm:\t0000000000000000\n");
    put("/proc/swaps", "Filename\tType\n");
    put("/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
    put("/sys/class/net/eth1/mtu", "1500\n");
    put_link(NIC "/driver", "../../bus/pci/drivers/vfio-pci");
    config = (struct fg_config){
        .workers = 1,
        .worker_cores = {1},
        .worker_cores_count = 1,
        .control_core = -1,
        .journal_core = 0,
        .storage_core = -1,
        .delivery_core = -1,
        .idle = FG_IDLE_POLL,
        .mbufs = 16384,
        .ports = {{.device = "0000:3b:00.0"}},
        .ports_count = 1,
        .key_file = key_file,
        .freshness_ms = 30000,
        .log_dir = log_dir,
        .log_budget = 4096,
        .redis_timeout_ms = 1000,
    };
    fg_doctor_init(&doctor, &config);
    doctor.root = root;
    doctor.adjtimex = fake_adjtimex;
    doctor.clock = &fake_clock;
    clock_now = (struct timex){.maxerror = 500};
    clock_state = TIME_OK;
    step_ns = 100000;
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    if (seteuid(getuid()) != 0 || setegid(getgid()) != 0) /* where test_user failed */
        return -1;
    return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Runs all; the check's worst finding is of this level, and one has the text in it and refuses a
 * start with that status. What is not ok tells what is needed. */
static inline void expect_refusal(const char *check, enum fg_doctor_level level, const char *text,
                                  int refuses)
{
    enum fg_doctor_level worst = FG_DOCTOR_OK;
    bool found = false, any = false;
    fg_doctor_run(&doctor);
    for (unsigned i = 0; i < doctor.count; i++) {
        const struct fg_doctor_finding *finding = &doctor.findings[i];
        if (strcmp(finding->check, check) != 0)
            continue;
        any = true;
        worst = finding->level > worst ? finding->level : worst;
        found |= strstr(finding->found, text) && finding->refuses == refuses;
        if (finding->level != FG_DOCTOR_OK) {
            assert_true(*finding->needed != '\0');
            assert_true(*finding->mend != '\0');
        }
    }
    if (!any || !found || worst != level) {
        fg_doctor_print(&doctor, stderr);
        fail_msg("%s: wanted level %d with \"%s\"", check, level, text);
    }
}

static inline void expect(const char *check, enum fg_doctor_level level, const char *text)
{
    expect_refusal(check, level, text, FG_EXIT_OK);
}

#endif
