/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine's filter of system calls, put on children: what is refused, what ends the process, and
 * that what the engine does still works. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dataplane/seccomp.h"
#include "flashgate/exit_status.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define FAILED      99 /* a child that could not do its part */

/* Runs it in a child that has the filter; its exit status, or -signal. */
static int in_child(const struct fg_config *config, int (*run)(const void *), const void *argument)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGSYS, SIG_DFL);
        _exit(fg_seccomp_apply(config) == 0 ? run(argument) : FAILED);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* A call by its number, as an intruder would make it: 0, or its errno. */
struct call {
    const char *name;
    long number, a, b, c, d;
};

static int make(const void *argument)
{
    const struct call *call = argument;

    return syscall(call->number, call->a, call->b, call->c, call->d, 0L, 0L) == -1 ? errno : 0;
}

#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

static char path[] = "/tmp/test-seccomp-XXXXXX";

/* What succeeds without the filter, at least for root, or fails for another reason. */
static const struct call refused[] = {
    {"socket: netlink", SYS_socket, AF_NETLINK, SOCK_RAW, 0, 0},
    {"socket: packet", SYS_socket, AF_PACKET, SOCK_RAW, 0, 0},
    {"socket: raw IPv4", SYS_socket, AF_INET, SOCK_RAW, IPPROTO_ICMP, 0},
    {"socket: raw IPv6", SYS_socket, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6, 0},
    {"socket: vsock", SYS_socket, AF_VSOCK, SOCK_STREAM, 0, 0},
    {"bpf", SYS_bpf, 0, 0, 0, 0},
    {"mmap: code", SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, ANONYMOUS},
    {"mmap: writable code", SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, ANONYMOUS},
    {"mprotect: code", SYS_mprotect, 0, 0, PROT_READ | PROT_EXEC, 0},
    {"pkey_mprotect", SYS_pkey_mprotect, 0, 0, PROT_READ | PROT_EXEC, -1},
    {"shmget", SYS_shmget, 0, 4096, 0600, 0},
    {"clone: a child", SYS_clone, SIGCHLD, 0, 0, 0},
    {"clone: a child in a user namespace", SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0},
    {"clone: a thread in a user namespace", SYS_clone, CLONE_VM | CLONE_THREAD | CLONE_NEWUSER, 0,
     0, 0},
    {"fork", SYS_fork, 0, 0, 0, 0},
    {"vfork", SYS_vfork, 0, 0, 0, 0},
    {"prctl: cores", SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0},
    {"prctl: name, with more bits", SYS_prctl, PR_SET_DUMPABLE | 1L << 32, 1, 0, 0},
    {"prlimit64: another's", SYS_prlimit64, 1, RLIMIT_CORE, 0, 0},
    {"ioctl: a terminal's input", SYS_ioctl, 0, TIOCSTI, 0, 0},
    {"ioctl: with more bits", SYS_ioctl, 0, TIOCSTI | 1L << 32, 0, 0},
    {"kill: another", SYS_kill, 1, 0, 0, 0},
    {"tgkill: another", SYS_tgkill, 1, 1, 0, 0},
    {"setuid", SYS_setuid, 0, 0, 0, 0},
    {"setresuid", SYS_setresuid, 0, 0, 0, 0},
    {"capset", SYS_capset, 0, 0, 0, 0},
    {"personality", SYS_personality, 0xffffffff, 0, 0, 0},
    {"mknodat", SYS_mknodat, AT_FDCWD, (long)path, S_IFIFO | 0600, 0},
    {"symlinkat", SYS_symlinkat, (long)"/etc/shadow", AT_FDCWD, (long)path, 0},
    {"linkat", SYS_linkat, AT_FDCWD, (long)"/etc/passwd", AT_FDCWD, (long)path},
    {"name_to_handle_at", SYS_name_to_handle_at, AT_FDCWD, (long)"/", 0, 0},
    {"syslog", SYS_syslog, 10, 0, 0, 0},
    {"seccomp", SYS_seccomp, 2, 0, 0, 0},
    {"setsid", SYS_setsid, 0, 0, 0, 0},
    {"pidfd_open", SYS_pidfd_open, 1, 0, 0, 0},
    {"none at all", 9999, 0, 0, 0, 0},
};

