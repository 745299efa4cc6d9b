/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/privilege.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dataplane/net/port.h"
#include "dataplane/seccomp.h"
#include "flashgate/exit_status.h"

#define RUNTIME_DIRECTORY "RUNTIME_DIRECTORY" /* where EAL keeps its files; systemd sets it */

/* --- capabilities by name --- */

#define CAPABILITIES(X)                                                                            \
    X(CHOWN)                                                                                       \
    X(DAC_OVERRIDE)                                                                                \
    X(DAC_READ_SEARCH)                                                                             \
    X(FOWNER)                                                                                      \
    X(FSETID)                                                                                      \
    X(KILL)                                                                                        \
    X(SETGID)                                                                                      \
    X(SETUID)                                                                                      \
    X(SETPCAP)                                                                                     \
    X(LINUX_IMMUTABLE)                                                                             \
    X(NET_BIND_SERVICE)                                                                            \
    X(NET_BROADCAST)                                                                               \
    X(NET_ADMIN)                                                                                   \
    X(NET_RAW)                                                                                     \
    X(IPC_LOCK)                                                                                    \
    X(IPC_OWNER)                                                                                   \
    X(SYS_MODULE)                                                                                  \
    X(SYS_RAWIO)                                                                                   \
    X(SYS_CHROOT)                                                                                  \
    X(SYS_PTRACE)                                                                                  \
    X(SYS_PACCT)                                                                                   \
    X(SYS_ADMIN)                                                                                   \
    X(SYS_BOOT)                                                                                    \
    X(SYS_NICE)                                                                                    \
    X(SYS_RESOURCE)                                                                                \
    X(SYS_TIME)                                                                                    \
    X(SYS_TTY_CONFIG)                                                                              \
    X(MKNOD)                                                                                       \
    X(LEASE)                                                                                       \
    X(AUDIT_WRITE)                                                                                 \
    X(AUDIT_CONTROL)                                                                               \
    X(SETFCAP)                                                                                     \
    X(MAC_OVERRIDE)                                                                                \
    X(MAC_ADMIN)                                                                                   \
    X(SYSLOG)                                                                                      \
    X(WAKE_ALARM)                                                                                  \
    X(BLOCK_SUSPEND)                                                                               \
    X(AUDIT_READ)                                                                                  \
    X(PERFMON)                                                                                     \
    X(BPF)                                                                                         \
    X(CHECKPOINT_RESTORE)

static const char *const CAPABILITY_NAMES[64] = {
#define X(name) [CAP_##name] = "CAP_" #name,
    CAPABILITIES(X)
#undef X
};

const char *fg_capability_names(uint64_t capabilities, char *text, size_t size)
{
    static const uint64_t all = 0
#define X(name) | UINT64_C(1) << CAP_##name
        CAPABILITIES(X)
#undef X
        ;
    size_t used = 0;
    text[0] = '\0';
    if (capabilities & all && __builtin_popcountll(capabilities) > 32) { /* root's, not a list */
        used = (size_t)snprintf(text, size, "%s", capabilities == all ? "all" : "all but");
        capabilities ^= all;
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        char number[16];
        if (!(capabilities >> bit & 1))
            continue;
        snprintf(number, sizeof(number), "CAP_%u", bit);
        int length = snprintf(text + used, size - used, "%s%s", used ? " " : "",
                              CAPABILITY_NAMES[bit] ? CAPABILITY_NAMES[bit] : number);
        if (length < 0 || (size_t)length >= size - used) {
            text[used] = '\0'; /* no half of a name */
            break;
        }
        used += (size_t)length;
    }
    return text;
}

uint64_t fg_capability_bits(const char *names)
{
    uint64_t bits = 0;
    while (*names != '\0') {
        size_t length = strcspn(names, " ");
        unsigned bit = 0;
        while (bit < 64 && !(CAPABILITY_NAMES[bit] && strlen(CAPABILITY_NAMES[bit]) == length &&
                             strncmp(CAPABILITY_NAMES[bit], names, length) == 0))
            bit++;
        if (bit == 64)
            return UINT64_MAX;
        bits |= UINT64_C(1) << bit;
        names += length;
        names += strspn(names, " ");
    }
    return bits;
}

