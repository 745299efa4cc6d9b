/* SPDX-License-Identifier: BSD-3-Clause */
/* What the service manager hears, and when its watchdog hears nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/notify.h"

#define WORKERS 2

static int manager;
static char path[64], heard[512];
static struct fg_notify notify;
static uint64_t loops[WORKERS];

/* A manager on a path, or on the abstract name that begins with @. */
static void listen_on(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", name);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    if (*name == '@')
        address.sun_path[0] = '\0';
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(manager, (struct sockaddr *)&address, size), 0);
    setenv("NOTIFY_SOCKET", name, 1);
}

static const char *next(void)
{
    ssize_t length = recv(manager, heard, sizeof(heard) - 1, 0);
    heard[length < 0 ? 0 : length] = '\0';
    return heard;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/test-notify-%d", (int)getpid());
    unlink(path);
    listen_on(path);
    setenv("WATCHDOG_USEC", "10000000", 1);
    unsetenv("WATCHDOG_PID");
    memset(loops, 0, sizeof(loops));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fg_notify_close(&notify);
    close(manager);
    unlink(path);
    return 0;
}

static void tick(uint64_t now_ms)
{
    fg_notify_tick(&notify, now_ms, loops, WORKERS);
}

static void test_lines(void **state)
{
    (void)state;
    fg_notify_open(&notify);
    assert_null(getenv("NOTIFY_SOCKET"));
    assert_null(getenv("WATCHDOG_USEC"));
    fg_notify_send(&notify, "READY=1\nSTATUS=%s", "serving");
    assert_string_equal(next(), "READY=1\nSTATUS=serving");
    assert_string_equal(next(), "");
}

static void test_abstract_name(void **state)
{
    (void)state;
    char name[64];
    snprintf(name, sizeof(name), "@test-notify-%d", (int)getpid());
    close(manager);
    listen_on(name);
    fg_notify_open(&notify);
    fg_notify_send(&notify, "READY=1");
    assert_string_equal(next(), "READY=1");
}

/* Nobody listens, or what is there is no socket's name: the engine goes on. */
static void test_nobody(void **state)
{
    (void)state;
    static const char *const names[] = {NULL, "", "relative", "/", "/tmp/no/such/socket"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (names[i])
            setenv("NOTIFY_SOCKET", names[i], 1);
        else
            unsetenv("NOTIFY_SOCKET");
        fg_notify_open(&notify);
        assert_int_equal(notify.socket, -1);
        fg_notify_send(&notify, "READY=1");
        tick(1);
        fg_notify_close(&notify);
    }
    assert_string_equal(next(), "");
}

/* At half of its time, and not more often. */
static void test_watchdog(void **state)
{
    (void)state;
    fg_notify_open(&notify);
    for (uint64_t now_ms = 1000; now_ms < 21000; now_ms += 10) {
        loops[0]++;
        loops[1] += 3;
        tick(now_ms);
        assert_string_equal(next(), now_ms % 5000 == 1000 ? "WATCHDOG=1" : "");
    }
}

/* One worker stands still: no ping, until it goes on. */
static void test_hung_worker(void **state)
{
    (void)state;
    fg_notify_open(&notify);
    loops[0] = loops[1] = 1;
    tick(1000);
    assert_string_equal(next(), "WATCHDOG=1");
    loops[0]++;
    tick(6000);
    assert_string_equal(next(), "STATUS=worker 1 makes no progress");
    for (uint64_t now_ms = 6010; now_ms < 30000; now_ms += 10) {
        loops[0]++;
        tick(now_ms);
        assert_string_equal(next(), "");
    }
    loops[1]++;
    tick(30000);
    assert_string_equal(next(), "WATCHDOG=1\nSTATUS=serving");
}

static void test_watchdog_of_others(void **state)
{
    (void)state;
    static const struct {
        const char *usec, *pid;
        uint64_t every_ms;
    } cases[] = {
        {"3000000", NULL, 1500}, {"3000000", "1", 0}, {NULL, NULL, 0}, {"", NULL, 0},
        {"0", NULL, 0},          {"-5", NULL, 0},     {"5s", NULL, 0}, {"1", NULL, 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        setenv("NOTIFY_SOCKET", path, 1);
        unsetenv("WATCHDOG_USEC");
        if (cases[i].usec)
            setenv("WATCHDOG_USEC", cases[i].usec, 1);
        if (cases[i].pid)
            setenv("WATCHDOG_PID", cases[i].pid, 1);
        fg_notify_open(&notify);
        assert_int_equal(notify.watchdog_ms, cases[i].every_ms);
        fg_notify_close(&notify);
    }
}

/* A manager that does not read must not hold the engine up. */
static void test_deaf_manager(void **state)
{
    (void)state;
    fg_notify_open(&notify);
    for (unsigned i = 0; i < 5000; i++)
        fg_notify_send(&notify, "STATUS=%u", i);
    assert_string_equal(next(), "STATUS=0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_abstract_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_watchdog, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hung_worker, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_watchdog_of_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_deaf_manager, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