static const struct call deadly[] = {
    {"execve", SYS_execve, (long)"/bin/true", 0, 0, 0},
    {"execveat", SYS_execveat, AT_FDCWD, (long)"/bin/true", 0, 0},
    {"ptrace", SYS_ptrace, 0, 0, 0, 0},
    {"process_vm_readv", SYS_process_vm_readv, 1, 0, 0, 0},
    {"process_vm_writev", SYS_process_vm_writev, 1, 0, 0, 0},
    {"open_by_handle_at", SYS_open_by_handle_at, AT_FDCWD, 0, 0, 0},
    {"mount", SYS_mount, 0, 0, 0, 0},
    {"umount2", SYS_umount2, 0, 0, 0, 0},
    {"pivot_root", SYS_pivot_root, 0, 0, 0, 0},
    {"chroot", SYS_chroot, (long)"/", 0, 0, 0},
    {"unshare", SYS_unshare, CLONE_NEWUSER, 0, 0, 0},
    {"setns", SYS_setns, -1, 0, 0, 0},
    {"init_module", SYS_init_module, 0, 0, 0, 0},
    {"finit_module", SYS_finit_module, -1, 0, 0, 0},
    {"kexec_load", SYS_kexec_load, 0, 0, 0, 0},
    {"reboot", SYS_reboot, 0, 0, 0, 0},
    {"clock_settime", SYS_clock_settime, -1, 0, 0, 0},
    {"io_uring_setup", SYS_io_uring_setup, 1, 0, 0, 0},
    {"userfaultfd", SYS_userfaultfd, 0, 0, 0, 0},
    {"perf_event_open", SYS_perf_event_open, 0, 0, 0, 0},
    {"keyctl", SYS_keyctl, 0, 0, 0, 0},
    {"add_key", SYS_add_key, 0, 0, 0, 0},
};

static const struct fg_config standard; /* deny, no ports */

