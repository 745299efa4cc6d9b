/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the engine may still ask of the kernel once it serves: a list of system calls, for all of
 * its threads, for good. What is not in the list is refused with EPERM, which every caller must be
 * able to meet anyway; what nobody of ours ever needs and an intruder needs first ends the process
 * at once.
 *
 * What a filter cannot do: it sees numbers, not what pointers point to. So it cannot tell one path
 * from another (rights of files are the user's, and the unit's), nor one address of a connect.
 *
 * Threads: the main one, but for what is said otherwise.
 */
#ifndef FG_SECCOMP_H
#define FG_SECCOMP_H

#include <stdbool.h>
#include <stddef.h>

#include "control/config/config.h"

/* X(who needs them and what for, calls): allowed as they are. */
#define FG_SECCOMP_ALLOWED(X)                                                                      \
    X("all: reading, writing and waiting on what is open",                                         \
      "read readv pread64 preadv write writev pwrite64 pwritev lseek close close_range dup fcntl " \
      "poll ppoll select pselect6 epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 "    \
      "eventfd2 pipe2")                                                                            \
    X("journal, storage helper: segments made, written, made durable and removed",                 \
      "fallocate ftruncate fsync fdatasync sync_file_range fadvise64 flock unlink unlinkat "       \
      "rename renameat renameat2 mkdir mkdirat rmdir")                                             \
    X("control, storage helper: files and folders looked at",                                      \
      "open openat access faccessat faccessat2 stat lstat fstat newfstatat statx statfs fstatfs "  \
      "getdents64 readlink readlinkat getcwd umask")                                               \
    X("control socket, metrics page, vhost socket: made, given their mode, taken away",            \
      "bind listen accept accept4 chmod fchmod fchmodat")                                          \
    X("control, metrics, delivery, sd_notify, drivers: what is connected",                         \
      "connect shutdown getsockname getpeername getsockopt setsockopt sendto recvfrom sendmsg "    \
      "recvmsg sendmmsg recvmmsg socketpair sendfile")                                             \
    X("all: memory, which DPDK's heap and jemalloc also move, lock and place",                     \
      "munmap mremap madvise brk msync mlock mlock2 munlock mbind get_mempolicy "                  \
      "set_mempolicy move_pages memfd_create membarrier")                                          \
    X("threads: begin, end, wait, priority and core",                                              \
      "futex set_robust_list get_robust_list rseq set_tid_address exit exit_group gettid getpid "  \
      "sched_yield sched_setaffinity sched_getaffinity sched_setscheduler sched_getscheduler "     \
      "sched_getparam sched_get_priority_max sched_get_priority_min setpriority "                  \
      "getpriority getcpu")                                                                        \
    X("all: time, and naps",                                                                       \
      "nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time timerfd_create "     \
      "timerfd_settime timerfd_gettime restart_syscall")                                           \
    X("all: signals taken and held back",                                                          \
      "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigtimedwait rt_sigpending sigaltstack")        \
    X("status, figures: who and how much this process is",                                         \
      "getuid geteuid getgid getegid getresuid getresgid getgroups getppid uname sysinfo times "   \
      "getrusage getrlimit capget")                                                                \
    X("hash seeds, instances of fences", "getrandom")

/* X(call, number of an argument, mask, value, why): allowed where the argument, so masked, has this
 * value. A call may have several lines. */
#define FG_SECCOMP_GUARDED(X)                                                                      \
    X("clone", 0, FG_SECCOMP_CLONE_MASK, CLONE_VM | CLONE_THREAD,                                  \
      "threads of this process, in its own namespaces; no child")                                  \
    X("mmap", 2, PROT_EXEC, 0, "no new code")                                                      \
    X("mprotect", 2, PROT_EXEC, 0, "no new code")                                                  \
    X("prlimit64", 0, UINT32_MAX, 0, "its own limits")                                             \
    X("prctl", 0, UINT32_MAX, PR_SET_NAME, "threads have names")                                   \
    X("prctl", 0, UINT32_MAX, PR_GET_NAME, "threads have names")                                   \
    X("prctl", 0, UINT32_MAX, PR_SET_TIMERSLACK, "short naps of workers")                          \
    X("prctl", 0, UINT32_MAX, PR_GET_DUMPABLE, "status tells it")                                  \
    X("prctl", 0, UINT32_MAX, PR_CAPBSET_READ, "status tells it")                                  \
    X("socket", 0, UINT32_MAX, AF_UNIX, "control, metrics, Redis, vhost, sd_notify, name service") \
    X("ioctl", 1, 0xff00, 0x8900, "drivers: state of a kernel interface")                          \
    X("ioctl", 1, 0xff00, 0x3b00, "drivers: VFIO, at a stop and for interrupts")                   \
    X("ioctl", 1, UINT32_MAX, TCGETS, "stdio: is it a terminal?")                                  \
    X("ioctl", 1, UINT32_MAX, FIONREAD, "name service: bytes that wait")                           \
    X("ioctl", 1, UINT32_MAX, FIONBIO, "sockets that do not wait")

/* Of these clone() must have CLONE_VM and CLONE_THREAD, and nothing else. */
#define FG_SECCOMP_CLONE_MASK                                                                      \
    (CLONE_VM | CLONE_THREAD | CLONE_VFORK | CLONE_PTRACE | CLONE_NEWNS | CLONE_NEWCGROUP |        \
     CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

/* X(device, call, argument, mask, value, why): as above, where a port's device begins so. */
#define FG_SECCOMP_OF_DEVICES(X)                                                                   \
    X("net_af_xdp", "socket", 0, UINT32_MAX, AF_NETLINK, "the program leaves the interface")       \
    X("net_af_xdp", "bpf", 0, 0, 0, "the program leaves the interface")

/* What ends the process: nothing of ours or of our libraries ever makes these calls. */
#define FG_SECCOMP_DEADLY(X)                                                                       \
    X("another program", "execve execveat")                                                        \
    X("other processes", "ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp")             \
    X("the kernel's code", "init_module finit_module delete_module kexec_load kexec_file_load")    \
    X("the machine", "reboot swapon swapoff iopl ioperm settimeofday clock_settime")               \
    X("other roots and namespaces", "mount umount2 pivot_root chroot setns unshare "               \
                                    "open_by_handle_at fsopen fsmount move_mount open_tree")       \
    X("ways around the list, and where the kernel was weakest",                                    \
      "io_uring_setup io_uring_enter io_uring_register userfaultfd perf_event_open "               \
      "add_key request_key keyctl")

/* A build with a sanitizer asks for more, its leak check for ptrace: the filter is never put on. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FG_SECCOMP_POSSIBLE 0
#else
#define FG_SECCOMP_POSSIBLE 1
#endif

/* Puts the filter on all threads, those that are there and those to come, as the configuration
 * says; the last thing that a start does. FG_EXIT_OK, or another status with a sentence. */
int fg_seccomp_start(const struct fg_config *config, char *message, size_t size);

/* The filter itself: what fg_seccomp_start() puts on. 0 or a negative errno. */
int fg_seccomp_apply(const struct fg_config *config);

/* Is it in force? As /proc says of the calling thread, which has what all have. Any thread. */
enum fg_seccomp_mode fg_seccomp_in_force(const struct fg_config *config);
const char *fg_seccomp_mode_name(enum fg_seccomp_mode mode);

#endif
