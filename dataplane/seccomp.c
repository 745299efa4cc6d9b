/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The filter is made of the tables in the header by libseccomp.
 *
 * clone3() is told to be missing (ENOSYS): its arguments are behind a pointer, and the C library
 * then takes clone(), whose flags can be seen. That is a filter of its own, because each new thread
 * is told so and the kernel's log is for what matters. Code is loaded from libraries as late as at
 * the first use in two places, the name service's modules and the unwinder of a cancelled thread;
 * as no memory can become executable under the filter, these are loaded before.
 */
#include "dataplane/seccomp.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flashgate/exit_status.h"

#define NAME_BYTES    40
#define OPTIMIZED     2 /* a tree by the call's number: some ten steps for any call */
#define SOCKET_TYPE   0xf
#define NAME_SERVICES "/etc/nsswitch.conf"

/* --- what must be loaded before --- */

static void load(const char *library)
{
    /* What is not there is not missed later either. It stays: there is no dlclose(). */
    (void)dlopen(library, RTLD_NOW | RTLD_NODELETE);
}

/* "group: files [SUCCESS=merge] systemd" */
static void load_services(char *line)
{
    char *rest, *word = strtok_r(line, " \t\n", &rest);
    char library[64];

    while (word && *word != '#') {
        word = strtok_r(NULL, " \t\n", &rest);
        if (!word || strpbrk(word, "[]=/") || strlen(word) > 32)
            continue;
        snprintf(library, sizeof(library), "libnss_%s.so.2", word);
        load(library);
    }
}

static void load_ahead(void)
{
    static const char *const databases[] = {"passwd:", "group:", "initgroups:", "hosts:"};
    FILE *file = fopen(NAME_SERVICES, "re");
    char line[512];

    load("libgcc_s.so.1");
    while (file && fgets(line, sizeof(line), file)) {
        for (size_t i = 0; i < sizeof(databases) / sizeof(*databases); i++)
            if (strncmp(line, databases[i], strlen(databases[i])) == 0) {
                load_services(line);
                break;
            }
    }
    if (file)
        fclose(file);
}

/* --- rules --- */

/* The rules as they are added, until one fails. */
struct rules {
    scmp_filter_ctx filter;
    int error; /* 0, or a negative errno */
};

static void add(struct rules *rules, uint32_t action, const char *name, unsigned count,
                const struct scmp_arg_cmp *arguments)
{
    int call = seccomp_syscall_resolve_name(name);

    if (rules->error != 0)
        return;
    rules->error = call == __NR_SCMP_ERROR
                       ? -ENOSYS
                       : seccomp_rule_add_array(rules->filter, action, call, count, arguments);
}

/* One rule for each of the names, which blanks divide. */
static void add_all(struct rules *rules, uint32_t action, const char *names)
{
    char name[NAME_BYTES];

    while (*names != '\0') {
        size_t length = strcspn(names, " ");
        snprintf(name, sizeof(name), "%.*s", (int)length, names);
        add(rules, action, name, 0, NULL);
        names += length;
        names += strspn(names, " ");
    }
}

static void add_guarded(struct rules *rules, const char *name, unsigned argument, uint64_t mask,
                        uint64_t value)
{
    struct scmp_arg_cmp guard = {argument, SCMP_CMP_MASKED_EQ, mask, value};

    add(rules, SCMP_ACT_ALLOW, name, mask != 0, &guard);
}

/* Streams and datagrams (the name service's) of the internet; nothing raw. */
static void add_internet(struct rules *rules)
{
    static const int families[] = {AF_INET, AF_INET6}, types[] = {SOCK_STREAM, SOCK_DGRAM};

    for (unsigned i = 0; i < 4; i++) {
        struct scmp_arg_cmp guards[] = {
            {0, SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint64_t)families[i / 2]},
            {1, SCMP_CMP_MASKED_EQ, SOCKET_TYPE, (uint64_t)types[i % 2]}};
        add(rules, SCMP_ACT_ALLOW, "socket", 2, guards);
    }
}

static void add_devices(struct rules *rules, const struct fg_config *config)
{
    static const struct {
        const char *device, *call;
        unsigned argument;
        uint64_t mask, value;
    } known[] = {
#define X(device, call, argument, mask, value, why) {device, call, argument, mask, value},
        FG_SECCOMP_OF_DEVICES(X)
#undef X
    };

    for (unsigned p = 0; p < config->ports_count; p++)
        for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
            if (strncmp(config->ports[p].device, known[i].device, strlen(known[i].device)) == 0)
                add_guarded(rules, known[i].call, known[i].argument, known[i].mask, known[i].value);
}

