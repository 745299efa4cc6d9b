/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "control/server/socket_file.h"
#include "dataplane/net/eal.h"
#include "dataplane/net/port.h"
#include "dataplane/privilege.h"
#include "flashgate/exit_status.h"

static void add(struct fg_eal_arguments *arguments, char *value)
{
    if (arguments->count < FG_EAL_ARGUMENTS_MAX)
        arguments->values[arguments->count++] = value;
}

static void add_made(struct fg_eal_arguments *arguments, char *value)
{
    if (value && arguments->made_count < FG_EAL_ARGUMENTS_MAX)
        arguments->made[arguments->made_count++] = value;
    add(arguments, value);
}

/* "0@(0,1),1@1,2@1": control may run wherever it may now, unless it has a core. */
static char *lcores(const struct fg_config *config)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    cpu_set_t may;

    if (!out)
        return NULL;
    if (config->control_core >= 0 || sched_getaffinity(0, sizeof(may), &may) != 0) {
        fprintf(out, "0@%d", config->control_core >= 0 ? config->control_core : 0);
    } else {
        const char *before = "0@(";
        for (int core = 0; core < CPU_SETSIZE; core++) {
            if (!CPU_ISSET(core, &may))
                continue;
            fprintf(out, "%s%d", before, core);
            before = ",";
        }
        fputc(')', out);
    }
    for (unsigned w = 0; w < config->workers; w++)
        fprintf(out, ",%u@%d", 1 + w, config->worker_cores[w]);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

int fg_eal_arguments(struct fg_eal_arguments *arguments, const struct fg_config *config,
                     char *message, size_t size)
{
    bool pci = false;

    *arguments = (struct fg_eal_arguments){0};
    add(arguments, "flashgated");
    add(arguments, "--lcores");
    add_made(arguments, lcores(config));
    add(arguments, "--main-lcore");
    add(arguments, "0");
    if (config->file_prefix) {
        add(arguments, "--file-prefix");
        add(arguments, config->file_prefix);
    }
    if (!config->metrics_telemetry)
        add(arguments, "--no-telemetry");
    add(arguments, "--log-level");
    add(arguments, "*:warning");
    add(arguments, "--log-level"); /* it warns that nobody uses its old form */
    add(arguments, "lib.telemetry:error");
    for (unsigned p = 0; p < config->ports_count; p++) {
        bool vdev = fg_port_is_vdev(config->ports[p].device);
        pci |= !vdev;
        add(arguments, vdev ? "--vdev" : "--allow");
        add(arguments, config->ports[p].device);
    }
    if (!pci)
        add(arguments, "--no-pci"); /* no device of others is touched */
    for (unsigned i = 0; i < config->eal_count; i++)
        add(arguments, config->eal[i]);
    if (arguments->count == FG_EAL_ARGUMENTS_MAX || !arguments->values[2]) {
        snprintf(message, size, "the EAL arguments are too many (at most %d) or memory is short",
                 FG_EAL_ARGUMENTS_MAX - 1);
        fg_eal_arguments_free(arguments);
        return -1;
    }
    return 0;
}

void fg_eal_arguments_free(struct fg_eal_arguments *arguments)
{
    for (int i = 0; i < arguments->made_count; i++)
        free(arguments->made[i]);
    *arguments = (struct fg_eal_arguments){0};
}

char *fg_eal_vhost_socket(const char *device)
{
    const char *path = strstr(device, ",iface=");

    if (strncmp(device, "net_vhost", strlen("net_vhost")) != 0 || !path ||
        strstr(device, ",client=1"))
        return NULL;
    path += strlen(",iface=");
    return strndup(path, strcspn(path, ","));
}

void fg_eal_runtime_base(char *path, size_t size)
{
    const char *base = getenv("RUNTIME_DIRECTORY");

    if (!base && getuid() == 0)
        base = "/var/run";
    if (!base)
        base = getenv("XDG_RUNTIME_DIR");
    snprintf(path, size, "%s", base ? base : "/tmp");
}

/* Another user may have made it since preflight looked: EAL takes what is there. */
static int check_runtime(char *message, size_t size)
{
    const char *path = rte_eal_get_runtime_dir();
    char why[160];

    if (!path || fg_privilege_keeps_others_out(path, true, why, sizeof(why)))
        return FG_EXIT_OK;
    snprintf(message, size, "DPDK's directory %s %s; remove it and start again", path, why);
    return FG_EXIT_NETWORK;
}

/* A socket file that an engine left behind would stop the driver; one that somebody listens on is
 * not ours to take, and the driver would remove it when it is refused. */
static int clear_vhost_socket(const char *device, char *message, size_t size)
{
    char *path = fg_eal_vhost_socket(device);
    struct stat file;
    int status = FG_EXIT_OK;

    if (path && lstat(path, &file) == 0) {
        int fd = S_ISSOCK(file.st_mode) ? fg_socket_connect(path) : -ENOTSOCK;
        if (fd == -ECONNREFUSED && unlink(path) == 0) {
            free(path);
            return FG_EXIT_OK;
        }
        if (fd >= 0)
            close(fd);
        snprintf(message, size, "the vhost socket %s %s; stop that process or choose another iface",
                 path, fd >= 0 ? "is in use by a living process" : "cannot be taken");
        status = FG_EXIT_IN_USE;
    }
    free(path);
    return status;
}

/* EAL leaves the calling thread on control's lcore, and its children inherit that. */
static void leave_worker_cores(const struct fg_config *config, const cpu_set_t *before)
{
    cpu_set_t rest = *before;

    for (unsigned w = 0; w < config->workers; w++)
        CPU_CLR((unsigned)config->worker_cores[w], &rest);
    if (CPU_COUNT(&rest) == 0)
        rest = *before;
    /* It had these cores before, so it may have them again. */
    (void)sched_setaffinity(0, sizeof(rest), &rest);
}

static int start_eal(struct fg_eal_arguments *arguments, char *message, size_t size)
{
    if (rte_eal_init(arguments->count, arguments->values) >= 0)
        return FG_EXIT_OK;
    fflush(stdout); /* EAL's usage comes before what we say, also in a file */
    snprintf(message, size,
             "could not start%s%s%s; its own lines above say why. Without hugepages, eal needs "
             "--no-huge and -m MEGABYTES; beside another DPDK process, file_prefix needs a name of "
             "its own; a device whose driver is not on the Makefile's PMDS needs a build with "
             "SHARED=1",
             rte_errno ? " (" : "", rte_errno ? rte_strerror(rte_errno) : "", rte_errno ? ")" : "");
    return FG_EXIT_NETWORK;
}

int fg_eal_start(const struct fg_config *config, char *message, size_t size)
{
    struct fg_eal_arguments arguments;
    cpu_set_t before;

    for (unsigned p = 0; p < config->ports_count; p++) {
        int status = clear_vhost_socket(config->ports[p].device, message, size);
        if (status != FG_EXIT_OK)
            return status;
    }
    if (sched_getaffinity(0, sizeof(before), &before) != 0) {
        snprintf(message, size, "the cores of this process cannot be told: %s", strerror(errno));
        return FG_EXIT_NETWORK;
    }
    if (fg_eal_arguments(&arguments, config, message, size) != 0)
        return FG_EXIT_NETWORK;
    int status = start_eal(&arguments, message, size);
    fg_eal_arguments_free(&arguments);
    if (status != FG_EXIT_OK)
        return status;
    leave_worker_cores(config, &before);
    status = check_runtime(message, size);
    if (status != FG_EXIT_OK)
        fg_eal_stop();
    return status;
}

void fg_eal_stop(void)
{
    (void)rte_eal_cleanup();
}
