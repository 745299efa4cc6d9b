/* SPDX-License-Identifier: BSD-3-Clause */
/* Capabilities by name and by device, and that unit and runbook say what the tables say. Becoming
 * another user is tests/smoke/privilege.sh's: it is for good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/privilege.h"
#include "flashgate/exit_status.h"

#define NICE (UINT64_C(1) << 23)
#define LOCK (UINT64_C(1) << 14)
#define ALL  ((UINT64_C(1) << 41) - 1)

static void test_names(void **state)
{
    (void)state;
    char text[1024];
    assert_string_equal(fg_capability_names(0, text, sizeof(text)), "");
    assert_string_equal(fg_capability_names(NICE | LOCK, text, sizeof(text)),
                        "CAP_IPC_LOCK CAP_SYS_NICE");
    assert_string_equal(fg_capability_names(UINT64_C(1) << 63 | 1, text, sizeof(text)),
                        "CAP_CHOWN CAP_63");
    assert_string_equal(fg_capability_names(ALL, text, sizeof(text)), "all");
    assert_string_equal(fg_capability_names(ALL & ~NICE, text, sizeof(text)),
                        "all but CAP_SYS_NICE");
    assert_string_equal(fg_capability_names(NICE | LOCK, text, 16),
                        "CAP_IPC_LOCK"); /* whole names */
    assert_int_equal(fg_capability_bits("CAP_IPC_LOCK CAP_SYS_NICE"), NICE | LOCK);
    assert_int_equal(fg_capability_bits(""), 0);
    assert_int_equal(fg_capability_bits("CAP_SYS_NIC"), UINT64_MAX);
    assert_int_equal(fg_capability_bits("CAP_SYS_NICE cap_chown"), UINT64_MAX);
}

static void test_devices(void **state)
{
    (void)state;
    assert_int_equal(fg_device_capabilities("0000:3b:00.0"), LOCK);
    assert_int_equal(fg_device_capabilities("3b:00.0,some=1"), LOCK);
    assert_int_equal(fg_device_capabilities("net_vhost0,iface=/run/x.sock"), 0);
    assert_int_equal(fg_device_capabilities("net_af_packet0,iface=eth1"),
                     fg_capability_bits("CAP_NET_ADMIN CAP_NET_RAW"));
    assert_int_equal(fg_device_capabilities("net_memif0"), 0);
#define X(driver, capabilities) assert_int_not_equal(fg_capability_bits(capabilities), UINT64_MAX);
    FG_DEVICE_CAPABILITIES(X)
#undef X
}

/* Has a line of the file all three in it? */
static void expect_line(const char *path, const char *first, const char *second)
{
    char line[1024];
    bool found = false;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (!found && fgets(line, sizeof(line), file))
        found = strncmp(line, first, strlen(first)) == 0 && strstr(line, second);
    fclose(file);
    if (!found)
        fail_msg("%s has no line \"%s ... %s\"", path, first, second);
}

static void test_runbook(void **state)
{
    (void)state;
    char cell[256];
#define X(driver, capabilities)                                                                    \
    snprintf(cell, sizeof(cell), "| %s ", *(capabilities) ? (capabilities) : "none");              \
    expect_line("docs/administration.md", *(driver) ? "| " driver " |" : "| PCI by vfio-pci |",    \
                cell);
    FG_DEVICE_CAPABILITIES(X)
#undef X
}

static void test_unit(void **state)
{
    (void)state;
#define X(resource, least, unit) expect_line("conf/flashgated.service", unit, "\n");
    FG_PRIVILEGE_LIMITS(X)
#undef X
    expect_line("conf/flashgated.service", "User=" FG_PRIVILEGE_USER, "\n");
    expect_line("conf/flashgated.service", "UMask=0077", "\n");
    expect_line("conf/flashgate.yaml", "user: " FG_PRIVILEGE_USER, "\n");
    expect_line("conf/flashgate.sysusers", "u " FG_PRIVILEGE_USER " ", "");
}

/* Runs begin in a process of its own, as it is for good; returns its status. */
static int begin(const char *user, char *message, size_t size, struct fg_privilege *privilege)
{
    int ends[2], status;
    char name[64] = "";
    struct fg_config config = {.user = user ? name : NULL, .control_socket = "/run/x/c.sock"};
    struct {
        int status;
        struct fg_privilege privilege;
        uid_t uid;
        char message[512];
    } told = {.message = ""};
    snprintf(name, sizeof(name), "%s", user ? user : "");
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        told.status =
            fg_privilege_begin(&told.privilege, &config, told.message, sizeof(told.message));
        told.uid = geteuid();
        _exit(write(ends[1], &told, sizeof(told)) == sizeof(told) ? 0 : 1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &told, sizeof(told)), sizeof(told));
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    snprintf(message, size, "%s", told.message);
    *privilege = told.privilege;
    return told.status;
}

static void test_users(void **state)
{
    (void)state;
    char message[512];
    struct fg_privilege privilege;
    if (geteuid() != 0)
        skip();
    assert_int_equal(begin("root", message, sizeof(message), &privilege), FG_EXIT_OK);
    assert_true(privilege.root);
    assert_false(privilege.changes);
    assert_string_equal(privilege.user, "root");
    assert_int_equal(begin("no.such.user", message, sizeof(message), &privilege), FG_EXIT_CONFIG);
    assert_non_null(strstr(message, "no user \"no.such.user\""));
    assert_non_null(strstr(message, "useradd --system no.such.user"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),   cmocka_unit_test(test_devices),
        cmocka_unit_test(test_runbook), cmocka_unit_test(test_unit),
        cmocka_unit_test(test_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
