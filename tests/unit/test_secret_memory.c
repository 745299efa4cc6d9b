/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory for keys: in no core, not in a child, on pages of its own between two without rights. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/secret_memory.h"

/* --- munmap, in the place of the library's: what the pages hold when they go --- */

static const unsigned char *watched; /* in the memory that is about to be given back */
static size_t watched_bytes, left;   /* of these so many were not zero when it went */
static unsigned seen;                /* how often it went */

// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) ; the library's are reserved
int munmap(void *address, size_t length)
{
    const unsigned char *from = address;
    bool goes = watched_bytes > 0 && watched > from && watched < from + length;
    seen += goes;
    for (size_t i = 0; goes && i < watched_bytes; i++)
        left += watched[i] != 0;
    return (int)syscall(SYS_munmap, address, length);
}

/* The flags that the kernel tells of the mapping with this address in it; "" if there is none. */
static void flags_of(const void *address, char flags[256])
{
    FILE *file = fopen("/proc/self/smaps", "re");
    char line[512];
    uintptr_t from, to;
    int here = 0;

    assert_non_null(file);
    flags[0] = '\0';
    while (fgets(line, sizeof(line), file)) {
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            here = from <= (uintptr_t)address && (uintptr_t)address < to;
        else if (here && strncmp(line, "VmFlags:", 8) == 0)
            snprintf(flags, 256, "%s", line + 8);
    }
    fclose(file);
}

static void assert_flag(const void *address, const char *flag, bool wanted)
{
    char flags[256];

    flags_of(address, flags);
    if ((strstr(flags, flag) != NULL) != wanted)
        fail_msg("flag%s: wanted %d, found%s", flag, wanted, flags);
}

static void is_zeroed_and_kept_out_of_cores_and_swap(void **state)
{
    (void)state;
    unsigned char *memory = fg_secret_alloc(5000);

    assert_non_null(memory);
    assert_int_equal((uintptr_t)memory % 128, 0);
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(memory[i], 0);
    for (size_t i = 0; i < 5000; i += 4999) {
        assert_flag(memory + i, " dd", true);
        assert_flag(memory + i, " wf", true);
        assert_flag(memory + i, " lo", fg_secret_locked(memory));
    }
    assert_flag(&memory, " dd", false); /* the flag is not everywhere */
    fg_secret_free(memory);
    fg_secret_free(NULL);
}

/* How a child that reads there ends: its exit status, or -signal. */
static int read_in_child(const volatile unsigned char *address)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGSEGV, SIG_DFL); /* a sanitizer has its own */
        _exit(*address);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void a_neighbour_and_a_child_get_nothing(void **state)
{
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char *memory = fg_secret_alloc(64), *used = memory - (uintptr_t)memory % page;

    memset(memory, 77, 64);
    assert_int_equal(read_in_child(memory), 0); /* wiped at the fork */
    assert_int_equal(memory[0], 77);
    assert_int_equal(read_in_child(used - 1), -SIGSEGV);
    assert_int_equal(read_in_child(used + page), -SIGSEGV);
    fg_secret_free(memory);
}

static void wipes_and_gives_back(void **state)
{
    (void)state;
    enum { BYTES = 5000 }; /* two pages */
    char flags[256];
    unsigned char *memory = fg_secret_alloc(BYTES);

    assert_non_null(memory);
    memset(memory, 0xa5, BYTES);
    watched = memory;
    watched_bytes = BYTES;
    fg_secret_free(memory);
    assert_int_equal(seen, 1);
    assert_int_equal(left, 0);
    watched_bytes = 0;
    flags_of(memory, flags);
    assert_null(strstr(flags, " dd"));
    assert_null(fg_secret_alloc(SIZE_MAX));
    assert_null(fg_secret_alloc(SIZE_MAX - 200));
}

/* Without the right to lock it is had all the same, and says so. */
static void works_without_locked_memory(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();

    if (child == 0) {
        struct rlimit none = {0, 0};
        /* Root's capability goes before the limit. */
        if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 ||
            (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0))
            _exit(3);
        unsigned char *memory = fg_secret_alloc(64);
        if (memory)
            memory[63] = 1;
        _exit(!memory ? 2 : fg_secret_locked(memory));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_zeroed_and_kept_out_of_cores_and_swap),
        cmocka_unit_test(a_neighbour_and_a_child_get_nothing),
        cmocka_unit_test(wipes_and_gives_back),
        cmocka_unit_test(works_without_locked_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