uint64_t fg_device_capabilities(const char *device)
{
    static const struct {
        const char *driver, *capabilities;
    } known[] = {
#define X(driver, capabilities) {driver, capabilities},
        FG_DEVICE_CAPABILITIES(X)
#undef X
    };
    bool vdev = fg_port_is_vdev(device);
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        size_t length = strlen(known[i].driver);
        if (vdev == (length > 0) && strncmp(device, known[i].driver, length) == 0)
            return fg_capability_bits(known[i].capabilities);
    }
    return 0;
}

#define SYS_NICE (UINT64_C(1) << CAP_SYS_NICE)

/* The C library has no calls for these. */
static int get_capabilities(struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3])
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    return (int)syscall(SYS_capget, &header, data);
}

static int set_capabilities(uint64_t permitted, uint64_t effective)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
        {.permitted = (uint32_t)permitted, .effective = (uint32_t)effective},
        {.permitted = (uint32_t)(permitted >> 32), .effective = (uint32_t)(effective >> 32)}};
    return (int)syscall(SYS_capset, &header, data);
}

uint64_t fg_privilege_left(void)
{
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
    (void)get_capabilities(data);
    return (uint64_t)data[1].permitted << 32 | data[0].permitted;
}

/* --- becoming somebody else --- */

static int fail(char *message, size_t size, const char *what)
{
    snprintf(message, size, "%s: %s", what, strerror(errno));
    return FG_EXIT_FAILED;
}

static void keep_name(struct fg_privilege *privilege, const struct passwd *user)
{
    if (user)
        snprintf(privilege->user, sizeof(privilege->user), "%s", user->pw_name);
    else
        snprintf(privilege->user, sizeof(privilege->user), "%u", (unsigned)geteuid());
}

/* NULL: nobody is to be become. */
static const struct passwd *find_user(struct fg_privilege *privilege,
                                      const struct fg_config *config, int *status, char *message,
                                      size_t size)
{
    const char *name = config->user ? config->user : FG_PRIVILEGE_USER;
    errno = 0;
    const struct passwd *user = getpwnam(name);
    if (user && user->pw_uid != 0)
        return user;
    if (user) {
        privilege->root = true;
        return NULL;
    }
    if (errno != 0 && errno != ENOENT && errno != ESRCH) {
        snprintf(message, size, "user: \"%s\" could not be looked up: %s", name, strerror(errno));
        *status = FG_EXIT_CONFIG;
    } else if (config->user) {
        snprintf(message, size,
                 "user: there is no user \"%s\" on this machine, and the engine does not stay root "
                 "by itself; make the user (systemd-sysusers, or useradd --system %s), or, for a "
                 "rehearsal, set user: root",
                 name, name);
        *status = FG_EXIT_CONFIG;
    } else {
        privilege->root = true; /* a machine without the service: a rehearsal */
    }
    return NULL;
}

/* As the unit has them; where that is not permitted, preflight tells what it makes worse. Returns
 * the capability that the journal's thread needs instead. */
static uint64_t raise_limits(void)
{
    static const struct {
        int resource;
        rlim_t least;
    } wanted[] = {
#define X(resource, least, unit) {resource, least},
        FG_PRIVILEGE_LIMITS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
        struct rlimit limit;
        if (getrlimit((__rlimit_resource_t)wanted[i].resource, &limit) != 0 ||
            limit.rlim_cur >= wanted[i].least)
            continue;
        limit.rlim_cur = wanted[i].least;
        if (limit.rlim_max < limit.rlim_cur)
            limit.rlim_max = limit.rlim_cur;
        (void)setrlimit((__rlimit_resource_t)wanted[i].resource, &limit);
    }
    struct rlimit priority;
    return getrlimit(RLIMIT_RTPRIO, &priority) == 0 && priority.rlim_cur >= 1 ? 0 : SYS_NICE;
}

/* EAL's files go beside the control socket, as with the unit: without a word it takes a folder that
 * anyone may make. */
static void set_runtime_directory(const char *socket)
{
    char path[128];
    const char *slash = strrchr(socket, '/');
    if (getenv(RUNTIME_DIRECTORY) || !slash || slash == socket)
        return;
    snprintf(path, sizeof(path), "%.*s", (int)(slash - socket), socket);
    (void)setenv(RUNTIME_DIRECTORY, path, 1);
}

