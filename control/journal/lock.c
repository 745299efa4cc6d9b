/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who has a log locked, seen without touching the lock.
 *
 * An engine holds flock(LOCK_EX) on the log's directory. To try the lock, even a shared one for a
 * moment, could make an engine that starts in that moment be refused; flock has no call that only
 * asks. The kernel's list of locks does: reading /proc/locks disturbs nobody. What it cannot show
 * is an engine in another PID namespace or on another machine; the walk does not depend on it, only
 * the words do.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "control/journal/walk.h"

pid_t fg_journal_writer(const char *dir)
{
    struct stat status;
    char line[256];
    pid_t holder = 0;

    if (stat(dir, &status) != 0)
        return 0;
    FILE *locks = fopen("/proc/locks", "re");
    if (!locks)
        return 0;
    while (holder == 0 && fgets(line, sizeof(line), locks)) {
        char type[16], access[16];
        unsigned major_number, minor_number;
        unsigned long inode;
        int pid;
        /* "12: FLOCK  ADVISORY  WRITE 4711 fe:00:131 0 EOF"; who waits has "->" after the number */
        if (sscanf(line, "%*d: %15s %*15s %15s %d %x:%x:%lu", type, access, &pid, &major_number,
                   &minor_number, &inode) == 6 &&
            strcmp(type, "FLOCK") == 0 && strcmp(access, "WRITE") == 0 && inode == status.st_ino &&
            major_number == major(status.st_dev) && minor_number == minor(status.st_dev))
            holder = pid;
    }
    fclose(locks);
    return holder;
}
