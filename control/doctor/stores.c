/* SPDX-License-Identifier: BSD-3-Clause */
/* What the engine reads and writes: keys, lists, the log's disk, Redis. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "control/config/keys.h"
#include "control/doctor/doctor.h"
#include "control/lists/listing.h"
#include "dataplane/redis.h"
#include "flashgate/exit_status.h"

#define MIB          (UINT64_C(1) << 20)
#define FLUSHES      64
#define SLOW_US      2000  /* a flush that buyers wait for */
#define TOO_SLOW_US  50000 /* orders are refused for want of room before such a disk is done */
#define PROBE        ".doctor"
#define INFO_BYTES   16384
#define REDIS_OLDEST 7 /* functions came with it */

/* Beside keys, too, it is for rehearsals. */
static void find_unsigned(struct fg_doctor *doctor)
{
    uint8_t ops = fg_config_unsigned_ops(doctor->config);
    if (ops == 0)
        return;
    struct fg_doctor_finding *finding = fg_doctor_find(
        doctor, FG_DOCTOR_WARNING, "unsigned datagrams are taken: anyone can order%s",
        ops & (1 << FG_OP_CONFIRM | 1 << FG_OP_CANCEL) ? ", and settle anybody's orders" : "");
    fg_doctor_needs(finding, "unsigned_allowed: false, but for a rehearsal");
    fg_doctor_mend(finding, "set unsigned_allowed: false");
}

void fg_doctor_keys(struct fg_doctor *doctor)
{
    char message[512];
    const struct fg_config *config = doctor->config;
    if (!config->key_file) {
        struct fg_doctor_finding *finding =
            fg_doctor_find(doctor, FG_DOCTOR_WARNING, "there are no keys: anyone can order");
        fg_doctor_needs(finding, "key_file, but for a rehearsal");
        fg_doctor_mend(finding, "see keys.sample.yaml; set key_file, and unsigned_allowed: false");
        return;
    }
    struct fg_key_file *keys = fg_key_file_load(config->key_file, fg_config_unsigned_ops(config),
                                                NULL, message, sizeof(message));
    if (keys) {
        fg_doctor_find(doctor, FG_DOCTOR_OK, "%s is right, and closed to others", config->key_file);
        find_unsigned(doctor);
        fg_key_file_drop(keys);
        return;
    }
    struct fg_doctor_finding *finding = fg_doctor_find(doctor, FG_DOCTOR_WRONG, "%s", message);
    finding->refuses = FG_EXIT_CONFIG;
    fg_doctor_needs(finding, "a key file of mode 0600 that the engine's user can read");
    fg_doctor_mend(finding, "chown %s: %s && chmod 600 %s", fg_doctor_user(config),
                   config->key_file, config->key_file);
}

/* A start reads them itself, and is refused where one is wrong. */
void fg_doctor_lists(struct fg_doctor *doctor)
{
    const struct fg_config *config = doctor->config;
    char message[512];
    struct fg_listing *listing = fg_listing_load(config, message, sizeof(message));
    if (!listing) {
        struct fg_doctor_finding *finding = fg_doctor_find(doctor, FG_DOCTOR_WRONG, "%s", message);
        fg_doctor_needs(finding, "files of lists that user %s can read, an entry a line",
                        fg_doctor_user(config));
        fg_doctor_mend(finding, "correct the line that is named, or: chmod o+r FILE");
        return;
    }
    const struct fg_list_counts *counts = listing->lists->counts;
    fg_doctor_find(doctor, FG_DOCTOR_OK,
                   "%" PRIu32 " buyers and %" PRIu32 " sources to block, %" PRIu32 " and %" PRIu32
                   " to allow; read in %" PRIu32 " ms",
                   counts[FG_LIST_BLOCK_BUYERS].entries, counts[FG_LIST_BLOCK_SOURCES].entries,
                   counts[FG_LIST_ALLOW_BUYERS].entries, counts[FG_LIST_ALLOW_SOURCES].entries,
                   listing->took_ms);
    fg_listing_drop(listing);
}

struct used {
    const char *directory;
    uint64_t bytes;
};

