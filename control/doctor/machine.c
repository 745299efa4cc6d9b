/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory, limits of the process, and the clock. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/doctor/doctor.h"
#include "dataplane/net/port.h"
#include "flashgate/exit_status.h"

#define MIB            (UINT64_C(1) << 20)
#define MBUF_BYTES     2400 /* a buffer with its header */
#define FILES_OF_OTHER 256  /* connections, segments, threads' own */
#define CAP_IPC_LOCK   14
#define CAP_SYS_NICE   23

static const char *eal_value(const struct fg_config *config, const char *name)
{
    size_t length = strlen(name);
    for (unsigned i = 0; i < config->eal_count; i++) {
        if (strcmp(config->eal[i], name) == 0)
            return i + 1 < config->eal_count ? config->eal[i + 1] : "";
        if (strncmp(config->eal[i], name, length) == 0 && config->eal[i][length] == '=')
            return config->eal[i] + length + 1;
    }
    return NULL;
}

/* What EAL is told to take (-m, --socket-mem, --numa-mem), or what the buffers take. */
static uint64_t wanted_bytes(const struct fg_config *config)
{
    const char *total = eal_value(config, "-m"), *sockets = eal_value(config, "--socket-mem");
    uint64_t mib = 0;
    if (!sockets)
        sockets = eal_value(config, "--numa-mem");
    if (total)
        return strtoull(total, NULL, 10) * MIB;
    while (sockets && *sockets >= '0' && *sockets <= '9') {
        char *end;
        mib += strtoull(sockets, &end, 10);
        sockets = *end == ',' ? end + 1 : end;
    }
    return mib ? mib * MIB : (uint64_t)config->workers * config->mbufs * MBUF_BYTES;
}

/* Free pages of all sizes, in bytes; *count is their number. */
static uint64_t free_bytes(const struct fg_doctor *doctor, uint64_t *count)
{
    static const char place[] = "/sys/kernel/mm/hugepages";
    char path[1024], text[32];
    uint64_t bytes = 0;
    snprintf(path, sizeof(path), "%s%s", doctor->root, place);
    *count = 0;
    DIR *sizes = opendir(path);
    for (const struct dirent *entry; sizes && (entry = readdir(sizes));) {
        if (strncmp(entry->d_name, "hugepages-", 10) != 0 ||
            !fg_doctor_read(doctor, text, sizeof(text), "%s/%s/free_hugepages", place,
                            entry->d_name))
            continue;
        uint64_t pages = strtoull(text, NULL, 10);
        bytes += pages * (strtoull(entry->d_name + 10, NULL, 10) << 10);
        *count += pages;
    }
    if (sizes)
        closedir(sizes);
    return bytes;
}

/* Is there no mount that this user may make files in? One of those is in `path` then. */
static bool mounts_closed(const struct fg_doctor *doctor, const char *mounts, char path[256])
{
    char full[1280], kind[32];
    bool closed = false;
    for (const char *line = mounts; line; line = strchr(line, '\n'), line += line != NULL) {
        char name[256];
        if (sscanf(line, "%*s %255s %31s", name, kind) != 2 || strcmp(kind, "hugetlbfs") != 0)
            continue;
        snprintf(full, sizeof(full), "%s%s", doctor->root, name);
        if (faccessat(AT_FDCWD, full, W_OK | X_OK, AT_EACCESS) == 0 || errno != EACCES)
            return false;
        closed = true;
        snprintf(path, 256, "%s", name);
    }
    return closed;
}

void fg_doctor_hugepages(struct fg_doctor *doctor)
{
    const struct fg_config *config = doctor->config;
    uint64_t pages, wanted = wanted_bytes(config), there = free_bytes(doctor, &pages);
    struct fg_doctor_finding *finding;
    char mounts[16384], path[256];
    if (eal_value(config, "--no-huge")) {
        fg_doctor_find(doctor, FG_DOCTOR_OK, "not used (eal has --no-huge)");
        return;
    }
    if (there < wanted) {
        finding = fg_doctor_find(doctor, FG_DOCTOR_WRONG, "%" PRIu64 " MiB of hugepages are free",
                                 there / MIB);
        finding->refuses = FG_EXIT_NETWORK;
        fg_doctor_needs(finding, "%" PRIu64 " MiB (eal and mbufs say so)",
                        (wanted + MIB - 1) / MIB);
        fg_doctor_mend(finding, "sysctl -w vm.nr_hugepages=%" PRIu64,
                       pages + (wanted - there + 2 * MIB - 1) / (2 * MIB));
        return;
    }
    if (!eal_value(config, "--in-memory") &&
        (!fg_doctor_read(doctor, mounts, sizeof(mounts), "/proc/mounts") ||
         !strstr(mounts, " hugetlbfs "))) {
        finding = fg_doctor_find(doctor, FG_DOCTOR_WRONG, "no hugetlbfs is mounted");
        finding->refuses = FG_EXIT_NETWORK;
        fg_doctor_needs(finding, "a mount for DPDK's files, or eal: [\"--in-memory\"]");
        fg_doctor_mend(finding, "mount -t hugetlbfs none /dev/hugepages");
        return;
    }
    if (!eal_value(config, "--in-memory") && mounts_closed(doctor, mounts, path)) {
        finding =
            fg_doctor_find(doctor, FG_DOCTOR_WRONG, "%s is closed to the engine's user", path);
        finding->refuses = FG_EXIT_NETWORK;
        fg_doctor_needs(finding, "a mount that it may make files in, or eal: [\"--in-memory\"]");
        fg_doctor_mend(finding, "mount -o remount,uid=%s %s", fg_doctor_user(config), path);
        return;
    }
    fg_doctor_find(doctor, FG_DOCTOR_OK,
                   "%" PRIu64 " MiB are free, of which %" PRIu64 " MiB are needed", there / MIB,
                   (wanted + MIB - 1) / MIB);
}