static void expect_all(const struct fg_config *config, const struct call *calls, size_t count,
                       int wanted)
{
    unsigned wrong = 0;

    for (size_t i = 0; i < count; i++) {
        int found = in_child(config, make, &calls[i]);
        if (found != wanted) {
            print_error("%s: %d, wanted %d\n", calls[i].name, found, wanted);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void refuses_what_is_not_in_the_list(void **state)
{
    (void)state;
    expect_all(&standard, refused, COUNT(refused), EPERM);
}

static void ends_the_process_for_what_only_an_intruder_calls(void **state)
{
    (void)state;
    expect_all(&standard, deadly, COUNT(deadly), -SIGSYS);
}

#ifdef __x86_64__
static int call_as_i386(const void *argument)
{
    long result = 20; /* getpid there, writev here */

    (void)argument;
    __asm__ volatile("int $0x80" : "+a"(result) : "b"(0L) : "memory");
    return 0;
}

static void knows_no_other_table_of_calls(void **state)
{
    const struct call x32 = {"x32", 0x40000000 | SYS_getpid, 0, 0, 0, 0};

    (void)state;
    assert_int_equal(in_child(&standard, call_as_i386, NULL), -SIGSYS);
    assert_int_not_equal(in_child(&standard, make, &x32), 0);
}
#endif

/* --- what the engine does --- */

#define STEP(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return __LINE__ & 127; /* an exit status has eight bits */                             \
    } while (0)

static void *nap(void *argument)
{
    for (;;)
        usleep(1000);
    return argument;
}

static int files(const void *argument)
{
    char other[64], text[4];

    (void)argument;
    snprintf(other, sizeof(other), "%s.2", path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    STEP(fd >= 0 && fallocate(fd, 0, 0, 8192) == 0 && pwrite(fd, "abc", 3, 4096) == 3);
    STEP(fdatasync(fd) == 0 && fsync(fd) == 0 && pread(fd, text, 3, 4096) == 3);
    STEP(ftruncate(fd, 4096) == 0 && close(fd) == 0);
    STEP(rename(path, other) == 0 && access(other, R_OK) == 0 && unlink(other) == 0);
    STEP(mkdir(other, 0700) == 0 && rmdir(other) == 0);
    return 0;
}

/* A thread begins, has a name, is cancelled, which takes the unwinder, and joined. */
static int threads(const void *argument)
{
    pthread_t thread;
    void *end = NULL;

    (void)argument;
    STEP(pthread_create(&thread, NULL, nap, NULL) == 0);
    STEP(pthread_setname_np(pthread_self(), "name") == 0);
    STEP(pthread_cancel(thread) == 0 && pthread_join(thread, &end) == 0);
    STEP(end == PTHREAD_CANCELED);
    return 0;
}

static int sockets(const void *argument)
{
    struct sockaddr_in loopback = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(loopback);

    (void)argument;
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    STEP(server >= 0 && bind(server, (struct sockaddr *)&loopback, sizeof(loopback)) == 0);
    STEP(listen(server, 1) == 0);
    STEP(getsockname(server, (struct sockaddr *)&loopback, &length) == 0);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    STEP(client >= 0 && (connect(client, (struct sockaddr *)&loopback, sizeof(loopback)) == 0 ||
                         errno == EINPROGRESS));
    STEP(accept4(server, NULL, NULL, SOCK_CLOEXEC) >= 0);
    STEP(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0);
    STEP(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0 || errno == EAFNOSUPPORT);
    return 0;
}

/* As control asks for groups, and hiredis for an address. */
static int names(const void *argument)
{
    struct addrinfo *found = NULL, hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

    (void)argument;
    STEP(getpwuid(0) != NULL);
    STEP(getaddrinfo("localhost", "6379", &hints, &found) == 0 && found);
    freeaddrinfo(found);
    (void)getpwnam("no.such.user"); /* asks every service, whose modules could not be loaded now */
    return 0;
}

static int memory(const void *argument)
{
    (void)argument;
    void *pages = mmap(NULL, 8192, PROT_NONE, ANONYMOUS, -1, 0);
    STEP(pages != MAP_FAILED && mprotect(pages, 8192, PROT_READ | PROT_WRITE) == 0);
    STEP(madvise(pages, 8192, MADV_DONTDUMP) == 0);
    (void)mlock(pages, 4096);
    STEP(munmap(pages, 8192) == 0);
    return 0;
}

/* abort() is told by its signal, not taken for an intruder. */
static int fault(const void *argument)
{
    (void)argument;
    signal(SIGABRT, SIG_DFL);
    abort();
}

static void lets_the_engine_work(void **state)
{
    (void)state;
    assert_int_equal(in_child(&standard, files, NULL), 0);
    assert_int_equal(in_child(&standard, threads, NULL), 0);
    assert_int_equal(in_child(&standard, sockets, NULL), 0);
    assert_int_equal(in_child(&standard, names, NULL), 0);
    assert_int_equal(in_child(&standard, memory, NULL), 0);
    assert_int_equal(in_child(&standard, fault, NULL), -SIGABRT);
}

/* --- all threads, modes, devices --- */

static pthread_barrier_t filtered;

static void *call_later(void *argument)
{
    static int result;

    pthread_barrier_wait(&filtered);
    result = make(argument);
    return &result;
}

/* DPDK's threads are there before the filter is. */
static void holds_for_threads_that_are_there_already(void **state)
{
    int status;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        pthread_t thread;
        void *result;
        pthread_barrier_init(&filtered, NULL, 2);
        if (pthread_create(&thread, NULL, call_later, (void *)&refused[0]) != 0 ||
            fg_seccomp_apply(&standard) != 0)
            _exit(FAILED);
        pthread_barrier_wait(&filtered);
        pthread_join(thread, &result);
        _exit(*(int *)result);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, EPERM << 8);
}

/* The first letter of what is told. */
static int told(const void *argument)
{
    return fg_seccomp_mode_name(fg_seccomp_in_force(argument))[0];
}

static int started(const void *argument)
{
    char message[256];
    const struct fg_config *config = argument;

    STEP(fg_seccomp_start(config, message, sizeof(message)) == FG_EXIT_OK);
    return fg_seccomp_mode_name(fg_seccomp_in_force(config))[0];
}

static int start_in_child(const struct fg_config *config)
{
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(started(config));
    assert_int_equal(waitpid(child, &status, 0), child);
    return WEXITSTATUS(status);
}

static void tells_what_is_in_force(void **state)
{
    const struct fg_config off = {.seccomp = FG_SECCOMP_OFF}, log = {.seccomp = FG_SECCOMP_LOG};
    const struct call netlink = {"netlink", SYS_socket, AF_NETLINK, SOCK_RAW, 0, 0};

    (void)state;
    assert_int_equal(fg_seccomp_in_force(&standard), FG_SECCOMP_OFF); /* it was never put on here */
    assert_int_equal(start_in_child(&off), 'o');
    assert_int_equal(start_in_child(&standard), FG_SECCOMP_POSSIBLE ? 'd' : 'o');
    assert_int_equal(start_in_child(&log), FG_SECCOMP_POSSIBLE ? 'l' : 'o');
    assert_int_equal(in_child(&log, make, &netlink), 0);
    assert_int_equal(in_child(&standard, told, &standard), FG_SECCOMP_POSSIBLE ? 'd' : 'o');
}

static void gives_a_driver_what_it_needs(void **state)
{
    struct fg_config config = {.ports_count = 1};
    const struct call netlink = {"netlink", SYS_socket, AF_NETLINK, SOCK_RAW, 0, 0};
    char xdp[] = "net_af_xdp0,iface=eth1", packet[] = "net_af_packet0,iface=eth1";

    (void)state;
    config.ports[0].device = xdp;
    assert_int_equal(in_child(&config, make, &netlink), 0);
    config.ports[0].device = packet;
    assert_int_equal(in_child(&config, make, &netlink), EPERM);
}

static void names_no_call_twice(void **state)
{
    static const char all[] = " "
#define X(why, names) names " "
        FG_SECCOMP_ALLOWED(X) FG_SECCOMP_DEADLY(X)
#undef X
        ;
    char name[64];

    (void)state;
    for (const char *at = all; at[1] != '\0'; at = strchr(at + 1, ' ')) {
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(at + 1, " ") + 2, at);
        const char *first = strstr(all, name);
        if (!first || strstr(first + 1, name))
            fail_msg("%s stands there twice", name);
    }
}

static int set_up(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    close(fd);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path); /* a test has taken it away */
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_not_in_the_list),
        cmocka_unit_test(ends_the_process_for_what_only_an_intruder_calls),
#ifdef __x86_64__
        cmocka_unit_test(knows_no_other_table_of_calls),
#endif
        cmocka_unit_test(lets_the_engine_work),
        cmocka_unit_test(holds_for_threads_that_are_there_already),
        cmocka_unit_test(tells_what_is_in_force),
        cmocka_unit_test(gives_a_driver_what_it_needs),
        cmocka_unit_test(names_no_call_twice),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
