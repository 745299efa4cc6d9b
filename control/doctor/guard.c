/* SPDX-License-Identifier: BSD-3-Clause */
/* What the engine forbids itself, and whether others could put something in its way: the filter of
 * system calls, cores, and the directories of its sockets and of DPDK's files. */
#include <errno.h>
#include <libgen.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "control/doctor/doctor.h"
#include "dataplane/net/eal.h"
#include "dataplane/privilege.h"
#include "flashgate/exit_status.h"

#define PATH_BYTES 4352

static bool kernel_filters(void)
{
    uint32_t action = SECCOMP_RET_KILL_PROCESS;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static void check_filter(struct fg_doctor *doctor)
{
    enum fg_seccomp_mode mode = doctor->config->seccomp;
    struct fg_doctor_finding *finding;
    if (mode == FG_SECCOMP_DENY && kernel_filters()) {
        fg_doctor_find(doctor, FG_DOCTOR_OK, "system calls are filtered once the engine serves");
        return;
    }
    if (mode == FG_SECCOMP_OFF || kernel_filters()) {
        finding = fg_doctor_find(doctor, FG_DOCTOR_WARNING,
                                 "system calls that the engine does not need are %s",
                                 mode == FG_SECCOMP_LOG ? "only logged" : "allowed");
        fg_doctor_mend(finding, "set security.seccomp: deny");
    } else {
        finding = fg_doctor_find(doctor, FG_DOCTOR_WRONG, "this kernel filters no system calls: %s",
                                 strerror(errno));
        finding->refuses = FG_EXIT_CONFIG;
        fg_doctor_mend(finding, "a kernel with CONFIG_SECCOMP_FILTER, or security.seccomp: off");
    }
    fg_doctor_needs(finding, "the filter, but for the search after a fault");
}

static void check_cores(struct fg_doctor *doctor)
{
    if (!doctor->config->core_dumps) {
        fg_doctor_find(doctor, FG_DOCTOR_OK, "a crash leaves no core");
        return;
    }
    struct fg_doctor_finding *finding = fg_doctor_find(
        doctor, FG_DOCTOR_WARNING, "a crash leaves a core with orders and perhaps keys in it");
    fg_doctor_needs(finding, "no core, but for the search after a fault");
    fg_doctor_mend(finding, "set security.core_dumps: false");
}

/* The directory is the engine's to make, or nobody else can change what is in it. */
static bool check_directory(struct fg_doctor *doctor, const char *option, const char *path,
                            bool own)
{
    char why[160];
    if (fg_privilege_keeps_others_out(path, own, why, sizeof(why)))
        return true;
    struct fg_doctor_finding *finding =
        fg_doctor_find(doctor, FG_DOCTOR_WRONG, "%s: %s %s", option, path, why);
    finding->refuses = FG_EXIT_CONFIG;
    fg_doctor_needs(finding, "a directory where only %s can put something in its way",
                    fg_doctor_user(doctor->config));
    fg_doctor_mend(finding, own ? "rm -r %s, if no DPDK process uses it" : "chmod o-w %s", path);
    return false;
}

static bool check_socket(struct fg_doctor *doctor, const char *option, const char *socket)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s", socket);
    return check_directory(doctor, option, dirname(path), false);
}

/* Where EAL keeps its files, as it looks for the place itself. It takes what is there. */
static bool check_runtime(struct fg_doctor *doctor)
{
    const char *prefix = doctor->config->file_prefix;
    char base[PATH_BYTES - 256], path[PATH_BYTES];
    fg_eal_runtime_base(base, sizeof(base));
    bool right = check_directory(doctor, "RUNTIME_DIRECTORY", base, false);
    snprintf(path, sizeof(path), "%s/dpdk", base);
    right = right && check_directory(doctor, "RUNTIME_DIRECTORY", path, true);
    snprintf(path, sizeof(path), "%s/dpdk/%s", base, prefix ? prefix : "rte");
    return right && check_directory(doctor, "RUNTIME_DIRECTORY", path, true);
}

static void check_directories(struct fg_doctor *doctor)
{
    bool right = check_runtime(doctor);
    right &= fg_doctor_check_sockets(doctor, check_socket);
    if (right)
        fg_doctor_find(doctor, FG_DOCTOR_OK, "nobody else can put something in the way of sockets");
}

void fg_doctor_guard(struct fg_doctor *doctor)
{
    check_filter(doctor);
    check_cores(doctor);
    check_directories(doctor);
}
