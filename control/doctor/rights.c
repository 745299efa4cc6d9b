/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whom the engine runs as, and whether this user can use what it works with. The kernel is asked,
 * by a process that is this user already: the engine is at its start, and so is doctor when root
 * runs it. What is not there at all is told by the checks of each thing.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/doctor/doctor.h"
#include "control/figures/metrics_address.h"
#include "dataplane/net/eal.h"
#include "dataplane/privilege.h"
#include "flashgate/exit_status.h"

#define PATH_BYTES 4352

const char *fg_doctor_user(const struct fg_config *config)
{
    return config->user ? config->user : FG_PRIVILEGE_USER;
}

static const char *user_name(uid_t uid, char *text, size_t size)
{
    const struct passwd *user = getpwuid(uid);
    if (user)
        snprintf(text, size, "%s", user->pw_name);
    else
        snprintf(text, size, "%u", (unsigned)uid);
    return text;
}

static bool may(const char *path, int how)
{
    return faccessat(AT_FDCWD, path, how, AT_EACCESS) == 0;
}

/* The first directory on the way to the path that this user may not pass; false: there is none. */
static bool closed_on_the_way(const char *path, char *directory)
{
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(directory, PATH_BYTES, "%.*s", (int)(slash - path), path);
        if (!may(directory, X_OK) && errno == EACCES)
            return true;
    }
    return false;
}

/* One thing that the user needs. `option` names it, `how` is of access(2). True: nothing is wrong,
 * or it is not there. */
static bool check_path(struct fg_doctor *doctor, const char *option, const char *path, int how)
{
    char directory[PATH_BYTES], me[64], owner[64];
    struct stat status;
    const char *user = user_name(geteuid(), me, sizeof(me));
    if (may(path, how) || errno == ENOENT || errno == ENOTDIR)
        return true;
    int error = errno;
    struct fg_doctor_finding *finding =
        fg_doctor_find(doctor, FG_DOCTOR_WRONG, "%s: user %s may not %s %s: %s", option, user,
                       how & W_OK ? "write" : "read", path, strerror(error));
    finding->refuses = FG_EXIT_CONFIG;
    size_t used = strlen(finding->found);
    if (error == EROFS) {
        fg_doctor_needs(finding, "a file system that is not read-only");
        fg_doctor_mend(finding,
                       "ReadWritePaths=%s in a drop-in of the unit, or mount -o "
                       "remount,rw",
                       path);
    } else if (closed_on_the_way(path, directory)) {
        snprintf(finding->found + used, sizeof(finding->found) - used, "; %s is closed to %s",
                 directory, user);
        fg_doctor_needs(finding, "a way to it that %s may go", user);
        fg_doctor_mend(finding, "chmod o+x %s", directory);
    } else if (stat(path, &status) == 0) {
        snprintf(finding->found + used, sizeof(finding->found) - used, "; it is %s's, mode %04o",
                 user_name(status.st_uid, owner, sizeof(owner)), status.st_mode & 07777);
        fg_doctor_needs(finding, "%s as its owner", user);
        if (S_ISDIR(status.st_mode) && !strchr(path + 1, '/'))
            fg_doctor_mend(finding, "install -d -o %s -m 755 %s/flashgate; set %s to a path in it",
                           user, path, option);
        else
            fg_doctor_mend(finding, "chown -R %s: %s", user, path);
    }
    return false;
}

/* The directory that a socket is made in, and its lock, which a start as another user leaves. */
static bool check_socket(struct fg_doctor *doctor, const char *option, const char *socket)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s", socket);
    if (!check_path(doctor, option, dirname(path), W_OK | X_OK))
        return false;
    snprintf(path, sizeof(path), "%s.lock", socket);
    return check_path(doctor, option, path, R_OK | W_OK);
}

/* The directory, and what is in it: a start as root leaves files that are root's. */
static bool check_log(struct fg_doctor *doctor, const char *directory)
{
    char path[PATH_BYTES];
    bool right = check_path(doctor, "log.directory", directory, R_OK | W_OK | X_OK);
    DIR *dir = right ? opendir(directory) : NULL;
    for (const struct dirent *entry; dir && right && (entry = readdir(dir));) {
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        right = entry->d_name[0] == '.' || check_path(doctor, "log.directory", path, R_OK | W_OK);
    }
    if (dir)
        closedir(dir);
    return right;
}

