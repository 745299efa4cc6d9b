/* SPDX-License-Identifier: BSD-3-Clause */
/* The unit file, the table of exit statuses and its runbook say the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flashgate/exit_status.h"

#define UNIT    "conf/flashgated.service"
#define RUNBOOK "docs/operations.md"

/* The line of the file that begins so, in `line`; fails the test without one. */
static void find_line(const char *path, const char *begin, char *line, int size)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    bool found = false;
    while (!found && fgets(line, size, file))
        found = strncmp(line, begin, strlen(begin)) == 0;
    fclose(file);
    if (!found)
        fail_msg("%s has no line \"%s...\"", path, begin);
}

static bool needs_person(int status)
{
#define X(name)                                                                                    \
    if (status == FG_EXIT_##name)                                                                  \
        return true;
    FG_EXIT_FOR_A_PERSON(X)
#undef X
    return false;
}

static void test_unit(void **state)
{
    (void)state;
    char line[256], wanted[256] = "RestartPreventExitStatus=";
    find_line(UNIT, wanted, line, sizeof(line));
    for (int status = 1; status < 64; status++)
        if (needs_person(status)) {
            size_t used = strlen(wanted);
            snprintf(wanted + used, sizeof(wanted) - used, "%d ", status);
        }
    wanted[strlen(wanted) - 1] = '\n';
    assert_string_equal(line, wanted);
    find_line(UNIT, "Restart=on-failure\n", line, sizeof(line));
    find_line(UNIT, "Type=notify\n", line, sizeof(line));
    find_line(UNIT, "WatchdogSec=", line, sizeof(line));
}

/* "| status | means | by systemd | by hand |": the third says yes or no. */
static void test_runbook(void **state)
{
    (void)state;
#define X(name, status, meaning)                                                                   \
    if (status != FG_EXIT_OK && status != FG_EXIT_UNREACHABLE && status != FG_EXIT_REFUSED &&      \
        status != FG_EXIT_BOOKS && status != FG_EXIT_UNCONFIRMED) {                                \
        char line[512], begin[16], *third;                                                         \
        snprintf(begin, sizeof(begin), "| %d |", status);                                          \
        find_line(RUNBOOK, begin, line, sizeof(line));                                             \
        third = strchr(line + strlen(begin), '|');                                                 \
        assert_non_null(third);                                                                    \
        if (strncmp(third, needs_person(status) ? "| no |" : "| yes |",                            \
                    needs_person(status) ? 6 : 7) != 0)                                            \
            fail_msg("status %d: %s", status, line);                                               \
    }
    FG_EXIT_STATUSES(X)
#undef X
}

/* Every status, the engine's or another's, has an entry of its own. */
static void test_entries(void **state)
{
    (void)state;
#define X(name, status, meaning)                                                                   \
    {                                                                                              \
        char line[512], begin[16];                                                                 \
        snprintf(begin, sizeof(begin), "### %d: ", status);                                        \
        find_line(RUNBOOK, begin, line, sizeof(line));                                             \
    }
    FG_EXIT_STATUSES(X)
#undef X
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unit),
        cmocka_unit_test(test_runbook),
        cmocka_unit_test(test_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