/* Signals go to this process alone: abort() and a cancelled thread need that. */
static void add_signals(struct rules *rules)
{
    add_guarded(rules, "tgkill", 0, UINT32_MAX, (uint64_t)getpid());
    add_guarded(rules, "kill", 0, UINT32_MAX, (uint64_t)getpid());
}

static void add_rules(struct rules *rules, const struct fg_config *config)
{
#define X(why, names) add_all(rules, SCMP_ACT_ALLOW, names);
    FG_SECCOMP_ALLOWED(X)
#undef X
#define X(name, argument, mask, value, why) add_guarded(rules, name, argument, mask, value);
    FG_SECCOMP_GUARDED(X)
#undef X
    add_internet(rules);
    add_signals(rules);
    add_devices(rules, config);
    add(rules, SCMP_ACT_ALLOW, "clone3", 0, NULL); /* the other filter has it */
    if (config->seccomp != FG_SECCOMP_DENY)
        return;
#define X(why, names) add_all(rules, SCMP_ACT_KILL_PROCESS, names);
    FG_SECCOMP_DEADLY(X)
#undef X
}

static void add_missing(struct rules *rules, const struct fg_config *config)
{
    (void)config;
    add(rules, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
}

/* --- the filters --- */

static int set_attributes(scmp_filter_ctx filter, bool log)
{
    const struct {
        enum scmp_filter_attr name;
        uint32_t value;
    } attributes[] = {
        {SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS},
        {SCMP_FLTATR_CTL_NNP, 1},
        {SCMP_FLTATR_CTL_TSYNC, 1}, /* all threads, those of DPDK too */
        {SCMP_FLTATR_CTL_LOG, log}, /* the kernel's log tells what is refused */
        {SCMP_FLTATR_CTL_SSB, 1},   /* older kernels would slow memory down for the filter's sake */
        {SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZED},
    };
    int error = 0;

    for (size_t i = 0; error == 0 && i < sizeof(attributes) / sizeof(*attributes); i++)
        error = seccomp_attr_set(filter, attributes[i].name, attributes[i].value);
    return error;
}

static int put_on(uint32_t otherwise, bool log,
                  void (*add_them)(struct rules *, const struct fg_config *),
                  const struct fg_config *config)
{
    struct rules rules = {.filter = seccomp_init(otherwise)};

    if (!rules.filter)
        return -ENOMEM;
    rules.error = set_attributes(rules.filter, log);
    add_them(&rules, config);
    if (rules.error == 0)
        rules.error = seccomp_load(rules.filter);
    seccomp_release(rules.filter);
    return rules.error;
}

int fg_seccomp_apply(const struct fg_config *config)
{
    uint32_t otherwise =
        config->seccomp == FG_SECCOMP_LOG ? SCMP_ACT_LOG : (uint32_t)SCMP_ACT_ERRNO(EPERM);

    load_ahead();
    int error = put_on(SCMP_ACT_ALLOW, false, add_missing, config);
    return error == 0 ? put_on(otherwise, true, add_rules, config) : error;
}

int fg_seccomp_start(const struct fg_config *config, char *message, size_t size)
{
    if (config->seccomp == FG_SECCOMP_OFF || !FG_SECCOMP_POSSIBLE)
        return FG_EXIT_OK;
    int error = fg_seccomp_apply(config);
    if (error == 0)
        return FG_EXIT_OK;
    snprintf(message, size,
             "the filter of system calls cannot be put on: %s; a kernel with seccomp is wanted, or "
             "security.seccomp: off",
             strerror(-error));
    return FG_EXIT_FAILED;
}

enum fg_seccomp_mode fg_seccomp_in_force(const struct fg_config *config)
{
    FILE *file = fopen("/proc/thread-self/status", "re");
    char line[128];
    int mode = 0;

    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "Seccomp: %d", &mode) == 1)
            break;
    if (file)
        fclose(file);
    /* A service manager may have put on one of its own: ours is there if a start asked for it. */
    return mode == SECCOMP_MODE_FILTER && FG_SECCOMP_POSSIBLE ? config->seccomp : FG_SECCOMP_OFF;
}

const char *fg_seccomp_mode_name(enum fg_seccomp_mode mode)
{
    static const char *const names[] = {
#define X(name, text, help) text,
        FG_SECCOMP_MODES(X)
#undef X
    };

    return names[mode];
}