/* Where EAL keeps its files; as it looks for the place itself. */
static bool check_runtime(struct fg_doctor *doctor)
{
    const char *base = getenv("RUNTIME_DIRECTORY"), *prefix = doctor->config->file_prefix;
    char path[PATH_BYTES];
    if (!base)
        base = getenv("XDG_RUNTIME_DIR");
    if (!base)
        base = "/tmp";
    if (!check_path(doctor, "RUNTIME_DIRECTORY", base, W_OK | X_OK))
        return false;
    snprintf(path, sizeof(path), "%s/dpdk", base);
    if (!check_path(doctor, "RUNTIME_DIRECTORY", path, W_OK | X_OK))
        return false;
    snprintf(path, sizeof(path), "%s/dpdk/%s", base, prefix ? prefix : "rte");
    return check_path(doctor, "RUNTIME_DIRECTORY", path, W_OK | X_OK);
}

bool fg_doctor_check_sockets(struct fg_doctor *doctor,
                             bool (*check)(struct fg_doctor *, const char *option,
                                           const char *path))
{
    const struct fg_config *config = doctor->config;
    struct fg_metrics_address address;
    bool right = true;
    if (config->control_socket)
        right &= check(doctor, "control.socket", config->control_socket);
    if (config->metrics_listen && fg_metrics_address_parse(config->metrics_listen, &address) == 0 &&
        address.path)
        right &= check(doctor, "metrics.listen", address.path);
    for (unsigned i = 0; i < config->ports_count; i++) {
        char *socket = fg_eal_vhost_socket(config->ports[i].device);
        if (socket)
            right &= check(doctor, "ports.device", socket);
        free(socket);
    }
    return right;
}

static bool check_all(struct fg_doctor *doctor)
{
    const struct fg_config *config = doctor->config;
    bool right = check_log(doctor, config->log_dir);
    right &= fg_doctor_check_sockets(doctor, check_socket);
    const struct {
        const char *option, *path;
    } secrets[] = {{"key_file", config->key_file},
                   {"redis.password_file", config->redis_password_file},
                   {"redis.sentinel_password_file", config->redis_sentinel_password_file}};
    for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
        right &= !secrets[i].path || check_path(doctor, secrets[i].option, secrets[i].path, R_OK);
    return right & check_runtime(doctor);
}

static void tell_root(struct fg_doctor *doctor)
{
    const char *wanted = fg_doctor_user(doctor->config);
    if (doctor->config->user && !getpwnam(wanted)) {
        struct fg_doctor_finding *finding =
            fg_doctor_find(doctor, FG_DOCTOR_WRONG, "there is no user %s on this machine", wanted);
        finding->refuses = FG_EXIT_CONFIG;
        fg_doctor_needs(finding, "the user that the engine becomes");
        fg_doctor_mend(finding, "systemd-sysusers, or useradd --system %s", wanted);
        return;
    }
    struct fg_doctor_finding *finding =
        fg_doctor_find(doctor, FG_DOCTOR_WARNING, "the engine runs with all of root's rights");
    fg_doctor_needs(finding, "a user of its own, but for a rehearsal");
    fg_doctor_mend(finding, "systemd-sysusers, then set user: %s", FG_PRIVILEGE_USER);
}

void fg_doctor_rights(struct fg_doctor *doctor)
{
    const char *wanted = doctor->config->user;
    char me[64];
    if (geteuid() == 0) {
        tell_root(doctor);
        return;
    }
    user_name(geteuid(), me, sizeof(me));
    if (wanted && strcmp(wanted, me) != 0) {
        struct fg_doctor_finding *finding =
            fg_doctor_find(doctor, FG_DOCTOR_WARNING, "this process is of user %s", me);
        fg_doctor_needs(finding, "%s, as the configuration has it: rights and limits are theirs",
                        wanted);
        fg_doctor_mend(finding, "sudo -u %s, or as root, which becomes %s", wanted, wanted);
    }
    if (check_all(doctor))
        fg_doctor_find(doctor, FG_DOCTOR_OK, "%s may use the log, the sockets and the secrets", me);
}
