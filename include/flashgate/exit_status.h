/* SPDX-License-Identifier: BSD-3-Clause */
/* Exit statuses of every Flashgate binary; docs and the service unit follow this one table. */
#ifndef FLASHGATE_EXIT_STATUS_H
#define FLASHGATE_EXIT_STATUS_H

/* X(NAME, status, meaning) */
#define FG_EXIT_STATUSES(X)                                                                        \
    X(OK, 0, "done")                                                                               \
    X(FAILED, 1, "the command was understood and failed; the message says why")                    \
    X(USAGE, 2, "the command line is wrong")                                                       \
    X(CONFIG, 3, "the configuration, key or sale file is wrong")                                   \
    X(UNREACHABLE, 4, "the engine's control socket does not answer")                               \
    X(REFUSED, 5, "the engine refused the request")                                                \
    X(IN_USE, 6, "another engine has this log or control socket")                                  \
    X(NETWORK, 7, "a port, queue or memory pool could not be set up")                              \
    X(DISK, 8, "a write or flush of the log failed; nothing was acknowledged after it")            \
    X(CORRUPT, 9, "the log is damaged; the message names segment, frame and offset")               \
    X(FENCED, 10, "another engine has taken over this engine's streams")                           \
    X(BOOKS, 11, "the verifier found that the books do not balance")                               \
    X(MEMORY, 12, "memory could not be had at start")                                              \
    X(UNCONFIRMED, 13, "it takes something away and was not confirmed; nothing was changed")

/* X(NAME): the engine's own that need a person before it is started again; any other may be tried
 * anew by a service manager, a few times. */
#define FG_EXIT_FOR_A_PERSON(X) X(USAGE) X(CONFIG) X(IN_USE) X(DISK) X(CORRUPT) X(FENCED) X(MEMORY)

enum fg_exit_status {
#define X(name, status, meaning) FG_EXIT_##name = status,
    FG_EXIT_STATUSES(X)
#undef X
};

#endif