static void add_used(void *arg, const char *name)
{
    struct used *used = arg;
    struct stat status;
    char path[8192];
    snprintf(path, sizeof(path), "%s/%s", used->directory, name);
    if (stat(path, &status) == 0)
        used->bytes += (uint64_t)status.st_blocks * 512;
}

void fg_doctor_room(struct fg_doctor *doctor)
{
    const struct fg_config *config = doctor->config;
    struct used used = {.directory = config->log_dir};
    struct statvfs disk;
    struct fg_doctor_finding *finding;
    int dir = doctor->disk->open_dir(doctor->disk->context, config->log_dir, false);
    if (dir < 0 && doctor->at_start)
        return; /* the log itself says so in a moment */
    if (dir < 0 || statvfs(config->log_dir, &disk) != 0) {
        finding = fg_doctor_find(doctor, FG_DOCTOR_WRONG, "%s: %s", config->log_dir,
                                 strerror(dir < 0 ? -dir : errno));
        fg_doctor_needs(finding, "a directory of the engine's user, for the log");
        fg_doctor_mend(finding, "install -d -o %s -m 750 %s", fg_doctor_user(config),
                       config->log_dir);
        if (dir >= 0)
            doctor->disk->close(doctor->disk->context, dir);
        return;
    }
    (void)doctor->disk->list(doctor->disk->context, dir, "segment-", add_used, &used);
    doctor->disk->close(doctor->disk->context, dir);
    uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize + used.bytes;
    if (room >= config->log_budget) {
        fg_doctor_find(doctor, FG_DOCTOR_OK, "%" PRIu64 " MiB for a log of %" PRIu64 " MiB",
                       room / MIB, config->log_budget / MIB);
        return;
    }
    finding = fg_doctor_find(doctor, FG_DOCTOR_WRONG, "%s has room for %" PRIu64 " MiB of log",
                             config->log_dir, room / MIB);
    fg_doctor_needs(finding, "%" PRIu64 " MiB (log.budget)", config->log_budget / MIB);
    fg_doctor_mend(finding, "free the disk, or lower log.budget");
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* Times of overwriting one block durably, as the journal does; 0 or a negative errno. */
static int time_flushes(const struct fg_doctor *doctor, int file, bool flushes, uint64_t *us)
{
    static _Alignas(FG_BLOCK_BYTES) char block[FG_BLOCK_BYTES];
    const struct fg_disk *disk = doctor->disk;
    const struct fg_clock *clock = doctor->clock;
    for (unsigned i = 0; i <= FLUSHES; i++) { /* the first one allocates */
        uint64_t began_ns = clock->monotonic_ns(clock->context);
        int rc = disk->write(disk->context, file, block, sizeof(block), 0);
        if (rc == 0 && !flushes)
            rc = disk->flush(disk->context, file);
        if (rc != 0)
            return rc;
        us[i ? i - 1 : 0] = (clock->monotonic_ns(clock->context) - began_ns) / 1000;
    }
    return 0;
}

static int measure(const struct fg_doctor *doctor, uint64_t *us)
{
    const struct fg_disk *disk = doctor->disk;
    bool flushes;
    int dir = disk->open_dir(disk->context, doctor->config->log_dir, false);
    if (dir < 0)
        return dir;
    int file = disk->open(disk->context, dir, PROBE, true, &flushes), rc = file;
    if (file >= 0) {
        rc = time_flushes(doctor, file, flushes, us);
        disk->close(disk->context, file);
        (void)disk->remove(disk->context, dir, PROBE);
    }
    disk->close(disk->context, dir);
    return rc < 0 ? rc : 0;
}

void fg_doctor_flush(struct fg_doctor *doctor)
{
    uint64_t us[FLUSHES];
    struct fg_doctor_finding *finding;
    int rc = measure(doctor, us);
    if (rc != 0) {
        finding = fg_doctor_find(doctor, FG_DOCTOR_WRONG, "%s cannot be written: %s",
                                 doctor->config->log_dir, strerror(-rc));
        fg_doctor_needs(finding, "a directory that the engine's user may write");
        fg_doctor_mend(finding, "chown -R %s: %s (and look at dmesg)",
                       fg_doctor_user(doctor->config), doctor->config->log_dir);
        return;
    }
    qsort(us, FLUSHES, sizeof(*us), compare);
    uint64_t median = us[FLUSHES / 2];
    finding =
        fg_doctor_find(doctor,
                       median >= TOO_SLOW_US ? FG_DOCTOR_WRONG
                       : median >= SLOW_US   ? FG_DOCTOR_WARNING
                                             : FG_DOCTOR_OK,
                       "a flush of 4 KiB takes %" PRIu64 " us, at most %" PRIu64 " (%d flushes)",
                       median, us[FLUSHES - 1], FLUSHES);
    if (median < SLOW_US)
        return;
    fg_doctor_needs(finding, "less than %d us: every durable answer waits for one", SLOW_US);
    fg_doctor_mend(finding, "put log.directory on an NVMe disk with power loss protection");
}

/* --- Redis --- */

static const char *info_value(const char *info, const char *name)
{
    const char *line = strstr(info, name);
    return line && (line == info || line[-1] == '\n') ? line + strlen(name) : "";
}

static void judge_redis(struct fg_doctor *doctor, const char *info)
{
    struct fg_doctor_finding *finding;
    const char *version = info_value(info, "redis_version:"),
               *policy = info_value(info, "maxmemory_policy:");
    uint64_t limit = strtoull(info_value(info, "maxmemory:"), NULL, 10);
    int version_length = (int)strcspn(version, "\r\n"), length = (int)strcspn(policy, "\r\n");
    bool old = strtoul(version, NULL, 10) < REDIS_OLDEST;
    bool evicts = strncmp(policy, "noeviction", (size_t)length) != 0 || length == 0;
    if (old) {
        finding = fg_doctor_find(doctor, FG_DOCTOR_WRONG, "Redis is of version %.*s",
                                 version_length, version);
        fg_doctor_needs(finding, "%d or later, for functions", REDIS_OLDEST);
        fg_doctor_mend(finding, "apt install redis-server");
    }
    if (evicts) {
        finding = fg_doctor_find(doctor, limit ? FG_DOCTOR_WRONG : FG_DOCTOR_WARNING,
                                 "Redis' maxmemory-policy is %.*s", length, policy);
        fg_doctor_needs(finding,
                        "noeviction: else it drops streams of orders when memory is short");
        fg_doctor_mend(finding, "redis-cli CONFIG SET maxmemory-policy noeviction, then CONFIG "
                                "REWRITE");
    }
    if (limit == 0) {
        finding = fg_doctor_find(doctor, FG_DOCTOR_WARNING, "Redis has no maxmemory");
        fg_doctor_needs(finding, "a limit below the machine's memory: else the kernel kills it");
        fg_doctor_mend(finding, "redis-cli CONFIG SET maxmemory 4gb, then CONFIG REWRITE");
    }
    if (!old && !evicts && limit)
        fg_doctor_find(doctor, FG_DOCTOR_OK, "version %.*s, noeviction, %" PRIu64 " MiB at most",
                       version_length, version, limit / MIB);
}

void fg_doctor_redis(struct fg_doctor *doctor)
{
    char message[512], *info = calloc(1, INFO_BYTES);
    struct fg_redis_link *link = NULL;
    if (!fg_config_delivers(doctor->config)) {
        struct fg_doctor_finding *finding =
            fg_doctor_find(doctor, FG_DOCTOR_WARNING, "no Redis is configured");
        fg_doctor_needs(finding, "redis.socket, host or sentinels: the log alone gets the orders");
        fg_doctor_mend(finding, "apt install redis-server, then set redis.socket");
        goto free_info;
    }
    snprintf(message, sizeof(message), "memory is short");
    link = info ? fg_redis_make_look(doctor->config, message, sizeof(message)) : NULL;
    bool there = link && link->connect(link->context) == FG_REDIS_OK &&
                 fg_redis_link_info(link, info, INFO_BYTES) == FG_REDIS_OK;
    if (there) {
        judge_redis(doctor, info);
    } else {
        struct fg_doctor_finding *finding = fg_doctor_find(
            doctor, FG_DOCTOR_WRONG, "%s", link ? link->error(link->context) : message);
        fg_doctor_needs(finding, "the Redis that the orders are delivered to");
        fg_doctor_mend(finding, "systemctl status redis-server; correct the redis section");
    }
    if (link)
        fg_redis_link_destroy(link);
free_info:
    free(info);
}