static int become(const struct passwd *user, uint64_t capabilities, char *message, size_t size)
{
    for (int capability = 0; capability < 64; capability++)
        if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1 &&
            prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
            return fail(message, size, "the bounding set cannot be emptied");
    if (initgroups(user->pw_name, user->pw_gid) != 0 ||
        setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 ||
        setresuid(user->pw_uid, user->pw_uid, 0) != 0) {
        snprintf(message, size, "user: %s cannot be become: %s", user->pw_name, strerror(errno));
        return FG_EXIT_FAILED;
    }
    if (set_capabilities(capabilities & fg_privilege_left(), 0) != 0)
        return fail(message, size, "capabilities cannot be given up");
    return FG_EXIT_OK;
}

int fg_privilege_begin(struct fg_privilege *privilege, const struct fg_config *config,
                       char *message, size_t size)
{
    int status = FG_EXIT_OK;
    *privilege = (struct fg_privilege){0};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail(message, size, "PR_SET_NO_NEW_PRIVS");
    const struct passwd *user =
        geteuid() == 0 ? find_user(privilege, config, &status, message, size) : NULL;
    if (status != FG_EXIT_OK)
        return status;
    if (!user) {
        keep_name(privilege, getpwuid(geteuid()));
        return FG_EXIT_OK;
    }
    keep_name(privilege, user);
    for (unsigned i = 0; i < config->ports_count; i++)
        privilege->device |= fg_device_capabilities(config->ports[i].device);
    privilege->changes = true;
    privilege->kept = raise_limits() & fg_privilege_left();
    umask(0077); /* UMask= of the unit */
    set_runtime_directory(config->control_socket);
    return become(user, privilege->device | privilege->kept, message, size);
}

int fg_privilege_forbid_cores(const struct fg_config *config, char *message, size_t size)
{
    const struct rlimit none = {0, 0};
    if (config->core_dumps) /* becoming a user forbids them */
        return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0 ? FG_EXIT_OK
                                                       : fail(message, size, "PR_SET_DUMPABLE");
    if (!FG_SECCOMP_POSSIBLE) /* nor this: a sanitizer looks into its own process */
        return FG_EXIT_OK;
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return fail(message, size, "core dumps cannot be forbidden");
    return FG_EXIT_OK;
}

bool fg_privilege_keeps_others_out(const char *path, bool own, char *why, size_t size)
{
    struct stat status;
    why[0] = '\0';
    if (lstat(path, &status) != 0)
        return true;
    if (S_ISLNK(status.st_mode) && !own && stat(path, &status) != 0)
        return true;
    if (!S_ISDIR(status.st_mode))
        snprintf(why, size, "is no directory");
    else if (own && status.st_uid != geteuid())
        snprintf(why, size, "is of another user (%u)", (unsigned)status.st_uid);
    else if (own && status.st_mode & 077)
        snprintf(why, size, "is open to others, mode %04o, wanted 0700", status.st_mode & 07777);
    else if (status.st_mode & S_IWOTH && !(status.st_mode & S_ISVTX))
        snprintf(why, size, "can be changed by anyone, mode %04o", status.st_mode & 07777);
    return why[0] == '\0';
}

bool fg_privilege_cores_possible(void)
{
    return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0;
}

int fg_privilege_raise(const struct fg_privilege *privilege, char *message, size_t size)
{
    uint64_t left = fg_privilege_left();
    char names[256];
    if (!privilege->changes)
        return FG_EXIT_OK;
    if (privilege->device & ~left) {
        snprintf(message, size,
                 "the ports need %s, which root does not have here; run the engine "
                 "where root has it",
                 fg_capability_names(privilege->device & ~left, names, sizeof(names)));
        return FG_EXIT_NETWORK;
    }
    return set_capabilities(left, left) == 0
               ? FG_EXIT_OK
               : fail(message, size, "capabilities for the ports cannot be raised");
}

int fg_privilege_drop(const struct fg_privilege *privilege, char *message, size_t size)
{
    uid_t user = geteuid();
    if (!privilege->changes)
        return FG_EXIT_OK;
    /* For this thread alone, and those that it starts from now on. */
    if (privilege->kept && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
        return fail(message, size, "PR_SET_KEEPCAPS");
    if (setresuid(user, user, user) != 0 || set_capabilities(privilege->kept, privilege->kept) != 0)
        return fail(message, size, "root's rights cannot be given up");
    if (fg_privilege_left() != privilege->kept || setresuid((uid_t)-1, 0, (uid_t)-1) == 0) {
        snprintf(message, size, "root's rights are still there after they were given up");
        return FG_EXIT_FAILED;
    }
    return FG_EXIT_OK;
}