/* --- limits --- */

/* The soft limit that /proc/self/limits names so; UINT64_MAX: unlimited, or not to be known. */
static uint64_t limit_of(const struct fg_doctor *doctor, const char *name)
{
    char text[4096];
    const char *line;
    if (!fg_doctor_read(doctor, text, sizeof(text), "/proc/self/limits") ||
        !(line = strstr(text, name)))
        return UINT64_MAX;
    line += strlen(name);
    line += strspn(line, " ");
    return *line >= '0' && *line <= '9' ? strtoull(line, NULL, 10) : UINT64_MAX;
}

static bool is_capable(const struct fg_doctor *doctor, unsigned capability)
{
    char text[4096];
    const char *line;
    if (!fg_doctor_read(doctor, text, sizeof(text), "/proc/self/status") ||
        !(line = strstr(text, "CapPrm:\t")))
        return false;
    return strtoull(line + strlen("CapPrm:\t"), NULL, 16) >> capability & 1;
}

void fg_doctor_files(struct fg_doctor *doctor)
{
    const struct fg_config *config = doctor->config;
    bool pci = false;
    uint64_t pages, wanted = FILES_OF_OTHER, files = limit_of(doctor, "Max open files"),
                    locked = limit_of(doctor, "Max locked memory");
    struct fg_doctor_finding *finding;
    (void)free_bytes(doctor, &pages);
    if (!eal_value(config, "--no-huge"))
        wanted += pages; /* EAL opens each */
    for (unsigned i = 0; i < config->ports_count; i++)
        pci |= !fg_port_is_vdev(config->ports[i].device);
    if (files < wanted) {
        finding = fg_doctor_find(doctor, FG_DOCTOR_WRONG, "this process may open %" PRIu64 " files",
                                 files);
        fg_doctor_needs(finding, "%" PRIu64, wanted);
        fg_doctor_mend(finding, "ulimit -n %" PRIu64 " (LimitNOFILE= in the unit)", wanted);
    }
    if (pci && locked != UINT64_MAX && !is_capable(doctor, CAP_IPC_LOCK)) {
        finding = fg_doctor_find(doctor, FG_DOCTOR_WRONG,
                                 "this process may lock %" PRIu64 " KiB of memory", locked >> 10);
        fg_doctor_needs(finding, "no limit: a NIC writes to memory that stays in place");
        fg_doctor_mend(finding, "ulimit -l unlimited (LimitMEMLOCK=infinity in the unit)");
    } else if (files >= wanted) {
        fg_doctor_find(doctor, FG_DOCTOR_OK, "open files and locked memory suffice");
    }
}

void fg_doctor_priority(struct fg_doctor *doctor)
{
    if (limit_of(doctor, "Max realtime priority") >= 1 || is_capable(doctor, CAP_SYS_NICE)) {
        fg_doctor_find(doctor, FG_DOCTOR_OK, "the journal's thread may have real-time priority");
        return;
    }
    struct fg_doctor_finding *finding = fg_doctor_find(
        doctor, FG_DOCTOR_WARNING, "the journal's thread may not have real-time priority");
    fg_doctor_needs(finding,
                    "LimitRTPRIO=1 or CAP_SYS_NICE: flushes are late without, on a busy core");
    fg_doctor_mend(finding, "ulimit -r 1 (LimitRTPRIO=1 in the unit)");
}

/* --- clock, advice --- */

void fg_doctor_clock(struct fg_doctor *doctor)
{
    struct timex now = {0};
    int state = doctor->adjtimex(&now);
    if (state < 0) {
        fg_doctor_find(doctor, FG_DOCTOR_OK, "cannot be asked here: %s", strerror(errno));
        return;
    }
    uint64_t error_us = now.maxerror > 0 ? (uint64_t)now.maxerror : 0;
    if (state != TIME_ERROR && !(now.status & STA_UNSYNC) &&
        error_us < UINT64_C(1000) * doctor->config->freshness_ms / 2) {
        fg_doctor_find(doctor, FG_DOCTOR_OK, "synchronised, within %" PRIu64 " us", error_us);
        return;
    }
    struct fg_doctor_finding *finding = fg_doctor_find(
        doctor, FG_DOCTOR_WARNING,
        "not synchronised (the kernel's error is %" PRIu64 " ms at most)", error_us / 1000);
    fg_doctor_needs(finding, "a time service: sales open by this clock, and signed datagrams are "
                             "judged by it");
    fg_doctor_mend(finding, "apt install chrony && chronyc waitsync");
}

void fg_doctor_memory(struct fg_doctor *doctor)
{
    char text[4096];
    unsigned before = doctor->count;
    struct fg_doctor_finding *finding;
    if (fg_doctor_read(doctor, text, sizeof(text), "/sys/kernel/mm/transparent_hugepage/enabled") &&
        strstr(text, "[always]")) {
        finding = fg_doctor_find(doctor, FG_DOCTOR_WARNING,
                                 "transparent hugepages are made for everybody");
        fg_doctor_needs(finding, "madvise: the kernel stalls threads to make them");
        fg_doctor_mend(finding, "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
    }
    /* The first line is a heading. */
    if (fg_doctor_read(doctor, text, sizeof(text), "/proc/swaps") && strchr(text, '\n')) {
        finding = fg_doctor_find(doctor, FG_DOCTOR_WARNING, "memory may be swapped out");
        fg_doctor_needs(finding, "no swap: a page that comes back from disk takes milliseconds");
        fg_doctor_mend(finding, "swapoff -a");
    }
    if (doctor->count == before)
        fg_doctor_find(doctor, FG_DOCTOR_OK, "no swap, no transparent hugepages for everybody");
}
