/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whose rights the engine runs with. A start as root gives them up for those of the configured
 * user: what the engine's unit gives it (conf/flashgated.service), and once the ports are up, less.
 *
 * 1. begin, before anything is made: groups, user, limits. Every file that is made afterwards is
 *    the user's, and what the user may not have is refused by the kernel. What is left of root is
 *    the saved user id and the capabilities that the ports' drivers need, and these rest.
 *
 * 2. raise, while DPDK and the ports start: those capabilities count.
 *
 * 3. drop: nothing is left, in any thread. A saved user id of root makes that one step: the C
 *    library takes it in every thread, and the kernel clears each one's capabilities with it. Where
 *    root may not raise limits (in a container), the threads that start from then on keep
 *    CAP_SYS_NICE, for the journal's priority.
 *
 * Not so: CAP_DAC_OVERRIDE and its kin are never kept. Directories belong to the user, so root
 * would follow whatever links somebody with the user's rights had put there.
 *
 * Threads: the main one.
 */
#ifndef FG_PRIVILEGE_H
#define FG_PRIVILEGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "control/config/config.h"

#define FG_PRIVILEGE_USER "flashgate" /* where the configuration names none, if there is one */

/* X(driver, capabilities): what a device needs to start, by the first bytes of its name; "" is a
 * PCI device. The table "Capabilities" of docs/administration.md says the same. */
#define FG_DEVICE_CAPABILITIES(X)                                                                  \
    X("", "CAP_IPC_LOCK")                                                                          \
    X("net_vhost", "")                                                                             \
    X("net_af_packet", "CAP_NET_ADMIN CAP_NET_RAW")                                                \
    X("net_af_xdp", "CAP_NET_ADMIN CAP_NET_RAW CAP_BPF")

/* X(resource, least, name in the unit): limits of the process that root raises for the user. */
#define FG_PRIVILEGE_LIMITS(X)                                                                     \
    X(RLIMIT_MEMLOCK, RLIM_INFINITY, "LimitMEMLOCK=infinity")                                      \
    X(RLIMIT_RTPRIO, 1, "LimitRTPRIO=1")                                                           \
    X(RLIMIT_NOFILE, 65536, "LimitNOFILE=65536")

struct fg_privilege {
    bool changes;    /* root started it, for a user who is not root */
    bool root;       /* the engine is root and stays it */
    uint64_t device; /* capabilities, as bits, that the ports need to start */
    uint64_t kept;   /* what stays after the drop */
    char user[64];   /* whom the engine runs as: a name, or a number that has none */
};

/* Becomes the user, if root started this process, and from now on no program that is executed gets
 * more rights. FG_EXIT_OK; or another status with a sentence. */
int fg_privilege_begin(struct fg_privilege *privilege, const struct fg_config *config,
                       char *message, size_t size);
int fg_privilege_raise(const struct fg_privilege *privilege, char *message, size_t size);
int fg_privilege_drop(const struct fg_privilege *privilege, char *message, size_t size);

/* No core dump, and no look into this process but root's, unless the configuration wants them.
 * After begin, which as root sets that anew. */
int fg_privilege_forbid_cores(const struct fg_config *config, char *message, size_t size);

/* Can nobody else but root put something in the way of what is made in this directory? `own`: it is
 * one that DPDK makes, so it must be this user's alone. A path that is not there yet is right.
 * False: `why` ends a sentence that begins with the path. */
bool fg_privilege_keeps_others_out(const char *path, bool own, char *why, size_t size);

/* May this process leave a core? Any thread. */
bool fg_privilege_cores_possible(void);

/* Capabilities that the calling thread may use, as bits. */
uint64_t fg_privilege_left(void);

/* "CAP_IPC_LOCK CAP_SYS_NICE", "" for none, "all"; an unknown one is told by its number. Returns
 * `text`. */
const char *fg_capability_names(uint64_t capabilities, char *text, size_t size);

/* The bits of names, divided by spaces; UINT64_MAX if one is unknown. */
uint64_t fg_capability_bits(const char *names);

/* What a device, as ports.device names it, needs to start. */
uint64_t fg_device_capabilities(const char *device);

#endif
